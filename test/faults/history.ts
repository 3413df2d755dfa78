// What a run of the fault harness left behind, and all that its checker reads.
import type { Failure } from '../../ordering/errors';
import type { OrderedSend } from '../../ordering/orderedSend';
import type { Transaction } from '../../ordering/transaction';
import type { Mode, PlannedTransaction } from './plan';

/** What its caller asked for. */
export type Asked = Pick<PlannedTransaction, 'name' | 'chat' | 'ownId' | 'waitFor' | 'delayMs' | 'ackTimeoutMs' | 'onAckTimeout' | 'webhook' | 'priority' | 'sequence' | 'onInDoubt' | 'onFailure'> & {
	execution: number;
	item: number;
};

/** What a call got: the engine's outcome. */
export interface CallOutcome {
	replayed: boolean;
	failure?: Failure;
	transaction?: Transaction;
}

export type CallKind = 'first' | 'sameCall' | 'newExecution' | 'otherContent' | 'resume' | 'giveUp' | 'recover';

/** One call of the engine for one transaction. Times here are ms since 1970, from the clock of the receiving ends. */
export interface CallRecord {
	/** `*`: a recovery whose process died, so that it is not known what it worked on. */
	name: string;
	kind: CallKind;
	onInDoubt: OrderedSend['onInDoubt'];
	begunAt: number;
	/** Undefined where its process died. */
	endedAt?: number;
	/** When it was known that its process had died. */
	lostAt?: number;
	outcome?: CallOutcome;
}

/** A text that reached WhatsApp. */
export interface SeenMessage {
	name: string;
	messageId: string;
	at: number;
}

/** An acknowledgement of WhatsApp's. */
export interface SeenAck {
	messageId: string;
	status: string;
	at: number;
	/** Whether EvolutionAPI took it. */
	kept: boolean;
}

/** A call that reached a webhook or an error callback. */
export interface SeenCall {
	name: string;
	kind: 'webhook' | 'error';
	at: number;
	/** When its answer was written. */
	answeredAt?: number;
	/** The status of its answer, where it had one. */
	status?: number;
	webhookId?: string;
	idempotencyKey?: string;
	/** The transaction that the body names, where it is an error callback. */
	tellsOf?: string;
}

/** A transaction of its own, made for a chat when all was over, or when its holder had just been killed. */
export interface Probe {
	chat: number;
	tookMs: number;
	/** The most that the guarantees allow. */
	mostMs: number;
	status: string;
}

export interface History {
	mode: Mode;
	/** Where tickets may come in any order within this time of each other, in ms. */
	settleMs: number;
	asked: Asked[];
	calls: CallRecord[];
	/** In the order of their arrival. */
	messages: SeenMessage[];
	acks: SeenAck[];
	/** In the order of their arrival. */
	received: SeenCall[];
	/** What the ledger had on record in the end, by the transaction's name; missing where the ledger has nothing. */
	ledger: Record<string, Transaction>;
	/** What was unfinished by the ledger after recovery; `why` is a clause. */
	unfinished: Array<{ name: string; why: string }>;
	probes: Probe[];
}
