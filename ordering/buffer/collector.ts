// Decides when the item of a chat is due.
import { pause } from '../pause';
import type { Chat } from '../transaction';
import type { JoinedBecause } from './joined';
import type { JoinRules } from './message';
import type { Added, Waiting } from './store';

/** One call that collects for a chat. Times in ms of `performance.now()`: the clocks of other processes don't matter. */
export class Collector {
	private readonly beganAt = performance.now();
	private lastAt = this.beganAt;
	private newest = 0;
	private heardCount = 0;
	private heardBytes = 0;
	private because?: JoinedBecause;
	/** Whether its turn has begun with messages. */
	isTaken = false;
	private awake = new AbortController();

	constructor(
		readonly id: string,
		readonly chat: Chat,
		readonly rules: JoinRules,
		private readonly mostBytes: number,
	) {}

	/** A message that came in this process. One that does not make the item due moves the deadline, and costs no query. */
	heard({ position, bytes }: Added, media: boolean): void {
		this.lastAt = performance.now();
		this.newest = Math.max(this.newest, position);
		this.heardCount += 1;
		this.heardBytes += bytes;
		const isFull = this.heardBytes >= this.mostBytes;
		// one that is due already waits for another turn, and only a full chat changes that
		if (this.because ? isFull && this.because !== 'full' : isFull || media || this.heardCount >= this.rules.mostMessages) this.wake();
	}

	wake(): void {
		this.awake.abort();
	}

	/** Why the item is due, where it is. */
	due(waiting: Waiting): JoinedBecause | undefined {
		const { count, bytes, newest } = waiting;
		if (newest > this.newest && this.newest > 0) this.lastAt = performance.now();
		this.newest = Math.max(this.newest, newest);
		this.heardCount = count;
		this.heardBytes = bytes;
		return (this.because = this.reasonFor(waiting));
	}

	private reasonFor({ count, bytes, hasMedia }: Waiting): JoinedBecause | undefined {
		const now = performance.now();
		if (bytes >= this.mostBytes) return 'full';
		if (hasMedia) return 'media';
		if (count >= this.rules.mostMessages) return 'count';
		if (now >= this.lastAt + this.rules.quietMs) return 'quiet';
		return now >= this.beganAt + this.rules.longestMs ? 'longest' : undefined;
	}

	/** Waits until the item may be due, another turn may have ended, or something was heard. */
	async untilNextLook({ holder }: Waiting, pollMs: number, signal: AbortSignal): Promise<void> {
		const dueAt = Math.min(this.lastAt + this.rules.quietMs, this.beganAt + this.rules.longestMs);
		// where it is due already, only the end of another turn can be what it waits for
		const dueMs = dueAt - performance.now();
		const waitMs = dueMs > 0 ? dueMs : holder ? Infinity : 0;
		await pause(Math.min(waitMs, pollMs), AbortSignal.any([this.awake.signal, signal]));
		if (this.awake.signal.aborted) this.awake = new AbortController();
	}
}
