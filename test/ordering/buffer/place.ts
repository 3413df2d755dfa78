// What the buffer's tests share: messages, rules with short times, and engines on SQLite (shared.ts: on PostgreSQL and Redis).
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Engine } from '../../../ordering/engine';
import type { MessageBuffer, BufferSettings, Collected } from '../../../ordering/buffer/buffer';
import type { Joined } from '../../../ordering/buffer/joined';
import type { BufferedMessage, IncomingMessage, JoinRules } from '../../../ordering/buffer/message';
import { endWithTest, temporaryFolder } from '../../support/scene';
import { type Access, openPlace, rules } from './open';

export { endWithTest, sleep } from '../../support/scene';
export { leaseMs, rules } from './open';

export const chat = { server: 'http://evolution.test', instance: 'meta1', recipient: '5511988887777@s.whatsapp.net' };

let ids = 0;

/** A text of the chat, sent at the time of the call. */
export function text(words: string, more: Partial<BufferedMessage> = {}, where: Partial<IncomingMessage['chat']> = {}): IncomingMessage {
	const message: BufferedMessage = { id: `M${++ids}`, text: words, type: 'conversation', at: 1_795_473_509_000, media: false, fromMe: false, original: { message: { conversation: words } }, execution: ids, ...more };
	return { chat: { ...chat, ...where }, message };
}

export function picture(caption = '', more: Partial<BufferedMessage> = {}): IncomingMessage {
	return text(caption, { media: true, type: 'imageMessage', ...more });
}

/** One call with one message, as of one webhook. */
export async function receive(buffer: MessageBuffer, one: IncomingMessage, more: Partial<JoinRules> = {}, signal?: AbortSignal): Promise<Collected> {
	const [collected] = await buffer.receive([{ ...one, rules: { ...rules, ...more } }], signal);
	if (!collected) throw new Error('the buffer gave nothing');
	return collected;
}

/** The one item among what became of several messages; fails where there is none or more than one. */
export function oneItem(collected: Collected[]): Joined {
	const items = itemsOf(collected);
	if (items.length !== 1) throw new Error(`there are ${items.length} items: ${JSON.stringify(collected)}`);
	return items[0] as Joined;
}

export function itemsOf(collected: Collected[]): Joined[] {
	return collected.flatMap((one) => ('joined' in one ? one.joined : []));
}

/** Why those that made no item were held back. */
export function reasonsOf(collected: Collected[]): string[] {
	return collected.flatMap((one) => ('held' in one ? one.held.reason : []));
}

/** A database of a test's own; `open` gives another engine on it, closed after the test. */
export interface Place {
	open(settings?: Partial<BufferSettings>): Promise<Engine>;
	/** What a process that opens it for itself needs. */
	access: Access;
	/** Bodies of all messages, as they stand in the database. */
	bodies(): Promise<string[]>;
}

/** On SQLite only one engine can be open at a time. */
export function sqlitePlace(): Place {
	const access = { folder: temporaryFolder() };
	return { access, open: (settings) => openedIn(access, settings), bodies: async () => sqliteBodies(access.folder) };
}

/** Closed after the test. */
export async function openedIn(access: Access, settings?: Partial<BufferSettings>): Promise<Engine> {
	const engine = await openPlace(access, settings);
	endWithTest(() => engine.close());
	return engine;
}

function sqliteBodies(folder: string): string[] {
	const database = new DatabaseSync(join(folder, 'ledger.sqlite'), { readOnly: true });
	try {
		return database.prepare('select body from buffer_messages').all().map(({ body }) => body as string);
	} finally {
		database.close();
	}
}
