// The engine: takes checked calls, keeps the ledger, the lanes and the pollers, and gives each call its outcome.
import pMap from 'p-map';
import { type EgressFilter, HttpClient } from '../evolution/http';
import { only } from '../evolution/only';
import { EvolutionServer } from '../evolution/server';
import { waitProblem } from './channels';
import { CancelledError, cancelledFailure, type Failure, ImpossibleWaitError, OrderedSendError, StillRunningError, TransactionConflictError } from './errors';
import { EmbeddedLanes } from './lanes/embedded';
import type { Grant, Lanes, Ticket } from './lanes/lanes';
import type { Ledger } from './ledger/ledger';
import { SqliteLedger } from './ledger/sqlite';
import { contentOf, differingPart, hashContent, keyedHash, type OrderedSend } from './orderedSend';
import { ReceiptPoller } from './receipts/poller';
import { closeTransaction, interruptedEnd, runSteps, settleEarlier } from './run';
import { defaultSettings, type Settings } from './settings';
import type { Run } from './steps/step';
import { AttemptFailed, retrying } from './steps/retry';
import { toResult } from './result';
import { type Chat, hasEndedForGood, plannedSteps, type Transaction } from './transaction';
import { callWebhook, webhookId } from './webhookCall';

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

/** Exactly one of `transaction` and `error` is missing, or both are there where a recorded transaction failed. */
export interface Outcome {
	transaction?: Transaction;
	replayed: boolean;
	/** Set for everything that is no success. */
	failure?: Failure;
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
	/** Whether the ledger does not know it yet. */
	isNew: boolean;
}

/** The calls of one chat, with their places in its lane once these are taken. */
interface Group {
	group: Prepared[];
	tickets: Map<Prepared, Ticket>;
}

export class Engine {
	private readonly lanes: Lanes;
	private readonly servers = new Map<string, EvolutionServer>();
	private readonly pollers = new Map<string, ReceiptPoller>();
	private readonly http = new HttpClient();
	/** Transactions that run in this process, by server and ID. */
	private readonly running = new Map<string, Promise<unknown>>();
	private pruneDueAt = 0;

	private constructor(
		private readonly ledger: Ledger,
		private readonly settings: Settings,
	) {
		this.lanes = new EmbeddedLanes((chat) => ledger.highestFence(chat));
	}

	/** Opens the embedded ledger in `folder` and closes what died before it began. Throws as {@link SqliteLedger.open}. */
	static async open(folder: string, settings: Partial<Settings> = {}): Promise<Engine> {
		return await Engine.on(SqliteLedger.open(folder), settings);
	}

	/** Takes over an open ledger, which the engine closes at its end. */
	static async on(ledger: Ledger, settings: Partial<Settings> = {}): Promise<Engine> {
		for (const transaction of await ledger.neverBegun(Date.now())) {
			if (!transaction.definition) continue;
			closeTransaction(transaction, transaction.definition, interruptedEnd(transaction));
			await ledger.save(transaction);
		}
		return new Engine(ledger, { ...defaultSettings, ...settings });
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
		const groups = groupByChat(prepared).map((group): Group => ({ group, tickets: new Map() }));
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

	async close(): Promise<void> {
		await this.ledger.close();
		for (const server of this.servers.values()) server.close();
		this.http.close();
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

	/** All places of a group are taken at once: nobody else's message comes between those of one execution. */
	private takeTickets({ group, tickets }: Group): void {
		for (const one of group) if (!tickets.has(one)) tickets.set(one, this.takeTicket(one));
	}

	private takeTicket({ call, chat }: Prepared): Ticket {
		const { executionId } = call.origin;
		return this.lanes.take(chat, { priority: call.send.priority, ...(/^\d+$/.test(executionId) ? { execution: Number(executionId) } : {}) });
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
		return { call, index, id, chat: await this.ledger.linkedChat(recorded?.chat ?? send.chat), isNew: !recorded };
	}

	private async refuseImpossibleWait(one: Prepared, { signal, egress }: RunOptions): Promise<Prepared> {
		const { send } = one.call;
		const { waitFor } = send.definition;
		if (!one.isNew || waitFor === 'accepted' || waitFor === 'delay') return one;
		const problem = await waitProblem({ server: this.serverOf(send), send, signal, egress }, waitFor);
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

	/** `tickets` are the places of its group that are not served yet, its own among them. */
	private async runOne(prepared: Prepared, tickets: Group['tickets'], options: RunOptions): Promise<Outcome> {
		const { call, id } = prepared;
		const key = JSON.stringify([call.send.chat.server, id]);
		// asked anew after each wait, with nothing awaited before it is marked as running: only one of many goes on
		for (let other = this.running.get(key); other; other = this.running.get(key)) {
			const failure = await this.standAside(other, call.send.queueTimeoutMs, tickets, options);
			if (failure) return { transaction: await this.ledger.find(call.send.chat.server, id), replayed: false, failure };
		}
		const work = this.runOpened(prepared, tickets.get(prepared) as Ticket, options);
		this.running.set(key, work.catch(() => {}));
		try {
			return await work;
		} finally {
			this.running.delete(key);
		}
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

	private async runOpened(prepared: Prepared, ticket: Ticket, options: RunOptions): Promise<Outcome> {
		const { call, id, chat } = prepared;
		const { send } = call;
		const { transaction: opened, created } = await this.ledger.open(this.newTransaction(call, id, chat));
		refuseOtherContent(id, contentOf(send), opened.content, this.ledger.hashKey);
		if (hasEndedForGood(opened)) {
			ticket.leave();
			return await this.recorded(opened, send, options);
		}
		let grant: Grant;
		try {
			grant = await ticket.turn(send.queueTimeoutMs, options.signal);
		} catch (error) {
			return await this.endInQueue(opened, opened.definition ?? send.definition, created, error, send, options);
		}
		try {
			// read again: whoever had the lane meanwhile may have settled it
			const transaction = (await this.ledger.find(send.chat.server, id)) ?? opened;
			if (hasEndedForGood(transaction)) return await this.recorded(transaction, send, options);
			const { settled, failure } = await this.runInLane(transaction, chat, send, grant, options);
			grant.release();
			for (const one of [...settled, transaction]) await this.finishErrorCallback(one, send, options);
			return { transaction, replayed: false, failure: failure ?? transaction.failure };
		} finally {
			grant.release();
		}
	}

	private async recorded(transaction: Transaction, send: OrderedSend, options: RunOptions): Promise<Outcome> {
		await this.finishErrorCallback(transaction, send, options);
		return { transaction, replayed: true, failure: transaction.failure };
	}

	/** Changes `transaction` as it goes. A failure of its own is the ledger's, or a bug: then the transaction is not ended. */
	private async runInLane(transaction: Transaction, chat: Chat, send: OrderedSend, grant: Grant, options: RunOptions): Promise<{ settled: Transaction[]; failure?: Failure }> {
		const { ticket, waitedMs, late, fence } = grant;
		transaction.chat = chat; // an answer may have told meanwhile that WhatsApp calls it by another name
		transaction.queue = { ticket, waitedMs, late, fence };
		const run = this.means(transaction, transaction.definition ?? send.definition, send, grant, options);
		let settled: Transaction[] = [];
		try {
			settled = await settleEarlier(run, transaction);
			await runSteps(run);
			return { settled };
		} catch (error) {
			// what is known in memory is the truth about what was sent
			transaction.status = 'failed';
			return { settled, failure: failureOf(error) };
		}
	}

	/** A new transaction that never had its turn is recorded as such; one that had run before stays as it was. */
	private async endInQueue(transaction: Transaction, definition: Run['definition'], created: boolean, error: unknown, send: OrderedSend, options: RunOptions): Promise<Outcome> {
		const { failure } = only(error, OrderedSendError);
		const cancelled = error instanceof CancelledError;
		if (created) {
			closeTransaction(transaction, definition, cancelled ? { status: 'cancelled', failure: cancelledFailure } : { status: 'failed', failure });
			await this.ledger.save(transaction);
			await this.finishErrorCallback(transaction, send, options);
		}
		return { transaction, replayed: false, failure };
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
			createdAt: Date.now(),
		};
	}

	private means(transaction: Transaction, definition: Run['definition'], send: OrderedSend, grant: Grant, { signal, egress }: RunOptions): Run {
		return {
			transaction,
			definition,
			send,
			server: this.serverOf(send),
			poller: this.pollerOf(send.chat.server),
			http: this.http,
			ledger: this.ledger,
			settings: this.settings,
			signal,
			egress,
			othersWaiting: () => grant.waiting(),
			save: () => this.ledger.save(transaction),
		};
	}

	private serverOf({ access, chat }: OrderedSend): EvolutionServer {
		const key = JSON.stringify([chat.server, access.apiKey, access.ignoreSslIssues ?? false]);
		const server = this.servers.get(key) ?? new EvolutionServer(access);
		this.servers.set(key, server);
		return server;
	}

	private pollerOf(server: string): ReceiptPoller {
		const poller = this.pollers.get(server) ?? new ReceiptPoller(this.settings.poll);
		this.pollers.set(server, poller);
		return poller;
	}

	/**
	 * Tells the error callback of a failure, after the lane is free. Its own failure is recorded beside the first one and
	 * never hides it. It is made even when the execution was cancelled, since that may have been n8n's time-out.
	 */
	private async finishErrorCallback(transaction: Transaction, send: OrderedSend, { egress }: RunOptions): Promise<void> {
		const callback = transaction.errorCallback;
		if (!callback || callback.status !== 'pending' || !transaction.failure) return;
		const { attempts, requestTimeoutMs, errorCallbackUrl } = send.definition;
		const signs = callback.url === errorCallbackUrl; // one that this call settles may have another receiver, with another secret
		const body = JSON.stringify({ event: 'transaction.failed', ...toResult({ ...transaction, errorCallback: undefined }, false) });
		try {
			const answer = await retrying(attempts, this.settings, undefined, () => {
				callback.attempts += 1;
				return callWebhook(this.http, { url: callback.url, method: 'POST', body, id: webhookId(transaction.id, 'error'), headers: [], signingSecret: signs ? send.webhookSecrets.signingSecret : undefined, timeoutMs: requestTimeoutMs, egress });
			});
			Object.assign(callback, { status: 'done', statusCode: answer.statusCode });
		} catch (error) {
			const { statusCode, failure } = only(error, AttemptFailed);
			Object.assign(callback, { status: 'failed', statusCode, error: failure });
		}
		// a replay that has gone on meanwhile records its own end; where the ledger fails, the first failure is still what is told
		await this.ledger.save(transaction).catch((error: unknown) => only(error, OrderedSendError));
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

function failureOf(error: unknown): Failure {
	return error instanceof OrderedSendError ? error.failure : { code: unexpected, message: (error as Error).message };
}

/** Something broke that should not: the one failure without a transaction of which it isn't known whether it sent. */
export const unexpected = 'unexpected';

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
