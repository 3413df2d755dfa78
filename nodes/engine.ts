// The engines of this n8n process, each opened at its first use: one for each store, whose lanes and ledger all nodes share.
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Engine, openShared, OrderedSendError, pause, QueueModeError, type Settings, type SharedLanesTimes, type StoreAccess, storeKey } from '../ordering';

/**
 * When n8n updates a community package it loads it anew, in the same process: the new copy must not find the ledger in
 * use by the old one. So the engine in use stands where all copies find it. Versions meet here: `retire` has to stay as it is.
 */
interface Held {
	engine: Promise<Engine>;
	/** How many executions use it now. */
	users: number;
	/** Called when there is none any more. */
	onIdle?: () => void;
	/** Lets go of the ledger once nobody uses it; false when that took longer than `withinMs`. */
	retire(withinMs: number): Promise<boolean>;
}

const slotName = 'n8n-nodes-ordered-evolutionapi.engine';
const shared = globalThis as { [slot: symbol]: Held | undefined };
const retireWithinMs = 60_000;
/** Longer than any execution: nobody waits for it. */
const retireSometimeMs = 7 * 86_400_000;
/** Those that this copy of the package has opened. */
const own = new Map<symbol, Held>();

/**
 * Gives the store's engine to `use`; without a store, the one that keeps everything within this process. Throws
 * `QueueModeError`, or why the store can't be used; the next call tries again.
 */
export async function withEngine<T>(store: StoreAccess | undefined, use: (engine: Engine) => Promise<T>): Promise<T> {
	if (!store && isQueueMode()) throw new QueueModeError();
	const slot = Symbol.for(store ? `${slotName}.${storeKey(store)}` : slotName);
	const mine = own.get(slot);
	const held = mine && shared[slot] === mine ? mine : hold(slot, store);
	held.users += 1;
	try {
		return await use(await held.engine);
	} finally {
		held.users -= 1;
		if (held.users === 0) held.onIdle?.();
	}
}

function hold(slot: symbol, store: StoreAccess | undefined): Held {
	const earlier = shared[slot];
	const held: Held = {
		users: 0,
		engine: (store ? openBeside(earlier, store) : openAfter(earlier)).catch((error: Error) => {
			if (shared[slot] === held) shared[slot] = store ? undefined : earlier;
			throw error instanceof OrderedSendError ? error : new OrderedSendError('engine', error.message);
		}),
		async retire(withinMs) {
			const idle = new AbortController();
			held.onIdle = () => idle.abort();
			if (held.users > 0) await pause(withinMs, idle.signal);
			if (held.users > 0) return false;
			await held.engine.then((engine) => engine.close(), () => {});
			return true;
		},
	};
	own.set(slot, held);
	shared[slot] = held;
	return held;
}

async function openAfter(earlier: Held | undefined): Promise<Engine> {
	if (earlier && !(await earlier.retire(retireWithinMs))) {
		throw new OrderedSendError('updating', `This package was updated while messages were on their way, and they have not ended within ${retireWithinMs / 1000} s`, 'Try again when they have ended, or restart n8n.');
	}
	return await Engine.open(ledgerFolder(), settingsFromEnvironment());
}

/** A shared store is made for several engines at once, so the earlier one may end its work in its own time. */
async function openBeside(earlier: Held | undefined, store: StoreAccess): Promise<Engine> {
	void earlier?.retire(retireSometimeMs);
	return await openShared(store, settingsFromEnvironment(), timesFromEnvironment());
}

/** A worker is one whatever its environment says (n8n 2.41, commands/worker.js). */
function isQueueMode(): boolean {
	return process.env.EXECUTIONS_MODE === 'queue' || process.argv[2] === 'worker';
}

/** Where n8n itself keeps its data. */
export function ledgerFolder(): string {
	return join(process.env.N8N_USER_FOLDER ?? homedir(), '.n8n', 'ordered-evolutionapi');
}

/** ORDERED_EVOLUTIONAPI_KEEP_DAYS: after how many days ended transactions are deleted. */
function settingsFromEnvironment(): Partial<Settings> {
	const days = numberFromEnvironment('KEEP_DAYS', Number.MIN_VALUE);
	return days === undefined ? {} : { keepMs: days * 86_400_000 };
}

/** ORDERED_EVOLUTIONAPI_SETTLE_MS and ORDERED_EVOLUTIONAPI_LEASE_MS, for shared stores: the same in all processes. */
function timesFromEnvironment(): SharedLanesTimes {
	return { settleMs: numberFromEnvironment('SETTLE_MS', 0), leaseMs: numberFromEnvironment('LEASE_MS', leastLeaseMs) };
}

/** A shorter lease would lapse at every small pause of the process. */
const leastLeaseMs = 1000;

/** Undefined where it is missing, no number, or less than `least`. */
function numberFromEnvironment(name: string, least: number): number | undefined {
	const value = process.env[`ORDERED_EVOLUTIONAPI_${name}`]?.trim();
	const number = Number(value);
	return value && Number.isFinite(number) && number >= least ? number : undefined;
}
