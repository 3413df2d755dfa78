// n8n's fixed collections without their wrapping: `{header: [{…}]}` is a list of headers.

/** The entries of a collection that takes several; what is none is passed on, so that the check can tell of it. */
export function entriesOf(collection: unknown, name: string): unknown {
	return isRecord(collection) ? (collection[name] ?? []) : (collection ?? []);
}

/** The entry of a collection that takes one; undefined where it has none. */
export function entryOf(collection: unknown, name: string): unknown {
	return isRecord(collection) ? collection[name] : collection;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
