// Lanes within one process: a sorted queue in memory for each chat that is busy.
import { randomUUID } from 'node:crypto';
import { CancelledError, ChatHeldError, QueueTimeoutError, SequenceTooLateError } from '../errors';
import type { Chat } from '../transaction';
import type { Grant, LaneRecord, Lanes, OrderKey, ReadLaneRecord, Ticket } from './lanes';
import { advance, compare, isLate, turnOf, whatIsAhead } from './order';

interface Place {
	/** In the order of the calls, over all chats. */
	arrival: number;
	key: OrderKey;
	takenAt: number;
	/** Set while somebody waits for the turn. */
	onTurn?: (turn: { error?: Error; missing?: Grant['missing'] }) => void;
}

interface Lane {
	name: string;
	chat: Chat;
	/** The holder first where there is one, then the others in their order. */
	places: Place[];
	/** Whether the first place has its turn: nobody is put before it any more. */
	granted: boolean;
	/** What the ledger had on record when the lane became busy, and what has gone since. */
	record?: LaneRecord;
	reading?: Promise<void>;
	/** Wakes the lane when missing sequence numbers have had their time. */
	timer?: NodeJS.Timeout;
}

export class EmbeddedLanes implements Lanes {
	readonly owner = randomUUID();
	private readonly lanes = new Map<string, Lane>();
	private taken = 0;

	constructor(private readonly readRecord: ReadLaneRecord) {}

	take(chat: Chat, key: OrderKey): Ticket {
		const lane = this.laneOf(chat);
		const place: Place = { arrival: ++this.taken, key, takenAt: performance.now() };
		insert(lane, place);
		const leave = () => this.leave(lane, place);
		return {
			turn: async (timeoutMs, signal) => {
				try {
					const missing = await this.untilTurn(lane, place, timeoutMs, signal);
					return this.grant(lane, place, missing);
				} catch (error) {
					leave();
					return Promise.reject(error as Error);
				}
			},
			leave,
		};
	}

	async unhold(chat: Chat, transactionId: string): Promise<void> {
		const lane = this.lanes.get(nameOf(chat));
		if (lane?.record?.heldBy !== transactionId) return;
		delete lane.record.heldBy;
		this.callFirst(lane);
	}

	async alive(owners: string[]): Promise<Set<string>> {
		return new Set(owners.filter((owner) => owner === this.owner));
	}

	async close(): Promise<void> {
		for (const { timer } of this.lanes.values()) clearTimeout(timer);
	}

	/** How many chats have a queue now. */
	get busy(): number {
		return this.lanes.size;
	}

	private laneOf(chat: Chat): Lane {
		const name = nameOf(chat);
		const lane = this.lanes.get(name) ?? { name, chat, places: [], granted: false };
		this.lanes.set(name, lane);
		return lane;
	}

	private grant(lane: Lane, place: Place, missing: Grant['missing']): Grant {
		const record = lane.record as LaneRecord;
		const late = isLate(place.key, record.marks);
		record.fence += 1;
		record.marks = advance(place.key, record.marks);
		return {
			ticket: place.arrival,
			fence: record.fence,
			waitedMs: Math.round(performance.now() - place.takenAt),
			late,
			...(missing ? { missing } : {}),
			marks: record.marks,
			confirm: async () => {},
			waiting: async () => lane.places.length - 1,
			release: (heldBy) => {
				if (!lane.places.includes(place)) return;
				if (heldBy !== undefined) record.heldBy = heldBy;
				else if (record.heldBy === place.key.transactionId) delete record.heldBy;
				this.leave(lane, place);
			},
		};
	}

	private leave(lane: Lane, place: Place): void {
		const index = lane.places.indexOf(place);
		if (index < 0) return;
		lane.places.splice(index, 1);
		if (index === 0) lane.granted = false;
		if (lane.places.length > 0) return this.callFirst(lane);
		clearTimeout(lane.timer);
		this.lanes.delete(lane.name);
	}

	/** Gives the first place its turn, if somebody waits there and nothing has to come before. */
	private callFirst(lane: Lane): void {
		if (lane.granted || !lane.places.some(({ onTurn }) => onTurn)) return;
		if (!lane.record) return this.read(lane);
		const place = eligible(lane.places, lane.record.heldBy);
		if (!place?.onTurn) return;
		const turn = turnOf(place.key, lane.record.marks, performance.now() - place.takenAt);
		if (turn.may === 'wait') return this.wakeAfter(lane, turn.leftMs);
		if (turn.may === 'never') return place.onTurn({ error: new SequenceTooLateError(place.key.sequence?.number ?? 0, turn.gone) });
		lane.granted = true;
		putFirst(lane.places, place);
		place.onTurn({ missing: turn.missing });
	}

	private wakeAfter(lane: Lane, ms: number): void {
		clearTimeout(lane.timer);
		lane.timer = setTimeout(() => this.callFirst(lane), Math.ceil(ms));
	}

	/** The ledger's failure is told to everybody who waits; the next one asks again. */
	private read(lane: Lane): void {
		lane.reading ??= this.readRecord(lane.chat)
			.then((record) => {
				lane.record = { ...record };
				this.callFirst(lane);
			})
			.catch((error: Error) => {
				for (const { onTurn } of [...lane.places]) onTurn?.({ error });
			})
			.finally(() => delete lane.reading);
	}

	/** Waits for the turn. A ticket that is taken but not waited for holds its place. */
	private untilTurn(lane: Lane, place: Place, timeoutMs: number, signal?: AbortSignal): Promise<Grant['missing']> {
		if (signal?.aborted) return Promise.reject(new CancelledError());
		if (!lane.places.includes(place)) return Promise.reject(new Error('This ticket was given up'));
		return new Promise((resolve, reject) => {
			const end = (settle: () => void) => {
				clearTimeout(timer);
				signal?.removeEventListener('abort', onAbort);
				place.onTurn = undefined;
				settle();
			};
			const onAbort = () => end(() => reject(new CancelledError()));
			const timer = setTimeout(() => end(() => reject(timeoutOf(lane, place, timeoutMs))), timeoutMs);
			signal?.addEventListener('abort', onAbort, { once: true });
			place.onTurn = ({ error, missing }) => end(() => (error ? reject(error) : resolve(missing)));
			this.callFirst(lane);
		});
	}
}

function nameOf(chat: Chat): string {
	return JSON.stringify([chat.server, chat.instance, chat.recipient]);
}

function timeoutOf({ places, record }: Lane, place: Place, timeoutMs: number): Error {
	if (record?.heldBy !== undefined && record.heldBy !== place.key.transactionId) return new ChatHeldError(timeoutMs / 1000, record.heldBy);
	const ahead = places.indexOf(place);
	const turn = record && turnOf(place.key, record.marks, 0);
	return new QueueTimeoutError(timeoutMs / 1000, whatIsAhead(ahead, turn?.may === 'wait' ? turn.missing : undefined));
}

/** Who is next: the first, or where a transaction holds the chat, that one only. */
function eligible(places: Place[], heldBy: string | undefined): Place | undefined {
	return heldBy === undefined ? places[0] : places.find(({ key }) => key.transactionId === heldBy);
}

function putFirst(places: Place[], place: Place): void {
	places.splice(places.indexOf(place), 1);
	places.unshift(place);
}

/** Puts a place where its key belongs, but never before one whose work has begun. */
function insert(lane: Lane, place: Place): void {
	const first = lane.granted ? 1 : 0;
	const before = lane.places.findIndex((other, index) => index >= first && compare(place, other) < 0);
	lane.places.splice(before < 0 ? lane.places.length : before, 0, place);
}
