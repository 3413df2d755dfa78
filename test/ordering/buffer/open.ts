// Rules and engines with short times, for tests and for processes that they start.
import { Engine } from '../../../ordering/engine';
import type { BufferSettings } from '../../../ordering/buffer/buffer';
import type { JoinRules } from '../../../ordering/buffer/message';
import { openShared, type StoreAccess } from '../../../ordering/store';

/** Where the database is. */
export type Access = { folder: string } | { store: StoreAccess };

export const rules: JoinRules = { quietMs: 120, longestMs: 5_000, mostMessages: 20, oneTurnAtATime: true, turnTimeoutMs: 30_000 };

export const bufferSettings: BufferSettings = { pollMs: 50, retryMs: 20, leftMs: 0, rememberMs: 86_400_000, pruneEveryMs: 3_600_000, mostBytes: 32 * 2 ** 20 };

/** Long enough for a busy machine, short enough for tests. */
export const leaseMs = 1500;

/** The caller closes it. */
export async function openPlace(access: Access, settings: Partial<BufferSettings> = {}): Promise<Engine> {
	const all = { buffer: { ...bufferSettings, ...settings } };
	return 'folder' in access ? await Engine.open(access.folder, all) : await openShared(access.store, all, { settleMs: 0, leaseMs });
}
