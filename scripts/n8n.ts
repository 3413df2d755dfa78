// `npm run n8n`: a real n8n with this package installed, beside a simulated EvolutionAPI, until Ctrl-C.
import { join, resolve } from 'node:path';
import { startSimulator } from '../simulator';
import { openEditor, type Editor } from './n8n/editor';
import { ensureN8n } from './n8n/install';
import { installProject } from './n8n/package';
import { cacheFolder, projectRoot } from './n8n/paths';
import { freePortFrom, isFree } from './n8n/ports';
import { startReceiver } from './n8n/receiver';
import { DEMO_OWNER } from './n8n/rest';
import { claimRunning, tellAddress } from './n8n/running';
import { withProgress } from './run/progress.mjs';

/** ORDERED_N8N_USER_FOLDER gives another one, and with another N8N_PORT a second n8n beside the first. */
const USER_FOLDER = resolve(process.env.ORDERED_N8N_USER_FOLDER || join(cacheFolder, 'n8n-user'));
const RUNNING_FILE = join(USER_FOLDER, 'running.json');
const TEMPLATE = join(projectRoot, 'templates', 'ordered-send.json');
const N8N_PORT = 5678;
const SIMULATOR_PORT = 8080;
const RECEIVER_PORT = 8090;

/** What must be closed in the end, the first opened last. */
const open: Array<() => Promise<void>> = [];
let ending: Promise<void> | undefined;

async function main(): Promise<void> {
	const running = claimRunning(RUNNING_FILE);
	if (running) return console.log(alreadyUp(running.pid, running.url));
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end());

	const port = await n8nPort();
	await ensureN8n();
	await installProject(USER_FOLDER);
	const receiver = await startReceiver(({ at, method, path, body }) => tell(at, `webhook called: ${method} ${path} ${shorten(body)}`), await usualPort(RECEIVER_PORT, 'the receiver of webhooks'));
	open.push(receiver.close);
	const simulator = await startSimulator({ port: await usualPort(SIMULATOR_PORT, 'the simulated EvolutionAPI') });
	open.push(() => simulator.close());
	simulator.control.onMessage(({ at, instance, jid, text }) => tell(new Date(at), `text reached WhatsApp: "${shorten(text)}" to ${jid} from ${instance}`));

	const editor = await withProgress('Starting n8n (10 to 20 s)', () => openEditor({ userFolder: USER_FOLDER, port, template: TEMPLATE, evolution: simulator }));
	open.push(editor.server.stop);
	tellAddress(RUNNING_FILE, editor.server.url);
	console.log(welcome(editor, simulator.url, receiver.url));

	await editor.server.ended;
	if (ending) return;
	console.error(`n8n ended by itself. The end of its log:\n${editor.server.log().slice(-2000)}`);
	process.exitCode = 1;
	await end();
}

/** N8N_PORT is meant, so it is not swapped for another; the usual port gives way to the next free one. */
async function n8nPort(): Promise<number> {
	const wanted = process.env.N8N_PORT;
	if (wanted === undefined || wanted === '') return await usualPort(N8N_PORT, 'n8n', ' (N8N_PORT=… sets another.)');
	const port = Number(wanted);
	if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Error(`N8N_PORT must be a port from 1 to 65535, got '${wanted}'.`);
	if (!(await isFree(port))) throw new Error(`Port ${port} (N8N_PORT) is in use by another program. End that, or give another port.`);
	return port;
}

/** The usual port, or the next free one, which is told. */
async function usualPort(usual: number, what: string, hint = ''): Promise<number> {
	const port = await freePortFrom(usual);
	if (port !== usual) console.log(`Port ${usual} is in use: ${what} gets ${port}.${hint}`);
	return port;
}

/** Closes all of it once; a second signal doesn't wait. */
function end(): Promise<void> {
	if (ending) process.exit(130);
	if (open.length > 0) console.log('\nEnding n8n and the simulator …');
	ending = (async () => {
		for (const close of open.reverse()) await close();
		if (open.length > 0) console.log('All ended.');
		process.exit();
	})();
	return ending;
}

function welcome({ server, workflow, webhookPaths }: Editor, simulatorUrl: string, receiverUrl: string): string {
	// one of an earlier start would only be replayed, or conflict with other ports
	const transactionId = `try-${Date.now().toString(36)}`;
	const body = JSON.stringify({ instanceName: 'meta1', number: '5511999999999', text: 'Hello', transactionId, webhookUrl: `${receiverUrl}/done` });
	const calls = webhookPaths.map((path) => `  curl -X POST ${server.url}/webhook/${path} -H 'content-type: application/json' -d '${body}'`);
	return `
n8n          ${server.url}
  log in     ${DEMO_OWNER.email}  /  ${DEMO_OWNER.password}
Workflow     "${workflow.name}"  ${server.url}/workflow/${workflow.id}
EvolutionAPI ${simulatorUrl}  (simulated; its key is in the credential)
Webhooks     ${receiverUrl}  (whatever is called there is shown below)

In the editor: open the workflow, double-click "Ordered EvolutionAPI Send" and look at its parameters; press
"Execute workflow" to run it. It is published too, so a TypeBot or this calls it:
${calls.join('\n')}
The node is also in the list of nodes of any other workflow (Tab, then "ordered").
What you make stays in ${USER_FOLDER}; n8n's own log is n8n.log in there.
Ctrl-C ends everything.
`;
}

function alreadyUp(pid: number, url: string | undefined): string {
	return `It is up already: process ${pid}, ${url ?? 'still starting'}. Ctrl-C in its terminal ends it${process.platform === 'win32' ? '' : `, or 'kill ${pid}'`}.\n(If that is not so, delete ${RUNNING_FILE}.)`;
}

function tell(at: Date, what: string): void {
	console.log(`${at.toISOString().slice(11, 23)}  ${what}`);
}

function shorten(text: string): string {
	const line = text.replaceAll(/\s+/g, ' ');
	return line.length > 160 ? `${line.slice(0, 160)}…` : line;
}

main().catch((error: unknown) => {
	// What is under way fails when all is being closed.
	if (ending) return ending;
	console.error(error instanceof Error ? error.message : error);
	process.exitCode = 1;
	return end();
});
