// Builds dist/: nodes and credentials file by file, the engine with its libraries as one bundle, icons and codex files.
const { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { basename, join } = require('node:path');
const esbuild = require('esbuild');
const { dest, parallel, series, src } = require('gulp');

const common = { platform: 'node', format: 'cjs', target: 'node22', logLevel: 'warning' };

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
	const { metafile } = await esbuild.build({ ...common, entryPoints: ['ordering/index.ts'], outfile: 'dist/ordering/index.js', bundle: true, minify: true, keepNames: true, legalComments: 'none', metafile: true });
	writeFileSync('dist/THIRD-PARTY-LICENSES.txt', licencesOf(Object.keys(metafile.inputs)));
}

function assets() {
	return src(['nodes/**/*.json', 'icons/*.svg'], { base: '.', encoding: false }).pipe(dest('dist'));
}

function typescriptBelow(folder) {
	return readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.ts')).map((file) => join(folder, file));
}

/** The licence of each package that is in the bundle. */
function licencesOf(inputs) {
	const folders = new Set(inputs.filter((file) => file.includes('node_modules/')).map((file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)[1]));
	return [...folders].sort().map(licenceOf).join('\n\n');
}

function licenceOf(folder) {
	const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
	const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(basename(entry)));
	const text = file && existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8').trim() : `Licence: ${license}`;
	return `${'='.repeat(80)}\n${name} ${version} (${license})\n${'='.repeat(80)}\n${text}`;
}

exports.default = series(clean, parallel(nodes, engine, assets));
