// Times as people and n8n write them, in their time zone.

/** Ms since 1970 of a Date, Luxon's DateTime, ms, or ISO 8601; one without an offset is meant in `timeZone`. Undefined for anything else. */
export function toTime(value: unknown, timeZone: string): number | undefined {
	if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
	if (typeof value === 'object' && value !== null) return timeOfObject(value);
	if (typeof value !== 'string') return undefined;
	const written = value.trim().replace(' ', 'T');
	if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/i.test(written)) return undefined;
	const hasOffset = /(Z|[+-]\d\d:?\d\d)$/i.test(written) && written.includes('T');
	const asUtc = Date.parse(hasOffset ? written : `${written}${written.includes('T') ? '' : 'T00:00'}Z`);
	if (Number.isNaN(asUtc)) return undefined;
	return hasOffset ? asUtc : inZone(asUtc, timeZone);
}

/** How far local clocks are ahead of UTC at `time`, in ms. */
export function offsetOf(time: number, timeZone: string): number {
	const parts = Object.fromEntries(partsIn(timeZone).formatToParts(time).map(({ type, value }) => [type, Number(value)]));
	const local = Date.UTC(parts.year as number, (parts.month as number) - 1, parts.day, parts.hour, parts.minute, parts.second);
	return local - Math.floor(time / 1000) * 1000;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function partsIn(timeZone: string): Intl.DateTimeFormat {
	const format = formats.get(timeZone) ?? new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' });
	formats.set(timeZone, format);
	return format;
}

function timeOfObject(value: object): number | undefined {
	const time = 'toMillis' in value && typeof value.toMillis === 'function' ? (value.toMillis() as unknown) : value instanceof Date ? value.getTime() : undefined;
	return typeof time === 'number' && Number.isFinite(time) ? time : undefined;
}

/** The second try is for the hours around a change of the clocks. */
function inZone(local: number, timeZone: string): number {
	const first = local - offsetOf(local, timeZone);
	return local - offsetOf(first, timeZone);
}
