// Small things that all benchmarks use: medians, heap after a collection, child processes that answer in JSON.
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export function median(values: number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Bytes of heap in use once everything that nothing refers to is gone. */
export async function heapInUse(): Promise<number> {
	setFlagsFromString('--expose-gc');
	const collect = runInNewContext('gc') as () => void;
	for (let i = 0; i < 4; i++) {
		collect();
		await sleep(50);
	}
	return process.memoryUsage().heapUsed;
}

/** A TypeScript file in a process of its own, with its task as JSON in the first argument. */
export function child(file: string, task: unknown): ChildProcess {
	return spawn(process.execPath, ['--import', 'tsx', file, JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
}

/** The next message that a child sends. Throws when it ends without one. */
export function nextMessage<T>(from: ChildProcess): Promise<T> {
	return new Promise((resolve, reject) => {
		from.once('message', resolve as (message: unknown) => void);
		from.once('exit', (code) => reject(new Error(`a child of the benchmark ended with code ${code} and no answer`)));
	});
}
