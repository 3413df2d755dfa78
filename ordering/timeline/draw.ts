// Draws a timeline as SVG: a row for each transaction, a time axis for what belongs together. No script, nothing from outside.
import { barNames, darkStyle, fill, fonts, insideOf, markNames, monospace, patterns, px, sign, statusLook, stroke } from './look';
import type { Bar, BarKind, MarkKind, Row } from './rows';
import { type Section, sectionsOf, tickSize } from './scale';
import { boldness, escaped, monospaceWidthOf, roughDuration, shortened, widthOf, wrapped } from './text';

export const pictureWidth = 760;

export interface Heading {
	title: string;
	/** Below the title, a line each. */
	lines: string[];
	/** Shown where there are no rows. */
	nothing: string;
}

const edge = 24;
const names = { left: edge, right: 206 };
/** Signs are pushed to the right where they would lie on each other, so some room is left there. */
export const plot = { left: 224, right: 694 };
const rowTop = 9;
const barHeight = 18;
const lineHeight = 15;
const factSize = 11;
const signWidth = 18;

/** Grows downwards: what has been drawn, and where the next thing goes. */
interface Sheet {
	parts: string[];
	y: number;
}

export interface Drawing {
	svg: string;
	/** In px, where the width is {@link pictureWidth}. */
	height: number;
}

/** `rows` are sorted by their beginning. */
export function draw(rows: Row[], heading: Heading, timeZone: string): Drawing {
	const sheet: Sheet = { parts: [], y: 0 };
	drawHeading(sheet, heading);
	const sections = sectionsOf(rows, plot, timeZone);
	drawLegend(sheet, rows, sections.length > 1 || sections.some(({ breaks }) => breaks.length > 0));
	if (rows.length === 0) {
		sheet.y += 34;
		sheet.parts.push(text(heading.nothing, edge, sheet.y, 13, 'quiet'));
	}
	let before: Section | undefined;
	for (const section of sections) {
		drawSection(sheet, section, before);
		before = section;
	}
	const height = Math.ceil(sheet.y + edge);
	const svg = [
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${pictureWidth} ${height}" width="${pictureWidth}" height="${height}" role="img" aria-labelledby="tl-title tl-desc" font-family="${fonts}">`,
		`<title id="tl-title">${escaped(heading.title)}</title><desc id="tl-desc">${escaped(description(rows, heading))}</desc>`,
		`<style>${darkStyle}</style><defs>${patterns}</defs>`,
		`<rect width="${pictureWidth}" height="${height}" rx="10" ${fill('background')}/>`,
		...sheet.parts,
		'</svg>',
	].join('\n');
	return { svg, height };
}

function description(rows: Row[], { lines, nothing }: Heading): string {
	if (rows.length === 0) return `${lines.join('. ')}. ${nothing}`;
	return `${lines.join('. ')}. One row for each transaction: ${rows.slice(0, 50).map(({ id, status, facts }) => `${id}, ${statusLook[status].words}: ${facts.join(', ')}`).join('; ')}.${rows.length > 50 ? ` And ${rows.length - 50} more.` : ''}`;
}

function text(content: string, x: number, y: number, size: number, colour: Parameters<typeof fill>[0], more = ''): string {
	return `<text x="${px(x)}" y="${px(y)}" font-size="${size}" ${fill(colour)}${more}>${escaped(content)}</text>`;
}

function drawHeading(sheet: Sheet, { title, lines }: Heading): void {
	const width = pictureWidth - 2 * edge;
	sheet.y = 18;
	for (const line of wrapped(title, 19 * boldness, width)) {
		sheet.y += 24;
		sheet.parts.push(text(line, edge, sheet.y, 19, 'text', ' font-weight="600"'));
	}
	for (const line of lines.flatMap((one) => wrapped(one, 12.5, width))) {
		sheet.y += 19;
		sheet.parts.push(text(line, edge, sheet.y, 12.5, 'quiet'));
	}
}

/** Only what the picture shows, and sending and webhook always: they are what it is about. */
function drawLegend(sheet: Sheet, rows: Row[], leavesOut: boolean): void {
	const bars = new Set<BarKind>(['send', ...rows.flatMap((row) => row.bars.map(({ kind }) => kind))]);
	const marks = new Set<MarkKind>(rows.flatMap((row) => row.marks.map(({ kind }) => kind)));
	const entries = [
		...(['queue', 'send', 'wait', 'webhook'] as const).filter((kind) => bars.has(kind)).map((kind) => ({ label: barNames[kind], wide: 26, shape: (x: number, y: number) => box(kind, x, x + 26, y - 11, 14) })),
		...(Object.keys(markNames) as MarkKind[]).filter((kind) => marks.has(kind)).map((kind) => ({ label: markNames[kind], wide: 17, shape: (x: number, y: number) => sign(kind, x + 8.5, y - 4) })),
		...(leavesOut ? [{ label: '// time left out', wide: 0, shape: () => '' }] : []),
	];
	sheet.y += 34;
	let x = edge;
	for (const { label, wide, shape } of entries) {
		const width = wide + (wide ? 7 : 0) + widthOf(label, 12) + 14;
		if (x + width > pictureWidth - edge) {
			x = edge;
			sheet.y += 24;
		}
		sheet.parts.push(shape(x, sheet.y), text(label, x + wide + (wide ? 7 : 0), sheet.y, 12, 'text'));
		x += width;
	}
	sheet.y += 14;
}

function box(kind: BarKind, left: number, right: number, top: number, height: number, dashed = false): string {
	const position = `x="${px(left)}" y="${px(top)}" width="${px(Math.max(2.5, right - left))}" height="${height}" rx="3"`;
	return `<rect ${position} ${insideOf(kind)}/><rect ${position} ${stroke(kind)}${dashed ? ' stroke-dasharray="4 3"' : ''}/>`;
}

function drawSection(sheet: Sheet, section: Section, before: Section | undefined): void {
	if (before) {
		sheet.y += 20;
		const idle = section.from - before.to;
		const label = `// ${roughDuration(Math.max(1000, idle))} later`;
		const half = widthOf(label, 11) / 2 + 10;
		const middle = pictureWidth / 2;
		sheet.parts.push(`<path d="M${edge} ${px(sheet.y - 4)}H${px(middle - half)}M${px(middle + half)} ${px(sheet.y - 4)}H${pictureWidth - edge}" stroke-dasharray="2 4" ${stroke('gap')}/>`, text(label, middle, sheet.y, 11, 'quiet', ' text-anchor="middle"'));
	}
	sheet.y += 28;
	const axis = sheet.y;
	sheet.parts.push(text(section.date, names.left, axis, 12, 'text', ' font-weight="600"'));
	for (const { x, label } of section.ticks) sheet.parts.push(text(label, x, axis, tickSize, 'quiet', ' text-anchor="middle"'), `<path d="M${px(x)} ${px(axis + 4)}v5" ${stroke('gap')}/>`);
	for (const { left, right, label } of section.breaks) sheet.parts.push(text(label, (left + right) / 2, axis, tickSize, 'text', ' text-anchor="middle" font-weight="600"'));
	sheet.y += 9;
	sheet.parts.push(`<path d="M${plot.left} ${px(sheet.y)}H${plot.right}" ${stroke('gap')}/>`);
	for (const [index, row] of section.rows.entries()) drawRow(sheet, section, row, index % 2 === 0);
}

function drawRow(sheet: Sheet, section: Section, row: Row, banded: boolean): void {
	const top = sheet.y;
	const width = pictureWidth - edge - plot.left - 6;
	const facts = wrapped(row.facts.join(' · '), factSize, width);
	const problem = row.problem ? wrapped(row.problem, factSize, width) : [];
	const height = Math.max(44, rowTop + barHeight + 6 + (facts.length + problem.length) * lineHeight + 6);
	const middle = top + rowTop + barHeight / 2;
	const { words, colour, mark } = statusLook[row.status];
	const parts = [`<g><title>${escaped(`${row.id}: ${words}`)}</title>`];
	if (banded) parts.push(`<rect x="${edge - 10}" y="${px(top)}" width="${pictureWidth - 2 * edge + 20}" height="${px(height)}" ${fill('band')}/>`);
	parts.push(text(shortened(row.id, (id) => monospaceWidthOf(id, 12) <= names.right - names.left), names.left, top + rowTop + 10, 12, 'text', ` font-family="${monospace}"`));
	const statusY = top + rowTop + 28;
	if (mark) parts.push(`<g transform="translate(${names.left + 6} ${px(statusY - 4)}) scale(.72)">${sign(mark, 0, 0)}</g>`);
	parts.push(text(words, names.left + (mark ? 17 : 0), statusY, 11.5, colour, ' font-weight="600"'));
	for (const { x } of section.ticks) parts.push(`<path d="M${px(x)} ${px(top + 3)}V${px(top + rowTop + barHeight + 3)}" ${stroke('line')}/>`);
	for (const bar of row.bars) parts.push(drawBar(bar, section, top + rowTop));
	for (const { left, right } of section.breaks) parts.push(drawBreak(left, right, top + 3, top + rowTop + barHeight + 3, banded));
	for (const bar of row.bars) parts.push(...barLabel(bar, section, middle), ...throughBreaks(bar, section, middle));
	parts.push(...signs(row, section, middle));
	let y = top + rowTop + barHeight + 4;
	for (const line of facts) parts.push(text(line, plot.left, (y += lineHeight), factSize, 'quiet'));
	for (const line of problem) parts.push(text(line, plot.left, (y += lineHeight), factSize, row.status === 'failed' ? 'bad' : 'warn'));
	parts.push('</g>');
	sheet.parts.push(parts.join(''));
	sheet.y += height;
}

function drawBar({ kind, from, to, goesOn, title }: Bar, { xOf }: Section, top: number): string {
	return `<g><title>${escaped(title)}</title>${box(kind, xOf(from), xOf(to), top, barHeight, goesOn)}</g>`;
}

/** Covers what is drawn in the time that is left out. */
function drawBreak(left: number, right: number, top: number, bottom: number, banded: boolean): string {
	const zigzag = (x: number) => `M${px(x)} ${px(top)}l3 4l-6 4l6 4l-6 4l6 4l-6 4l3 4`;
	return `<rect x="${px(left)}" y="${px(top)}" width="${px(right - left)}" height="${px(bottom - top)}" ${fill(banded ? 'band' : 'background')}/><path d="${zigzag(left + 3)}${zigzag(right - 3)}" ${stroke('gap')}/>`;
}

/** A line through each break that the bar crosses: it goes on meanwhile. */
function throughBreaks({ kind, from, to }: Bar, { xOf, breaks }: Section, middle: number): string[] {
	const [left, right] = [xOf(from), xOf(to)];
	return breaks.filter((one) => left <= one.left && right >= one.right).map((one) => `<path d="M${px(one.left + 9)} ${px(middle)}H${px(one.right - 9)}" stroke-dasharray="1 5" stroke-linecap="round" ${stroke(kind, 3)}/>`);
}

/** In the widest part of the bar that is not left out, where it fits. */
function barLabel({ kind, from, to }: Bar, { xOf, breaks }: Section, middle: number): string[] {
	const [left, right] = [xOf(from), xOf(to)];
	const edges = [left, ...breaks.filter((one) => one.left > left && one.right < right).flatMap((one) => [one.left, one.right]), right];
	const parts = Array.from({ length: edges.length / 2 }, (_, i) => [edges[2 * i] as number, edges[2 * i + 1] as number] as const);
	const [start, end] = parts.reduce((a, b) => (b[1] - b[0] > a[1] - a[0] ? b : a));
	const label = { queue: 'queue', send: 'send', wait: 'wait', webhook: 'webhook' }[kind];
	const width = widthOf(label, 11) + 8;
	// signs lie on a bar's ends
	if (end - start < width + 2 * 12) return [];
	const x = (start + end) / 2;
	const plate = `<rect x="${px(x - width / 2)}" y="${px(middle - 7)}" width="${px(width)}" height="14" rx="3" ${fill('background')}/>`;
	return [plate, text(label, x, middle + 4, 11, kind, ' text-anchor="middle" font-weight="600"')];
}

/** Where they would lie on each other, the later one moves to the right; beside bars that they would hide. */
function signs({ marks, bars }: Row, { xOf }: Section, y: number): string[] {
	const [left, right] = [Math.min(...bars.map(({ from }) => xOf(from))), Math.max(...bars.map(({ to }) => xOf(to)))];
	let free = right - left < 2 * signWidth ? right + 12 : -Infinity;
	return [...marks].sort((a, b) => a.at - b.at).map(({ kind, at, title }) => {
		const x = Math.max(xOf(at), free);
		free = x + signWidth;
		return `<g><title>${escaped(title)}</title>${sign(kind, x, y)}</g>`;
	});
}
