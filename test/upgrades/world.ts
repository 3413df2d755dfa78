// The world in which stored workflows run: n8n's engine with the built nodes, a simulated EvolutionAPI, a webhook receiver.
import { createRequire } from 'node:module';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IExecuteFunctions, INodeExecutionData, INodeType } from 'n8n-workflow';
import { builtNode, runWorkflow, type WorkflowFile } from '../../scripts/engine/workflow';
import { startSimulator, type Simulator } from '../../simulator';
import { agentThat, asTool, type Tool } from '../support/agent';
import { type Behaviour, Receiver } from '../support/receiver';
import { normalised } from './normalised';

const PACKAGE = 'n8n-nodes-ordered-evolutionapi';
const dist = join(__dirname, '../../dist');

/** Where transactions are recorded below n8n's user folder. */
const LEDGER = join('.n8n', 'ordered-evolutionapi', 'ledger.sqlite');

/** What a workflow did, without what differs from run to run. */
export interface Done {
	/** The items that each node gave, by its outputs. */
	nodes: Record<string, unknown[][]>;
	/** What changed something at EvolutionAPI: sends and deletions, in their order. */
	requests: unknown[];
	webhooks: unknown[];
	/** The message of the error that ended it, if one did. */
	error?: string;
}

export interface Place {
	simulator: Simulator;
	receiver: Receiver;
}

const built = (name: string): INodeType => builtNode(join(dist, 'nodes', name, `${name}.node.js`));
const nodeFolders = ['ChatMessageBuffer', 'OrderedEvolutionApiSend', 'OrderedMessageLog'];

/** The versions of which something is stored. */
export function storedVersions(): string[] {
	return readdirSync(__dirname, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** The workflows that are stored of a version, by name. */
export function storedWorkflows(version: string): string[] {
	return readdirSync(join(__dirname, version, 'workflows')).filter((file) => file.endsWith('.json') && !file.endsWith('.done.json')).map((file) => file.replace('.json', '')).sort();
}

export function readStored<T>(version: string, file: string): T {
	return JSON.parse(readFileSync(join(__dirname, version, file), 'utf8')) as T;
}

/** Gives `use` a user folder of its own, with that ledger where one is given. */
export async function withUserFolder<T>(ledger: string | undefined, use: (ledgerFile: string) => Promise<T>): Promise<T> {
	const userFolder = mkdtempSync(join(tmpdir(), 'ordered-upgrade-'));
	const file = join(userFolder, LEDGER);
	mkdirSync(join(file, '..'), { recursive: true });
	if (ledger) cpSync(ledger, file);
	process.env.N8N_USER_FOLDER = userFolder;
	process.env.N8N_ENCRYPTION_KEY = 'only-for-tests';
	process.env.N8N_LOG_LEVEL = 'silent';
	// what is stored grows old, and must not be deleted for that
	process.env.ORDERED_EVOLUTIONAPI_KEEP_DAYS = '36500';
	try {
		return await use(file);
	} finally {
		await closeEngine();
		rmSync(userFolder, { recursive: true, force: true });
	}
}

/** Where all copies of the package find the engine in use: see nodes/engine.ts. */
const slot = Symbol.for(`${PACKAGE}.engine`);

/** Ends the engine of the built nodes, so that its ledger is complete in one file; the next node opens another one. */
export async function closeEngine(): Promise<void> {
	const { withEngine } = createRequire(__filename)(join(dist, 'nodes', 'engine.js')) as { withEngine(store: undefined, use: (engine: { close(): Promise<void> }) => Promise<void>): Promise<void> };
	await withEngine(undefined, (engine) => engine.close());
	delete (globalThis as { [slot: symbol]: unknown })[slot];
}

/** Gives `use` both ends; on these ports where what is stored names them. */
export async function withPlace<T>(use: (place: Place) => Promise<T>, ports: { evolution: number; receiver: number } = { evolution: 0, receiver: 0 }): Promise<T> {
	const simulator = await startSimulator({ port: ports.evolution });
	try {
		const receiver = await Receiver.start(ports.receiver);
		try {
			simulator.control.settings({ keepBodies: true });
			simulator.control.setNumber('5511988880000', { exists: false });
			simulator.control.addRule({ route: 'sendText', textEquals: 'never acknowledged', acks: [] });
			simulator.control.addRule({ route: 'sendText', textEquals: 'Wait for read', acks: [{ status: 'READ', afterMs: 60 }] });
			simulator.control.addRule({ route: 'sendText', textEquals: 'Wait for sent', acks: [{ status: 'SENT', afterMs: 30 }] });
			receiver.behave({ body: { number: 7 } }, { path: '/step' }).behave(failsFirst(), { path: '/broken' });
			return await use({ simulator, receiver });
		} finally {
			await receiver.close();
		}
	} finally {
		await simulator.close();
	}
}

/** Each webhook of its own fails at its first call. */
function failsFirst(): Behaviour {
	const known = new Set<unknown>();
	return ({ headers }) => {
		const status = known.has(headers['webhook-id']) ? 200 : 503;
		known.add(headers['webhook-id']);
		return { status };
	};
}

/** Runs a workflow with this in the body of its webhook, and tells what it did. */
export async function run({ simulator, receiver }: Place, workflow: WorkflowFile, body: object | object[] = {}): Promise<Done> {
	const bodies = Array.isArray(body) ? body : [body];
	const credentials = { evolutionServerApi: { baseUrl: simulator.url, apiKey: simulator.apiKey, ignoreSslIssues: false }, webhookTargetApi: { headerName: 'X-Shop-Key', headerValue: 'shop-key', signingSecret: '' } };
	const { run: ended, lastOutput } = await runWorkflow({ workflow, credentials, nodeTypes: nodeTypes(), input: bodies.map((one) => ({ body: { ...delivery(simulator.url), receiver: receiver.url, text: 'Hello', ...one } })) });
	const { error } = ended.data.resultData;
	const nodes = Object.fromEntries(Object.entries(lastOutput).filter(([name]) => name !== 'Webhook').map(([name, outputs]) => [name, outputs.map((items) => items.map(storedItem))]));
	const requests = simulator.control.requests().filter(({ method, path }) => method === 'DELETE' || path.startsWith('/message/')).map(({ method, path, body: sent }) => ({ method, path, body: sent }));
	const webhooks = receiver.calls.map(({ method, path, headers, json, body: text }) => ({ method, path, headers: headersOf(headers), body: json ?? text }));
	return normalised({ nodes, requests, webhooks, ...(error && { error: error.message }) }, { '<evolution>': simulator.url, '<receiver>': receiver.url }, simulator.control.messages().map(({ messageId }) => messageId));
}

/** Of files only what they are called: pictures differ by their times. */
function storedItem({ json, binary }: INodeExecutionData): object {
	const files = Object.entries(binary ?? {}).map(([name, { mimeType, fileName }]) => [name, { mimeType, fileName }] as const);
	return { json: typeof json.answer === 'string' ? { answer: JSON.parse(json.answer) as unknown } : json, ...(files.length > 0 && { binary: Object.fromEntries(files) }) };
}

/** Those that a receiver may depend on. */
function headersOf(headers: Record<string, string | string[] | undefined>): object {
	return Object.fromEntries(Object.entries(headers).filter(([name]) => /^(webhook-|idempotency-key$|content-type$|x-)/.test(name)));
}

function nodeTypes(): Record<string, INodeType> {
	const own = nodeFolders.flatMap((name) => [built(name), asTool(built(name))]).map((node): [string, INodeType] => [`${PACKAGE}.${node.description.name}`, node]);
	return { ...Object.fromEntries(own), 'test.file': file, '@n8n/n8n-nodes-langchain.agent': agentThat(useAll) };
}

/** Calls each of its tools once, in the order of the workflow, with what it asks for. */
async function useAll(tools: Tool[]): Promise<string[]> {
	const args: Record<string, string> = { Text: 'From the agent', id: 'agent-1', turn: '0123456789abcdef0123456789abcdef' };
	const answers: string[] = [];
	for (const tool of [...tools].sort((a, b) => Number(b.name.startsWith('Send')) - Number(a.name.startsWith('Send')))) {
		const own = Object.fromEntries(Object.keys(tool.schema.shape).map((name) => [name, args[name]]));
		answers.push(JSON.stringify({ tool: tool.name, gave: JSON.parse(await tool.invoke(own)) as unknown }));
	}
	return answers;
}

/** Gives its items a file, as a node that downloads one does. */
const file: INodeType = {
	description: { displayName: 'File', name: 'file', group: ['transform'], version: 1, description: '', defaults: { name: 'File' }, inputs: ['main'], outputs: ['main'], properties: [{ displayName: 'Name', name: 'name', type: 'string', default: '' }] },
	async execute(this: IExecuteFunctions) {
		const binary = { [this.getNodeParameter('name', 0) as string]: await this.helpers.prepareBinaryData(Buffer.from('%PDF-1.4'), 'invoice.pdf', 'application/pdf') };
		return [this.getInputData().map(({ json }, item) => ({ json, binary, pairedItem: { item } }))];
	},
};

/** As EvolutionAPI 2.3.6 calls a webhook for a message that came in. */
function delivery(serverUrl: string): object {
	const data = { key: { remoteJid: '5511988887030@s.whatsapp.net', fromMe: false, id: '3EB0C767D71D4A9B1F2C' }, pushName: 'Ana', status: 'DELIVERY_ACK', message: { conversation: 'I want to book' }, messageType: 'conversation', messageTimestamp: 1_795_473_509, instanceId: 'a10138c1', source: 'android' };
	return { event: 'messages.upsert', instance: 'meta1', data, server_url: serverUrl };
}
