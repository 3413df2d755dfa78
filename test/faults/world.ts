// The real parts around the engine's processes: simulator, receiver, and where they share a store, PostgreSQL and Redis.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ledger } from '../../ordering/ledger/ledger';
import { PostgresLedger } from '../../ordering/ledger/postgres';
import { SqliteLedger } from '../../ordering/ledger/sqlite';
import type { Settings } from '../../ordering/settings';
import { startSimulator, type Simulator } from '../../simulator';
import { TestPostgres } from '../support/postgres';
import { Receiver } from '../support/receiver';
import { startRedis, type TestRedis } from '../support/redis';
import { SecretSearch } from '../support/secrets';
import { shortSettings } from '../support/settings';
import type { Plan } from './plan';
import { EngineProcess } from './processes';
import type { WorkerTask } from './worker';

/** Times in ms. The look-up outlasts the latest send of the plan; the lease is short, so that many lapse. */
export const times = { lookUpMs: 1500, requestMs: 1000, leaseMs: 1500, settleMs: 100 };

const settings: Partial<Settings> = { ...shortSettings, lookUpMs: times.lookUpMs, lookUpEveryMs: 50, chatsAtOnce: 20 };
const prefix = 'faults_';

export interface World {
	simulator: Simulator;
	receiver: Receiver;
	processes: EngineProcess[];
	/** With a shared store. */
	redis?: TestRedis;
	postgres?: TestPostgres;
	/** To be asked when no embedded process lives any more; to be closed by the caller. */
	openLedger(): Promise<Ledger>;
	/** Throws where what the processes have left holds a secret. */
	close(): Promise<void>;
}

export async function startWorld({ mode, chats }: Plan): Promise<World> {
	const ends: Array<() => unknown> = [];
	const close = async () => {
		const failures: unknown[] = [];
		for (const end of ends.splice(0).reverse()) {
			try {
				await end();
			} catch (error) {
				failures.push(error);
			}
		}
		if (failures.length > 0) throw failures[0];
	};
	try {
		const simulator = await startSimulator({
			instances: [
				{ name: 'meta1', channel: 'WHATSAPP-BUSINESS' },
				{ name: 'meta2', channel: 'WHATSAPP-BUSINESS', pairGapMs: 40 },
				{ name: 'phone1', channel: 'WHATSAPP-BAILEYS' },
				{ name: 'evo1', channel: 'EVOLUTION' },
			],
		});
		ends.push(() => simulator.close());
		for (const { number, lid } of chats) if (lid) simulator.control.setNumber(number, { lid });
		const receiver = await Receiver.start();
		ends.push(() => receiver.close());
		const store = mode === 'embedded' ? embeddedStore(ends) : await sharedStore(ends);
		ends.push(async () => {
			const search = new SecretSearch(`faults, ${mode}`).addSimulator(simulator);
			await store.search(search);
			search.bodies(receiver);
			search.end();
		});
		const task: WorkerTask = { access: { baseUrl: simulator.url, apiKey: simulator.apiKey }, settings, store: store.task };
		const processes = Array.from({ length: mode === 'embedded' ? 1 : 3 }, (_, index) => new EngineProcess(task, () => (mode === 'embedded' ? 50 : 200 + 600 * index)));
		ends.push(() => Promise.all(processes.map((one) => one.end())));
		return { simulator, receiver, processes, redis: store.redis, postgres: store.postgres, openLedger: store.openLedger, close };
	} catch (error) {
		await close();
		throw error;
	}
}

interface Store extends Pick<World, 'redis' | 'postgres' | 'openLedger'> {
	task: WorkerTask['store'];
	search(search: SecretSearch): Promise<void>;
}

function embeddedStore(ends: Array<() => unknown>): Store {
	const folder = mkdtempSync(join(tmpdir(), 'ordered-faults-'));
	ends.push(() => rmSync(folder, { recursive: true, force: true }));
	return { task: { folder }, search: async (search) => search.folder('ledger', folder), openLedger: async () => SqliteLedger.open(folder) };
}

async function sharedStore(ends: Array<() => unknown>): Promise<Store> {
	const postgres = await TestPostgres.start();
	ends.push(() => postgres.close());
	const redis = await startRedis({ password: 'pZ7-faults-b0c52e9d14' });
	ends.push(() => redis.close());
	const task = { postgres: postgres.url(), redis: redis.url, prefix, leaseMs: times.leaseMs, settleMs: times.settleMs };
	const search = async (search: SecretSearch) => {
		search.addAddress('PostgreSQL', postgres.url()).addAddress('Redis', redis.url);
		await search.postgres('PostgreSQL', postgres.url());
		search.file("PostgreSQL's log", join(postgres.folder, 'log'));
		await search.redis('Redis', redis.url);
	};
	return { task, redis, postgres, search, openLedger: () => PostgresLedger.open({ url: postgres.url(), prefix }) };
}
