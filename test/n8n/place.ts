// What the tests in a real n8n share: n8n with the packed package, an owner, the credential, the template, both receiving ends.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Editor, openEditor, readTemplate, withCredentials } from '../../scripts/n8n/editor';
import { ensureN8n } from '../../scripts/n8n/install';
import { packPackage } from '../../scripts/n8n/package';
import { projectRoot } from '../../scripts/n8n/paths';
import type { SavedWorkflow, WorkflowData } from '../../scripts/n8n/rest';
import { startSimulator, type Simulator } from '../../simulator';
import { Receiver } from '../support/receiver';
import { effectsOf } from '../support/scene';
import { SecretSearch } from '../support/secrets';

export const NODE_TYPE = 'n8n-nodes-ordered-evolutionapi.orderedEvolutionApiSend';
export const LOG_TYPE = 'n8n-nodes-ordered-evolutionapi.orderedMessageLog';
export const BUFFER_TYPE = 'n8n-nodes-ordered-evolutionapi.chatMessageBuffer';
export const NODE_NAME = 'Ordered EvolutionAPI Send';
const startMs = 240_000;

export interface Place {
	editor: Editor;
	simulator: Simulator;
	receiver: Receiver;
	userFolder: string;
	credential: { id: string; name: string };
	/** Texts and webhook paths, in the order in which they arrived in this test; acknowledgements where asked for. */
	effects(withAcks?: boolean): string[];
	/** A number that no other test writes to. */
	number(): string;
	/** Imports a file of templates/ as it is, but for the credentials by their types, and publishes it. */
	importTemplate(file: string, credentials?: Record<string, { id: string; name: string }>, change?: (template: WorkflowData) => WorkflowData): Promise<SavedWorkflow>;
	/** Makes and publishes webhook → node → "Done", its error output → "Not done"; tells its webhook's path. */
	publishSend(parameters: object, more?: { node?: object; settings?: Record<string, unknown> }): Promise<{ workflow: SavedWorkflow; path: string }>;
}

/** Call it at the top of a test file: one n8n for all its tests. */
export function usePlace(options: { /** More of n8n's environment. */ env?: Record<string, string>; /** The host name by which the credential names the simulator. */ host?: string } = {}): Place {
	const place = { userFolder: mkdtempSync(join(tmpdir(), 'ordered-n8n-')) } as Place;
	const search = new SecretSearch('n8n');
	let numbers = 0;
	let paths = 0;
	beforeAll(async () => {
		await ensureN8n();
		// not its usual key: that stands in the README, which is installed with the package
		place.simulator = await startSimulator({ apiKey: 'nQ4-n8n-6c0d93be51f8' });
		search.addSimulator(place.simulator).add("the wrong key of the credential's test", 'key-that-is-wrong');
		place.receiver = await Receiver.start();
		const tarball = await packPackage(join(place.userFolder, 'pack'));
		place.editor = await openEditor({ userFolder: place.userFolder, tarball, template: join(projectRoot, 'templates', 'ordered-send.json'), evolution: { url: place.simulator.url.replace('127.0.0.1', options.host ?? '127.0.0.1'), apiKey: place.simulator.apiKey }, env: options.env });
		const [credential] = await place.editor.rest.credentials();
		if (!credential) throw new Error('The editor has no credential.');
		place.credential = { id: credential.id, name: credential.name };
	}, startMs);
	beforeEach(() => {
		place.simulator.control.clearRules();
		place.simulator.control.clearLog();
		place.receiver.behaveWell();
		place.receiver.calls.length = 0;
	});
	afterEach(() => search.bodies(place.receiver));
	afterAll(async () => {
		if (place.editor) search.folder("n8n's user folder", place.userFolder);
		await place.editor?.server.stop();
		await place.simulator?.close();
		await place.receiver?.close();
		search.file("n8n's log", join(place.userFolder, 'n8n.log'));
		rmSync(place.userFolder, { recursive: true, force: true });
		search.end();
	}, startMs);
	place.effects = (withAcks) => effectsOf(place.simulator, place.receiver, withAcks).map(({ kind, what }) => `${kind} ${what}`);
	place.number = () => `55119${String(10_000_000 + ++numbers)}`;
	place.importTemplate = async (file, credentials = {}, change = (template) => template) => {
		const template = change(withCredentials(readTemplate(join(projectRoot, 'templates', file)), { evolutionServerApi: place.credential, ...credentials }));
		const workflow = await place.editor.rest.createWorkflow({ ...template, id: undefined, active: false });
		await place.editor.rest.publish(workflow);
		return workflow;
	};
	place.publishSend = async (parameters, more) => {
		const path = `send-${++paths}`;
		const workflow = await place.editor.rest.createWorkflow(sendWorkflow(place, path, parameters, more));
		await place.editor.rest.publish(workflow);
		return { workflow, path };
	};
	return place;
}

function sendWorkflow({ receiver, credential, number }: Place, path: string, parameters: object, { node = {}, settings = {} }: { node?: object; settings?: Record<string, unknown> } = {}): WorkflowData {
	return {
		name: `Test ${path}`,
		settings: { executionOrder: 'v1', ...settings },
		nodes: [
			{ id: 'a', name: 'Webhook', type: 'n8n-nodes-base.webhook', typeVersion: 2, position: [0, 0], webhookId: path, parameters: { httpMethod: 'POST', path, responseMode: 'lastNode', options: {} } },
			{
				id: 'b',
				name: NODE_NAME,
				type: NODE_TYPE,
				typeVersion: 1,
				position: [200, 0],
				credentials: { evolutionServerApi: credential },
				parameters: { operation: 'sendThenWebhook', instanceName: { __rl: true, mode: 'name', value: 'meta1' }, number: number(), text: '={{ $json.body.text }}', webhookUrl: `${receiver.url}/done`, ...parameters },
				...node,
			},
			{ id: 'c', name: 'Done', type: 'n8n-nodes-base.noOp', typeVersion: 1, position: [400, 0], parameters: {} },
			{ id: 'd', name: 'Not done', type: 'n8n-nodes-base.noOp', typeVersion: 1, position: [400, 200], parameters: {} },
		],
		connections: { Webhook: { main: [[to(NODE_NAME)]] }, [NODE_NAME]: { main: [[to('Done')], [to('Not done')]] } },
	};
}

export function to(node: string, type = 'main'): { node: string; type: string; index: number } {
	return { node, type, index: 0 };
}
