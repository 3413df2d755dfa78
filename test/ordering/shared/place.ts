// Several engines on one shared store, as in several workers: real PostgreSQL, real Redis, simulator and receiver.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Engine, OrderedCall, Origin } from '../../../ordering/engine';
import type { Settings } from '../../../ordering/settings';
import { openShared, type SharedLanesTimes, type StoreAccess } from '../../../ordering/store';
import type { Outcome } from '../../../ordering/turns';
import { startSimulator, type Simulator } from '../../../simulator';
import { type CallInput, orderedCall } from '../../support/calls';
import { TestPostgres } from '../../support/postgres';
import { Receiver } from '../../support/receiver';
import { startRedis, type TestRedis } from '../../support/redis';
import { endWithTest, shortSettings } from '../../support/scene';
import { SecretSearch } from '../../support/secrets';
import type { WorkerTask } from './worker';

/** Short enough for tests, long enough for a busy machine. */
export const times: Required<SharedLanesTimes> = { settleMs: 400, leaseMs: 1500 };

export interface Workers {
	simulator: Simulator;
	receiver: Receiver;
	redis: TestRedis;
	postgres: TestPostgres;
	store: StoreAccess;
	engines: Engine[];
	call(input: CallInput, more?: { origin?: Partial<Origin> }): OrderedCall;
	/** Runs one call on the engine with this index. */
	run(worker: number, input: CallInput, more?: { origin?: Partial<Origin> }): Promise<Outcome>;
	texts(): string[];
	/** Another engine; closed after the test. */
	open(settings?: Partial<Settings>): Promise<Engine>;
	/** Runs one transaction in a process of its own. */
	spawn(input: CallInput, more?: Partial<WorkerTask>): { child: ChildProcess; result: Promise<{ status?: string; failure?: { code: string } } | undefined> };
}

let postgres: TestPostgres;
let prefixes = 0;

beforeAll(async () => {
	postgres = await TestPostgres.start();
}, 60_000);

afterAll(() => postgres.close());

export async function workers(count: number, settings: Partial<Settings> = {}): Promise<Workers> {
	const simulator = await startSimulator();
	endWithTest(() => simulator.close());
	const receiver = await Receiver.start();
	endWithTest(() => receiver.close());
	const redis = await startRedis({ password: 'pZ7-redis-4c1e90b2d7' });
	endWithTest(() => redis.close());
	const store: StoreAccess = { postgresUrl: postgres.url(), redisUrl: redis.url, namePrefix: `test_${++prefixes}` };
	const access = { baseUrl: simulator.url, apiKey: simulator.apiKey };
	const search = new SecretSearch('shared store').addSimulator(simulator).addAddress('PostgreSQL', store.postgresUrl).addAddress('Redis', store.redisUrl);
	const full = (input: CallInput): CallInput => ({ ...input, ...(input.webhookUrl?.startsWith('/') ? { webhookUrl: receiver.url + input.webhookUrl } : {}) });
	const open = async (more: Partial<Settings> = {}) => {
		const engine = await openShared(store, { ...shortSettings, ...settings, ...more }, times);
		endWithTest(() => engine.close());
		return engine;
	};
	const place: Workers = {
		simulator, receiver, redis, postgres, store, open,
		engines: await Promise.all(Array.from({ length: count }, () => open())),
		call: (input, more) => orderedCall(access, full(input), more),
		async run(worker, input, more) {
			const [outcome] = await (place.engines[worker] as Engine).run([place.call(input, more)], { stopOnFailure: false });
			const { transaction, replayed, failure } = outcome as Outcome;
			search.value('outcomes', { transaction, replayed, failure });
			return outcome as Outcome;
		},
		texts: () => simulator.control.messages().map(({ text }) => text),
		spawn(input, more = {}) {
			const task: WorkerTask = { store, access, input: full(input), ...more };
			const child = spawn(process.execPath, ['--import', 'tsx', join(__dirname, 'worker.ts'), JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'inherit'] });
			endWithTest(() => void child.kill('SIGKILL'));
			let told = '';
			child.stdout?.on('data', (text: Buffer) => void (told += text.toString()));
			const result = once(child, 'close').then(() => search.value("workers' outputs", told)).then(() => (told ? (JSON.parse(told) as { status?: string }) : undefined));
			return { child, result };
		},
	};
	endWithTest(async () => {
		await search.postgres('PostgreSQL', store.postgresUrl);
		search.file("PostgreSQL's log", join(postgres.folder, 'log'));
		await search.redis('Redis', store.redisUrl);
		search.bodies(receiver);
		search.end();
	});
	return place;
}
