// A Redis, lanes over it and worker processes, all ended with the test.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LaneRecord } from '../../../../ordering/lanes/lanes';
import { RedisLanes, type RedisLanesOptions } from '../../../../ordering/lanes/redis/redis';
import { endWithTest } from '../../../evolution/helpers';
import { type RedisOptions, startRedis, type TestRedis } from '../../../support/redis';
import type { WorkerTask } from './shared';

export const leaseMs = 900;

/** How long a dead holder may keep a lane: its lease, the time to come back, and the looks of those who wait. */
export const deadAfterMs = leaseMs + leaseMs / 2 + leaseMs / 3 + leaseMs / 3;

export const nothing: LaneRecord = { fence: 0, marks: { sequences: {}, executions: {} } };

export interface RedisScene {
	redis: TestRedis;
	prefix: string;
	folder: string;
	/** As another process would. */
	open(more?: Partial<RedisLanesOptions>): Promise<RedisLanes>;
	/** A real process; resolves when it is connected, works from `go` on. */
	worker(task: Partial<WorkerTask> & Pick<WorkerTask, 'executions'>): Promise<{ process: ChildProcess; go(): void; ended: Promise<unknown> }>;
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Resolves when `done` says so; fails after 10 s. */
export async function until(done: () => boolean | Promise<boolean>): Promise<void> {
	const began = performance.now();
	while (!(await done())) {
		if (performance.now() - began > 10_000) throw new Error('That did not happen within 10 s');
		await sleep(10);
	}
}

export async function redisScene(options: RedisOptions = {}): Promise<RedisScene> {
	const redis = await startRedis(options);
	endWithTest(() => redis.close());
	const folder = mkdtempSync(join(tmpdir(), 'lanes-'));
	endWithTest(() => rmSync(folder, { recursive: true }));
	const prefix = `test-${randomUUID()}`;
	return {
		redis,
		prefix,
		folder,
		open: async (more) => {
			const lanes = RedisLanes.open({ url: redis.url, prefix, readRecord: async () => nothing, settleMs: 0, leaseMs, ...more });
			endWithTest(() => lanes.close());
			if ((await lanes.alive([lanes.owner])).size !== 1) throw new Error('not connected');
			return lanes;
		},
		worker: async (task) => {
			const all: WorkerTask = { url: redis.url, prefix, leaseMs, settleMs: 0, folder, parallel: 1, workMs: 0, ...task };
			const child = spawn(process.execPath, ['--import', 'tsx', join(__dirname, 'worker.ts'), JSON.stringify(all)], { stdio: ['pipe', 'pipe', 'inherit'] });
			const ended = once(child, 'exit');
			endWithTest(async () => {
				child.kill('SIGKILL');
				await ended;
			});
			await Promise.race([once(child.stdout, 'data'), ended]);
			return { process: child, go: () => void child.stdin.write('go\n'), ended };
		},
	};
}
