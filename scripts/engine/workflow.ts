// Runs a whole workflow in n8n's own engine (n8n-core): no n8n server, no database, this package's node from dist/.
import 'reflect-metadata';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { ExecutionLifecycleHooks, UnrecognizedNodeTypeError, WorkflowExecute } from 'n8n-core';
import {
	createRunExecutionData,
	ICredentialsHelper,
	NodeConnectionTypes,
	NodeHelpers,
	Workflow,
	type ICredentialDataDecryptedObject,
	type IExecuteFunctions,
	type IHttpRequestHelper,
	type IHttpRequestOptions,
	type INode,
	type INodeCredentialsDetails,
	type INodeExecutionData,
	type INodeProperties,
	type INodeType,
	type INodeTypes,
	type IRun,
	type IRunExecutionData,
	type IVersionedNodeType,
	type IWebhookResponseData,
	type IWorkflowBase,
	type IWorkflowExecuteAdditionalData,
	type WorkflowExecuteMode,
} from 'n8n-workflow';

/** A workflow file as n8n's own export writes it. */
export interface WorkflowFile {
	name?: string;
	nodes: object[];
	connections: object;
	settings?: object;
	[key: string]: unknown;
}

export interface RunWorkflowOptions {
	workflow: WorkflowFile;
	/** What a credential holds, by the name of its type. */
	credentials?: Record<string, ICredentialDataDecryptedObject>;
	/** What the trigger gives: one item, or several. */
	input?: object | object[];
	/** More node types, or others instead of those of {@link defaultNodeTypes}. */
	nodeTypes?: Record<string, INodeType>;
	/** A number of its own for each run unless given. */
	executionId?: string;
	/** Default: `webhook`. */
	mode?: WorkflowExecuteMode;
	/** When the execution began, in ms; n8n's Retry button keeps it. Default: now. */
	establishedAt?: number;
	/** Does what n8n's Retry button does with this failed run: a new execution from its failed node on, in mode `retry`. */
	retryOf?: WorkflowRun;
	/** Called when it has started; `cancel` is n8n's Stop button. */
	onStart?: (execution: { cancel(): void }) => void;
}

export interface WorkflowRun {
	run: IRun;
	/** As n8n records it: a stopped execution is `canceled`, whatever its node gives afterwards. */
	status: IRun['status'];
	/** The last thing each node gave: the items of each of its outputs. */
	lastOutput: Record<string, INodeExecutionData[][]>;
	/** The nodes that ran, in their order. */
	nodesRun: string[];
}

const packageFolder = resolve(__dirname, '../..');
let lastExecutionId = 0;

/** Runs a workflow to its end; a failed node is in `run.data.resultData.error`, not thrown. */
export async function runWorkflow(options: RunWorkflowOptions): Promise<WorkflowRun> {
	const { executionId = String(++lastExecutionId), retryOf, mode = retryOf ? 'retry' : 'webhook' } = options;
	const workflow = workflowOf(options.workflow, { ...defaultNodeTypes(), ...options.nodeTypes });
	const nodesRun: string[] = [];
	const hooks = new ExecutionLifecycleHooks(mode, executionId, workflowBase(workflow));
	const recorded: Array<IRun['status']> = [];
	hooks.addHandler('nodeExecuteAfter', (name) => void nodesRun.push(name));
	hooks.addHandler('workflowExecuteAfter', ({ status }) => void recorded.push(status));
	const data = retryOf ? retryData(retryOf) : startData(workflow, options, mode);
	const execution = new WorkflowExecute(additionalData(executionId, options.credentials ?? {}, hooks), mode, data).processRunExecutionData(workflow);
	options.onStart?.({ cancel: () => execution.cancel() });
	const run = await execution;
	return { run, status: recorded[0] ?? run.status, lastOutput: lastOutputOf(run), nodesRun };
}

/** Stand-ins for n8n's own nodes that the templates use, and this package's node as it was built. */
export function defaultNodeTypes(): Record<string, INodeType> {
	return { ...standIns, 'n8n-nodes-ordered-evolutionapi.orderedEvolutionApiSend': builtNode() };
}

/** This package's node from `dist/`, loaded as n8n does: the class that is named like the file. */
export function builtNode(file = join(packageFolder, 'dist', 'nodes', 'OrderedEvolutionApiSend', 'OrderedEvolutionApiSend.node.js')): INodeType {
	const exported = createRequire(__filename)(file) as Record<string, new () => INodeType>;
	const NodeClass = exported[(file.split(/[\\/]/).at(-1) ?? '').replace('.node.js', '')];
	if (!NodeClass) throw new Error(`${file} exports no class of its name.`);
	return new NodeClass();
}

/** The workflow as n8n's engine knows it. */
export function workflowOf(file: WorkflowFile, types: Record<string, INodeType>): Workflow {
	// n8n changes what it is given, and each run begins with the file as it is.
	const { nodes, connections, settings } = structuredClone(file) as unknown as { nodes: INode[]; connections: IWorkflowBase['connections']; settings?: IWorkflowBase['settings'] };
	return new Workflow({ id: 'ordered-workflow', name: file.name ?? 'Workflow', nodes, connections, active: false, nodeTypes: nodeTypesOf(types), settings: { executionOrder: 'v1', ...settings } });
}

function nodeTypesOf(types: Record<string, INodeType>): INodeTypes {
	return {
		getByName: (type: string): INodeType | IVersionedNodeType => typeOf(types, type),
		getByNameAndVersion: (type: string, version?: number) => NodeHelpers.getVersionedNodeType(typeOf(types, type), version),
		getKnownTypes: () => ({}),
	};
}

function typeOf(types: Record<string, INodeType>, name: string): INodeType {
	const type = types[name];
	if (!type) throw new UnrecognizedNodeTypeError(...(name.split('.') as [string, string]));
	return type;
}

function startData(workflow: Workflow, { input = {}, establishedAt = Date.now() }: RunWorkflowOptions, mode: WorkflowExecuteMode): IRunExecutionData {
	const trigger = Object.values(workflow.nodes).find(({ type }) => triggers.has(type)) ?? workflow.getStartNode();
	if (!trigger) throw new Error('The workflow has no trigger to start from.');
	const items = (Array.isArray(input) ? input : [input]).map((json) => ({ json: structuredClone(json) as INodeExecutionData['json'] }));
	return createRunExecutionData({
		executionData: {
			nodeExecutionStack: [{ node: trigger, data: { main: [items] }, source: null }],
			runtimeData: { version: 1, establishedAt, source: mode, triggerNode: { name: trigger.name, type: trigger.type } },
		},
	});
}

/** As ExecutionService.retry of n8n 2.41 does it. */
function retryData({ run }: WorkflowRun): IRunExecutionData {
	const data = structuredClone(JSON.parse(JSON.stringify(run.data)) as IRunExecutionData);
	const { lastNodeExecuted, runData } = data.resultData;
	delete data.resultData.error;
	const failed = lastNodeExecuted === undefined ? undefined : runData[lastNodeExecuted];
	if (failed?.at(-1)?.error !== undefined) failed.pop();
	return data;
}

function lastOutputOf({ data }: IRun): WorkflowRun['lastOutput'] {
	const entries = Object.entries(data.resultData.runData).map(([name, tasks]) => [name, (tasks.at(-1)?.data?.main ?? []).map((items) => items ?? [])] as const);
	return Object.fromEntries(entries);
}

function workflowBase({ id, name, connectionsBySourceNode: connections, nodes }: Workflow): IWorkflowBase {
	const now = new Date();
	return { id, name: name ?? '', nodes: Object.values(nodes), connections, active: false, activeVersionId: null, isArchived: false, createdAt: now, updatedAt: now, settings: {} };
}

/** What an n8n server gives the engine besides the workflow, as far as these nodes ask for it. */
export function additionalData(executionId: string, credentials: Record<string, ICredentialDataDecryptedObject>, hooks?: ExecutionLifecycleHooks): IWorkflowExecuteAdditionalData {
	const base = 'http://127.0.0.1';
	const data: Partial<IWorkflowExecuteAdditionalData> = {
		executionId,
		currentNodeExecutionIndex: 0,
		credentialsHelper: new GivenCredentials(credentials),
		hooks,
		variables: {},
		restApiUrl: `${base}/rest`,
		instanceBaseUrl: base,
		webhookBaseUrl: `${base}/webhook`,
		webhookWaitingBaseUrl: `${base}/webhook-waiting`,
		webhookTestBaseUrl: `${base}/webhook-test`,
		formWaitingBaseUrl: `${base}/form-waiting`,
		setExecutionStatus: () => {},
		sendDataToUI: () => {},
	};
	return data as IWorkflowExecuteAdditionalData;
}

class GivenCredentials extends ICredentialsHelper {
	constructor(private readonly byType: Record<string, ICredentialDataDecryptedObject>) {
		super();
	}

	override getParentTypes() {
		return [];
	}

	override isCredentialUsableByNode() {
		return true;
	}

	override async authenticate(_credentials: ICredentialDataDecryptedObject, _type: string, request: IHttpRequestOptions) {
		return request;
	}

	override async preAuthentication(_helpers: IHttpRequestHelper, credentials: ICredentialDataDecryptedObject) {
		return credentials;
	}

	override async runPreAuthentication() {
		return undefined;
	}

	override async getCredentials(): Promise<never> {
		throw new Error('There are no stored credentials here.');
	}

	override async getDecrypted(_data: IWorkflowExecuteAdditionalData, _node: INodeCredentialsDetails, type: string) {
		const found = this.byType[type];
		if (!found) throw new Error(`No credential of the type ${type} was given to runWorkflow.`);
		return found;
	}

	override async updateCredentials() {}

	override async updateCredentialsOauthTokenData() {}

	override getCredentialsProperties(): INodeProperties[] {
		return [];
	}
}

function standIn(name: string, outputs: number, behaviour: Pick<INodeType, 'execute' | 'webhook'>, properties: INodeProperties[] = []): INodeType {
	const main = NodeConnectionTypes.Main;
	const isTrigger = triggers.has(`n8n-nodes-base.${name}`);
	return {
		description: { displayName: name, name, group: [isTrigger ? 'trigger' : 'transform'], version: [1, 1.1, 2, 2.1, 3, 3.4], description: '', defaults: { name }, inputs: isTrigger ? [] : [main], outputs: Array.from({ length: outputs }, () => main), properties },
		...behaviour,
	};
}

async function passOn(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
	return [this.getInputData()];
}

const triggers = new Set(['n8n-nodes-base.webhook', 'n8n-nodes-base.manualTrigger']);

const standIns: Record<string, INodeType> = {
	// The engine passes the data of a node with `webhook` on.
	'n8n-nodes-base.webhook': standIn('webhook', 1, { webhook: async (): Promise<IWebhookResponseData> => ({}) }),
	'n8n-nodes-base.manualTrigger': standIn('manualTrigger', 1, { execute: passOn }),
	'n8n-nodes-base.noOp': standIn('noOp', 1, { execute: passOn }),
	'n8n-nodes-base.stickyNote': standIn('stickyNote', 0, { execute: passOn }),
	/** Adds its parameter `fields`, an object, to each item. */
	'n8n-nodes-base.set': standIn('set', 1, {
		async execute(this: IExecuteFunctions) {
			return [this.getInputData().map(({ json }, i) => ({ json: { ...json, ...(this.getNodeParameter('fields', i, {}) as object) }, pairedItem: { item: i } }))];
		},
	}, [{ displayName: 'Fields', name: 'fields', type: 'json', default: {} }]),
	/** Gives what the caller of the webhook would get: `{statusCode, body}`. */
	'n8n-nodes-base.respondToWebhook': standIn('respondToWebhook', 1, {
		async execute(this: IExecuteFunctions) {
			const { responseCode = 200 } = this.getNodeParameter('options', 0, {}) as { responseCode?: number };
			const text = this.getNodeParameter('responseBody', 0, '{}') as string | object;
			return [[{ json: { statusCode: responseCode, body: (typeof text === 'string' ? JSON.parse(text) : text) as INodeExecutionData['json'] }, pairedItem: { item: 0 } }]];
		},
	}, [{ displayName: 'Response Body', name: 'responseBody', type: 'json', default: '' }, { displayName: 'Respond With', name: 'respondWith', type: 'string', default: 'json' }, { displayName: 'Options', name: 'options', type: 'json', default: {} }]),
};
