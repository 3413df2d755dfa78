// A ledger that an earlier version has written: how it is written at a release, and used again by every later version.
import { cpSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowFile } from '../../scripts/engine/workflow';
import { closeEngine, type Done, type Place, run, withPlace, withUserFolder } from './world';

/** The ledger holds the addresses of both ends, as parts of what was sent. Below those that systems give out by themselves. */
const ports = { evolution: 29713, receiver: 29714 };
const texts = ['completed', 'stopped', 'refused'].map((text) => ({ text }));

/** Runs the workflow with one message that completes, one whose webhook fails, and one that Meta refuses for good. */
export async function writeLedger(workflow: WorkflowFile, to: string): Promise<void> {
	await withUserFolder(undefined, async (ledger) => {
		await onPorts(async (place) => {
			place.receiver.behave({ status: 503 }, { path: '/stopped' }).behave({ status: 503 }, { path: '/stopped-step' });
			place.simulator.control.addRule({ route: 'sendText', textEquals: 'refused', answer: { kind: 'metaRefusal', code: 131047 } });
			await run(place, workflow, texts);
		});
		await closeEngine();
		rmSync(to, { force: true });
		cpSync(ledger, to);
	});
}

/** The same calls again, on a copy of the ledger, with both ends well; then what the log tells of it. */
export async function useLedger(ledger: string, workflow: WorkflowFile, reading: WorkflowFile): Promise<{ again: Done; read: Done }> {
	return await withUserFolder(ledger, async () => await onPorts(async (place) => ({ again: await run(place, workflow, texts), read: await run(place, reading) })));
}

/** Another run of this test may have them for a while. */
async function onPorts<T>(use: (place: Place) => Promise<T>, tries = 60): Promise<T> {
	for (;;) {
		try {
			return await withPlace(use, ports);
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || --tries === 0) throw error;
			await sleep(500);
		}
	}
}
