// A process that runs one transaction through the real engine and may be told to die at an exact save of its ledger.
import { Engine } from '../../../ordering/engine';
import { SqliteLedger } from '../../../ordering/ledger/sqlite';
import type { ServerAccess } from '../../../evolution/server';
import { toOrderedSequence } from '../../../ordering/sequence/sequence';
import { type CallInput, orderedCall, origin } from '../../support/calls';
import { hookedLedger } from '../../support/hookedLedger';
import { shortSettings } from '../../support/settings';

/** Handed over as JSON in the first argument. */
export interface ChildTask {
	folder: string;
	access: ServerAccess;
	input: CallInput;
	/** A sequence in place of the one text: its steps; `input` tells instance, number and options. */
	steps?: unknown[];
	/** SIGKILL itself right before, or right after, its ledger's `save`-th save (from 1). */
	die?: { when: 'before' | 'after'; save: number };
}

async function main(): Promise<void> {
	const { folder, access, input, steps, die } = JSON.parse(process.argv[2] ?? '') as ChildTask;
	const dieAt = (when: 'before' | 'after') => (count: number) => {
		if (die?.when === when && die.save === count) process.kill(process.pid, 'SIGKILL');
	};
	const engine = await Engine.on(hookedLedger(SqliteLedger.open(folder), { before: dieAt('before'), after: dieAt('after') }), shortSettings);
	const call = steps ? { send: toOrderedSequence(access, { ...input, steps }), origin: origin() } : orderedCall(access, input);
	const [outcome] = await engine.run([call], { stopOnFailure: false });
	process.stdout.write(JSON.stringify({ status: outcome?.transaction?.status, failure: outcome?.failure }));
	await engine.close();
}

void main();
