// The time axis: what is left out, what belongs together, and ticks that a person can read.
import { pictureWidth, plot } from '../../../ordering/timeline/draw';
import type { Row } from '../../../ordering/timeline/rows';
import { type Section, sectionsOf, tickSize } from '../../../ordering/timeline/scale';
import { widthOf } from '../../../ordering/timeline/text';

const noon = Date.UTC(2026, 10, 24, 15, 0, 0);
const span = plot;

/** A row of bars that follow one another: each lasts so many ms. */
function row(from: number, ...lengths: number[]): Row {
	let at = from;
	const bars = lengths.map((ms) => ({ kind: 'wait' as const, from: at, to: (at += ms), goesOn: false, title: '' }));
	return { id: `at ${from}`, status: 'completed', from, to: at, bars, marks: [], facts: [] };
}

function only(sections: Section[]): Section {
	expect(sections).toHaveLength(1);
	return sections[0] as Section;
}

test('a time lies where its share of the axis is', () => {
	const { xOf, breaks } = only(sectionsOf([row(noon, 1000, 1000)], span, 'UTC'));
	expect([xOf(noon), xOf(noon + 1000), xOf(noon + 2000)]).toEqual([span.left, (span.left + span.right) / 2, span.right]);
	expect(breaks).toEqual([]);
});

test('a long stretch in which nothing happens is left out, and says how long it was', () => {
	const { xOf, breaks } = only(sectionsOf([row(noon, 300, 3 * 3_600_000, 200)], span, 'UTC'));
	expect(breaks).toMatchObject([{ label: '// 3 h' }]);
	expect(xOf(noon + 300) - xOf(noon)).toBeGreaterThan(100);
	expect(xOf(noon + 300 + 3 * 3_600_000 + 200)).toBeCloseTo(span.right);
});

test.each([[[300, 29_000, 200]], [[500_000]], [[300, 60_000, 20_000]]])('what is not much longer than the rest, or all there is, stays whole: %j', (lengths) => {
	expect(only(sectionsOf([row(noon, ...lengths)], span, 'UTC')).breaks).toEqual([]);
});

test('several long stretches are left out, and time still goes from left to right through them', () => {
	const one = row(noon, 200, 7_200_000, 300, 3_600_000, 100);
	const { xOf, breaks } = only(sectionsOf([one], span, 'UTC'));
	expect(breaks.map(({ label }) => label)).toEqual(['// 2 h', '// 60 min']);
	const times = Array.from({ length: 2000 }, (_, i) => noon + ((one.to - noon) * i) / 1999);
	for (const [index, time] of times.entries()) {
		expect(xOf(time)).toBeGreaterThanOrEqual(xOf(times[index - 1] ?? noon));
		expect(xOf(time)).toBeLessThanOrEqual(span.right + 0.001);
	}
});

test('rows that are hours apart get an axis each; those of one moment share one', () => {
	const rows = [row(noon, 300), row(noon + 200, 300), row(noon + 3_600_000, 300), row(noon + 3_600_100, 300)];
	expect(sectionsOf(rows, span, 'UTC').map((section) => section.rows.length)).toEqual([2, 2]);
});

test('rows stand in the order in which the chat was served', () => {
	const queue = (one: Row, ms: number): Row => ({ ...one, bars: [{ kind: 'queue', from: one.from, to: one.from + ms, goesOn: false, title: '' }, ...one.bars.map((bar) => ({ ...bar, from: bar.from + ms, to: bar.to + ms }))], to: one.to + ms });
	const [late, early] = [queue(row(noon, 100), 500), queue(row(noon + 1, 100), 50)];
	expect(only(sectionsOf([late, early], span, 'UTC')).rows.map(({ id }) => id)).toEqual([early.id, late.id]);
});

test.each([5, 80, 900, 7000, 45_000, 600_000, 5_400_000, 40_000_000, 900_000_000])('of %i ms the ticks are round, and no two labels touch', (ms) => {
	const { ticks, breaks } = only(sectionsOf([row(noon + 123, ms * 0.4, ms * 0.6)], span, 'America/Sao_Paulo'));
	expect(ticks.length).toBeGreaterThanOrEqual(2);
	expect(breaks).toEqual([]);
	const rooms = ticks.map(({ x, label }) => [x - widthOf(label, tickSize) / 2, x + widthOf(label, tickSize) / 2] as const);
	for (const [index, [left]] of rooms.entries()) expect(left).toBeGreaterThan(rooms[index - 1]?.[1] ?? 0);
	expect(rooms.at(-1)?.[1]).toBeLessThan(pictureWidth);
});

test('labels beside what is left out do not touch it', () => {
	for (const ms of [1, 7, 50, 150, 400]) {
		const { ticks, breaks } = only(sectionsOf([row(noon, ms, 3_600_000, 400, 7_200_000, 20)], span, 'UTC'));
		const rooms = [...ticks.map(({ x, label }) => [x, label] as const), ...breaks.map(({ left, right, label }) => [(left + right) / 2, label] as const)].sort((a, b) => a[0] - b[0]).map(([x, label]) => [x - widthOf(label, tickSize) / 2, x + widthOf(label, tickSize) / 2] as const);
		for (const [index, [left]] of rooms.entries()) expect(left).toBeGreaterThan(rooms[index - 1]?.[1] ?? 0);
	}
});

test.each([['America/Sao_Paulo', '12:00:00', '24 Nov 2026'], ['Asia/Kolkata', '20:30:00', '24 Nov 2026'], ['Pacific/Auckland', '04:00:00', '25 Nov 2026']])('times are those of %s', (timeZone, label, date) => {
	const section = only(sectionsOf([row(noon, 10_000)], span, timeZone));
	expect(section.ticks[0]?.label).toBe(label);
	expect(section.date).toBe(date);
});

test('over midnight the labels name the day', () => {
	const { ticks, date } = only(sectionsOf([row(noon, 20 * 3_600_000)], span, 'UTC'));
	expect(ticks.map(({ label }) => label)).toContain('25 Nov 00:00');
	expect(date).toBe('24 Nov 2026 – 25 Nov 2026');
});
