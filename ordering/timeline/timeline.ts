// The history of transactions as a picture: SVG, a page that shows it, PNG, and its numbers.
import type { Transaction } from '../transaction';
import { draw, type Drawing } from './draw';
import { pngOf, tallest } from './png';
import { type Row, rowOf } from './rows';
import { dateIn } from './scale';
import { type TimelineSummary, summaryOf } from './summary';
import { escaped } from './text';

/** Above this, a picture shows the newest. */
export const mostShown = 500;

export interface TimelineOptions {
	/** What the picture is of, such as a chat. */
	title: string;
	/** Such as "America/Sao_Paulo". */
	timeZone: string;
	/** Where what is still under way ends, in ms since 1970. */
	now: number;
}

export interface Timeline {
	svg: string;
	/** An HTML page that holds the picture. */
	page: string;
	/** Draws it as PNG, 1520 px wide; where it would be too large for that 760 px, then of the newest that fit. Throws `PictureError`. */
	picture: () => Promise<Buffer>;
	/** Of all that were given, shown or not. */
	summary: TimelineSummary & { shown: number };
}

export function timelineOf(transactions: Transaction[], options: TimelineOptions): Timeline {
	const newest = [...transactions].sort((a, b) => b.createdAt - a.createdAt).slice(0, mostShown);
	const drawing = drawn(newest, transactions, options);
	const picture = async () => {
		const { svg, height } = fitting(drawing, newest, transactions, options);
		return await pngOf(svg, height);
	};
	return { svg: drawing.svg, page: pageOf(drawing.svg, options.title), picture, summary: { ...summaryOf(transactions, options.now), shown: newest.length } };
}

function drawn(shown: Transaction[], all: Transaction[], { title, timeZone, now }: TimelineOptions): Drawing {
	const rows = shown.map((one) => rowOf(one, now)).sort((a, b) => a.from - b.from);
	return draw(rows, { title, lines: linesOf(all, rows, timeZone), nothing: 'No transaction is on record for this chat and time.' }, timeZone);
}

/** The drawing, or one of fewer rows that is not too tall for a PNG. */
function fitting(whole: Drawing, newest: Transaction[], all: Transaction[], options: TimelineOptions): Drawing {
	let [drawing, count] = [whole, newest.length];
	while (drawing.height > tallest && count > 1) {
		count = Math.min(count - 1, Math.max(1, Math.floor((count * tallest) / drawing.height)));
		drawing = drawn(newest.slice(0, count), all, options);
	}
	return drawing;
}

function linesOf(all: Transaction[], rows: Row[], timeZone: string): string[] {
	const [chat] = all.map((one) => one.chat);
	const where = chat ? [`Instance ${chat.instance} at ${chat.server}`] : [];
	const [first, last] = [rows[0], rows.at(-1)];
	const dates = first && last ? [...new Set([dateIn(timeZone, first.from), dateIn(timeZone, Math.max(...rows.map(({ to }) => to)))])].join(' – ') : '';
	const count = all.length > rows.length ? `The newest ${rows.length} of ${all.length} transactions` : `${all.length} ${all.length === 1 ? 'transaction' : 'transactions'}`;
	return [...where, [count, ...(dates ? [dates] : []), `times in ${timeZone}`].join(' · ')];
}

/** A page that loads and runs nothing, whatever is written in it. */
function pageOf(svg: string, title: string): string {
	return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<style>body{margin:0;padding:12px;background:#eceff3}svg{display:block;margin:0 auto;max-width:100%;height:auto}@media (prefers-color-scheme: dark){body{background:#0d0f13}}</style>
</head>
<body>
${svg}
</body>
</html>
`;
}
