// A transaction and its steps: their states, and the one table of how states may change.
import type { Receipt } from '../evolution/receipt';
import type { TextMessage } from '../evolution/server';
import type { Failure, WasSent } from './errors';
import type { LaneMarks, Priority } from './lanes/lanes';

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
	status: StepStatus;
	/** Over all runs of the transaction. */
	attempts: number;
	/** Times in ms since 1970. */
	startedAt?: number;
	finishedAt?: number;
	messageId?: string;
	receipt?: Receipt;
	/** Which way the receipt came. */
	toldBy?: 'live' | 'polling';
	statusCode?: number;
	error?: Failure;
	/** Of a webhook: whether an attempt may have reached it. */
	mayHaveRun?: boolean;
	/** When the first attempt began that may have reached EvolutionAPI: a look-up goes from here. */
	doubtSince?: number;
	/** Until when a message in doubt may still go out; the chat's next transaction looks it up first. */
	doubtUntil?: number;
}

/** What the first call asked for: kept while the transaction may go on, then deleted. Times in ms. */
export interface Definition extends TextMessage {
	waitFor: 'accepted' | 'delay' | 'sent' | 'delivered' | 'read';
	delayMs: number;
	ackTimeoutMs: number;
	onAckTimeout: 'stop' | 'continue';
	/** `needs`: what its calls carry that is not on record; `credential`: the name of the one that holds it. */
	webhook?: { url: string; method: string; body?: string; needs: 'nothing' | 'credential' | 'headers'; credential?: string };
	attempts: number;
	requestTimeoutMs: number;
	errorCallbackUrl?: string;
	/** The caller's own count of the messages to this chat. */
	sequence?: { number: number; gapMs: number };
	/** Whether a failure keeps the chat until the transaction is resumed or given up. */
	onFailure: 'release' | 'hold';
	storeMessageText: boolean;
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
	/** The call that tells somebody of a failure: `pending` until it is answered. */
	errorCallback?: { url: string; status: 'pending' | 'done' | 'failed'; attempts: number; statusCode?: number; error?: Failure };
	webhook?: { statusCode: number; body: unknown };
	/** The message, kept only where the user asked for it. */
	text?: string;
	createdAt: number;
	endedAt?: number;
}

/**
 * Allowed changes of a step, with the reason for each. The status `running` is on record before the step acts, so a
 * step found `running` may have happened.
 */
export const stepTransitions = [
	{ from: 'pending', to: 'running', when: 'its turn has come, and the intent is recorded' },
	{ from: 'pending', to: 'skipped', when: 'an earlier step stopped the transaction' },
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
	{ from: 'open', to: 'unconfirmed', when: 'a wait ended without its acknowledgement' },
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
	if (transaction.steps.some((step) => step.status === 'inDoubt' || (step.status === 'running' && step.type === 'send'))) return 'lookUp';
	if (transaction.status === 'completed') return 'recordedResult';
	if (transaction.status === 'unconfirmed' && transaction.failure === undefined) return 'recordedResult';
	return 'goOn';
}

/** Whether nothing that is still to come needs the message and the webhook's body. */
export function hasEndedForGood(transaction: Transaction): boolean {
	return ['recordedResult', 'recordedError'].includes(replayOf(transaction)) && transaction.status !== 'open';
}

/** Sets what has to be done again to `pending`, and the transaction to `open`. Messages that are out stay `done`. */
export function reopen(transaction: Transaction): void {
	const again = ['failed', 'cancelled', 'skipped'];
	// a wait without its acknowledgement is waited for again only where it stops the transaction
	if (transaction.definition?.onAckTimeout === 'stop') again.push('unconfirmed');
	for (const step of transaction.steps) {
		const interrupted = step.status === 'running' && step.type !== 'send';
		if (interrupted || again.includes(step.status)) {
			moveStep(step, 'pending');
			delete step.error;
			delete step.finishedAt;
		}
	}
	if (transaction.status !== 'open') moveTransaction(transaction, 'open');
	delete transaction.failure;
	delete transaction.errorCallback;
	delete transaction.endedAt;
	delete transaction.holds;
}

/** Whether the transaction's message went out. */
export function wasSent(transaction: Transaction): WasSent {
	if (transaction.steps.some((step) => step.receipt === 'failed')) return 'no'; // taken by EvolutionAPI, then refused by WhatsApp
	const sends = transaction.steps.filter((step) => step.type === 'send');
	if (sends.some((step) => step.status === 'inDoubt' || step.status === 'running')) return 'unknown';
	return sends.some((step) => step.status === 'done') ? 'yes' : 'no';
}

/** Whether nothing of it is still to be sent. */
export function isMessageOut({ steps }: Transaction): boolean {
	return steps.every((step) => step.type !== 'send' || step.status === 'done');
}

/** The message that later steps refer to. */
export function sentMessageId(transaction: Transaction): string | undefined {
	return transaction.steps.find((step) => step.type === 'send' && step.status === 'done')?.messageId;
}

/** The steps of a new transaction, all `pending`. */
export function plannedSteps(definition: Pick<Definition, 'waitFor' | 'webhook'>): Step[] {
	const types: StepType[] = ['send', ...(definition.waitFor === 'accepted' ? [] : ['wait' as const]), ...(definition.webhook ? ['webhook' as const] : [])];
	return types.map((type, index) => ({ index, type, status: 'pending', attempts: 0 }));
}
