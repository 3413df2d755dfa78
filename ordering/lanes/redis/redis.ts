// Lanes over Redis: one queue for each chat, whatever process works on it. docs/redis-lanes.md tells how.
import { createHash } from 'node:crypto';
import { CancelledError, ChatHeldError, LaneLostError, LanesUnavailableError, QueueTimeoutError, SequenceTooLateError } from '../../errors';
import { pause } from '../../pause';
import type { Chat } from '../../transaction';
import type { Grant, LaneMarks, Lanes, OrderKey, Priority, ReadLaneRecord, Ticket } from '../lanes';
import { turnOf, whatIsAhead } from '../order';
import { type ConnectionSettings, RedisConnection, type Reply, within } from './connection';

const hourMs = 3_600_000;

/** How many of a process' waiting tickets ask in one go, however many wait. */
const asksAtOnce = 100;

export interface RedisLanesOptions extends Pick<ConnectionSettings, 'url' | 'prefix' | 'tls'> {
	/** Asks the ledger about a lane that Redis knows nothing of. */
	readRecord: ReadLaneRecord;
	/** How long a free chat waits for tickets that should go first; 300 by default. */
	settleMs?: number;
	/** After how long a process that Redis does not hear of loses its lanes; 10,000 by default. */
	leaseMs?: number;
	/** For how long at most a turn waits to be confirmed; 60,000 or six leases by default, whichever is longer. */
	confirmMs?: number;
}

/** A ticket that waits, or will. */
interface Place {
	id: string;
	lane: Lane;
	key: OrderKey;
	takenAt: number;
	/** Its number in the lane, once Redis has told it. */
	number: string;
	/** When Redis was last asked for the place; undefined before the first time. */
	askedAt?: number;
	/** Set while somebody waits for the turn. */
	waiter?: { granted(turn: Turn): void; failed(error: Error): void };
}

/** A ticket that has its turn. */
interface Holding {
	id: string;
	lane: Lane;
	key: OrderKey;
	turn: Turn;
	/** The life of this process in which Redis surely knew of this turn. */
	life: number;
	lost: boolean;
	toldAt: number;
}

/** The end of a turn or a place, until Redis has taken it. */
interface Ending {
	id: string;
	lane: Lane;
	how: 'release' | 'leave';
	heldBy: string;
	transactionId: string;
}

interface Lane {
	id: string;
	/** Unknown where only a message told of it. */
	chat?: Chat;
	/** When to ask again whether somebody may go. */
	timer?: NodeJS.Timeout;
	seeding?: Promise<void>;
	/** Tickets of this process that Redis has not yet seen end. */
	tickets: number;
	/** How many requests were sent, and the latest one whose answer has come: an older answer tells nothing any more. */
	requests: number;
	answered: number;
}

/** As the scripts write it, numbers as text. */
interface Turn {
	run: string;
	lane: string;
	ticket: string;
	life: string;
	number: string;
	fence: string;
	late: boolean;
	missing?: [from: string, to: string];
	sequences: Partial<Record<Priority, string>>;
	sequenceBy: Partial<Record<Priority, string>>;
	executions: Partial<Record<Priority, string>>;
	heldBy?: string;
}

type Message = Turn | { run: string; ticket: string; gone: string };

export class RedisLanes implements Lanes {
	private readonly redis: RedisConnection;
	private readonly readRecord: ReadLaneRecord;
	private readonly leaseMs: number;
	private readonly confirmMs: number;
	/** In the order of their taking. */
	private readonly places = new Map<string, Place>();
	private readonly holdings = new Map<string, Holding>();
	private readonly endings = new Map<string, Ending>();
	private readonly lanes = new Map<string, Lane>();
	private readonly check: NodeJS.Timeout;
	private taken = 0;
	private closed = false;

	private constructor({ url, prefix, tls, readRecord, settleMs = 300, leaseMs = 10_000, confirmMs = Math.max(60_000, 6 * leaseMs) }: RedisLanesOptions) {
		this.readRecord = readRecord;
		this.leaseMs = leaseMs;
		this.confirmMs = confirmMs;
		this.redis = new RedisConnection(
			{ url, prefix, tls, settleMs, leaseMs, graceMs: Math.min(2000, leaseMs / 2), idleMs: Math.max(hourMs, 10 * leaseMs) },
			{ told: (message) => this.told(JSON.parse(message) as Message), rejoin: () => this.rejoin() },
		);
		this.check = setInterval(() => this.askAgain(), leaseMs / 3);
	}

	/** Connects in the background: tickets can be taken at once, and wait until Redis answers. */
	static open(options: RedisLanesOptions): RedisLanes {
		return new RedisLanes(options);
	}

	get owner(): string {
		return this.redis.owner;
	}

	take(chat: Chat, key: OrderKey): Ticket {
		const place: Place = { id: `${this.owner}/${++this.taken}`, lane: this.laneOf(chat), key, takenAt: performance.now(), number: '' };
		place.lane.tickets += 1;
		this.places.set(place.id, place);
		queueMicrotask(() => this.ask(place)); // by then it is known whether somebody waits at once
		return {
			turn: (timeoutMs, signal) => this.turn(place, timeoutMs, signal),
			leave: () => {
				if (this.places.has(place.id)) void this.leave(place);
				const holding = this.holdings.get(place.id);
				if (holding) this.end(holding, 'leave');
			},
		};
	}

	async pace(key: string, gapMs: number): Promise<number> {
		return await this.redis.pace(createHash('sha256').update(key).digest('base64url').slice(0, 22), gapMs);
	}

	/** Waits until it is known: a process counts as dead when its lease has lapsed and it has had the time to come back. */
	async alive(owners: string[]): Promise<Set<string>> {
		if (owners.length === 0) return new Set();
		await this.inTouch();
		for (;;) {
			const lives = await this.redis.livesOf(owners);
			const closedMs = lives.pop() ?? 0;
			const openMs = Math.max(...lives);
			const someDead = lives.some((life) => life >= 0);
			if (openMs <= 0 && (closedMs === 0 || !someDead)) return new Set(owners.filter((_, i) => lives[i] === -1));
			await pause(Math.max(openMs, closedMs, 1));
		}
	}

	async close(): Promise<void> {
		if (this.closed) return;
		this.closed = true;
		clearInterval(this.check);
		for (const { timer } of this.lanes.values()) clearTimeout(timer);
		const stopped = new LanesUnavailableError('this n8n process is stopping');
		const endings: Array<Promise<unknown>> = [...this.places.values()].map((place) => {
			place.waiter?.failed(stopped);
			return this.leave(place);
		});
		for (const holding of this.holdings.values()) endings.push(this.end(holding, 'leave'));
		await within(this.leaseMs / 3, Promise.all(endings));
		await this.redis.close();
	}

	private laneOf(chat: Chat): Lane {
		const id = createHash('sha256').update(JSON.stringify([chat.server, chat.instance, chat.recipient])).digest('base64url').slice(0, 22);
		const lane = this.lanes.get(id) ?? newLane(id);
		lane.chat ??= chat;
		this.lanes.set(id, lane);
		return lane;
	}

	private turn(place: Place, timeoutMs: number, signal?: AbortSignal): Promise<Grant> {
		if (!this.places.has(place.id)) return Promise.reject(new Error('This ticket was given up'));
		if (signal?.aborted) {
			void this.leave(place);
			return Promise.reject(new CancelledError());
		}
		return new Promise((resolve, reject) => {
			const end = (settle: () => void) => {
				clearTimeout(timer);
				signal?.removeEventListener('abort', onAbort);
				place.waiter = undefined;
				settle();
			};
			const onAbort = () => end(() => {
				void this.leave(place);
				reject(new CancelledError());
			});
			const timer = setTimeout(() => end(() => void this.timedOut(place, timeoutMs).then(reject)), timeoutMs);
			signal?.addEventListener('abort', onAbort, { once: true });
			place.waiter = {
				granted: (turn) => end(() => resolve(this.grant(place, turn))),
				failed: (error) => end(() => reject(error)),
			};
			if (place.askedAt !== undefined) this.ask(place);
		});
	}

	/** Gives the place up, and tells what was in its way. */
	private async timedOut(place: Place, timeoutMs: number): Promise<Error> {
		const { key } = place;
		const reply = await within(Math.min(1000, this.leaseMs), this.leave(place));
		if (!reply) return this.redis.unavailable();
		const [state, waitMs, ahead, heldBy, gone] = reply;
		if (state === 'closed') return new LanesUnavailableError(`it was started again a moment ago, and gives turns again in ${Math.ceil(Number(waitMs) / 1000)} s`);
		if (heldBy && heldBy !== key.transactionId) return new ChatHeldError(timeoutMs / 1000, String(heldBy));
		const turn = turnOf(key, { executions: {}, sequences: gone ? { [key.priority]: Number(gone) } : {} }, 0);
		return new QueueTimeoutError(timeoutMs / 1000, whatIsAhead(Number(ahead), turn.may === 'wait' ? turn.missing : undefined));
	}

	private grant(place: Place, turn: Turn): Grant {
		const holding: Holding = { id: place.id, lane: place.lane, key: place.key, turn, life: Number(turn.life), lost: false, toldAt: performance.now() };
		this.holdings.set(holding.id, holding);
		const [from, to] = turn.missing ?? [];
		return {
			ticket: Number(turn.number),
			fence: Number(turn.fence),
			waitedMs: Math.round(performance.now() - place.takenAt),
			late: turn.late,
			...(from && to ? { missing: { from: Number(from), to: Number(to) } } : {}),
			marks: marksOf(turn),
			confirm: (signal) => this.confirm(holding, signal),
			waiting: async () => Number((await this.redis.ask('waiting', place.lane.id))[1]),
			release: (heldBy) => void this.end(holding, 'release', heldBy),
		};
	}

	private async confirm(holding: Holding, signal?: AbortSignal): Promise<void> {
		if (this.isSure(holding)) return;
		if (signal?.aborted) throw new CancelledError();
		const stop = Promise.withResolvers<never>();
		const onAbort = () => stop.reject(new CancelledError());
		const timer = setTimeout(() => stop.reject(this.redis.unavailable()), this.confirmMs);
		signal?.addEventListener('abort', onAbort, { once: true });
		const wait = { over: false };
		try {
			await Promise.race([this.untilSure(holding, wait), stop.promise]);
		} finally {
			wait.over = true;
			clearTimeout(timer);
			signal?.removeEventListener('abort', onAbort);
		}
	}

	/** Throws `LaneLostError` where the lane is another's. */
	private isSure(holding: Holding): boolean {
		if (holding.lost || !this.holdings.has(holding.id)) throw new LaneLostError();
		return this.redis.isSure(holding.life);
	}

	private async untilSure(holding: Holding, wait: { over: boolean }): Promise<void> {
		while (!wait.over && !this.isSure(holding)) {
			await this.redis.untilEntered();
			if (!wait.over) await this.redis.renew().then(() => this.claim(holding)).catch(() => pause(50));
		}
	}

	/** Tells Redis that the lane is this turn's; resolves when it is known whether that holds. */
	private async claim(holding: Holding): Promise<void> {
		const { id, lane, turn } = holding;
		const life = this.redis.currentLife;
		const [state, closedMs] = await this.redis.ask('claim', lane.id, id, turn.fence, turn.heldBy ?? '', JSON.stringify(turn), turn.number, ...foursOf(marksOf(turn)));
		holding.toldAt = performance.now();
		if (state === 'lost') holding.lost = true;
		else if (closedMs === 0) holding.life = life;
		else await pause(Number(closedMs)); // a higher fence may still come
	}

	/** Ends a turn; once. */
	private async end({ id, lane, key }: Holding, how: Ending['how'], heldBy = ''): Promise<void> {
		if (!this.holdings.delete(id)) return;
		await this.tell({ id, lane, how, heldBy, transactionId: key.transactionId ?? '' });
	}

	private async leave(place: Place): Promise<Reply | undefined> {
		this.places.delete(place.id);
		if (place.askedAt !== undefined) return this.tell({ id: place.id, lane: place.lane, how: 'leave', heldBy: '', transactionId: '' });
		place.lane.tickets -= 1;
		this.forget(place.lane);
		return undefined;
	}

	/** Where Redis is away, it is told when it is back. */
	private async tell(ending: Ending): Promise<Reply | undefined> {
		const { id, lane, how, heldBy, transactionId } = ending;
		this.endings.set(id, ending);
		await Promise.resolve(); // behind the places that were taken just before
		const request = ++lane.requests;
		const reply = await this.redis.ask('end', lane.id, id, how, heldBy, transactionId).catch(() => undefined);
		if (!reply) return undefined;
		if (this.endings.delete(id)) lane.tickets -= 1;
		this.heard(lane, request, reply);
		return reply;
	}

	/** Takes the place in Redis, or asks what became of it. */
	private ask(place: Place): void {
		if (!this.places.has(place.id)) return;
		const { id, lane, key, number } = place;
		// the first time it is just being taken; only an order of arrival at Redis keeps the order of the calls
		const ageUs = place.askedAt !== undefined ? Math.round((performance.now() - place.takenAt) * 1000) : 0;
		place.askedAt = performance.now();
		const { sequence } = key;
		const args = [id, place.waiter ? '1' : '0', ageUs, key.priority, sequence?.number ?? '', sequence?.gapMs ?? '', sequence?.again ? '1' : '0', key.execution ?? '', key.transactionId ?? '', number];
		const request = ++lane.requests;
		this.redis.ask('take', lane.id, ...args).then((reply) => this.answered(place, request, reply), () => {});
	}

	private answered(place: Place, request: number, reply: Reply): void {
		const [state, what, number] = reply;
		if (state === 'granted') return this.told(JSON.parse(String(what)) as Turn);
		if (state === 'refused') return this.refused(place, Number(what));
		if (state === 'ended') return;
		place.number = String(number);
		this.heard(place.lane, request, reply);
	}

	private told(message: Message): void {
		const place = this.places.get(message.ticket);
		if (message.run !== this.redis.run) return; // what Redis gave before it lost its memory
		if ('gone' in message) {
			if (place) this.refused(place, Number(message.gone));
			return;
		}
		if (place?.waiter) {
			this.places.delete(place.id);
			place.waiter.granted(message);
		} else if (!this.holdings.has(message.ticket) && !this.endings.has(message.ticket)) this.disown(message);
	}

	/** A turn for a ticket that was given up, which a broken connection brought to Redis late. */
	private disown({ ticket, lane: key }: Turn): void {
		const id = /\{(.+)\}/.exec(key)?.[1];
		if (!id) return;
		const lane = this.lanes.get(id) ?? newLane(id);
		lane.tickets += 1;
		void this.tell({ id: ticket, lane, how: 'leave', heldBy: '', transactionId: '' });
	}

	private refused(place: Place, gone: number): void {
		const error = new SequenceTooLateError(place.key.sequence?.number ?? 0, gone);
		if (!place.waiter) return; // it is told when it asks for its turn
		this.places.delete(place.id);
		place.waiter.failed(error);
		place.lane.tickets -= 1;
		this.forget(place.lane);
	}

	/** What a script says of a lane: when to look again, and whether it wants the ledger's record. */
	private heard(lane: Lane, request: number, [state, waitMs]: Reply): void {
		if (request < lane.answered) return this.forget(lane);
		lane.answered = request;
		clearTimeout(lane.timer);
		lane.timer = undefined;
		if (this.closed) return;
		if (state === 'unseeded') this.seed(lane);
		else if (Number(waitMs) >= 0) lane.timer = setTimeout(() => this.look(lane), Number(waitMs) + 1);
		else this.forget(lane);
	}

	private look(lane: Lane): void {
		clearTimeout(lane.timer);
		lane.timer = undefined;
		const request = ++lane.requests;
		this.redis.ask('advance', lane.id, this.owner).then((reply) => {
			const [, , turn] = reply;
			if (turn) this.told(JSON.parse(String(turn)) as Turn);
			this.heard(lane, request, reply);
		}, () => {});
	}

	/** The ledger's failure is told to everybody who waits here; the next one asks again. */
	private seed(lane: Lane): void {
		const { chat } = lane;
		if (!chat) return;
		lane.seeding ??= this.readRecord(chat).then(
			({ fence, heldBy, marks }) => {
				const request = ++lane.requests;
				return this.redis.ask('seed', lane.id, fence, heldBy ?? '', ...foursOf(marks)).then((reply) => this.heard(lane, request, reply), () => {});
			},
			(error: Error) => this.failAll(lane, error),
		).finally(() => {
			lane.seeding = undefined;
			this.forget(lane);
		});
	}

	private failAll(lane: Lane, error: Error): void {
		for (const place of this.places.values()) {
			if (place.lane !== lane || !place.waiter) continue;
			place.waiter.failed(error);
			void this.leave(place);
		}
	}

	/** All that this process has in lanes is told anew: holders first, so that nobody is let in before them. */
	private rejoin(): void {
		for (const holding of this.holdings.values()) this.claim(holding).catch(() => {});
		for (const place of this.places.values()) this.ask(place);
		for (const ending of this.endings.values()) void this.tell(ending);
	}

	/**
	 * A holder may die without a message, and one may be lost: so those that wait ask at times. Where many do, they take
	 * turns at that, and the others have only their lane looked at.
	 */
	private askAgain(): void {
		const waiting = [...this.places.values()].filter(({ waiter }) => waiter).sort((a, b) => (a.askedAt ?? 0) - (b.askedAt ?? 0));
		for (const place of waiting.slice(0, asksAtOnce)) this.ask(place);
		for (const lane of new Set(waiting.slice(asksAtOnce).map(({ lane }) => lane))) this.look(lane);
		const longAgo = performance.now() - hourMs / 4; // a lane's keys go after an hour without use
		for (const holding of this.holdings.values()) if (holding.toldAt < longAgo) this.claim(holding).catch(() => {});
	}

	/** Throws `LanesUnavailableError` where Redis does not come back soon. */
	private async inTouch(): Promise<void> {
		await within(this.leaseMs, this.redis.untilEntered());
	}

	private forget(lane: Lane): void {
		if (lane.tickets === 0 && !lane.timer && !lane.seeding && this.lanes.get(lane.id) === lane) this.lanes.delete(lane.id);
	}
}

function newLane(id: string): Lane {
	return { id, tickets: 0, requests: 0, answered: 0 };
}

function numbersIn(marks: Partial<Record<Priority, string>>): Partial<Record<Priority, number>> {
	return Object.fromEntries(Object.entries(marks).map(([priority, number]) => [priority, Number(number)]));
}

function marksOf({ sequences, executions, sequenceBy }: Turn): LaneMarks {
	return { sequences: numbersIn(sequences), executions: numbersIn(executions), ...(Object.keys(sequenceBy).length > 0 ? { sequenceBy } : {}) };
}

/** As the scripts take marks. */
function foursOf({ sequences, executions, sequenceBy = {} }: LaneMarks): string[] {
	return [
		...Object.entries(sequences).flatMap(([priority, number]) => ['sequence', priority, `${number}`, sequenceBy[priority as Priority] ?? '']),
		...Object.entries(executions).flatMap(([priority, number]) => ['execution', priority, `${number}`, '']),
	];
}
