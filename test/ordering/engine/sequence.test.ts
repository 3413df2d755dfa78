// The caller's own count: messages of a chat go out in the order of their numbers, however they come.
import { resultOf, scene, sleep } from '../../support/scene';

const numbered = (sequenceNumber: number, more: Record<string, unknown> = {}) => ({ text: `number ${sequenceNumber}`, options: { transactionId: `t${sequenceNumber}`, sequenceNumber, ...more } });

test('messages that come in another order go out by their numbers', async () => {
	const { run, texts } = await scene();
	const outcomes = await Promise.all([3, 1, 5, 2, 4].map((number) => run(numbered(number))));
	expect(texts()).toEqual([1, 2, 3, 4, 5].map((number) => `number ${number}`));
	expect(outcomes.map(({ failure }) => failure)).toEqual(Array(5).fill(undefined));
});

test('items of one execution go out by their numbers too, and keep their places in the output', async () => {
	const { engine, call, texts } = await scene();
	const outcomes = await engine.run([3, 1, 2].map((number) => call(numbered(number))), { stopOnFailure: true });
	expect(texts()).toEqual(['number 1', 'number 2', 'number 3']);
	expect(outcomes.map(({ transaction }) => transaction?.id)).toEqual(['t3', 't1', 't2']);
});

test('items of one execution go out by their priority, and none waits for the other', async () => {
	const { engine, call, texts } = await scene();
	const items = (['low', 'normal', 'high'] as const).map((priority) => call({ text: priority, options: { priority, queueTimeoutSeconds: 1 } }));
	const outcomes = await engine.run(items, { stopOnFailure: false });
	expect(outcomes.map(({ failure }) => failure)).toEqual([undefined, undefined, undefined]);
	expect(texts()).toEqual(['high', 'normal', 'low']);
});

test('a missing number is waited for, then passed, and the result tells which', async () => {
	const { run, texts } = await scene();
	await run(numbered(1));
	const outcome = await run(numbered(4, { sequenceGapSeconds: 0.3 }));
	expect(resultOf(outcome)).toMatchObject({ status: 'completed', queue: { missing: { from: 2, to: 3 } } });
	expect(resultOf(outcome).queue.waitedMs).toBeGreaterThan(250);
	expect(texts()).toEqual(['number 1', 'number 4']);
});

test('a number that comes too late is refused for good, with nothing sent, and no text kept', async () => {
	const { run, texts } = await scene();
	await run(numbered(1));
	await run(numbered(3, { sequenceGapSeconds: 0 }));
	const late = await run(numbered(2));
	expect(resultOf(late)).toMatchObject({ status: 'failed', error: { code: 'sequenceTooLate', sent: 'no', field: 'sequenceNumber' } });
	expect(late.transaction?.definition).toBeUndefined();
	expect(resultOf(await run(numbered(2)))).toMatchObject({ replayed: true, error: { code: 'sequenceTooLate' } });
	expect(texts()).toEqual(['number 1', 'number 3']);
});

test('the count goes on after a restart', async () => {
	const on = await scene();
	await on.run(numbered(1));
	await on.run(numbered(2));
	await on.restart();
	expect(resultOf(await on.run(numbered(2, { transactionId: 'other' })))).toMatchObject({ error: { code: 'sequenceTooLate' } });
	expect(resultOf(await on.run(numbered(3))).status).toBe('completed');
	expect(on.texts()).toEqual(['number 1', 'number 2', 'number 3']);
});

test('the same transaction again gives its result, though its number is used by then', async () => {
	const { run, texts } = await scene();
	await run(numbered(1));
	await run(numbered(2));
	expect(resultOf(await run(numbered(1)))).toMatchObject({ status: 'completed', replayed: true });
	expect(texts()).toEqual(['number 1', 'number 2']);
});

test('the same transaction twice at the same time is sent once, and both get its result', async () => {
	const { run, texts } = await scene();
	const outcomes = await Promise.all([run(numbered(1)), run(numbered(1))]);
	expect(outcomes.map((outcome) => resultOf(outcome).status)).toEqual(['completed', 'completed']);
	expect(texts()).toEqual(['number 1']);
});

test('one that failed may go on with its number as long as no higher one has gone, and not after that', async () => {
	const { run, texts, simulator } = await scene();
	simulator.control.addRule({ route: 'sendText', times: 2, answer: { kind: 'metaRefusal', code: 131056 } });
	const failing = numbered(1, { attempts: 1 });
	expect(resultOf(await run(failing)).status).toBe('failed');
	expect(resultOf(await run(failing)).status).toBe('failed');
	expect(resultOf(await run(failing)).status).toBe('completed');
	simulator.control.addRule({ route: 'sendText', times: 1, answer: { kind: 'metaRefusal', code: 131056 } });
	await run(numbered(2, { attempts: 1 }));
	await run(numbered(3));
	expect(resultOf(await run(numbered(2)))).toMatchObject({ status: 'failed' });
	expect((await run(numbered(2))).failure).toMatchObject({ code: 'sequenceTooLate' });
	expect(texts()).toEqual(['number 1', 'number 3']);
});

test('one whose message is out goes on with its webhook whatever numbers have gone since', async () => {
	const { run, texts, receiver } = await scene();
	receiver.behave({ status: 500 }, { times: 1 });
	await run({ ...numbered(1, { attempts: 1 }), webhookUrl: '/x' });
	await run(numbered(2));
	expect(resultOf(await run({ ...numbered(1), webhookUrl: '/x' })).status).toBe('completed');
	expect(texts()).toEqual(['number 1', 'number 2']);
});

test('one that waits for a missing number ends with the queue\'s time-out, with nothing sent', async () => {
	const { run, texts } = await scene();
	await run(numbered(1));
	const outcome = await run(numbered(3, { queueTimeoutSeconds: 0.5 }));
	expect(outcome.failure).toMatchObject({ code: 'queueTimeout', message: 'The chat was busy for 0.5 s: the message with the sequence number 2 has not come' });
	await sleep(50);
	expect(resultOf(await run(numbered(2))).status).toBe('completed');
	expect(texts()).toEqual(['number 1', 'number 2']);
});
