// What the tests of lanes over Redis share with their worker processes: the chat, and a file that stands for the ledger.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LaneRecord } from '../../../../ordering/lanes/lanes';
import type { Chat } from '../../../../ordering/transaction';

export const chat: Chat = { server: 'http://evolution.test', instance: 'meta1', recipient: '5511988887777@s.whatsapp.net' };

/** Handed over as JSON in the first argument. */
export interface WorkerTask {
	url: string;
	prefix: string;
	leaseMs: number;
	settleMs: number;
	/** Where all workers note what they do. */
	folder: string;
	executions: number[];
	/** How many of them wait at a time. */
	parallel: number;
	/** How long the work takes before and after the turn is confirmed. */
	workMs: number;
	/** Keeps its first turn for ever. */
	stay?: boolean;
}

/** `execution` had its turn; or `intruder` had one while another was at work; or a worker `failed`. */
export interface Noted {
	execution?: number;
	fence?: number;
	late?: boolean;
	intruder?: number;
	failed?: string;
}

export function notedIn(folder: string): Noted[] {
	const file = join(folder, 'log');
	if (!existsSync(file)) return [];
	return readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line) as Noted);
}

/** What a ledger would know after these turns. */
export function recordIn(folder: string): LaneRecord {
	const noted = notedIn(folder);
	const highest = (numbers: Array<number | undefined>) => Math.max(0, ...numbers.map((number) => number ?? 0));
	return { fence: highest(noted.map(({ fence }) => fence)), marks: { sequences: {}, executions: { normal: highest(noted.map(({ execution }) => execution)) } } };
}
