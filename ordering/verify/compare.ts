// Compares the order in which the ledger says that messages were sent with the times that EvolutionAPI has on record.

/** One message of ours; times of the ledger in ms since 1970. */
export interface Sent {
	transactionId: string;
	step: number;
	messageId: string;
	/** The name of its lane, whose fences count turns. */
	lane: string;
	fence: number;
	startedAt: number;
	finishedAt: number;
	/** What EvolutionAPI has on record, in whole seconds since 1970. */
	recordedAt?: number;
}

/** Two messages that stand on EvolutionAPI's record in the other order than in the ledger. */
export interface Inversion {
	sentFirst: Sent;
	sentLater: Sent;
}

export interface Comparison {
	/** Sorted by when the later one was sent; at most {@link mostInversions}. */
	inversions: Inversion[];
	/** Whether there are more. */
	moreInversions: boolean;
	/** Neighbours in the ledger's order whose order EvolutionAPI's record can tell. */
	told: number;
	/** Neighbours of which it can't: both are of one second, or the ledger itself can't tell. */
	untold: number;
}

/** Enough to see what is wrong; a chat whose whole record is reversed has millions. */
export const mostInversions = 1000;

/** Only what is on record by both counts. */
export function compare(all: Sent[]): Comparison {
	const sent = inLedgerOrder(all.filter(({ recordedAt }) => recordedAt !== undefined));
	const neighbours = sent.slice(1).map((later, index) => [sent[index] as Sent, later] as const);
	const told = neighbours.filter(([first, later]) => isSurelyBefore(first, later) && first.recordedAt !== later.recordedAt).length;
	const inversions = inversionsIn(sent);
	return { inversions: inversions.slice(0, mostInversions), moreInversions: inversions.length > mostInversions, told, untold: neighbours.length - told };
}

export function inLedgerOrder(all: Sent[]): Sent[] {
	return [...all].sort((a, b) => a.startedAt - b.startedAt || a.fence - b.fence || a.step - b.step);
}

/**
 * Whether the ledger surely tells that one was sent before another. Clocks of two processes differ, so where both are of
 * one lane its fences must not speak against the times; and one may have gone out at any moment until it was finished.
 */
function isSurelyBefore(first: Sent, later: Sent): boolean {
	if (first.transactionId === later.transactionId) return first.step < later.step;
	return first.finishedAt <= later.startedAt && (first.lane !== later.lane || first.fence <= later.fence);
}

/** One more than {@link mostInversions} where there are more. */
function inversionsIn(sent: Sent[]): Inversion[] {
	const found: Inversion[] = [];
	let latest = -Infinity;
	for (const [index, later] of sent.entries()) {
		const at = later.recordedAt as number;
		// with no earlier one on record behind it, it needs no look at each
		if (at < latest) {
			for (const sentFirst of sent.slice(0, index)) {
				if ((sentFirst.recordedAt as number) > at && isSurelyBefore(sentFirst, later)) found.push({ sentFirst, sentLater: later });
				if (found.length > mostInversions) return found;
			}
		}
		latest = Math.max(latest, at);
	}
	return found;
}
