// What a review found, on doubt, bugs, waits and channels: each a scenario that once went wrong.
import { Engine } from '../../../ordering/engine';
import { LedgerUnavailableError } from '../../../ordering/errors';
import type { Ledger } from '../../../ordering/ledger/ledger';
import { SqliteLedger } from '../../../ordering/ledger/sqlite';
import { whatWasSent } from '../../../ordering/result';
import type { Settings } from '../../../ordering/settings';
import { wasSent } from '../../../ordering/transaction';
import { type CallInput } from '../../support/calls';
import { hookedLedger, type SaveHooks } from '../../support/hookedLedger';
import { endWithTest, resultOf, type Scene, scene, shortSettings, sleep, stepsOf } from '../../support/scene';

/** A scene whose ledger is what `wrap` makes of the real one. */
async function sceneOn(wrap: (ledger: Ledger) => Ledger, settings: Partial<Settings> = {}): Promise<Scene> {
	const on = await scene(settings);
	await on.engine.close();
	on.engine = await Engine.on(wrap(SqliteLedger.open(on.folder)), { ...shortSettings, ...settings });
	endWithTest(() => on.engine.close());
	return on;
}

function pruningFails(error: Error): (ledger: Ledger) => Ledger {
	return (ledger) =>
		new Proxy(ledger, {
			get(target, name) {
				if (name === 'prune') return () => Promise.reject(error);
				const value: unknown = Reflect.get(target, name, target);
				return typeof value === 'function' ? value.bind(target) : value;
			},
		});
}

/** Starts one call whose send hangs, is cancelled in doubt, and reaches WhatsApp a little later. */
async function cancelledInDoubt(on: Scene, input: CallInput): Promise<void> {
	on.simulator.control.addRule({ route: 'sendText', times: 1, sent: true, sendAfterMs: 600, answer: { kind: 'hang' } });
	const abort = new AbortController();
	const first = on.run({ ...input, options: { ...input.options, requestTimeoutSeconds: 10 } }, { signal: abort.signal });
	await on.simulator.control.waitUntil(() => on.simulator.control.counts().sendText === 1);
	abort.abort();
	expect(stepsOf(await first)).toMatch(/^send inDoubt/);
	expect(on.texts()).toEqual([]);
}

describe('a message in doubt that the next one settles while its replay waits behind that one', () => {
	test.each(['stop', 'sendAgain'])('is not sent again with On In Doubt "%s": the replay goes on from the settled state', async (onInDoubt) => {
		const on = await scene({ lookUpMs: 3000 });
		const a: CallInput = { text: 'A', webhookUrl: '/after', options: { transactionId: 'A' } };
		await cancelledInDoubt(on, a);
		const next = on.run({ text: 'B' });
		const replay = on.run({ ...a, options: { transactionId: 'A', onInDoubt } });
		expect(resultOf(await next).status).toBe('completed');
		expect(resultOf(await replay)).toMatchObject({ status: 'completed', duplicatePossible: false });
		expect(on.effects()).toEqual(['message A', 'message B', 'webhook /after']);
	});
});

describe('a bug in one call', () => {
	const breaks = (save: number, id: string, error: Error): SaveHooks => {
		let count = 0;
		return {
			before: (_count, transaction) => {
				if (transaction.id === id && ++count === save) throw error;
			},
		};
	};

	test("neither ends the run's other calls nor frees their chats", async () => {
		const on = await sceneOn((ledger) => hookedLedger(ledger, breaks(1, 'bad', new Error('a bug'))));
		on.receiver.behave('hold');
		const good = on.call({ text: 'good', webhookUrl: '/slow', options: { requestTimeoutSeconds: 20 } });
		const bad = on.call({ text: 'bad', number: '5511900000001', options: { transactionId: 'bad' } });
		const run = on.engine.run([good, bad], { stopOnFailure: false });
		await on.receiver.waitForCalls(1);
		// the broken call has ended: its own chat is free
		expect(resultOf(await on.run({ text: 'same chat as bad', number: '5511900000001' })).status).toBe('completed');
		const second = on.run({ text: 'second', options: { queueTimeoutSeconds: 20 } });
		await sleep(300);
		expect(on.texts()).toEqual(['good', 'same chat as bad']);
		on.receiver.release();
		const [ofGood, ofBad] = await run;
		expect(ofGood?.transaction?.status).toBe('completed');
		expect(ofBad?.failure).toMatchObject({ code: 'unexpected', message: 'a bug' });
		expect(resultOf(await second).status).toBe('completed');
		const sentAt = on.simulator.control.messages().find(({ text }) => text === 'second')?.at ?? 0;
		expect(sentAt).toBeGreaterThan(on.receiver.calls[0]?.answeredAt ?? Infinity);
	});

	test.each([
		[1, 'no', []],
		[2, 'yes', ['Hi']],
		[3, 'yes', ['Hi']],
	] as const)('at save %i ends it as unexpected, and the transaction tells whether it was sent: %s', async (save, sent, texts) => {
		const on = await sceneOn((ledger) => hookedLedger(ledger, breaks(save, 't', new Error('a bug'))));
		const outcome = await on.run({ text: 'Hi', webhookUrl: '/after', options: { transactionId: 't' } });
		expect(outcome.failure?.code).toBe('unexpected');
		expect(outcome.transaction && wasSent(outcome.transaction)).toBe(sent);
		expect(on.texts()).toEqual(texts);
	});

	test('a text that is no well-formed Unicode is refused as an instance name', async () => {
		const on = await scene();
		expect(() => on.call({ instanceName: 'a\ud83d' })).toThrow(expect.objectContaining({ name: 'InvalidInputError' }));
	});
});

describe('the same ID while the first call is still at work', () => {
	const input: CallInput = { text: 'Hi', webhookUrl: '/after', options: { transactionId: 't', requestTimeoutSeconds: 20 } };

	test('after Queue Timeout: still running, with the transaction, which tells that the message is out', async () => {
		const on = await scene();
		on.receiver.behave('hold');
		const first = on.run(input);
		await on.receiver.waitForCalls(1);
		const { failure, transaction } = await on.run({ ...input, options: { ...input.options, queueTimeoutSeconds: 0.5 } });
		expect(failure?.code).toBe('stillRunning');
		expect(transaction && wasSent(transaction)).toBe('yes');
		on.receiver.release();
		expect(resultOf(await first).status).toBe('completed');
	});

	test('cancelled while it stands aside: the transaction tells that the message is out', async () => {
		const on = await scene();
		on.receiver.behave('hold');
		const first = on.run(input);
		await on.receiver.waitForCalls(1);
		const abort = new AbortController();
		setTimeout(() => abort.abort(), 50);
		const { failure, transaction } = await on.run(input, { signal: abort.signal });
		expect(failure?.code).toBe('cancelled');
		expect(transaction && wasSent(transaction)).toBe('yes');
		on.receiver.release();
		expect(resultOf(await first).status).toBe('completed');
	});
});

test.each([
	['the disk is full', () => new LedgerUnavailableError('disk is full')],
	['a bug', () => new Error('a bug')],
])('housekeeping that fails, by %s, changes no outcome', async (_what, error) => {
	const on = await sceneOn(pruningFails(error()));
	const outcome = await on.run({ text: 'Hi' });
	expect(outcome.failure).toBeUndefined();
	expect(resultOf(outcome).status).toBe('completed');
});

describe('a wait while the requests of others hang in all slots', () => {
	const poll = { firstMs: 15, factor: 1.3, mostMs: 60, atOnce: 2 };
	/** No slot is free before, since a request that hangs keeps its slot for 5 s. */
	const beforeSlotsAreFreeMs = 4000;

	/** Two waits of other chats hold both slots; `ended` tells of their ends. */
	async function slotsTaken(): Promise<{ on: Scene; ended: () => number; end: () => Promise<unknown> }> {
		const on = await scene({ poll });
		on.simulator.control.addRule({ route: 'findStatusMessage', answer: { kind: 'hang' } });
		const abort = new AbortController();
		let ended = 0;
		const input: CallInput = { waitFor: 'delivered', ackTimeoutSeconds: 30, options: { requestTimeoutSeconds: 30 } };
		const waits = ['5511900000001', '5511900000002'].map((number) => on.run({ ...input, number, text: number }, { signal: abort.signal }).finally(() => ended++));
		await on.simulator.control.waitUntil(() => on.simulator.control.counts().findStatusMessage === 2);
		const end = () => {
			abort.abort();
			return Promise.all(waits);
		};
		return { on, ended: () => ended, end };
	}

	test('ends when it is stopped', async () => {
		const { on, ended, end } = await slotsTaken();
		const startedAt = performance.now();
		const abort = new AbortController();
		const stopped = on.run({ text: 'third', waitFor: 'delivered', ackTimeoutSeconds: 30 }, { signal: abort.signal });
		await on.simulator.control.waitForMessages(3);
		await sleep(100);
		abort.abort();
		expect(stepsOf(await stopped)).toBe('send done, wait cancelled');
		expect(ended()).toBe(0);
		expect(performance.now() - startedAt).toBeLessThan(beforeSlotsAreFreeMs);
		expect(on.simulator.control.counts().findStatusMessage).toBe(2);
		await end();
	});

	test('ends when its time is up', async () => {
		const { on, ended, end } = await slotsTaken();
		const startedAt = performance.now();
		const outcome = await on.run({ text: 'third', waitFor: 'delivered', ackTimeoutSeconds: 0.5 });
		expect(stepsOf(outcome)).toBe('send done, wait unconfirmed');
		expect(ended()).toBe(0);
		expect(performance.now() - startedAt).toBeLessThan(beforeSlotsAreFreeMs);
		await end();
	});
});

test("the webhook's intent can not be recorded: the result says that it was not called, after no attempt", async () => {
	const before = (count: number) => {
		if (count === 3) throw new LedgerUnavailableError('disk is full');
	};
	const on = await sceneOn((ledger) => hookedLedger(ledger, { before }));
	const outcome = await on.run({ text: 'Hi', webhookUrl: '/after' });
	expect(outcome.failure?.code).toBe('ledgerUnavailable');
	expect(resultOf(outcome).steps[1]).toMatchObject({ type: 'webhook', attempts: 0 });
	expect(outcome.transaction && whatWasSent(outcome.transaction)).toMatch(/^The message was sent .* The webhook was not called\.$/);
	expect(on.receiver.calls).toEqual([]);
});
