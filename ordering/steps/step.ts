// What every kind of step gets, and what it gives back. No step knows another.
import type { EgressFilter, HttpClient } from '../../evolution/http';
import type { EvolutionServer } from '../../evolution/server';
import type { Failure } from '../errors';
import type { Ledger } from '../ledger/ledger';
import type { OrderedSend } from '../orderedSend';
import type { ReceiptWaits, WaitEnd } from '../receipts/waits';
import type { Settings } from '../settings';
import type { Definition } from '../plan';
import type { Step, Transaction, TransactionStatus } from '../transaction';

/** The means of one run. */
export interface Run {
	transaction: Transaction;
	/** The first call's wishes, whatever a replay says. */
	definition: Definition;
	/** The call that is being served: its keys, headers and choices are used and never stored. */
	send: OrderedSend;
	server: EvolutionServer;
	receipts: ReceiptWaits;
	http: HttpClient;
	ledger: Ledger;
	settings: Settings;
	/** n8n's cancel button and time-out. */
	signal?: AbortSignal;
	egress?: EgressFilter;
	/** How the wait ended that this run goes on after. */
	waited?: WaitEnd;
	/** In how many ms the next one of `key` may go, no sooner than `gapMs` after the one before: its time is taken by this. */
	pace(key: string, gapMs: number): Promise<number>;
	/** How many other transactions wait for this chat now. */
	othersWaiting(): Promise<number>;
	/** Makes the transaction's present state durable. */
	save(): Promise<void>;
	/**
	 * The same before an effect; the lane is surely this run's when it returns. Throws `LaneLostError` or
	 * `StaleFenceError` where it went to somebody else.
	 */
	saveIntent(): Promise<void>;
}

/** `undefined`: the next step may start. */
export type StepEnd =
	| undefined
	| {
			status: Exclude<TransactionStatus, 'open' | 'completed'>;
			failure: Failure;
			/** Whether the same call again would end the same way. */
			forGood?: boolean;
	  };

/**
 * A step that does nothing but wait. It is on record as `running`, so its transaction leaves the memory until `over`
 * resolves; the step is run again then, with `waited`. `undefined`: the time is over, or the signal has fired.
 */
export interface Waiting {
	over: Promise<WaitEnd | undefined>;
}

export function isWaiting(end: StepEnd | Waiting): end is Waiting {
	return end !== undefined && 'over' in end;
}

/**
 * Runs a step to its end, or until it waits: records its intent, acts, records its outcome. What the transaction does
 * after a step that failed is not its business.
 */
export type StepRunner = (run: Run, step: Step) => Promise<StepEnd | Waiting>;
