// Builds dist/: nodes and credentials file by file, the engine with its libraries as one bundle, what draws PNGs, icons and codex files.
const { copyFileSync, existsSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } = require('node:fs');
const { basename, join } = require('node:path');
const esbuild = require('esbuild');
const { dest, parallel, series, src } = require('gulp');

const common = { platform: 'node', format: 'cjs', target: 'node22', logLevel: 'warning' };
/** Names stay as they are: with short ones esbuild wraps each module in an arrow function, which V8 parses whole when the file is loaded. */
const bundled = { ...common, bundle: true, minifySyntax: true, minifyWhitespace: true, keepNames: true, legalComments: 'none', metafile: true };

/** What ordering/timeline/png.ts reads at its first picture. */
const pngFiles = [
	'node_modules/@resvg/resvg-wasm/index_bg.wasm',
	...['DejaVuSansCondensed', 'DejaVuSansCondensed-Bold', 'DejaVuSansMono'].map((name) => `node_modules/dejavu-fonts-ttf/ttf/${name}.ttf`),
];

function clean(done) {
	rmSync('dist', { recursive: true, force: true });
	done();
}

/** Left unbundled, so that all nodes require the one engine. */
async function nodes() {
	const entryPoints = [...typescriptBelow('nodes'), ...typescriptBelow('credentials')];
	await esbuild.build({ ...common, entryPoints, outdir: 'dist', outbase: '.' });
}

/** Bundled once: lanes live in the process, and n8n installs no dependencies. */
async function engine() {
	const { metafile } = await esbuild.build({ ...bundled, entryPoints: ['ordering/index.ts'], outfile: 'dist/ordering/index.js' });
	return Object.keys(metafile.inputs);
}

/** Beside the engine, since most processes draw nothing. */
async function pngs() {
	const { metafile } = await esbuild.build({ ...bundled, format: 'esm', entryPoints: ['ordering/timeline/png.worker.mts'], outfile: 'dist/ordering/timeline/png.worker.mjs' });
	for (const file of pngFiles) copyFileSync(file, join('dist/ordering/timeline', basename(file)));
	return [...Object.keys(metafile.inputs), ...pngFiles];
}

async function libraries() {
	const inputs = await Promise.all([engine(), pngs()]);
	writeFileSync('dist/THIRD-PARTY-LICENSES.txt', licencesOf(inputs.flat()));
}

function assets() {
	return src(['nodes/**/*.json', 'icons/*.svg'], { base: '.', encoding: false }).pipe(dest('dist'));
}

function typescriptBelow(folder) {
	return readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.ts')).map((file) => join(folder, file));
}

/** The licence of each package that is in a bundle or copied. */
function licencesOf(inputs) {
	const folders = new Set(inputs.filter((file) => file.includes('node_modules/')).map((file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)[1]));
	return [...new Set([...folders].map((folder) => realpathSync(folder)))].sort().map(licenceOf).join('\n\n');
}

function licenceOf(folder) {
	const { name, version, license, repository } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
	const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(basename(entry)));
	const text = file && existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8').trim() : `Licence: ${license} (https://spdx.org/licenses/${license}.html)\nSource code: ${(repository?.url ?? repository).replace(/^git@([^:]+):/, 'https://$1/')}`;
	return `${'='.repeat(80)}\n${name} ${version} (${license})\n${'='.repeat(80)}\n${text}`;
}

exports.default = series(clean, parallel(nodes, libraries, assets));
