// What the engine tells, as n8n has it: items, and errors with their item, their hint and the transaction.
import type { IDataObject, IExecuteFunctions, INodeExecutionData, NodeOperationError } from 'n8n-workflow';
import { type Failure, OrderedSendError, type Outcome, toResult, unexpected, whatWasSent } from '../../ordering';
import { nodeErrorOf } from './nodeError';

/** Carries the outcome of what was no success to where it becomes an error or an item. */
export class NotDoneError extends Error {
	constructor(readonly outcome: Outcome) {
		super(outcome.failure?.message);
		this.name = 'NotDoneError';
	}
}

/**
 * With "continue", every error is an item: what is thrown then makes n8n 2.41 pass the input item on as a success. So
 * this takes n8n's own errors too, such as those of a credential that can't be read or of an expression.
 */
export function failureOf(error: unknown, code: string): Failure {
	if (error instanceof OrderedSendError) return error.failure;
	const { message, description } = error as Error & { description?: string | null };
	return { code, message, ...(description ? { hint: description } : {}) };
}

/** The message of a failure: what happened, and what was sent. The hint is the error's description. */
function sentence({ transaction, failure }: Outcome): string {
	const what = (failure as Failure).message.replace(/[.!]?$/, '.');
	const without = failure?.code === unexpected ? 'Whether anything was sent is not known.' : 'Nothing was sent.';
	return `${what} ${transaction ? whatWasSent(transaction) : without}`;
}

export function toNodeError(this: IExecuteFunctions, itemIndex: number, outcome: Outcome): NodeOperationError {
	const failure = outcome.failure as Failure;
	const error = nodeErrorOf(this.getNode(), sentence(outcome), { itemIndex, description: failure.hint });
	error.context.transaction = toJson(outcome);
	return error;
}

/** The transaction as the public contract shows it, with the failure where there is one. */
export function toJson({ transaction, replayed, failure }: Outcome): IDataObject {
	const result = transaction ? toResult(transaction, replayed, failure) : { status: 'failed', error: { ...failure, sent: failure?.code === unexpected ? 'unknown' : 'no' } };
	return result as unknown as IDataObject;
}

/**
 * n8n empties an item that has `error` set, and moves an item to the error output when its JSON holds nothing but
 * `error`, `message` and `details` (n8n-core 2.41): so that is where the transaction stands then.
 */
export function toItem(this: IExecuteFunctions, i: number, outcome: Outcome): INodeExecutionData {
	const pairedItem = { item: i };
	const json = toJson(outcome);
	if (outcome.failure && this.getNode().onError === 'continueErrorOutput') return { json: { error: sentence(outcome), details: json }, pairedItem };
	return { json, pairedItem };
}
