// The error callback: told of every failure, after the chat is free, retried, and never in the way of the first failure.
import { effectsOf, resultOf, scene, sleep } from '../../support/scene';

const options = { transactionId: 't', errorCallbackUrl: '/failed' };

test('it gets what was sent, what was not, and why, signed and under one ID', async () => {
	const { run, receiver, simulator } = await scene();
	receiver.behave({ status: 404 }, { path: '/after' });
	const outcome = await run({ webhookUrl: '/after', options }, { secrets: { signingSecret: 'a secret of the user' } });
	const [call] = receiver.callsTo('/failed');
	expect(call).toMatchObject({ method: 'POST', headers: { 'webhook-id': 't:error', 'idempotency-key': 't:error', 'webhook-signature': expect.stringMatching(/^v1,/) } });
	expect(call?.json).toMatchObject({
		event: 'transaction.failed',
		transactionId: 't',
		status: 'failed',
		error: { code: 'webhook.status', sent: 'yes', message: expect.stringContaining('answered 404') },
		steps: [{ type: 'send', status: 'done', messageId: simulator.control.messages()[0]?.messageId }, { type: 'webhook', status: 'failed' }],
	});
	expect(resultOf(outcome).errorCallback).toEqual({ status: 'done', attempts: 1, statusCode: 200 });
});

test.each([
	['a refused send', { answer: { kind: 'metaRefusal', code: 131026 } }, 'no'],
	['a send in doubt', { answer: { kind: 'reset' } }, 'unknown'],
] as const)('%s: told once, and the webhook not called', async (_what, rule, sent) => {
	const { run, receiver, simulator } = await scene();
	simulator.control.addRule({ route: 'sendText', ...rule });
	await run({ webhookUrl: '/after', options });
	expect(receiver.calls.map(({ path }) => path)).toEqual(['/failed']);
	expect(receiver.calls[0]?.json).toMatchObject({ error: { sent } });
});

test('a wait that stopped: told', async () => {
	const { run, receiver, simulator } = await scene();
	simulator.control.setInstance('meta1', { acks: [] });
	await run({ webhookUrl: '/after', waitFor: 'read', ackTimeoutSeconds: 0.5, options });
	expect(receiver.calls.map(({ path }) => path)).toEqual(['/failed']);
	expect(receiver.calls[0]?.json).toMatchObject({ status: 'unconfirmed', error: { code: 'ackTimeout', sent: 'yes' } });
});

test('it is not called where nothing failed', async () => {
	const { run, receiver } = await scene();
	await run({ webhookUrl: '/after', options });
	expect(receiver.calls.map(({ path }) => path)).toEqual(['/after']);
});

test('it is retried like any webhook, always the same body under the same ID', async () => {
	const { run, receiver, simulator } = await scene();
	simulator.control.addRule({ route: 'sendText', answer: { kind: 'metaRefusal', code: 131026 } });
	receiver.behave({ status: 503 }, { times: 1 }).behave('reset', { times: 1 });
	const outcome = await run({ options });
	expect(receiver.calls).toHaveLength(3);
	expect(new Set(receiver.calls.map(({ body, headers }) => `${String(headers['webhook-id'])} ${body}`)).size).toBe(1);
	expect(resultOf(outcome).errorCallback).toMatchObject({ status: 'done', attempts: 3 });
});

test.each([['an error status', { status: 500 }], ['no answer', 'hang'], ['a reset', 'reset']] as const)('its own failure (%s) is recorded beside the first one, which stays', async (_what, behaviour) => {
	const { run, receiver, simulator } = await scene();
	simulator.control.addRule({ route: 'sendText', answer: { kind: 'metaRefusal', code: 131026, message: 'Recipient not available' } });
	receiver.behave(behaviour);
	const outcome = await run({ options: { ...options, attempts: 2, requestTimeoutSeconds: 0.5 } });
	expect(outcome.failure).toMatchObject({ code: 'meta131026', message: expect.stringContaining('Recipient not available') });
	expect(resultOf(outcome)).toMatchObject({ status: 'failed', error: { code: 'meta131026' }, errorCallback: { status: 'failed', attempts: 2, error: { code: expect.stringMatching(/^webhook\./) } } });
	expect(receiver.calls).toHaveLength(2);
	expect(JSON.stringify(resultOf(outcome))).not.toContain('/failed"');
});

test("it is called when the chat is free: the chat's next message does not wait for it", async () => {
	const { run, receiver, simulator, texts } = await scene();
	simulator.control.addRule({ route: 'sendText', text: 'First', answer: { kind: 'metaRefusal', code: 131026 } });
	receiver.behave('hold', { path: '/failed' });
	const first = run({ text: 'First', options: { ...options, requestTimeoutSeconds: 10 } });
	await receiver.waitForCalls(1);
	expect(resultOf(await run({ text: 'Second', webhookUrl: '/second' })).status).toBe('completed');
	expect(texts()).toEqual(['Second']);
	expect(effectsOf(simulator, receiver).map(({ what }) => what)).toEqual(['/failed', 'Second', '/second']);
	receiver.release();
	expect(resultOf(await first).errorCallback?.status).toBe('done');
});

test('a callback that sends to the same chat and answers only afterwards does not wait for itself', async () => {
	const { run, receiver, simulator } = await scene();
	simulator.control.addRule({ route: 'sendText', text: 'First', answer: { kind: 'metaRefusal', code: 131026 } });
	receiver.behave(async () => {
		await run({ text: 'Sorry' });
		return {};
	}, { path: '/failed' });
	const outcome = await run({ text: 'First', options: { ...options, requestTimeoutSeconds: 5 } });
	expect(resultOf(outcome).errorCallback).toMatchObject({ status: 'done', attempts: 1 });
	expect(simulator.control.messages().map(({ text }) => text)).toEqual(['Sorry']);
});

test('told of a cancelled execution, too', async () => {
	const { run, receiver, simulator } = await scene();
	const abort = new AbortController();
	const running = run({ waitFor: 'delay', delaySeconds: 5, options }, { signal: abort.signal });
	await simulator.control.waitForMessages(1);
	await sleep(60); // its answer is there, too
	abort.abort();
	await running;
	expect(receiver.calls.map(({ json }) => (json as { status: string }).status)).toEqual(['cancelled']);
});

test('told that nothing was sent, where the chat stayed busy', async () => {
	const { run, receiver } = await scene();
	receiver.behave('hold', { path: '/ahead' });
	const ahead = run({ text: 'Ahead', webhookUrl: '/ahead', options: { requestTimeoutSeconds: 10 } });
	await receiver.waitForCalls(1);
	await run({ text: 'Late', options: { ...options, queueTimeoutSeconds: 0.5 } });
	expect(receiver.callsTo('/failed')[0]?.json).toMatchObject({ status: 'failed', error: { code: 'queueTimeout', sent: 'no' } });
	receiver.release();
	await ahead;
});

test('a recorded error is not told twice, and a new failure of a replay is told again', async () => {
	const { run, receiver, simulator } = await scene();
	simulator.control.addRule({ route: 'sendText', times: 1, answer: { kind: 'metaRefusal', code: 131016 } });
	simulator.control.addRule({ route: 'sendText', times: 1, answer: { kind: 'metaRefusal', code: 131026 } });
	const input = { options: { ...options, attempts: 1 } };
	await run(input);
	await run(input);
	await run(input);
	expect(receiver.calls.map(({ json }) => (json as { error: { code: string } }).error.code)).toEqual(['meta131016', 'meta131026']);
});
