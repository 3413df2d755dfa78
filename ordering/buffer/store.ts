// What is buffered, in the ledger's own database: one method a statement. In which order they are safe is buffer.ts's.
import { randomUUID } from 'node:crypto';
import type { Database, Row, Value } from '../ledger/sqlLedger';
import type { Chat } from '../transaction';
import type { BufferedMessage } from './message';
import { bufferQueriesFor } from './queries';

/** A turn as the database has it. */
export interface Holder {
	id: string;
	/** The engine that works on it (`Lanes.owner`). */
	owner: string;
	phase: 'collecting' | 'running' | 'returning';
}

/** What waits in a chat. */
export interface Waiting {
	count: number;
	bytes: number;
	hasMedia: boolean;
	/** Position of the newest; grows with each message. 0 where none waits. */
	newest: number;
	/** Whether the turn that asks still collects for the chat. */
	mine: boolean;
	/** The turn on whose end the chat's next item waits. */
	holder?: Holder;
}

export interface Added {
	/** False where a message with this ID was there already. */
	isNew: boolean;
	position: number;
	/** Whether it was handed out already. */
	isTaken: boolean;
	bytes: number;
}

export interface TakenMessage extends BufferedMessage {
	/** Whether it was in an item before that may have been answered. */
	redelivered: boolean;
}

const pruneBatch = 1000;

/** Every method throws `LedgerUnavailableError` when the database fails, and may be called again then. */
export class BufferStore {
	private readonly queries: ReturnType<typeof bufferQueriesFor>;

	/** `isShared`: whether other processes write to it, too. */
	constructor(
		private readonly database: Database,
		prefix: string,
		readonly isShared: boolean,
	) {
		this.queries = bufferQueriesFor(prefix);
	}

	/** Durable when it resolves. */
	async add(chat: Chat, message: BufferedMessage): Promise<Added> {
		// tells the one that added it from those that find it, even where the first answer was lost and it is asked again
		const addedBy = randomUUID();
		const body = JSON.stringify(message);
		const bytes = Buffer.byteLength(body);
		const [row] = await this.write(chat, this.queries.add, [...keyOf(chat), message.id, addedBy, Number(message.media), bytes, Date.now(), body]);
		return { isNew: row?.added_by === addedBy, position: Number(row?.position), isTaken: row?.turn !== null, bytes };
	}

	/** The turn that collects for the chat, where there is one. */
	async collecting(chat: Chat): Promise<Holder | undefined> {
		const [row] = await this.database.read(this.queries.collecting, keyOf(chat));
		return row && holderIn(row);
	}

	/** The turn that collects for the chat: `id`, unless there is one already. */
	async claim(chat: Chat, id: string, owner: string): Promise<Holder> {
		const [row] = await this.write(chat, this.queries.claim, [...keyOf(chat), id, owner, Date.now()]);
		return { id: row?.id as string, owner: row?.owner as string, phase: 'collecting' };
	}

	async look(chat: Chat, id: string): Promise<Waiting> {
		const [row] = await this.database.read(this.queries.look, [...keyOf(chat), id]);
		const { many, bytes, media, newest, mine } = row as Row;
		const holder = row?.id === null ? {} : { holder: holderIn(row as Row) };
		return { count: Number(many), bytes: Number(bytes), hasMedia: Number(media) === 1, newest: Number(newest ?? 0), mine: Number(mine) > 0, ...holder };
	}

	/** Makes a collecting turn a running one; false where it collects no more, or with `holds` where another one holds the chat. */
	async begin(chat: Chat, id: string, holds: boolean): Promise<boolean> {
		return (await this.write(chat, this.queries.begin, [...keyOf(chat), id, Number(holds), Date.now()])).length > 0;
	}

	/** Gives all that waits in the chat to a running turn. */
	async take(chat: Chat, id: string): Promise<void> {
		await this.write(chat, this.queries.take, [...keyOf(chat), id]);
	}

	/** The messages of a turn, in the order in which they came. */
	async taken(id: string): Promise<TakenMessage[]> {
		const rows = await this.database.read(this.queries.taken, [id]);
		return rows.map(({ redelivered, body }) => ({ ...(JSON.parse(body as string) as BufferedMessage), redelivered: Number(redelivered) === 1 }));
	}

	/** Ends a running turn, and forgets what its messages said. Gives its chat; undefined where it does not run. */
	async end(id: string): Promise<Chat | undefined> {
		const [row] = await this.database.write(id, this.queries.end, [id]);
		await this.database.write(id, this.queries.forget, [id]);
		return row && chatIn(row);
	}

	/** Lets the chat go on while this turn still runs. */
	async letGo(id: string): Promise<void> {
		await this.database.write(id, this.queries.letGo, [id]);
	}

	/** Gives up the right to collect. */
	async dropClaim({ id, owner }: Pick<Holder, 'id' | 'owner'>): Promise<void> {
		await this.database.write(id, this.queries.dropClaim, [id, owner]);
	}

	/** Lets the messages of a turn of `owner` wait again, and gives its chat; undefined where it has ended. */
	async putBack({ id, owner }: Pick<Holder, 'id' | 'owner'>, by: string, mayBeAnswered: boolean): Promise<Chat | undefined> {
		const [acquired] = await this.database.write(id, this.queries.acquire, [id, owner, by]);
		if (!acquired) return undefined;
		await this.database.write(id, this.queries.putBack, [id, by, Number(mayBeAnswered)]);
		await this.database.write(id, this.queries.dropReturned, [id, by]);
		return chatIn(acquired);
	}

	/** All turns that have not ended. */
	async turns(): Promise<Holder[]> {
		return (await this.database.read(this.queries.turns, [])).map(holderIn);
	}

	/** Chats in which messages wait since `before` (ms since 1970) and nobody collects them, the longest wait first. */
	async left(before: number, limit: number): Promise<Chat[]> {
		return (await this.database.read(this.queries.left, [before, limit])).map(chatIn);
	}

	/** Forgets the IDs of messages that were received before `before` and are over. */
	async prune(before: number): Promise<void> {
		for (let batch = pruneBatch; batch === pruneBatch; ) batch = (await this.database.write('prune', this.queries.prune, [before, pruneBatch])).length;
	}

	private async write(chat: Chat, sql: string, values: Value[]): Promise<Row[]> {
		return await this.database.write(JSON.stringify(keyOf(chat)), sql, values);
	}
}

function keyOf({ server, instance, recipient }: Chat): [string, string, string] {
	return [server, instance, recipient];
}

function chatIn({ server, instance, recipient }: Row): Chat {
	return { server, instance, recipient } as unknown as Chat;
}

function holderIn({ id, owner, phase }: Row): Holder {
	return { id, owner, phase } as unknown as Holder;
}
