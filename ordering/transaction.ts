// A transaction and its steps: their states, and the one table of how states may change.
import type { Receipt } from '../evolution/receipt';
import type { Failure, WasSent } from './errors';
import type { LaneMarks, Priority } from './lanes/lanes';
import type { Definition, PlannedStep } from './plan';

/** The key of all ordering. */
export interface Chat {
	/** Address of the EvolutionAPI server, as `serverAddress` gives it. */
	server: string;
	instance: string;
	/** Normalised JID. */
	recipient: string;
}

export type StepType = 'send' | 'wait' | 'webhook';
export type StepStatus = 'pending' | 'running' | 'done' | 'unconfirmed' | 'inDoubt' | 'failed' | 'skipped' | 'cancelled';
export type TransactionStatus = 'open' | 'completed' | 'unconfirmed' | 'inDoubt' | 'failed' | 'cancelled';

export interface Step {
	index: number;
	type: StepType;
	/** Which of the caller's own steps it belongs to, from 1; undefined where there is one message only. */
	step?: number;
	/** In a sequence: the kind of message, or what is waited for. */
	kind?: string;
	status: StepStatus;
	/** Over all runs of the transaction. */
	attempts: number;
	/** Times in ms since 1970. */
	startedAt?: number;
	finishedAt?: number;
	messageId?: string;
	/** The JID under which it was sent, where that is not the chat's. */
	remoteJid?: string;
	/** The message's text, kept after the end only where the user asked for it. */
	text?: string;
	receipt?: Receipt;
	/** Which way the receipt came. */
	toldBy?: 'live' | 'polling';
	statusCode?: number;
	/** What a webhook answered: JSON, or its text. */
	answer?: unknown;
	error?: Failure;
	/** Of a webhook: whether an attempt may have reached it. */
	mayHaveRun?: boolean;
	/** When the first attempt began that may have reached EvolutionAPI: a look-up goes from here. */
	doubtSince?: number;
	/** Until when a message in doubt may still go out; the chat's next transaction looks it up first. */
	doubtUntil?: number;
}

/** What was sent by a transaction is taken back, newest first: what became of each message. */
export interface Compensation {
	/** `failed` where something could not be taken back. */
	status: 'pending' | 'done' | 'failed';
	/** By the index of the step that sent it; without an ID where it is not known whether it went out. */
	deletions: Array<{ index: number; messageId?: string; status: 'pending' | 'done' | 'failed'; error?: Failure }>;
	/** The failure that led to it; undefined where somebody asked for it. */
	cause?: Failure;
	webhook?: OwnCall;
}

/** A call that is no step: at least once, `pending` until it is answered. */
export interface OwnCall {
	url: string;
	status: 'pending' | 'done' | 'failed';
	attempts: number;
	statusCode?: number;
	error?: Failure;
}

export interface Transaction {
	/** Unique for a server. */
	id: string;
	chat: Chat;
	status: TransactionStatus;
	/** Keyed hash of all that makes the content; see `contentOf`. */
	content: string;
	/** Keyed hash by which n8n's Retry button finds the transaction of the execution that it repeats. */
	origin?: string;
	/** Undefined once the transaction has ended for good. */
	definition?: Definition;
	steps: Step[];
	/** Why it stopped. Undefined while open, and when it ended as the user wished. */
	failure?: Failure;
	/** Whether the same call again gives the recorded error instead of going on. */
	failedForGood: boolean;
	duplicatePossible: boolean;
	queue: { ticket: number; waitedMs: number; late: boolean; fence: number; missing?: { from: number; to: number } };
	/** By what it was sorted in its lane. */
	order?: { priority: Priority; sequence?: number; execution?: number };
	/** The lane's marks as of its last turn. */
	marks?: LaneMarks;
	/** The engine that last worked on it; see `Lanes.owner`. */
	owner?: string;
	/** Whether it keeps the chat since it failed. */
	holds?: boolean;
	/** The call that tells somebody of a failure. */
	errorCallback?: OwnCall;
	compensation?: Compensation;
	createdAt: number;
	endedAt?: number;
}

/**
 * Allowed changes of a step, with the reason for each. The status `running` is on record before the step acts, so a
 * step found `running` may have happened.
 */
export const stepTransitions = [
	{ from: 'pending', to: 'running', when: 'its turn has come, and the intent is recorded' },
	{ from: 'pending', to: 'skipped', when: 'an earlier step stopped the transaction, or the message that it waits for was not sent' },
	{ from: 'pending', to: 'failed', when: 'its last attempt surely did not happen' },
	{ from: 'pending', to: 'cancelled', when: 'n8n stopped the execution before it, or between two attempts' },
	{ from: 'running', to: 'done', when: 'its condition holds' },
	{ from: 'running', to: 'pending', when: 'it is tried again; a send only where it surely did not happen' },
	{ from: 'running', to: 'failed', when: 'what it waits for can not come any more' },
	{ from: 'running', to: 'inDoubt', when: 'it may have happened, and the look-up could not tell' },
	{ from: 'running', to: 'unconfirmed', when: 'a wait ended without its acknowledgement' },
	{ from: 'running', to: 'cancelled', when: 'n8n stopped the execution' },
	{ from: 'inDoubt', to: 'done', when: 'a look-up found the message' },
	{ from: 'inDoubt', to: 'failed', when: 'a look-up found the message, and that WhatsApp refused it' },
	{ from: 'inDoubt', to: 'running', when: 'the user chose to send again' },
	{ from: 'failed', to: 'pending', when: 'a replay goes on here' },
	{ from: 'unconfirmed', to: 'pending', when: 'a replay waits again' },
	{ from: 'cancelled', to: 'pending', when: 'a replay goes on here' },
	{ from: 'skipped', to: 'pending', when: 'a replay goes on before it' },
] as const satisfies ReadonlyArray<{ from: StepStatus; to: StepStatus; when: string }>;

/** Allowed changes of a transaction. */
export const transactionTransitions = [
	{ from: 'open', to: 'completed', when: 'every step is done' },
	{ from: 'open', to: 'unconfirmed', when: 'a wait ended without its acknowledgement, or it went on after a step that failed, as the user chose' },
	{ from: 'open', to: 'inDoubt', when: 'the message may have been sent, and the look-up could not tell' },
	{ from: 'open', to: 'failed', when: 'a step failed, or its process died' },
	{ from: 'open', to: 'cancelled', when: 'n8n stopped the execution' },
	{ from: 'unconfirmed', to: 'open', when: 'a replay waits again, if the webhook was not called' },
	{ from: 'inDoubt', to: 'open', when: 'a replay looks it up again' },
	{ from: 'failed', to: 'open', when: 'a replay goes on, unless it failed for good' },
	{ from: 'cancelled', to: 'open', when: 'a replay goes on' },
] as const satisfies ReadonlyArray<{ from: TransactionStatus; to: TransactionStatus; when: string }>;

/** Changes a step's status. Throws on a change that the table does not allow: a bug, never a user's doing. */
export function moveStep(step: Step, to: StepStatus): void {
	if (!stepTransitions.some((row) => row.from === step.status && row.to === to)) throw new Error(`A ${step.type} step can't go from ${step.status} to ${to}`);
	step.status = to;
}

/** Changes a transaction's status. Throws on a change that the table does not allow. */
export function moveTransaction(transaction: Transaction, to: TransactionStatus): void {
	if (!transactionTransitions.some((row) => row.from === transaction.status && row.to === to)) throw new Error(`A transaction can't go from ${transaction.status} to ${to}`);
	transaction.status = to;
}

/** What a call with an ID that is on record leads to; the replay table of docs/guarantees.md. */
export type Replay = 'recordedResult' | 'recordedError' | 'goOn' | 'lookUp';

export function replayOf(transaction: Transaction): Replay {
	if (transaction.failedForGood && transaction.status !== 'open') return 'recordedError';
	if (transaction.status === 'completed') return 'recordedResult';
	if (transaction.status === 'unconfirmed' && transaction.failure === undefined) return 'recordedResult';
	if (transaction.steps.some((step) => step.status === 'inDoubt' || (step.status === 'running' && step.type === 'send'))) return 'lookUp';
	return 'goOn';
}

/** Whether nothing that is still to come needs the message and the webhook's body. */
export function hasEndedForGood(transaction: Transaction): boolean {
	return ['recordedResult', 'recordedError'].includes(replayOf(transaction)) && transaction.status !== 'open';
}

/** Whether a later step has been begun. */
function isFollowed({ steps }: Transaction, { index }: Step): boolean {
	return steps.slice(index + 1).some(isBegun);
}

function isBegun({ status }: Step): boolean {
	return status !== 'pending' && status !== 'skipped';
}

/** Where it has come to. */
export function lastBegun({ steps }: Transaction): Step | undefined {
	return steps.findLast(isBegun);
}

/** Whether the transaction goes on behind this step: it is done, or the user chose to go on without. */
export function isPassed(transaction: Transaction, step: Step, planned: PlannedStep): boolean {
	if (step.status === 'done') return true;
	if (step.status === 'unconfirmed') return 'onTimeout' in planned && planned.onTimeout === 'continue';
	if (planned.onError !== 'continue') return false;
	// one that was interrupted has no error of its own
	return step.error !== undefined && (step.status === 'failed' || (step.status === 'inDoubt' && isFollowed(transaction, step)));
}

/** Sets what has to be done again to `pending`, and the transaction to `open`. Messages that are out stay `done`. */
export function reopen(transaction: Transaction): void {
	for (const step of transaction.compensation ? [] : transaction.steps) {
		if (!isToBeDoneAgain(transaction, step)) continue;
		moveStep(step, 'pending');
		delete step.error;
		delete step.finishedAt;
	}
	if (transaction.status !== 'open') moveTransaction(transaction, 'open');
	delete transaction.failure;
	delete transaction.errorCallback;
	delete transaction.endedAt;
	delete transaction.holds;
}

function isToBeDoneAgain(transaction: Transaction, step: Step): boolean {
	const planned = transaction.definition?.plan[step.index];
	if (step.status === 'running') return step.type !== 'send';
	if (step.status === 'unconfirmed' || step.status === 'failed') return planned === undefined || !isPassed(transaction, step, planned);
	return step.status === 'cancelled' || step.status === 'skipped';
}

/** Whether the message of one send went out; where WhatsApp refused it later, the wait behind it has been told. */
function outcomeOf({ steps }: Transaction, { index, status, receipt }: Step): WasSent {
	const next = steps.findIndex((step) => step.index > index && step.type === 'send');
	const waits = steps.slice(index + 1, next < 0 ? undefined : next);
	if (receipt === 'failed' || waits.some((step) => step.receipt === 'failed')) return 'no';
	if (status === 'inDoubt' || status === 'running') return 'unknown';
	return status === 'done' ? 'yes' : 'no';
}

/** Whether the transaction's messages went out. */
export function wasSent(transaction: Transaction): WasSent {
	const outcomes = sendsOf(transaction).map((step) => outcomeOf(transaction, step));
	if (outcomes.includes('unknown')) return 'unknown';
	if (!outcomes.includes('yes')) return 'no';
	return outcomes.includes('no') ? 'partly' : 'yes';
}

export function sendsOf({ steps }: Transaction): Step[] {
	return steps.filter((step) => step.type === 'send');
}

/** Those whose message is out. */
export function sentSteps(transaction: Transaction): Step[] {
	return sendsOf(transaction).filter((step) => outcomeOf(transaction, step) === 'yes');
}

/** Whether nothing of it is still to be sent. */
export function isMessageOut(transaction: Transaction): boolean {
	const { definition, compensation } = transaction;
	return compensation !== undefined || sendsOf(transaction).every((step) => step.status === 'done' || (definition !== undefined && isPassed(transaction, step, definition.plan[step.index] as PlannedStep)));
}

/** Those of which it is not known whether their message went out. */
export function sendsInDoubt(transaction: Transaction): Step[] {
	return sendsOf(transaction).filter(({ status }) => status === 'running' || status === 'inDoubt');
}

/** The send of which it has to be found out what became of it, if there is one: steps come one after the other. */
export function sendInDoubt(transaction: Transaction): Step | undefined {
	return sendsInDoubt(transaction).at(-1);
}

/**
 * Which one of its type a step is, from 0. What a call brings for its steps and is not on record goes by this: two calls
 * of one content may differ in their waits.
 */
export function ordinalOf({ steps }: Pick<Transaction, 'steps'>, { index, type }: Step): number {
	return steps.slice(0, index).filter((step) => step.type === type).length;
}

/** The last send before a step, whatever became of it; of all, where no step is given. */
export function sendBefore({ steps }: Transaction, index = steps.length): Step | undefined {
	return steps.slice(0, index).findLast((step) => step.type === 'send');
}

/** The steps of a new transaction, all `pending`. */
export function plannedSteps({ plan }: Pick<Definition, 'plan'>): Step[] {
	return plan.map((planned, index) => ({ index, type: planned.type, ...(planned.step === undefined ? {} : { step: planned.step, ...kindOf(planned) }), status: 'pending', attempts: 0 }));
}

function kindOf(planned: PlannedStep): Pick<Step, 'kind'> {
	if (planned.type === 'webhook') return {};
	return { kind: planned.type === 'send' ? planned.message.kind : planned.until };
}
