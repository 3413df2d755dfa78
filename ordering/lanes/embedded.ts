// Lanes within one process: a sorted queue in memory for each chat that is busy.
import { randomUUID } from 'node:crypto';
import { CancelledError, ChatHeldError, QueueTimeoutError, SequenceTooLateError } from '../errors';
import type { Chat } from '../transaction';
import { Gaps } from './gaps';
import type { Grant, LaneMarks, LaneRecord, Lanes, OrderKey, ReadLaneRecord, Ticket } from './lanes';
import { advance, compare, isLate, turnOf, whatIsAhead } from './order';

interface Lane {
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

/** A place in a lane, and once it has its turn, the right to work there. Thousands are held at once: few fields, no closures. */
class Place implements Ticket, Grant {
	/** Whole ms: they need no memory of their own. */
	readonly takenAt = Math.ceil(performance.now());
	/** Set while somebody waits for the turn. */
	onTurn?: (turn: { error?: Error; missing?: Grant['missing'] }) => void = undefined;
	fence = 0;
	waitedMs = 0;
	late = false;
	missing?: Grant['missing'] = undefined;
	marks: LaneMarks = noMarks;

	/** `ticket`: in the order of the calls, over all chats. */
	constructor(
		private readonly lanes: EmbeddedLanes,
		readonly lane: Lane,
		readonly ticket: number,
		readonly key: OrderKey,
	) {}

	get arrival(): number {
		return this.ticket;
	}

	turn(timeoutMs: number, signal?: AbortSignal): Promise<Grant> {
		return this.lanes.turn(this, timeoutMs, signal);
	}

	leave(): void {
		this.lanes.leave(this);
	}

	async confirm(): Promise<void> {}

	async waiting(): Promise<number> {
		return this.lane.places.length - 1;
	}

	release(heldBy?: string): void {
		this.lanes.release(this, heldBy);
	}
}

const noMarks: LaneMarks = { sequences: {}, executions: {} };

export class EmbeddedLanes implements Lanes {
	readonly owner = randomUUID();
	/** By server and instance, then by recipient: the long names of all chats would be as large as their lanes. */
	private readonly lanes = new Map<string, Map<string, Lane>>();
	private readonly gaps = new Gaps();
	private taken = 0;

	constructor(private readonly readRecord: ReadLaneRecord) {}

	take(chat: Chat, key: OrderKey): Ticket {
		const place = new Place(this, this.laneOf(chat), ++this.taken, key);
		insert(place);
		return place;
	}

	/** As {@link Ticket.turn}. */
	async turn(place: Place, timeoutMs: number, signal?: AbortSignal): Promise<Grant> {
		try {
			return this.grant(place, await this.untilTurn(place, timeoutMs, signal));
		} catch (error) {
			this.leave(place);
			return Promise.reject(error as Error);
		}
	}

	async pace(key: string, gapMs: number): Promise<number> {
		return this.gaps.next(key, gapMs);
	}

	async alive(owners: string[]): Promise<Set<string>> {
		return new Set(owners.filter((owner) => owner === this.owner));
	}

	async close(): Promise<void> {
		for (const ofInstance of this.lanes.values()) for (const { timer } of ofInstance.values()) clearTimeout(timer);
	}

	/** How many chats have a queue now. */
	get busy(): number {
		return [...this.lanes.values()].reduce((sum, { size }) => sum + size, 0);
	}

	/** As {@link Grant.release}. */
	release(place: Place, heldBy?: string): void {
		const { places, record } = place.lane;
		if (!record || !places.includes(place)) return;
		if (heldBy !== undefined) record.heldBy = heldBy;
		else if (record.heldBy === place.key.transactionId) delete record.heldBy;
		this.leave(place);
	}

	/** As {@link Ticket.leave}. */
	leave(place: Place): void {
		const { lane } = place;
		const index = lane.places.indexOf(place);
		if (index < 0) return;
		lane.places.splice(index, 1);
		if (index === 0) lane.granted = false;
		if (lane.places.length > 0) return this.callFirst(lane);
		clearTimeout(lane.timer);
		this.forget(lane);
	}

	private laneOf(chat: Chat): Lane {
		const name = instanceOf(chat);
		const ofInstance = this.lanes.get(name) ?? new Map<string, Lane>();
		this.lanes.set(name, ofInstance);
		const lane = ofInstance.get(chat.recipient) ?? { chat, places: [], granted: false, record: undefined, reading: undefined, timer: undefined };
		ofInstance.set(chat.recipient, lane);
		return lane;
	}

	private forget({ chat }: Lane): void {
		const ofInstance = this.lanes.get(instanceOf(chat));
		ofInstance?.delete(chat.recipient);
		if (ofInstance?.size === 0) this.lanes.delete(instanceOf(chat));
	}

	private grant(place: Place, missing: Grant['missing']): Grant {
		const record = place.lane.record as LaneRecord;
		place.late = isLate(place.key, record.marks);
		record.fence += 1;
		record.marks = advance(place.key, record.marks);
		place.fence = record.fence;
		place.marks = record.marks;
		place.missing = missing;
		place.waitedMs = waitedMs(place);
		return place;
	}

	/** Gives the first place its turn, if somebody waits there and nothing has to come before. */
	private callFirst(lane: Lane): void {
		if (lane.granted || !lane.places.some(({ onTurn }) => onTurn)) return;
		if (!lane.record) return this.read(lane);
		const place = eligible(lane.places, lane.record.heldBy);
		if (!place?.onTurn) return;
		const turn = turnOf(place.key, lane.record.marks, waitedMs(place));
		if (turn.may === 'wait') return this.wakeAfter(lane, turn.leftMs);
		if (turn.may === 'never') return place.onTurn({ error: new SequenceTooLateError(place.key.sequence?.number ?? 0, turn.gone) });
		lane.granted = true;
		if (place !== lane.places[0]) putFirst(lane.places, place);
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
				lane.record = { ...record, marks: sharingEmpty(record.marks) };
				this.callFirst(lane);
			})
			.catch((error: Error) => {
				for (const { onTurn } of [...lane.places]) onTurn?.({ error });
			})
			.finally(() => (lane.reading = undefined));
	}

	/** Waits for the turn. A ticket that is taken but not waited for holds its place. */
	private untilTurn(place: Place, timeoutMs: number, signal?: AbortSignal): Promise<Grant['missing']> {
		const { lane } = place;
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
			const timer = setTimeout(() => end(() => reject(timeoutOf(place, timeoutMs))), timeoutMs);
			signal?.addEventListener('abort', onAbort, { once: true });
			place.onTurn = ({ error, missing }) => end(() => (error ? reject(error) : resolve(missing)));
			this.callFirst(lane);
		});
	}
}

function instanceOf({ server, instance }: Chat): string {
	return JSON.stringify([server, instance]);
}

/** Most lanes have no sequence numbers: one empty object is enough for all of them. */
function sharingEmpty(marks: LaneMarks): LaneMarks {
	return Object.keys(marks.sequences).length > 0 ? marks : { sequences: noMarks.sequences, executions: marks.executions };
}

function waitedMs({ takenAt }: Place): number {
	return Math.max(0, Math.round(performance.now()) - takenAt);
}

function timeoutOf(place: Place, timeoutMs: number): Error {
	const { places, record } = place.lane;
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
function insert(place: Place): void {
	const { lane } = place;
	const first = lane.granted ? 1 : 0;
	const before = lane.places.findIndex((other, index) => index >= first && compare(place, other) < 0);
	// an array that grows in place would keep room for many more, in each lane
	lane.places = lane.places.toSpliced(before < 0 ? lane.places.length : before, 0, place);
}
