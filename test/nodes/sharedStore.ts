// A shared store for the nodes' tests, real and with short times, and workers of their own that use it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { ICredentialDataDecryptedObject } from 'n8n-workflow';
import { TestPostgres } from '../support/postgres';
import { startRedis, type TestRedis } from '../support/redis';
import { SecretSearch } from '../support/secrets';
import { type Bench, type BenchOptions, closeEngine, sendWorkflow, withStore } from './bench';
import type { WorkerTask } from './worker';

export interface SharedStore {
	postgres: TestPostgres;
	redis: TestRedis;
	/** What the credential `orderedStoreApi` holds. */
	access(more?: object): ICredentialDataDecryptedObject;
	/** Makes a run use it. */
	used(more?: BenchOptions): BenchOptions;
	/** Runs trigger → Ordered EvolutionAPI Send in a process of its own; ended with the test. */
	worker(parameters: object, executionId?: string, credentials?: BenchOptions['credentials']): Worker;
}

export interface Worker {
	process: ChildProcess;
	/** The JSON of what its nodes gave, by their names; the empty text if it was killed. */
	output: Promise<string>;
	/** SIGKILL; resolves when it is dead. */
	kill(): Promise<void>;
}

/** Call it at the top of a test file, after `useBench`. */
export function useStore(bench: Bench): SharedStore {
	const store = {} as SharedStore;
	const workers: Worker[] = [];
	const search = new SecretSearch('nodes with a store');
	process.env.ORDERED_EVOLUTIONAPI_LEASE_MS = '1000';
	process.env.ORDERED_EVOLUTIONAPI_SETTLE_MS = '300';
	beforeAll(async () => {
		[store.postgres, store.redis] = await Promise.all([TestPostgres.start(), startRedis({ password: 'Redis-Pass-5512' })]);
	});
	afterEach(async () => {
		await Promise.all(workers.splice(0).map((worker) => worker.kill()));
	});
	afterAll(async () => {
		await search.postgres('PostgreSQL', store.postgres.url());
		search.file("PostgreSQL's log", join(store.postgres.folder, 'log'));
		await search.redis('Redis', store.redis.url);
		await closeEngine(store.access());
		await store.redis.close();
		await store.postgres.close();
		search.end();
	});
	store.access = (more = {}) => ({ postgresUrl: store.postgres.url(), redisUrl: store.redis.url, namePrefix: 'ordered_evolutionapi', ignoreSslIssues: false, ...more });
	store.used = ({ node, credentials, ...more } = {}) => {
		const all = { evolutionServerApi: bench.access(), orderedStoreApi: store.access(), ...credentials };
		search.addSimulator(bench.simulator).addCredentials(all);
		return { node: { ...withStore, ...node }, credentials: all, ...more };
	};
	store.worker = (parameters, executionId = '1', more = {}) => {
		const { credentials = {} } = store.used({ credentials: more });
		const worker = startWorker({ workflow: sendWorkflow({ webhookUrl: `${bench.receiver.url}/done`, ...parameters }, withStore), credentials, executionId }, search);
		workers.push(worker);
		return worker;
	};
	return store;
}

function startWorker(task: WorkerTask, search: SecretSearch): Worker {
	const child = spawn(process.execPath, ['--import', 'tsx', join(__dirname, 'worker.ts'), JSON.stringify(task)], { env: { ...process.env, EXECUTIONS_MODE: 'queue' }, stdio: ['ignore', 'pipe', 'pipe'] });
	const exit = once(child, 'exit');
	let text = '';
	child.stderr.on('data', (part: Buffer) => {
		search.bytes("workers' errors", part);
		process.stderr.write(part);
	});
	child.stdout.on('data', (part: Buffer) => (text += part.toString()));
	return {
		process: child,
		output: once(child.stdout, 'end').then(() => {
			search.value("workers' outputs", text);
			return text;
		}),
		async kill() {
			child.kill('SIGKILL');
			await exit;
		},
	};
}
