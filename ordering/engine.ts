// The engine: takes checked calls, keeps the ledger and the lanes, and gives each call its outcome.
import pMap from 'p-map';
import type { EgressFilter } from '../evolution/http';
import { only } from '../evolution/only';
import { type ServerAccess, serverAddress } from '../evolution/server';
import { MessageBuffer } from './buffer/buffer';
import { impossibleStep } from './channels';
import { Connections } from './connections';
import { CancelledError, type Failure, failureOf, OrderedSendError, StillRunningError, TransactionConflictError, UnknownTransactionError } from './errors';
import { EmbeddedLanes } from './lanes/embedded';
import type { Lanes, OrderKey, ReadLaneRecord, Ticket } from './lanes/lanes';
import { compare } from './lanes/order';
import type { Ledger } from './ledger/ledger';
import { listAll, listUpTo } from './log/list';
import { type ChatRequest, type ListRequest, transactionStatuses } from './log/request';
import type { WaitEnd } from './receipts/waits';
import { SqliteLedger } from './ledger/sqlite';
import { contentOf, differingPart, hashContent, keyedHash } from './content';
import type { OrderedSend } from './orderedSend';
import { giveUp, type RecoveryCall, type Recovered, recover, resume, takeBack } from './recovery';
import { defaultSettings, type Settings } from './settings';
import { type Chat, hasEndedForGood, plannedSteps, type Transaction } from './transaction';
import { type Verification, verifyOrder } from './verify/verify';
import { goOn, type Outcome, orderKeyOf, Parked, recordedOutcome, runTurns, type Shared } from './turns';

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
	/** Its place in the lane, once that is taken. */
	ticket?: Ticket;
}

/** One execution's calls. */
interface Batch {
	outcomes: Outcome[];
	options: RunOptions;
	/** Whether a failure keeps the others from starting. */
	stopped: boolean;
}

/** Its calls to one chat. */
interface Group {
	batch: Batch;
	/** Those that have not had their turn. */
	calls: Prepared[];
	/** The one that waits, and which of the batch it is. */
	parked?: Parked;
	index: number;
}

export class Engine {
	/** Makes one item of the quick messages of a chat. */
	readonly buffer: MessageBuffer;
	private readonly ledger: Ledger;
	private readonly lanes: Lanes;
	private readonly connections: Connections;
	private readonly settings: Settings;
	private readonly running = new Running();
	private pruneDueAt = 0;

	private constructor(private readonly shared: Shared) {
		({ ledger: this.ledger, lanes: this.lanes, connections: this.connections, settings: this.settings } = shared);
		this.buffer = new MessageBuffer(this.ledger.buffered, this.lanes, this.settings.buffer);
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
		const batch: Batch = { outcomes: calls.map(() => notBegun), options, stopped: false };
		const groups = await this.begin(calls, batch);
		// returned without being awaited: nothing of this function is in memory while its chains wait
		return groups.length === 1 ? this.runGroup(groups[0] as Group) : this.runGroups(groups, batch);
	}

	/** Finishes, closes or reports what dead processes left unfinished on one server. */
	async recover(call: RecoveryCall): Promise<Recovered[]> {
		return await recover(this.shared, ({ chat, id }) => this.running.has(chat.server, id), call);
	}

	/** Goes on with a transaction that stopped, at its open step. */
	async resume(id: string, call: RecoveryCall): Promise<Outcome> {
		return await this.alone(call, id, () => resume(this.shared, id, call));
	}

	/** Ends a transaction for good, so that it holds nothing and can't go on. */
	async giveUp(id: string, call: RecoveryCall): Promise<Outcome> {
		return await this.alone(call, id, () => giveUp(this.shared, id, call));
	}

	/** Deletes for everyone what a transaction has sent, where its channel can; it can't go on after that. */
	async compensate(id: string, call: RecoveryCall): Promise<Outcome> {
		return await this.alone(call, id, () => takeBack(this.shared, id, call));
	}

	/** What is on record of one transaction. Throws {@link UnknownTransactionError}. */
	async get({ baseUrl }: ServerAccess, id: string): Promise<Transaction> {
		const server = serverAddress(baseUrl);
		const found = await this.ledger.find(server, id);
		if (!found) throw new UnknownTransactionError(id, server);
		return found;
	}

	/** What is on record; without a limit all of it, or a {@link TooManyTransactionsError}. */
	async list({ listing, limit }: ListRequest): Promise<Transaction[]> {
		return limit === undefined ? await listAll(this.ledger, listing) : await listUpTo(this.ledger, listing, limit);
	}

	/** A chat's transactions within a time, oldest first. Throws as {@link list}. */
	async listChat({ server, instance, recipient, from, to }: ChatRequest): Promise<Transaction[]> {
		return await listAll(this.ledger, { server, recipient: { instance, jid: recipient.jid }, statuses: transactionStatuses, from, to, order: 'oldestFirst' });
	}

	/** Compares a chat's records, as {@link verifyOrder}. */
	async verify(request: ChatRequest, means: Pick<RunOptions, 'signal' | 'egress'>): Promise<Verification> {
		const { ledger, settings } = this;
		return await verifyOrder({ ...means, ledger, settings, server: this.connections.serverOf(request.access) }, request);
	}

	/** Deletes what ended before `before` (ms since 1970) at one server, as {@link Ledger.pruneEnded}; tells how many. */
	async prune(server: string, before: number): Promise<number> {
		return await this.ledger.pruneEnded(server, before, Date.now());
	}

	async close(): Promise<void> {
		await this.buffer.close();
		await this.lanes.close();
		await this.ledger.close();
		this.connections.close();
	}

	/** Checks all calls, and takes the places of the first groups. What is refused has its outcome, or is thrown. */
	private async begin(calls: OrderedCall[], batch: Batch): Promise<Group[]> {
		const { outcomes, options } = batch;
		const ids = new Map<string, OrderedCall>();
		const prepared = await checkEach(calls.map((call, index) => ({ call, index })), (one) => this.prepare(one, ids), outcomes, options);
		const groups = groupByChat(prepared).map((group): Group => ({ batch, calls: asInLane(group), parked: undefined, index: -1 }));
		try {
			// before anything that takes time: who comes first has the first place
			for (const group of groups.slice(0, this.settings.chatsAtOnce)) this.takeTickets(group);
			const possible = new Set(await checkEach(prepared, (one) => this.refuseImpossible(one, options), outcomes, options));
			for (const group of groups) for (const one of group.calls.filter((call) => !possible.has(call))) takeOut(group, one);
			return groups;
		} catch (error) {
			for (const { ticket } of prepared) ticket?.leave();
			return Promise.reject(error as Error);
		}
	}

	private async runGroups(groups: Group[], { outcomes }: Batch): Promise<Outcome[]> {
		await pMap(groups, (group) => this.runGroup(group), { concurrency: this.settings.chatsAtOnce });
		return outcomes;
	}

	/**
	 * Runs the calls of one chat, one after the other; `end` is that of the wait of the one that is parked. While it
	 * waits, only a callback is in memory of the way to there: a loop that awaits would be twice as much.
	 */
	private async runGroup(group: Group, end?: WaitEnd | Error): Promise<Outcome[]> {
		await this.untilNextWait(group, end);
		if (!group.parked) return group.batch.outcomes;
		const goOn = (next?: WaitEnd | Error) => this.runGroup(group, next);
		return group.parked.over.then(goOn, goOn);
	}

	/** Goes on until one of the group's calls waits, or all have ended. */
	private async untilNextWait(group: Group, end?: WaitEnd | Error): Promise<void> {
		const { batch, calls, parked } = group;
		group.parked = undefined;
		if (parked) this.take(group, await this.goOn(parked, end, batch.options));
		else this.takeTickets(group);
		while (calls[0] && !group.parked && !batch.stopped && !batch.options.signal?.aborted) {
			group.index = calls[0].index;
			const now = await this.runFirst(group).catch(toOutcome);
			if (now instanceof Parked) calls.shift(); // goes on holding its place
			else takeOut(group, calls[0]);
			this.take(group, now);
		}
		if (group.parked) return;
		for (const { ticket } of calls) ticket?.leave();
		await this.pruneWhenDue();
	}

	private take(group: Group, now: Outcome | Parked): void {
		if (now instanceof Parked) {
			group.parked = now;
			return;
		}
		group.batch.outcomes[group.index] = now;
		if (now.failure && group.batch.options.stopOnFailure) group.batch.stopped = true;
	}

	/**
	 * All places of a group are taken at once: nobody else's message comes between those of one execution. They are
	 * served as they stand in the lane, or one would wait for the other.
	 */
	private takeTickets({ calls }: Group): void {
		for (const one of calls) one.ticket ??= this.takeTicket(one);
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
		const chat = await this.ledger.linkedChat(recorded?.chat ?? send.chat);
		return { call, index, id, chat: chat.recipient === send.chat.recipient ? send.chat : chat, recorded };
	}

	private async refuseImpossible(one: Prepared, { signal, egress }: RunOptions): Promise<Prepared> {
		const { send } = one.call;
		const impossible = one.recorded ? undefined : await impossibleStep({ server: this.connections.serverOf(send.access), send, signal, egress });
		if (impossible) throw impossible;
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
	private async alone({ access, queueTimeoutMs, signal }: RecoveryCall, id: string, run: () => Promise<Outcome>): Promise<Outcome> {
		const server = serverAddress(access.baseUrl);
		for (let other = this.running.ended(server, id); other; other = this.running.ended(server, id)) await waitFor(other, queueTimeoutMs, signal);
		this.running.begin(server, id);
		try {
			return await run();
		} finally {
			this.running.end(server, id);
		}
	}

	/** Runs the first call of a group to its end, or until it waits. */
	private async runFirst({ calls, batch: { options } }: Group): Promise<Outcome | Parked> {
		const first = calls[0] as Prepared;
		const { call, id } = first;
		const { server } = call.send.chat;
		// asked anew after each wait, with nothing awaited before it is marked as running: only one of many goes on
		for (let other = this.running.ended(server, id); other; other = this.running.ended(server, id)) {
			const failure = await this.standAside(other, call.send.queueTimeoutMs, calls, options);
			if (failure) return { transaction: await this.ledger.find(server, id), replayed: false, failure };
		}
		this.running.begin(server, id);
		return await this.untilItWaits(server, id, this.runOpened(first, options));
	}

	private async goOn(parked: Parked, end: WaitEnd | Error | undefined, options: RunOptions): Promise<Outcome | Parked> {
		return await this.untilItWaits(parked.chat.server, parked.id, goOn(this.shared, parked, end, options));
	}

	/** One that ends runs no more, one that waits does. */
	private async untilItWaits(server: string, id: string, work: Promise<Outcome | Parked>): Promise<Outcome | Parked> {
		const now = await work.catch(toOutcome);
		if (!(now instanceof Parked)) this.running.end(server, id);
		return now;
	}

	/**
	 * Waits until the same transaction, running elsewhere, has ended. The group's places are given up meanwhile, or the
	 * two could wait for each other; they are taken again together, so that no later one blocks an earlier one.
	 */
	private async standAside(other: Promise<unknown>, timeoutMs: number, group: Prepared[], { signal }: RunOptions): Promise<Failure | undefined> {
		for (const { ticket } of group) ticket?.leave();
		try {
			await waitFor(other, timeoutMs, signal);
			return undefined;
		} catch (error) {
			return only(error, OrderedSendError).failure;
		} finally {
			for (const one of group) one.ticket = this.takeTicket(one);
		}
	}

	private async runOpened(prepared: Prepared, options: RunOptions): Promise<Outcome | Parked> {
		const { call, id, chat } = prepared;
		const { send } = call;
		const { transaction } = await this.ledger.open(this.newTransaction(call, id, chat));
		refuseOtherContent(id, contentOf(send), transaction.content, this.ledger.hashKey);
		if (!hasEndedForGood(transaction)) return await runTurns(this.shared, { id, transaction, chat, endsInQueue: true, send, execution: executionOf(call), ticket: prepared.ticket }, options);
		prepared.ticket?.leave();
		return await recordedOutcome(this.shared, transaction, send, options);
	}

	private newTransaction(call: OrderedCall, id: string, chat: Chat): Transaction {
		const { send, origin } = call;
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
			order: orderOf(call),
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

const notBegun: Outcome = { replayed: false, failure: notStarted };

function takeOut({ calls }: Group, one: Prepared): void {
	one.ticket?.leave();
	calls.splice(calls.indexOf(one), 1);
}

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
	return orderKeyOf(call.send, id, executionOf(call), recorded);
}

function orderOf(call: OrderedCall): Transaction['order'] {
	const { priority, definition } = call.send;
	const execution = executionOf(call);
	return { priority, ...(definition.sequence ? { sequence: definition.sequence.number } : {}), ...(execution === undefined ? {} : { execution }) };
}

/** What it is sorted by: the caller's own key goes before n8n's count. */
function executionOf({ send: { orderKey }, origin: { executionId } }: OrderedCall): number | undefined {
	if (orderKey !== undefined) return orderKey;
	return /^\d+$/.test(executionId) ? Number(executionId) : undefined;
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

/** The transactions that run in this process. */
class Running {
	/** By server, then by ID; there is a promise only where somebody waits for the end. */
	private readonly marks = new Map<string, Map<string, PromiseWithResolvers<void> | undefined>>();

	has(server: string, id: string): boolean {
		return this.marks.get(server)?.has(id) ?? false;
	}

	/** Resolves when it has ended; undefined where it does not run. */
	ended(server: string, id: string): Promise<void> | undefined {
		const ofServer = this.marks.get(server);
		if (!ofServer?.has(id)) return undefined;
		const end = ofServer.get(id) ?? Promise.withResolvers<void>();
		ofServer.set(id, end);
		return end.promise;
	}

	begin(server: string, id: string): void {
		const ofServer = this.marks.get(server) ?? new Map<string, undefined>();
		ofServer.set(id, undefined);
		this.marks.set(server, ofServer);
	}

	end(server: string, id: string): void {
		const ofServer = this.marks.get(server);
		const end = ofServer?.get(id);
		ofServer?.delete(id);
		end?.resolve();
	}
}
