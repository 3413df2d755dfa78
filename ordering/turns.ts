// The way of one transaction through its lane: from its ticket over its turns and its waits to its end.
import type { EgressFilter } from '../evolution/http';
import { only } from '../evolution/only';
import type { Receipt } from '../evolution/receipt';
import { toRecipient } from '../evolution/recipient';
import type { Connections } from './connections';
import { CancelledError, cancelledFailure, type Failure, failureOf, LaneLostError, LanesUnavailableError, OrderedSendError, SequenceTooLateError, StaleFenceError } from './errors';
import { finishCallbacks } from './callbacks';
import type { Grant, Lanes, OrderKey, Ticket } from './lanes/lanes';
import type { Ledger } from './ledger/ledger';
import type { OrderedSend, WebhookSecrets } from './orderedSend';
import type { WaitEnd } from './receipts/waits';
import { type BeforeStep, closeTransaction, runSteps, settleEarlier } from './run';
import type { Settings } from './settings';
import type { Run, StepEnd } from './steps/step';
import type { Definition } from './plan';
import { type Chat, hasEndedForGood, isMessageOut, reopen, sendsOf, type Step, type StepStatus, type StepType, type Transaction } from './transaction';

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
	id: string;
	transaction: Transaction;
	/** As its lane is called: an answer may have told meanwhile that WhatsApp calls it by another name. */
	chat: Chat;
	/** Whether it is over where it has done nothing when its time in the queue is. */
	endsInQueue: boolean;
	send: OrderedSend;
	/** The n8n execution that asks, where its ID is a number. */
	execution?: number;
	/** Whether it has no number in the queue, since it sees by itself that it sends nothing behind a later message. */
	unnumbered?: boolean;
	/** Its place in the lane. Where there is none, one is taken when it is needed. */
	ticket?: Ticket;
	/** Until when it may stand in the queue, in ms of `performance.now()`. */
	queueUntil?: number;
	/** Whether it has had a turn already. */
	interrupted?: boolean;
	grant?: Grant;
	/** Set where its wait is over, and it goes on with its turn. */
	waited?: { end: WaitEnd | undefined };
	/** To be called when the lane is free: the error callbacks of what it has settled. */
	tellOfSettled?: () => Promise<void>;
}

/**
 * A transaction that waits. Thousands do at once, so of all that is on record nothing is kept in memory; when the wait
 * is over, {@link goOn}.
 */
export class Parked {
	readonly id: string;
	readonly chat: Chat;
	readonly endsInQueue: boolean;
	readonly execution: number | undefined;
	readonly grant: Grant;
	readonly queueUntil: number | undefined;
	readonly tellOfSettled: Turn['tellOfSettled'];
	/** What has to be known even when the ledger fails: the steps, a line each. */
	readonly steps: string;
	readonly duplicatePossible: boolean;
	readonly holdsOnFailure: boolean;
	private readonly access: OrderedSend['access'];
	private readonly chatAsCalled: Chat;
	private readonly onInDoubt: OrderedSend['onInDoubt'];
	private readonly priority: OrderedSend['priority'];
	private readonly queueTimeoutMs: number;
	private readonly webhookSecrets: OrderedSend['webhookSecrets'];
	private readonly webhookHeaders: OrderedSend['webhookHeaders'];
	private readonly files: OrderedSend['files'];
	private readonly errorCallbackUrl: string | undefined;
	private readonly compensationWebhookUrl: string | undefined;

	/** `over` is the end of its wait. */
	constructor({ id, transaction, chat, endsInQueue, send, execution, grant, queueUntil, tellOfSettled }: Turn, readonly over: Promise<WaitEnd | undefined>) {
		this.id = id;
		this.chat = chat;
		this.endsInQueue = endsInQueue;
		this.execution = execution;
		this.grant = grant as Grant;
		this.queueUntil = queueUntil;
		this.tellOfSettled = tellOfSettled;
		this.steps = transaction.steps.map(({ type, status, attempts, step = '', kind = '', receipt = '', messageId = '' }) => [type, status, attempts, step, kind, receipt, messageId].join(' ')).join('\n');
		this.duplicatePossible = transaction.duplicatePossible;
		this.holdsOnFailure = transaction.definition?.onFailure === 'hold';
		this.access = send.access;
		this.chatAsCalled = send.chat;
		this.onInDoubt = send.onInDoubt;
		this.priority = send.priority;
		this.queueTimeoutMs = send.queueTimeoutMs;
		this.webhookSecrets = hasSecrets(send.webhookSecrets) ? send.webhookSecrets : noSecrets;
		this.webhookHeaders = Object.keys(send.webhookHeaders).length > 0 ? send.webhookHeaders : nothing;
		this.files = filesStillNeeded(send.files, transaction);
		this.errorCallbackUrl = send.definition.errorCallbackUrl;
		this.compensationWebhookUrl = send.definition.compensationWebhookUrl;
	}

	/** The call again, with the definition that is on record. */
	callWith(recorded: Definition): OrderedSend {
		const { id, chatAsCalled: chat, access, onInDoubt, priority, queueTimeoutMs, webhookSecrets, webhookHeaders, files, errorCallbackUrl, compensationWebhookUrl } = this;
		return { access, chat, recipient: toRecipient(chat.recipient), transactionId: id, onInDoubt, priority, queueTimeoutMs, webhookSecrets, webhookHeaders, files, definition: { ...recorded, errorCallbackUrl, compensationWebhookUrl } };
	}
}

const noSecrets: WebhookSecrets = { headers: [] };
const nothing: Record<number, never> = {};

/** Files are large: those that are out are let go of. */
function filesStillNeeded(files: OrderedSend['files'], transaction: Transaction): OrderedSend['files'] {
	const sends = sendsOf(transaction);
	const needed = Object.entries(files).filter(([ordinal]) => sends[Number(ordinal)]?.status !== 'done');
	return needed.length > 0 ? Object.fromEntries(needed) : nothing;
}

function hasSecrets({ headers, signingSecret }: WebhookSecrets): boolean {
	return headers.length > 0 || signingSecret !== undefined;
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

/** The end of the transaction, over all its waits. */
export async function runToEnd(shared: Shared, turn: Turn, means: Means): Promise<Outcome> {
	let now = await runTurns(shared, turn, means);
	while (now instanceof Parked) now = await goOn(shared, now, await now.over.catch((error: Error) => error), means);
	return now;
}

/**
 * Waits for the transaction's turn and runs it, to its end or until it waits; at its end, lets the next one go on. It
 * queues up once more when its lane was lost, or an earlier one turned out to hold the chat.
 */
export async function runTurns(shared: Shared, turn: Turn, means: Means): Promise<Outcome | Parked> {
	for (;;) {
		turn.queueUntil ??= Math.round(performance.now()) + turn.send.queueTimeoutMs;
		const end = (turn.grant ? undefined : await queueUp(shared, turn, means)) ?? (await useGrant(shared, turn, means));
		if (end) return end;
		turn.interrupted = true;
		turn.queueUntil = undefined;
		turn.waited = undefined;
		turn.tellOfSettled = undefined;
		turn.grant = undefined;
		turn.ticket = undefined;
	}
}

/** Goes on with a transaction whose wait has ended with `end` (an error for a bug), as {@link runTurns}. */
export async function goOn(shared: Shared, parked: Parked, end: WaitEnd | Error | undefined, means: Means): Promise<Outcome | Parked> {
	const { id, chat, endsInQueue, execution, grant, queueUntil, tellOfSettled } = parked;
	let transaction: Transaction;
	let definition: Definition;
	try {
		if (end instanceof Error) throw end;
		({ transaction, definition } = await readAgain(shared, parked));
	} catch (error) {
		grant.release(parked.holdsOnFailure ? id : undefined);
		await tellOfSettled?.();
		return { transaction: lastKnown(parked), replayed: false, failure: failureOf(error) };
	}
	return await runTurns(shared, { id, transaction, chat, endsInQueue, send: parked.callWith(definition), execution, queueUntil, grant, waited: { end }, tellOfSettled }, means);
}

/** Throws `StaleFenceError` where another holder of the lane has settled it meanwhile. */
async function readAgain({ ledger }: Shared, { id, chat, grant }: Parked): Promise<{ transaction: Transaction; definition: Definition }> {
	const transaction = await ledger.find(chat.server, id);
	if (transaction?.queue.fence !== grant.fence || !transaction.definition) throw new StaleFenceError();
	return { transaction, definition: transaction.definition };
}

/** What became of a transaction whose record can't be read after its wait: nothing followed what was done before. */
function lastKnown({ id, chat, grant, steps, duplicatePossible }: Parked): Transaction {
	const { ticket, waitedMs, late, fence } = grant;
	return {
		id,
		chat,
		status: 'failed',
		content: '',
		steps: steps.split('\n').map(stepIn),
		failedForGood: false,
		duplicatePossible,
		queue: { ticket, waitedMs, late, fence },
		createdAt: Date.now(),
	};
}

function stepIn(line: string, index: number): Step {
	const [type, status, attempts, step, kind, receipt, messageId] = line.split(' ');
	return {
		index,
		type: type as StepType,
		...(step ? { step: Number(step) } : {}),
		...(kind ? { kind } : {}),
		status: status as StepStatus,
		attempts: Number(attempts),
		...(receipt ? { receipt: receipt as Receipt } : {}),
		...(messageId ? { messageId } : {}),
	};
}

/** Sets `grant`, unless it ended in the queue. */
async function queueUp(shared: Shared, turn: Turn, means: Means): Promise<Outcome | undefined> {
	for (;;) {
		turn.ticket ??= takeTicket(shared, turn);
		try {
			turn.grant = await turn.ticket.turn(Math.max(0, (turn.queueUntil ?? 0) - Math.round(performance.now())), means.signal);
			return undefined;
		} catch (error) {
			const recorded = error instanceof SequenceTooLateError ? await shared.ledger.find(turn.send.chat.server, turn.transaction.id) : undefined;
			if (!recorded || !hasHadATurn(recorded, turn)) return await endInQueue(shared, turn, error, means);
			// another call with this ID has had the turn of this number
			turn.transaction = recorded;
			turn.ticket = undefined;
		}
	}
}

function takeTicket({ lanes }: Shared, { chat, send, execution, transaction, unnumbered }: Turn): Ticket {
	const key = orderKeyOf(send, transaction.id, execution, transaction);
	return lanes.take(chat, unnumbered ? { ...key, sequence: undefined } : key);
}

function hasHadATurn(recorded: Transaction, { transaction }: Turn): boolean {
	return recorded.queue.fence > transaction.queue.fence;
}

/** Undefined: the transaction has to queue up once more. The lane stays its own while it waits. */
async function useGrant(shared: Shared, turn: Turn, means: Means): Promise<Outcome | Parked | undefined> {
	const { send } = turn;
	const grant = turn.grant as Grant;
	let heldBy: string | undefined;
	let parked: Parked | undefined;
	try {
		if (!turn.waited) {
			// read again: whoever had the lane meanwhile may have settled it
			turn.transaction = (await shared.ledger.find(send.chat.server, turn.transaction.id)) ?? turn.transaction;
			if (hasEndedForGood(turn.transaction)) return await recordedOutcome(shared, turn.transaction, send, means);
			if (turn.interrupted && turn.transaction.status !== 'open') return { transaction: turn.transaction, replayed: false, failure: turn.transaction.failure };
		}
		const { transaction } = turn;
		const end = await runInLane(shared, turn, grant, means);
		if (end.over) return (parked = new Parked(turn, end.over));
		heldBy = end.heldBy;
		grant.release(heldBy);
		await turn.tellOfSettled?.();
		if (end.again) return undefined;
		await callBack(shared, transaction, send, means);
		return { transaction, replayed: false, failure: end.failure ?? transaction.failure };
	} finally {
		if (!parked) grant.release(heldBy);
	}
}

export async function recordedOutcome(shared: Shared, transaction: Transaction, send: OrderedSend, means: Means): Promise<Outcome> {
	await callBack(shared, transaction, send, means);
	return { transaction, replayed: true, failure: transaction.failure };
}

interface LaneEnd {
	failure?: Failure;
	/** The transaction that keeps the chat after this. */
	heldBy?: string;
	/** Whether it has not run to its end and has to queue up once more. */
	again?: boolean;
	/** Set where it waits. */
	over?: Promise<WaitEnd | undefined>;
}

/** Changes `transaction` as it goes. A failure of its own is the ledger's, or a bug: then the transaction is not ended. */
async function runInLane(shared: Shared, turn: Turn, grant: Grant, means: Means): Promise<LaneEnd> {
	const { transaction, waited } = turn;
	if (!waited) enter(shared, turn, grant);
	const run: Run = { ...runOf(shared, transaction, turn.send, grant, means), waited: waited?.end };
	try {
		const holder = waited ? undefined : await settleBefore(shared, turn, run, means);
		if (holder) return { heldBy: holder.id, again: true };
		const waiting = await runSteps(run, means.before);
		return { heldBy: transaction.holds ? transaction.id : undefined, over: waiting?.over };
	} catch (error) {
		if (error instanceof LaneLostError) {
			// an intent that nothing came of is taken back, unless the next holder has settled it already
			await shared.ledger.save(transaction).catch((failed: unknown) => only(failed, OrderedSendError));
			return { again: true };
		}
		if (error instanceof CancelledError || error instanceof LanesUnavailableError) return await endUnconfirmed(shared, run, error);
		// what is known in memory is the truth about what was sent
		transaction.status = 'failed';
		return { failure: failureOf(error), heldBy: run.definition.onFailure === 'hold' ? transaction.id : undefined };
	}
}

/** It could not be told whether the lane is still its own, and so nothing more was done. */
async function endUnconfirmed({ ledger }: Shared, { transaction, definition }: Run, error: CancelledError | LanesUnavailableError): Promise<LaneEnd> {
	const { failure } = error;
	const status = transaction.steps.some((step) => step.status === 'inDoubt') ? 'inDoubt' : error instanceof CancelledError ? 'cancelled' : 'failed';
	closeTransaction(transaction, definition, { status, failure });
	await ledger.save(transaction).catch((failed: unknown) => only(failed, OrderedSendError));
	return { failure, heldBy: transaction.holds ? transaction.id : undefined };
}

/** Settles what earlier holders of the lane left, and tells which of that keeps the chat; where none does, the steps may begin. */
async function settleBefore(shared: Shared, turn: Turn, run: Run, means: Means): Promise<Transaction | undefined> {
	const settled = await settleEarlier(run, turn.transaction);
	turn.tellOfSettled = settled.length === 0 ? undefined : async () => {
		for (const one of settled) await callBack(shared, one, turn.send, means);
	};
	const holder = settled.find(({ holds }) => holds);
	if (!holder) reopen(turn.transaction);
	return holder;
}

function enter({ lanes }: Shared, { transaction, chat }: Turn, { ticket, waitedMs, late, fence, missing, marks }: Grant): void {
	Object.assign(transaction, { chat, queue: { ticket, waitedMs, late, fence, ...(missing ? { missing } : {}) }, marks, owner: lanes.owner });
}

/** One that has done nothing is over then; one that had run before stays as it was. */
async function endInQueue(shared: Shared, { transaction, endsInQueue, send }: Turn, error: unknown, means: Means): Promise<Outcome> {
	const { failure } = only(error, OrderedSendError);
	// a number that is gone is gone for whoever waits for it, and for one that a dead process left
	const isOver = endsInQueue || error instanceof SequenceTooLateError;
	const hasDoneNothing = transaction.status === 'open' && transaction.steps.every(({ status }) => status === 'pending');
	if (isOver && hasDoneNothing) {
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
	return finishCallbacks({ ledger, connections, settings, egress }, transaction, send);
}

/** The means of one run in the lane. */
export function runOf({ ledger, lanes, connections, settings }: Shared, transaction: Transaction, send: OrderedSend, grant: Grant, { signal, egress }: Means): Run {
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
		pace: (key, gapMs) => lanes.pace(key, gapMs),
		othersWaiting: () => grant.waiting().catch((error: unknown) => (only(error, OrderedSendError), 0)), // it only makes a hint
		save: () => ledger.save(transaction),
		saveIntent: async () => {
			await grant.confirm(signal);
			await ledger.saveIntent(transaction);
			await grant.confirm(signal);
		},
	};
}
