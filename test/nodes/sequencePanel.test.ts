// The panel of "Run a Sequence of Steps": what it shows when, how its fields are named, and what stands on the canvas.
import { NodeHelpers, type IDataObject, type IExecuteFunctions, type INodeParameters, type INodeProperties, type INodeType } from 'n8n-workflow';
import { OrderedEvolutionApiSend } from '../../nodes/OrderedEvolutionApiSend/OrderedEvolutionApiSend.node';
import { stepFields } from '../../nodes/OrderedEvolutionApiSend/runSequence/steps';
import { kinds } from '../../evolution/messages/message';
import { earlierMessagesLabels, stepLabels } from '../../ordering/sequence/labels';
import { builtNode, runWorkflow } from '../../scripts/engine/workflow';
import { NODE_TYPE, outputOf, sendWorkflow, useBench } from './bench';
import { allFields, entriesOf } from './fields';

useBench();

const { description } = new OrderedEvolutionApiSend();
const { properties } = description;

function field(name: string, among: INodeProperties[] = properties): INodeProperties {
	const found = among.find((one) => one.name === name);
	if (!found) throw new Error(`There is no field ${name}.`);
	return found;
}

/** The names of the fields that the panel shows, once each, in their order. */
function shown(fields: INodeProperties[], values: INodeParameters, root: INodeParameters = values): string[] {
	const full = NodeHelpers.getNodeParameters(fields, values, true, false, { typeVersion: 1 }, description, { nodeValuesRoot: root }) ?? {};
	return fields.filter((one) => NodeHelpers.displayParameter(full, one, { typeVersion: 1 }, description, root)).map(({ name }) => name);
}

describe('a step shows what concerns its type, each field once', () => {
	const file = ['mediaFrom', 'mediaUrl'];
	const end = ['waitFor', 'onError', 'more'];
	test.each<[string, INodeParameters, string[], string[]]>([
		['text', {}, ['text', ...end], ['linkPreview', 'mentionEveryone', 'quotedMessageId', 'typingMilliseconds']],
		['image', {}, [...file, 'caption', ...end], ['fileName', 'mentionEveryone', 'mimetype', 'quotedMessageId', 'typingMilliseconds']],
		['image', { mediaFrom: 'binary' }, ['mediaFrom', 'binaryProperty', 'caption', ...end], ['fileName', 'mentionEveryone', 'mimetype', 'quotedMessageId', 'typingMilliseconds']],
		['video', {}, [...file, 'caption', ...end], ['fileName', 'mentionEveryone', 'mimetype', 'quotedMessageId', 'typingMilliseconds']],
		['document', {}, [...file, 'fileName', 'caption', ...end], ['mentionEveryone', 'mimetype', 'quotedMessageId', 'typingMilliseconds']],
		['document', { mediaFrom: 'binary' }, ['mediaFrom', 'binaryProperty', 'fileName', 'caption', ...end], ['mentionEveryone', 'mimetype', 'quotedMessageId', 'typingMilliseconds']],
		['audio', {}, [...file, ...end], ['quotedMessageId', 'typingMilliseconds']],
		['sticker', {}, [...file, ...end], ['mentionEveryone', 'quotedMessageId', 'typingMilliseconds']],
		['location', {}, ['latitude', 'longitude', 'name', 'address', ...end], ['mentionEveryone', 'quotedMessageId', 'typingMilliseconds']],
		['contact', {}, ['contacts', ...end], ['quotedMessageId']],
		['poll', {}, ['question', 'options', 'selectableCount', ...end], ['mentionEveryone', 'quotedMessageId', 'typingMilliseconds']],
		['list', {}, ['title', 'description', 'footer', 'buttonText', 'sections', ...end], ['mentionEveryone', 'quotedMessageId', 'typingMilliseconds']],
		['buttons', {}, ['title', 'description', 'footer', 'buttons', ...end], ['mentionEveryone', 'quotedMessageId', 'typingMilliseconds']],
		['reaction', {}, ['emoji', 'messageId', 'fromMe', 'participant', 'waitFor', 'onError'], []],
		['reaction', { fromMe: true }, ['emoji', 'messageId', 'fromMe', 'waitFor', 'onError'], []],
		['template', {}, ['name', 'language', 'components', ...end], ['quotedMessageId']],
		['wait', {}, ['waitUntil', 'delaySeconds', 'onError'], []],
		['wait', { waitUntil: 'sent' }, ['waitUntil', 'ackNotice', 'ackTimeoutSeconds', 'ackTimeoutNotice', 'onError'], []],
		['webhook', {}, ['url', 'method', 'body', 'headers', 'onError'], []],
		['webhook', { method: 'GET' }, ['url', 'method', 'headers', 'onError'], []],
		['text', { waitFor: 'delay' }, ['text', 'waitFor', 'delaySeconds', 'onError', 'more'], ['linkPreview', 'mentionEveryone', 'quotedMessageId', 'typingMilliseconds']],
		['text', { waitFor: 'read' }, ['text', 'waitFor', 'readNotice', 'ackTimeoutSeconds', 'ackTimeoutNotice', 'onError', 'more'], ['linkPreview', 'mentionEveryone', 'quotedMessageId', 'typingMilliseconds']],
	])('%s %j', (type, values, expected, options) => {
		const step = { type, ...values };
		expect(shown(stepFields, step)).toEqual(['type', ...expected]);
		const more = stepFields.filter((one) => one.name === 'more' && NodeHelpers.displayParameter(step, one, { typeVersion: 1 }, description));
		expect(more.flatMap((one) => one.options as INodeProperties[]).map(({ name }) => name)).toEqual(options);
	});

	test('every kind of message can be chosen, and a text is the default', () => {
		const { options = [], default: first } = field('type', stepFields);
		expect((options as Array<{ value: string }>).map(({ value }) => value).sort()).toEqual([...kinds, 'wait', 'webhook'].sort());
		expect(first).toBe('text');
	});

	test.each<[string, INodeParameters, string[]]>([
		['reply', {}, ['type', 'text', 'id']],
		['url', {}, ['type', 'text', 'url']],
		['call', {}, ['type', 'text', 'phoneNumber']],
		['copy', {}, ['type', 'text', 'code']],
	])('a button of the type %s, too', (type, values, expected) => {
		expect(shown(entriesOf(field('buttons', stepFields)).flatMap(({ values: fields }) => fields), { type, ...values })).toEqual(expected);
	});
});

describe('the notice of TypeBot\'s 10 seconds', () => {
	const notices = (values: INodeParameters) => shown(stepFields, { type: 'text', ...values }).filter((name) => name === 'ackTimeoutNotice').length;

	test.each([[9.9, 0], [10, 1], [120, 1]])('with an ack timeout of %d s is shown %d times', (ackTimeoutSeconds, times) => {
		expect(notices({ waitFor: 'delivered', ackTimeoutSeconds })).toBe(times);
		expect(shown(properties, { operation: 'sendThenWebhook', waitFor: 'delivered', ackTimeoutSeconds }).filter((name) => name === 'ackTimeoutNotice')).toHaveLength(times);
	});

	test('is not shown where nothing is waited for', () => {
		expect(notices({ waitFor: 'accepted', ackTimeoutSeconds: 30 })).toBe(0);
		expect(shown(properties, { operation: 'sendThenWebhook', waitFor: 'delay', ackTimeoutSeconds: 30 })).not.toContain('ackTimeoutNotice');
	});
});

describe('an operation shows its own fields', () => {
	test.each<[INodeParameters, string[]]>([
		[{ operation: 'runSequence' }, ['credentials', 'operation', 'instanceName', 'number', 'stepsFrom', 'steps', 'webhookAuthentication', 'options']],
		[{ operation: 'runSequence', stepsFrom: 'json' }, ['credentials', 'operation', 'instanceName', 'number', 'stepsFrom', 'stepsJson', 'referencesInJsonNotice', 'webhookAuthentication', 'options']],
		[{ operation: 'sendThenWebhook' }, ['credentials', 'operation', 'instanceName', 'number', 'text', 'waitFor', 'callWebhook', 'webhookUrl', 'webhookMethod', 'webhookBody', 'webhookHeaders', 'webhookAuthentication', 'options']],
	])('%j', (values, expected) => {
		expect(shown(properties, values)).toEqual(expected);
	});

	test('and its own options', () => {
		const options = field('options').options as INodeProperties[];
		const of = (operation: string) => shown(options, {}, { operation });
		expect(of('sendThenWebhook').filter((name) => !of('runSequence').includes(name))).toEqual(['linkPreview', 'mentionEveryone', 'quotedMessageId', 'typingMilliseconds']);
		expect(of('runSequence').filter((name) => !of('sendThenWebhook').includes(name))).toEqual(['compensationWebhookUrl']);
	});

	test.each<[INodeParameters, string[]]>([
		[{}, ['since', 'until', 'quietSeconds', 'timeoutSeconds', 'onTimeout']],
		[{ until: 'count' }, ['since', 'until', 'count', 'timeoutSeconds', 'onTimeout']],
		[{ until: 'text' }, ['since', 'until', 'text', 'timeoutSeconds', 'onTimeout']],
	])('and After Earlier Messages what concerns its condition: %j', (values, expected) => {
		expect(shown(ruleFields(), values)).toEqual(expected);
	});
});

function ruleFields(): INodeProperties[] {
	return entriesOf(field('afterEarlierMessages', field('options').options as INodeProperties[])).flatMap(({ values }) => values);
}

describe('fields are named in errors as the panel names them', () => {
	/** What the panel has in a field of another name: see runSequence/panelSteps.ts. */
	const inputNames: Record<string, string> = { mediaUrl: 'media', waitUntil: 'waitFor' };
	/** What only the panel has. */
	const ofPanel = ['mediaFrom', 'more'];

	test('those of a step', () => {
		const named = allFields(stepFields).filter(({ name, type }) => type !== 'notice' && !ofPanel.includes(name));
		for (const { name, displayName } of named) expect([name, displayName]).toEqual([name, stepLabels[inputNames[name] ?? name]]);
		expect(new Set(named.map(({ name }) => inputNames[name] ?? name))).toEqual(new Set(Object.keys(stepLabels)));
	});

	test('those of After Earlier Messages', () => {
		expect(Object.fromEntries(ruleFields().map(({ name, displayName }) => [name, displayName]))).toEqual(earlierMessagesLabels);
	});
});

/** Evaluates an expression of the panel as the node with these parameters does. */
async function evaluate(expression: string, parameters: object, json: IDataObject = {}): Promise<unknown> {
	const evaluating: INodeType = {
		description: builtNode().description,
		async execute(this: IExecuteFunctions) {
			return [[{ json: { value: this.evaluateExpression(expression.slice(1), 0) as string }, pairedItem: { item: 0 } }]];
		},
	};
	return outputOf(await runWorkflow({ workflow: sendWorkflow({ text: undefined, ...parameters }), input: json, nodeTypes: { [NODE_TYPE]: evaluating } }))[0]?.value;
}

describe('the canvas says what the node does', () => {
	const steps = (...types: string[]) => ({ operation: 'runSequence', steps: { step: types.map((type) => ({ type, text: 'x', mediaUrl: 'https://a.test', url: 'https://a.test', latitude: '1', longitude: '1', name: 'x', address: 'x' })) } });
	test.each<[object, string]>([
		[steps('text', 'image', 'webhook'), '3 steps: text → image → …'],
		[steps('location'), '1 step: location'],
		[steps('text', 'text', 'wait', 'text', 'image', 'webhook'), '6 steps: text → text → …'],
		[{ operation: 'runSequence' }, '0 steps'],
		[{ operation: 'runSequence', stepsFrom: 'json' }, 'steps from JSON'],
		[{ text: 'x', webhookUrl: 'https://a.test' }, 'text → webhook'],
		[{ text: 'x', waitFor: 'delay', delaySeconds: 2, callWebhook: false }, 'text → 2 s'],
	])('%#: %j', async (parameters, expected) => {
		expect(await evaluate(builtNode().description.subtitle as string, parameters)).toBe(expected);
	});
});

describe('a step is headed by its type and what tells it from others', () => {
	const title = field('steps').typeOptions?.fixedCollection?.itemTitle as string;
	test.each([
		[{ type: 'text', text: 'Hello' }, 'Text: Hello'],
		[{ text: '' }, 'Text'],
		[{ type: 'wait', waitUntil: 'delay' }, 'Wait'],
		[{ type: 'poll', question: 'When?' }, 'Poll: When?'],
		[{ type: 'image', mediaUrl: 'https://a.test/menu.jpg' }, 'Image: https://a.test/menu.jpg'],
		[{ type: 'text', text: 'x'.repeat(41) }, `Text: ${'x'.repeat(40)}…`],
	])('%j', async (value, expected) => {
		// the editor gives the expression a step and its fields as $collection; here they come in the item
		const types = stepFields.filter(({ name }) => name === 'type');
		const input = { collection: { item: { value, properties: types } } } as unknown as IDataObject;
		expect(await evaluate(title.replaceAll('$collection', '$json.collection'), { operation: 'runSequence' }, input)).toBe(expected);
	});
});
