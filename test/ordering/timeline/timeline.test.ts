// Timelines as pictures: what they show, that nothing in them can do harm, and that no text leaves its place.
import { pictureWidth, plot } from '../../../ordering/timeline/draw';
import { timelineOf } from '../../../ordering/timeline/timeline';
import { transactionStatuses } from '../../../ordering/log/request';
import { scene } from '../../support/scene';
import { chat, failure, step, transaction } from '../ledger/fixtures';
import { delivered, noon, options } from './fixtures';

/** Texts with where they stand, and the bars' patterns. */
function textsOf(svg: string): Array<{ x: number; y: number; text: string }> {
	return [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)<\/text>/g)].map(([, x, y, text]) => ({ x: Number(x), y: Number(y), text: text as string }));
}

/** That each tag is closed where it should be, as XML wants it. */
function expectWellFormed(svg: string): void {
	const open: string[] = [];
	for (const [, end, name, itself] of svg.matchAll(/<(\/?)([\w-]+)(?:"[^"]*"|[^>"])*?(\/?)>/g)) {
		if (end) expect(open.pop()).toBe(name);
		else if (!itself) open.push(name as string);
	}
	expect(open).toEqual([]);
	expect(svg.replace(/<(?:"[^"]*"|[^>"])*>/g, '')).not.toMatch(/[<>]|&(?!(amp|lt|gt|quot|#39);)/);
}

test('a transaction is shown with its ID, status and how long each part of it took', () => {
	const { svg } = timelineOf([delivered('order-1')], options);
	expectWellFormed(svg);
	const texts = textsOf(svg).map(({ text }) => text);
	expect(texts).toEqual(expect.arrayContaining(['Chat with 5511988887777', 'Instance meta1 at http://evolution.test', 'order-1', 'completed', '24 Nov 2026']));
	expect(texts.join(' ')).toContain('queued 100 ms · sent in 200 ms · delivered after 1 s · webhook 200 in 50 ms (2 attempts)');
	expect(texts.some((text) => /^12:00:0\d(\.\d+)?$/.test(text))).toBe(true);
	for (const pattern of ['tl-queue', 'tl-wait', 'tl-webhook']) expect(svg).toContain(`fill="url(#${pattern})"`);
	expect(svg).toMatch(/<title id="tl-title">.*<desc id="tl-desc">[^<]*order-1, completed: queued 100 ms/s);
});

test('a failure is shown with its message and its sign, and what was not done', () => {
	const failed = delivered('order-2', noon, { status: 'failed', failure, steps: [step({ status: 'failed', attempts: 3, startedAt: noon + 5, finishedAt: noon + 90, error: failure }), step({ index: 1, type: 'webhook', status: 'skipped' })] });
	const texts = textsOf(timelineOf([failed], options).svg).map(({ text }) => text);
	expect(texts).toEqual(expect.arrayContaining(['failed', 'Failed', 'queued 100 ms · send failed after 85 ms (3 attempts) · webhook skipped', 'Something happened (someCode)']));
});

test('a transaction may have any number of steps, in any order', () => {
	const at = (index: number, type: 'send' | 'wait' | 'webhook') => step({ index, type, status: 'done', attempts: 1, startedAt: noon + index * 1000, finishedAt: noon + index * 1000 + 900 });
	const many = delivered('sequence', noon, { endedAt: noon + 7000, steps: (['webhook', 'send', 'send', 'wait', 'send', 'webhook', 'wait'] as const).map((type, index) => at(index, type)) });
	const { svg, summary } = timelineOf([many], options);
	expectWellFormed(svg);
	expect(svg.match(/<g><title>Sending, 900 ms: done<\/title>/g)).toHaveLength(3);
	expect(summary.sending).toEqual({ total: 2700, p50: 900, p95: 900 });
});

test('what is still under way goes on to now, and what waits in the queue is shown', () => {
	const open = delivered('open', noon, { status: 'open', endedAt: undefined, steps: [step({ status: 'done', startedAt: noon, finishedAt: noon + 100 }), step({ index: 1, type: 'wait', status: 'running', startedAt: noon + 100 })] });
	const queued = transaction({ id: 'queued', createdAt: noon + 1000, queue: { ticket: 0, waitedMs: 0, late: false, fence: 0 } });
	const texts = textsOf(timelineOf([open, queued], { ...options, now: noon + 5100 }).svg).map(({ text }) => text);
	expect(texts).toEqual(expect.arrayContaining(['queued 100 ms · sent in 100 ms · wait for 5 s so far', 'in the queue for 4.1 s']));
});

test('hostile texts stay texts, in the picture and in the page', () => {
	const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>' onload='x' ]]>&lt;\u0000\u202e`;
	const { svg, page } = timelineOf([delivered(hostile, noon, { status: 'failed', failure: { code: hostile, message: hostile }, chat: { ...chat, instance: hostile } })], { ...options, title: hostile });
	expectWellFormed(svg);
	for (const text of [svg, page]) {
		expect(text).not.toMatch(/<script|<img|<foreignObject|javascript:/i);
		expect(text.replace(/>[^<]*</g, '><')).not.toMatch(/\son\w+=/i); // no such attribute in any tag
	}
	expect(page).toContain("default-src 'none'");
});

test('picture and page load nothing from outside', () => {
	const { svg, page } = timelineOf([delivered('one')], options);
	for (const text of [svg, page]) expect(text.replaceAll('http://www.w3.org/2000/svg', '').replaceAll(chat.server, '')).not.toMatch(/https?:|@import|<link|<script|href=|src=|url\((?!#)/i);
});

test('of more than 500, the newest 500 are drawn, and it says so; the numbers are of all', () => {
	const all = Array.from({ length: 612 }, (_, i) => delivered(`t${i}`, noon + i * 60_000));
	const began = performance.now();
	const { svg, summary } = timelineOf(all, options);
	expect(performance.now() - began).toBeLessThan(5000);
	expectWellFormed(svg);
	const texts = textsOf(svg).map(({ text }) => text);
	expect(texts.some((text) => text.startsWith('The newest 500 of 612 transactions'))).toBe(true);
	expect(texts).toContain('t611');
	expect(texts).not.toContain('t111');
	expect(summary).toMatchObject({ transactions: 612, shown: 500, statuses: { completed: 612 } });
});

test.each([1, 3, 30, 500])('with %i rows every text stands within the picture, and on a line of its own', (count) => {
	const long = `id-${'W'.repeat(80)}`;
	const all = Array.from({ length: count }, (_, i) => delivered(`${long}${i}`, noon + i * 400 + (i % 7 === 0 ? i * 3_600_000 : 0), { ...(i % 3 === 0 ? { status: 'failed' as const, failure: { code: 'code', message: 'M'.repeat(400) + ' words of a long message'.repeat(20) } } : {}) }));
	const { svg } = timelineOf(all, options);
	const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg) as unknown as [string, string, string];
	expect(Number(width)).toBe(pictureWidth);
	for (const { x, y } of textsOf(svg)) {
		expect(x).toBeGreaterThanOrEqual(20);
		expect(x).toBeLessThan(pictureWidth);
		expect(y).toBeLessThan(Number(height) - 10);
	}
	// messages and facts begin at one place, so each has to have its own line
	const lines = textsOf(svg).filter(({ x }) => x === plot.left).map(({ y }) => y);
	for (const [index, y] of lines.entries()) if (index > 0) expect(y - (lines[index - 1] as number)).toBeGreaterThanOrEqual(14);
});

test('of nothing it is a picture that says so', () => {
	const { svg, summary } = timelineOf([], options);
	expectWellFormed(svg);
	expect(textsOf(svg).map(({ text }) => text)).toContain('No transaction is on record for this chat and time.');
	expect(summary).toEqual({ transactions: 0, shown: 0, statuses: {}, queueing: { total: 0 }, sending: { total: 0 }, waiting: { total: 0 }, webhook: { total: 0 } });
});

test('the numbers are totals and percentiles of what was measured', () => {
	const times = Array.from({ length: 20 }, (_, i) => delivered(`t${i}`, noon, { queue: { ticket: 1, waitedMs: (i + 1) * 10, late: false, fence: 1 } }));
	const { summary } = timelineOf(times, options);
	expect(summary.queueing).toEqual({ total: 2100, p50: 100, p95: 190 });
	expect(summary.waiting).toEqual({ total: 20_000, p50: 1000, p95: 1000 });
});

test('a text is shown nowhere, although it is on record', async () => {
	const s = await scene();
	s.simulator.control.addRule({ route: 'sendText', times: 1, answer: { kind: 'metaRefusal', code: 131026, message: '(#131026) Message undeliverable' } });
	await s.run({ text: 'very secret words', waitFor: 'delivered', options: { transactionId: 'a', storeMessageText: true } });
	await s.run({ text: 'very secret words', waitFor: 'delivered', webhookUrl: '/done', options: { transactionId: 'b', storeMessageText: true } });
	const all = await s.engine.list({ listing: { server: s.simulator.url, statuses: transactionStatuses, from: 0, to: Date.now() + 1, order: 'newestFirst' } });
	const { svg, page, summary } = timelineOf(all, { ...options, now: Date.now() });
	expectWellFormed(svg);
	expect(summary).toMatchObject({ transactions: 2, statuses: { completed: 1, failed: 1 } });
	expect(textsOf(svg).map(({ text }) => text).join(' ')).toMatch(/Meta refused the message/);
	expect(svg + page).not.toContain('secret words');
});
