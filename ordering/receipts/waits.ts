// All waits for receipts at one server: told by live events where there are, and by looks at what is on record.
import { EvolutionError, type Call, type EvolutionServer } from '../../evolution/server';
import { HttpFailure } from '../../evolution/http';
import type { LiveReceipts, LiveTimes } from '../../evolution/live';
import { judge, type Receipt } from '../../evolution/receipt';
import { Heap } from './heap';
import { Rate } from './rate';

/** The way by which a receipt was told. */
export type ToldBy = 'live' | 'polling';

/** What is known of a receipt, and by which way. */
interface Told {
	receipt: Receipt;
	toldBy: ToldBy;
}

/** How a wait for a receipt ended. */
export type WaitEnd =
	| ({ end: 'reached' | 'failed' | 'deleted' } & Told)
	/** EvolutionAPI has no record of the message, so it will never tell a receipt. */
	| { end: 'notRecorded' }
	| { end: 'cancelled' }
	/** Time is up; `lastError` is why the last look failed, where it did. */
	| ({ end: 'timeout'; lastError?: string } & Partial<Told>);

export interface Watch {
	server: Pick<EvolutionServer, 'receiptsOf' | 'isOnRecord'> & Partial<Pick<EvolutionServer, 'live'>>;
	instance: string;
	messageId: string;
	target: Receipt;
	timeoutMs: number;
	signal?: AbortSignal;
	call: Omit<Call, 'signal'>;
}

/** Times in ms. */
export interface PollSettings {
	/** Pause after the first look, its growth, and the longest pause. */
	firstMs: number;
	factor: number;
	mostMs: number;
	/** Looks under way at once, for all waits of the server together. */
	atOnce: number;
	/** Requests that start in a second on average, for all waits of the server together: with more waits the pauses grow. */
	mostPerSecond?: number;
	/** Live events, where they are to be used: the pause between two looks while they come. */
	live?: { everyMs: number; times?: Partial<LiveTimes> };
}

/** Where no bound is set, `atOnce` is the one that counts. */
const boundlessPerSecond = 10_000;

/** Until when a message that is not on record may still get there, from the wait's start: a slow server saves it later. */
const savedWithinMs = 1000;

/** A request that hangs may not keep the others' slots for long. */
const mostRequestMs = 5000;

/** How long the last look, made when time is up, may take. */
const lastLookMs = 1000;

/** Longer ones fire at once in Node. */
const longestTimerMs = 2 ** 31 - 1;

/** Thousands wait at once: few fields, whole milliseconds, and no promise or timer of its own but the caller's. */
interface Wait {
	group: Group;
	messageId: string;
	target: Receipt;
	call: Omit<Call, 'signal'>;
	signal?: AbortSignal;
	onAbort?: () => void;
	/** A rejected promise, where something broke that should not. */
	settle(end: WaitEnd | Promise<never>): void;
	startedAt: number;
	deadline: number;
	/** Without an answer of the last look until then, the wait is over. */
	endsAt: number;
	/** When the next look is due. */
	dueAt: number;
	pauseMs: number;
	looks: number;
	record: 'notLooked' | 'missing' | 'there';
	told?: Told;
	lastError?: string;
	/** The look under way. */
	looking?: AbortController;
	/** Whether the look under way may have come too early. */
	lookAgain: boolean;
	/** Another wait for the same message. */
	also?: Wait;
	isOver: boolean;
	lookPlace: number;
	endPlace: number;
}

/** The waits of one instance that one key asks for. */
interface Group {
	server: Watch['server'];
	instance: string;
	waits: Map<string, Wait>;
	live?: LiveReceipts;
	unfollow?: () => void;
}

export class ReceiptWaits {
	private readonly groups = new Map<Watch['server'], Map<string, Group>>();
	private readonly looks = new Heap<'dueAt', 'lookPlace', Wait>('dueAt', 'lookPlace');
	private readonly ends = new Heap<'endsAt', 'endPlace', Wait>('endsAt', 'endPlace');
	private readonly rate: Rate;
	private underWay = 0;
	private timer?: NodeJS.Timeout;
	private timerAt = Infinity;

	constructor(private readonly settings: PollSettings) {
		this.rate = new Rate(settings.mostPerSecond ?? boundlessPerSecond, settings.atOnce);
	}

	/**
	 * Waits until the receipt is told, can't come any more, or time is up. At most one request is in flight for a
	 * message. Rejects only for a bug.
	 */
	watch(watch: Watch): Promise<WaitEnd> {
		if (watch.signal?.aborted) return Promise.resolve({ end: 'cancelled' });
		return new Promise((settle) => this.begin(watch, settle));
	}

	private begin({ server, instance, messageId, target, timeoutMs, signal, call }: Watch, settle: Wait['settle']): void {
		const group = this.groupOf(server, instance, call);
		const now = clock();
		const deadline = now + Math.ceil(timeoutMs);
		const wait: Wait = {
			group, messageId, target, call, signal, onAbort: undefined, settle, startedAt: now, deadline, endsAt: deadline + lastLookMs, dueAt: now, pauseMs: this.settings.firstMs, looks: 0,
			record: 'notLooked', told: undefined, lastError: undefined, looking: undefined, lookAgain: false, also: group.waits.get(messageId), isOver: false, lookPlace: -1, endPlace: -1,
		};
		group.waits.set(messageId, wait);
		this.ends.put(wait);
		if (signal) signal.addEventListener('abort', (wait.onAbort = () => this.end(wait, { end: 'cancelled' })), { once: true });
		for (const receipt of group.live?.toldOf(messageId) ?? []) if (!wait.isOver) this.tell(wait, [receipt], 'live');
		if (wait.isOver) return;
		this.looks.put(wait);
		this.dispatch();
	}

	private groupOf(server: Watch['server'], instance: string, { egress }: Watch['call']): Group {
		const ofServer = this.groups.get(server) ?? new Map<string, Group>();
		this.groups.set(server, ofServer);
		const known = ofServer.get(instance);
		if (known) return known;
		const live = this.settings.live && server.live?.(instance, this.settings.live.times);
		const group: Group = { server, instance, waits: new Map(), live };
		ofServer.set(instance, group);
		group.unfollow = live?.follow({ onReceipt: (messageId, receipt) => this.onReceipt(group, messageId, receipt), onChange: () => this.onChange(group) }, egress);
		return group;
	}

	/** Starts what is due, as far as the server may be asked now, and ends what is over. */
	private dispatch(): void {
		const now = clock();
		for (let wait = this.ends.first; wait && wait.endsAt <= now; wait = this.ends.first) this.end(wait, timeoutOf(wait));
		for (let wait = this.looks.first; wait && wait.dueAt <= now && this.mayLook(now); wait = this.looks.first) {
			this.looks.remove(wait);
			void this.look(wait);
		}
		this.arm(now);
	}

	private mayLook(now: number): boolean {
		return this.underWay < this.settings.atOnce && this.rate.freeAt(now) <= now;
	}

	/** One timer for all waits. It may fire too early, never too late. */
	private arm(now: number): void {
		const nextEnd = this.ends.first?.endsAt ?? Infinity;
		const nextLook = this.looks.first && this.underWay < this.settings.atOnce ? Math.max(this.looks.first.dueAt, this.rate.freeAt(now)) : Infinity;
		const at = Math.min(nextEnd, nextLook);
		if (at === Infinity) return this.disarm();
		if (this.timerAt <= at) return;
		this.disarm();
		this.timerAt = at;
		this.timer = setTimeout(() => { this.timerAt = Infinity; this.dispatch(); }, Math.min(Math.max(0, at - now), longestTimerMs));
	}

	private disarm(): void {
		clearTimeout(this.timer);
		this.timerAt = Infinity;
	}

	private async look(wait: Wait): Promise<void> {
		const { server, instance } = wait.group;
		const looking = new AbortController();
		const call = { ...wait.call, timeoutMs: Math.min(wait.call.timeoutMs, mostRequestMs), signal: looking.signal };
		wait.looking = looking;
		wait.lookAgain = false;
		this.underWay += 1;
		try {
			this.rate.take(clock());
			const receipts = await server.receiptsOf(instance, wait.messageId, call);
			wait.lastError = undefined;
			if (!wait.isOver) this.tellFound(wait, receipts);
			const isLate = clock() >= savedUntil(wait);
			if (!wait.isOver && !wait.told && (wait.record === 'notLooked' || (wait.record === 'missing' && isLate))) {
				this.rate.take(clock());
				wait.record = (await server.isOnRecord(instance, wait.messageId, call)) ? 'there' : 'missing';
				if (wait.record === 'missing' && isLate && !wait.told) this.end(wait, { end: 'notRecorded' });
			}
		} catch (error) {
			this.lookFailed(wait, error);
		} finally {
			this.underWay -= 1;
			wait.looking = undefined;
			wait.looks += 1;
			if (!wait.isOver) this.planLook(wait);
			this.dispatch();
		}
	}

	private lookFailed(wait: Wait, error: unknown): void {
		if (wait.isOver) return; // its own end aborted the look
		if (error instanceof EvolutionError || error instanceof HttpFailure) wait.lastError = error.message;
		else this.end(wait, Promise.reject(error as Error));
	}

	/** Where live events come, looks are few; else their pauses grow. The last look comes when time is up. */
	private planLook(wait: Wait): void {
		const now = clock();
		if (now >= wait.deadline) return this.end(wait, timeoutOf(wait));
		wait.dueAt = Math.min(wait.lookAgain ? now : now + this.pauseOf(wait, now), wait.deadline);
		this.looks.put(wait);
	}

	private pauseOf(wait: Wait, now: number): number {
		if (wait.group.live?.connectedSince !== undefined) {
			const { everyMs } = this.settings.live as NonNullable<PollSettings['live']>;
			return wait.record === 'missing' && !wait.told ? Math.max(0, savedUntil(wait) - now) : everyMs;
		}
		const { factor, mostMs } = this.settings;
		const pauseMs = wait.pauseMs;
		wait.pauseMs = Math.min(Math.ceil(pauseMs * factor), mostMs);
		return pauseMs;
	}

	private tellFound(wait: Wait, receipts: Receipt[]): void {
		const { live } = wait.group;
		if (receipts.length > 0) live?.namespaceIsThere();
		const { connectedSince } = live ?? {};
		this.tell(wait, receipts, 'polling');
		// found by a later look, so it came during the wait; and all that time, an event would have got through
		if (wait.isOver && wait.looks > 0 && connectedSince !== undefined && connectedSince <= wait.startedAt) live?.missedOne();
	}

	/** The best receipt counts, whichever way told it; of two ways that tell the same, the first. */
	private tell(wait: Wait, receipts: Receipt[], toldBy: ToldBy): void {
		const verdict = judge(wait.told ? [wait.told.receipt, ...receipts] : receipts, wait.target);
		if (verdict.receipt !== undefined && verdict.receipt !== wait.told?.receipt) wait.told = { receipt: verdict.receipt, toldBy };
		if (verdict.end) this.end(wait, { end: verdict.end, ...(wait.told as Told) });
	}

	private onReceipt(group: Group, messageId: string, receipt: Receipt): boolean {
		const waits = [...allFor(group.waits.get(messageId))];
		for (const wait of waits) this.tell(wait, [receipt], 'live');
		return waits.length > 0;
	}

	/** What came while there was no connection, no event has told; and from now on the looks have another pace. */
	private onChange(group: Group): void {
		const now = clock();
		for (const first of group.waits.values()) {
			for (const wait of allFor(first)) {
				wait.pauseMs = this.settings.firstMs;
				wait.lookAgain = true;
				wait.dueAt = Math.min(wait.dueAt, now);
				if (!wait.looking) this.looks.put(wait);
			}
		}
		this.dispatch();
	}

	private end(wait: Wait, end: WaitEnd | Promise<never>): void {
		if (wait.isOver) return;
		wait.isOver = true;
		this.looks.remove(wait);
		this.ends.remove(wait);
		this.forget(wait);
		if (wait.onAbort) wait.signal?.removeEventListener('abort', wait.onAbort);
		wait.looking?.abort();
		wait.settle(end);
		if (!this.ends.first) this.disarm();
	}

	private forget({ group, messageId }: Wait): void {
		const others = [...allFor(group.waits.get(messageId))].filter(({ isOver }) => !isOver);
		group.waits.delete(messageId);
		for (const other of others.reverse()) {
			other.also = group.waits.get(messageId);
			group.waits.set(messageId, other);
		}
		if (group.waits.size > 0) return;
		group.unfollow?.();
		const ofServer = this.groups.get(group.server);
		ofServer?.delete(group.instance);
		if (ofServer?.size === 0) this.groups.delete(group.server);
	}
}

/** Whole milliseconds: they need no memory of their own in an object. */
function clock(): number {
	return Math.ceil(performance.now());
}

function savedUntil({ startedAt, deadline }: Wait): number {
	return Math.min(startedAt + savedWithinMs, deadline);
}

function timeoutOf({ told, lastError }: Wait): WaitEnd {
	return { end: 'timeout', ...told, ...(lastError === undefined ? {} : { lastError }) };
}

function* allFor(first: Wait | undefined): Generator<Wait> {
	for (let wait = first; wait; wait = wait.also) yield wait;
}
