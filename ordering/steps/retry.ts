// Retries of one step by p-retry: only for what may be tried again, with the pauses that the other side asks for.
import pRetry from 'p-retry';
import { metaPairLimit, type TryAgain } from '../../evolution/answers';
import type { Failure } from '../errors';
import { pause } from '../pause';
import type { Settings } from '../settings';

/** One attempt that came to nothing. */
export class AttemptFailed extends Error {
	constructor(
		readonly failure: Failure,
		readonly tryAgain: TryAgain,
		readonly retryAfterMs?: number,
		readonly statusCode?: number,
		/** Whether it surely had no effect. */
		readonly delivered: 'no' | 'unknown' = 'unknown',
	) {
		super(failure.message);
	}
}

/**
 * Runs `attempt` until it succeeds, may not be tried again, or has failed `attempts` times; throws its last error. An
 * attempt that succeeded has succeeded, even if the signal fired meanwhile (p-retry by itself would throw then).
 */
export async function retrying<T>(attempts: number, settings: Settings, signal: AbortSignal | undefined, attempt: () => Promise<T>): Promise<T> {
	let success: { value: T } | undefined;
	const noted = async () => (success = { value: await attempt() }).value;
	return await pRetry(noted, {
		retries: attempts - 1,
		minTimeout: settings.retryFirstMs,
		factor: 2,
		randomize: true,
		signal,
		shouldRetry: async ({ error, retriesConsumed, retryDelay }) => {
			if (!(error instanceof AttemptFailed) || error.tryAgain !== 'now') return false;
			await pause(Math.max(0, askedPauseMs(error, retriesConsumed, settings) - retryDelay), signal);
			return true;
		},
	}).catch((error: unknown) => {
		if (success) return success.value;
		throw error;
	});
}

/** Meta's pair limit wants 4^n seconds; a server's Retry-After is honoured to a limit. */
function askedPauseMs(error: AttemptFailed, retriesConsumed: number, settings: Settings): number {
	if (error.failure.code === `meta${metaPairLimit}`) return settings.pairLimitFirstMs * 4 ** retriesConsumed;
	return Math.min(error.retryAfterMs ?? 0, settings.mostRetryAfterMs);
}
