// n8n's cancel button and time-out: at every moment it ends promptly, frees the chat, and leaves the truth on record.
import { Engine } from '../../../ordering/engine';
import { SqliteLedger } from '../../../ordering/ledger/sqlite';
import type { CallInput } from '../../support/calls';
import { hookedLedger } from '../../support/hookedLedger';
import { endWithTest, openEngine, resultOf, type Scene, scene, shortSettings, sleep, stepsOf } from '../../support/scene';

const slow: CallInput = { text: 'First', webhookUrl: '/first', options: { transactionId: 'first', requestTimeoutSeconds: 20 } };

/** Runs `input`, aborts once `when` resolves, and gives the outcome with the time that it took from the abort on. */
async function cancelled(on: Scene, input: CallInput, when: () => Promise<unknown>): Promise<{ outcome: Awaited<ReturnType<Scene['run']>>; tookMs: number }> {
	const abort = new AbortController();
	const running = on.run(input, { signal: abort.signal });
	await when();
	const before = performance.now();
	abort.abort();
	const outcome = await running;
	return { outcome, tookMs: performance.now() - before };
}

/** The chat's next message goes out and the first ID goes on; nothing twice. */
async function expectAllGoesOn(on: Scene, input: CallInput, messagesBefore: string[]): Promise<void> {
	expect(resultOf(await on.run({ text: 'Next', webhookUrl: '/next' })).status).toBe('completed');
	expect(on.texts()).toEqual([...messagesBefore, 'Next']);
	expect(resultOf(await on.run(input)).status).toBe('completed');
	expect(on.texts().filter((text) => text === 'First')).toHaveLength(1);
	expect(new Set(on.receiver.callsTo('/first').map(({ headers }) => headers['webhook-id'])).size).toBe(1);
}

test('before anything: nothing is done', async () => {
	const on = await scene();
	await expect(on.run(slow, { signal: AbortSignal.abort() })).rejects.toMatchObject({ failure: { code: 'cancelled' } });
	expect(on.simulator.control.requests()).toEqual([]);
});

test('in the queue: nothing was sent, and it is on record as cancelled', async () => {
	const on = await scene();
	on.receiver.behave('hold', { path: '/ahead', times: 1 });
	const ahead = on.run({ text: 'Ahead', webhookUrl: '/ahead', options: { requestTimeoutSeconds: 20 } });
	await on.receiver.waitForCalls(1);
	const { outcome, tookMs } = await cancelled(on, slow, () => sleep(40));
	expect(tookMs).toBeLessThan(1000);
	expect(resultOf(outcome)).toMatchObject({ status: 'cancelled', error: { code: 'cancelled', sent: 'no' } });
	on.receiver.release();
	expect(resultOf(await ahead).status).toBe('completed');
	await expectAllGoesOn(on, slow, ['Ahead']);
});

test('during the send, before the message reached WhatsApp: in doubt; the next one waits for it, looks it up, and comes behind it', async () => {
	const on = await scene({ lookUpMs: 1500 });
	on.simulator.control.addRule({ route: 'sendText', text: 'First', times: 1, sendAfterMs: 500 });
	const { outcome, tookMs } = await cancelled(on, slow, () => on.simulator.control.waitUntil(() => on.simulator.control.counts().sendText === 1));
	expect(tookMs).toBeLessThan(1000);
	expect(resultOf(outcome)).toMatchObject({ status: 'inDoubt', error: { code: 'cancelledInDoubt', sent: 'unknown' } });
	await expectAllGoesOn(on, slow, ['First']);
});

test('during a send that never reaches WhatsApp: the next one looks it up in vain, then goes; the replay stays in doubt', async () => {
	const on = await scene();
	on.simulator.control.addRule({ route: 'sendText', text: 'First', times: 1, answer: { kind: 'hang' } });
	await cancelled(on, slow, () => on.simulator.control.waitUntil(() => on.simulator.control.counts().sendText === 1));
	expect(resultOf(await on.run({ text: 'Next' })).status).toBe('completed');
	expect(resultOf(await on.run(slow))).toMatchObject({ status: 'inDoubt' });
	expect(on.texts()).toEqual(['Next']);
	expect(on.receiver.callsTo('/first')).toEqual([]);
});

test('during the send, after the message reached WhatsApp: found by the next one, and not sent again', async () => {
	const on = await scene();
	on.simulator.control.addRule({ route: 'sendText', text: 'First', times: 1, hold: true });
	const { outcome, tookMs } = await cancelled(on, slow, () => on.simulator.control.waitForMessages(1));
	expect(tookMs).toBeLessThan(1000);
	expect(resultOf(outcome).status).toBe('inDoubt');
	await expectAllGoesOn(on, slow, ['First']);
});

test('found by the next one, the first is on record as cancelled with its message sent', async () => {
	const on = await scene();
	on.simulator.control.addRule({ route: 'sendText', text: 'First', times: 1, hold: true });
	await cancelled(on, slow, () => on.simulator.control.waitForMessages(1));
	await on.run({ text: 'Next' });
	await on.engine.close();
	const ledger = SqliteLedger.open(on.folder);
	endWithTest(() => ledger.close());
	const first = await ledger.find(on.simulator.url, 'first');
	expect(first).toMatchObject({ status: 'cancelled', steps: [{ status: 'done', messageId: on.simulator.control.messages()[0]?.messageId }, { status: 'skipped' }] });
});

test('found by the next one as refused by WhatsApp, the first is failed for good: its replay calls no webhook', async () => {
	const on = await scene();
	on.simulator.control.addRule({ route: 'sendText', text: 'First', times: 1, hold: true, acks: [{ status: 'FAILED', afterMs: 30 }] });
	on.simulator.control.addRule({ route: 'sendText', text: 'Next', times: 1 });
	await cancelled(on, slow, () => on.simulator.control.waitForMessages(1));
	await on.simulator.control.waitUntil(() => on.simulator.control.acks().length === 1);
	expect(resultOf(await on.run({ text: 'Next' })).status).toBe('completed');
	expect(resultOf(await on.run(slow))).toMatchObject({ status: 'failed', replayed: true, error: { code: 'messageFailed' } });
	expect(on.texts()).toEqual(['First', 'Next']);
	expect(on.receiver.calls).toEqual([]);
});

test('during a look-up', async () => {
	const on = await scene({ lookUpMs: 5000 });
	on.simulator.control.addRule({ route: 'sendText', times: 1, answer: { kind: 'reset' }, sent: true });
	on.simulator.control.addRule({ route: 'findMessages', times: 1, answer: { kind: 'hang' } });
	const { outcome, tookMs } = await cancelled(on, slow, () => on.simulator.control.waitUntil(() => on.simulator.control.counts().findMessages === 1));
	expect(tookMs).toBeLessThan(1000);
	expect(resultOf(outcome).status).toBe('inDoubt');
	await expectAllGoesOn(on, slow, ['First']);
});

test('in the pause before a retry: nothing was sent', async () => {
	const on = await scene({ retryFirstMs: 5000 });
	on.simulator.control.addRule({ route: 'sendText', times: 1, answer: { kind: 'metaRefusal', code: 131016 } });
	const { outcome, tookMs } = await cancelled(on, slow, async () => {
		await on.simulator.control.waitUntil(() => on.simulator.control.counts().sendText === 1);
		await sleep(60);
	});
	expect(tookMs).toBeLessThan(1000);
	expect(resultOf(outcome)).toMatchObject({ status: 'cancelled', error: { sent: 'no' } });
	expect(stepsOf(outcome)).toBe('send cancelled, webhook skipped');
	await expectAllGoesOn(on, slow, []);
});

test('in the pause that a Retry-After asked for', async () => {
	const on = await scene();
	on.simulator.control.addRule({ route: 'sendText', times: 1, answer: { kind: 'rateLimit', retryAfterSeconds: 30 } });
	const { outcome, tookMs } = await cancelled(on, slow, async () => {
		await on.simulator.control.waitUntil(() => on.simulator.control.counts().sendText === 1);
		await sleep(60);
	});
	expect(tookMs).toBeLessThan(1000);
	expect(resultOf(outcome)).toMatchObject({ status: 'cancelled', error: { sent: 'no' } });
	await expectAllGoesOn(on, slow, []);
});

test.each([
	['a delay', { waitFor: 'delay', delaySeconds: 0.6 }],
	['a wait for an acknowledgement', { waitFor: 'delivered', ackTimeoutSeconds: 20 }],
] as const)('during %s: the message is out, the webhook is not called', async (_what, wait) => {
	const on = await scene();
	on.simulator.control.addRule({ route: 'sendText', text: 'First', acks: [] });
	const input = { ...slow, ...wait };
	const { outcome, tookMs } = await cancelled(on, input, async () => {
		await on.simulator.control.waitForMessages(1);
		await sleep(60);
	});
	expect(tookMs).toBeLessThan(1000);
	expect(resultOf(outcome)).toMatchObject({ status: 'cancelled', error: { code: 'cancelled', sent: 'yes' } });
	expect(stepsOf(outcome)).toBe('send done, wait cancelled, webhook skipped');
	expect(on.receiver.calls).toEqual([]);
	on.simulator.control.acknowledge(on.simulator.control.messages()[0]?.messageId ?? '', 'DELIVERED');
	await expectAllGoesOn(on, input, ['First']);
});

test('during a status look that hangs', async () => {
	const on = await scene();
	on.simulator.control.addRule({ route: 'findStatusMessage', times: 1, answer: { kind: 'hang' } });
	const { outcome, tookMs } = await cancelled(on, { ...slow, waitFor: 'delivered', ackTimeoutSeconds: 20 }, () => on.simulator.control.waitUntil(() => on.simulator.control.counts().findStatusMessage === 1));
	expect(tookMs).toBeLessThan(1000);
	expect(resultOf(outcome).status).toBe('cancelled');
});

test('during the webhook: the request ends, and the replay calls it again under its one ID', async () => {
	const on = await scene();
	on.receiver.behave('hang', { times: 1 });
	const { outcome, tookMs } = await cancelled(on, slow, () => on.receiver.waitForCalls(1));
	expect(tookMs).toBeLessThan(1000);
	expect(resultOf(outcome)).toMatchObject({ status: 'cancelled', error: { sent: 'yes' } });
	expect(stepsOf(outcome)).toBe('send done, webhook cancelled');
	await on.receiver.waitUntil(() => on.receiver.calls[0]?.abortedAt !== undefined);
	await expectAllGoesOn(on, slow, ['First']);
});

test('of several calls, those that have not begun are not begun', async () => {
	const on = await scene();
	on.receiver.behave('hang', { times: 1 });
	const abort = new AbortController();
	const running = on.engine.run([on.call({ text: 'A', webhookUrl: '/a' }), on.call({ text: 'B' }), on.call({ text: 'C' })], { stopOnFailure: false, signal: abort.signal });
	await on.receiver.waitForCalls(1);
	abort.abort();
	expect((await running).map(({ failure }) => failure?.code)).toEqual(['cancelled', 'notStarted', 'notStarted']);
	expect(on.texts()).toEqual(['A']);
});

const boundaries = [1, 2, 3, 4, 5, 6, 7].flatMap((save) => [{ when: 'before' as const, save }, { when: 'after' as const, save }]);

test.each(boundaries)('$when save $save of the ledger, to the instant: true on record, the chat free, and the same ID goes on', async ({ when, save }) => {
	const on = await scene();
	await on.engine.close();
	const abort = new AbortController();
	const abortAt = (count: number) => void (count === save && abort.abort());
	const engine = await Engine.on(hookedLedger(SqliteLedger.open(on.folder), { [when]: abortAt }), shortSettings);
	const input: CallInput = { ...slow, waitFor: 'delay', delaySeconds: 0.05 };
	const [outcome] = await engine.run([on.call(input)], { stopOnFailure: false, signal: abort.signal });
	await engine.close();
	on.engine = await openEngine(on.folder);

	const sent = on.texts();
	const webhooks = on.receiver.calls.length;
	const steps = outcome?.transaction?.steps ?? [];
	expect(abort.signal.aborted).toBe(true);
	// what is told is what the receiving ends saw
	if (steps[0]?.status === 'done') expect(sent).toEqual(['First']);
	if (steps[0]?.status === 'cancelled') expect(sent).toEqual([]);
	if (steps[2]?.status === 'done') expect(webhooks).toBe(1);
	if (steps[2]?.status === 'skipped') expect(webhooks).toBe(0);
	expect(outcome?.transaction?.status === 'inDoubt').toBe(steps.some(({ status }) => status === 'inDoubt'));
	expect(outcome?.transaction?.status === 'completed').toBe(steps.every(({ status }) => status === 'done'));

	const inDoubt = steps[0]?.status === 'inDoubt' && sent.length === 0;
	expect(resultOf(await on.run({ text: 'Next' })).status).toBe('completed');
	expect(on.texts()).toEqual([...sent, 'Next']);
	expect(resultOf(await on.run(input)).status).toBe(inDoubt ? 'inDoubt' : 'completed');
	expect(on.texts().filter((text) => text === 'First')).toHaveLength(inDoubt ? 0 : 1);
	expect(on.receiver.callsTo('/first')).toHaveLength(inDoubt ? 0 : 1);
});

test('cancelled at the very answer of a send or webhook (many instants), it never fails by itself and nothing is sent twice', async () => {
	const on = await scene();
	for (let ms = 0; ms < 25; ms++) {
		const abort = new AbortController();
		const input: CallInput = { ...slow, text: `First ${ms}`, options: { transactionId: `first-${ms}` } };
		setTimeout(() => abort.abort(), ms);
		await on.run(input, { signal: abort.signal }).catch((error: unknown) => expect(error).toMatchObject({ failure: { code: 'cancelled' } }));
		const again = await on.run(input);
		expect(['completed', 'inDoubt']).toContain(again.transaction?.status);
		const sent = on.texts().filter((text) => text === `First ${ms}`).length;
		expect(sent).toBeLessThanOrEqual(1);
		if (again.transaction?.status === 'completed') expect(sent).toBe(1);
	}
});
