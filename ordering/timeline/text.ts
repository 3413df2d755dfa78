// Texts in a picture: made harmless, measured, wrapped and shortened. Widths are estimates on the safe side, in px.

/** Characters that XML forbids, and those that turn the direction of what follows. */
const forbidden = /(?![\t\n\r])[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/gu;
const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** For text and for attributes of SVG and HTML. */
export function escaped(text: string): string {
	return text.toWellFormed().replace(forbidden, '').replace(/[&<>"']/g, (character) => entities[character] as string);
}

/** The most that a text takes in common fonts and in the PNG's at `size` px, where it is not bold. */
export function widthOf(text: string, size: number): number {
	return size * [...text].reduce((sum, character) => sum + emOf(character), 0);
}

/** Bold texts take up to so many times the width. */
export const boldness = 1.16;

/** As {@link widthOf}, in a font whose letters are all as wide. */
export function monospaceWidthOf(text: string, size: number): number {
	return size * [...text].reduce((sum, character) => sum + Math.max(0.62, (character.codePointAt(0) as number) < 0x80 ? 0 : emOf(character)), 0);
}

/** A text and no expression, since the bundler writes only texts in ASCII, and Node reads and compiles a file of ASCII alone faster. */
const widest = 'WM@%m—ÆæŒœŴ©®¼½¾';

function emOf(character: string): number {
	if (/[iljtfrI.,:;'|!()[\] ]/.test(character)) return 0.38;
	if (widest.includes(character)) return 0.98;
	if (/[OQw#&+=<>^~]/.test(character)) return 0.76;
	if (/[A-Z0-9_]/.test(character)) return 0.7;
	const code = character.codePointAt(0) as number;
	return code < 0x80 ? 0.6 : code < 0x1100 ? 0.8 : 1.15;
}

/** Lines of at most `width`; a word that is longer is cut. Nothing is left out. */
export function wrapped(text: string, size: number, width: number): string[] {
	const lines: string[] = [];
	let line = '';
	for (const word of text.split(/\s+/).filter(Boolean).flatMap((one) => pieces(one, size, width))) {
		const longer = line === '' ? word : `${line} ${word}`;
		if (line !== '' && widthOf(longer, size) > width) {
			lines.push(line);
			line = word;
		} else line = longer;
	}
	return line === '' ? lines : [...lines, line];
}

function pieces(word: string, size: number, width: number): string[] {
	if (widthOf(word, size) <= width) return [word];
	const cut: string[] = [''];
	for (const character of word) {
		if (widthOf(cut.at(-1) + character, size) > width) cut.push('');
		cut[cut.length - 1] += character;
	}
	return cut;
}

/** Its beginning and its end, where it is too wide: IDs of one flow differ at their ends. */
export function shortened(text: string, fits: (text: string) => boolean): string {
	if (fits(text)) return text;
	const characters = [...text];
	for (let keep = characters.length - 1; keep > 0; keep--) {
		const end = Math.floor(keep / 2);
		const short = `${characters.slice(0, keep - end).join('')}…${characters.slice(characters.length - end).join('')}`;
		if (fits(short)) return short;
	}
	return '…';
}

/** As in "320 ms", "2.4 s", "3 min 20 s", "2 h 5 min", "3 d 4 h". */
export function duration(ms: number): string {
	if (ms < 1000) return `${Math.round(ms)} ms`;
	if (ms < 59_950) return `${(ms / 1000).toFixed(ms < 9_950 ? 1 : 0).replace(/\.0$/, '')} s`;
	const units: Array<[string, number]> = [['d', 86_400_000], ['h', 3_600_000], ['min', 60_000], ['s', 1000]];
	const first = Math.min(2, units.findIndex(([, size]) => ms >= size));
	const [[name, size], [smallName, smallSize]] = [units[first], units[first + 1]] as [[string, number], [string, number]];
	const small = Math.round(ms / smallSize);
	const [whole, rest] = [Math.floor((small * smallSize) / size), small % Math.round(size / smallSize)];
	return rest === 0 ? `${whole} ${name}` : `${whole} ${name} ${rest} ${smallName}`;
}

/** In one unit, as in "3 h". */
export function roughDuration(ms: number): string {
	for (const [name, size] of [['d', 86_400_000], ['h', 3_600_000], ['min', 60_000]] as const) if (ms >= 1.5 * size) return `${Math.round(ms / size)} ${name}`;
	return `${Math.max(1, Math.round(ms / 1000))} s`;
}
