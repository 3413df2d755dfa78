// Reads the form in which n8n stores executions (the `flatted` package's): a list of values that name each other by index.

/** Turns that text back into the value; what occurs twice is one object again. */
export function unflatten(text: string): unknown {
	const list = JSON.parse(text) as unknown[];
	const done = new Map<number, unknown>();

	const at = (index: number): unknown => {
		if (done.has(index)) return done.get(index);
		const value = list[index];
		if (typeof value !== 'object' || value === null) return value;
		const target: Record<string, unknown> | unknown[] = Array.isArray(value) ? [] : {};
		// Before its parts, since they may point back at it.
		done.set(index, target);
		for (const [key, part] of Object.entries(value)) (target as Record<string, unknown>)[key] = resolve(part);
		return target;
	};
	// Texts are stored as indexes too, so every text inside a list or object is one.
	const resolve = (part: unknown): unknown => (typeof part === 'string' ? at(Number(part)) : part);

	return at(0);
}
