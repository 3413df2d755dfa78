// Durations and limits that no user sets in the panel. Tests shorten them; times in ms.

import type { BufferSettings } from './buffer/buffer';
import type { PollSettings } from './receipts/waits';

export interface Settings {
	/** How long a look-up for a message in doubt is repeated: an aborted send can still go out (measured: 1.2 s later). */
	lookUpMs: number;
	/** The look-up goes from the attempt's start less this, since clocks differ and EvolutionAPI knows whole seconds. */
	lookBackMs: number;
	/** Pause between two look-ups. */
	lookUpEveryMs: number;
	/** How often it is looked whether the earlier messages of a turn are out. */
	earlierEveryMs: number;
	/** How receipts are looked for, one schedule for each server; polling is dear for EvolutionAPI. */
	poll: PollSettings;
	/** First pause before a retry (with jitter up to twice that), doubled each time. */
	retryFirstMs: number;
	/** Pauses after Meta's pair limit: this, times 4, times 16 (Meta's own advice is 4^n seconds). */
	pairLimitFirstMs: number;
	/** A server's `Retry-After` is honoured up to this. */
	mostRetryAfterMs: number;
	/** How many chats of one node execution are worked on at the same time. */
	chatsAtOnce: number;
	/** Ended transactions are deleted after this. */
	keepMs: number;
	/** How often that is looked for. */
	pruneEveryMs: number;
	/** How quick messages of a chat are collected. */
	buffer: BufferSettings;
}

export const defaultSettings: Settings = {
	lookUpMs: 15_000,
	lookBackMs: 60_000,
	lookUpEveryMs: 1_000,
	earlierEveryMs: 1_000,
	poll: { firstMs: 250, factor: 1.5, mostMs: 5_000, atOnce: 8, mostPerSecond: 30, live: { everyMs: 15_000 } },
	retryFirstMs: 500,
	pairLimitFirstMs: 1_000,
	mostRetryAfterMs: 60_000,
	chatsAtOnce: 10,
	keepMs: 30 * 86_400_000,
	pruneEveryMs: 3_600_000,
	buffer: { pollMs: 500, retryMs: 1_000, leftMs: 5_000, rememberMs: 86_400_000, pruneEveryMs: 3_600_000, mostBytes: 32 * 2 ** 20 },
};
