// Texts of pictures: harmless, whole, and no wider than said.
import { duration, escaped, monospaceWidthOf, roughDuration, shortened, widthOf, wrapped } from '../../../ordering/timeline/text';

test('what could be markup, or is no character of XML, is made harmless', () => {
	expect(escaped(`<script a="1" b='2'>&amp;</script>`)).toBe('&lt;script a=&quot;1&quot; b=&#39;2&#39;&gt;&amp;amp;&lt;/script&gt;');
	expect(escaped('a\u0000b\u001bc\u202ed\ud800e\uffff')).toBe('abcd\ufffde');
	expect(escaped('olá 👋\tü')).toBe('olá 👋\tü');
});

test('lines are no wider than asked, and hold every character', () => {
	const text = 'The webhook http://example.test/a-very-long-address-without-any-space-in-it-that-has-to-be-cut answered 500 as नमस्ते दुनिया';
	const lines = wrapped(text, 11, 160);
	for (const line of lines) expect(widthOf(line, 11)).toBeLessThanOrEqual(160);
	expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
	expect(wrapped('', 11, 100)).toEqual([]);
});

test('an ID that is too long keeps its beginning and its end', () => {
	const fits = (id: string) => monospaceWidthOf(id, 12) <= 100;
	expect(shortened('short', fits)).toBe('short');
	const short = shortened(`begin-${'x'.repeat(300)}-end`, fits);
	expect(short).toMatch(/^begin-?.*….*-end$/);
	expect(fits(short)).toBe(true);
	expect(fits(shortened('👋'.repeat(300), fits))).toBe(true);
});

test.each([
	[0, '0 ms'], [999, '999 ms'], [1000, '1 s'], [2449, '2.4 s'], [9949, '9.9 s'], [9950, '10 s'], [59_949, '60 s'], [60_000, '1 min'], [200_000, '3 min 20 s'],
	[7_200_000, '2 h'], [7_500_000, '2 h 5 min'], [86_399_999, '24 h'], [273_600_000, '3 d 4 h'],
])('%i ms are written as %s', (ms, expected) => {
	expect(duration(ms)).toBe(expected);
});

test.each([[400, '1 s'], [61_000, '61 s'], [100_000, '2 min'], [10_800_000, '3 h'], [200_000_000, '2 d']])('%i ms are about %s', (ms, expected) => {
	expect(roughDuration(ms)).toBe(expected);
});
