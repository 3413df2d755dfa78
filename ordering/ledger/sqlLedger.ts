// The ledger in an SQL database: what is asked of it in SQL, whichever database it is.
import { randomUUID } from 'node:crypto';
import type { BufferStore } from '../buffer/store';
import { StaleFenceError } from '../errors';
import type { LaneMarks, LaneRecord } from '../lanes/lanes';
import type { Chat, Transaction } from '../transaction';
import type { Ledger, Listing } from './ledger';
import type { Queries } from './queries';
import { upToDate } from './upToDate';

export type Value = string | number | null;
export type Row = Record<string, unknown>;

/** Runs single statements, with `$1`, `$2` and so on for `values`. Throws `LedgerUnavailableError`. */
export interface Database {
	read(sql: string, values: Value[]): Promise<Row[]>;
	/** Resolves when it is durable. Those with the same `key` happen in the order of the calls. May run twice. */
	write(key: string, sql: string, values: Value[]): Promise<Row[]>;
	close(): Promise<void>;
}

const pruneBatch = 1000;

export class SqlLedger implements Ledger {
	constructor(
		private readonly database: Database,
		private readonly queries: Queries,
		readonly hashKey: string,
		readonly buffered: BufferStore,
	) {}

	async open(transaction: Transaction): Promise<{ transaction: Transaction; created: boolean }> {
		// tells the creator from those who find it, even where the first answer was lost and it is asked again
		const openedBy = randomUUID();
		const [row] = await this.write(transaction, this.queries.open, [...valuesOf(transaction), transaction.origin ?? null, transaction.createdAt, openedBy]);
		return { transaction: transactionIn(row as Row), created: row?.opened_by === openedBy };
	}

	async find(server: string, id: string): Promise<Transaction | undefined> {
		return (await this.transactions(this.queries.find, [server, id]))[0];
	}

	async findByOrigin(server: string, origin: string): Promise<Transaction | undefined> {
		return (await this.transactions(this.queries.findByOrigin, [server, origin]))[0];
	}

	async save(transaction: Transaction): Promise<void> {
		const saved = await this.write(transaction, this.queries.save, valuesOf(transaction));
		if (saved.length === 0) throw new StaleFenceError();
	}

	async saveIntent(transaction: Transaction): Promise<void> {
		const saved = await this.write(transaction, this.queries.saveIntent, valuesOf(transaction));
		if (saved.length === 0) throw new StaleFenceError();
	}

	async laneOf(chat: Chat): Promise<LaneRecord> {
		const found = await this.transactions(this.queries.laneOf, keyOf(chat));
		const fence = Math.max(0, ...found.map(({ queue }) => queue.fence));
		const marks = joined(found.filter(({ queue }) => queue.fence === fence).flatMap((one) => one.marks ?? []));
		const [holder] = found.filter(({ holds }) => holds).sort((a, b) => a.createdAt - b.createdAt);
		return { fence, marks, ...(holder ? { heldBy: holder.id } : {}) };
	}

	async unsettled(chat: Chat, exceptId: string, now: number): Promise<Transaction[]> {
		return await this.transactions(this.queries.unsettled, [...keyOf(chat), now, exceptId]);
	}

	async unfinished(server: string, createdBefore: number, limit: number, after = { createdAt: -1, id: '' }): Promise<Transaction[]> {
		return await this.transactions(this.queries.unfinished, [server, createdBefore, after.createdAt, after.id, limit]);
	}

	async list(listing: Listing, limit: number, after = startOf(listing)): Promise<Transaction[]> {
		const { server, instance = '', recipient, statuses, from, to, order } = listing;
		const newest = order === 'newestFirst';
		const place: Value[] = [newest ? from : to, after.createdAt, after.id, `,${statuses.join(',')},`];
		if (!recipient) return await this.transactions(newest ? this.queries.listNewest : this.queries.listOldest, [server, ...place, instance, limit]);
		// all names of a chat are found from the one that the others lead to
		const chat = await this.linkedChat({ server, instance: recipient.instance, recipient: recipient.jid });
		return await this.transactions(newest ? this.queries.listNewestOfChat : this.queries.listOldestOfChat, [...keyOf(chat), ...place, limit]);
	}

	async turnsOf(chat: Chat, below: number, limit: number): Promise<Transaction[]> {
		return await this.transactions(this.queries.turnsOf, [...keyOf(chat), below, limit]);
	}

	async ownsMessage(server: string, messageId: string): Promise<boolean> {
		return (await this.database.read(this.queries.ownsMessage, [server, messageId])).length > 0;
	}

	async linkChat(chat: Chat, jid: string): Promise<void> {
		await this.database.write('links', this.queries.linkChat, [chat.server, chat.instance, jid, chat.recipient, Date.now()]);
	}

	async linkedChat(chat: Chat): Promise<Chat> {
		const [row] = await this.database.read(this.queries.linkedChat, keyOf(chat));
		return row ? { ...chat, recipient: row.name as string } : chat;
	}

	async linkedJids(chat: Chat): Promise<string[]> {
		return (await this.database.read(this.queries.linkedJids, keyOf(chat))).map(({ name }) => name as string);
	}

	async prune(before: number): Promise<number> {
		const pruned = await this.inBatches(this.queries.prune, [before]);
		await this.database.write('prune', this.queries.pruneLinks, [before, pruneBatch]);
		return pruned;
	}

	async pruneEnded(server: string, before: number, now: number): Promise<number> {
		return await this.inBatches(this.queries.pruneEnded, [server, before, now]);
	}

	async close(): Promise<void> {
		await this.database.close();
	}

	/** A large deletion would keep others waiting. */
	private async inBatches(sql: string, values: Value[]): Promise<number> {
		let deleted = 0;
		for (let batch = pruneBatch; batch === pruneBatch; deleted += batch) {
			batch = (await this.database.write('prune', sql, [...values, pruneBatch])).length;
		}
		return deleted;
	}

	private async write({ chat, id }: Transaction, sql: string, values: Value[]): Promise<Row[]> {
		return await this.database.write(JSON.stringify([chat.server, id]), sql, values);
	}

	private async transactions(sql: string, values: Value[]): Promise<Transaction[]> {
		return (await this.database.read(sql, values)).map(transactionIn);
	}
}

function transactionIn(row: Row): Transaction {
	return upToDate(JSON.parse(row.body as string));
}

function keyOf(chat: Chat): [string, string, string] {
	return [chat.server, chat.instance, chat.recipient];
}

/** The place before the first one that is listed: no ID is empty. */
function startOf({ order, from, to }: Listing): { createdAt: number; id: string } {
	return { createdAt: order === 'newestFirst' ? to : from, id: '' };
}

/** $1 to $12 of `open`, `save` and `saveIntent`. */
function valuesOf(transaction: Transaction): Value[] {
	const { chat, id, status, queue, holds, errorCallback, compensation, steps, endedAt } = transaction;
	const messageIds = steps.flatMap(({ messageId }) => messageId ?? []);
	return [
		...keyOf(chat),
		id,
		status,
		queue.fence,
		unsettledUntil(transaction),
		Number(status === 'open' || errorCallback?.status === 'pending' || (compensation?.status !== 'pending' && compensation?.webhook?.status === 'pending')),
		Number(holds ?? false),
		messageIds.length > 0 ? JSON.stringify(messageIds) : null,
		endedAt ?? null,
		JSON.stringify(transaction),
	];
}

/** Until when the chat's next holder has to look at it first: without end where it was begun and is open. */
function unsettledUntil({ status, steps }: Transaction): number | null {
	if (status === 'open' && steps.some((step) => step.status !== 'pending')) return Number.MAX_SAFE_INTEGER;
	const doubts = steps.flatMap((step) => (step.status === 'inDoubt' ? (step.doubtUntil ?? []) : []));
	return doubts.length > 0 ? Math.ceil(Math.max(...doubts)) : null; // times may have fractions, the column has none
}

/** The highest of each. */
function joined(all: LaneMarks[]): LaneMarks {
	const marks: LaneMarks = { sequences: {}, executions: {} };
	for (const one of all) {
		for (const kind of ['sequences', 'executions'] as const) {
			for (const priority of ['high', 'normal', 'low'] as const) {
				const [known, number] = [marks[kind][priority], one[kind][priority]];
				if (number === undefined || (known !== undefined && known >= number)) continue;
				marks[kind][priority] = number;
				const by = one.sequenceBy?.[priority];
				if (kind === 'sequences' && by !== undefined) marks.sequenceBy = { ...marks.sequenceBy, [priority]: by };
			}
		}
	}
	return marks;
}
