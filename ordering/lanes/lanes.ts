// The queue of each chat as the engine sees it: tickets are taken at once, turns come one at a time.
import type { Chat } from '../transaction';

export type Priority = 'high' | 'normal' | 'low';

/** Decides who goes first among those that wait: priority, then sequence number, then execution, then arrival. */
export interface OrderKey {
	priority: Priority;
	/** The caller's own count within the chat and priority: goes before all that have none. */
	sequence?: Sequence;
	/** n8n's execution ID where it is a number: lower came first. */
	execution?: number;
	/** The transaction that asks: where one holds the chat, only that one gets a turn. */
	transactionId?: string;
}

export interface Sequence {
	/** A whole number from 1 up. */
	number: number;
	/** How long missing smaller numbers are waited for, from this ticket's taking on. */
	gapMs: number;
	/**
	 * Whether it had a turn before: then it may go again unless a higher number has gone. Needed only where the lane can't
	 * know: a ticket of the transaction in `LaneMarks.sequenceBy` may anyway.
	 */
	again: boolean;
}

/** The highest numbers that have had a turn in a chat, by priority. */
export interface LaneMarks {
	sequences: Partial<Record<Priority, number>>;
	executions: Partial<Record<Priority, number>>;
	/** The transactions that had the turns of `sequences`, where they are known: records of before have none. */
	sequenceBy?: Partial<Record<Priority, string>>;
}

/** What the ledger knows of a lane whose own memory is gone. */
export interface LaneRecord {
	/** The highest fence on record; 0 where there is none. */
	fence: number;
	/** As of the turn with that fence. */
	marks: LaneMarks;
	/** The transaction that holds the chat after its failure. */
	heldBy?: string;
}

export type ReadLaneRecord = (chat: Chat) => Promise<LaneRecord>;

/** The right to work on a chat. */
export interface Grant {
	/** Counts the places that were ever taken: in this process, or with a shared store in this lane. */
	ticket: number;
	/** Grows with each grant of a chat; the ledger refuses the writes of an older one. */
	fence: number;
	waitedMs: number;
	/** Whether one that should have gone first by its key came too late for that. */
	late: boolean;
	/** Sequence numbers that never came, first and last, where their time was over. */
	missing?: { from: number; to: number };
	/** The chat's marks, this turn included. */
	marks: LaneMarks;
	/**
	 * Resolves while the lane is surely this grant's. Where that can't be told, waits until it can. Throws
	 * `LaneLostError` when it went to somebody else, and where it has to wait, `CancelledError` when the signal fires and
	 * `LanesUnavailableError` after a minute or more. To be asked before each effect.
	 */
	confirm(signal?: AbortSignal): Promise<void>;
	/** How many wait for this chat now. */
	waiting(): Promise<number>;
	/** Lets the next one go on; with `heldBy`, only that transaction, until it releases the lane without. */
	release(heldBy?: string): void;
}

/** A place in a lane. */
export interface Ticket {
	/**
	 * Resolves when it is this ticket's turn. Throws `QueueTimeoutError` or `ChatHeldError` after `timeoutMs`,
	 * `CancelledError` when the signal fires, `SequenceTooLateError` as soon as a higher number has gone; the place is
	 * given up then.
	 */
	turn(timeoutMs: number, signal?: AbortSignal): Promise<Grant>;
	/** Gives the place up; does nothing once it was released. */
	leave(): void;
}

export interface Lanes {
	/** Names this process's engine in the ledger, to tell its transactions from those of dead ones. */
	readonly owner: string;
	/** Takes a place, at once and in the order of the calls. */
	take(chat: Chat, key: OrderKey): Ticket;
	/** In how many ms the next one of `key` may go, no sooner than `gapMs` after the one before: its time is taken by this. */
	pace(key: string, gapMs: number): Promise<number>;
	/** Those of `owners` whose process lives. */
	alive(owners: string[]): Promise<Set<string>>;
	close(): Promise<void>;
}
