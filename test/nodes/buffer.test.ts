// Chat Message Buffer in n8n's own engine: both outputs, ended turns, files, Stop, failures, and what the panel says.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IDataObject, INode, INodeExecutionData, INodeProperties, INodeType } from 'n8n-workflow';
import { builtNode, runWorkflow, type RunWorkflowOptions, type WorkflowRun } from '../../scripts/engine/workflow';
import { bufferLabels } from '../../ordering/buffer/message';
import type { StoreAccess } from '../../ordering/store';
import type { ChildTask } from '../ordering/buffer/child';
import { errorOf, outputOf, to, useBench } from './bench';
import { useStore } from './sharedStore';

const bench = useBench();
const store = useStore(bench);

const BUFFER_TYPE = 'n8n-nodes-ordered-evolutionapi.chatMessageBuffer';
const NAME = 'Chat Message Buffer';
const built = (): INodeType => builtNode(join(__dirname, '../../dist/nodes/ChatMessageBuffer/ChatMessageBuffer.node.js'));
const quick = { quietSeconds: 0.5 };
let numbers = 0;
/** A chat that no other test writes to. */
const newJid = () => `55119${30_000_000 + ++numbers}@s.whatsapp.net`;

/** As n8n's Webhook node gives what EvolutionAPI 2.3.6 posts. */
function delivery(jid: string, words: string, more: { id?: string; fromMe?: boolean; data?: object; body?: object } = {}): IDataObject {
	const data = { key: { remoteJid: jid, fromMe: more.fromMe ?? false, id: more.id ?? `3EB0${++numbers}` }, pushName: 'Ana', status: 'DELIVERY_ACK', message: { conversation: words }, messageType: 'conversation', messageTimestamp: 1_795_473_509, instanceId: 'a10138c1', source: 'android', ...more.data };
	return { headers: { host: 'n8n' }, params: {}, query: {}, body: { event: 'messages.upsert', instance: 'meta1', data, destination: 'http://n8n/webhook', date_time: '2026-11-23T22:38:29.337Z', sender: '5511900000001@s.whatsapp.net', server_url: bench.simulator.url, apikey: 'instance-token', ...more.body } };
}

const picture = { message: { imageMessage: { caption: 'this one', mimetype: 'image/jpeg' } }, messageType: 'imageMessage' };

/** Trigger → Chat Message Buffer → "Joined", "Held", and behind its error output "Not done". */
async function run(input: object | object[], parameters: object = quick, { node, ...more }: Partial<RunWorkflowOptions> & { node?: Partial<INode> } = {}): Promise<WorkflowRun> {
	const plain = (id: string, name: string) => ({ id, name, type: 'n8n-nodes-base.noOp', typeVersion: 1, position: [400, 0], parameters: {} });
	const workflow = {
		nodes: [
			{ id: 'trigger', name: 'Trigger', type: 'n8n-nodes-base.webhook', typeVersion: 2, position: [0, 0], parameters: {} },
			{ id: 'buffer', name: NAME, type: BUFFER_TYPE, typeVersion: 1, position: [200, 0], parameters, ...node },
			plain('joined', 'Joined'), plain('held', 'Held'), plain('not-done', 'Not done'),
		],
		connections: { Trigger: to(NAME), [NAME]: { main: [...to('Joined').main, ...to('Held').main, ...to('Not done').main] } },
	};
	return await runWorkflow({ workflow, input, nodeTypes: { [BUFFER_TYPE]: built() }, ...more });
}

const joined = (given: WorkflowRun) => outputOf(given, 0, NAME);
const held = (given: WorkflowRun) => outputOf(given, 1, NAME);
const itemsAt = (given: WorkflowRun, output: number): INodeExecutionData[] => given.lastOutput[NAME]?.[output] ?? [];

describe('join', () => {
	test("with nothing filled in, EvolutionAPI's quick messages become one item, and the other executions end at Held Back", async () => {
		const jid = newJid();
		const runs = await Promise.all(['hi', 'I want', 'to book'].map((words) => run(delivery(jid, words), {})));
		const [item, ...more] = runs.flatMap(joined);
		expect(more).toEqual([]);
		expect(item).toMatchObject({
			text: 'hi\nI want\nto book', count: 3, because: 'quiet', redelivered: false, pushName: 'Ana',
			chat: { server: bench.simulator.url, instance: 'meta1', recipient: jid },
			firstAt: '2026-11-23T22:38:29.000Z', lastAt: '2026-11-23T22:38:29.000Z',
			messages: [{ text: 'hi', type: 'conversation', media: false, original: { key: { remoteJid: jid }, message: { conversation: 'hi' } } }, { text: 'I want' }, { text: 'to book' }],
		});
		expect(JSON.stringify(item)).not.toContain('instance-token');
		const winner = runs.find((one) => joined(one).length > 0) as WorkflowRun;
		expect(itemsAt(winner, 0)[0]?.pairedItem).toEqual({ item: 0 });
		expect(winner.nodesRun).toEqual(expect.arrayContaining(['Joined']));
		expect(winner.nodesRun).not.toContain('Held');
		const losers = runs.filter((one) => one !== winner);
		expect(losers.flatMap(held)).toMatchObject([{ reason: 'joinedLater', chat: { recipient: jid } }, { reason: 'joinedLater' }]);
		for (const one of losers) {
			expect(one.nodesRun).toContain('Held');
			expect(one.nodesRun).not.toContain('Joined');
		}
	});

	test('a repeated delivery, an own message, and another event go to Held Back, each with its reason', async () => {
		const jid = newJid();
		const once = delivery(jid, 'once');
		await run(once);
		const given = await run([once, delivery(jid, 'from my phone', { fromMe: true, id: 'OWN' }), delivery(jid, '', { body: { event: 'messages.update', data: { status: 'READ' } } })]);
		expect(joined(given)).toEqual([]);
		expect(itemsAt(given, 1)).toMatchObject([
			{ json: { reason: 'duplicate', chat: { recipient: jid } }, pairedItem: { item: 0 } },
			{ json: { reason: 'fromMe', messageId: 'OWN', chat: { recipient: jid } }, pairedItem: { item: 1 } },
			{ json: { reason: 'otherEvent', event: 'messages.update' }, pairedItem: { item: 2 } },
		]);
	});

	test('who tries the workflow out with the same message again is told why nothing comes, and only then', async () => {
		const once = delivery(newJid(), 'once');
		const hints = (given: WorkflowRun) => given.run.data.resultData.runData[NAME]?.[0]?.hints ?? [];
		expect(hints(await run(once, quick, { mode: 'manual' }))).toEqual([]);
		expect(hints(await run(once, quick, { mode: 'manual' }))).toMatchObject([{ message: expect.stringContaining('came before') as string }]);
		expect(hints(await run(once))).toEqual([]);
	});

	test('own messages are joined where they are not to be ignored', async () => {
		const given = await run(delivery(newJid(), 'mine', { fromMe: true }), { ...quick, options: { ignoreOwn: false } });
		expect(joined(given)).toMatchObject([{ text: 'mine', messages: [{ fromMe: true }] }]);
	});

	test('several items of one execution are joined by chat, each paired with its item', async () => {
		const [a, b] = [newJid(), newJid()];
		const given = await run([delivery(a, 'a1'), delivery(b, 'b1'), delivery(a, 'a2')]);
		expect(itemsAt(given, 0)).toMatchObject([{ json: { text: 'a1\na2' }, pairedItem: { item: 0 } }, { json: { text: 'b1' }, pairedItem: { item: 1 } }]);
		expect(itemsAt(given, 1)).toMatchObject([{ json: { reason: 'joinedLater' }, pairedItem: { item: 2 } }]);
	});

	test('a picture ends the collecting at once, and its caption is in the text', async () => {
		const jid = newJid();
		const patient = { quietSeconds: 30, longestSeconds: 60 };
		const first = run(delivery(jid, 'look'), patient);
		await sleep(200);
		const runs = [await run(delivery(jid, '', { data: picture }), patient), await first];
		expect(runs.flatMap(joined)).toMatchObject([{ text: 'look\nthis one', because: 'media', count: 2, messages: [{ media: false }, { type: 'imageMessage', media: true }] }]);
	});

	test('files of the messages are handed on by whichever execution makes the item', async () => {
		const jid = newJid();
		const patient = { quietSeconds: 30, longestSeconds: 60, mostMessages: 2 };
		const runs = await Promise.all(['one', 'two'].map((name) => run(delivery(jid, name), patient, { mode: 'manual', nodeTypes: { [BUFFER_TYPE]: built(), 'n8n-nodes-base.webhook': triggerWithFile(`${name}.txt`, `content of ${name}`) } })));
		const [item] = runs.flatMap((one) => itemsAt(one, 0));
		expect(item?.json).toMatchObject({ count: 2, messages: [{ text: 'one', files: ['data'] }, { text: 'two', files: ['data_2'] }] });
		expect(Object.entries(item?.binary ?? {}).map(([name, { data, fileName, mimeType }]) => [name, Buffer.from(data, 'base64').toString(), fileName, mimeType])).toEqual([['data', 'content of one', 'one.txt', 'text/plain'], ['data_2', 'content of two', 'two.txt', 'text/plain']]);
	});

	test('while a turn goes on the next item waits; End a Turn lets it come', async () => {
		const jid = newJid();
		const [item] = joined(await run(delivery(jid, 'first')));
		const next = run(delivery(jid, 'second'));
		const state = () => Promise.race([next.then(() => 'over'), sleep(1500).then(() => 'waits')]);
		expect(await state()).toBe('waits');
		const ended = await run({}, { operation: 'endTurn', turnId: item?.turnId });
		expect(itemsAt(ended, 0)).toMatchObject([{ json: { turnId: item?.turnId, ended: true }, pairedItem: { item: 0 } }]);
		expect(joined(await next)).toMatchObject([{ text: 'second' }]);
		expect(joined(await run({}, { operation: 'endTurn', turnId: item?.turnId }))).toEqual([{ turnId: item?.turnId, ended: false }]);
	});

	test('End a Turn behind the answer finds the turn by itself', async () => {
		const workflow = {
			nodes: [
				{ id: 'trigger', name: 'Trigger', type: 'n8n-nodes-base.webhook', typeVersion: 2, position: [0, 0], parameters: {} },
				{ id: 'buffer', name: NAME, type: BUFFER_TYPE, typeVersion: 1, position: [200, 0], parameters: quick },
				{ id: 'answer', name: 'Answer', type: 'n8n-nodes-base.set', typeVersion: 3.4, position: [400, 0], parameters: { fields: { answered: true } } },
				{ id: 'end', name: 'End', type: BUFFER_TYPE, typeVersion: 1, position: [600, 0], parameters: { operation: 'endTurn' } },
			],
			connections: { Trigger: to(NAME), [NAME]: to('Answer'), Answer: to('End') },
		};
		const given = await runWorkflow({ workflow, input: delivery(newJid(), 'hello'), nodeTypes: { [BUFFER_TYPE]: built() } });
		expect(outputOf(given, 0, 'End')).toEqual([{ turnId: outputOf(given, 0, NAME)[0]?.turnId, ended: true }]);
	});

	test('with turns that may overlap the next item does not wait', async () => {
		const jid = newJid();
		const free = { ...quick, options: { oneTurnAtATime: false } };
		expect(joined(await run(delivery(jid, 'first'), free))).toHaveLength(1);
		expect(joined(await run(delivery(jid, 'second'), free))).toMatchObject([{ text: 'second' }]);
	});
});

test('Stop while it collects ends it within a second; the messages are in the next item', async () => {
	const jid = newJid();
	let cancel = () => {};
	const running = run(delivery(jid, 'stopped'), { quietSeconds: 30, longestSeconds: 60 }, { onStart: (execution) => (cancel = execution.cancel) });
	await sleep(300);
	const since = performance.now();
	cancel();
	const given = await running;
	expect(performance.now() - since).toBeLessThan(1000);
	expect(given.status).toBe('canceled');
	expect(given.nodesRun).not.toContain('Joined');
	expect(joined(await run(delivery(jid, 'next')))).toMatchObject([{ text: 'stopped\nnext', redelivered: false }]);
});

describe('take over', () => {
	test('gives what a killed worker had handed out, marked, and once', async () => {
		const jid = newJid();
		const used = store.used({ node: { credentials: { orderedStoreApi: { id: '3', name: 'Store' } } } });
		expect(joined(await run({}, { operation: 'takeOver' }, used))).toEqual([]);
		await diesWithItem(jid);
		let found: WorkflowRun | undefined;
		for (let tries = 0; tries < 40 && !found; tries++) {
			const given = await run({}, { operation: 'takeOver' }, used);
			if (joined(given).length > 0) found = given;
			else await sleep(300);
		}
		expect(itemsAt(found as WorkflowRun, 0)).toMatchObject([{ json: { text: 'dear', because: 'left', redelivered: true, chat: { recipient: jid } }, pairedItem: { item: 0 } }]);
		expect(joined(await run({}, { operation: 'takeOver' }, used))).toEqual([]);
	}, 60_000);
});

describe('what can not be right', () => {
	test.each<[string, object, object, RegExp]>([
		['a quiet time below its limit', {}, { quietSeconds: 0.4 }, /^Quiet Time \(Seconds\): has to be a number of seconds from 0\.5 to 60/],
		['a quiet time above its limit', {}, { quietSeconds: 61, longestSeconds: 100 }, /^Quiet Time \(Seconds\): .* from 0\.5 to 60/],
		['a maximum wait above its limit', {}, { longestSeconds: 301 }, /^Maximum Wait \(Seconds\): .* from 0\.5 to 300/],
		['a maximum wait below the quiet time', {}, { quietSeconds: 10, longestSeconds: 5 }, /^Maximum Wait \(Seconds\): can't be less than Quiet Time \(10 seconds\)/],
		['a count of none', {}, { mostMessages: 0 }, /^Maximum Count: .* from 1 to 500/],
		['a count above its limit', {}, { mostMessages: 501 }, /^Maximum Count: .* from 1 to 500/],
		['half a message', {}, { mostMessages: 1.5 }, /^Maximum Count: has to be a whole number/],
		['a turn timeout above its limit', {}, { options: { turnTimeoutSeconds: 3601 } }, /^Turn Timeout \(Seconds\): .* from 1 to 3600/],
		['a text that is too long', { data: { message: { conversation: 'x'.repeat(65_537) } } }, {}, /^Text: is longer than the 65536 characters/],
		['a message that is too large', { data: { message: { conversation: 'x', base64: 'A'.repeat(16 * 2 ** 20) } } }, {}, /^Original Message: is larger than 16 MB .*Webhook Base64/],
		['no server address', { body: { server_url: '' } }, {}, /^Server Address: is empty: .*SERVER_URL/],
		['no chat address', { data: { key: { remoteJid: 'somebody', id: 'X' } } }, {}, /^Chat: "somebody" is not a phone number/],
		['no ID', { data: { key: { remoteJid: '5511988887777@s.whatsapp.net' } } }, {}, /^Message ID: is missing\. By default .*Webhook node/],
	])('%s is an error that names the field, and nothing is taken', async (_what, more, parameters, message) => {
		const given = await run(delivery(newJid(), 'x', more), { ...quick, ...parameters });
		expect(errorOf(given).message).toMatch(message);
		expect(errorOf(given).context.itemIndex).toBe(0);
	});

	test('an item that does not come from EvolutionAPI gets the error that says what to do', async () => {
		expect(errorOf(await run({ hello: 'world' })).message).toMatch(/^Server Address: is missing\. By default it is read from the item of n8n's Webhook node/);
	});

	test('End a Turn without its ID is an error that names the field', async () => {
		expect(errorOf(await run({}, { operation: 'endTurn', turnId: '={{ $json.nothing }}' })).message).toMatch(/^Turn ID: is empty/);
	});

	test('one bad item stops all before anything is taken', async () => {
		const jid = newJid();
		const good = delivery(jid, 'good');
		expect(errorOf(await run([good, delivery(jid, 'bad', { body: { server_url: '' } })])).context.itemIndex).toBe(1);
		expect(joined(await run(good))).toMatchObject([{ text: 'good', count: 1 }]);
	});

	test.each([['continueRegularOutput', 1], ['continueErrorOutput', 2]] as const)('with %s it is an item, never at Joined, and the other items go on', async (onError, output) => {
		const given = await run([delivery(newJid(), 'bad', { body: { server_url: '' } }), delivery(newJid(), 'good')], quick, { node: { onError } });
		expect(joined(given)).toMatchObject([{ text: 'good' }]);
		expect(itemsAt(given, output)).toMatchObject([{ pairedItem: { item: 0 } }]);
		expect(JSON.stringify(outputOf(given, output, NAME))).toContain('Server Address: is empty');
	});

	test('in queue mode without a store it refuses, and says what to set up', async () => {
		process.env.EXECUTIONS_MODE = 'queue';
		try {
			const error = errorOf(await run(delivery(newJid(), 'x')));
			expect(error.message).toMatch(/queue mode/);
			expect(error.description).toMatch(/Ordered Store API/);
		} finally {
			delete process.env.EXECUTIONS_MODE;
		}
	});
});

test('with a store several workers make one item', async () => {
	process.env.EXECUTIONS_MODE = 'queue';
	try {
		const used = store.used({ node: { credentials: { orderedStoreApi: { id: '3', name: 'Store' } } } });
		const jid = newJid();
		const runs = await Promise.all(['a', 'b'].map((words) => run(delivery(jid, words), quick, used)));
		expect(runs.flatMap(joined)).toMatchObject([{ count: 2, text: 'a\nb' }]);
	} finally {
		delete process.env.EXECUTIONS_MODE;
	}
});

describe('the panel', () => {
	const { description } = built();
	const all = (properties: INodeProperties[]): INodeProperties[] => properties.flatMap((one) => [one, ...(one.type === 'collection' ? all(one.options as INodeProperties[]) : [])]);

	test('has the labels that errors name', () => {
		const shown = all(description.properties).filter(({ name }) => name in bufferLabels);
		expect(new Set(shown.map(({ name }) => name))).toEqual(new Set(Object.keys(bufferLabels)));
		for (const { name, displayName } of shown) expect(displayName).toBe(bufferLabels[name]);
	});

	test('names both outputs, and says what happens to later messages', () => {
		expect(description).toMatchObject({ name: 'chatMessageBuffer', displayName: NAME, outputNames: ['Joined', 'Held Back'] });
		const notice = description.properties.find(({ name }) => name === 'turnNotice');
		expect(notice?.displayName).toMatch(/later messages of this chat wait until its turn ends.*End a Turn.*60 seconds/);
	});
});

/** The webhook trigger with a file beside each item. */
function triggerWithFile(fileName: string, content: string): INodeType {
	return {
		description: { displayName: 'webhook', name: 'webhook', group: ['trigger'], version: [1, 2], description: '', defaults: { name: 'webhook' }, inputs: [], outputs: ['main'], properties: [] },
		async execute() {
			return [this.getInputData().map((item) => ({ ...item, binary: { data: { data: Buffer.from(content).toString('base64'), mimeType: 'text/plain', fileName } } }))];
		},
	};
}

/** A worker of its own gives an item on the store, and is killed. */
async function diesWithItem(jid: string): Promise<void> {
	const task: ChildTask = { access: { store: store.access() as unknown as StoreAccess }, message: { chat: { server: bench.simulator.url, instance: 'meta1', recipient: jid }, message: { id: 'D1', text: 'dear', type: 'conversation', at: Date.now(), media: false, fromMe: false, original: {} } } };
	const child = spawn(process.execPath, ['--import', 'tsx', join(__dirname, '../ordering/buffer/child.ts'), JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'inherit'] });
	const gone = once(child, 'exit');
	child.stdout.once('data', () => child.kill('SIGKILL'));
	await gone;
}
