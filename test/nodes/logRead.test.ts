// Ordered Message Log: what is on record, shown, verified, drawn and deleted, in the real n8n engine.
import type { IBinaryData, IDataObject, INodeExecutionData } from 'n8n-workflow';
import type { WorkflowRun } from '../../scripts/engine/workflow';
import { decoded } from '../support/png';
import { builtLog, errorOf, LOG_NAME, outputOf, useBench } from './bench';
import { useStore } from './sharedStore';

const bench = useBench();
const store = useStore(bench);
let numbers = 0;
const newNumber = () => `55119${30_000_000 + ++numbers}`;
const meta1 = { __rl: true, mode: 'name', value: 'meta1' };

const logOutput = (run: WorkflowRun, output = 0) => outputOf(run, output, LOG_NAME);

/** Each way to keep the record: in this process, and in a store. */
const places: Array<[string, (more?: object) => object]> = [
	['embedded', (more = {}) => more],
	['in a shared store', (more = {}) => store.used(more)],
];

describe.each(places)('%s', (place, used) => {
	const send = async (number: string, transactionId: string, more: object = {}) => await bench.run({ number, options: { transactionId }, ...more }, used());
	const log = async (parameters: object, more: object = {}) => await bench.runLog(parameters, used(more));
	const only = (run: WorkflowRun): IDataObject => {
		const items = logOutput(run);
		expect(run.status).toBe('success');
		expect(items).toHaveLength(1);
		return items[0] as IDataObject;
	};

	test('get shows one transaction as the sending node did, with its times', async () => {
		const id = `get ${place}`;
		const sent = outputOf(await send(newNumber(), id))[0] as IDataObject;
		const got = only(await log({ operation: 'get', transactionId: ` ${id} ` }));
		expect(got).toEqual({ ...sent, createdAt: expect.stringMatching(/^20.*Z$/), endedAt: expect.stringMatching(/^20.*Z$/) });
		expect((got.steps as IDataObject[])[0]).not.toHaveProperty('text');
	});

	test('get shows a text only where it was to be stored, and never the webhook or its secrets', async () => {
		const id = `stored ${place}`;
		await send(newNumber(), id, { options: { transactionId: id, storeMessageText: true }, webhookUrl: `${bench.receiver.url}/private-path`, webhookHeaders: { header: [{ name: 'X-Key', value: 'header-secret' }] } });
		const got = only(await log({ operation: 'get', transactionId: id }));
		expect(got.steps).toMatchObject([{ type: 'send', text: 'Hello' }, { type: 'webhook' }]);
		expect(JSON.stringify(got)).not.toMatch(/private-path|header-secret/);
	});

	test('get of an ID that is not on record is an error, or an item with "continue"', async () => {
		const error = errorOf(await log({ operation: 'get', transactionId: 'nobody' }));
		expect(error.message).toMatch(/^Transaction ID: no transaction "nobody" is on record/);
		const run = await log({ operation: 'get', transactionId: 'nobody' }, { node: { onError: 'continueErrorOutput' } });
		expect(logOutput(run, 1)).toMatchObject([{ error: expect.stringContaining('nobody') as string, details: { error: { code: 'unknownTransaction' } } }]);
	});

	test('get many lists a chat, newest first, filtered and limited', async () => {
		const number = newNumber();
		for (const id of ['a', 'b', 'c', 'd']) await send(number, `${id} ${place}`, id === 'b' ? { webhookUrl: 'http://127.0.0.1:9/x', options: { transactionId: `b ${place}`, attempts: 1 } } : {});
		await send(newNumber(), `other chat ${place}`);
		const ids = async (parameters: object) => logOutput(await log({ operation: 'getAll', ...parameters })).map(({ transactionId }) => transactionId);
		const filters = { instanceName: meta1, number };
		expect(await ids({ returnAll: true, filters })).toEqual(['d', 'c', 'b', 'a'].map((id) => `${id} ${place}`));
		expect(await ids({ limit: 2, filters })).toEqual([`d ${place}`, `c ${place}`]);
		expect(await ids({ limit: 2, filters, options: { order: 'oldestFirst' } })).toEqual([`a ${place}`, `b ${place}`]);
		expect(await ids({ returnAll: true, filters: { ...filters, statuses: ['failed', 'open'] } })).toEqual([`b ${place}`]);
		expect(await ids({ returnAll: true, filters: { ...filters, createdBefore: '2020-01-01T00:00:00' } })).toEqual([]);
		expect(await ids({ returnAll: true })).toEqual([`other chat ${place}`, ...['d', 'c', 'b', 'a'].map((id) => `${id} ${place}`)]);
		expect(await ids({ returnAll: true, filters: { instanceName: { ...meta1, value: 'phone1' } } })).toEqual([]);
	});

	test('verify gives one item with its verdict first', async () => {
		const number = newNumber();
		for (const id of ['v1', 'v2']) await send(number, `${id} ${place}`);
		bench.simulator.control.addRows({ instance: 'meta1', messages: [{ key: { id: `PHONE ${place}`, remoteJid: `${number}@s.whatsapp.net`, fromMe: true } }] });
		const found = only(await log({ operation: 'verify', instanceName: meta1, number, to: new Date(Date.now() + 5000).toISOString() }));
		expect(Object.keys(found)[0]).toBe('verdict');
		expect(found).toMatchObject({ ok: true, counts: { sent: 2, onRecord: 2 }, inversions: [], missing: [], foreign: [{ messageId: `PHONE ${place}` }] });
	});

	test('timeline gives a picture that n8n can show, its SVG and a page: of a chat, and of one transaction', async () => {
		const number = newNumber();
		const id = `drawn <&> ${place}`;
		await send(number, id, { waitFor: 'delivered' });
		for (const parameters of [{ instanceName: meta1, number }, { timelineOf: 'transaction', transactionId: id }]) {
			const run = await log({ operation: 'timeline', ...parameters });
			expect(only(run)).toMatchObject({ transactions: 1, shown: 1, statuses: { completed: 1 }, waiting: { p50: expect.any(Number) as number } });
			const [item] = run.lastOutput[LOG_NAME]?.[0] as INodeExecutionData[];
			expect(Object.keys(item?.binary ?? {})).toEqual(['picture', 'timeline', 'page']);
			const { picture, timeline, page } = item?.binary as Record<string, IBinaryData>;
			expect(picture).toMatchObject({ mimeType: 'image/png', fileName: 'timeline.png', fileType: 'image', fileExtension: 'png' });
			expect(decoded(Buffer.from(picture?.data as string, 'base64')).width).toBe(1520);
			expect(timeline).toMatchObject({ mimeType: 'image/svg+xml', fileName: 'timeline.svg', fileType: 'image' });
			expect(page).toMatchObject({ mimeType: 'text/html', fileName: 'timeline.html' });
			const svg = Buffer.from(timeline?.data as string, 'base64').toString();
			expect(svg).toContain(id.replace('<&>', '&lt;&amp;&gt;').slice(0, 12));
			expect(svg).not.toContain('Hello');
			expect(Buffer.from(page?.data as string, 'base64').toString()).toContain(svg);
			expect(item?.pairedItem).toEqual({ item: 0 });
		}
	});

	test('delete old transactions forgets what has ended, and keeps what is held', async () => {
		const [ended, held] = [`ended ${place}`, `held ${place}`];
		await send(newNumber(), ended);
		bench.receiver.behave({ status: 400 }, { times: 1 });
		await send(newNumber(), held, { options: { transactionId: held, onFailure: 'hold' } });
		expect(only(await log({ operation: 'prune' }))).toMatchObject({ deleted: 0 });
		const { deleted, endedBefore } = only(await log({ operation: 'prune', olderThanDays: 0 }));
		expect([deleted, typeof endedBefore]).toEqual([1, 'string']);
		expect(errorOf(await log({ operation: 'get', transactionId: ended })).message).toMatch(/no transaction/);
		expect(only(await log({ operation: 'get', transactionId: held }))).toMatchObject({ status: 'failed' });
		await log({ operation: 'giveUp', transactionId: held });
	});
});

test.each<[string, object, RegExp]>([
	['a number without an instance', { operation: 'getAll', filters: { number: '5511988887777' } }, /^Instance: is missing/],
	['a limit that is too high', { operation: 'getAll', limit: 10_001 }, /^Limit: has to be a whole number from 1 to 10000/],
	['a time that is none', { operation: 'verify', instanceName: meta1, number: '5511988887777', from: 'yesterday' }, /^From: "yesterday" is no time/],
	['no number', { operation: 'timeline', instanceName: meta1, number: '={{ "" }}' }, /^Phone Number: is empty/],
	['a negative number of days', { operation: 'prune', olderThanDays: -1 }, /^Older Than \(Days\): has to be/],
	['an instance that does not exist', { operation: 'verify', instanceName: { ...meta1, value: 'nobody' }, number: '5511988887777' }, /^EvolutionAPI's record can't be read: /],
])('%s is an error that says so', async (_what, parameters, expected) => {
	const error = errorOf(await bench.runLog(parameters));
	expect(error.message).toMatch(expected);
	expect(error.context.itemIndex).toBe(0);
});

test('times without an offset are those of the workflow', async () => {
	await bench.run({ number: newNumber(), options: { transactionId: 'zoned' } });
	const local = (minutes: number) => new Date(Date.now() + minutes * 60_000 - 3 * 3_600_000).toISOString().slice(0, 19);
	const run = await bench.runLog({ operation: 'getAll', filters: { createdAfter: local(-1), createdBefore: local(1) } }, { settings: { timezone: 'America/Sao_Paulo' } });
	expect(logOutput(run).map(({ transactionId }) => transactionId)).toContain('zoned');
});

test('its operations stand in the order of their names, each with an action', () => {
	const operation = builtLog().description.properties.find(({ name }) => name === 'operation');
	const options = (operation?.options ?? []) as Array<{ name: string; action?: string; description?: string }>;
	expect(options.map(({ name }) => name)).toEqual(['Compensate a Transaction', 'Delete Old Transactions', 'Draw a Timeline', 'Get', 'Get Many', 'Give Up a Transaction', 'Recover Unfinished Transactions', 'Resume a Transaction', 'Verify the Order']);
	for (const { action, description } of options) expect([action, description]).toEqual([expect.stringMatching(/./), expect.stringMatching(/./)]);
});
