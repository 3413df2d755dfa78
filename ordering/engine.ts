// The engine: takes checked calls, keeps the ledger and the lanes, and gives each call its outcome.
import pMap from 'p-map';
import type { EgressFilter } from '../evolution/http';
import { only } from '../evolution/only';
import { type ServerAccess, serverAddress } from '../evolution/server';
import { waitProblem } from './channels';
import { Connections } from './connections';
import { CancelledError, type Failure, failureOf, ImpossibleWaitError, OrderedSendError, StillRunningError, TransactionConflictError } from './errors';
import { EmbeddedLanes } from './lanes/embedded';
import type { Lanes, OrderKey, ReadLaneRecord, Ticket } from './lanes/lanes';
import { compare } from './lanes/order';
import type { Ledger } from './ledger/ledger';
import { SqliteLedger } from './ledger/sqlite';
import { contentOf, differingPart, hashContent, keyedHash, type OrderedSend } from './orderedSend';
import { giveUp, type RecoveryCall, type Recovered, recover, resume } from './recovery';
import { defaultSettings, type Settings } from './settings';
import { type Chat, hasEndedForGood, plannedSteps, type Transaction } from './transaction';
import { type Outcome, orderKeyOf, recordedOutcome, runTurns, type Shared } from './turns';

/** From which n8n execution a call comes; its ID is made from this where the user gave none. */
export interface Origin {
	instanceId: string;
	workflowId: string;
	nodeId: string;
	executionId: string;
	/** Start of the execution in ms, where n8n tells it; its Retry button keeps it. */
	startedAt?: number;
	runIndex: number;
	item: number;
	/** Whether n8n's Retry button started this execution. */
	isRetry: boolean;
}

export interface OrderedCall {
	send: OrderedSend;
	origin: Origin;
}

export interface RunOptions {
	signal?: AbortSignal;
	egress?: EgressFilter;
	/** Whether one failure keeps calls from starting that have not begun. */
	stopOnFailure: boolean;
}

interface Prepared {
	call: OrderedCall;
	index: number;
	id: string;
	chat: Chat;
	/** What was on record when the call came. */
	recorded?: Transaction;
}

/** The calls of one chat, with their places in its lane once these are taken. */
interface Group {
	group: Prepared[];
	tickets: Map<Prepared, Ticket>;
}

export class Engine {
	private readonly ledger: Ledger;
	private readonly lanes: Lanes;
	private readonly connections: Connections;
	private readonly settings: Settings;
	/** Transactions that run in this process, by server and ID. */
	private readonly running = new Map<string, Promise<unknown>>();
	private pruneDueAt = 0;

	private constructor(private readonly shared: Shared) {
		({ ledger: this.ledger, lanes: this.lanes, connections: this.connections, settings: this.settings } = shared);
	}

	/** Everything within this process, with the ledger in `folder`. Throws as {@link SqliteLedger.open}. */
	static async open(folder: string, settings: Partial<Settings> = {}): Promise<Engine> {
		return await Engine.on(SqliteLedger.open(folder), settings);
	}

	/** Takes over an open ledger, and the lanes that are made for it; the engine closes both at its end. */
	static async on(ledger: Ledger, given: Partial<Settings> = {}, makeLanes: (read: ReadLaneRecord) => Lanes | Promise<Lanes> = (read) => new EmbeddedLanes(read)): Promise<Engine> {
		const settings = { ...defaultSettings, ...given };
		const lanes = await makeLanes((chat) => ledger.laneOf(chat));
		return new Engine({ ledger, lanes, settings, connections: new Connections(settings) });
	}

	/**
	 * Runs all calls: those of one chat in their order, those of different chats at the same time. All are checked
	 * first; with `stopOnFailure`, the first that is refused by that check is thrown before anything is sent.
	 */
	async run(calls: OrderedCall[], options: RunOptions): Promise<Outcome[]> {
		if (options.signal?.aborted) throw new CancelledError();
		const outcomes: Outcome[] = calls.map(() => ({ replayed: false, failure: notStarted }));
		const ids = new Map<string, OrderedCall>();
		const prepared = await checkEach(calls.map((call, index) => ({ call, index })), (one) => this.prepare(one, ids), outcomes, options);
		const groups = groupByChat(prepared).map((group): Group => ({ group: asInLane(group), tickets: new Map() }));
		try {
			// before anything that takes time: who comes first has the first place
			for (const group of groups.slice(0, this.settings.chatsAtOnce)) this.takeTickets(group);
			const possible = new Set(await checkEach(prepared, (one) => this.refuseImpossibleWait(one, options), outcomes, options));
			const stop = { now: false };
			await pMap(groups, (group) => this.runGroup(group, possible, outcomes, options, stop), { concurrency: this.settings.chatsAtOnce });
		} finally {
			for (const { tickets } of groups) for (const ticket of tickets.values()) ticket.leave();
		}
		await this.pruneWhenDue();
		return outcomes;
	}

	/** Finishes, closes or reports what dead processes left unfinished on one server. */
	async recover(call: RecoveryCall): Promise<Recovered[]> {
		return await recover(this.shared, (one) => this.running.has(keyOf(one)), call);
	}

	/** Goes on with a transaction that stopped, at its open step. */
	async resume(id: string, call: RecoveryCall): Promise<Outcome> {
		return await this.alone(call.access, id, () => resume(this.shared, id, call));
	}

	/** Ends a transaction for good, so that it holds nothing and can't go on. */
	async giveUp(id: string, call: RecoveryCall): Promise<Outcome> {
		return await this.alone(call.access, id, () => giveUp(this.shared, id, call));
	}

	async close(): Promise<void> {
		await this.lanes.close();
		await this.ledger.close();
		this.connections.close();
	}

	private async runGroup(group: Group, possible: Set<Prepared>, outcomes: Outcome[], options: RunOptions, stop: { now: boolean }): Promise<void> {
		this.takeTickets(group);
		for (const one of group.group) {
			if (stop.now || options.signal?.aborted) break;
			if (possible.has(one)) outcomes[one.index] = await this.runOne(one, group.tickets, options).catch(toOutcome);
			group.tickets.get(one)?.leave();
			group.tickets.delete(one);
			if (outcomes[one.index]?.failure && options.stopOnFailure) stop.now = true;
		}
		for (const ticket of group.tickets.values()) ticket.leave();
	}

	/**
	 * All places of a group are taken at once: nobody else's message comes between those of one execution. They are
	 * served as they stand in the lane, or one would wait for the other.
	 */
	private takeTickets({ group, tickets }: Group): void {
		for (const one of group) if (!tickets.has(one)) tickets.set(one, this.takeTicket(one));
	}

	private takeTicket(prepared: Prepared): Ticket {
		return this.lanes.take(prepared.chat, keyInLane(prepared));
	}

	/** Finds out the ID and the chat, and refuses an ID of other content. Nothing is recorded by this. */
	private async prepare({ call, index }: Pick<Prepared, 'call' | 'index'>, ids: Map<string, OrderedCall>): Promise<Prepared> {
		const { send } = call;
		const id = await this.idOf(call);
		const twin = ids.get(id);
		if (!twin) ids.set(id, call);
		const content = contentOf(send);
		if (twin) refuseOtherContent(id, content, this.hash(twin.send), this.ledger.hashKey);
		const recorded = await this.ledger.find(send.chat.server, id);
		if (recorded) refuseOtherContent(id, content, recorded.content, this.ledger.hashKey);
		return { call, index, id, chat: await this.ledger.linkedChat(recorded?.chat ?? send.chat), recorded };
	}

	private async refuseImpossibleWait(one: Prepared, { signal, egress }: RunOptions): Promise<Prepared> {
		const { send } = one.call;
		const { waitFor } = send.definition;
		if (one.recorded || waitFor === 'accepted' || waitFor === 'delay') return one;
		const problem = await waitProblem({ server: this.connections.serverOf(send.access), send, signal, egress }, waitFor);
		if (problem) throw new ImpossibleWaitError(problem.why, problem.remedy);
		return one;
	}

	private hash(send: OrderedSend): string {
		return hashContent(contentOf(send), this.ledger.hashKey);
	}

	private async idOf({ send, origin }: OrderedCall): Promise<string> {
		if (send.transactionId !== undefined) return send.transactionId;
		const before = origin.isRetry ? this.originHash(send, origin) : undefined;
		const earlier = before && (await this.ledger.findByOrigin(send.chat.server, before));
		return earlier ? earlier.id : `auto-${this.hashOrigin(send, origin, origin.executionId).slice(0, 32)}`;
	}

	/** By this n8n's Retry button finds the earlier transaction; only the execution's start makes it unmistakable. */
	private originHash(send: OrderedSend, origin: Origin): string | undefined {
		return origin.startedAt === undefined ? undefined : this.hashOrigin(send, origin, '');
	}

	private hashOrigin(send: OrderedSend, { instanceId, workflowId, nodeId, startedAt, runIndex, item }: Origin, executionId: string): string {
		return keyedHash(JSON.stringify([instanceId, workflowId, nodeId, executionId, startedAt, runIndex, item, contentOf(send)]), this.ledger.hashKey);
	}

	/** Waits for the same transaction, where it runs in this process, and keeps others from running it meanwhile. */
	private async alone(access: ServerAccess, id: string, run: () => Promise<Outcome>): Promise<Outcome> {
		const key = keyOf({ id, chat: { server: serverAddress(access.baseUrl) } });
		for (let other = this.running.get(key); other; other = this.running.get(key)) await other;
		return await this.asRunning(key, run());
	}

	private async asRunning(key: string, work: Promise<Outcome>): Promise<Outcome> {
		this.running.set(key, work.catch(() => {}));
		try {
			return await work;
		} finally {
			this.running.delete(key);
		}
	}

	/** `tickets` are the places of its group that are not served yet, its own among them. */
	private async runOne(prepared: Prepared, tickets: Group['tickets'], options: RunOptions): Promise<Outcome> {
		const { call, id } = prepared;
		const key = keyOf({ id, chat: call.send.chat });
		// asked anew after each wait, with nothing awaited before it is marked as running: only one of many goes on
		for (let other = this.running.get(key); other; other = this.running.get(key)) {
			const failure = await this.standAside(other, call.send.queueTimeoutMs, tickets, options);
			if (failure) return { transaction: await this.ledger.find(call.send.chat.server, id), replayed: false, failure };
		}
		return await this.asRunning(key, this.runOpened(prepared, tickets, options));
	}

	/**
	 * Waits until the same transaction, running elsewhere, has ended. The group's places are given up meanwhile, or the
	 * two could wait for each other; they are taken again together, so that no later one blocks an earlier one.
	 */
	private async standAside(other: Promise<unknown>, timeoutMs: number, tickets: Group['tickets'], { signal }: RunOptions): Promise<Failure | undefined> {
		for (const ticket of tickets.values()) ticket.leave();
		try {
			await waitFor(other, timeoutMs, signal);
			return undefined;
		} catch (error) {
			return only(error, OrderedSendError).failure;
		} finally {
			for (const one of tickets.keys()) tickets.set(one, this.takeTicket(one));
		}
	}

	private async runOpened(prepared: Prepared, tickets: Group['tickets'], options: RunOptions): Promise<Outcome> {
		const { call, id, chat } = prepared;
		const { send } = call;
		const ticket = tickets.get(prepared) as Ticket;
		const { transaction, created } = await this.ledger.open(this.newTransaction(call, id, chat));
		refuseOtherContent(id, contentOf(send), transaction.content, this.ledger.hashKey);
		if (hasEndedForGood(transaction)) {
			ticket.leave();
			return await recordedOutcome(this.shared, transaction, send, options);
		}
		const retake = (recorded: Transaction) => {
			const again = this.takeTicket({ ...prepared, recorded });
			tickets.set(prepared, again);
			return again;
		};
		return await runTurns(this.shared, { transaction, chat, created, send, ticket }, retake, options);
	}

	private newTransaction({ send, origin }: OrderedCall, id: string, chat: Chat): Transaction {
		const originHash = send.transactionId === undefined ? this.originHash(send, origin) : undefined;
		return {
			id,
			chat,
			status: 'open',
			content: this.hash(send),
			...(originHash ? { origin: originHash } : {}),
			definition: send.definition,
			steps: plannedSteps(send.definition),
			failedForGood: false,
			duplicatePossible: false,
			queue: { ticket: 0, waitedMs: 0, late: false, fence: 0 },
			owner: this.lanes.owner,
			createdAt: Date.now(),
		};
	}

	private async pruneWhenDue(): Promise<void> {
		const now = Date.now();
		if (now < this.pruneDueAt) return;
		this.pruneDueAt = now + this.settings.pruneEveryMs;
		// housekeeping that fails is tried again later, and never hides what became of the messages
		await this.ledger.prune(now - this.settings.keepMs).catch(() => {});
	}
}

/** The check of all calls failed for one of them: nothing was sent for any. */
export class CheckFailedError extends Error {
	constructor(
		readonly reason: OrderedSendError,
		readonly index: number,
	) {
		super(reason.message);
		this.name = 'CheckFailedError';
	}
}

/** What a call gets that was not begun since an earlier one failed, or the execution was cancelled. */
export const notStarted: Failure = { code: 'notStarted', message: 'Not begun, since the execution was cancelled' };

/** Also for what should not happen: one call's bug must not end the others, which hold their places. */
function toOutcome(error: unknown): Outcome {
	return { replayed: false, failure: failureOf(error) };
}

/** Checks one after the other; what is refused is thrown, or with "continue" becomes the call's outcome. */
async function checkEach<In extends { index: number }, Out>(all: In[], check: (one: In) => Promise<Out>, outcomes: Outcome[], { stopOnFailure }: RunOptions): Promise<Out[]> {
	const passed: Out[] = [];
	for (const one of all) {
		const refused = await check(one).then(
			(result) => void passed.push(result),
			(error: unknown) => only(error, OrderedSendError),
		);
		if (refused && stopOnFailure) throw new CheckFailedError(refused, one.index);
		if (refused) outcomes[one.index] = { replayed: false, failure: refused.failure };
	}
	return passed;
}

function groupByChat(prepared: Prepared[]): Prepared[][] {
	return [...Map.groupBy(prepared, ({ chat }) => JSON.stringify([chat.server, chat.instance, chat.recipient])).values()];
}

function keyInLane({ call, id, recorded }: Prepared): OrderKey {
	const { executionId } = call.origin;
	return orderKeyOf(call.send, id, /^\d+$/.test(executionId) ? Number(executionId) : undefined, recorded);
}

function asInLane(group: Prepared[]): Prepared[] {
	const places = group.map((one, arrival) => ({ one, key: keyInLane(one), arrival }));
	return places.sort(compare).map(({ one }) => one);
}

function refuseOtherContent(id: string, content: Record<string, string>, recorded: string, key: string): void {
	const differs = differingPart(content, recorded, key);
	if (differs) throw new TransactionConflictError(id, differs);
}

/** Waits until the same transaction, running elsewhere in this process, has ended. */
async function waitFor(other: Promise<unknown>, timeoutMs: number, signal?: AbortSignal): Promise<void> {
	const { promise, resolve, reject } = Promise.withResolvers<void>();
	const timer = setTimeout(() => reject(new StillRunningError(timeoutMs / 1000)), timeoutMs);
	const onAbort = () => reject(new CancelledError());
	signal?.addEventListener('abort', onAbort, { once: true });
	void other.then(() => resolve());
	try {
		if (signal?.aborted) throw new CancelledError();
		await promise;
	} finally {
		clearTimeout(timer);
		signal?.removeEventListener('abort', onAbort);
	}
}

function keyOf({ chat, id }: { chat: Pick<Chat, 'server'>; id: string }): string {
	return JSON.stringify([chat.server, id]);
}
