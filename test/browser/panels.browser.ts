// The panels of all nodes at 1280×800: nothing that they show is cut off, and what is risky says so where it is chosen.
import { messageKinds } from '../../nodes/OrderedEvolutionApiSend/runSequence/steps/kinds';
import { cutOff, type EditorPage } from './editor';
import { useStage } from './stage';

const stage = useStage();

type Parameters = Record<string, unknown>;

/** A node by its name on the canvas: its type, and its parameters. */
type Panels = Record<string, { type: string; parameters: Parameters }>;

const instanceName = { __rl: true, mode: 'list', value: 'meta1' };
const text = { instanceName, number: '+55 11 98888-7777', text: 'Your order is confirmed', webhookUrl: 'https://example.com/after-the-text' };
const sequence = { operation: 'runSequence', instanceName, number: '+55 11 98888-7777' };
const inSeconds = ['attempts', 'instanceGapSeconds', 'minimumGapSeconds', 'queueTimeoutSeconds', 'requestTimeoutSeconds', 'sequenceGapSeconds'];
const commonOptions = {
	...Object.fromEntries(inSeconds.map((name) => [name, 3])),
	afterEarlierMessages: { rule: { since: '', until: 'quietTime', quietSeconds: 4, timeoutSeconds: 20, onTimeout: 'stop' } },
	errorCallbackUrl: '',
	onFailure: 'hold',
	onInDoubt: 'sendAgain',
	orderKey: '',
	priority: 'normal',
	sequenceNumber: '',
	storeMessageText: false,
	transactionId: '',
};

const send = (parameters: Parameters) => ({ type: 'orderedEvolutionApiSend', parameters });
const buffer = (parameters: Parameters) => ({ type: 'chatMessageBuffer', parameters });
const log = (parameters: Parameters) => ({ type: 'orderedMessageLog', parameters });
const steps = (...step: Parameters[]) => send({ ...sequence, steps: { step } });

const texts: Panels = {
	'not filled in': send({}),
	'with a delay': send({ ...text, waitFor: 'delay', delaySeconds: 60 }),
	'until sent': send({ ...text, waitFor: 'sent', onAckTimeout: 'continue' }),
	'until delivered': send({ ...text, waitFor: 'delivered', webhookUrl: 'https://n8n.example.com/webhook-test/after' }),
	'until read': send({ ...text, waitFor: 'read', webhookHeaders: { header: [{ name: '', value: '' }] }, webhookAuthentication: 'credential' }),
	'instance by its name': send({ ...text, instanceName: { ...instanceName, mode: 'name' } }),
	'no webhook': send({ ...text, callWebhook: false }),
	'all options': send({ ...text, options: { ...commonOptions, linkPreview: true, mentionEveryone: false, quotedMessageId: '', typingMilliseconds: 0 } }),
	'by expressions': send({ ...text, waitFor: '={{ $json.waitFor }}', delaySeconds: '={{ $json.delay }}', callWebhook: '={{ $json.call }}' }),
};

const more = { fileName: '', linkPreview: true, mentionEveryone: false, mimetype: '', quotedMessageId: '', typingMilliseconds: 0 };
const filled: Record<string, Parameters> = {
	buttons: { buttons: { button: ['call', 'copy', 'url'].map((type) => ({ type })) } },
	contact: { contacts: { contact: [{ fullName: '' }] } },
	document: { mediaFrom: 'binary' },
	list: { sections: { section: [{ title: '', rows: { row: [{ title: '' }] } }] } },
	reaction: { fromMe: false },
};

const sequences: Panels = {
	...Object.fromEntries(messageKinds.map((type) => [type, steps({ type, ...filled[type], more })])),
	'acknowledged steps': steps({ type: 'text', waitFor: 'read', onError: 'compensate' }, { type: 'wait', waitUntil: 'delay', delaySeconds: 60 }, { type: 'wait', waitUntil: 'delivered' }),
	'webhook steps': steps({ type: 'webhook', url: 'https://n8n.example.com/webhook-test/after', headers: { header: [{ name: '', value: '' }] } }),
	'steps from JSON': send({ ...sequence, stepsFrom: 'json', webhookAuthentication: 'credential', options: { ...commonOptions, compensationWebhookUrl: '' } }),
};

const others: Panels = {
	joining: buffer({ operation: 'join', options: { ignoreOwn: true, oneTurnAtATime: true, turnTimeoutSeconds: 60 } }),
	ending: buffer({ operation: 'endTurn' }),
	'taking over': buffer({ operation: 'takeOver', options: { oneTurnAtATime: true, turnTimeoutSeconds: 60 } }),
	...Object.fromEntries(['compensate', 'giveUp', 'recover', 'resume'].map((operation) => [operation, log({ operation, transactionId: '0123456789abcdef0123456789abcdef', webhookAuthentication: 'credential', options: { onInDoubt: 'sendAgain', queueTimeoutSeconds: 30 } })])),
	getting: log({ operation: 'get', transactionId: '={{ $json.transactionId }}' }),
	listing: log({ operation: 'getAll', filters: { createdAfter: '', createdBefore: '', instanceName, number: '', statuses: [] }, options: { order: 'newestFirst' } }),
	'listing all': log({ operation: 'getAll', returnAll: true }),
	deleting: log({ operation: 'prune' }),
	drawing: log({ operation: 'timeline', instanceName, number: '+55 11 98888-7777' }),
	'drawing one': log({ operation: 'timeline', timelineOf: 'transaction', transactionId: '' }),
	verifying: log({ operation: 'verify', instanceName, number: '+55 11 98888-7777' }),
};

/** A workflow with these nodes, open in the editor. */
async function open(panels: Panels, evolutionServerApi: { id: string; name: string } | undefined): Promise<EditorPage> {
	const nodes = Object.entries(panels).map(([nodeName, { type, parameters }], index) => ({
		id: `node-${index}`,
		name: nodeName,
		type: `n8n-nodes-ordered-evolutionapi.${type}`,
		typeVersion: 1,
		position: [(index % 5) * 250, Math.floor(index / 5) * 200],
		parameters,
		...(type !== 'chatMessageBuffer' && evolutionServerApi && { credentials: { evolutionServerApi } }),
	}));
	const workflow = await stage.rest.createWorkflow({ name: 'Panels', nodes, connections: {} });
	const editor = await stage.open();
	await editor.openWorkflow(workflow.id);
	return editor;
}

/** What is cut off on the canvas, in each panel, and in the lists that open from it. */
async function cutOffIn(panels: Panels): Promise<string[]> {
	const { id, name } = await stage.credential();
	const editor = await open(panels, { id, name });
	const problems = await cutOff(editor.subtitles);
	const listsSeen = new Set<string>();
	for (const name of Object.keys(panels)) {
		await editor.openNode(name);
		problems.push(...(await cutOff(editor.parameters)).map((problem) => `${name}: ${problem}`));
		for (const list of await editor.lists()) {
			if (listsSeen.has(list.key)) continue;
			listsSeen.add(list.key);
			problems.push(...(await editor.cutOffInList(list)).map((problem) => `${name}, list ${list.key}: ${problem}`));
		}
		await editor.closePanel();
	}
	return problems;
}

jest.setTimeout(300_000);

test('a person can read all that the dialogs of the credentials show', async () => {
	for (const label of ['EvolutionAPI Server', 'Ordered Store', 'Webhook Target']) {
		const editor = await open({ node: send({ webhookAuthentication: 'credential' }) }, undefined);
		await editor.openNode('node');
		await editor.newCredential(label);
		expect([label, await cutOff(editor.credentialFields)]).toEqual([label, []]);
	}
});

test.each([
	['Send Text, Then Call Webhook', texts],
	['Run a Sequence of Steps', sequences],
	['Chat Message Buffer and Ordered Message Log', others],
])('a person can read all that the panels of %s show', async (_, panels) => {
	expect(await cutOffIn(panels)).toEqual([]);
});
