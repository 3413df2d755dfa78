// What the nodes' tests share: simulator, webhook receiver, a user folder of the file's own, and workflows with the nodes.
import { createRequire } from 'node:module';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ICredentialDataDecryptedObject, IDataObject, INode, INodeType } from 'n8n-workflow';
import { builtNode, runWorkflow, type RunWorkflowOptions, type WorkflowFile, type WorkflowRun } from '../../scripts/engine/workflow';
import { startSimulator, type Simulator, type SimulatorOptions } from '../../simulator';
import { Receiver } from '../support/receiver';
import { effectsOf } from '../support/scene';
import { SecretSearch } from '../support/secrets';

export const NODE_TYPE = 'n8n-nodes-ordered-evolutionapi.orderedEvolutionApiSend';
export const NODE_NAME = 'Send';
export const LOG_NAME = 'Log';
const LOG_TYPE = 'n8n-nodes-ordered-evolutionapi.orderedMessageLog';
const dist = join(__dirname, '../../dist');
const builtEngine = join(dist, 'nodes', 'engine.js');

export interface Bench {
	simulator: Simulator;
	receiver: Receiver;
	userFolder: string;
	/** Runs trigger → node → "Done"; its error output goes to "Not done". */
	run(parameters?: object, more?: BenchOptions): Promise<WorkflowRun>;
	/** Runs trigger → Ordered Message Log → "Done"; its error output goes to "Not done". */
	runLog(parameters?: object, more?: BenchOptions): Promise<WorkflowRun>;
	/** Texts and webhook paths in the order in which they arrived. */
	effects(): string[];
	/** What the credential `evolutionServerApi` holds. */
	access(): ICredentialDataDecryptedObject;
}

export interface BenchOptions extends Partial<RunWorkflowOptions> {
	/** More properties of the node, such as `onError`. */
	node?: Partial<INode>;
	/** Settings of the workflow, such as `timezone`. */
	settings?: object;
}

/** Call it at the top of a test file: simulator and receiver are new for each test, the ledger is the file's own. */
export function useBench(simulatorOptions: SimulatorOptions = {}): Bench {
	let search: SecretSearch;
	const searched = async (options: RunWorkflowOptions) => {
		search.addCredentials(options.credentials ?? {});
		const run = await runWorkflow(options);
		search.value('outputs and errors', run);
		return run;
	};
	const bench = { userFolder: mkdtempSync(join(tmpdir(), 'ordered-node-')) } as Bench;
	process.env.N8N_USER_FOLDER = bench.userFolder;
	process.env.N8N_ENCRYPTION_KEY = 'only-for-tests';
	process.env.N8N_LOG_LEVEL = 'silent';
	beforeEach(async () => {
		bench.simulator = await startSimulator(simulatorOptions);
		bench.receiver = await Receiver.start();
		search = new SecretSearch('nodes').addSimulator(bench.simulator);
	});
	afterEach(async () => {
		await bench.simulator.close();
		await bench.receiver.close();
		search.folder("n8n's user folder", bench.userFolder);
		search.bodies(bench.receiver);
		search.end();
	});
	afterAll(async () => {
		await closeEngine();
		rmSync(bench.userFolder, { recursive: true, force: true });
	});
	bench.access = () => ({ baseUrl: bench.simulator.url, apiKey: bench.simulator.apiKey });
	bench.effects = () => effectsOf(bench.simulator, bench.receiver).map(({ kind, what }) => `${kind} ${what}`);
	bench.run = (parameters = {}, { node, ...more } = {}) =>
		searched({ workflow: sendWorkflow({ webhookUrl: `${bench.receiver.url}/done`, ...parameters }, node), credentials: { evolutionServerApi: bench.access() }, ...more });
	bench.runLog = (parameters = {}, { node, settings, ...more } = {}) =>
		searched({ workflow: { ...workflowWith(logNode(parameters, node)), settings }, credentials: { evolutionServerApi: bench.access() }, nodeTypes: { [LOG_TYPE]: builtLog() }, ...more });
	return bench;
}

/** Ends the engine that the nodes from dist/ have opened: that of a store, or the one without. */
export async function closeEngine(store?: ICredentialDataDecryptedObject): Promise<void> {
	const { withEngine } = createRequire(__filename)(builtEngine) as { withEngine(store: unknown, use: (engine: { close(): Promise<void> }) => Promise<void>): Promise<void> };
	await withEngine(store, (engine) => engine.close());
}

/** The node Ordered Message Log as it was built. */
export function builtLog(): INodeType {
	return builtNode(join(dist, 'nodes', 'OrderedMessageLog', 'OrderedMessageLog.node.js'));
}

/** Trigger → the node → "Done", and its error output → "Not done". */
export function sendWorkflow(parameters: object, node: Partial<INode> = {}): WorkflowFile {
	return workflowWith(sendNode(parameters, node));
}

function workflowWith(node: INode): WorkflowFile {
	return {
		nodes: [
			{ id: 'trigger', name: 'Trigger', type: 'n8n-nodes-base.webhook', typeVersion: 2, position: [0, 0], parameters: {} },
			node,
			{ id: 'done', name: 'Done', type: 'n8n-nodes-base.noOp', typeVersion: 1, position: [400, 0], parameters: {} },
			{ id: 'not-done', name: 'Not done', type: 'n8n-nodes-base.noOp', typeVersion: 1, position: [400, 200], parameters: {} },
		],
		connections: { Trigger: to(node.name), [node.name]: { main: [...to('Done').main, ...to('Not done').main] } },
	};
}

export function sendNode(parameters: object, node: Partial<INode> = {}): INode {
	return {
		id: 'send',
		name: NODE_NAME,
		type: NODE_TYPE,
		typeVersion: 1,
		position: [200, 0],
		credentials: { evolutionServerApi: { id: '1', name: 'EvolutionAPI' }, webhookTargetApi: { id: '2', name: 'Webhook' } },
		parameters: { operation: 'sendThenWebhook', instanceName: { __rl: true, mode: 'name', value: 'meta1' }, number: '5511988887777', text: 'Hello', ...parameters },
		...node,
	};
}

function logNode(parameters: object, node: Partial<INode> = {}): INode {
	return {
		id: 'log',
		name: LOG_NAME,
		type: LOG_TYPE,
		typeVersion: 1,
		position: [200, 0],
		credentials: { evolutionServerApi: { id: '1', name: 'EvolutionAPI' }, webhookTargetApi: { id: '2', name: 'Webhook' } },
		parameters: { operation: 'recover', ...parameters },
		...node,
	};
}

/** As the credential stands in a node that uses a shared store. */
export const withStore: Partial<INode> = {
	credentials: { evolutionServerApi: { id: '1', name: 'EvolutionAPI' }, webhookTargetApi: { id: '2', name: 'Webhook' }, orderedStoreApi: { id: '3', name: 'Store' } },
};

export function to(name: string): { main: Array<Array<{ node: string; type: 'main'; index: number }>> } {
	return { main: [[{ node: name, type: 'main', index: 0 }]] };
}

/** The JSON of what a node gave at one output. */
export function outputOf({ lastOutput }: WorkflowRun, output = 0, name = NODE_NAME): IDataObject[] {
	return (lastOutput[name]?.[output] ?? []).map(({ json }) => json);
}

export interface RunError {
	message: string;
	description?: string;
	name: string;
	context: { itemIndex?: number; transaction?: IDataObject };
}

/** The error that ended a run; fails where there is none. */
export function errorOf({ run, status }: WorkflowRun): RunError {
	const { error } = run.data.resultData;
	if (!error) throw new Error(`The run ended without an error, as ${status}.`);
	return error as unknown as RunError;
}
