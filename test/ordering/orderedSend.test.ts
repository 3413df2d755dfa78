// What a caller asks for: every field's limits, the defaults of the public contract, and the content of a call.
import { EvolutionServerApi } from '../../credentials/EvolutionServerApi.credentials';
import { OrderedEvolutionApiSend } from '../../nodes/OrderedEvolutionApiSend/OrderedEvolutionApiSend.node';
import { InvalidInputError } from '../../ordering/errors';
import { contentOf, differingPart, hashContent, keyedHash } from '../../ordering/content';
import { labels, toOrderedSend, type WebhookSecrets } from '../../ordering/orderedSend';
import { thrownIn } from '../evolution/helpers';
import { displayNames } from './displayNames';

const access = { baseUrl: 'https://evolution.test/', apiKey: 'top-secret' };
const minimal = { instanceName: 'meta1', number: '+55 11 98888-7777', text: 'Hello', webhookUrl: 'https://hook.test/x' };

function send(more: Record<string, unknown> = {}, secrets: Partial<WebhookSecrets> = {}) {
	return toOrderedSend(access, { ...minimal, ...more }, secrets);
}

function withOptions(options: Record<string, unknown>) {
	return send({ options });
}

test('a call with nothing but what is needed gets the defaults of the public contract', () => {
	expect(send()).toEqual({
		access,
		chat: { server: 'https://evolution.test', instance: 'meta1', recipient: '5511988887777@s.whatsapp.net' },
		recipient: { jid: '5511988887777@s.whatsapp.net', number: '5511988887777', kind: 'person' },
		transactionId: undefined,
		onInDoubt: 'stop',
		priority: 'normal',
		queueTimeoutMs: 120_000,
		webhookSecrets: { headers: [], signingSecret: undefined },
		webhookHeaders: {},
		files: {},
		definition: {
			number: '5511988887777',
			plan: [
				{ type: 'send', message: { kind: 'text', text: 'Hello' }, onError: 'stop' },
				{ type: 'webhook', url: 'https://hook.test/x', method: 'POST', needs: 'nothing', onError: 'stop' },
			],
			attempts: 3,
			requestTimeoutMs: 30_000,
			onFailure: 'release',
			storeMessageText: false,
		},
	});
});

test('a call with everything keeps everything', () => {
	const since = Date.now() - 5000;
	const all = send(
		{
			instanceName: ' my instance ',
			waitFor: 'delivered',
			delaySeconds: '0.5',
			ackTimeoutSeconds: 0.5,
			onAckTimeout: 'continue',
			webhookUrl: ' https://hook.test/x?y=1 ',
			webhookMethod: 'PUT',
			webhookBody: '{"a": 1}',
			webhookHeaders: [{ name: ' X-Source ', value: 5 }],
			options: {
				transactionId: ' t-1 ', onInDoubt: 'sendAgain', priority: 'high', queueTimeoutSeconds: 1.5, attempts: '5', requestTimeoutSeconds: 2.25, typingMilliseconds: 100,
				quotedMessageId: 'Q', linkPreview: false, mentionEveryone: true, errorCallbackUrl: 'http://callback.test', storeMessageText: true, sequenceNumber: '42', sequenceGapSeconds: 2.5, onFailure: 'hold',
				minimumGapSeconds: 6, instanceGapSeconds: '1.5', orderKey: '1732460000-3EB0', afterEarlierMessages: { until: 'count', count: 2, since: new Date(since).toISOString() },
			},
		},
		{ headers: [{ name: 'Authorization', value: 'Bearer secret' }], signingSecret: 'whsec_c2VjcmV0' },
	);
	expect(all).toMatchObject({ transactionId: 't-1', onInDoubt: 'sendAgain', priority: 'high', queueTimeoutMs: 1500, orderKey: 1_732_460_000, chat: { instance: 'my instance' } });
	expect(all.webhookSecrets).toEqual({ headers: [{ name: 'Authorization', value: 'Bearer secret' }], signingSecret: 'whsec_c2VjcmV0' });
	expect(all.webhookHeaders).toEqual({ 0: [{ name: 'X-Source', value: '5' }] });
	expect(all.definition).toEqual({
		number: '5511988887777',
		plan: [
			{ type: 'wait', until: 'earlierMessages', earlier: { by: { count: 2 }, since }, timeoutMs: 20_000, onTimeout: 'stop', onError: 'stop' },
			{ type: 'send', message: { kind: 'text', text: 'Hello', typingMilliseconds: 100, quotedMessageId: 'Q', linkPreview: false, mentionEveryone: true }, onError: 'stop' },
			{ type: 'wait', until: 'delivered', timeoutMs: 500, onTimeout: 'continue', onError: 'stop' },
			{ type: 'webhook', url: 'https://hook.test/x?y=1', method: 'PUT', body: '{"a": 1}', needs: 'headers', onError: 'stop' },
		],
		attempts: 5, requestTimeoutMs: 2250, minimumGapMs: 6000, instanceGapMs: 1500, errorCallbackUrl: 'http://callback.test', storeMessageText: true, sequence: { number: 42, gapMs: 2500 }, onFailure: 'hold',
	});
});

const notIn = (...values: unknown[]) => values;
const badTimes = notIn(-1, -0.001, Number.NaN, Number.POSITIVE_INFINITY, 1e12, '', '  ', 'soon', null, true, [], {}, '5s');
const badInputs: Array<{ field: string; values: unknown[]; input?: (value: unknown) => Record<string, unknown>; message?: RegExp }> = [
	{ field: 'instanceName', values: ['', '   ', undefined, null, 5, {}, '.', '..', ' .. ', 'a\nb', 'a\0b', 'a\u009fb', 'x'.repeat(256)] },
	{ field: 'number', values: ['', undefined, null, 'abc', '123', '1'.repeat(16), 'x@gmail.com', {}, [], true] },
	{ field: 'text', values: ['', '  \n ', undefined, null, {}, [], true, 'a\0b', 'x'.repeat(65_537)] },
	{ field: 'text', values: ['cut 👋'.slice(0, -1), '\udc4b starts in the middle'], message: /^Text: .*surrogate/ },
	{ field: 'waitFor', values: ['', 'played', 'Accepted', null, 5], message: /has to be one of: accepted, delay, sent, delivered, read$/ },
	{ field: 'delaySeconds', values: [...badTimes, 86_401] },
	{ field: 'ackTimeoutSeconds', values: [...badTimes, 0, 0.4, 86_401] },
	{ field: 'onAckTimeout', values: ['', 'skip', null, true] },
	{ field: 'callWebhook', values: ['true', 1, null] },
	{ field: 'webhookUrl', values: ['', '  ', undefined, null, 5, 'hook.test', '/path', 'ftp://hook.test', 'file:///etc/passwd', 'javascript:alert(1)', 'data:text/plain,x', 'http://', 'https:hook.test', 'http://a b'] },
	{ field: 'webhookMethod', values: ['', 'post', 'HEAD', 'CONNECT', null] },
	{ field: 'webhookBody', values: ['{', "{'a': 1}", 'undefined', '{"a": }', 'hello'], message: /^Webhook Body \(JSON\): is not valid JSON/ },
	{ field: 'webhookHeaders', values: ['x', {}, null, [{ name: 'a' }], [{ value: 'a' }], [{}], [5]] },
	{
		field: 'webhookHeaders',
		values: ['', ' ', 'a b', 'a:b', 'a\r\nb', 'ä', 'a(b)', 'webhook-id', 'Webhook-Timestamp', 'WEBHOOK-SIGNATURE', 'idempotency-key', 'Content-Length', 'Host', 'transfer-encoding', 'Connection', 'content-type'],
		input: (name) => ({ webhookHeaders: [{ name: 'X-Good', value: 'y' }, { name, value: 'x' }] }),
		message: /^Webhook Headers: header 2 /,
	},
	{ field: 'webhookHeaders', values: ['a\r\nX-Injected: 1', 'a\nb', 'a\0b', '👋', 'ł', {}, null], input: (value) => ({ webhookHeaders: [{ name: 'X-A', value }] }), message: /^Webhook Headers: header 1 / },
	...([
		['transactionId', ['   ', 'x'.repeat(256), 'a\nb', 'a\0', 'a\ud800', {}, true]],
		['onInDoubt', ['', 'maybe', null]],
		['priority', ['', 'urgent', 5, null]],
		['minimumGapSeconds', [...badTimes, 3601]],
		['instanceGapSeconds', [...badTimes, 3601]],
		['orderKey', ['', 'abc', -1, 1.5e300, '1234567890123456', null, {}]],
		['queueTimeoutSeconds', [...badTimes, 0, 0.49, 86_401]],
		['sequenceNumber', ['', null, undefined, 0, -1, 1.5, 'many', Number.NaN, 2 ** 53, true, {}]],
		['sequenceGapSeconds', [...badTimes, 86_401]],
		['onFailure', ['', 'keep', null, true]],
		['attempts', [0, -1, 1.5, 11, '', 'many', null, Number.NaN]],
		['requestTimeoutSeconds', [...badTimes, 0, 0.49, 601]],
		['typingMilliseconds', [-1, 0.5, 60_001, '', 'x', null]],
		['quotedMessageId', ['x'.repeat(513), 5, {}]],
		['linkPreview', ['', 'yes', 0, null]],
		['mentionEveryone', ['', 'yes', 0, null]],
		['errorCallbackUrl', ['callback.test', 'ftp://x', 5, 'javascript:alert(1)']],
		['storeMessageText', ['', 'yes', 0, null]],
		['afterEarlierMessages', ['x', 5, null, [], {}, { since: 'soon' }, { since: '' }, { since: 0 }, { since: Date.now() - 2 * 86_400_000 }, ...[{ until: 'never' }, { until: 'text' }, { count: 0 }, { count: 1.5 }, { quietSeconds: 61 }, { timeoutSeconds: 0 }, { onTimeout: 'compensate' }].map((one) => ({ since: Date.now(), ...one }))]],
	] as Array<[string, unknown[]]>).map(([field, values]) => ({ field, values, input: (value: unknown) => ({ options: { [field]: value } }) })),
];

describe('bad input is one error that names the field', () => {
	const cases = badInputs.flatMap(({ field, values, input, message }) => values.map((value) => ({ field, value, shown: String(JSON.stringify(value) ?? value).slice(0, 40), input: input ?? ((one: unknown) => ({ [field]: one })), message })));
	test.each(cases)('$field: $shown', ({ field, value, input, message }) => {
		const error = thrownIn(() => send(input(value))) as InvalidInputError;
		expect(error).toBeInstanceOf(InvalidInputError);
		expect(error.failure).toMatchObject({ code: 'invalidInput', field });
		expect(error.message).toMatch(message ?? new RegExp(`^${(labels[field] as string).replace(/[()]/g, '\\$&')}: .`));
		if (field !== 'webhookBody') expect(error.message).not.toMatch(/Expected|received|Required|Invalid/); // zod's own words
	});

	/** Of a sequence only: test/ordering/sequence. */
	const ofSequence = ['compensationWebhookUrl', 'stepsFrom', 'steps', 'stepsJson'];

	test('every field of the panel is in this table', () => {
		const tested = new Set(badInputs.map(({ field }) => field));
		expect(Object.keys(labels).filter((field) => !tested.has(field))).toEqual(['baseUrl', 'apiKey', ...ofSequence]);
	});

	test('says the limit that was passed', () => {
		expect(() => withOptions({ queueTimeoutSeconds: 0.1 })).toThrow("Queue Timeout (Seconds): can't be less than 0.5");
		expect(() => withOptions({ attempts: 11 })).toThrow("Attempts: can't be more than 10");
		expect(() => withOptions({ attempts: 1.5 })).toThrow('Attempts: has to be a whole number of attempts');
		expect(() => send({ delaySeconds: 'soon' })).toThrow('Delay (Seconds): has to be a number of seconds from 0 to 86400');
	});

	test.each([
		[{ ...access, apiKey: '' }, 'apiKey', 'API Key: is empty in the EvolutionAPI credential'],
		[{ ...access, apiKey: '  ' }, 'apiKey', 'API Key: is empty in the EvolutionAPI credential'],
		[{ baseUrl: access.baseUrl } as typeof access, 'apiKey', 'API Key: is empty in the EvolutionAPI credential'],
		[{ ...access, baseUrl: '' }, 'baseUrl', 'Base URL: "" is no address: it has to begin with https:// or http:// (in the EvolutionAPI credential)'],
		[{ ...access, baseUrl: 'evolution.test' }, 'baseUrl', 'Base URL: "evolution.test" is no address: it has to begin with https:// or http:// (in the EvolutionAPI credential)'],
		[{ apiKey: 'x' } as typeof access, 'baseUrl', 'Base URL: "" is no address: it has to begin with https:// or http:// (in the EvolutionAPI credential)'],
	])('a credential of %j is told by its field', (given, field, message) => {
		const error = thrownIn(() => toOrderedSend(given, minimal)) as InvalidInputError;
		expect(error).toBeInstanceOf(InvalidInputError);
		expect(error.failure).toMatchObject({ field, message });
	});

	test.each(['x\r\ny', 'ł'])('a header of the webhook credential that injects something is refused: %j', (value) => {
		const error = thrownIn(() => send({}, { headers: [{ name: 'Authorization', value }] })) as InvalidInputError;
		expect(error.failure).toMatchObject({ field: 'webhookTargetApi', message: expect.not.stringContaining(value) });
	});

	test.each([undefined, null, 'x', [], 5])('an input that is %j is refused', (input) => {
		expect(() => toOrderedSend(access, input)).toThrow(InvalidInputError);
	});
});

describe('input at its limits is taken', () => {
	test.each([
		['text', 'x'.repeat(65_536)], ['text', 5], ['text', '👋'], ['number', 5511988887777], ['instanceName', 'x'.repeat(255)], ['instanceName', 'team/sales'], ['instanceName', '...'],
		['delaySeconds', 0], ['delaySeconds', 86_400], ['delaySeconds', '0'], ['ackTimeoutSeconds', 0.5], ['ackTimeoutSeconds', 86_400], ['webhookUrl', 'HTTP://hook.test'], ['webhookUrl', 'http://[::1]:80/'],
		['webhookBody', '"text"'], ['webhookBody', 'null'], ['webhookBody', '[]'],
	])('%s: %p', (field, value) => {
		expect(() => send({ [field]: value })).not.toThrow();
	});

	test.each([
		['transactionId', 'x'.repeat(255)], ['transactionId', 'olá 👋/…'], ['queueTimeoutSeconds', 0.5], ['attempts', 1], ['attempts', 10], ['requestTimeoutSeconds', 0.5], ['requestTimeoutSeconds', 600],
		['typingMilliseconds', 0], ['typingMilliseconds', 60_000], ['quotedMessageId', ''], ['errorCallbackUrl', ''], ['errorCallbackUrl', '  '],
	])('%s: %p', (field, value) => {
		expect(() => withOptions({ [field]: value })).not.toThrow();
	});

	test('a transaction ID that is a number is its digits, and an empty one is none', () => {
		expect(withOptions({ transactionId: 17 }).transactionId).toBe('17');
		expect(withOptions({ transactionId: '' }).transactionId).toBeUndefined();
		expect(withOptions({ transactionId: null }).transactionId).toBeUndefined();
	});

	test('a body may be a value instead of its JSON', () => {
		const webhook = (webhookBody: unknown) => send({ webhookBody }).definition.plan[1];
		expect(webhook({ a: [1] })).toMatchObject({ body: '{"a":[1]}' });
		expect(webhook(0)).toMatchObject({ body: '0' });
		expect(webhook(false)).toMatchObject({ body: 'false' });
		for (const none of ['', '  ', null, undefined]) expect(webhook(none)).not.toHaveProperty('body');
	});

	test('without the webhook its address does not matter', () => {
		expect(send({ callWebhook: false, webhookUrl: '' }).definition.plan.map(({ type }) => type)).toEqual(['send']);
	});
});

test('no secret is in what is stored of a call', () => {
	const { definition } = send({}, { headers: [{ name: 'Authorization', value: 'secret' }], signingSecret: 'secret' });
	expect(JSON.stringify(definition)).not.toContain('secret');
});

test('the fields are named in errors as the panel names them', () => {
	const shown = displayNames([...new OrderedEvolutionApiSend().description.properties, ...new EvolutionServerApi().properties]);
	for (const [field, label] of Object.entries(labels)) expect([field, shown.get(field)]).toEqual([field, label]);
	const unlabelled = [...shown.keys()].filter((field) => !(field in labels));
	expect(unlabelled.sort()).toEqual(['credentials', 'ignoreSslIssues', 'operation', 'options', 'webhookAuthentication']);
});

describe('the content of a call', () => {
	const key = 'key';
	const first = contentOf(send());
	const recorded = hashContent(first, key);

	test('is the same for the same message, however it is spelled', () => {
		const spelled = toOrderedSend({ ...access, baseUrl: 'https://EVOLUTION.test', apiKey: 'another' }, { ...minimal, number: '5511988887777@s.whatsapp.net' });
		expect(differingPart(contentOf(spelled), recorded, key)).toBeUndefined();
	});

	test.each([
		['server', toOrderedSend({ ...access, baseUrl: 'https://other.test' }, minimal)],
		['instance', send({ instanceName: 'other' })],
		['recipient', send({ number: '5511988887778' })],
		['message', send({ text: 'Hello.' })],
		['webhook address or method', send({ webhookUrl: 'https://hook.test/y' })],
		['webhook address or method', send({ webhookMethod: 'PUT' })],
		['webhook address or method', send({ callWebhook: false })],
	])('differs in its %s', (part, other) => {
		expect(differingPart(contentOf(other), recorded, key)).toBe(part);
	});

	test.each([
		['body', { webhookBody: '{"other": true}' }],
		['headers', { webhookHeaders: [{ name: 'X-A', value: 'b' }] }],
		['times', { waitFor: 'delay', delaySeconds: 9 }],
		['options', { options: { priority: 'high', attempts: 1, requestTimeoutSeconds: 5 } }],
	])('does not hang on %s: the first call decides those', (_what, more) => {
		expect(differingPart(contentOf(send(more)), recorded, key)).toBeUndefined();
	});

	test('is hidden by the hash, which differs from key to key', () => {
		expect(recorded).toMatch(/^[\w-]{22}(\.[\w-]{22}){4}$/);
		expect(hashContent(first, 'another key')).not.toBe(recorded);
		expect(keyedHash('x', key)).toBe(keyedHash('x', key));
		expect(keyedHash('x', key)).not.toBe(keyedHash('y', key));
	});

	test('of two parts can not be moved from one to the other', () => {
		const [a, b] = [hashContent({ one: 'ab', two: 'c' }, key), hashContent({ one: 'a', two: 'bc' }, key)];
		expect(a).not.toBe(b);
	});
});
