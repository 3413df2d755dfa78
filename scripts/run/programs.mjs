// The programs that some tests start for themselves (Redis, PostgreSQL, Chromium): installed where that is possible.
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Debian keeps PostgreSQL's programs outside of the path, one folder a version. */
const postgresFolder = '/usr/lib/postgresql';
const packages = { 'redis-server': 'redis-server', 'postgres': 'postgresql', 'chromium': 'chromium' };
const chromiumNames = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** What the shared store consists of. */
export const services = ['redis-server', 'postgres'];

/** Which of these programs are not on this machine. */
export function missingPrograms(wanted, path = process.env.PATH ?? '', postgresFolders = postgresFolder) {
	const has = {
		'redis-server': () => onPath('redis-server', path),
		'postgres': () => existsSync(postgresFolders) && readdirSync(postgresFolders).some((version) => isExecutable(join(postgresFolders, version, 'bin', 'initdb'))),
		'chromium': () => chromiumPath(path) !== undefined,
	};
	return wanted.filter((program) => !has[program]());
}

/** Where Chromium or Chrome is: what CHROMIUM_PATH names, else the first on the path; undefined without one. */
export function chromiumPath(path = process.env.PATH ?? '', named = process.env.CHROMIUM_PATH) {
	if (named) return isExecutable(named) ? named : undefined;
	return chromiumNames.flatMap((name) => path.split(delimiter).map((folder) => join(folder, name))).find(isExecutable);
}

/** Names what is missing and the command that brings it. */
export function missingProgramsMessage(missing) {
	return `Some tests start programs of their own, and these are missing: ${missing.join(', ')}.\nInstall with: sudo apt-get update && sudo apt-get install -y ${packagesOf(missing).join(' ')}   (Debian or Ubuntu; elsewhere run the tests in a container of one of them)`;
}

/** Installs what is missing by apt-get, where this is root on Debian or Ubuntu; tells what is still missing then. */
export function ensurePrograms(wanted, print = console.log) {
	const missing = missingPrograms(wanted);
	if (missing.length === 0 || process.getuid?.() !== 0 || !onPath('apt-get', process.env.PATH ?? '')) return missing;
	print(`Installing ${packagesOf(missing).join(' and ')} by apt-get.`);
	try {
		apt('update', '-qq');
		apt('install', '-y', '-qq', '--no-install-recommends', ...packagesOf(missing));
	} catch (error) {
		print(`That failed: ${error.message}`);
	}
	return missingPrograms(wanted);
}

/** The test files below `folder` that start one of these programs, by themselves or through a file that they import. */
export function testsWithServices(folder) {
	const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.ts')).map((file) => join(folder, file));
	const importing = new Set(files.filter((file) => /\/support\/(redis|postgres)\.ts$/.test(file)));
	for (let before = -1; before < importing.size; ) {
		before = importing.size;
		for (const file of files) if (importsOf(file).some((imported) => importing.has(imported))) importing.add(file);
	}
	return [...importing].filter((file) => file.endsWith('.test.ts'));
}

function importsOf(file) {
	const paths = [...readFileSync(file, 'utf8').matchAll(/from '(\.[^']+)'/g)].map(([, path]) => path);
	return paths.map((path) => join(file, '..', `${path}.ts`));
}

function packagesOf(missing) {
	return missing.map((program) => packages[program]);
}

function apt(...args) {
	execFileSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
}

function onPath(program, path) {
	return path.split(delimiter).some((folder) => folder !== '' && isExecutable(join(folder, program)));
}

function isExecutable(file) {
	try {
		accessSync(file, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}
