// The programs that the tests in queue mode need beside n8n: redis-server and PostgreSQL, installed where that is possible.
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Debian keeps PostgreSQL's programs outside of the path, one folder a version. */
const POSTGRES_FOLDERS = '/usr/lib/postgresql';
const PACKAGES = { 'redis-server': 'redis-server', 'postgres': 'postgresql' } as const;

type Program = keyof typeof PACKAGES;

/** Which of redis-server and PostgreSQL are not on this machine. */
export function missingServices(path = process.env.PATH ?? '', postgresFolders = POSTGRES_FOLDERS): Program[] {
	const has: Record<Program, boolean> = {
		'redis-server': onPath('redis-server', path),
		'postgres': existsSync(postgresFolders) && readdirSync(postgresFolders).some((version) => isExecutable(join(postgresFolders, version, 'bin', 'initdb'))),
	};
	return (Object.keys(has) as Program[]).filter((program) => !has[program]);
}

/** Names what is missing and the command that brings it. */
export function missingServicesMessage(missing: Program[]): string {
	return `The tests in queue mode start a Redis and a PostgreSQL of their own, and these programs are missing: ${missing.join(', ')}.\nInstall with: sudo apt-get update && sudo apt-get install -y ${packagesOf(missing).join(' ')}   (Debian or Ubuntu; elsewhere run the tests in a container of one of them)`;
}

/** Installs what is missing by apt-get, where this is root on Debian or Ubuntu; else an Error that says what to do. */
export function ensureServices(print: (line: string) => void = console.log): void {
	const missing = missingServices();
	if (missing.length === 0) return;
	if (process.getuid?.() !== 0 || !onPath('apt-get', process.env.PATH ?? '')) throw new Error(missingServicesMessage(missing));
	print(`Installing ${packagesOf(missing).join(' and ')} by apt-get.`);
	apt('update', '-qq');
	apt('install', '-y', '-qq', '--no-install-recommends', ...packagesOf(missing));
	const still = missingServices();
	if (still.length > 0) throw new Error(missingServicesMessage(still));
}

function packagesOf(missing: Program[]): string[] {
	return missing.map((program) => PACKAGES[program]);
}

function apt(...args: string[]): void {
	execFileSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
}

function onPath(program: string, path: string): boolean {
	return path.split(delimiter).some((folder) => folder !== '' && isExecutable(join(folder, program)));
}

function isExecutable(file: string): boolean {
	try {
		accessSync(file, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}
