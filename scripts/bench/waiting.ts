// What a chain costs that waits in one engine: heap of each, and how punctual its wait ends.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerAccess } from '../../evolution/server';
import { Engine } from '../../ordering/engine';
import { SqliteLedger } from '../../ordering/ledger/sqlite';
import type { Transaction } from '../../ordering/transaction';
import { heapInUse, median } from './runtime';
import { callOf, startSimulatorProcess } from './throughput';

export type WaitFor = 'delay' | 'delivered';

/** Heap of one engine's chain, each of a chat of its own, while `chains` of them wait. */
export async function benchHeapOfWaiting(waitFor: WaitFor, chains = 10_000): Promise<number> {
	return await withEngine(async (engine, access, wait) => {
		await neverAcknowledge(access);
		await engine.run(Array.from({ length: 100 }, (_, i) => callOf(access, i, i, { waitFor, delaySeconds: 0.5, ackTimeoutSeconds: 0.5 })), { stopOnFailure: false }); // loads all code
		wait.begun = 0;
		const before = await heapInUse();
		const stop = new AbortController();
		const more = waitFor === 'delay' ? { waitFor, delaySeconds: 3600 } : { waitFor, ackTimeoutSeconds: 3600 };
		const waiting = await startAll(chains, wait, (i) => engine.run([callOf(access, 1000 + i, 1000 + i, more)], { stopOnFailure: false, signal: stop.signal }));
		await sleep(31_000); // by then the time limits of all requests, 30 s, are no longer in memory
		const perChain = ((await heapInUse()) - before) / chains;
		stop.abort();
		await Promise.all(waiting);
		return perChain;
	});
}

export interface Punctuality {
	/** How late a chain's delay ended, and a bare timer of the same length that was set at its start; medians, in ms. */
	chainLateMs: number;
	timerLateMs: number;
}

/** Of `chains` chains at the same time. */
export async function benchPunctuality(chains = 10_000, delaySeconds = 20): Promise<Punctuality> {
	return await withEngine(async (engine, access, wait) => {
		const bare: number[] = [];
		wait.onBegun = () => {
			const due = Date.now() + delaySeconds * 1000;
			setTimeout(() => bare.push(Date.now() - due), delaySeconds * 1000);
		};
		const runs = await startAll(chains, wait, (i) => engine.run([callOf(access, i, i, { waitFor: 'delay', delaySeconds })], { stopOnFailure: false }));
		const late = (await Promise.all(runs)).flatMap(([outcome]) => {
			const step = outcome?.transaction?.steps[1];
			return step?.finishedAt && step.startedAt ? [step.finishedAt - step.startedAt - delaySeconds * 1000] : [];
		});
		return { chainLateMs: median(late), timerLateMs: median(bare) };
	});
}

/** Else those that wait for a receipt would be told of it after some seconds. */
async function neverAcknowledge({ baseUrl }: ServerAccess): Promise<void> {
	await fetch(`${baseUrl}/simulator/rules`, { method: 'DELETE' });
	const rule = await fetch(`${baseUrl}/simulator/rules`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ route: 'sendText', acks: [] }) });
	if (!rule.ok) throw new Error(`the simulator took no rule: ${await rule.text()}`);
}

interface Waits {
	begun: number;
	onBegun: () => void;
}

async function withEngine<T>(work: (engine: Engine, access: ServerAccess, waits: Waits) => Promise<T>): Promise<T> {
	const folder = mkdtempSync(join(tmpdir(), 'bench-'));
	const simulator = await startSimulatorProcess(0);
	const waits: Waits = { begun: 0, onBegun: () => {} };
	const engine = await Engine.on(noticing(SqliteLedger.open(folder), waits));
	try {
		return await work(engine, simulator.access, waits);
	} finally {
		await engine.close();
		simulator.process.kill('SIGKILL');
		rmSync(folder, { recursive: true, force: true });
	}
}

/** Counts the waits that have begun. */
function noticing(ledger: SqliteLedger, waits: Waits): SqliteLedger {
	const save = ledger.save.bind(ledger);
	ledger.save = async (transaction: Transaction) => {
		const begins = transaction.steps[1]?.status === 'running';
		if (begins) waits.onBegun();
		await save(transaction);
		if (begins) waits.begun += 1;
	};
	return ledger;
}

/** Starts chains, some at a time, until all of them wait. */
async function startAll<T>(chains: number, waits: Waits, start: (i: number) => Promise<T>): Promise<Array<Promise<T>>> {
	const runs: Array<Promise<T>> = [];
	for (let i = 0; i < chains; i++) {
		runs.push(start(i));
		while (runs.length - waits.begun > 100) await sleep(5);
	}
	while (waits.begun < chains) await sleep(5);
	return runs;
}
