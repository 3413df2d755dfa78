// For a catch that can handle some errors and not others.

/** The error, if it is of one of these classes; any other is thrown on: it is no case that the caller knows. */
export function only<T extends Error>(error: unknown, ...classes: Array<abstract new (...args: never[]) => T>): T {
	if (classes.some((one) => error instanceof one)) return error as T;
	throw error;
}
