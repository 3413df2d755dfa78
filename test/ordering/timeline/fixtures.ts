// A transaction on a timeline, for the tests of its pictures.
import type { Transaction } from '../../../ordering/transaction';
import { step, transaction } from '../ledger/fixtures';

export const noon = Date.UTC(2026, 10, 24, 15, 0, 0);
export const options = { title: 'Chat with 5511988887777', timeZone: 'America/Sao_Paulo', now: noon + 3_600_000 };

/** Queued for 100 ms, sent in 200, delivered after a second, its webhook called in 50. */
export function delivered(id: string, createdAt = noon, more: Partial<Transaction> = {}): Transaction {
	return transaction({
		id,
		createdAt,
		endedAt: createdAt + 1350,
		status: 'completed',
		queue: { ticket: 1, waitedMs: 100, late: false, fence: 3 },
		steps: [
			step({ status: 'done', attempts: 1, messageId: 'M1', startedAt: createdAt + 100, finishedAt: createdAt + 300 }),
			step({ index: 1, type: 'wait', status: 'done', attempts: 1, receipt: 'delivered', toldBy: 'live', startedAt: createdAt + 300, finishedAt: createdAt + 1300 }),
			step({ index: 2, type: 'webhook', status: 'done', attempts: 2, statusCode: 200, startedAt: createdAt + 1300, finishedAt: createdAt + 1350 }),
		],
		...more,
	});
}
