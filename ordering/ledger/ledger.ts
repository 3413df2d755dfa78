// The ledger as the engine sees it: what is recorded here survives a crash.
import type { BufferStore } from '../buffer/store';
import type { LaneRecord } from '../lanes/lanes';
import type { Chat, Transaction, TransactionStatus } from '../transaction';

/** Which transactions of a server are listed; times in ms since 1970, of their creation. */
export interface Listing {
	server: string;
	/** Those of one instance. */
	instance?: string;
	/** Those of one chat, by any of its names. */
	recipient?: { instance: string; jid: string };
	statuses: readonly TransactionStatus[];
	/** The first moment that counts. */
	from: number;
	/** The first that does not. */
	to: number;
	order: 'newestFirst' | 'oldestFirst';
}

/**
 * Every method throws `LedgerUnavailableError` when the database fails. What a promise of `open` or `save` has told is
 * durable. Transactions are handed out as copies.
 */
export interface Ledger {
	/** Key of the hashes that stand for contents; made once for each ledger. */
	readonly hashKey: string;
	/** The messages that are buffered for an item of their chat, in the same database. */
	readonly buffered: BufferStore;
	/** Records a new transaction, or returns the one that has its ID: one of many callers creates it. */
	open(transaction: Transaction): Promise<{ transaction: Transaction; created: boolean }>;
	find(server: string, id: string): Promise<Transaction | undefined>;
	/** The newest transaction with this origin: the one that n8n's Retry button repeats. */
	findByOrigin(server: string, origin: string): Promise<Transaction | undefined>;
	/**
	 * Records the transaction with all its steps, in one piece. Throws `StaleFenceError` when a holder with a higher
	 * fence has written to it meanwhile.
	 */
	save(transaction: Transaction): Promise<void>;
	/** As `save`, before an effect: also refused when any transaction of the chat, by this name, was run under a higher fence. */
	saveIntent(transaction: Transaction): Promise<void>;
	/** What is on record of a chat's lane, by any of its names. */
	laneOf(chat: Chat): Promise<LaneRecord>;
	/**
	 * What earlier holders of a chat's lane left behind, oldest first: transactions that were begun and are still open,
	 * and messages in doubt that may still go out at `now`, by any name of the chat. Only a lane's holder may ask.
	 */
	unsettled(chat: Chat, exceptId: string, now: number): Promise<Transaction[]>;
	/**
	 * Transactions of a server that were created before `createdBefore` and are still open, or whose error callback is
	 * still to be made; oldest first, at most `limit`, those after `after` (a `createdAt` and an ID) where given.
	 */
	unfinished(server: string, createdBefore: number, limit: number, after?: { createdAt: number; id: string }): Promise<Transaction[]>;
	/**
	 * What is on record, at most `limit`, behind the one at `after` where given. Pages that follow one another skip and
	 * double nothing, whatever is recorded meanwhile: one is listed by when it was created, and that never changes.
	 */
	list(listing: Listing, limit: number, after?: { createdAt: number; id: string }): Promise<Transaction[]>;
	/** A chat's transactions, by its own name, that had a turn, the last one with a fence below `below`; newest first. */
	turnsOf(chat: Chat, below: number, limit: number): Promise<Transaction[]>;
	/** Whether a step on record has this message as its own. */
	ownsMessage(server: string, messageId: string): Promise<boolean>;
	/** Records that WhatsApp calls a chat by another JID too, as an answer told. */
	linkChat(chat: Chat, jid: string): Promise<void>;
	/** The chat that a JID was linked to, over however many links, else the chat itself. */
	linkedChat(chat: Chat): Promise<Chat>;
	/** The other JIDs of a chat. */
	linkedJids(chat: Chat): Promise<string[]>;
	/** Deletes transactions that ended before `before` (ms since 1970), or are still open and were created before it; tells how many. */
	prune(before: number): Promise<number>;
	/**
	 * Deletes transactions of a server that ended before `before` (ms since 1970); tells how many. All of a chat stay
	 * while one of them is open, holds it, has an error callback to be made, or a message in doubt that may still go out
	 * at `now`: what can go on needs to see what was sent since.
	 */
	pruneEnded(server: string, before: number, now: number): Promise<number>;
	close(): Promise<void>;
}
