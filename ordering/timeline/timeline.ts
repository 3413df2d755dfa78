// The history of transactions as a picture: SVG, a page that shows it, and its numbers.
import type { Transaction } from '../transaction';
import { draw } from './draw';
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
	/** Of all that were given, shown or not. */
	summary: TimelineSummary & { shown: number };
}

export function timelineOf(transactions: Transaction[], { title, timeZone, now }: TimelineOptions): Timeline {
	const newest = [...transactions].sort((a, b) => b.createdAt - a.createdAt).slice(0, mostShown);
	const rows = newest.map((one) => rowOf(one, now)).sort((a, b) => a.from - b.from);
	const svg = draw(rows, { title, lines: linesOf(transactions, rows, timeZone), nothing: 'No transaction is on record for this chat and time.' }, timeZone);
	return { svg, page: pageOf(svg, title), summary: { ...summaryOf(transactions, now), shown: rows.length } };
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
