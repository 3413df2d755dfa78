// The translations of the README's first part keep up with it, as far as a program can tell, and no link in the papers is dead.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const root = join(__dirname, '../..');
const docs = readdirSync(join(root, 'docs')).filter((file) => file.endsWith('.md')).map((file) => `docs/${file}`);
const translations = docs.filter((file) => /^docs\/README\.\w+\.md$/.test(file));
const papers = ['README.md', 'CHANGELOG.md', 'simulator/README.md', ...docs];

const block = /^ *```[^]*?^ *```$/gm;
const english = translatedPartOf(read('README.md'));

test('the README is there in Portuguese, Spanish and Chinese, and each language links to all others', () => {
	expect(translations).toEqual(['docs/README.es.md', 'docs/README.pt.md', 'docs/README.zh.md']);
	for (const file of ['README.md', ...translations]) {
		const line = read(file).split('\n')[2] as string;
		expect(linksOf(line, file).sort()).toEqual(['README.md', ...translations].filter((other) => other !== file).sort());
	}
});

describe.each(translations)('%s', (file) => {
	const translation = withoutOwnLines(read(file));

	test("has the README's blocks of code, in its order", () => {
		expect(blocksOf(english).length).toBeGreaterThan(1);
		expect(blocksOf(translation)).toEqual(blocksOf(english));
	});

	test("has the README's commands, names of variables and values", () => {
		expect(inlineCodeOf(english)).toEqual(expect.arrayContaining(['`npm start`', '`npm test`']));
		expect(inlineCodeOf(translation)).toEqual(inlineCodeOf(english));
	});

	test("has the README's numbers: versions, limits, times and status codes", () => {
		expect(numbersOf(english).length).toBeGreaterThan(10);
		expect(numbersOf(translation)).toEqual(numbersOf(english));
	});

	test("shows the README's pictures", () => {
		expect(picturesOf(english, 'README.md').length).toBeGreaterThan(0);
		expect(picturesOf(translation, file)).toEqual(picturesOf(english, 'README.md'));
	});

	test('leads to the same files and sites as the README', () => {
		expect(filesAndSitesOf(english, 'README.md')).toEqual(expect.arrayContaining(['templates/ordered-send.json', 'docs/sequences.md']));
		expect(filesAndSitesOf(translation, file)).toEqual(filesAndSitesOf(english, 'README.md'));
	});

	test('has the same headings, paragraphs, points and rows, in the same order', () => {
		expect(outlineOf(translation)).toEqual(outlineOf(english));
	});

	test('highlights as much, and calls nodes, fields and buttons as the README does', () => {
		const languages = translations.map((one) => boldIn(withoutOwnLines(read(one))));
		const leftInEnglish = boldIn(translation).filter((term) => languages.every((terms) => terms.includes(term))).sort();
		expect(leftInEnglish).toEqual(expect.arrayContaining(['Ordered EvolutionAPI Send']));
		expect(boldIn(english).filter((term) => boldIn(translation).includes(term)).sort()).toEqual(leftInEnglish);
		expect(boldIn(translation)).toHaveLength(boldIn(english).length);
	});
});

test.each(papers)('every link in %s leads to a file, and to a heading, that exists', (file) => {
	expect(linksOf(read(file), file).filter((link) => !leadsSomewhere(link))).toEqual([]);
});

function read(file: string): string {
	return readFileSync(join(root, file), 'utf8').replaceAll('\r\n', '\n');
}

/** The README up to "Sequences", without the table of more commands. */
function translatedPartOf(readme: string): string {
	const [part, ...rest] = readme.split(/^## Templates/m);
	const [before, after] = (part as string).split(/^More commands:\n[^]*?(?=^## )/m);
	if (rest.length !== 1 || before === undefined || after === undefined) throw new Error('README.md has no "## Templates", or no "More commands:" before it: tell this test which part is translated.');
	return withoutOwnLines(before + after);
}

/** Without the lines that each language has for itself: its links to the others, its notes (> …) and its contents (- […). */
function withoutOwnLines(text: string): string {
	return text.split('\n').filter((line, index) => index !== 2 && !/^> |^- \[/.test(line)).join('\n');
}

function blocksOf(text: string): string[] {
	return text.match(block) ?? [];
}

function withoutBlocks(text: string): string {
	return text.replaceAll(block, '');
}

function inlineCodeOf(text: string): string[] {
	return (withoutBlocks(text).match(/`[^`\n]+`/g) ?? []).sort();
}

function withoutCode(text: string): string {
	return withoutBlocks(text).replaceAll(/`[^`\n]+`/g, '');
}

/** Not the digits in names such as n8n. */
function numbersOf(text: string): string[] {
	return (withoutCode(text).match(/(?<![\w.])\d+(\.\d+)*(?!\w)/g) ?? []).sort();
}

function boldIn(text: string): string[] {
	return [...withoutCode(text).matchAll(/\*\*(.+?)\*\*/g)].map(([, term]) => term as string);
}

/** Links of a file, seen from the root: `docs/timing.md`, `README.md#more`, `https://…`. */
function linksOf(text: string, file: string): string[] {
	return [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => fromRoot(link as string, file));
}

function fromRoot(link: string, file: string): string {
	if (/^\w+:/.test(link)) return link;
	if (link.startsWith('#')) return file + link;
	return relative(root, join(root, dirname(file), link)).replaceAll('\\', '/');
}

function picturesOf(text: string, file: string): string[] {
	return linksOf((text.match(/!\[[^\]]*\]\([^)]+\)/g) ?? []).join('\n'), file);
}

/** But not links within a README or between READMEs: what the README has in itself is for a translation in another file. */
function filesAndSitesOf(text: string, file: string): string[] {
	return linksOf(text, file).filter((link) => !/README(\.\w+)?\.md/.test(link)).sort();
}

function outlineOf(text: string): string[] {
	return text.replaceAll(block, '```').split('\n').filter((line) => line.trim() !== '').map((line) => /^(#+ |\d+\. |- |\||!\[|```)/.exec(line)?.[0] ?? 'paragraph');
}

function leadsSomewhere(link: string): boolean {
	if (/^\w+:/.test(link)) return true;
	const [file, heading] = link.split('#') as [string, string?];
	return existsSync(join(root, file)) && (heading === undefined || anchorsOf(read(file)).includes(heading));
}

/** As GitHub makes them of headings: small letters, hyphens for spaces, no punctuation. */
function anchorsOf(text: string): string[] {
	return [...withoutBlocks(text).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => (heading as string).toLowerCase().replaceAll(/[^\p{L}\p{M}\p{N}\s_-]/gu, '').replaceAll(' ', '-'));
}
