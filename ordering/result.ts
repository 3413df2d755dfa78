// What a caller gets: the transaction as the public contract shows it.
import type { Failure, WasSent } from './errors';
import { sentMessageId, type Step, type Transaction, type TransactionStatus, wasSent } from './transaction';

/** One output item. Times in ISO 8601. */
export interface TransactionResult {
	transactionId: string;
	status: TransactionStatus;
	replayed: boolean;
	duplicatePossible: boolean;
	chat: { server: string; instance: string; recipient: string };
	queue: { ticket: number; waitedMs: number; late: boolean; fence: number };
	steps: StepResult[];
	webhook?: { statusCode: number; body: unknown };
	/** Only with a failure that had an error callback. */
	errorCallback?: { status: 'pending' | 'done' | 'failed'; attempts: number; statusCode?: number; error?: Failure };
	error?: Failure & { sent: WasSent };
}

export type StepResult = Omit<Step, 'startedAt' | 'finishedAt' | 'doubtSince' | 'doubtUntil'> & { startedAt?: string; finishedAt?: string };

export function toResult(transaction: Transaction, replayed: boolean): TransactionResult {
	const { id, status, duplicatePossible, chat, queue, webhook, errorCallback, failure } = transaction;
	return {
		transactionId: id,
		status,
		replayed,
		duplicatePossible,
		chat: { ...chat },
		queue: { ...queue },
		steps: transaction.steps.map(stepResult),
		...(webhook ? { webhook } : {}),
		...(errorCallback ? { errorCallback: withoutUrl(errorCallback) } : {}),
		...(failure ? { error: { ...failure, sent: wasSent(transaction) } } : {}),
	};
}

function stepResult({ index, type, status, attempts, startedAt, finishedAt, messageId, receipt, toldBy, statusCode, error }: Step): StepResult {
	const given = Object.entries({ messageId, receipt, toldBy, statusCode, error }).filter(([, value]) => value !== undefined);
	return {
		index,
		type,
		status,
		attempts,
		...Object.fromEntries(given),
		...(startedAt === undefined ? {} : { startedAt: iso(startedAt) }),
		...(finishedAt === undefined ? {} : { finishedAt: iso(finishedAt) }),
	};
}

/** Its address may hold a secret. */
function withoutUrl({ status, attempts, statusCode, error }: NonNullable<Transaction['errorCallback']>): TransactionResult['errorCallback'] {
	return { status, attempts, ...(statusCode === undefined ? {} : { statusCode }), ...(error ? { error } : {}) };
}

/** The webhook's body where the user gave none: what is known when it is called, the same at every attempt. */
export function summaryOf(transaction: Transaction): Record<string, unknown> {
	const earlier = transaction.steps.filter((step) => step.type !== 'webhook');
	return {
		transactionId: transaction.id,
		messageId: sentMessageId(transaction),
		confirmed: earlier.every((step) => step.status === 'done'),
		duplicatePossible: transaction.duplicatePossible,
		chat: transaction.chat,
		steps: earlier.map(stepResult),
	};
}

/** One sentence on what went out, for the end of every error message. */
export function whatWasSent(transaction: Transaction): string {
	const sent = wasSent(transaction);
	const called = whatWasCalled(transaction.steps.find((step) => step.type === 'webhook'));
	const refused = transaction.steps.some((step) => step.receipt === 'failed');
	if (sent === 'no') return `${refused ? 'The message did not go out.' : 'Nothing was sent.'}${called}`;
	if (sent === 'unknown') return `The message may have been sent.${called}`;
	return `The message was sent (ID ${sentMessageId(transaction)}).${called}`;
}

function whatWasCalled(webhook: Step | undefined): string {
	if (!webhook) return '';
	if (webhook.status === 'done') return ' The webhook was called.';
	if (webhook.attempts === 0) return ' The webhook was not called.';
	if (webhook.statusCode !== undefined) return ` The webhook was called and answered ${webhook.statusCode}.`;
	return webhook.mayHaveRun ? ' Whether the webhook ran is not known.' : ' The webhook was not reached.';
}

function iso(ms: number): string {
	return new Date(ms).toISOString();
}
