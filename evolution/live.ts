// Live receipts of one instance: EvolutionAPI's socket.io events, as far as they tell how a message fares.
import http from 'node:http';
import https from 'node:https';
import { isRecord } from './answers';
import type { EgressFilter } from './http';
import { type Receipt, toReceipt } from './receipt';

/** Durations in ms. */
export interface LiveTimes {
	/** How long the connection is kept after the last one who followed it. */
	keepMs: number;
	/** The first pause before another try, doubled each time up to `mostRetryMs`. */
	firstRetryMs: number;
	mostRetryMs: number;
	/** How long no live events are tried after they turned out not to work, doubled each time up to `mostOffMs`. */
	offMs: number;
	mostOffMs: number;
}

export const defaultLiveTimes: LiveTimes = { keepMs: 180_000, firstRetryMs: 250, mostRetryMs: 30_000, offMs: 60_000, mostOffMs: 600_000 };

/** Where to connect, and with what. */
export interface LiveAddress {
	/** The server's address, without user, query and fragment. */
	address: string;
	instance: string;
	/** Holds the key. In the query it would stand in the logs of proxies. */
	headers: Record<string, string>;
	ignoreSslIssues?: boolean;
	/** Sees to it that the server emits the events; false where it does not, or where the filter forbids the address. */
	prepare(egress?: EgressFilter): Promise<boolean>;
}

export interface LiveFollower {
	/** Tells whether somebody waited for it. */
	onReceipt(messageId: string, receipt: Receipt): boolean;
	/** A connection stands, or is lost. What happened in between, no event tells. */
	onChange(): void;
}

/** Receipts that came before anybody asked for them are kept so long, in ms, and for so many messages. */
const recentMs = 120_000;
const mostRecent = 1000;

/** A connection that stood is tried again so often before it is given up for a while. */
const mostFailures = 7;

/** However often a new try seems worth it. */
const soonestAgainMs = 1000;

const connectWithinMs = 10_000;

/** As socket.io's server answers until it has emitted the instance's first event. */
const notYetThere = 'Invalid namespace';

/**
 * One connection for all who follow it, made when the first comes. Of an event nothing but the message's ID and its
 * receipt is taken: each event holds the instance's API key.
 *
 * WebSocket only. The library's long polling would follow a redirect with the key to any host, past n8n's egress filter.
 */
export class LiveReceipts {
	/** Since when a connection has stood, by `performance.now()`; undefined while there is none. */
	connectedSince?: number;
	private readonly times: LiveTimes;
	private readonly followers = new Set<LiveFollower>();
	private readonly recent = new Map<string, { receipts: Receipt[]; at: number }>();
	/** What is connected, or about to be. */
	private connection?: { close(): void };
	private timer?: NodeJS.Timeout;
	private egress?: EgressFilter;
	private retryMs: number;
	private offMs: number;
	private failures = 0;
	private triedAt = -Infinity;
	/** Live events are not tried before this. */
	private offUntil = 0;

	constructor(
		private readonly where: LiveAddress,
		times: Partial<LiveTimes> = {},
	) {
		this.times = { ...defaultLiveTimes, ...times };
		this.retryMs = this.times.firstRetryMs;
		this.offMs = this.times.offMs;
	}

	/** Returns how to stop. The connection is kept a while longer. */
	follow(follower: LiveFollower, egress?: EgressFilter): () => void {
		this.egress = egress ?? this.egress;
		this.followers.add(follower);
		if (this.followers.size === 1) {
			clearTimeout(this.timer);
			if (!this.connection) this.connectAfter(Math.max(0, this.offUntil - performance.now()));
		}
		return () => {
			if (!this.followers.delete(follower) || this.followers.size > 0) return;
			this.after(this.times.keepMs, () => this.close());
		};
	}

	/** What events have told of a message lately, in the order in which they came. */
	toldOf(messageId: string): Receipt[] {
		return this.recent.get(messageId)?.receipts ?? [];
	}

	/** A receipt is on record of which no event came, though a connection stood: events are not to be relied on here. */
	missedOne(): void {
		this.giveUp();
	}

	/** A receipt is on record, so its event has made the namespace, probably: worth a try before its time. */
	namespaceIsThere(): void {
		const now = performance.now();
		if (this.connection || this.failures > 0 || this.offUntil > now || this.followers.size === 0 || now - this.triedAt < soonestAgainMs) return;
		this.connectAfter(0);
	}

	close(): void {
		clearTimeout(this.timer);
		this.followers.clear();
		this.disconnect();
	}

	private connectAfter(ms: number): void {
		this.after(ms, () => void this.connect());
	}

	/** Waiting for live events keeps no process alive. */
	private after(ms: number, run: () => void): void {
		clearTimeout(this.timer);
		this.timer = setTimeout(run, ms).unref();
	}

	private async connect(): Promise<void> {
		this.triedAt = performance.now();
		const preparing = { close() {} };
		this.connection = preparing;
		const possible = await this.where.prepare(this.egress);
		const library = possible ? await import('socket.io-client') : undefined;
		if (this.connection !== preparing) return; // closed meanwhile
		if (library) this.open(library);
		else this.failed();
	}

	private open({ Manager }: typeof import('socket.io-client')): void {
		const { protocol, host, pathname } = new URL(this.where.address);
		const agent = this.agentFor(protocol);
		const manager = new Manager(`${protocol}//${host}`, {
			path: `${pathname.replace(/\/+$/, '')}/socket.io`,
			transports: ['websocket'],
			extraHeaders: this.where.headers,
			agent: agent as never, // typed for browsers; in Node it goes to `ws`
			rejectUnauthorized: !this.where.ignoreSslIssues,
			timeout: connectWithinMs,
			autoConnect: false,
			autoUnref: true,
			reconnection: false, // a namespace that is not there is not tried again by the library
		});
		const socket = manager.socket(`/${this.where.instance}`);
		const connection = { close: () => { socket.removeAllListeners(); manager._close(); agent.destroy(); } };
		this.connection = connection;
		const ifCurrent = (run: () => void) => () => { if (this.connection === connection) run(); };
		socket.on('connect', ifCurrent(() => this.connected()));
		socket.on('connect_error', ({ message }) => ifCurrent(() => (message === notYetThere ? this.tryAgain() : this.failed()))());
		socket.on('disconnect', ifCurrent(() => this.failed()));
		socket.on('messages.update', (event: unknown) => ifCurrent(() => this.take(event))());
		socket.connect();
	}

	/** As the HTTP client's: proxies by the environment, and n8n's look-up, which refuses private addresses. */
	private agentFor(protocol: string): http.Agent {
		const lookup = this.egress?.createSecureLookup();
		const options = { proxyEnv: process.env, rejectUnauthorized: !this.where.ignoreSslIssues, ...(lookup ? { lookup } : {}) };
		return protocol === 'https:' ? new https.Agent(options) : new http.Agent(options);
	}

	private connected(): void {
		this.connectedSince = performance.now();
		this.failures = 0;
		this.retryMs = this.times.firstRetryMs;
		this.tellChange();
	}

	/** A connection that had stood is worth some tries; one that never stood will not stand soon. */
	private failed(): void {
		const stood = this.connectedSince !== undefined || this.failures > 0;
		this.failures += 1;
		if (stood && this.failures <= mostFailures) this.tryAgain();
		else this.giveUp();
	}

	private tryAgain(): void {
		this.disconnect();
		if (this.followers.size === 0) return;
		this.connectAfter(this.retryMs * (0.75 + Math.random() / 2)); // many clients of one server that restarts must not come at once
		this.retryMs = Math.min(this.retryMs * 2, this.times.mostRetryMs);
	}

	private giveUp(): void {
		this.failures = 0;
		this.retryMs = this.times.firstRetryMs;
		this.offUntil = performance.now() + this.offMs;
		this.disconnect();
		if (this.followers.size > 0) this.connectAfter(this.offMs);
		this.offMs = Math.min(this.offMs * 2, this.times.mostOffMs);
	}

	private disconnect(): void {
		const stood = this.connectedSince !== undefined;
		this.connection?.close();
		this.connection = undefined;
		this.connectedSince = undefined;
		if (stood) this.tellChange();
	}

	private tellChange(): void {
		for (const follower of [...this.followers]) follower.onChange();
	}

	/** On Meta's channel `fromMe` is false for our own messages: only the ID tells. */
	private take(event: unknown): void {
		if (!isRecord(event) || event.instance !== this.where.instance || !isRecord(event.data)) return;
		const { keyId, status } = event.data;
		const receipt = toReceipt(status);
		if (typeof keyId !== 'string' || receipt === undefined) return;
		this.offMs = this.times.offMs;
		const awaited = [...this.followers].map((follower) => follower.onReceipt(keyId, receipt));
		if (!awaited.includes(true)) this.remember(keyId, receipt);
	}

	private remember(messageId: string, receipt: Receipt): void {
		const now = performance.now();
		const receipts = this.toldOf(messageId);
		this.recent.delete(messageId); // so that the oldest comes first
		this.recent.set(messageId, { receipts: receipts.includes(receipt) ? receipts : [...receipts, receipt], at: now });
		for (const [id, { at }] of this.recent) {
			if (this.recent.size <= mostRecent && now - at <= recentMs) break;
			this.recent.delete(id);
		}
	}
}
