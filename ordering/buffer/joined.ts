// One item of a chat's quick messages.
import type { Chat } from '../transaction';
import type { TakenMessage } from './store';

/** Why the item was made: `full` where the chat had more than may be buffered, `left` by "Take Over". */
export type JoinedBecause = 'quiet' | 'longest' | 'count' | 'media' | 'full' | 'left';

export interface Joined {
	/** Names the turn that begins with this item; by it the turn is ended. */
	turnId: string;
	chat: Chat;
	/** The texts, a line break between each two; messages without a text have no line. */
	text: string;
	/** In the order in which the person sent them, as far as that is told. */
	messages: TakenMessage[];
	because: JoinedBecause;
	/** Whether some were in an item before, which may have been answered. */
	redelivered: boolean;
	/** After this its turn ends by itself. */
	turnTimeoutMs: number;
}

export function join(turnId: string, chat: Chat, taken: TakenMessage[], because: JoinedBecause, turnTimeoutMs: number): Joined {
	const messages = taken.toSorted(bySending);
	return {
		turnId,
		chat,
		text: messages.flatMap(({ text }) => (text === '' ? [] : text)).join('\n'),
		messages,
		because,
		redelivered: messages.some(({ redelivered }) => redelivered),
		turnTimeoutMs,
	};
}

/** Those of one second by n8n's executions, else as they came (the order of `taken`, which sorting keeps). */
function bySending(a: TakenMessage, b: TakenMessage): number {
	return a.at - b.at || (a.execution ?? 0) - (b.execution ?? 0);
}
