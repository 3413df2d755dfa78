// Colours, patterns and signs of a timeline. Each kind has a pattern or a sign of its own, so that it needs no colour.
import type { TransactionStatus } from '../transaction';
import type { BarKind, MarkKind } from './rows';

/** Light and dark colours of a class. As attributes the light ones hold where no style sheet is applied. */
const colours = {
	background: ['#ffffff', '#16191f'],
	band: ['#f4f6f9', '#1d2129'],
	text: ['#1b2330', '#e8ecf2'],
	quiet: ['#566174', '#a5b0c0'],
	line: ['#d5dbe4', '#39414e'],
	gap: ['#8a94a5', '#7d899a'],
	queue: ['#8a5a00', '#f0b64a'],
	queueBack: ['#fdf0d3', '#3a2d12'],
	send: ['#1f5fd0', '#6ea6ff'],
	wait: ['#7440b8', '#bb93f5'],
	waitBack: ['#f0e7fb', '#2d213f'],
	webhook: ['#0b7468', '#45c9b8'],
	webhookBack: ['#d9f3ef', '#0f332f'],
	good: ['#14783c', '#4cc47e'],
	warn: ['#a15300', '#f2a24c'],
	bad: ['#bf1f2d', '#ff7a80'],
	onSign: ['#ffffff', '#16191f'],
} as const;

export type Colour = keyof typeof colours;

export const fill = (colour: Colour): string => `class="f-${colour}" fill="${colours[colour][0]}"`;
export const stroke = (colour: Colour, width = 1): string => `class="s-${colour}" stroke="${colours[colour][0]}" stroke-width="${width}" fill="none"`;

/** For who prefers dark colours. */
export const darkStyle = `@media (prefers-color-scheme: dark){${Object.entries(colours)
	.map(([name, [, dark]]) => `.f-${name}{fill:${dark}}.s-${name}{stroke:${dark}}`)
	.join('')}}`;

export const fonts = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', sans-serif";
/** First comes the one that the PNG is drawn with: of fonts that it has not, resvg takes its default instead of the next. */
export const monospace = "'DejaVu Sans Mono', ui-monospace, SFMono-Regular, Menlo, Consolas, monospace";

export const patterns = [
	`<pattern id="tl-queue" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="7" height="7" ${fill('queueBack')}/><rect width="2.2" height="7" ${fill('queue')}/></pattern>`,
	`<pattern id="tl-wait" width="7" height="7" patternUnits="userSpaceOnUse"><rect width="7" height="7" ${fill('waitBack')}/><circle cx="3.5" cy="3.5" r="1.4" ${fill('wait')}/></pattern>`,
	`<pattern id="tl-webhook" width="5" height="5" patternUnits="userSpaceOnUse"><rect width="5" height="5" ${fill('webhookBack')}/><rect width="1.6" height="5" ${fill('webhook')}/></pattern>`,
].join('');

export const barNames: Record<BarKind, string> = { queue: 'In the queue', send: 'Sending', wait: 'Waiting', webhook: 'Webhook' };
export const markNames: Record<MarkKind, string> = { acknowledged: 'Acknowledged', unconfirmed: 'Not confirmed', inDoubt: 'In doubt', failed: 'Failed', cancelled: 'Cancelled' };

/** A bar's inside: plain for sending, patterned for the others. */
export const insideOf = (kind: BarKind): string => (kind === 'send' ? fill('send') : `fill="url(#tl-${kind})"`);

export const markColour: Record<MarkKind, Colour> = { acknowledged: 'good', unconfirmed: 'warn', inDoubt: 'warn', failed: 'bad', cancelled: 'quiet' };

/** The sign of a mark, 15 px wide, with its centre at x and y. */
export function sign(kind: MarkKind, x: number, y: number): string {
	const shape = kind === 'unconfirmed' ? '<path d="M0-8.2 8.4 6.8H-8.4Z"' : kind === 'inDoubt' ? '<path d="M0-8.6 8.6 0 0 8.6-8.6 0Z"' : kind === 'cancelled' ? '<rect x="-7" y="-7" width="14" height="14" rx="2"' : '<circle r="7.5"';
	return `<g transform="translate(${px(x)} ${px(y)})">${shape} ${fill(markColour[kind])}/>${glyphs[kind]}</g>`;
}

const thick = `stroke-linecap="round" stroke-linejoin="round" ${stroke('onSign', 2)}`;
const glyphs: Record<MarkKind, string> = {
	acknowledged: `<path d="M-3.4 .2-1 2.7 3.6-2.5" ${thick}/>`,
	unconfirmed: `<path d="M0-3.2V1.4M0 4.2V4.3" ${thick}/>`,
	inDoubt: `<path d="M-2.2-2.3C-2.2-5.3 2.4-5.2 2.3-2.4 2.2-.8 0-.8 0 1.2M0 4.1V4.2" ${thick}/>`,
	failed: `<path d="M-2.9-2.9 2.9 2.9M2.9-2.9-2.9 2.9" ${thick}/>`,
	cancelled: `<path d="M-3.2 0H3.2" ${thick}/>`,
};

/** A status in words, with the sign before it. */
export const statusLook: Record<TransactionStatus, { words: string; colour: Colour; mark?: MarkKind }> = {
	open: { words: 'open', colour: 'quiet' },
	completed: { words: 'completed', colour: 'good', mark: 'acknowledged' },
	unconfirmed: { words: 'unconfirmed', colour: 'warn', mark: 'unconfirmed' },
	inDoubt: { words: 'in doubt', colour: 'warn', mark: 'inDoubt' },
	failed: { words: 'failed', colour: 'bad', mark: 'failed' },
	cancelled: { words: 'cancelled', colour: 'quiet', mark: 'cancelled' },
};

/** Without the digits that nobody sees. */
export function px(value: number): string {
	return String(Math.round(value * 10) / 10);
}
