// What a timeline shows of each transaction: bars for what took time, marks for what became of it.
import type { Step, Transaction, TransactionStatus } from '../transaction';
import { duration } from './text';

export type BarKind = 'queue' | 'send' | 'wait' | 'webhook';
export type MarkKind = 'acknowledged' | 'unconfirmed' | 'inDoubt' | 'failed' | 'cancelled';

/** Times in ms since 1970. */
export interface Bar {
	kind: BarKind;
	from: number;
	to: number;
	/** Whether it has not ended yet. */
	goesOn: boolean;
	title: string;
}

export interface Mark {
	kind: MarkKind;
	at: number;
	title: string;
}

export interface Row {
	id: string;
	status: TransactionStatus;
	from: number;
	to: number;
	bars: Bar[];
	marks: Mark[];
	/** What happened, in a few words each. */
	facts: string[];
	/** Why it is no success. */
	problem?: string;
}

/** `now` is where what is still under way ends, in ms since 1970. */
export function rowOf(transaction: Transaction, now: number): Row {
	const { id, status, createdAt, endedAt, steps } = transaction;
	const bars = [...queueBar(transaction, now), ...steps.flatMap((step) => stepBar(step, transaction, now))];
	const marks = [...steps.flatMap((step) => stepMark(step, transaction, now)), ...endMark(transaction)];
	const times = [...bars.flatMap(({ from, to }) => [from, to]), ...marks.map(({ at }) => at), ...(endedAt === undefined ? [] : [endedAt])];
	const problem = problemOf(transaction);
	return {
		id,
		status,
		from: Math.min(createdAt, ...times),
		to: Math.max(createdAt, ...times),
		bars,
		marks,
		facts: [...queueFact(transaction, now), ...steps.flatMap((step) => stepFact(step, transaction, now))],
		...(problem ? { problem } : {}),
	};
}

/** How long it stood in the queue, in ms: at its last turn, or until it left without one. */
export function queuedMs({ queue, createdAt, endedAt, status }: Transaction, now: number): number {
	if (queue.fence > 0) return queue.waitedMs;
	return Math.max(0, (endedAt ?? (status === 'open' ? now : createdAt)) - createdAt);
}

/** How long a step took or takes, in ms; undefined where it was never begun. */
export function stepMs(step: Step, transaction: Transaction, now: number): number | undefined {
	return step.startedAt === undefined ? undefined : endOf(step, transaction, now) - step.startedAt;
}

function endOf({ status, startedAt = 0, finishedAt }: Step, { endedAt, status: whole }: Transaction, now: number): number {
	return Math.max(startedAt, finishedAt ?? (status === 'running' && whole === 'open' ? now : (endedAt ?? startedAt)));
}

function queueBar(transaction: Transaction, now: number): Bar[] {
	const { createdAt, queue, steps, status } = transaction;
	const ms = queuedMs(transaction, now);
	const begun = steps.flatMap(({ startedAt }) => startedAt ?? []);
	// of one that was resumed, the turn in question is a later one
	const to = Math.min(createdAt + ms, ...begun);
	if (to <= createdAt) return [];
	return [{ kind: 'queue', from: createdAt, to, goesOn: queue.fence === 0 && status === 'open', title: `In the queue for ${duration(ms)}` }];
}

function queueFact(transaction: Transaction, now: number): string[] {
	const ms = queuedMs(transaction, now);
	const { queue, status } = transaction;
	if (queue.fence === 0) return ms === 0 ? [] : [`${status === 'open' ? 'in the queue for' : 'left the queue after'} ${duration(ms)}`];
	return [`queued ${duration(ms)}${queue.late ? ' (came late)' : ''}`];
}

const names: Record<Step['type'], string> = { send: 'Sending', wait: 'Waiting', webhook: 'Webhook' };

function stepBar(step: Step, transaction: Transaction, now: number): Bar[] {
	if (step.startedAt === undefined) return [];
	const to = endOf(step, transaction, now);
	return [{ kind: step.type, from: step.startedAt, to, goesOn: step.status === 'running' && transaction.status === 'open', title: `${names[step.type]}, ${duration(to - step.startedAt)}: ${outcomeOf(step)}` }];
}

function outcomeOf({ status, attempts, messageId, receipt, statusCode, error }: Step): string {
	const facts = [status, ...(attempts > 1 ? [`${attempts} attempts`] : []), ...(messageId ? [`message ${messageId}`] : []), ...(receipt ? [receipt] : []), ...(statusCode === undefined ? [] : [`answer ${statusCode}`]), ...(error ? [error.message] : [])];
	return facts.join(', ');
}

function stepMark(step: Step, transaction: Transaction, now: number): Mark[] {
	const kind = markOf(step);
	if (!kind) return [];
	return [{ kind, at: step.startedAt === undefined ? (step.finishedAt ?? transaction.endedAt ?? transaction.createdAt) : endOf(step, transaction, now), title: `${names[step.type]}: ${outcomeOf(step)}` }];
}

function markOf({ type, status, receipt }: Step): MarkKind | undefined {
	if (status === 'failed' || status === 'inDoubt' || status === 'unconfirmed' || status === 'cancelled') return status;
	return type === 'wait' && status === 'done' && receipt ? 'acknowledged' : undefined;
}

/** Of one that ended without a step that tells it, such as in the queue. */
function endMark({ status, steps, endedAt, failure }: Transaction): Mark[] {
	if (endedAt === undefined || !failure || steps.some(markedAsBad)) return [];
	if (status === 'open' || status === 'completed') return [];
	return [{ kind: status, at: endedAt, title: failure.message }];
}

function markedAsBad(step: Step): boolean {
	const kind = markOf(step);
	return kind !== undefined && kind !== 'acknowledged';
}

function stepFact(step: Step, transaction: Transaction, now: number): string[] {
	const { type, status, attempts, receipt, statusCode } = step;
	const ms = stepMs(step, transaction, now);
	const tries = attempts > 1 ? ` (${attempts} attempts)` : '';
	const time = ms === undefined ? '' : duration(ms);
	if (ms === undefined) return status === 'skipped' ? [`${type} skipped`] : [];
	if (status === 'running') return [`${type} for ${time} so far${tries}`];
	switch (type) {
		case 'send':
			return [status === 'done' ? `sent in ${time}${tries}` : `send ${inWords(status)} after ${time}${tries}`];
		case 'wait':
			return [status === 'done' ? (receipt ? `${receipt} after ${time}` : `waited ${time}`) : `wait ${inWords(status)} after ${time}${receipt ? `, last told: ${receipt}` : ''}`];
		case 'webhook':
			return [`webhook ${statusCode ?? inWords(status)} in ${time}${tries}`];
	}
}

export function inWords(status: string): string {
	return status === 'inDoubt' ? 'in doubt' : status;
}

function problemOf({ failure, steps }: Transaction): string | undefined {
	const reason = failure ?? steps.find((step) => step.error && step.status !== 'done')?.error;
	return reason && `${reason.message} (${reason.code})`;
}
