// npm start: runs the template workflow three times in n8n's own engine, and shows what the receiving ends saw.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scenarios, type Scenario } from './demo/scenarios';
import { evolutionFromEnvironment, type DemoServer } from './demo/server';
import { printTimeline } from './demo/timeline';
import { runWorkflow, type WorkflowFile } from './engine/workflow';
import { startReceiver, type Receiver } from './n8n/receiver';
import template from '../templates/ordered-send.json';

async function main(): Promise<number> {
	const userFolder = mkdtempSync(join(tmpdir(), 'ordered-evolutionapi-demo-'));
	process.env.N8N_USER_FOLDER = userFolder; // the demo's ledger; your own n8n is not touched
	process.env.N8N_ENCRYPTION_KEY = 'demo'; // or n8n tells at length that it made one
	const server = await evolutionFromEnvironment();
	const receiver = await startReceiver();
	console.log(`\nThe workflow templates/ordered-send.json in n8n's engine, against ${server.description}.`);
	console.log('It sends a WhatsApp text, waits until it is delivered, then calls a webhook.');
	try {
		let failures = 0;
		for (const scenario of scenarios(server)) failures += (await show(scenario, server, receiver)) ? 0 : 1;
		console.log(failures === 0 ? '\nAll three as promised. Next: npm run n8n opens it in the real n8n editor.' : `\n${failures} of 3 were not as promised.`);
		return failures === 0 ? 0 : 1;
	} finally {
		await receiver.close();
		await server.close();
		rmSync(userFolder, { recursive: true, force: true });
	}
}

/** Runs one scenario, prints its timeline, and tells whether it was as promised. */
async function show(scenario: Scenario, server: DemoServer, receiver: Receiver): Promise<boolean> {
	const startedAt = Date.now();
	const callsBefore = receiver.calls.length;
	await scenario.prepare?.();
	const { input } = scenario;
	const { run, lastOutput } = await runWorkflow({
		workflow: template as unknown as WorkflowFile,
		credentials: { evolutionServerApi: { ...server.credential } },
		input: { headers: {}, params: {}, query: {}, body: { ...input, webhookUrl: `${receiver.url}/after-the-text` } },
	});
	if (run.data.resultData.error) throw new Error(run.data.resultData.error.message);
	const answer = (lastOutput['Answer: done'] ?? lastOutput['Answer: not done'])?.[0]?.[0]?.json as { statusCode: number; body: Record<string, unknown> } | undefined;
	if (!answer) throw new Error('The workflow gave no answer');
	const events = [...(await server.events(startedAt, input.number)), ...receiver.calls.slice(callsBefore).map((call) => ({ at: call.at.getTime(), who: 'webhook' as const, what: `called with webhook-id ${String(call.headers['webhook-id'])}` }))];
	printTimeline(scenario.title, startedAt, input, events, answer);
	const verdict = scenario.judge(events, answer.body);
	console.log(`   ${verdict.ok ? '✔' : '✘'} ${verdict.text}`);
	return verdict.ok;
}

main().then(
	(code) => process.exit(code),
	(error: unknown) => {
		console.error(`\nThe demo stopped: ${error instanceof Error ? error.message : String(error)}`);
		process.exit(1);
	},
);
