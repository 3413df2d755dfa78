// Acknowledgements of all channels on one scale.

/** In rising order. `deleted` is an end of its own and has no rank. */
export type Receipt = 'failed' | 'pending' | 'sent' | 'delivered' | 'read' | 'played' | 'deleted';

/** EvolutionAPI's words: Baileys' (SERVER_ACK, DELIVERY_ACK, READ, PLAYED, ERROR, DELETED) and Meta's (SENT, DELIVERED, READ, FAILED). */
const receiptOfStatus: Record<string, Receipt> = {
	ERROR: 'failed',
	FAILED: 'failed',
	PENDING: 'pending',
	SERVER_ACK: 'sent',
	SENT: 'sent',
	DELIVERY_ACK: 'delivered',
	DELIVERED: 'delivered',
	READ: 'read',
	PLAYED: 'played',
	DELETED: 'deleted',
};

const ranks: Record<Receipt, number> = { deleted: -1, pending: 0, failed: 0, sent: 1, delivered: 2, read: 3, played: 4 };

export function toReceipt(status: unknown): Receipt | undefined {
	return typeof status === 'string' ? receiptOfStatus[status.toUpperCase()] : undefined;
}

/** Whether `receipt` is as good as `target` or better: a read message was delivered, whatever came first. */
function reaches(receipt: Receipt, target: Receipt): boolean {
	return ranks[receipt] >= ranks[target];
}

/**
 * What a message's receipts say about a wait for `target`. They come in no order, more than once, and with gaps, so
 * the highest counts; a failure or a deletion ends the wait only where the target was not reached.
 */
export function judge(receipts: Receipt[], target: Receipt): { end: 'reached' | 'failed' | 'deleted' | undefined; receipt?: Receipt } {
	const best = receipts.reduce<Receipt | undefined>((a, b) => (a === undefined || ranks[b] > ranks[a] ? b : a), undefined);
	if (best !== undefined && reaches(best, target)) return { end: 'reached', receipt: best };
	if (receipts.includes('failed')) return { end: 'failed', receipt: 'failed' };
	if (receipts.includes('deleted')) return { end: 'deleted', receipt: 'deleted' };
	return { end: undefined, receipt: best };
}
