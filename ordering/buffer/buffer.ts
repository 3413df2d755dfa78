// Makes one item of a chat's quick messages. docs/buffer.md tells the states and what a death at each point leaves.
//
// Each message is made durable first. Then its caller asks for the chat's one right to collect: who gets it waits and
// takes all messages, the others end at once. That holds without a lock between adding and taking, since a message is
// added before its caller asks who collects, and a collector gives up its right before it looks for the last time.
import { randomUUID } from 'node:crypto';
import { CollectingCancelledError, LanesUnavailableError, LedgerUnavailableError } from '../errors';
import { only } from '../../evolution/only';
import type { Lanes } from '../lanes/lanes';
import { pause } from '../pause';
import type { Chat } from '../transaction';
import { Collector } from './collector';
import { join, type Joined, type JoinedBecause } from './joined';
import type { IncomingMessage, JoinRules } from './message';
import type { Added, BufferStore, Holder, Waiting } from './store';

export interface BufferSettings {
	/** How often a collector looks for messages that other processes have added, in ms. */
	pollMs: number;
	/** Pause before a write that failed is tried again in the background, in ms. */
	retryMs: number;
	/** How long messages wait with nobody who collects them before "Take Over" takes them, in ms. */
	leftMs: number;
	/** For how long a message is known when it comes again, in ms. */
	rememberMs: number;
	/** How often older ones are forgotten, in ms. */
	pruneEveryMs: number;
	/** With this many bytes the item is made at once, even while the turn before it goes on. */
	mostBytes: number;
}

/** What becomes of a message whose own call makes no item. */
export interface HeldBack {
	/** `joinedLater`: it is in another call's item, or will be; `duplicate`: it came before. */
	reason: 'joinedLater' | 'duplicate';
}

export type Collected = { joined: Joined } | { held: HeldBack };

/** A message as its caller brings it. */
export interface Delivery extends IncomingMessage {
	rules: JoinRules;
}

export type TakeOverRules = Pick<JoinRules, 'oneTurnAtATime' | 'turnTimeoutMs'>;

/** A message that is in the buffer. */
interface Kept {
	chat: Chat;
	rules: JoinRules;
	media: boolean;
	added: Added;
}

/** Where no other process writes, all that happens is heard; only what was heard of a write that failed is missed. */
const restingFactor = 10;
/** How many chats one call takes over: more would be more than memory should hold. */
const mostTakenOver = 100;

export class MessageBuffer {
	/** Turns that this process collects for or has handed out; one with its name as owner that is not here is left over. */
	private readonly living = new Map<string, NodeJS.Timeout | undefined>();
	/** Who collects in this process, by chat. */
	private readonly collectors = new Map<string, Collector>();
	private readonly closing = new AbortController();
	private readonly underWay = new Set<Promise<unknown>>();
	private pruneDueAt = 0;

	constructor(
		private readonly store: BufferStore,
		private readonly lanes: Pick<Lanes, 'owner' | 'alive'>,
		private readonly settings: BufferSettings,
	) {}

	/**
	 * Takes messages, in their order, and gives for each what became of it: an item of its chat, where its call is the one
	 * that collects, once it is complete. When one fails no message is lost: those in the buffer stay there, and what
	 * was to become an item is put back. Throws `CollectingCancelledError` when the signal fires, and what the ledger throws.
	 */
	async receive(deliveries: Delivery[], signal?: AbortSignal): Promise<Collected[]> {
		return await this.tracked(async () => {
			if (signal?.aborted) throw new CollectingCancelledError();
			const kept: Kept[] = [];
			for (const { chat, message, rules } of deliveries) kept.push({ chat, rules, media: message.media, added: await this.store.add(chat, message) });
			const ends = signal ? AbortSignal.any([signal, this.closing.signal]) : this.closing.signal;
			const asking = firstOfEachChat(kept);
			const results = await Promise.allSettled(kept.map((one) => (asking.has(one) ? this.collect(one, ends) : this.leaveToAnother(one))));
			const failure = results.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined;
			const collected = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
			await this.handOut(collected.flatMap((one) => ('joined' in one ? one.joined : [])), signal, failure?.reason as Error | undefined);
			await this.pruneWhenDue();
			return collected;
		});
	}

	/** Ends a turn, so that the chat's next item may come. False where it had ended already, or was put back. */
	async endTurn(id: string): Promise<boolean> {
		return await this.tracked(async () => await this.end(id));
	}

	/**
	 * Makes an item for each chat in which messages wait with nobody who collects them, and puts back before what dead
	 * processes had handed out; at most 100 chats, the longest wait first. Where it fails after some, it gives those.
	 */
	async takeOver({ oneTurnAtATime, turnTimeoutMs }: TakeOverRules, signal?: AbortSignal): Promise<Joined[]> {
		return await this.tracked(async () => {
			for (const turn of await this.deadOf(await this.store.turns())) await this.release(turn);
			const joined: Joined[] = [];
			for (const chat of await this.store.left(Date.now() - this.settings.leftMs, mostTakenOver)) {
				try {
					joined.push(...(await this.takeLeft(chat, { quietMs: 0, longestMs: 0, mostMessages: 1, oneTurnAtATime, turnTimeoutMs })));
				} catch (error) {
					if (joined.length === 0) throw only(error, LedgerUnavailableError);
					break; // those that were taken must reach the caller
				}
			}
			await this.handOut(joined, signal);
			return joined;
		});
	}

	/** Puts back what was handed out and did not reach anybody. */
	async putBack(turnId: string, mayBeAnswered = false): Promise<void> {
		this.forget(turnId);
		await this.surely(() => this.waitAgain({ id: turnId, owner: this.lanes.owner }, mayBeAnswered));
	}

	/** Ends all collecting; the messages stay in the buffer. */
	async close(): Promise<void> {
		this.closing.abort();
		await Promise.allSettled(this.underWay);
		for (const id of [...this.living.keys()]) this.forget(id);
	}

	/** Right before items reach their caller: their turns end by themselves from now on. Where they won't reach it, they are put back. */
	private async handOut(items: Joined[], signal?: AbortSignal, failure?: Error): Promise<void> {
		const reason = failure ?? (signal?.aborted ? new CollectingCancelledError() : undefined);
		if (!reason) return items.forEach((item) => this.endLater(item));
		await Promise.allSettled(items.map(({ turnId }) => this.putBack(turnId)));
		throw reason;
	}

	private leaveToAnother({ chat, media, added }: Kept): Collected {
		if (added.isNew) this.collectors.get(keyOf(chat))?.heard(added, media);
		return heldBack(added);
	}

	private async collect(one: Kept, signal: AbortSignal): Promise<Collected> {
		const { chat, rules, added } = one;
		for (;;) {
			if (this.collectors.has(keyOf(chat))) return this.leaveToAnother(one);
			const collector = await this.claim(chat, rules, signal);
			if (!collector) return heldBack(added);
			const joined = await this.untilJoined(collector, signal);
			if (joined) return { joined };
			// somebody may have been sent away while this one still had the right to collect
			if ((await this.store.look(chat, '')).count === 0) return heldBack(added);
		}
	}

	/** The right to collect for a chat; undefined where somebody else has it who lives. */
	private async claim(chat: Chat, rules: JoinRules, signal: AbortSignal): Promise<Collector | undefined> {
		for (;;) {
			if (signal.aborted) throw new CollectingCancelledError();
			// most calls find somebody, and reading is cheaper than asking for the right
			const holder = (await this.store.collecting(chat)) ?? (await this.tryToClaim(chat, rules));
			if (holder instanceof Collector) return holder;
			const [dead] = await this.deadOf([holder]);
			if (!dead) return undefined;
			await this.release(dead);
		}
	}

	/** A collector of this call, or the turn that was there before. */
	private async tryToClaim(chat: Chat, rules: JoinRules): Promise<Collector | Holder> {
		const id = randomUUID();
		this.living.set(id, undefined);
		try {
			const holder = await this.store.claim(chat, id, this.lanes.owner);
			if (holder.id !== id) {
				this.forget(id);
				return holder;
			}
			const collector = new Collector(id, chat, rules, this.settings.mostBytes);
			this.collectors.set(keyOf(chat), collector);
			return collector;
		} catch (error) {
			this.forget(id);
			// it may have been written though its answer was lost
			this.later(() => this.store.dropClaim({ id, owner: this.lanes.owner }));
			throw only(error, LedgerUnavailableError);
		}
	}

	/** Waits and takes; undefined where nothing is left to take, or the right to collect was lost. It has none in the end. */
	private async untilJoined(collector: Collector, signal: AbortSignal): Promise<Joined | undefined> {
		try {
			for (;;) {
				if (signal.aborted) throw new CollectingCancelledError();
				const waiting = await this.store.look(collector.chat, collector.id);
				if (!waiting.mine || waiting.count === 0) return undefined;
				const joined = await this.takeWhenDue(collector, waiting);
				if (joined || !this.living.has(collector.id)) return joined;
				await collector.untilNextLook(waiting, this.settings.pollMs * (this.store.isShared ? 1 : restingFactor), signal);
			}
		} finally {
			await this.stopCollecting(collector);
		}
	}

	private async takeWhenDue(collector: Collector, waiting: Waiting): Promise<Joined | undefined> {
		const because = collector.due(waiting);
		const { holder } = waiting;
		if (holder && collector.rules.oneTurnAtATime) {
			const [dead] = await this.deadOf([holder]);
			// its messages come before those that wait
			if (dead) {
				await this.release(dead);
				collector.wake();
				return undefined;
			}
			if (because !== 'full') return undefined;
			await this.store.letGo(holder.id);
		}
		return because && (await this.take(collector, because));
	}

	/**
	 * From here on the turn runs; it is not living any more where it found nothing to take. Whoever adds a message now
	 * finds no collector and becomes the next one, so nobody's message is between the two.
	 */
	private async take(collector: Collector, because: JoinedBecause): Promise<Joined | undefined> {
		const { id, chat, rules } = collector;
		this.collectors.delete(keyOf(chat));
		try {
			if (!(await this.store.begin(chat, id, rules.oneTurnAtATime))) {
				// another turn holds the chat, which the next look shows, or the right to collect is lost
				this.collectors.set(keyOf(chat), collector);
				return undefined;
			}
			await this.store.take(chat, id);
			const taken = await this.store.taken(id);
			if (taken.length === 0) {
				await this.end(id);
				return undefined;
			}
			collector.isTaken = true;
			return join(id, chat, taken, because, rules.turnTimeoutMs);
		} catch (error) {
			this.forget(id);
			this.later(() => this.waitAgain({ id, owner: this.lanes.owner }, false));
			throw only(error, LedgerUnavailableError);
		}
	}

	private async takeLeft(chat: Chat, rules: JoinRules): Promise<Joined[]> {
		if (this.collectors.has(keyOf(chat))) return [];
		const collector = await this.claim(chat, rules, this.closing.signal);
		if (!collector) return [];
		try {
			const { mine, count, holder } = await this.store.look(chat, collector.id);
			if (!mine || count === 0 || (holder && rules.oneTurnAtATime)) return [];
			const joined = await this.take(collector, 'left');
			return joined ? [joined] : [];
		} finally {
			await this.stopCollecting(collector);
		}
	}

	/** Gives up the right to collect, where the turn has not begun. */
	private async stopCollecting(collector: Collector): Promise<void> {
		const { id, chat } = collector;
		if (this.collectors.get(keyOf(chat)) === collector) this.collectors.delete(keyOf(chat));
		if (collector.isTaken) return;
		this.forget(id);
		await this.surely(() => this.store.dropClaim({ id, owner: this.lanes.owner }));
	}

	private endLater({ turnId, turnTimeoutMs }: Joined): void {
		const timer = setTimeout(() => this.later(() => this.end(turnId)), turnTimeoutMs);
		timer.unref();
		this.living.set(turnId, timer);
	}

	private async end(id: string): Promise<boolean> {
		const chat = await this.store.end(id);
		this.forget(id);
		if (chat) this.collectors.get(keyOf(chat))?.wake();
		return chat !== undefined;
	}

	private async waitAgain(turn: Pick<Holder, 'id' | 'owner'>, mayBeAnswered: boolean): Promise<void> {
		const chat = await this.store.putBack(turn, this.lanes.owner, mayBeAnswered);
		if (chat) this.collectors.get(keyOf(chat))?.wake();
	}

	private forget(id: string): void {
		clearTimeout(this.living.get(id));
		this.living.delete(id);
	}

	/** Those whose process is dead, or of which this one knows nothing. Where that can't be told, they count as living. */
	private async deadOf(turns: Holder[]): Promise<Holder[]> {
		const others = new Set(turns.map(({ owner }) => owner).filter((owner) => owner !== this.lanes.owner));
		const alive = await this.lanes.alive([...others]).catch((error: unknown) => {
			only(error, LanesUnavailableError);
			return others;
		});
		return turns.filter(({ id, owner }) => (owner === this.lanes.owner ? !this.living.has(id) : !alive.has(owner)));
	}

	/** Lets the messages of a turn that nobody works on wait again. */
	private async release(turn: Holder): Promise<void> {
		await this.surely(() => (turn.phase === 'collecting' ? this.store.dropClaim(turn) : this.waitAgain(turn, true)));
	}

	/** As `work`, which is done in the background where it fails now. */
	private async surely(work: () => Promise<unknown>): Promise<void> {
		try {
			await work();
		} catch (error) {
			this.later(work);
			throw only(error, LedgerUnavailableError);
		}
	}

	/** Does `work` in the background, again and again until it succeeds or the engine is closed. */
	private later(work: () => Promise<unknown>): void {
		void this.tracked(async () => {
			for (let done = false; !done && !this.closing.signal.aborted; ) {
				done = await work().then(
					() => true,
					() => false,
				);
				if (!done) await pause(this.settings.retryMs, this.closing.signal);
			}
		});
	}

	private async tracked<T>(work: () => Promise<T>): Promise<T> {
		const running = work();
		this.underWay.add(running);
		try {
			return await running;
		} finally {
			this.underWay.delete(running);
		}
	}

	private async pruneWhenDue(): Promise<void> {
		const now = Date.now();
		if (now < this.pruneDueAt) return;
		this.pruneDueAt = now + this.settings.pruneEveryMs;
		// housekeeping that fails is tried again later, and never hides an item
		await this.housekeep(now).catch(() => {});
	}

	/** Also sets free what a write of this process left that took effect after it was given up. */
	private async housekeep(now: number): Promise<void> {
		const own = (await this.store.turns()).filter(({ owner }) => owner === this.lanes.owner);
		for (const turn of await this.deadOf(own)) await this.release(turn);
		await this.store.prune(now - this.settings.rememberMs);
	}
}

/** Those of one call that ask for the right to collect: its others would only ask against them. */
function firstOfEachChat(kept: Kept[]): Set<Kept> {
	const byChat = Map.groupBy(kept.filter(({ added }) => !added.isTaken), ({ chat }) => keyOf(chat));
	return new Set([...byChat.values()].flatMap(([first]) => first ?? []));
}

function heldBack({ isNew }: Added): Collected {
	return { held: { reason: isNew ? 'joinedLater' : 'duplicate' } };
}

function keyOf({ server, instance, recipient }: Chat): string {
	return JSON.stringify([server, instance, recipient]);
}
