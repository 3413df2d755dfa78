// A transaction as the log shows it: the public result, and when it was created and ended.
import { type StepResult, toResult, type TransactionResult } from '../result';
import type { Transaction } from '../transaction';

export interface TransactionRecord extends TransactionResult {
	/** ISO 8601. */
	createdAt: string;
	endedAt?: string;
	/** With the texts of messages, only where Store Message Text was on. */
	steps: Array<StepResult & { text?: string }>;
}

export function toRecord(transaction: Transaction): TransactionRecord {
	const { createdAt, endedAt, steps } = transaction;
	const result = toResult(transaction, false);
	return {
		...result,
		steps: result.steps.map((step, index) => ({ ...step, ...(steps[index]?.text === undefined ? {} : { text: steps[index].text }) })),
		createdAt: new Date(createdAt).toISOString(),
		...(endedAt === undefined ? {} : { endedAt: new Date(endedAt).toISOString() }),
	};
}
