// Lanes within one process: a sorted queue in memory for each chat that is busy.
import { CancelledError, QueueTimeoutError } from '../errors';
import type { Chat } from '../transaction';
import type { Grant, Lanes, OrderKey, Ticket } from './lanes';

const ranks = { high: 0, normal: 1, low: 2 } as const;

/** For how many idle chats it is remembered who went last; only the mark `late` depends on it. */
const rememberedChats = 10_000;

interface Place {
	/** In the order of the calls, over all chats. */
	number: number;
	key: OrderKey;
	takenAt: number;
	/** Set while somebody waits for the turn. */
	onTurn?: () => void;
}

interface Lane {
	/** The holder first where there is one, then the others in their order. */
	places: Place[];
	/** Whether the first place has its turn: nobody is put before it any more. */
	granted: boolean;
}

function compare(a: Place, b: Place): number {
	const byPriority = ranks[a.key.priority] - ranks[b.key.priority];
	if (byPriority !== 0) return byPriority;
	const byExecution = a.key.execution !== undefined && b.key.execution !== undefined ? a.key.execution - b.key.execution : 0;
	return byExecution || a.number - b.number;
}

export class EmbeddedLanes implements Lanes {
	private readonly lanes = new Map<string, Lane>();
	private readonly lastExecution = new Map<string, number>();
	private taken = 0;

	constructor(private readonly highestFence: (chat: Chat) => Promise<number>) {}

	take(chat: Chat, key: OrderKey): Ticket {
		const name = JSON.stringify([chat.server, chat.instance, chat.recipient]);
		const lane = this.lanes.get(name) ?? { places: [], granted: false };
		this.lanes.set(name, lane);
		const place: Place = { number: ++this.taken, key, takenAt: performance.now() };
		insert(lane, place);
		const leave = () => this.leave(name, lane, place);
		return {
			turn: async (timeoutMs, signal) => {
				let granted = false;
				try {
					await untilFirst(lane, place, timeoutMs, signal);
					const fence = (await this.highestFence(chat)) + 1;
					granted = true;
					return {
						ticket: place.number,
						fence,
						waitedMs: Math.round(performance.now() - place.takenAt),
						late: this.isLate(name, key.execution),
						waiting: () => lane.places.length - 1,
						release: leave,
					} satisfies Grant;
				} finally {
					if (!granted) leave();
				}
			},
			leave,
		};
	}

	/** How many chats have a queue now. */
	get busy(): number {
		return this.lanes.size;
	}

	/** Whether a later execution of this chat has gone before; remembers the latest. */
	private isLate(name: string, execution: number | undefined): boolean {
		if (execution === undefined) return false;
		const last = this.lastExecution.get(name) ?? execution;
		this.remember(name, Math.max(execution, last));
		return execution < last;
	}

	private remember(name: string, execution: number): void {
		this.lastExecution.delete(name); // the newest entry stands last
		this.lastExecution.set(name, execution);
		const [oldest] = this.lastExecution.keys();
		if (this.lastExecution.size > rememberedChats && oldest !== undefined) this.lastExecution.delete(oldest);
	}

	private leave(name: string, lane: Lane, place: Place): void {
		const index = lane.places.indexOf(place);
		if (index < 0) return;
		lane.places.splice(index, 1);
		if (index === 0) lane.granted = false;
		if (lane.places.length === 0) this.lanes.delete(name);
		else callFirst(lane);
	}
}

/** Gives the first place its turn, if somebody waits there. */
function callFirst(lane: Lane): void {
	const onTurn = lane.places[0]?.onTurn;
	if (lane.granted || !onTurn) return;
	lane.granted = true;
	onTurn();
}

/** Puts a place where its key belongs, but never before one whose work has begun. */
function insert(lane: Lane, place: Place): void {
	const first = lane.granted ? 1 : 0;
	const before = lane.places.findIndex((other, index) => index >= first && compare(place, other) < 0);
	lane.places.splice(before < 0 ? lane.places.length : before, 0, place);
}

/** Waits for the turn. A ticket that is taken but not waited for holds its place. */
function untilFirst(lane: Lane, place: Place, timeoutMs: number, signal?: AbortSignal): Promise<void> {
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
		const onTimeout = () => {
			const ahead = lane.places.indexOf(place);
			end(() => reject(new QueueTimeoutError(timeoutMs / 1000, `${ahead} earlier ${ahead === 1 ? 'message is' : 'messages are'} not finished`)));
		};
		const timer = setTimeout(onTimeout, timeoutMs);
		signal?.addEventListener('abort', onAbort, { once: true });
		place.onTurn = () => end(resolve);
		callFirst(lane);
	});
}
