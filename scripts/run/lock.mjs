// Lets only one process at a time do a thing, by a file that names the one at work.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Runs `work` while holding `file`; waits for another process that holds it, and takes over from a dead one. */
export async function withLock(file, work, { print = (line) => console.log(line), pollMs = 500 } = {}) {
	mkdirSync(dirname(file), { recursive: true });
	let told = false;
	while (!take(file)) {
		const holder = holderOf(file);
		if (holder === undefined || !isAlive(holder)) {
			rmSync(file, { force: true });
			continue;
		}
		if (!told) print(`Waiting for process ${holder}, which is doing the same …`);
		told = true;
		await sleep(pollMs);
	}
	try {
		return await work();
	} finally {
		rmSync(file, { force: true });
	}
}

/** The process ID in a file, or undefined if there is none. */
export function holderOf(file) {
	try {
		const id = Number.parseInt(readFileSync(file, 'utf8'), 10);
		return Number.isInteger(id) && id > 0 ? id : undefined;
	} catch {
		return undefined;
	}
}

/** Whether a process of this ID runs (EPERM: it runs, as another user). */
export function isAlive(pid) {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return error.code === 'EPERM';
	}
}

function take(file) {
	try {
		writeFileSync(file, `${process.pid}\n`, { flag: 'wx' });
		return true;
	} catch (error) {
		if (error.code === 'EEXIST') return false;
		throw error;
	}
}
