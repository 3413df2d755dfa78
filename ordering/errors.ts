// Everything that can go wrong, one class each: what happened, whether anything was sent, what the user can do.

/** Whether the messages of a transaction went out: `unknown` where EvolutionAPI's answer for one was lost, `partly` where some did. */
export type WasSent = 'yes' | 'no' | 'unknown' | 'partly';

/** What is recorded of an error, and shown: never a secret, never a stack. */
export interface Failure {
	/** Stable name, for programs. */
	code: string;
	/** What happened, as a sentence without its full stop. */
	message: string;
	/** What the user can do about it. */
	hint?: string;
	/** The panel's field that has to change, where one has. */
	field?: string;
}

/** Base of all errors that this package throws on purpose. */
export class OrderedSendError extends Error {
	readonly failure: Failure;

	constructor(code: string, message: string, hint?: string, field?: string) {
		super(message);
		this.name = new.target.name;
		this.failure = { code, message, ...(hint ? { hint } : {}), ...(field ? { field } : {}) };
	}
}

/** A field that can't be right. Thrown before anything is sent. */
export class InvalidInputError extends OrderedSendError {
	constructor(field: string, label: string, problem: string) {
		super('invalidInput', `${label}: ${problem}`, undefined, field);
	}
}

/** A transaction ID that was used for another message, recipient or webhook before. */
export class TransactionConflictError extends OrderedSendError {
	constructor(id: string, differs: string) {
		super('transactionConflict', `Transaction ID: "${id}" was used before for another ${differs}`, 'Give each message its own transaction ID: for TypeBot, the result ID followed by the name of the step.', 'transactionId');
	}
}

/** An ID that nothing is on record for. */
export class UnknownTransactionError extends OrderedSendError {
	constructor(id: string, server: string) {
		super('unknownTransaction', `Transaction ID: no transaction "${id}" is on record for the server ${server}`, 'Check the ID, and that this node uses the same EvolutionAPI server and the same store as the one that sent it. Old transactions are deleted.', 'transactionId');
	}
}

/** A wait that can't succeed on this channel, chat or server. `where` names the caller's step, if there are several. */
export class ImpossibleWaitError extends OrderedSendError {
	constructor(why: string, remedy: string, where = '') {
		super('impossibleWait', `${where}Wait For: ${why}`, remedy, 'waitFor');
	}
}

/** A message that this channel can't send. `where` names the caller's step, if there are several. */
export class ImpossibleMessageError extends OrderedSendError {
	constructor(why: string, remedy: string, where = '') {
		super('cannotSend', `${where || 'Text: '}${why}`, remedy, where ? 'steps' : 'text');
	}
}

/** A chain that did not get its turn in time. */
export class QueueTimeoutError extends OrderedSendError {
	constructor(seconds: number, ahead: string) {
		super('queueTimeout', `The chat was busy for ${seconds} s: ${ahead}`, 'If this workflow is called by the webhook of an earlier message to the same chat, it waits for itself: let that webhook answer at once (Respond: Immediately). Otherwise raise Queue Timeout, or send less to this chat at a time.');
	}
}

/** The same transaction, called twice, and the first call is still at work. */
export class StillRunningError extends OrderedSendError {
	constructor(seconds: number) {
		super('stillRunning', `The same transaction has been running elsewhere for more than ${seconds} s`, 'Wait until it has ended, then run it again with the same transaction ID: it gives the recorded result. Do not use another ID, or the message is sent twice.');
	}
}

/** n8n's cancel button, or the workflow's time-out. */
export const cancelledFailure: Failure = { code: 'cancelled', message: 'The execution was cancelled', hint: 'Run it again with the same transaction ID to go on where it stopped.' };

/** A message that WhatsApp refused later than with EvolutionAPI's answer: an acknowledgement told. */
export const messageFailed: Failure = {
	code: 'messageFailed',
	message: 'WhatsApp refused the message after EvolutionAPI had taken it',
	hint: "See the reason in EvolutionAPI's log or in Meta's WhatsApp Manager. To try again, use a new transaction ID.",
};

export class CancelledError extends OrderedSendError {
	constructor() {
		super(cancelledFailure.code, cancelledFailure.message, cancelledFailure.hint);
	}
}

/** The ledger can't be read or written. */
export class LedgerUnavailableError extends OrderedSendError {
	constructor(what: string, hint = 'Check that the folder exists, can be written by n8n, and that the disk is not full.') {
		super('ledgerUnavailable', `The ledger of ordered messages can't be used: ${what}`, hint);
	}
}

/** Another live process owns the embedded ledger. */
export class LedgerInUseError extends OrderedSendError {
	constructor(file: string) {
		super('ledgerInUse', `The ledger ${file} is in use by another n8n process`, 'Only one n8n process can keep the order with the embedded ledger. Stop the other one, or give each its own N8N_USER_FOLDER.');
	}
}

/** The ledger was written by a newer version of this package. */
export class LedgerTooNewError extends OrderedSendError {
	constructor(found: number, known: number) {
		super('ledgerTooNew', `The ledger was written by a newer version of this package (schema ${found}, this version knows ${known})`, 'Update the package n8n-nodes-ordered-evolutionapi.');
	}
}

/** A write by a holder whose lane has gone to somebody else. */
export class StaleFenceError extends OrderedSendError {
	constructor() {
		super('staleFence', 'The chat was taken over by another process meanwhile', 'Run it again with the same transaction ID to go on where it stopped.');
	}
}

/** The lane went to another process while this one could not renew its lease. */
export class LaneLostError extends OrderedSendError {
	constructor() {
		super('laneLost', 'The queue of this chat went to another process, since this one could not reach Redis', 'Run it again with the same transaction ID to go on where it stopped.');
	}
}

/** A sequence number that comes after a higher one has gone. */
export class SequenceTooLateError extends OrderedSendError {
	constructor(number: number, gone: number) {
		super('sequenceTooLate', `Sequence Number: ${number} comes too late, since number ${gone} of this chat and priority has gone already`, 'Give each message to a chat the next number: 1, 2, 3 and so on. If numbers come late, raise Sequence Gap, so that missing ones are waited for longer. To send it all the same, use a new transaction ID and a higher number.', 'sequenceNumber');
	}
}

/** A failed transaction keeps the chat, as its option On Failure says. */
export class ChatHeldError extends OrderedSendError {
	constructor(seconds: number, heldBy: string) {
		super('chatHeld', `The chat is held since transaction "${heldBy}" failed, and it was neither resumed nor given up within ${seconds} s`, 'Call that transaction again with its ID, or use the operation Resume or Give Up of the node Ordered Message Log.');
	}
}

/** The shared queue in Redis can't be reached. */
export class LanesUnavailableError extends OrderedSendError {
	constructor(what: string) {
		super('lanesUnavailable', `The shared queue in Redis can't be used: ${what}`, 'Check that Redis runs, and its address in the credential Ordered Store API. Run it again with the same transaction ID.');
	}
}

/** n8n's queue mode, in which several processes work on one chat. */
export class QueueModeError extends OrderedSendError {
	constructor() {
		super('queueModeNeedsStore', 'n8n runs in queue mode, where several workers share the work: to keep the order, they need a shared store', 'Create a credential of the type Ordered Store API (one PostgreSQL and one Redis that all workers reach) and select it in this node.');
	}
}

/** Something broke that should not: the one failure without a transaction of which it isn't known whether it sent. */
export const unexpected = 'unexpected';

export function failureOf(error: unknown): Failure {
	return error instanceof OrderedSendError ? error.failure : { code: unexpected, message: (error as Error).message };
}

/** A list that is longer than one call gives. */
export class TooManyTransactionsError extends OrderedSendError {
	constructor(most: number) {
		super('tooManyTransactions', `More than ${most} transactions match, and one call gives ${most} at most`, 'Narrow it down by the times or by the chat, or turn Return All off and set a Limit.');
	}
}

/** EvolutionAPI's record, which an operation needs, can't be read. It changed nothing. */
export class RecordUnavailableError extends OrderedSendError {
	constructor(why: string, hint: string) {
		super('recordUnavailable', `EvolutionAPI's record can't be read: ${why}`, hint);
	}
}

/** n8n's cancel button, or the workflow's time-out, while messages of a chat were collected. */
export class CollectingCancelledError extends OrderedSendError {
	constructor() {
		super('cancelled', 'The execution was cancelled while messages were collected', 'Nothing is lost: they are in the next item of this chat, or in one of the operation Take Over What Was Left.');
	}
}

/** A timeline can't be drawn as PNG. Its SVG and page are there all the same. */
export class PictureError extends OrderedSendError {
	constructor(why: string) {
		super('noPicture', `The timeline can't be drawn as PNG: ${why}`, 'The files timeline.svg and timeline.html show the same. If this stays, install the package again, and see that n8n has 300 MB of memory left.');
	}
}
