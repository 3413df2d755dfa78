// Every row of the tables of states, every pair that is in none of them, and the replay table.
import {
	hasEndedForGood, moveStep, moveTransaction, plannedSteps, reopen, type Replay, replayOf, sendBefore, sendInDoubt, type StepStatus, stepTransitions, type StepType, type Transaction, type TransactionStatus, transactionTransitions, wasSent,
} from '../../ordering/transaction';
import { definition, failure, plannedWait, plannedWebhook, step, transaction } from './ledger/fixtures';

const stepStatuses: StepStatus[] = ['pending', 'running', 'done', 'unconfirmed', 'inDoubt', 'failed', 'skipped', 'cancelled'];
const transactionStatuses: TransactionStatus[] = ['open', 'completed', 'unconfirmed', 'inDoubt', 'failed', 'cancelled'];

function pairsOf<T>(all: T[]): Array<{ from: T; to: T }> {
	return all.flatMap((from) => all.map((to) => ({ from, to })));
}

function isRow(rows: ReadonlyArray<{ from: string; to: string }>, { from, to }: { from: string; to: string }): boolean {
	return rows.some((row) => row.from === from && row.to === to);
}

describe('a step', () => {
	test.each(stepTransitions)('may go from $from to $to: $when', ({ from, to, when }) => {
		const one = step({ status: from });
		moveStep(one, to);
		expect(one.status).toBe(to);
		expect(when.length).toBeGreaterThan(10);
	});

	test.each(pairsOf(stepStatuses).filter((pair) => !isRow(stepTransitions, pair)))('never goes from $from to $to', ({ from, to }) => {
		const one = step({ status: from, type: 'wait' });
		expect(() => moveStep(one, to)).toThrow(`A wait step can't go from ${from} to ${to}`);
		expect(one.status).toBe(from);
	});

	test('stays done for ever', () => {
		expect(stepTransitions.filter(({ from }) => (from as string) === 'done')).toEqual([]);
	});

	test('stands in the table at most once for each change', () => {
		expect(new Set(stepTransitions.map(({ from, to }) => `${from} ${to}`)).size).toBe(stepTransitions.length);
	});
});

describe('a transaction', () => {
	test.each(transactionTransitions)('may go from $from to $to: $when', ({ from, to, when }) => {
		const one = transaction({ status: from });
		moveTransaction(one, to);
		expect(one.status).toBe(to);
		expect(when.length).toBeGreaterThan(10);
	});

	test.each(pairsOf(transactionStatuses).filter((pair) => !isRow(transactionTransitions, pair)))('never goes from $from to $to', ({ from, to }) => {
		const one = transaction({ status: from });
		expect(() => moveTransaction(one, to)).toThrow(`A transaction can't go from ${from} to ${to}`);
		expect(one.status).toBe(from);
	});

	test('stays completed for ever', () => {
		expect(transactionTransitions.filter(({ from }) => (from as string) === 'completed')).toEqual([]);
	});
});

/** One transaction of the three steps in these states. */
function chain(status: TransactionStatus, [send, wait, webhook]: [StepStatus, StepStatus, StepStatus], more: Partial<Transaction> = {}): Transaction {
	const types: StepType[] = ['send', 'wait', 'webhook'];
	const steps = [send, wait, webhook].map((one, index) => step({ index, type: types[index], status: one, ...(one === 'done' && index === 0 ? { messageId: 'M1' } : {}) }));
	return transaction({ status, steps, definition: { ...definition, plan: [...definition.plan, plannedWait(), plannedWebhook()] }, ...more });
}

interface Row {
	when: string;
	given: Transaction;
	replay: Replay;
	endedForGood: boolean;
	sent: 'yes' | 'no' | 'unknown';
	/** States of the steps after a replay has opened it again. */
	reopened?: StepStatus[];
}

const rows: Row[] = [
	{ when: 'completed', given: chain('completed', ['done', 'done', 'done']), replay: 'recordedResult', endedForGood: true, sent: 'yes' },
	{ when: 'unconfirmed with the webhook called', given: chain('unconfirmed', ['done', 'unconfirmed', 'done']), replay: 'recordedResult', endedForGood: true, sent: 'yes' },
	{ when: 'failed for good', given: chain('failed', ['failed', 'skipped', 'skipped'], { failure, failedForGood: true }), replay: 'recordedError', endedForGood: true, sent: 'no' },
	{ when: 'failed in a way that may pass, before the message', given: chain('failed', ['failed', 'skipped', 'skipped'], { failure }), replay: 'goOn', endedForGood: false, sent: 'no', reopened: ['pending', 'pending', 'pending'] },
	{ when: 'failed at its webhook', given: chain('failed', ['done', 'done', 'failed'], { failure }), replay: 'goOn', endedForGood: false, sent: 'yes', reopened: ['done', 'done', 'pending'] },
	{ when: 'failed at its webhook after a wait that it went on from', given: chain('failed', ['done', 'unconfirmed', 'failed'], { failure, definition: { ...definition, plan: [...definition.plan, plannedWait({ onTimeout: 'continue' }), plannedWebhook()] } }), replay: 'goOn', endedForGood: false, sent: 'yes', reopened: ['done', 'unconfirmed', 'pending'] },
	{ when: 'cancelled before the message', given: chain('cancelled', ['cancelled', 'skipped', 'skipped'], { failure }), replay: 'goOn', endedForGood: false, sent: 'no', reopened: ['pending', 'pending', 'pending'] },
	{ when: 'cancelled in its wait', given: chain('cancelled', ['done', 'cancelled', 'skipped'], { failure }), replay: 'goOn', endedForGood: false, sent: 'yes', reopened: ['done', 'pending', 'pending'] },
	{ when: 'stopped at a wait', given: chain('unconfirmed', ['done', 'unconfirmed', 'skipped'], { failure }), replay: 'goOn', endedForGood: false, sent: 'yes', reopened: ['done', 'pending', 'pending'] },
	{ when: 'in doubt', given: chain('inDoubt', ['inDoubt', 'skipped', 'skipped'], { failure }), replay: 'lookUp', endedForGood: false, sent: 'unknown', reopened: ['inDoubt', 'pending', 'pending'] },
	{ when: 'open, its process died before the send', given: chain('open', ['pending', 'pending', 'pending']), replay: 'goOn', endedForGood: false, sent: 'no', reopened: ['pending', 'pending', 'pending'] },
	{ when: 'open, its process died in the send', given: chain('open', ['running', 'pending', 'pending']), replay: 'lookUp', endedForGood: false, sent: 'unknown', reopened: ['running', 'pending', 'pending'] },
	{ when: 'open, its process died in the wait', given: chain('open', ['done', 'running', 'pending']), replay: 'goOn', endedForGood: false, sent: 'yes', reopened: ['done', 'pending', 'pending'] },
	{ when: 'open, its process died when its wait had stopped it', given: chain('open', ['done', 'unconfirmed', 'pending']), replay: 'goOn', endedForGood: false, sent: 'yes', reopened: ['done', 'pending', 'pending'] },
	{ when: 'open, its process died in the webhook call', given: chain('open', ['done', 'done', 'running']), replay: 'goOn', endedForGood: false, sent: 'yes', reopened: ['done', 'done', 'pending'] },
];

describe('the same ID again, when the first is', () => {
	test.each(rows)('$when, is: $replay', ({ given, replay, endedForGood, sent }) => {
		expect(replayOf(given)).toBe(replay);
		expect(hasEndedForGood(given)).toBe(endedForGood);
		expect(wasSent(given)).toBe(sent);
	});

	test.each(rows.filter(({ reopened }) => reopened))('$when, opens again what is not done', ({ given, reopened }) => {
		const again = structuredClone({ ...given, endedAt: 5, errorCallback: { url: 'http://x', status: 'done' as const, attempts: 1 } });
		for (const one of again.steps) if (one.status !== 'done') Object.assign(one, { error: failure });
		reopen(again);
		expect(again.status).toBe('open');
		expect(again.steps.map(({ status }) => status)).toEqual(reopened);
		expect(again.failure).toBeUndefined();
		expect(again.endedAt).toBeUndefined();
		expect(again.errorCallback).toBeUndefined();
		for (const one of again.steps) if (one.status === 'pending' && given.steps[one.index]?.status !== 'pending') expect(one.error).toBeUndefined();
	});

	test('a transaction that is not over has not ended for good, whatever it has come to', () => {
		expect(hasEndedForGood(chain('open', ['done', 'done', 'done']))).toBe(false);
	});
});

test('later steps refer to the message that was sent, and to none where none was', () => {
	expect(sendBefore(chain('completed', ['done', 'done', 'done']))?.messageId).toBe('M1');
	expect(sendBefore(chain('completed', ['done', 'done', 'done']), 0)).toBeUndefined();
	expect(sendInDoubt(chain('completed', ['done', 'done', 'done']))).toBeUndefined();
	expect(sendInDoubt(chain('inDoubt', ['inDoubt', 'skipped', 'skipped']))?.index).toBe(0);
});

test('a transaction has a step for each that is planned, with its number and kind where there are several', () => {
	expect(plannedSteps(definition)).toEqual([{ index: 0, type: 'send', status: 'pending', attempts: 0 }]);
	const plan = [{ ...definition.plan[0]!, step: 1 }, plannedWait({ step: 1 }), plannedWebhook({ step: 2 })];
	expect(plannedSteps({ plan })).toEqual([
		{ index: 0, type: 'send', step: 1, kind: 'text', status: 'pending', attempts: 0 },
		{ index: 1, type: 'wait', step: 1, kind: 'delivered', status: 'pending', attempts: 0 },
		{ index: 2, type: 'webhook', step: 2, status: 'pending', attempts: 0 },
	]);
});
