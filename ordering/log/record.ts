// A transaction as the log shows it: the public result, and when it was created and ended.
import { toResult, type TransactionResult } from '../result';
import type { Transaction } from '../transaction';

export interface TransactionRecord extends TransactionResult {
	/** ISO 8601. */
	createdAt: string;
	endedAt?: string;
	/** Only where Store Message Text was on. */
	text?: string;
}

export function toRecord(transaction: Transaction): TransactionRecord {
	const { createdAt, endedAt, text } = transaction;
	return {
		...toResult(transaction, false),
		createdAt: new Date(createdAt).toISOString(),
		...(endedAt === undefined ? {} : { endedAt: new Date(endedAt).toISOString() }),
		...(text === undefined ? {} : { text }),
	};
}
