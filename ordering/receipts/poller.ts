// Receipts by polling: one poller for each server, shared by all waits, with growing pauses.
import pLimit from 'p-limit';
import { EvolutionError, type Call, type EvolutionServer } from '../../evolution/server';
import { HttpFailure } from '../../evolution/http';
import { only } from '../../evolution/only';
import { orAborted } from '../../evolution/orAborted';
import { judge, type Receipt } from '../../evolution/receipt';
import { pause } from '../pause';
import type { Settings } from '../settings';

/** How a wait for a receipt ended. */
export type WaitEnd =
	| { end: 'reached' | 'failed' | 'deleted'; receipt: Receipt }
	/** EvolutionAPI has no record of the message, so it will never tell a receipt. */
	| { end: 'notRecorded' }
	| { end: 'cancelled' }
	/** Time is up; `lastError` is why the last look failed, where it did. */
	| { end: 'timeout'; receipt?: Receipt; lastError?: string };

export interface Watch {
	server: Pick<EvolutionServer, 'receiptsOf' | 'isOnRecord'>;
	instance: string;
	messageId: string;
	target: Receipt;
	timeoutMs: number;
	signal?: AbortSignal;
	call: Omit<Call, 'signal'>;
}

/** Until when a message that is not on record may still get there, from the wait's start: a slow server saves it later. */
const savedWithinMs = 1000;

/** A request that hangs may not keep the others' slots for long. */
const mostRequestMs = 5000;

/** How long the last look, made when time is up, may take. */
const lastLookMs = 1000;

export class ReceiptPoller {
	/** Polls of all waits together, so that a thousand waits are no thousand requests at once. */
	private readonly limit: <T>(run: () => Promise<T>) => Promise<T>;

	constructor(private readonly settings: Settings['poll']) {
		this.limit = pLimit(settings.atOnce);
	}

	/**
	 * Polls until the receipt is there, can't come any more, or time is up. At most one request is in flight for a
	 * message.
	 */
	async watch(watch: Watch): Promise<WaitEnd> {
		const deadline = performance.now() + watch.timeoutMs;
		const lastLookOver = AbortSignal.timeout(watch.timeoutMs + lastLookMs);
		const stop = watch.signal ? AbortSignal.any([lastLookOver, watch.signal]) : lastLookOver;
		const call = { ...watch.call, timeoutMs: Math.min(watch.call.timeoutMs, mostRequestMs), signal: stop };
		const state: { receipt?: Receipt; lastError?: string } = {};
		const savedUntil = performance.now() + Math.min(savedWithinMs, watch.timeoutMs);
		let record: 'notLooked' | 'missing' | 'there' = 'notLooked';
		let pauseMs = this.settings.firstMs;
		while (!stop.aborted) {
			try {
				const verdict = judge(await this.poll(stop, () => watch.server.receiptsOf(watch.instance, watch.messageId, call)), watch.target);
				delete state.lastError;
				state.receipt = verdict.receipt ?? state.receipt;
				if (verdict.end) return { end: verdict.end, receipt: verdict.receipt as Receipt };
				const isLate = performance.now() >= savedUntil;
				if (state.receipt === undefined && (record === 'notLooked' || (record === 'missing' && isLate))) {
					const there = await this.poll(stop, () => watch.server.isOnRecord(watch.instance, watch.messageId, call));
					if (!there && isLate) return { end: 'notRecorded' };
					record = there ? 'there' : 'missing';
				}
			} catch (error) {
				if (stop.aborted) break;
				state.lastError = only<Error>(error, EvolutionError, HttpFailure).message;
			}
			const leftMs = deadline - performance.now();
			if (leftMs <= 0) break;
			await pause(Math.min(pauseMs, leftMs), stop); // the last look comes when time is up, however long the pauses are by then
			pauseMs = Math.min(pauseMs * this.settings.factor, this.settings.mostMs);
		}
		return watch.signal?.aborted ? { end: 'cancelled' } : { end: 'timeout', ...state };
	}

	/** One request, when one of the shared slots is free; who is stopped does not wait for a slot. */
	private poll<T>(stop: AbortSignal, request: () => Promise<T>): Promise<T> {
		const inSlot = this.limit(async () => {
			stop.throwIfAborted();
			return await request();
		});
		return orAborted(inSlot, stop);
	}
}
