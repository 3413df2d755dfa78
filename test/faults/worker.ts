// A process with an engine of its own, driven over IPC; it fails and dies at the boundaries that it is told.
import { Engine, type OrderedCall, type Origin } from '../../ordering/engine';
import { LedgerUnavailableError, OrderedSendError } from '../../ordering/errors';
import type { Lanes, ReadLaneRecord } from '../../ordering/lanes/lanes';
import { RedisLanes } from '../../ordering/lanes/redis/redis';
import type { Ledger } from '../../ordering/ledger/ledger';
import { PostgresLedger } from '../../ordering/ledger/postgres';
import { SqliteLedger } from '../../ordering/ledger/sqlite';
import type { Settings } from '../../ordering/settings';
import type { Transaction } from '../../ordering/transaction';
import type { ServerAccess } from '../../evolution/server';
import { type CallInput, orderedCall } from '../support/calls';
import type { CallOutcome } from './history';
import type { Boundary } from './plan';

/** Handed over as JSON in the first argument. */
export interface WorkerTask {
	access: ServerAccess;
	settings: Partial<Settings>;
	store: { folder: string } | { postgres: string; redis: string; prefix: string; leaseMs: number; settleMs: number };
}

/** What happens at one boundary of one transaction, once. */
export interface Trap extends Boundary {
	id: string;
	what: 'die' | 'fail';
}

export interface WorkerItem {
	input: CallInput;
	origin: Partial<Origin>;
}

export type Order = { call: number } & (
	| { kind: 'run'; items: WorkerItem[]; stopOnFailure: boolean; cancelAfterMs?: number; traps: Trap[] }
	| { kind: 'recover'; onInDoubt: 'stop' | 'sendAgain'; queueTimeoutMs: number }
	| { kind: 'resume' | 'giveUp'; id: string; onInDoubt: 'stop' | 'sendAgain'; queueTimeoutMs: number }
	| { kind: 'close' }
);

export interface Reply {
	call: number;
	/** In the order of the items; of a recovery, one for each transaction it worked on. */
	outcomes: CallOutcome[];
	/** What the engine threw. */
	thrown?: { code: string; message: string };
}

const traps = new Map<string, Trap[]>();

async function main(): Promise<void> {
	const task = JSON.parse(process.argv[2] ?? '') as WorkerTask;
	const engine = await openEngine(task);
	process.on('message', (order: Order) => void serve(engine, task, order).then((reply) => process.send?.(reply)));
	process.on('disconnect', () => process.exit());
	process.send?.({ call: 0, outcomes: [] } satisfies Reply);
}

async function openEngine({ store, settings }: WorkerTask): Promise<Engine> {
	if ('folder' in store) return await Engine.on(trapped(SqliteLedger.open(store.folder)), settings);
	const { postgres, redis, prefix, leaseMs, settleMs } = store;
	const ledger = await PostgresLedger.open({ url: postgres, prefix, connections: 6 });
	const lanes = (readRecord: ReadLaneRecord): Lanes => RedisLanes.open({ url: redis, prefix, readRecord, settleMs, leaseMs });
	return await Engine.on(trapped(ledger), settings, lanes);
}

async function serve(engine: Engine, { access }: WorkerTask, order: Order): Promise<Reply> {
	try {
		return { call: order.call, outcomes: await outcomesOf(engine, access, order) };
	} catch (error) {
		const code = error instanceof OrderedSendError ? error.failure.code : 'unexpected';
		return { call: order.call, outcomes: [], thrown: { code, message: (error as Error).stack ?? '' } };
	}
}

async function outcomesOf(engine: Engine, access: ServerAccess, order: Order): Promise<CallOutcome[]> {
	switch (order.kind) {
		case 'run': return await engine.run(setUp(access, order), { stopOnFailure: order.stopOnFailure, signal: order.cancelAfterMs === undefined ? undefined : AbortSignal.timeout(order.cancelAfterMs) });
		case 'recover': return (await engine.recover({ access, ...order })).map(({ transaction, failure }) => ({ transaction, replayed: false, failure }));
		case 'resume': return [await engine.resume(order.id, { access, ...order })];
		case 'giveUp': return [await engine.giveUp(order.id, { access, ...order })];
		case 'close': return await engine.close().then(() => []);
	}
}

function setUp(access: ServerAccess, { items, traps: set }: Extract<Order, { kind: 'run' }>): OrderedCall[] {
	for (const trap of set) traps.set(trap.id, [...(traps.get(trap.id) ?? []), trap]);
	return items.map(({ input, origin }) => orderedCall(access, input, { origin }));
}

/** How often each transaction was written by this process. */
const saves = new Map<string, number>();

/** The ledger as it is, but for the traps at its writes. */
function trapped(ledger: Ledger): Ledger {
	return new Proxy(ledger, {
		get(target, name) {
			if (name === 'open' || name === 'save' || name === 'saveIntent') {
				return async (transaction: Transaction) => {
					const save = name === 'open' ? 0 : (saves.get(transaction.id) ?? 0) + 1;
					saves.set(transaction.id, save);
					spring(transaction.id, 'before', save);
					const written = await target[name](transaction);
					spring(transaction.id, 'after', save);
					return written;
				};
			}
			const value: unknown = Reflect.get(target, name, target);
			return typeof value === 'function' ? value.bind(target) : value;
		},
	});
}

function spring(id: string, when: Boundary['when'], save: number): void {
	const set = traps.get(id) ?? [];
	const trap = set.find((one) => one.when === when && one.save === save);
	if (!trap) return;
	traps.set(id, set.filter((one) => one !== trap));
	if (trap.what === 'die') process.kill(process.pid, 'SIGKILL');
	throw new LedgerUnavailableError(`a fault ${when} write ${save}`);
}

void main();
