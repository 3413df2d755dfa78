// What "Run a Sequence of Steps" reads from its panel, in the real n8n engine: parameters and binary data in, steps out.
import 'reflect-metadata';
import { createRequire } from 'node:module';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { BinaryDataService } from 'n8n-core';
import type { IBinaryKeyData, IDataObject, IExecuteFunctions, INodeExecutionData, INodeType } from 'n8n-workflow';
import { builtNode, runWorkflow } from '../../scripts/engine/workflow';
import { errorOf, NODE_NAME, NODE_TYPE, outputOf, sendNode, to, useBench } from './bench';

useBench();

type Files = Record<string, { content?: Buffer; fileName?: string; mimeType?: string; binary?: IBinaryKeyData[string] }>;

const { readSequence } = createRequire(__filename)('../../dist/nodes/OrderedEvolutionApiSend/runSequence/read.js') as { readSequence: (this: IExecuteFunctions, i: number) => Promise<IDataObject> };

/** The node with its own panel, which gives what it has read instead of sending it. */
const reader = {
	description: builtNode().description,
	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const items: INodeExecutionData[] = [];
		for (let i = 0; i < this.getInputData().length; i++) items.push({ json: await readSequence.call(this, i), pairedItem: { item: i } });
		return [items];
	},
} satisfies INodeType;

/** Gives an item for each set of files, and keeps files as n8n does. */
const fileSource = (items: Files[]): INodeType => ({
	description: { ...reader.description, displayName: 'Files', name: 'files', properties: [], credentials: [] },
	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const given: INodeExecutionData[] = [];
		for (const files of items) {
			const binary: IBinaryKeyData = {};
			for (const [name, { content = Buffer.alloc(0), fileName, mimeType = 'text/plain', binary: as }] of Object.entries(files)) binary[name] = as ?? (await this.helpers.prepareBinaryData(content, fileName, mimeType));
			given.push({ json: { name: Object.keys(files)[0] ?? '' }, binary, pairedItem: { item: 0 } });
		}
		return [given];
	},
});

/** Trigger → files → the reader. */
async function run(parameters: object, files: Files[] = [{}]) {
	const nodes = [
		{ id: 'trigger', name: 'Trigger', type: 'n8n-nodes-base.webhook', typeVersion: 2, position: [0, 0], parameters: {} },
		{ id: 'files', name: 'Files', type: 'test.files', typeVersion: 1, position: [100, 0], parameters: {} },
		sendNode({ operation: 'runSequence', text: undefined, ...parameters }),
	];
	return await runWorkflow({ workflow: { nodes, connections: { Trigger: to('Files'), Files: to(NODE_NAME) } }, nodeTypes: { [NODE_TYPE]: reader, 'test.files': fileSource(files) } });
}

async function stepsOf(parameters: object, files?: Files[]): Promise<unknown> {
	const done = await run(parameters, files);
	const [output] = outputOf(done);
	if (!output) throw new Error(`The node gave no item: ${done.run.data.resultData.error?.message}`);
	return output.steps;
}

const panel = (...step: object[]) => ({ steps: { step } });
const json = (steps: unknown) => ({ stepsFrom: 'json', stepsJson: typeof steps === 'string' ? steps : JSON.stringify(steps) });
/** What every message has that was left as the panel gives it. */
const usual = { waitFor: 'accepted', onError: 'stop' };

describe('a step of the panel', () => {
	test.each<[string, object, object]>([
		['text', { text: 'Hello' }, { text: 'Hello', ...usual }],
		['text', { text: 'Hello', more: { linkPreview: false, mentionEveryone: true, quotedMessageId: 'Q1', typingMilliseconds: 1500 } }, { text: 'Hello', linkPreview: false, mentionEveryone: true, quotedMessageId: 'Q1', typingMilliseconds: 1500, ...usual }],
		['image', { mediaUrl: 'https://a.test/x.jpg', caption: 'Menu', more: { fileName: 'menu.jpg', mimetype: 'image/jpeg' } }, { media: 'https://a.test/x.jpg', caption: 'Menu', fileName: 'menu.jpg', mimetype: 'image/jpeg', ...usual }],
		['video', { mediaUrl: 'https://a.test/x.mp4' }, { media: 'https://a.test/x.mp4', ...usual }],
		['document', { mediaUrl: 'https://a.test/x.pdf', fileName: 'x.pdf', more: { mimetype: 'application/pdf' } }, { media: 'https://a.test/x.pdf', fileName: 'x.pdf', mimetype: 'application/pdf', ...usual }],
		['audio', { mediaUrl: 'https://a.test/x.mp3', more: { typingMilliseconds: 10 } }, { media: 'https://a.test/x.mp3', typingMilliseconds: 10, ...usual }],
		['sticker', { mediaUrl: 'https://a.test/x.webp' }, { media: 'https://a.test/x.webp', ...usual }],
		['location', { latitude: '-23.5', longitude: '-46.6', name: 'Shop', address: 'Street 1' }, { latitude: '-23.5', longitude: '-46.6', name: 'Shop', address: 'Street 1', ...usual }],
		[
			'contact',
			{ contacts: { contact: [{ fullName: 'Ana', phoneNumber: '+5511988887777' }, { fullName: 'Rui', phoneNumber: '1', organization: 'Shop', email: 'rui@a.test', url: 'https://a.test' }] } },
			{ contacts: [{ fullName: 'Ana', phoneNumber: '+5511988887777' }, { fullName: 'Rui', phoneNumber: '1', organization: 'Shop', email: 'rui@a.test', url: 'https://a.test' }], ...usual },
		],
		['poll', { question: 'When?', options: ' Today \n\nTomorrow\r\n' }, { question: 'When?', options: ['Today', 'Tomorrow'], selectableCount: 1, ...usual }],
		[
			'list',
			{ title: 'Menu', description: 'Pick', footer: 'Tax in', buttonText: 'See', sections: { section: [{ title: 'Pizza', rows: { row: [{ title: 'Margherita' }, { title: 'Funghi', description: 'Mushrooms', id: 'p2' }] } }, { title: 'Drinks', rows: { row: [{ title: 'Water' }] } }] } },
			{ title: 'Menu', description: 'Pick', footer: 'Tax in', buttonText: 'See', sections: [{ title: 'Pizza', rows: [{ title: 'Margherita' }, { title: 'Funghi', description: 'Mushrooms', id: 'p2' }] }, { title: 'Drinks', rows: [{ title: 'Water' }] }], ...usual },
		],
		[
			'buttons',
			{ title: 'Right?', buttons: { button: [{ text: 'Yes', id: 'y' }, { type: 'url', text: 'See', url: 'https://a.test' }, { type: 'call', text: 'Call', phoneNumber: '123' }, { type: 'copy', text: 'Copy', code: 'X1', url: 'left over' }] } },
			{ title: 'Right?', buttons: [{ type: 'reply', text: 'Yes', id: 'y' }, { type: 'url', text: 'See', url: 'https://a.test' }, { type: 'call', text: 'Call', phoneNumber: '123' }, { type: 'copy', text: 'Copy', code: 'X1' }], ...usual },
		],
		['reaction', { emoji: '👍', messageId: '[[1.messageId]]', fromMe: true }, { emoji: '👍', messageId: '[[1.messageId]]', fromMe: true, ...usual }],
		['reaction', { emoji: '👍', messageId: 'M', participant: '5511@s.whatsapp.net' }, { emoji: '👍', messageId: 'M', fromMe: false, participant: '5511@s.whatsapp.net', ...usual }],
		['template', { name: 'confirmed', language: 'pt_BR', components: '[{"type": "body"}]', more: { quotedMessageId: 'Q' } }, { name: 'confirmed', language: 'pt_BR', components: '[{"type": "body"}]', quotedMessageId: 'Q', ...usual }],
		['wait', {}, { waitFor: 'delay', delaySeconds: 1, onError: 'stop' }],
		['wait', { waitUntil: 'read', ackTimeoutSeconds: 5, onError: 'continue' }, { waitFor: 'read', ackTimeoutSeconds: 5, onError: 'continue' }],
		['webhook', { url: 'https://a.test/x', body: '{"id": "[[1.messageId]]"}', headers: { header: [{ name: 'X-A', value: '1' }] }, onError: 'compensate' }, { url: 'https://a.test/x', method: 'POST', body: '{"id": "[[1.messageId]]"}', headers: [{ name: 'X-A', value: '1' }], onError: 'compensate' }],
		['webhook', { url: 'https://a.test/x', method: 'GET', body: 'left over' }, { url: 'https://a.test/x', method: 'GET', headers: [], onError: 'stop' }],
		['text', { text: 'Hello', waitFor: 'delay', delaySeconds: 2 }, { text: 'Hello', waitFor: 'delay', delaySeconds: 2, onError: 'stop' }],
		['text', { text: 'Hello', waitFor: 'delivered' }, { text: 'Hello', waitFor: 'delivered', ackTimeoutSeconds: 30, onError: 'stop' }],
	])('of the type %s is flat, and has nothing that is empty or hidden: %j', async (type, given, expected) => {
		expect(await stepsOf(panel({ type, ...given }))).toEqual([{ type, ...expected }]);
	});

	test('that was changed to another type keeps nothing of the one before', async () => {
		const before = { question: 'When?', mediaFrom: 'binary', binaryProperty: 'data', waitFor: 'delivered', ackTimeoutSeconds: 9, waitUntil: 'read', url: 'https://a.test', more: { fileName: 'x.jpg', mimetype: 'image/jpeg' } };
		expect(await stepsOf(panel({ type: 'text', text: 'Hello', ...before, waitFor: 'accepted' }, { type: 'wait', text: 'Hello', ...before, waitUntil: 'delay', waitFor: 'delivered' }))).toEqual([
			{ type: 'text', text: 'Hello', ...usual },
			{ type: 'wait', waitFor: 'delay', delaySeconds: 1, onError: 'stop' },
		]);
	});

	test('keeps its place among the others', async () => {
		const steps = (await stepsOf(panel({ text: 'one' }, { type: 'wait' }, { text: 'three' }))) as Array<{ type: string }>;
		expect(steps.map(({ type }) => type)).toEqual(['text', 'wait', 'text']);
	});

	test("has n8n's expressions filled in, and references to earlier steps as they are", async () => {
		expect(await stepsOf(panel({ text: '={{ $json.name }}: [[1.messageId]]' }, { type: 'poll', question: '?', options: '={{ ["a", "b c"] }}' }), [{ photo: {} }])).toEqual([
			{ type: 'text', text: 'photo: [[1.messageId]]', ...usual },
			{ type: 'poll', question: '?', options: ['a', 'b c'], selectableCount: 1, ...usual },
		]);
	});

	test('is missing where none was added', async () => {
		expect(await stepsOf({})).toEqual([]);
		expect(await stepsOf({ steps: {} })).toEqual([]);
	});
});

describe('steps in JSON', () => {
	const steps = [{ type: 'text', text: 'Hello', empty: '' }, { type: 'unknown' }];

	test('are given as they are, typed or from an expression', async () => {
		expect(await stepsOf(json(steps))).toEqual(steps);
		expect(await stepsOf(json(`={{ ${JSON.stringify(steps)} }}`))).toEqual(steps);
		expect(await stepsOf(json('={{ JSON.stringify([{ type: $json.name }]) }}'), [{ photo: {} }])).toEqual([{ type: 'photo' }]);
	});

	test.each(['[{"type": "text",]', 'hello', '  '])('that are no JSON are passed on for the check to tell of: %j', async (text) => {
		expect(await stepsOf(json(text))).toBe(text);
	});

	test('can have options beside them, which go before those of the panel', async () => {
		const given = { ...json({ steps, options: { priority: 'high', afterEarlierMessages: { until: 'count' } } }), options: { priority: 'low', attempts: 5, afterEarlierMessages: { rule: { until: 'text' } } } };
		expect(outputOf(await run(given))).toMatchObject([{ steps, options: { priority: 'high', attempts: 5, afterEarlierMessages: { until: 'count' } } }]);
		expect(outputOf(await run(json({ steps })))).toMatchObject([{ steps, options: {} }]);
		expect(await stepsOf(json({ type: 'text', text: 'no list' }))).toEqual({ type: 'text', text: 'no list' });
	});

	test.each<[object, RegExp]>([
		[{ steps, option: {} }, /^Steps \(JSON\): there is no field "option" beside "steps" and "options"$/],
		[{ steps, options: [] }, /^Steps \(JSON\), options: have to be an object/],
		[{ steps, options: 'high' }, /^Steps \(JSON\), options: have to be an object/],
		[{ steps, options: null }, /^Steps \(JSON\), options: have to be an object/],
		[{ steps, options: { transactionID: 'x' } }, /^Steps \(JSON\), options: there is no option "transactionID"\. Known are: transactionId, /],
	])('with a name or a value that they can not have are refused: %j', async (given, message) => {
		expect((await run(json(given))).run.data.resultData.error?.message).toMatch(message);
	});

	test('are used instead of those in the panel, and not together with them', async () => {
		expect(await stepsOf({ ...panel({ text: 'panel' }), ...json(steps) })).toEqual(steps);
		expect(await stepsOf({ ...json(steps), ...panel({ text: 'panel' }), stepsFrom: 'panel' })).toEqual([{ type: 'text', text: 'panel', ...usual }]);
	});
});

describe('binary data', () => {
	const content = Buffer.from([0xff, 0xd8, 0xff, 0x00, 0x80]);
	const media = content.toString('base64');
	const photo = { content, fileName: 'menu.jpg', mimeType: 'image/jpeg' };
	const image = (more: object = {}) => panel({ type: 'image', mediaFrom: 'binary', ...more });

	test('becomes base64, with its name and type', async () => {
		expect(await stepsOf(image({ caption: 'Menu' }), [{ data: photo }])).toEqual([{ type: 'image', media, fileName: 'menu.jpg', mimetype: 'image/jpeg', caption: 'Menu', ...usual }]);
	});

	test.each(['document', 'video'])('becomes a %s with its name and type', async (type) => {
		expect(await stepsOf(panel({ type, mediaFrom: 'binary' }), [{ data: photo }])).toEqual([{ type, media, fileName: 'menu.jpg', mimetype: 'image/jpeg', ...usual }]);
	});

	test.each(['audio', 'sticker'])('becomes %s without name and type, which those have not', async (type) => {
		expect(await stepsOf(panel({ type, mediaFrom: 'binary' }), [{ data: photo }])).toEqual([{ type, media, ...usual }]);
	});

	test("gives way to the user's own name and type", async () => {
		expect(await stepsOf(image({ more: { fileName: 'own.png', mimetype: 'image/png' } }), [{ data: photo }])).toEqual([{ type: 'image', media, fileName: 'own.png', mimetype: 'image/png', ...usual }]);
	});

	test('without a name gives none', async () => {
		expect(await stepsOf(image(), [{ data: { content, mimeType: 'image/jpeg' } }])).toEqual([{ type: 'image', media, mimetype: 'image/jpeg', ...usual }]);
	});

	test('is found by the name that an expression gives', async () => {
		for (const binaryProperty of [' photo ', '={{ $json.name }}']) expect(await stepsOf(image({ binaryProperty }), [{ photo }])).toMatchObject([{ media }]);
	});

	test('is that of each item', async () => {
		const other = Buffer.from('other');
		const items = outputOf(await run(image(), [{ data: photo }, { data: { content: other, fileName: 'b.png', mimeType: 'image/png' } }]));
		expect(items.map(({ steps }) => steps)).toMatchObject([[{ media, fileName: 'menu.jpg' }], [{ media: other.toString('base64'), fileName: 'b.png' }]]);
	});

	test('is named in JSON steps, too', async () => {
		const steps = [{ type: 'text', text: 'Hello' }, { type: 'document', binaryProperty: 'data', fileName: 'own.pdf' }];
		expect(await stepsOf(json(steps), [{ data: photo }])).toEqual([steps[0], { type: 'document', media, fileName: 'own.pdf', mimetype: 'image/jpeg' }]);
	});

	test('of a step that takes no file, or is no step, is left for the check to tell of', async () => {
		const steps = [{ type: 'text', binaryProperty: 'data' }, 'text', null, ['image']];
		expect(await stepsOf(json(steps), [{ data: photo }])).toEqual(steps);
	});

	const big = (bytes: number | undefined, id?: string) => ({ data: { binary: { data: 'AAAA', mimeType: 'video/mp4', bytes, id } } });
	test.each<[string, object, Files, string]>([
		['is missing, where the item has none', image(), {}, 'Step 1 (image), Binary Property: the input item has no binary data "data", and none at all: the node before has to give the file'],
		['is missing, where the item has others', panel({ text: 'x' }, { type: 'video', mediaFrom: 'binary', binaryProperty: 'vid' }), { data: photo, other: photo }, 'Step 2 (video), Binary Property: the input item has no binary data "vid", but "data", "other"'],
		['is missing in JSON steps', json([{ type: 'audio', binaryProperty: 'voice' }]), { data: photo }, 'Step 1 (audio), Binary Property: the input item has no binary data "voice", but "data"'],
		['has no name', image({ binaryProperty: '={{ " " }}' }), { data: photo }, 'Step 1 (image), Binary Property: is empty: enter the name of the field with the file, such as data'],
		['has a name that is nothing', image({ binaryProperty: '={{ $json.nothing }}' }), { data: photo }, 'Step 1 (image), Binary Property: is empty: enter the name of the field with the file, such as data'],
		['has a name that is no name', json([{ type: 'image', binaryProperty: 5 }]), { data: photo }, 'Step 1 (image), Binary Property: the input item has no binary data of that name, but "data"'],
		['stands beside media', json([{ type: 'image', binaryProperty: 'data', media: 'https://a.test' }]), { data: photo }, 'Step 1 (image), Binary Property: is given together with media: leave one of the two out'],
		['is empty', image(), { data: { content: Buffer.alloc(0), mimeType: 'image/jpeg' } }, 'Step 1 (image), Binary Property: the file is empty'],
		['is too large', image(), big(100 * 1024 * 1024 + 1), 'Step 1 (image), Binary Property: the file has 101 MB, more than the 100 MB that EvolutionAPI takes in one request: put it on a web server, and use its URL'],
	])('that %s is one error that names step and field', async (_what, parameters, files, message) => {
		const error = errorOf(await run(parameters, [files]));
		expect(error).toMatchObject({ name: 'InvalidInputError', message, failure: { code: 'invalidInput', field: 'binaryProperty' } });
	});

	test('of 100 MB, as its item says, is taken', async () => {
		expect(await stepsOf(image(), [big(100 * 1024 * 1024)])).toMatchObject([{ media: 'AAAA' }]);
	});

	test('of several steps that is too large together is refused before the last of it is loaded', async () => {
		const half = { content: Buffer.alloc(60 * 1024 * 1024), mimeType: 'video/mp4' };
		const video = { type: 'video', mediaFrom: 'binary' };
		expect(errorOf(await run(panel(video, { ...video, binaryProperty: 'more' }), [{ data: half, more: half }])).message).toBe('Step 2 (video), Binary Property: with this file, the steps bring more than 100 MB together: put files on a web server, and use their URLs');
	});

	describe('that n8n has stored in a file', () => {
		let folder: string;
		let service: BinaryDataService;
		beforeAll(async () => {
			const { Container } = createRequire(require.resolve('n8n-core'))('@n8n/di') as { Container: { get(type: unknown): BinaryDataService } };
			service = Container.get(BinaryDataService);
			folder = join(process.env.N8N_USER_FOLDER as string, 'files');
			Object.assign((service as unknown as { config: object }).config, { mode: 'filesystem', localStoragePath: folder });
			await service.init();
		});
		afterAll(() => {
			Object.assign(service, { managers: {} });
			rmSync(folder, { recursive: true, force: true });
		});

		/** Stores it, and gives what an item holds of it then. */
		const stored = async (bytes: Buffer) => await service.store({ type: 'execution', workflowId: 'w', executionId: '1' }, bytes, { data: '', mimeType: 'image/jpeg', fileName: 'stored.jpg' });

		test('is read from there', async () => {
			expect(await stepsOf(image(), [{ data: photo }])).toMatchObject([{ media, fileName: 'menu.jpg', mimetype: 'image/jpeg' }]);
			expect(readdirSync(folder).length).toBeGreaterThan(0);
		});

		test('may be what an expression gives, instead of its name', async () => {
			expect(await stepsOf(image({ binaryProperty: '={{ $binary.photo }}' }), [{ photo }])).toMatchObject([{ media, fileName: 'menu.jpg' }]);
		});

		test('and that is too large is refused by what its metadata tell, where the item does not', async () => {
			const file = { ...(await stored(Buffer.alloc(100 * 1024 * 1024 + 1))), bytes: undefined };
			const loads = jest.spyOn(service, 'getAsBuffer');
			const error = errorOf(await run(image(), [{ data: { binary: file } }]));
			expect(error.message).toMatch(/^Step 1 \(image\), Binary Property: the file has 101 MB/);
			expect(loads).not.toHaveBeenCalled();
			loads.mockRestore();
		});

		test('and that is gone is one error that names step and field', async () => {
			const file = await stored(content);
			rmSync(folder, { recursive: true, force: true });
			expect(errorOf(await run(image(), [{ data: { binary: file } }]))).toMatchObject({ name: 'InvalidInputError', message: expect.stringMatching(/^Step 1 \(image\), Binary Property: n8n can't read the file: /) as string });
		});
	});
});

describe('recipient and options', () => {
	const inputOf = async (parameters: object) => outputOf(await run({ ...panel({ text: 'x' }), ...parameters }))[0];

	test('are read as those of the other operation', async () => {
		expect(await inputOf({ options: { attempts: 5, orderKey: '17-A', minimumGapSeconds: 2, instanceGapSeconds: 4, compensationWebhookUrl: 'https://a.test' } })).toMatchObject({
			instanceName: 'meta1',
			number: '5511988887777',
			options: { attempts: 5, orderKey: '17-A', minimumGapSeconds: 2, instanceGapSeconds: 4, compensationWebhookUrl: 'https://a.test' },
		});
	});

	test('have nothing that was not chosen', async () => {
		expect(await inputOf({})).toMatchObject({ options: {} });
	});

	test.each<[object, object]>([
		[{ rule: { since: '={{ 1764000000.5 }}' } }, { since: 1764000000.5, until: 'quietTime', quietSeconds: 4, timeoutSeconds: 20, onTimeout: 'stop' }],
		[{ rule: { since: 'x', until: 'count', count: 3, text: 'left over' } }, { since: 'x', until: 'count', count: 3, timeoutSeconds: 20, onTimeout: 'stop' }],
		[{ rule: { since: 'x', until: 'text', text: 'Bye', onTimeout: 'continue', timeoutSeconds: 5 } }, { since: 'x', until: 'text', text: 'Bye', timeoutSeconds: 5, onTimeout: 'continue' }],
	])('give the rule of After Earlier Messages as an object: %j', async (afterEarlierMessages, expected) => {
		const { options } = (await inputOf({ options: { afterEarlierMessages } })) as { options: { afterEarlierMessages: object } };
		expect(options.afterEarlierMessages).toEqual(expected);
	});

	test('tell of a rule that was added and left empty, since it must not be skipped silently', async () => {
		expect(await inputOf({ options: { afterEarlierMessages: {} } })).toMatchObject({ options: { afterEarlierMessages: {} } });
	});
});
