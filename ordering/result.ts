// What a caller gets: the transaction as the public contract shows it.
import type { Failure, WasSent } from './errors';
import { type Compensation, type OwnCall, sendBefore, sendsInDoubt, sendsOf, sentSteps, type Step, type Transaction, type TransactionStatus, wasSent } from './transaction';

/** One output item. Times in ISO 8601. */
export interface TransactionResult {
	transactionId: string;
	status: TransactionStatus;
	replayed: boolean;
	duplicatePossible: boolean;
	chat: { server: string; instance: string; recipient: string };
	queue: { ticket: number; waitedMs: number; late: boolean; fence: number };
	steps: StepResult[];
	/** The last one's answer. */
	webhook?: { statusCode: number; body: unknown };
	/** What was taken back, where that was tried. */
	compensation?: { status: Compensation['status']; deletions: Array<Compensation['deletions'][number] & { step?: number }>; webhook?: OwnCallResult };
	/** Only with a failure that had an error callback. */
	errorCallback?: OwnCallResult;
	error?: Failure & { sent: WasSent };
}

/** Its address is left out, since it may hold a secret. */
export type OwnCallResult = Omit<OwnCall, 'url'>;

export type StepResult = Omit<Step, 'startedAt' | 'finishedAt' | 'doubtSince' | 'doubtUntil' | 'mayHaveRun' | 'remoteJid' | 'text' | 'answer'> & { startedAt?: string; finishedAt?: string; body?: unknown };

export function toResult(transaction: Transaction, replayed: boolean): TransactionResult {
	const { id, status, duplicatePossible, chat, queue, compensation, errorCallback, failure, steps } = transaction;
	const webhooks = steps.filter(({ type }) => type === 'webhook');
	const answered = webhooks.findLast((step) => step.status === 'done');
	return {
		transactionId: id,
		status,
		replayed,
		duplicatePossible,
		chat: { ...chat },
		queue: { ...queue },
		steps: steps.map((step) => ({ ...stepResult(step), ...(webhooks.length > 1 && step.answer !== undefined ? { body: step.answer } : {}) })),
		...(answered ? { webhook: { statusCode: answered.statusCode as number, body: answered.answer } } : {}),
		...(compensation ? { compensation: compensationResult(compensation, steps) } : {}),
		...(errorCallback ? { errorCallback: withoutUrl(errorCallback) } : {}),
		...(failure ? { error: { ...failure, sent: wasSent(transaction) } } : {}),
	};
}

function stepResult({ index, type, step, kind, status, attempts, startedAt, finishedAt, messageId, receipt, toldBy, statusCode, error }: Step): StepResult {
	const given = Object.entries({ messageId, receipt, toldBy, statusCode, error }).filter(([, value]) => value !== undefined);
	return {
		index,
		type,
		...(step === undefined ? {} : { step }),
		...(kind === undefined ? {} : { kind }),
		status,
		attempts,
		...Object.fromEntries(given),
		...(startedAt === undefined ? {} : { startedAt: iso(startedAt) }),
		...(finishedAt === undefined ? {} : { finishedAt: iso(finishedAt) }),
	};
}

function compensationResult({ status, deletions, webhook }: Compensation, steps: Step[]): NonNullable<TransactionResult['compensation']> {
	return {
		status,
		deletions: deletions.map((deletion) => ({ ...deletion, ...(steps[deletion.index]?.step === undefined ? {} : { step: steps[deletion.index]?.step }) })),
		...(webhook ? { webhook: withoutUrl(webhook) } : {}),
	};
}

function withoutUrl({ status, attempts, statusCode, error }: OwnCall): OwnCallResult {
	return { status, attempts, ...(statusCode === undefined ? {} : { statusCode }), ...(error ? { error } : {}) };
}

/** The body of a webhook where the user gave none: what is known when it is called, the same at every attempt. */
export function summaryOf(transaction: Transaction, index: number): Record<string, unknown> {
	const before = transaction.steps.slice(0, index);
	const earlier = before.filter(({ type }) => type !== 'webhook');
	return {
		transactionId: transaction.id,
		messageId: before.findLast(({ type, status }) => type === 'send' && status === 'done')?.messageId,
		confirmed: earlier.every((step) => step.status === 'done'),
		duplicatePossible: transaction.duplicatePossible,
		chat: transaction.chat,
		steps: earlier.map(stepResult),
	};
}

/** One or two sentences on what went out, for the end of every error message. */
export function whatWasSent(transaction: Transaction): string {
	const webhooks = transaction.steps.filter((step) => step.type === 'webhook');
	// of several, the one that it came to last
	const called = whatWasCalled(webhooks.findLast(({ attempts }) => attempts > 0) ?? webhooks[0]);
	return `${sendsOf(transaction).length > 1 ? whichWereSent(transaction) : whetherItWasSent(transaction)}${called}${whatWasTakenBack(transaction)}`;
}

function whetherItWasSent(transaction: Transaction): string {
	const sent = wasSent(transaction);
	const refused = transaction.steps.some((step) => step.receipt === 'failed');
	if (sent === 'no') return refused ? 'The message did not go out.' : 'Nothing was sent.';
	return sent === 'unknown' ? 'The message may have been sent.' : `The message was sent (ID ${sendBefore(transaction)?.messageId}).`;
}

function whichWereSent(transaction: Transaction): string {
	const all = sendsOf(transaction).length;
	const out = sentSteps(transaction).length;
	const sent = out === 0 ? 'Nothing was sent.' : out === all ? `All ${all} messages were sent.` : `${out} of ${all} messages ${out === 1 ? 'was' : 'were'} sent.`;
	const doubts = sendsInDoubt(transaction).length;
	if (doubts === 0) return sent;
	const which = out === 0 ? (doubts === 1 ? 'One' : `${doubts}`) : `${sent} ${doubts === 1 ? 'One' : `${doubts}`} more`;
	return `${which} may have been sent.`;
}

function whatWasTakenBack({ compensation }: Transaction): string {
	if (!compensation || compensation.deletions.length === 0) return '';
	const done = compensation.deletions.filter(({ status }) => status === 'done').length;
	const left = compensation.deletions.length - done;
	if (compensation.status === 'pending') return ' Taking it back was not finished.';
	if (left === 0) return ' What was sent was deleted for everyone.';
	return done === 0 ? ' What was sent could not be taken back.' : ` ${done} ${done === 1 ? 'was' : 'were'} deleted for everyone, ${left} could not be taken back.`;
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
