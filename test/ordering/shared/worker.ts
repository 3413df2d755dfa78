// A process of its own that runs one transaction on the shared store, and may be told to die at a save of its ledger.
import type { ServerAccess } from '../../../evolution/server';
import { Engine } from '../../../ordering/engine';
import { RedisLanes } from '../../../ordering/lanes/redis/redis';
import { PostgresLedger } from '../../../ordering/ledger/postgres';
import type { StoreAccess } from '../../../ordering/store';
import { type CallInput, orderedCall } from '../../support/calls';
import { hookedLedger } from '../../support/hookedLedger';
import { shortSettings } from '../../support/settings';

/** Handed over as JSON in the first argument. */
export interface WorkerTask {
	store: StoreAccess;
	access: ServerAccess;
	input: CallInput;
	executionId?: string;
	/** SIGKILL itself right before, or right after, its ledger's `save`-th save (from 1). */
	die?: { when: 'before' | 'after'; save: number };
}

async function main(): Promise<void> {
	const { store, access, input, die, executionId } = JSON.parse(process.argv[2] ?? '') as WorkerTask;
	const dieAt = (when: 'before' | 'after') => (count: number) => {
		if (die?.when === when && die.save === count) process.kill(process.pid, 'SIGKILL');
	};
	const ledger = await PostgresLedger.open({ url: store.postgresUrl, prefix: `${store.namePrefix}_` });
	const engine = await Engine.on(hookedLedger(ledger, { before: dieAt('before'), after: dieAt('after') }), shortSettings, (readRecord) => RedisLanes.open({ url: store.redisUrl, prefix: store.namePrefix, readRecord, settleMs: 400, leaseMs: 1500 }));
	const [outcome] = await engine.run([orderedCall(access, input, executionId ? { origin: { executionId } } : {})], { stopOnFailure: false });
	process.stdout.write(JSON.stringify({ status: outcome?.transaction?.status, failure: outcome?.failure }));
	await engine.close();
}

void main();
