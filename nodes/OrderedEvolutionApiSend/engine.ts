// The one engine of this n8n process, opened at its first use: lanes and ledger are shared by all nodes.
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Engine, OrderedSendError, QueueModeError, type Settings } from '../../ordering';

let engine: Promise<Engine> | undefined;

/** Opens the embedded engine once. Throws `QueueModeError`, or why the ledger can't be opened; the next call tries again. */
export async function embeddedEngine(): Promise<Engine> {
	if (process.env.EXECUTIONS_MODE === 'queue') throw new QueueModeError();
	engine ??= Engine.open(ledgerFolder(), settingsFromEnvironment());
	try {
		return await engine;
	} catch (error) {
		engine = undefined;
		throw error instanceof OrderedSendError ? error : new OrderedSendError('engine', (error as Error).message);
	}
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
