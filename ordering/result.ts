// What a caller gets: the transaction as the public contract shows it.
import type { Failure, WasSent } from './errors';
import { type Compensation, type OwnCall, sendBefore, sendsInDoubt, sendsOf, sentSteps, type Step, type Transaction, type TransactionStatus, wasSent } from './transaction';

/** One output item, in the order in which n8n shows it: what a person looks for first stands first. Times in ISO 8601. */
export interface TransactionResult {
	status: TransactionStatus;
	transactionId: string;
	error?: Failure & { sent: WasSent };
	steps: StepResult[];
	/** The last one's answer. */
	webhook?: { statusCode: number; body: unknown };
	/** What was taken back, where that was tried. */
	compensation?: { status: Compensation['status']; deletions: Array<Compensation['deletions'][number] & { step?: number }>; webhook?: OwnCallResult };
	/** Only with a failure that had an error callback. */
	errorCallback?: OwnCallResult;
	chat: { server: string; instance: string; recipient: string };
	duplicatePossible: boolean;
	replayed: boolean;
	queue: { ticket: number; waitedMs: number; late: boolean; fence: number };
}

/** Its address is left out, since it may hold a secret. */
export type OwnCallResult = Omit<OwnCall, 'url'>;

export type StepResult = Omit<Step, 'startedAt' | 'finishedAt' | 'doubtSince' | 'doubtUntil' | 'mayHaveRun' | 'remoteJid' | 'text' | 'answer'> & { startedAt?: string; finishedAt?: string; body?: unknown };

/** `failure`: of this call, where it isn't the one on record. */
export function toResult(transaction: Transaction, replayed: boolean, failure = transaction.failure): TransactionResult {
	const { id, status, duplicatePossible, chat, queue, compensation, errorCallback, steps } = transaction;
	const webhooks = steps.filter(({ type }) => type === 'webhook');
	const answered = webhooks.findLast((step) => step.status === 'done');
	return {
		status,
		transactionId: id,
		...(failure ? { error: { ...failure, sent: wasSent(transaction) } } : {}),
		steps: steps.map((step) => ({ ...stepResult(step), ...(webhooks.length > 1 && step.answer !== undefined ? { body: step.answer } : {}) })),
		...(answered ? { webhook: { statusCode: answered.statusCode as number, body: answered.answer } } : {}),
		...(compensation ? { compensation: compensationResult(compensation, steps) } : {}),
		...(errorCallback ? { errorCallback: withoutUrl(errorCallback) } : {}),
		chat: { ...chat },
		duplicatePossible,
		replayed,
		queue: { ...queue },
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
		...Object.fromEntries(given),
		attempts,
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
	const called = webhooks.length > 1 ? whichWereCalled(webhooks) : whatWasCalled(webhooks[0]);
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

/** How many, and what became of the last one that was tried, where that did not succeed. */
function whichWereCalled(webhooks: Step[]): string {
	const done = webhooks.filter(({ status }) => status === 'done').length;
	const last = webhooks.findLast(({ attempts }) => attempts > 0);
	const count = done === webhooks.length ? ` All ${done} webhooks were called.` : ` ${done} of ${webhooks.length} webhooks ${done === 1 ? 'was' : 'were'} called.`;
	if (!last || last.status === 'done') return count;
	if (last.statusCode !== undefined) return `${count} One more was called and answered ${last.statusCode}.`;
	return last.mayHaveRun ? `${count} Whether one more ran is not known.` : count;
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
