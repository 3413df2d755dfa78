// Remembers which process runs the demo n8n, so that a second one can point to it.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isAlive } from '../run/lock.mjs';

export interface Running {
	pid: number;
	/** Missing while it starts. */
	url?: string;
}

/** The process that a file names, if it still runs. */
export function readRunning(file: string): Running | undefined {
	try {
		const running = JSON.parse(readFileSync(file, 'utf8')) as Running;
		return running.pid !== process.pid && isAlive(running.pid) ? running : undefined;
	} catch {
		return undefined;
	}
}

/** Names this process in the file until it ends. */
export function markRunning(file: string, url?: string): void {
	mkdirSync(dirname(file), { recursive: true });
	writeFileSync(file, `${JSON.stringify({ pid: process.pid, url })}\n`);
	if (url === undefined) process.once('exit', () => rmSync(file, { force: true }));
}
