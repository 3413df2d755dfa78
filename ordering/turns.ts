// The way of one transaction through its lane: from its ticket over its turns to its end.
import type { EgressFilter } from '../evolution/http';
import { only } from '../evolution/only';
import type { Connections } from './connections';
import { CancelledError, cancelledFailure, type Failure, failureOf, LaneLostError, OrderedSendError, SequenceTooLateError, StaleFenceError } from './errors';
import { finishErrorCallback } from './errorCallback';
import type { Grant, Lanes, OrderKey, Ticket } from './lanes/lanes';
import type { Ledger } from './ledger/ledger';
import type { OrderedSend } from './orderedSend';
import { type BeforeStep, closeTransaction, runSteps, settleEarlier } from './run';
import type { Settings } from './settings';
import type { Run, StepEnd } from './steps/step';
import { type Chat, hasEndedForGood, isMessageOut, type Transaction } from './transaction';

export interface Shared {
	ledger: Ledger;
	lanes: Lanes;
	connections: Connections;
	settings: Settings;
}

/** `transaction` is missing where the call was refused before one was recorded. */
export interface Outcome {
	transaction?: Transaction;
	replayed: boolean;
	/** Set for everything that is no success. */
	failure?: Failure;
}

export interface Means {
	signal?: AbortSignal;
	egress?: EgressFilter;
	/** Asked before each step that is to run; an end that it gives is the transaction's. */
	before?: BeforeStep;
}

/** One transaction that is on record, with its place in the lane. */
export interface Turn {
	transaction: Transaction;
	/** As its lane is called: an answer may have told meanwhile that WhatsApp calls it by another name. */
	chat: Chat;
	/** Whether this call has recorded it. */
	created: boolean;
	send: OrderedSend;
	ticket: Ticket;
}

/** Where a transaction stands in its lane. One whose message is out asks for no number: it sends nothing more. */
export function orderKeyOf(send: Pick<OrderedSend, 'priority' | 'definition'>, id: string, execution: number | undefined, recorded?: Transaction): OrderKey {
	const sequence = recorded && isMessageOut(recorded) ? undefined : (recorded?.definition ?? send.definition).sequence;
	return {
		priority: send.priority,
		transactionId: id,
		...(sequence ? { sequence: { ...sequence, again: recorded !== undefined && recorded.queue.fence > 0 } } : {}),
		...(execution === undefined ? {} : { execution }),
	};
}

/**
 * Waits for the transaction's turn, runs it, and lets the next one go on. `retake` gives another place, for a
 * transaction that has to queue up once more: its lane was lost, or an earlier one turned out to hold the chat.
 */
export async function runTurns(shared: Shared, turn: Turn, retake: (recorded: Transaction) => Ticket, means: Means): Promise<Outcome> {
	const { send } = turn;
	const until = performance.now() + send.queueTimeoutMs;
	let { ticket } = turn;
	let interrupted = false;
	for (;;) {
		let grant: Grant;
		try {
			grant = await ticket.turn(Math.max(0, Math.round(until - performance.now())), means.signal);
		} catch (error) {
			const recorded = error instanceof SequenceTooLateError ? await shared.ledger.find(send.chat.server, turn.transaction.id) : undefined;
			if (!recorded || !hasHadATurn(recorded, turn)) return await endInQueue(shared, turn, error, means);
			// another call with this ID has had the turn of this number
			turn.transaction = recorded;
			ticket = retake(recorded);
			continue;
		}
		const end = await useGrant(shared, turn, grant, interrupted, means);
		if (end) return end;
		interrupted = true;
		ticket = retake(turn.transaction);
	}
}

function hasHadATurn(recorded: Transaction, { transaction }: Turn): boolean {
	return recorded.queue.fence > transaction.queue.fence;
}

/** Undefined: the transaction has to queue up once more. */
async function useGrant(shared: Shared, turn: Turn, grant: Grant, interrupted: boolean, means: Means): Promise<Outcome | undefined> {
	const { send } = turn;
	let heldBy: string | undefined;
	try {
		// read again: whoever had the lane meanwhile may have settled it
		const transaction = (await shared.ledger.find(send.chat.server, turn.transaction.id)) ?? turn.transaction;
		turn.transaction = transaction;
		if (hasEndedForGood(transaction)) return await recordedOutcome(shared, transaction, send, means);
		if (interrupted && transaction.status !== 'open') return { transaction, replayed: false, failure: transaction.failure };
		const end = await runInLane(shared, turn, grant, means);
		heldBy = end.heldBy;
		grant.release(heldBy);
		for (const one of end.settled) await callBack(shared, one, send, means);
		if (end.again) return undefined;
		await callBack(shared, transaction, send, means);
		return { transaction, replayed: false, failure: end.failure ?? transaction.failure };
	} finally {
		grant.release(heldBy);
	}
}

export async function recordedOutcome(shared: Shared, transaction: Transaction, send: OrderedSend, means: Means): Promise<Outcome> {
	await callBack(shared, transaction, send, means);
	return { transaction, replayed: true, failure: transaction.failure };
}

interface LaneEnd {
	settled: Transaction[];
	failure?: Failure;
	/** The transaction that keeps the chat after this. */
	heldBy?: string;
	/** Whether it has not run to its end and has to queue up once more. */
	again?: boolean;
}

/** Changes `transaction` as it goes. A failure of its own is the ledger's, or a bug: then the transaction is not ended. */
async function runInLane(shared: Shared, { transaction, chat, send }: Turn, grant: Grant, means: Means): Promise<LaneEnd> {
	const { ticket, waitedMs, late, fence, missing, marks } = grant;
	Object.assign(transaction, { chat, queue: { ticket, waitedMs, late, fence, ...(missing ? { missing } : {}) }, marks, owner: shared.lanes.owner });
	const run = runOf(shared, transaction, send, grant, means);
	let settled: Transaction[] = [];
	try {
		settled = await settleEarlier(run, transaction);
		const holder = settled.find(({ holds }) => holds);
		if (holder) return { settled, heldBy: holder.id, again: true };
		await runSteps(run, means.before);
		return { settled, heldBy: transaction.holds ? transaction.id : undefined };
	} catch (error) {
		if (error instanceof LaneLostError) {
			// an intent that nothing came of is taken back, unless the next holder has settled it already
			await shared.ledger.save(transaction).catch((failed: unknown) => only(failed, OrderedSendError));
			return { settled, again: true };
		}
		// what is known in memory is the truth about what was sent
		transaction.status = 'failed';
		return { settled, failure: failureOf(error), heldBy: run.definition.onFailure === 'hold' ? transaction.id : undefined };
	}
}

/** A new transaction that never had its turn is recorded as such; one that had run before stays as it was. */
async function endInQueue(shared: Shared, { transaction, created, send }: Turn, error: unknown, means: Means): Promise<Outcome> {
	const { failure } = only(error, OrderedSendError);
	if (created && transaction.status === 'open') {
		const end: StepEnd = error instanceof CancelledError ? { status: 'cancelled', failure: cancelledFailure } : { status: 'failed', failure, forGood: error instanceof SequenceTooLateError };
		// it has done nothing, so nothing has to wait for what becomes of it
		closeTransaction(transaction, { ...(transaction.definition ?? send.definition), onFailure: 'release' }, end);
		try {
			await shared.ledger.save(transaction);
		} catch (stale) {
			only(stale, StaleFenceError); // another call with this ID has had its turn meanwhile
			return { transaction: await shared.ledger.find(send.chat.server, transaction.id), replayed: false, failure };
		}
		await callBack(shared, transaction, send, means);
	}
	return { transaction, replayed: false, failure };
}

function callBack({ ledger, connections, settings }: Shared, transaction: Transaction, send: OrderedSend, { egress }: Means): Promise<void> {
	return finishErrorCallback({ ledger, connections, settings, egress }, transaction, send);
}

/** The means of one run in the lane. */
export function runOf({ ledger, connections, settings }: Shared, transaction: Transaction, send: OrderedSend, grant: Grant, { signal, egress }: Means): Run {
	return {
		transaction,
		definition: transaction.definition ?? send.definition,
		send,
		server: connections.serverOf(send.access),
		receipts: connections.receiptsOf(send.chat.server),
		http: connections.http,
		ledger,
		settings,
		signal,
		egress,
		othersWaiting: () => grant.waiting().catch((error: unknown) => (only(error, OrderedSendError), 0)), // it only makes a hint
		save: () => ledger.save(transaction),
		saveIntent: async () => {
			await grant.confirm();
			await ledger.saveIntent(transaction);
			await grant.confirm();
		},
	};
}
