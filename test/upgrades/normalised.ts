// Takes out of a result what differs from run to run: times, addresses, IDs that are made anew.

const time = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})/g;
/** Transaction and turn IDs that nobody gave, and hashes. */
const made = /\bauto-[\w-]{32}|\b[0-9a-f]{24,}\b|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g;
/** Numbers that hang on the machine's speed or on what ran before. */
const varying = /(Ms|[sS]econds|At|^ticket|^fence|[tT]imestamp|^p50|^p95|^total)$/;

/** What is only sure to be there: texts for people may become better, and an event or a look at the record may be first. */
const told: Record<string, string> = { 'webhook-timestamp': '<time>', 'toldBy': '<way>', 'message': '<text>', 'hint': '<text>', 'verdict': '<text>' };

/** `names` are told for their values; message IDs are numbered in the order in which they are given. */
export function normalised<T>(value: T, names: Record<string, string>, messageIds: string[]): T {
	const replaced: Array<[string, string]> = [...messageIds.map((id, i): [string, string] => [id, `<message ${i + 1}>`]), ...Object.entries(names).map(([name, text]): [string, string] => [text, name])];
	const textOf = (text: string) => replaced.reduce((all, [from, to]) => all.replaceAll(from, to), text).replaceAll(time, '<time>').replaceAll(made, '<id>');
	const of = (one: unknown, key = ''): unknown => {
		if (typeof one === 'string') return told[key] ?? textOf(one);
		if (typeof one === 'number') return varying.test(key) ? '<number>' : one;
		if (Array.isArray(one)) return one.map((entry) => of(entry));
		if (typeof one === 'object' && one !== null) return Object.fromEntries(Object.entries(one).filter(([, entry]) => entry !== undefined).map(([name, entry]) => [name, of(entry, name)]));
		return one;
	};
	return of(value) as T;
}
