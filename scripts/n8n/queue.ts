// A real n8n in queue mode: a main process and workers, with PostgreSQL and Redis that the caller has started.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { installPackage } from './package';
import { freePort } from './ports';
import { startN8n, type N8nServer } from './server';

export interface QueueOptions {
	/** Each process gets a user folder of its own below it, as if it ran in a container of its own. */
	folder: string;
	/** The packed package, installed for each process; none if not given. */
	tarball?: string;
	/** A database for n8n's own tables, with user and password. */
	postgresUrl: string;
	/** n8n's jobs are kept in the Redis at this port of 127.0.0.1. */
	redisPort: number;
	/** How many; 2 if not given. */
	workers?: number;
	/** How many executions a worker runs at once; 10 if not given. */
	concurrency?: number;
	/** More environment variables for all processes; they win over ours. */
	env?: Record<string, string>;
}

export interface N8nQueue {
	/** It takes the webhooks and runs none of their executions. */
	main: N8nServer;
	/** The workers that run now. */
	workers(): N8nServer[];
	/** Ends a worker (the first is 0) with SIGKILL, in the midst of its executions. */
	killWorker(index: number): Promise<void>;
	/** Starts a worker again that was killed. */
	startWorker(index: number): Promise<void>;
	/** Ends all processes. */
	stop(): Promise<void>;
}

/** Starts the main process, then the workers; resolves when all are ready. Whatever fails, none is left behind. */
export async function startQueue(options: QueueOptions): Promise<N8nQueue> {
	const { folder, tarball, workers: count = 2, concurrency = 10 } = options;
	const env = { ...queueEnvironment(options), ...options.env };
	const workers = new Map<number, N8nServer>();
	const workerFolder = (index: number) => join(folder, `worker-${index}`);
	const startWorker = async (index: number) => {
		if (workers.has(index)) throw new Error(`Worker ${index} is running.`);
		workers.set(index, await startN8nWorker(workerFolder(index), concurrency, env));
	};
	const mainFolder = join(folder, 'main');
	const indexes = Array.from({ length: count }, (_, index) => index);
	if (tarball) for (const userFolder of [mainFolder, ...indexes.map(workerFolder)]) await installPackage(tarball, userFolder);
	// First, since it makes the tables.
	const main = await startN8n({ userFolder: mainFolder, env });
	const stop = async () => {
		await Promise.all([...workers.values()].map((worker) => worker.stop()));
		await main.stop();
	};
	const started = await Promise.allSettled(indexes.map(startWorker));
	const failed = started.find((one) => one.status === 'rejected');
	if (failed) {
		await stop();
		throw failed.reason;
	}
	return {
		main,
		workers: () => [...workers.values()],
		killWorker: async (index) => {
			await workers.get(index)?.kill();
			workers.delete(index);
		},
		startWorker,
		stop,
	};
}

async function startN8nWorker(userFolder: string, concurrency: number, env: Record<string, string>): Promise<N8nServer> {
	const port = await freePort();
	return await startN8n({
		userFolder,
		port,
		args: ['worker', `--concurrency=${concurrency}`],
		readyPaths: ['/healthz/readiness'],
		env: { ...env, QUEUE_HEALTH_CHECK_ACTIVE: 'true', QUEUE_HEALTH_CHECK_PORT: String(port), N8N_WORKER_SERVER_ADDRESS: '127.0.0.1' },
	});
}

function queueEnvironment({ postgresUrl, redisPort }: QueueOptions): Record<string, string> {
	const { hostname, port, pathname, username, password } = new URL(postgresUrl);
	return {
		EXECUTIONS_MODE: 'queue',
		OFFLOAD_MANUAL_EXECUTIONS_TO_WORKERS: 'true',
		N8N_ENCRYPTION_KEY: randomBytes(16).toString('hex'),
		QUEUE_BULL_REDIS_HOST: '127.0.0.1',
		QUEUE_BULL_REDIS_PORT: String(redisPort),
		DB_TYPE: 'postgresdb',
		DB_POSTGRESDB_HOST: hostname,
		DB_POSTGRESDB_PORT: port || '5432',
		DB_POSTGRESDB_DATABASE: decodeURIComponent(pathname.slice(1)),
		DB_POSTGRESDB_USER: decodeURIComponent(username),
		DB_POSTGRESDB_PASSWORD: decodeURIComponent(password),
	};
}
