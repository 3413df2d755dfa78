// The webhook call: at least once, always under one ID, never before the message, and never without end.
import { Webhook } from 'standardwebhooks';
import { Receiver } from '../../support/receiver';
import { endWithTest, resultOf, scene, stepsOf } from '../../support/scene';

test('retries carry the same webhook-id, Idempotency-Key and body, and a signature that holds', async () => {
	const { run, receiver } = await scene();
	receiver.behave({ status: 503 }, { times: 1 }).behave('reset', { times: 1 });
	const signingSecret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
	const outcome = await run(
		{ text: 'Hi', webhookUrl: '/after?x=1', webhookHeaders: [{ name: 'X-Own', value: 'mine' }], options: { transactionId: 'order 1/é' } },
		{ secrets: { headers: [{ name: 'Authorization', value: 'Bearer secret-token' }], signingSecret } },
	);
	expect(resultOf(outcome)).toMatchObject({ status: 'completed' });
	expect(resultOf(outcome).steps[1]).toMatchObject({ attempts: 3, statusCode: 200 });
	expect(receiver.calls).toHaveLength(3);
	expect(new Set(receiver.calls.map(({ body }) => body)).size).toBe(1);
	for (const { headers, body, path, method } of receiver.calls) {
		expect([method, path]).toEqual(['POST', '/after?x=1']);
		expect(headers).toMatchObject({ 'webhook-id': 'order%201%2F%C3%A9:1', 'idempotency-key': 'order%201%2F%C3%A9:1', 'content-type': 'application/json', 'x-own': 'mine', authorization: 'Bearer secret-token' });
		expect(() => new Webhook(signingSecret).verify(body, headers as Record<string, string>)).not.toThrow();
		expect(() => new Webhook('whsec_AAAA9r8GKYqrTwjUPD8ILPZIo2LaLaSw').verify(body, headers as Record<string, string>)).toThrow();
	}
});

test('without a body of the user\'s, it gets the summary: transaction, message ID, confirmation, chat, steps', async () => {
	const { run, receiver, simulator } = await scene();
	await run({ webhookUrl: '/after', options: { transactionId: 't' } });
	expect(receiver.calls[0]?.json).toMatchObject({
		transactionId: 't',
		messageId: simulator.control.messages()[0]?.messageId,
		confirmed: true,
		duplicatePossible: false,
		chat: { instance: 'meta1', recipient: '5511988887777@s.whatsapp.net' },
		steps: [{ type: 'send', status: 'done' }],
	});
});

test("the user's body is sent as it is", async () => {
	const { run, receiver } = await scene();
	await run({ webhookUrl: '/after', webhookMethod: 'PUT', webhookBody: '{ "a": [1,  2] }' });
	expect(receiver.calls[0]).toMatchObject({ method: 'PUT', body: '{ "a": [1,  2] }' });
});

test.each([400, 401, 403, 404, 410, 422])('%d is not tried again by itself; the replay calls again, under the same ID, and sends nothing', async (status) => {
	const { run, receiver, effects } = await scene();
	receiver.behave({ status }, { times: 1 });
	const input = { text: 'Hi', webhookUrl: '/after', options: { transactionId: 't' } };
	const first = await run(input);
	expect(resultOf(first)).toMatchObject({ status: 'failed', error: { code: 'webhook.status', sent: 'yes' } });
	expect(resultOf(first).steps[1]).toMatchObject({ status: 'failed', attempts: 1, statusCode: status });
	expect(receiver.calls).toHaveLength(1);
	expect(resultOf(await run(input))).toMatchObject({ status: 'completed' });
	expect(effects()).toEqual(['message Hi', 'webhook /after', 'webhook /after']);
	expect(new Set(receiver.calls.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
	expect(new Set(receiver.calls.map(({ body }) => body)).size).toBe(1);
});

test.each([408, 425, 429, 500, 502, 503, 504])('%d is tried again, as often as was asked', async (status) => {
	const { run, receiver, simulator } = await scene();
	receiver.behave({ status });
	const outcome = await run({ webhookUrl: '/after', options: { attempts: 2 } });
	expect(outcome.failure).toMatchObject({ code: 'webhook.status' });
	expect(receiver.calls).toHaveLength(2);
	expect(simulator.control.messages()).toHaveLength(1);
});

test("the receiver's Retry-After is kept to", async () => {
	const { run, receiver } = await scene({ mostRetryAfterMs: 300 });
	receiver.behave({ status: 429, headers: { 'retry-after': '30' } }, { times: 1 });
	await run({ webhookUrl: '/after' });
	const [first, second] = receiver.calls;
	expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(295);
});

test.each(['hang', 'drip'] as const)('a receiver that does not come to an end (%s): a time-out, said so, and the lane is free', async (behaviour) => {
	const { run, receiver, simulator } = await scene();
	receiver.behave(behaviour, { times: 1 });
	const before = performance.now();
	const outcome = await run({ text: 'A', webhookUrl: '/after', options: { attempts: 1, requestTimeoutSeconds: 0.5 } });
	expect(performance.now() - before).toBeLessThan(1500);
	expect(outcome.failure).toMatchObject({ code: 'webhook.timeout', message: expect.stringContaining('within 0.5 s') });
	expect(resultOf(await run({ text: 'B', webhookUrl: '/after' })).status).toBe('completed');
	expect(simulator.control.messages()).toHaveLength(2);
});

test('an answer without end is read to a limit, and counts as an answer', async () => {
	const { run, receiver } = await scene();
	receiver.behave('flood');
	const outcome = await run({ webhookUrl: '/after', options: { requestTimeoutSeconds: 5 } });
	expect(resultOf(outcome).status).toBe('completed');
	const { body } = resultOf(outcome).webhook ?? {};
	expect(String(body).length).toBeLessThan(300_000);
	expect(String(body)).toMatch(/… \(cut\)$/);
});

test('a redirect to another host is not followed: no header reaches it', async () => {
	const { run, receiver } = await scene();
	const other = await Receiver.start();
	endWithTest(() => other.close());
	receiver.behave({ status: 307, headers: { location: `${other.url}/stolen` } });
	const outcome = await run({ webhookUrl: '/after' }, { secrets: { headers: [{ name: 'Authorization', value: 'Bearer x' }] } });
	expect(outcome.failure).toMatchObject({ code: 'webhook.redirect', hint: 'Enter the address that it redirects to.' });
	expect(other.calls).toEqual([]);
	expect(receiver.calls).toHaveLength(1);
});

test('a redirect on the same host that keeps the method is followed, with the body', async () => {
	const { run, receiver } = await scene();
	receiver.behave({ status: 308, headers: { location: '/new' } }, { path: '/old' });
	expect(resultOf(await run({ webhookUrl: '/old' })).status).toBe('completed');
	expect(receiver.calls.map(({ path, body }) => [path, body.length > 0])).toEqual([['/old', true], ['/new', true]]);
});

test('a receiver that is down: the message is out, said so, the replay calls it', async () => {
	const { run, receiver, simulator } = await scene();
	const gone = await Receiver.start();
	await gone.close();
	const input = { text: 'Hi', webhookUrl: `${gone.url}/x`, options: { transactionId: 't', attempts: 2 } };
	const outcome = await run(input);
	expect(resultOf(outcome)).toMatchObject({ status: 'failed', error: { code: 'webhook.refused', sent: 'yes' } });
	expect(simulator.control.messages()).toHaveLength(1);
	expect(receiver.calls).toEqual([]);
});

describe('a webhook that sends to the same chat and answers only afterwards', () => {
	test('ends by time, with the hint that names the cause; no deadlock, nothing twice, and the inner message goes out after', async () => {
		const { engine, call, run, receiver, simulator, texts } = await scene();
		let inner: ReturnType<typeof run> | undefined;
		receiver.behave(async () => {
			inner ??= run({ text: 'Inner' });
			await inner;
			return {};
		}, { path: '/self' });
		const [outer] = await engine.run([call({ text: 'Outer', webhookUrl: '/self', options: { attempts: 1, requestTimeoutSeconds: 0.5 } })], { stopOnFailure: false });
		expect(outer?.failure).toMatchObject({ code: 'webhook.timeout', hint: expect.stringContaining('it waits for itself') });
		expect(resultOf(await (inner as ReturnType<typeof run>)).status).toBe('completed');
		expect(texts()).toEqual(['Outer', 'Inner']);
		expect(simulator.control.counts().sendText).toBe(2);
	});

	test('when the inner one gives up first, its error says so, and that nothing was sent', async () => {
		const { run, receiver, texts } = await scene();
		let inner: Awaited<ReturnType<typeof run>> | undefined;
		receiver.behave(async () => {
			inner = await run({ text: 'Inner', options: { queueTimeoutSeconds: 0.5 } });
			return {};
		}, { path: '/self' });
		const outer = await run({ text: 'Outer', webhookUrl: '/self', options: { requestTimeoutSeconds: 5 } });
		expect(resultOf(outer).status).toBe('completed');
		expect(inner?.failure).toMatchObject({ code: 'queueTimeout', hint: expect.stringContaining('it waits for itself') });
		expect(texts()).toEqual(['Outer']);
	});
});

test('no webhook where none was asked for', async () => {
	const { run, receiver } = await scene();
	const outcome = await run({ callWebhook: false, waitFor: 'delivered' });
	expect(stepsOf(outcome)).toBe('send done, wait done');
	expect(receiver.calls).toEqual([]);
});
