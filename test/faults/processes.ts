// The engine's processes as their driver sees them: started again after each death, asked over IPC.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { now } from '../support/receiver';
import type { Order, Reply, WorkerTask } from './worker';

/** What an order got: an answer, or the news that its process died. */
export type Answered = { lost: false; at: number; reply: Reply } | { lost: true; at: number };

/** Without the number that a process gives it. */
export type OrderBody = Order extends infer One ? (One extends Order ? Omit<One, 'call'> : never) : never;

/** One of the processes, over all its deaths. */
export class EngineProcess {
	deaths = 0;
	private child?: ChildProcess;
	private ready: Promise<void> = Promise.resolve();
	private readonly pending = new Map<number, (answer: Answered) => void>();
	private calls = 0;
	private closing = false;

	/** `restartAfterMs`: how long it stays dead. */
	constructor(
		private readonly task: WorkerTask,
		private readonly restartAfterMs: () => number,
	) {
		this.start();
	}

	/** Waits until the process lives, then for its answer, or its death. */
	async ask(order: OrderBody): Promise<Answered> {
		await this.whenReady();
		const call = ++this.calls;
		return await new Promise((resolve) => {
			this.pending.set(call, resolve);
			this.child?.send({ ...order, call } as Order, (error) => {
				if (error) this.settle(call, { lost: true, at: now() });
			});
		});
	}

	async whenReady(): Promise<void> {
		for (let seen: Promise<void> | undefined; seen !== this.ready; ) {
			seen = this.ready;
			await seen;
		}
	}

	kill(): void {
		this.child?.kill('SIGKILL');
	}

	/** Lets it end in its own time, or kills it after 20 s. */
	async close(): Promise<void> {
		this.closing = true;
		const child = this.child;
		if (!child || child.exitCode !== null || child.signalCode !== null) return;
		const gone = once(child, 'exit');
		const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
		await Promise.race([this.ask({ kind: 'close' }), gone]);
		if (child.connected) child.disconnect();
		await gone;
		clearTimeout(timer);
	}

	/** Ends it for good, at once. */
	end(): void {
		this.closing = true;
		this.kill();
	}

	private start(): void {
		const child = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'worker.ts'), JSON.stringify(this.task)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
		this.child = child;
		this.ready = new Promise((resolve) => {
			child.on('message', (reply: Reply) => {
				if (reply.call === 0) return resolve();
				this.settle(reply.call, { lost: false, at: now(), reply });
			});
			child.once('exit', () => {
				this.onExit();
				resolve();
			});
		});
	}

	private onExit(): void {
		for (const call of [...this.pending.keys()]) this.settle(call, { lost: true, at: now() });
		if (this.closing) return;
		this.deaths += 1;
		this.ready = new Promise<void>((resolve) => setTimeout(resolve, this.restartAfterMs())).then(() => {
			if (!this.closing) this.start();
		});
	}

	private settle(call: number, answer: Answered): void {
		this.pending.get(call)?.(answer);
		this.pending.delete(call);
	}
}
