// What an execution that waits in the node costs n8n itself: memory of a real n8n with none and with many of them.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startSimulator } from '../../simulator';
import { openEditor } from '../n8n/editor';
import { ensureN8n } from '../n8n/install';
import { packPackage } from '../n8n/package';
import { projectRoot } from '../n8n/paths';

/** Memory in use of n8n's main process in kB for each waiting execution, by its resident set; each has a chat of its own. */
export async function benchWaitingInN8n(progress: (line: string) => void, { executions = 300, warmUp = 100 } = {}): Promise<{ executions: number; kilobytesPerExecution: number }> {
	await ensureN8n();
	const userFolder = mkdtempSync(join(tmpdir(), 'bench-n8n-'));
	const simulator = await startSimulator();
	try {
		const editor = await openEditor({ userFolder, tarball: await packPackage(join(userFolder, 'pack')), template: join(projectRoot, 'templates', 'ordered-send.json'), evolution: simulator });
		try {
			const [credential] = await editor.rest.credentials();
			const start = async (path: string, count: number, delaySeconds: number) => {
				const workflow = await editor.rest.createWorkflow(workflowOf(path, { evolutionServerApi: credential }, delaySeconds));
				await editor.rest.publish(workflow);
				const before = simulator.control.messages().length;
				for (let i = 0; i < count; i++) await editor.rest.callWebhook(path, { number: `5511${900_000_000 + before + i}` });
				await simulator.control.waitUntil(() => simulator.control.messages().length >= before + count, 300_000);
			};
			progress(`n8n: ${warmUp} executions to warm up`);
			await start('warm', warmUp, 0);
			await sleep(15_000);
			const before = residentKilobytes(editor.server.pid);
			progress(`n8n: ${executions} executions that wait`);
			await start('wait', executions, 3600);
			await sleep(15_000);
			return { executions, kilobytesPerExecution: (residentKilobytes(editor.server.pid) - before) / executions };
		} finally {
			await editor.server.kill();
		}
	} finally {
		await simulator.close();
		rmSync(userFolder, { recursive: true, force: true });
	}
}

function residentKilobytes(pid: number): number {
	return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

function workflowOf(path: string, credentials: object, delaySeconds: number) {
	return {
		name: path,
		settings: { executionOrder: 'v1' },
		nodes: [
			{ id: 'a', name: 'Webhook', type: 'n8n-nodes-base.webhook', typeVersion: 2, position: [0, 0], webhookId: path, parameters: { httpMethod: 'POST', path, responseMode: 'onReceived', options: {} } },
			{
				id: 'b', name: 'Send', type: 'n8n-nodes-ordered-evolutionapi.orderedEvolutionApiSend', typeVersion: 1, position: [200, 0], credentials,
				parameters: { operation: 'sendThenWebhook', instanceName: { __rl: true, mode: 'name', value: 'meta1' }, number: '={{ $json.body.number }}', text: 'Hello', waitFor: 'delay', delaySeconds, callWebhook: false },
			},
		],
		connections: { Webhook: { main: [[{ node: 'Send', type: 'main', index: 0 }]] } },
	};
}
