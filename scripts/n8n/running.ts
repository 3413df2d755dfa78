// Remembers which process runs the demo n8n, so that a second one can point to it.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isAlive } from '../run/lock.mjs';

export interface Running {
	pid: number;
	/** Missing while it starts. */
	url?: string;
}

/** Names this process in the file until it ends; where another one that runs is named there, gives that and changes nothing. */
export function claimRunning(file: string): Running | undefined {
	mkdirSync(dirname(file), { recursive: true });
	while (!create(file)) {
		const other = read(file);
		if (other && isAlive(other.pid)) return other;
		rmSync(file, { force: true });
	}
	process.once('exit', () => rmSync(file, { force: true }));
	return undefined;
}

/** Adds the address to what the file says of this process. */
export function tellAddress(file: string, url: string): void {
	write(file, { pid: process.pid, url }, 'w');
}

/** False if the file is there. */
function create(file: string): boolean {
	try {
		write(file, { pid: process.pid }, 'wx');
		return true;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
		throw error;
	}
}

function write(file: string, running: Running, flag: 'w' | 'wx'): void {
	writeFileSync(file, `${JSON.stringify(running)}\n`, { flag });
}

/** Undefined where the file is gone or says nothing. */
function read(file: string): Running | undefined {
	try {
		return JSON.parse(readFileSync(file, 'utf8')) as Running;
	} catch {
		return undefined;
	}
}
