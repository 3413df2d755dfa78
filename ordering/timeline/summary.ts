// The numbers of a timeline: how many, and how long they queued, sent and waited.
import type { StepType, Transaction, TransactionStatus } from '../transaction';
import { queuedMs, stepMs } from './rows';

/** All in ms; of none, the percentiles are missing. */
export interface Times {
	total: number;
	p50?: number;
	p95?: number;
}

export interface TimelineSummary {
	transactions: number;
	statuses: Partial<Record<TransactionStatus, number>>;
	/** Each time in ms. Queueing is one for each transaction, the others one for each step that was begun. */
	queueing: Times;
	sending: Times;
	waiting: Times;
	webhook: Times;
}

export function summaryOf(transactions: Transaction[], now: number): TimelineSummary {
	const statuses: TimelineSummary['statuses'] = {};
	for (const { status } of transactions) statuses[status] = (statuses[status] ?? 0) + 1;
	const ofSteps = (type: StepType) => timesOf(transactions.flatMap((one) => one.steps.filter((step) => step.type === type).flatMap((step) => stepMs(step, one, now) ?? [])));
	return {
		transactions: transactions.length,
		statuses,
		queueing: timesOf(transactions.map((one) => queuedMs(one, now))),
		sending: ofSteps('send'),
		waiting: ofSteps('wait'),
		webhook: ofSteps('webhook'),
	};
}

function timesOf(given: number[]): Times {
	const sorted = given.map(Math.round).sort((a, b) => a - b);
	const total = sorted.reduce((sum, ms) => sum + ms, 0);
	if (sorted.length === 0) return { total };
	return { total, p50: percentile(sorted, 0.5), p95: percentile(sorted, 0.95) };
}

/** By nearest rank: a time that was measured. */
function percentile(sorted: number[], share: number): number {
	return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number;
}
