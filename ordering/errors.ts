// Everything that can go wrong, one class each: what happened, whether anything was sent, what the user can do.

/** Whether the message of a transaction went out: `unknown` where EvolutionAPI's answer was lost. */
export type WasSent = 'yes' | 'no' | 'unknown';

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

/** A wait that can't succeed on this channel, chat or server. */
export class ImpossibleWaitError extends OrderedSendError {
	constructor(why: string, remedy: string) {
		super('impossibleWait', `Wait For: ${why}`, remedy, 'waitFor');
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

/** n8n's queue mode, in which several processes work on one chat. */
export class QueueModeError extends OrderedSendError {
	constructor() {
		super('queueModeNeedsStore', "n8n runs in queue mode, where several workers share the work: this version keeps the order within one n8n process only", 'Run n8n without queue mode (EXECUTIONS_MODE=regular) to use this node.');
	}
}
