// The queue of each chat as the engine sees it: tickets are taken at once, turns come one at a time.
import type { Chat } from '../transaction';

export type Priority = 'high' | 'normal' | 'low';

/** Decides who goes first among those that wait: priority, then execution, then arrival. */
export interface OrderKey {
	priority: Priority;
	/** n8n's execution ID where it is a number: lower came first. */
	execution?: number;
}

/** The right to work on a chat. */
export interface Grant {
	/** Counts the places that were ever taken in this lane by this process. */
	ticket: number;
	/** Grows with each grant of a chat; the ledger refuses the writes of an older one. */
	fence: number;
	waitedMs: number;
	/** Whether one that should have gone first by its key came too late for that. */
	late: boolean;
	/** How many wait for this chat now. */
	waiting(): number;
	release(): void;
}

/** A place in a lane. */
export interface Ticket {
	/**
	 * Resolves when it is this ticket's turn. Throws `QueueTimeoutError` after `timeoutMs`, `CancelledError` when the
	 * signal fires; the place is given up then.
	 */
	turn(timeoutMs: number, signal?: AbortSignal): Promise<Grant>;
	/** Gives the place up; does nothing once it was released. */
	leave(): void;
}

export interface Lanes {
	/** Takes a place, at once and in the order of the calls. */
	take(chat: Chat, key: OrderKey): Ticket;
}
