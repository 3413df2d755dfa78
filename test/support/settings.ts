// Durations that keep tests short.
import type { Settings } from '../../ordering/settings';

/** In ms. */
export const shortSettings: Partial<Settings> = {
	lookUpMs: 150,
	lookUpEveryMs: 25, earlierEveryMs: 100,
	poll: { firstMs: 15, factor: 1.3, mostMs: 60, atOnce: 8 },
	retryFirstMs: 10,
	pairLimitFirstMs: 20,
	mostRetryAfterMs: 60_000,
};
