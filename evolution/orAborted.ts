// For work that others share: one caller may leave it without ending it.

/** The result of `work`, or a rejection with the signal's reason as soon as it fires; `work` itself goes on. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
	if (!signal) return work;
	return new Promise<T>((resolve, reject) => {
		const onAbort = () => reject(signal.reason as Error);
		if (signal.aborted) return onAbort();
		signal.addEventListener('abort', onAbort, { once: true });
		void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
	});
}
