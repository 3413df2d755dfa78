// The call of a webhook: its headers, its signature as receivers check it, and what its answers mean.
import { Webhook } from 'standardwebhooks';
import { HttpClient } from '../../evolution/http';
import { AttemptFailed } from '../../ordering/steps/retry';
import { callWebhook, type WebhookCall, webhookId } from '../../ordering/webhookCall';
import { closedPort, endWithTest, type Heard, serving, thrownBy } from '../evolution/helpers';

function http(): HttpClient {
	const one = new HttpClient();
	endWithTest(() => one.close());
	return one;
}

function call(url: string, more: Partial<WebhookCall> = {}): WebhookCall {
	return { url, method: 'POST', body: '{"text":"olá 👋"}', id: webhookId('t1', 1), headers: [], timeoutMs: 3000, ...more };
}

function headersOf(heard: Heard): Record<string, string> {
	return Object.fromEntries(Object.entries(heard.headers).map(([name, value]) => [name, String(value)]));
}

test.each([
	['that begins with whsec_', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', (secret: string) => new Webhook(secret)],
	['that is written as it is', 'a secret with spaces and ümläuts', (secret: string) => new Webhook(Buffer.from(secret, 'utf8'), { format: 'raw' })],
])("a signature with a secret %s is one that the standard's own library accepts", async (_what, signingSecret, receiver) => {
	const server = await serving((_heard, answer) => answer.end());
	await callWebhook(http(), call(server.url, { signingSecret }));
	const heard = server.heard[0] as Heard;
	expect(receiver(signingSecret).verify(heard.body, headersOf(heard))).toEqual({ text: 'olá 👋' });
	expect(() => receiver(signingSecret).verify(heard.body.replace('olá', 'ola'), headersOf(heard))).toThrow();
	expect(() => receiver(signingSecret).verify(heard.body, { ...headersOf(heard), 'webhook-id': 'other' })).toThrow();
	expect(() => new Webhook('whsec_b3RoZXJvdGhlcm90aGVy').verify(heard.body, headersOf(heard))).toThrow();
	expect(JSON.stringify(heard)).not.toContain(signingSecret);
});

test('without a secret there is no signature', async () => {
	const server = await serving((_heard, answer) => answer.end());
	await callWebhook(http(), call(server.url));
	expect(server.heard[0]?.headers).not.toHaveProperty('webhook-signature');
});

test('two calls of one step carry one ID, and each its own time', async () => {
	const server = await serving((_heard, answer) => answer.end());
	const one = http();
	await callWebhook(one, call(server.url));
	await callWebhook(one, call(server.url));
	const [first, second] = server.heard.map(headersOf);
	expect(first).toMatchObject({ 'webhook-id': 't1:1', 'idempotency-key': 't1:1', 'content-type': 'application/json', 'user-agent': 'n8n-nodes-ordered-evolutionapi' });
	expect(second?.['webhook-id']).toBe('t1:1');
	expect(Math.abs(Number(second?.['webhook-timestamp']) - Date.now() / 1000)).toBeLessThan(3);
});

test.each([
	['t1', 2, 't1:2'],
	['t1', 'error', 't1:error'],
	['olá 👋\u0007/a b', 0, 'ol%C3%A1%20%F0%9F%91%8B%07%2Fa%20b:0'],
] as const)('the transaction ID %j and step %s make the ID %s, which a header can hold', (id, step, expected) => {
	expect(webhookId(id, step)).toBe(expected);
	expect(webhookId(id, step)).toMatch(/^[\x21-\x7e]+$/);
});

test('different transactions and steps never make one ID', () => {
	const ids = ['a', 'a:1', 'a%3A1', 'a:1:1'].flatMap((id) => [webhookId(id, 1), webhookId(id, 11), webhookId(id, 'error')]);
	expect(new Set(ids).size).toBe(ids.length);
});

test.each(['POST', 'PUT', 'PATCH'])('%s carries the body as it is', async (method) => {
	const server = await serving((_heard, answer) => answer.end());
	await callWebhook(http(), call(server.url, { method }));
	expect(server.heard[0]).toMatchObject({ method, body: '{"text":"olá 👋"}' });
});

test.each(['GET', 'DELETE'])('%s carries no body, and is signed as such', async (method) => {
	const server = await serving((_heard, answer) => answer.end());
	await callWebhook(http(), call(server.url, { method, signingSecret: 'secret' }));
	const heard = server.heard[0] as Heard;
	expect(heard).toMatchObject({ method, body: '' });
	const signature = new Webhook(Buffer.from('secret'), { format: 'raw' }).sign(heard.headers['webhook-id'] as string, new Date(Number(heard.headers['webhook-timestamp']) * 1000), '');
	expect(heard.headers['webhook-signature']).toBe(signature);
});

test("the caller's headers go along, and never take the place of the node's own", async () => {
	const server = await serving((_heard, answer) => answer.end());
	await callWebhook(http(), call(server.url, { headers: [{ name: 'X-Source', value: 'n8n' }, { name: 'webhook-id', value: 'forged' }, { name: 'Authorization', value: 'Bearer x' }] }));
	expect(server.heard[0]?.headers).toMatchObject({ 'x-source': 'n8n', authorization: 'Bearer x', 'webhook-id': 't1:1' });
});

describe('an answer', () => {
	test.each([
		['JSON', '{"a":[1]}', { a: [1] }], ['a text', 'thanks', 'thanks'], ['nothing', '', ''], ['JSON that breaks off', '{"a":', '{"a":'], ['false', 'false', false],
	])('that is %s is kept as such', async (_what, text, body) => {
		const server = await serving((_heard, answer) => answer.writeHead(202).end(text));
		expect(await callWebhook(http(), call(server.url))).toEqual({ statusCode: 202, body });
	});

	test('that is long is cut', async () => {
		const server = await serving((_heard, answer) => answer.end(`"${'x'.repeat(300_000)}"`));
		const { body } = await callWebhook(http(), call(server.url));
		expect(body).toMatch(/^"x+… \(cut\)$/);
		expect((body as string).length).toBeLessThan(263_000);
	});

	test('that nests without end is kept as its text', async () => {
		const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
		const server = await serving((_heard, answer) => answer.end(deep));
		expect((await callWebhook(http(), call(server.url))).body).toBe(deep);
	});

	test('that repeats the token without its Bearer is shown without it', async () => {
		const server = await serving((_heard, answer) => answer.end(JSON.stringify({ token: 'abc123def456', note: 'kept' })));
		expect((await callWebhook(http(), call(server.url, { headers: [{ name: 'Authorization', value: 'Bearer abc123def456' }] }))).body).toEqual({ token: '***', note: 'kept' });
	});

	test('that is longer than is ever read is cut, too', async () => {
		const server = await serving((_heard, answer) => answer.end(Buffer.alloc(6 * 1024 * 1024, '1')));
		expect((await callWebhook(http(), call(server.url))).body).toMatch(/^1+… \(cut\)$/);
	});

	test.each([
		[400, 'later'], [401, 'later'], [403, 'later'], [404, 'later'], [410, 'later'], [422, 'later'], [304, 'later'],
		[408, 'now'], [425, 'now'], [429, 'now'], [500, 'now'], [502, 'now'], [503, 'now'], [504, 'now'],
	])('of status %i is a failure, to be tried again %s', async (status, tryAgain) => {
		const server = await serving((_heard, answer) => answer.writeHead(status).end());
		const error = await thrownBy(callWebhook(http(), call(`${server.url}/x?token=secret`)));
		expect(error).toBeInstanceOf(AttemptFailed);
		expect(error).toMatchObject({ tryAgain, statusCode: status, failure: { code: 'webhook.status', message: `The webhook ${server.url}/x answered ${status}`, hint: expect.stringMatching(/\.$/) } });
	});

	test('may ask for a pause', async () => {
		const server = await serving((_heard, answer) => answer.writeHead(429, { 'retry-after': '4' }).end());
		expect(await thrownBy(callWebhook(http(), call(server.url)))).toMatchObject({ retryAfterMs: 4000 });
	});

	test('of 404 gets a hint on test addresses', async () => {
		const server = await serving((_heard, answer) => answer.writeHead(404).end());
		expect(await thrownBy(callWebhook(http(), call(server.url)))).toMatchObject({ failure: { hint: expect.stringContaining('published') } });
	});
});

describe('no answer', () => {
	test('within the time may come with the next attempt', async () => {
		const server = await serving(() => {});
		expect(await thrownBy(callWebhook(http(), call(server.url, { timeoutMs: 100 })))).toMatchObject({ tryAgain: 'now', failure: { code: 'webhook.timeout', message: expect.stringContaining('did not answer within 0.1 s') } });
	});

	test('from nobody may come with the next attempt', async () => {
		expect(await thrownBy(callWebhook(http(), call(`http://127.0.0.1:${await closedPort()}`)))).toMatchObject({ tryAgain: 'now', failure: { code: 'webhook.refused' } });
	});

	test('since it redirects to another host needs somebody to mend the address', async () => {
		const server = await serving((_heard, answer) => answer.writeHead(307, { location: 'http://elsewhere.test/' }).end());
		expect(await thrownBy(callWebhook(http(), call(server.url)))).toMatchObject({ tryAgain: 'later', failure: { code: 'webhook.redirect', hint: 'Enter the address that it redirects to.' } });
	});

	test("since n8n's protection forbids it needs somebody to allow it", async () => {
		const egress = { validateUrl: async () => ({ ok: false as const, error: new Error('private') }), createSecureLookup: () => () => {}, validateRedirectSync: () => {} };
		expect(await thrownBy(callWebhook(http(), call('http://127.0.0.1/', { egress })))).toMatchObject({ tryAgain: 'later', failure: { code: 'webhook.blocked' } });
	});

	test('since it was cancelled is a cancellation, no failure', async () => {
		const server = await serving(() => {});
		const cancel = new AbortController();
		setTimeout(() => cancel.abort(), 50);
		expect(await thrownBy(callWebhook(http(), call(server.url, { signal: cancel.signal })))).toMatchObject({ name: 'HttpFailure', kind: 'cancelled' });
	});
});

test('a redirect on the same host is followed with the body and its signature', async () => {
	const server = await serving(({ url }, answer) => void (url === '/' ? answer.writeHead(308, { location: '/there' }).end() : answer.end('{"ok":true}')));
	expect(await callWebhook(http(), call(`${server.url}/`, { signingSecret: 'secret' }))).toEqual({ statusCode: 200, body: { ok: true } });
	const heard = server.heard[1] as Heard;
	expect(new Webhook(Buffer.from('secret'), { format: 'raw' }).verify(heard.body, headersOf(heard))).toEqual({ text: 'olá 👋' });
});
