// `npm run n8n` as a terminal runs it: a group of processes, what it prints, and what is left when it has ended. Linux only.
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectRoot } from '../../scripts/n8n/paths';

export class Launched {
	output = '';
	errors = '';
	private readonly child: ChildProcess;
	private readonly ended: Promise<number | NodeJS.Signals>;

	/** With these of its own settings; an empty one is none. */
	constructor(env: { N8N_PORT: string; ORDERED_N8N_USER_FOLDER: string }) {
		// detached: it leads a group of its own, which a terminal's Ctrl-C reaches as a whole
		this.child = spawn(process.execPath, [join('scripts', 'run.mjs'), 'n8n'], { cwd: projectRoot, env: { ...process.env, ...env }, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
		this.child.stdout?.on('data', (chunk) => (this.output += chunk));
		this.child.stderr?.on('data', (chunk) => (this.errors += chunk));
		this.ended = new Promise((resolve) => this.child.once('close', (code, signal) => resolve(code ?? (signal as NodeJS.Signals))));
	}

	/** Waits until it has printed this, and gives it. */
	async printed(what: RegExp, withinMs = 240_000): Promise<RegExpExecArray> {
		const until = Date.now() + withinMs;
		for (;;) {
			const found = what.exec(this.output);
			if (found) return found;
			if (this.child.exitCode !== null || this.child.signalCode !== null || Date.now() > until) throw new Error(`It did not print ${what}, but:\n${this.output}\n${this.errors}`);
			await sleep(50);
		}
	}

	/** Waits until a process of it has this in its command line. */
	async started(program: string): Promise<void> {
		while (!this.processes().some((pid) => textOf(pid, 'cmdline').includes(program))) {
			if (this.child.exitCode !== null) throw new Error(`It ended before it started ${program}:\n${this.output}\n${this.errors}`);
			await sleep(20);
		}
	}

	/** Its exit code, once it has ended and nobody writes to its output any more. */
	async exitCode(withinMs = 60_000): Promise<number | NodeJS.Signals> {
		const ended = await Promise.race([this.ended, sleep(withinMs, undefined, { ref: false })]);
		if (ended === undefined) throw new Error(`It did not end within ${withinMs / 1000} s:\n${this.output}\n${this.errors}`);
		return ended;
	}

	/** What Ctrl-C in its terminal does. */
	pressCtrlC(): void {
		process.kill(-this.pid, 'SIGINT');
	}

	/** It and all that it has started, also what leads a group of its own, as n8n does. */
	processes(): number[] {
		const parents = new Map(running().map((pid) => [pid, parentOf(pid)]));
		const found = [this.pid];
		for (const one of found) found.push(...[...parents].filter(([, parent]) => parent === one).map(([pid]) => pid));
		return found;
	}

	/** For the end of a test that failed. */
	kill(): void {
		if (this.child.exitCode === null && this.child.signalCode === null) for (const pid of this.processes()) killOne(pid);
	}

	private get pid(): number {
		return this.child.pid as number;
	}
}

/** Those of `pids` that still run; a zombie does not. */
export function stillRunning(pids: number[]): number[] {
	return pids.filter((pid) => !['', 'Z', 'X'].includes(statOf(pid)[0] ?? ''));
}

/** Those that still run when it is high time: a process that is killed takes a moment to go. */
export async function leftOf(pids: number[]): Promise<number[]> {
	for (let tries = 0; tries < 100 && stillRunning(pids).length > 0; tries++) await sleep(20);
	return stillRunning(pids);
}

function running(): number[] {
	return readdirSync('/proc').map(Number).filter((pid) => pid > 0);
}

function parentOf(pid: number): number {
	return Number(statOf(pid)[1]);
}

/** State, parent and so on: proc(5). */
function statOf(pid: number): string[] {
	return textOf(pid, 'stat').replace(/^.*\) /s, '').split(' ');
}

/** Empty where the process is gone. */
function textOf(pid: number, file: string): string {
	try {
		return readFileSync(`/proc/${pid}/${file}`, 'utf8');
	} catch {
		return '';
	}
}

function killOne(pid: number): void {
	try {
		process.kill(pid, 'SIGKILL');
	} catch {
		// it has ended meanwhile
	}
}
