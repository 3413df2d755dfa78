// Timelines as PNG: whole files of the right size, with the picture in them, and texts that take no more room than was measured.
import { readFileSync } from 'node:fs';
import { initWasm, Resvg } from '@resvg/resvg-wasm';
import { pictureWidth } from '../../../ordering/timeline/draw';
import { fonts, monospace } from '../../../ordering/timeline/look';
import { pngOf, tallest } from '../../../ordering/timeline/png';
import { boldness, escaped, monospaceWidthOf, widthOf } from '../../../ordering/timeline/text';
import { timelineOf } from '../../../ordering/timeline/timeline';
import { decoded, type Pixels } from '../../support/png';
import { failure } from '../ledger/fixtures';
import { delivered, noon, options } from './fixtures';

const rows = (count: number, apartMs = 1400) => Array.from({ length: count }, (_, i) => delivered(`t${i}`, noon + i * apartMs));
const heightOf = (svg: string) => Number(/viewBox="0 0 \d+ (\d+)"/.exec(svg)?.[1]);

/** How many pixels have this colour, as in "1f5fd0". */
function count({ rgba }: Pixels, colour: string): number {
	const [red, green, blue] = Buffer.from(colour, 'hex');
	let found = 0;
	for (let at = 0; at < rgba.length; at += 4) if (rgba[at] === red && rgba[at + 1] === green && rgba[at + 2] === blue) found++;
	return found;
}

/** Solid, and in the light colours, whatever the style sheet says of dark ones. */
function expectLight(pixels: Pixels): void {
	const { rgba, width, height } = pixels;
	for (let at = 3; at < rgba.length; at += 4) if (rgba[at] !== 255) throw new Error('A pixel is transparent.');
	expect(count(pixels, 'ffffff') + count(pixels, 'f4f6f9')).toBeGreaterThan(0.6 * width * height);
	expect(count(pixels, '16191f') + count(pixels, '1d2129')).toBe(0);
}

test.each([1, 3, 30])('of %i transactions it is a sharp picture with all parts of each', async (many) => {
	const { svg, picture } = timelineOf(rows(many), options);
	const pixels = decoded(await picture());
	expect([pixels.width, pixels.height]).toEqual([2 * pictureWidth, 2 * heightOf(svg)]);
	expectLight(pixels);
	// queue, sending, waiting and webhook
	for (const colour of ['8a5a00', '1f5fd0', '7440b8', '0b7468']) expect(count(pixels, colour)).toBeGreaterThan(100);
	expect(count(pixels, '1b2330')).toBeGreaterThan(500); // text
});

test('of nothing it is a picture that says so', async () => {
	const pixels = decoded(await timelineOf([], options).picture());
	expectLight(pixels);
	expect(count(pixels, '566174')).toBeGreaterThan(100);
});

test('texts that are hostile, or of letters that the font has not, are drawn as far as they can be', async () => {
	for (const text of [`"><script>alert(1)</script>' ]]>&lt;\u0000\u202e`, '订单编号', '👩‍👩‍👧👋', 'नमस्ते', 'مرحبا', '\ud800', 'e\u0301'.repeat(500), '﷽'.repeat(200)]) {
		const { svg, picture } = timelineOf([delivered(text, noon, { status: 'failed', failure: { code: text, message: text } })], { ...options, title: text });
		const pixels = decoded(await picture());
		expect(pixels.height).toBe(2 * heightOf(svg));
		expectLight(pixels);
		expect(count(pixels, 'bf1f2d')).toBeGreaterThan(100);
	}
});

test('one that is too large is less sharp; where that is not enough, of the newest, whole, and while it is drawn n8n goes on', async () => {
	const large = timelineOf(rows(120), options);
	expect(4 * pictureWidth * heightOf(large.svg)).toBeGreaterThan(16_000_000);
	const pixels = decoded(await large.picture());
	expect([pixels.width, pixels.height]).toEqual([pictureWidth, heightOf(large.svg)]);

	const tooTall = timelineOf(rows(500, 61_400), options);
	expect(heightOf(tooTall.svg)).toBeGreaterThan(tallest);
	let turns = 0;
	const timer = setInterval(() => turns++, 5);
	const part = decoded(await tooTall.picture());
	clearInterval(timer);
	expect(turns).toBeGreaterThan(20);
	expect(part.width).toBe(pictureWidth);
	expect(part.height).toBeLessThanOrEqual(tallest);
	expect(part.height).toBeGreaterThan(0.8 * tallest);
	expectLight(part);
	// nothing is cut off at its end, and the last row is there
	const last = (lines: number) => ({ ...part, rgba: part.rgba.subarray(-4 * pictureWidth * lines) });
	expect(count(last(20), 'ffffff')).toBe(20 * pictureWidth);
	expect(count(last(80), '1f5fd0')).toBeGreaterThan(10);
});

test('several at once are each as if drawn alone', async () => {
	const lists = [rows(1), rows(5), rows(2)].map((list) => timelineOf(list, options));
	const together = await Promise.all(lists.map(({ picture }) => picture()));
	for (const [index, { picture }] of lists.entries()) expect((await picture()).equals(together[index] as Buffer)).toBe(true);
	expect(new Set(together.map(({ length }) => length)).size).toBe(3);
});

test('what can not be drawn is an error with what to do, and the next one is drawn', async () => {
	await expect(pngOf('<svg', 100)).rejects.toMatchObject({ failure: { code: 'noPicture', message: expect.stringMatching(/^The timeline can't be drawn as PNG: ./) as string, hint: expect.stringContaining('timeline.svg') as string } });
	expect(decoded(await timelineOf([delivered('next', noon, { status: 'failed', failure })], options).picture()).width).toBe(2 * pictureWidth);
});

test('no character takes more room in the picture than was measured for it', async () => {
	const file = (name: string) => readFileSync(require.resolve(name));
	await initWasm(file('@resvg/resvg-wasm/index_bg.wasm'));
	const fontBuffers = ['DejaVuSansCondensed', 'DejaVuSansCondensed-Bold', 'DejaVuSansMono'].map((name) => file(`dejavu-fonts-ttf/ttf/${name}.ttf`));
	const drawnWidth = (text: string, look: string) => new Resvg(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text font-size="100" ${look}>${escaped(text)}</text></svg>`, { font: { fontBuffers, defaultFontFamily: 'DejaVu Sans Condensed' } }).getBBox()?.width ?? 0;
	const characters = [...Array.from({ length: 0xff }, (_, i) => String.fromCodePoint(i)).filter((one) => /[!-~\u00a1-\u00ac\u00ae-\u00ff]/.test(one)), ...'…–—€你👋न'];
	/** Between two strokes, so that the room beside it counts. */
	const advance = (one: string, look: string) => (drawnWidth(`|${one.repeat(10)}|`, look) - drawnWidth('||', look)) / 10;
	const wider = (look: string, measured: (one: string) => number) => characters.filter((one) => advance(one, look) > measured(one) + 0.5);
	expect(wider(`font-family="${fonts}"`, (one) => widthOf(one, 100))).toEqual([]);
	expect(wider(`font-family="${fonts}" font-weight="600"`, (one) => boldness * widthOf(one, 100))).toEqual([]);
	expect(wider(`font-family="${monospace}"`, (one) => monospaceWidthOf(one, 100))).toEqual([]);
});
