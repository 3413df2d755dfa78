// Runs a task of this project (`npm start`, `npm test` …) on Node 24 with its dependencies installed. Node builtins only.
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureDependencies } from './run/dependencies.mjs';
import { checkOwnNode, ensureNode24, withNode } from './run/node24.mjs';
import { ensurePrograms, missingProgramsMessage, services } from './run/programs.mjs';
import { add, clearResult, countCheck, countJest, countOwn, writeResult } from './run/results.mjs';

const build = step('build', 'node_modules/gulp/bin/gulp.js', '--silent');
const types = step('types', 'node_modules/typescript/bin/tsc', '--noEmit', '-p', '.');
const lint = step('lint', 'node_modules/eslint/bin/eslint.js', '.');
const unit = jest('tests', '--coverage');
const inRealN8n = jest('tests in n8n', '--runInBand', '--testPathIgnorePatterns=/node_modules/', '--testMatch=**/test/n8n/**/*.test.ts');
const inQueueMode = jest('tests in queue mode', '--runInBand', '--testPathIgnorePatterns=/node_modules/', '--testMatch=**/test/queue/**/*.n8n.ts');
const inBrowser = jest('tests in a browser', '--runInBand', '--testPathIgnorePatterns=/node_modules/', '--testMatch=**/test/browser/**/*.browser.ts');
const install = step('n8n', '--import', 'tsx', 'scripts/install-n8n.ts');
const script = (file) => step(file, '--import', 'tsx', file);
const faults = counting('faults', '--import', 'tsx', 'test/faults/main.ts');
const secrets = counting('secrets', '--import', 'tsx', 'test/secrets/afterAll.ts');
const release = counting('release', '--import', 'tsx', 'scripts/release.ts');

/**
 * Each task and its steps, in order. Extra words on the command line go to the last step. A `checks` task runs all its
 * steps whatever fails and tells each one's result; the others stop at the first that fails. `programs`: what it starts
 * itself; without them it is not run, or where only `some` of it needs them, without that.
 */
const TASKS = {
	'start': { steps: [build, script('scripts/start.ts')] },
	'simulator': { steps: [script('simulator/main.ts')] },
	'n8n': { steps: [build, script('scripts/n8n.ts')], forN8n: true },
	'build': { steps: [build] },
	'lint': { steps: [lint] },
	'test': { steps: [build, types, lint, unit], checks: true, programs: services, some: true },
	'test:n8n': { steps: [build, install, inRealN8n], checks: true, forN8n: true },
	'test:queue': { steps: [build, install, inQueueMode], checks: true, forN8n: true, programs: services },
	'test:browser': { steps: [build, install, inBrowser], checks: true, forN8n: true, programs: ['chromium'] },
	'test:faults': { steps: [faults], checks: true, programs: services },
	'test:secrets': { steps: [secrets], checks: true },
	'release:check': { steps: [build, types, lint, unit, install, release], checks: true, forN8n: true, programs: services, some: true },
	'release:snapshot': { steps: [build, script('test/upgrades/store.ts')] },
	'bench': { steps: [build, script('scripts/bench.ts')], programs: services },
};

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const cache = join(root, '.cache');
const resultsFolder = join(cache, 'results');

function step(name, ...args) {
	return { name, args, count: countCheck };
}

/** A step that runs jest and reads how many tests passed from the file it writes. */
function jest(name, ...args) {
	return reporting(name, ['node_modules/jest/bin/jest.js', ...args], (report) => ['--json', `--outputFile=${report}`], countJest);
}

/** A step that writes its own counts to a file that it is given. */
function counting(name, ...args) {
	return reporting(name, args, (report) => ['--results', report], countOwn);
}

/** `words` tell the program where its report goes; `count` reads it. */
function reporting(name, args, words, count) {
	const report = () => join(cache, `report-${name.replaceAll(' ', '-')}.json`);
	return {
		name,
		args,
		extra: () => {
			mkdirSync(cache, { recursive: true });
			rmSync(report(), { force: true });
			return words(report());
		},
		count: (code) => count(report(), code),
	};
}

/** Where a suite writes down what it has searched for secrets; `npm run test:secrets` looks at that of all suites. */
function emptyEvidence(name) {
	const folder = join(cache, 'evidence', name.replaceAll(':', '-'));
	rmSync(folder, { recursive: true, force: true });
	return folder;
}

async function main([name, ...extra]) {
	const task = TASKS[name];
	if (!task) {
		console.error(`Unknown task ${name ?? ''}. There are: ${Object.keys(TASKS).join(', ')}.`);
		return 2;
	}
	checkOwnNode(root);
	if (task.checks) clearResult(resultsFolder, name);
	if (task.checks && name !== 'test:secrets') process.env.ORDERED_EVIDENCE_FOLDER = emptyEvidence(name);
	await ensureDependencies(root);
	const missing = ensurePrograms(task.programs ?? []);
	if (missing.length > 0 && !task.some) {
		console.error(missingProgramsMessage(missing));
		return 1;
	}
	const program = await ensureNode24(root, { forN8n: task.forN8n });
	const code = await (task.checks ? runChecks(name, task.steps, program, extra) : runInTurn(task.steps, program, extra));
	if (missing.length > 0) console.log(`\nNot run on this machine: tests of the shared store. ${missingProgramsMessage(missing)}`);
	return code;
}

async function runInTurn(steps, program, extra) {
	for (const one of steps) {
		const code = await run(one, program, one === steps.at(-1) ? extra : []);
		if (code !== 0) return code;
	}
	return 0;
}

async function runChecks(name, steps, program, extra) {
	const results = [];
	for (const one of steps) {
		console.log(`\n── ${one.name}`);
		const started = Date.now();
		const code = await run(one, program, one === steps.at(-1) ? extra : []);
		results.push({ name: one.name, code, counts: one.count(code), seconds: Math.round((Date.now() - started) / 1000) });
		if (code > 128) break;
	}
	writeResult(resultsFolder, name, add(results.map(({ counts }) => counts)));
	console.log(`\n── npm run ${name}`);
	for (const { name: what, code, counts, seconds } of results) console.log(`${code === 0 ? '✓' : '✗'} ${what}: ${describe(code, counts)}, ${seconds} s`);
	return results.every(({ code }) => code === 0) ? 0 : 1;
}

function describe(code, { passed, failed, skipped }) {
	if (passed + failed + skipped === 1) return code === 0 ? 'ok' : `failed (exit code ${code})`;
	return [`${passed} of ${passed + failed} passed`, ...(skipped > 0 ? [`${skipped} skipped`] : [])].join(', ');
}

/** Runs one step and gives its exit code. Ctrl-C reaches the child by itself, as one of the terminal's group: wait for it. */
function run({ args, extra = () => [] }, program, more) {
	return new Promise((done, fail) => {
		const child = spawn(program, [...args, ...extra(), ...more], { cwd: root, stdio: 'inherit', env: withNode(program) });
		const ignore = () => {};
		const forward = () => child.kill('SIGTERM');
		process.on('SIGINT', ignore).on('SIGTERM', forward);
		const stopWatching = whenNpmIsGone(forward);
		child.on('error', fail);
		child.on('close', (code, signal) => {
			stopWatching();
			process.off('SIGINT', ignore).off('SIGTERM', forward);
			done(code ?? 128 + (constants.signals[signal] ?? 1));
		});
	});
}

/** npm passes a SIGTERM on to a shell that doesn't, so only the parent's absence tells of it. */
function whenNpmIsGone(then) {
	if (!process.env.npm_lifecycle_event) return () => {};
	const parent = process.ppid;
	const timer = setInterval(() => {
		if (process.ppid !== parent) then();
	}, 500);
	return () => clearInterval(timer);
}

process.exitCode = await main(process.argv.slice(2)).catch((error) => {
	console.error(error.message);
	return 1;
});
