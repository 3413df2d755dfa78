// What a transaction is to do: its steps as they were planned, from the caller's wishes. The record of what became of
// each stands in transaction.ts.
import type { Message } from '../evolution/messages/message';

/**
 * What follows when a step fails, or its acknowledgement does not come: the transaction stops, goes on, or takes back
 * what it has sent.
 */
export type OnError = 'stop' | 'continue' | 'compensate';

interface Planned {
	onError: OnError;
	/** Which of the caller's own steps it belongs to, from 1; undefined where there is one message only. */
	step?: number;
	/** Whether its texts refer to earlier steps: sequence/references.ts. */
	refers?: true;
}

export interface PlannedSend extends Planned {
	type: 'send';
	/** A file that was given as base64 stands here as its mark (evolution/messages/file.ts): the file is not on record. */
	message: Message;
}

export type Acknowledgement = 'sent' | 'delivered' | 'read';

/** Of the bubbles that TypeBot sends in the same turn, before this transaction. */
export interface EarlierMessages {
	/** How it is told that they are out: so many, one with this text, or none more for so long. */
	by: { count: number } | { text: string } | { quietMs: number };
	/** The start of the turn, in ms since 1970: older messages are none of it. */
	since: number;
}

export type PlannedWait = Planned & { type: 'wait' } & (
		| { until: 'delay'; delayMs: number }
		/** Of the last message before it. */
		| { until: Acknowledgement; timeoutMs: number; onTimeout: OnError }
		| { until: 'earlierMessages'; earlier: EarlierMessages; timeoutMs: number; onTimeout: OnError }
	);

export interface PlannedWebhook extends Planned {
	type: 'webhook';
	url: string;
	method: string;
	/** JSON text; where there is none, a summary of the transaction is sent. */
	body?: string;
	/** What its calls carry that is not on record; `credential`: the name of the one that holds it. */
	needs: 'nothing' | 'credential' | 'headers';
	credential?: string;
}

export type PlannedStep = PlannedSend | PlannedWait | PlannedWebhook;

/** What the first call asked for: kept while the transaction may go on, then deleted. Times in ms. */
export interface Definition {
	/** As `Recipient.number`. */
	number: string;
	/** One for each step of the transaction, under its index. */
	plan: PlannedStep[];
	/** How often each step may be tried. */
	attempts: number;
	requestTimeoutMs: number;
	errorCallbackUrl?: string;
	/** Called when what was sent has been taken back. */
	compensationWebhookUrl?: string;
	/** The caller's own count of the messages to this chat. */
	sequence?: { number: number; gapMs: number };
	/** The least time between the starts of two sends to this chat, and of this instance. */
	minimumGapMs?: number;
	instanceGapMs?: number;
	/** Whether a failure keeps the chat until the transaction is resumed or given up. */
	onFailure: 'release' | 'hold';
	storeMessageText: boolean;
}

/** The text of a message, or what stands for it. */
export function textOf(message: Message): string | undefined {
	if ('text' in message) return message.text;
	return 'caption' in message ? message.caption : undefined;
}
