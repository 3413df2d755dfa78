// A process that runs one transaction through the real engine and may be told to die at an exact save of its ledger.
import { Engine } from '../../../ordering/engine';
import { SqliteLedger } from '../../../ordering/ledger/sqlite';
import type { ServerAccess } from '../../../evolution/server';
import { type CallInput, orderedCall } from '../../support/calls';
import { hookedLedger } from '../../support/hookedLedger';
import { shortSettings } from '../../support/settings';

/** Handed over as JSON in the first argument. */
export interface ChildTask {
	folder: string;
	access: ServerAccess;
	input: CallInput;
	/** SIGKILL itself right before, or right after, its ledger's `save`-th save (from 1). */
	die?: { when: 'before' | 'after'; save: number };
}

async function main(): Promise<void> {
	const { folder, access, input, die } = JSON.parse(process.argv[2] ?? '') as ChildTask;
	const dieAt = (when: 'before' | 'after') => (count: number) => {
		if (die?.when === when && die.save === count) process.kill(process.pid, 'SIGKILL');
	};
	const engine = await Engine.on(hookedLedger(SqliteLedger.open(folder), { before: dieAt('before'), after: dieAt('after') }), shortSettings);
	const [outcome] = await engine.run([orderedCall(access, input)], { stopOnFailure: false });
	process.stdout.write(JSON.stringify({ status: outcome?.transaction?.status, failure: outcome?.failure }));
	await engine.close();
}

void main();
