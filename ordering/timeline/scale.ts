// Time on paper: sections of what belongs together, long stretches in which nothing happens left out, and ticks in local time.
import { offsetOf } from '../log/time';
import type { Row } from './rows';
import { roughDuration, widthOf } from './text';

/** Where the time axis lies, in px. */
export interface Span {
	left: number;
	right: number;
}

export interface Break {
	left: number;
	right: number;
	/** As in "// 3 h". */
	label: string;
}

export interface Tick {
	x: number;
	label: string;
}

export interface Section {
	rows: Row[];
	from: number;
	to: number;
	xOf(time: number): number;
	breaks: Break[];
	ticks: Tick[];
	/** As in "24 Nov 2026". */
	date: string;
}

export const tickSize = 10.5;
const breakWidth = 64;
const mostBreaks = 4;
/** A stretch is left out where it is this much longer than all the rest, and not short. */
const breakRatio = 8;
const breakFromMs = 30_000;
/** A section ends where its rows would otherwise take less of its width than this on average, and nothing happens for a while. */
const leastShare = 0.06;
const idleMs = 500;
/** What ended at once is as wide as this. */
const leastRowMs = 50;

/** The sections of rows that are sorted by their beginning. */
export function sectionsOf(rows: Row[], span: Span, timeZone: string): Section[] {
	const groups: Row[][] = [];
	for (const row of rows) {
		const group = groups.at(-1);
		if (group && belongsTo(group, row)) group.push(row);
		else groups.push([row]);
	}
	return groups.map((group) => sectionOf(group, span, timeZone));
}

function belongsTo(group: Row[], row: Row): boolean {
	const end = Math.max(...group.map(({ to }) => to));
	if (row.from - end < idleMs) return true;
	const all = [...group, row];
	const mean = all.reduce((sum, { from, to }) => sum + Math.max(leastRowMs, to - from), 0) / all.length;
	return mean / (Math.max(end, row.to) - (group[0] as Row).from) >= leastShare;
}

interface Segment {
	from: number;
	to: number;
	left: number;
}

function sectionOf(rows: Row[], span: Span, timeZone: string): Section {
	const from = Math.min(...rows.map((row) => row.from));
	const to = Math.max(...rows.map((row) => row.to), from + 10);
	const gaps = leftOut(rows, from, to);
	const shown = to - from - gaps.reduce((sum, gap) => sum + gap.to - gap.from, 0);
	const pxPerMs = (span.right - span.left - gaps.length * breakWidth) / shown;
	const segments: Segment[] = [];
	const breaks: Break[] = [];
	let [start, left] = [from, span.left];
	for (const gap of gaps) {
		segments.push({ from: start, to: gap.from, left });
		left += (gap.from - start) * pxPerMs;
		breaks.push({ left, right: left + breakWidth, label: `// ${roughDuration(gap.to - gap.from)}` });
		left += breakWidth;
		start = gap.to;
	}
	segments.push({ from: start, to, left });
	const xOf = (time: number) => {
		const index = segments.findLastIndex((segment) => time >= segment.from);
		const segment = segments[Math.max(0, index)] as Segment;
		if (time <= segment.to) return Math.max(span.left, segment.left + (time - segment.from) * pxPerMs);
		const broken = breaks[index];
		const gap = gaps[index];
		return broken && gap ? broken.left + (breakWidth * (time - gap.from)) / (gap.to - gap.from) : span.right;
	};
	const { ticks, date } = ticksOf(segments, breaks, pxPerMs, timeZone);
	return { rows: [...rows].sort((a, b) => workOf(a) - workOf(b)), from, to, xOf, breaks, ticks, date };
}

/** When it had its turn, or left without one: so rows stand in the order in which the chat was served. */
function workOf({ bars, to }: Row): number {
	return Math.min(to, ...bars.filter(({ kind }) => kind !== 'queue').map(({ from }) => from));
}

/** The stretches in which nothing begins or ends and that are left out; a little at their ends stays. */
function leftOut(rows: Row[], from: number, to: number): Array<{ from: number; to: number }> {
	const events = rows.flatMap((row) => [row.from, row.to, ...row.bars.flatMap((bar) => [bar.from, bar.to]), ...row.marks.map(({ at }) => at)]);
	const times = [...new Set([from, ...events, to])].sort((a, b) => a - b);
	const stretches = times.slice(1).map((time, index) => ({ from: times[index] as number, to: time, ms: time - (times[index] as number) }));
	const byLength = [...stretches].sort((a, b) => b.ms - a.ms);
	const restAfter = (count: number) => byLength.slice(count).reduce((sum, { ms }) => sum + ms, 0);
	const isLong = (count: number) => {
		const [shortest, rest] = [byLength[count - 1]?.ms ?? 0, restAfter(count)];
		return shortest >= breakFromMs && rest > 0 && shortest > breakRatio * rest;
	};
	const count = Array.from({ length: mostBreaks }, (_, i) => i + 1).findLast(isLong) ?? 0;
	const margin = restAfter(count) * 0.1;
	return byLength.slice(0, count).sort((a, b) => a.from - b.from).map((stretch) => ({ from: stretch.from + margin, to: stretch.to - margin }));
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const steps = [
	...[1, 2, 5, 10, 20, 50, 100, 200, 500],
	...[1, 2, 5, 10, 15, 30].map((count) => count * second),
	...[1, 2, 5, 10, 15, 30].map((count) => count * minute),
	...[1, 2, 3, 6, 12].map((count) => count * hour),
	...[1, 2, 7, 14, 30, 90, 180, 365].map((count) => count * day),
];

function ticksOf(segments: Segment[], breaks: Break[], pxPerMs: number, timeZone: string): Pick<Section, 'ticks' | 'date'> {
	const dates = new Set([segments[0]?.from, segments.at(-1)?.to].map((time) => dateIn(timeZone, time as number)));
	const nameDay = dates.size > 1;
	const step = steps.find((one) => one * pxPerMs >= widthOf(labelOf(0, one, nameDay, timeZone), tickSize) + 26) ?? (steps.at(-1) as number);
	const taken: Span[] = breaks.map(({ left, right, label }) => around((left + right) / 2, label));
	const ticks: Tick[] = [];
	const place = (segment: Segment, time: number, fineness: number) => {
		const tick = { x: segment.left + (time - segment.from) * pxPerMs, label: labelOf(time, fineness, nameDay, timeZone) };
		const room = around(tick.x, tick.label);
		if (taken.some(({ left, right }) => room.left < right && left < room.right)) return;
		taken.push(room);
		ticks.push(tick);
	};
	for (const segment of segments) {
		const before = ticks.length;
		const offset = offsetOf(segment.from, timeZone);
		for (let time = Math.ceil((segment.from + offset) / step) * step - offset; time <= segment.to; time += step) place(segment, time, step);
		if (ticks.length === before) place(segment, segment.from, Math.min(step, second));
	}
	return { ticks: ticks.sort((a, b) => a.x - b.x), date: [...dates].join(' – ') };
}

/** The room that a label needs, with some to its neighbours. */
function around(x: number, label: string): Span {
	const half = widthOf(label, tickSize) / 2 + 3;
	return { left: x - half, right: x + half };
}

function labelOf(time: number, step: number, nameDay: boolean, timeZone: string): string {
	const dayName = nameDay ? `${format(timeZone, { day: 'numeric', month: 'short' }).format(time)} ` : '';
	if (step >= day) return dayName.trim() || format(timeZone, { day: 'numeric', month: 'short' }).format(time);
	const clock = format(timeZone, { hour: '2-digit', minute: '2-digit', ...(step < minute ? { second: '2-digit' } : {}), ...(step < second ? { fractionalSecondDigits: 3 } : {}), hourCycle: 'h23' });
	return dayName + clock.format(time);
}

export function dateIn(timeZone: string, time: number): string {
	return format(timeZone, { day: 'numeric', month: 'short', year: 'numeric' }).format(time);
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** British: the day before the month, and 24 hours. */
function format(timeZone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
	const key = JSON.stringify([timeZone, options]);
	const known = formats.get(key) ?? new Intl.DateTimeFormat('en-GB', { timeZone, ...options });
	formats.set(key, known);
	return known;
}
