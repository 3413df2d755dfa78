// The one engine of this n8n process, opened at its first use: lanes and ledger are shared by all nodes.
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Engine, OrderedSendError, pause, QueueModeError, type Settings } from '../ordering';

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

const slot = Symbol.for('n8n-nodes-ordered-evolutionapi.engine');
const shared = globalThis as { [slot]?: Held };
const retireWithinMs = 60_000;
let own: Held | undefined;

/** Gives the engine to `use`. Throws `QueueModeError`, or why the ledger can't be opened; the next call tries again. */
export async function withEngine<T>(use: (engine: Engine) => Promise<T>): Promise<T> {
	if (process.env.EXECUTIONS_MODE === 'queue') throw new QueueModeError();
	const held = own && shared[slot] === own ? own : hold(shared[slot]);
	held.users += 1;
	try {
		return await use(await held.engine);
	} finally {
		held.users -= 1;
		if (held.users === 0) held.onIdle?.();
	}
}

function hold(earlier: Held | undefined): Held {
	const held: Held = {
		users: 0,
		engine: openAfter(earlier).catch((error: Error) => {
			if (shared[slot] === held) shared[slot] = earlier;
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
	own = held;
	shared[slot] = held;
	return held;
}

async function openAfter(earlier: Held | undefined): Promise<Engine> {
	if (earlier && !(await earlier.retire(retireWithinMs))) {
		throw new OrderedSendError('updating', `This package was updated while messages were on their way, and they have not ended within ${retireWithinMs / 1000} s`, 'Try again when they have ended, or restart n8n.');
	}
	return await Engine.open(ledgerFolder(), settingsFromEnvironment());
}

/** Where n8n itself keeps its data. */
export function ledgerFolder(): string {
	return join(process.env.N8N_USER_FOLDER ?? homedir(), '.n8n', 'ordered-evolutionapi');
}

/** ORDERED_EVOLUTIONAPI_KEEP_DAYS: after how many days ended transactions are deleted. */
function settingsFromEnvironment(): Partial<Settings> {
	const days = Number(process.env.ORDERED_EVOLUTIONAPI_KEEP_DAYS);
	return Number.isFinite(days) && days > 0 ? { keepMs: days * 86_400_000 } : {};
}
