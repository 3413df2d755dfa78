// A worker of its own: a process that runs one workflow in n8n's engine, and prints the JSON of what its nodes gave.
import type { ICredentialDataDecryptedObject } from 'n8n-workflow';
import { runWorkflow, type WorkflowFile } from '../../scripts/engine/workflow';

/** Handed over as JSON in the first argument. */
export interface WorkerTask {
	workflow: WorkflowFile;
	credentials: Record<string, ICredentialDataDecryptedObject>;
	executionId: string;
}

async function main(): Promise<void> {
	const { lastOutput } = await runWorkflow(JSON.parse(process.argv[2] ?? '') as WorkerTask);
	process.stdout.write(JSON.stringify(lastOutput), () => process.exit());
}

void main();
