// The connections of one process to Redis: its generation, its lease, and the way to run a script.
import { createHash, randomUUID } from 'node:crypto';
import type { ConnectionOptions } from 'node:tls';
import { Redis } from 'ioredis';
import { LanesUnavailableError } from '../../errors';
import { pause } from '../../pause';
import { enterScript } from './scripts/enter.lua';
import { advanceScript } from './scripts/advance.lua';
import { aliveScript } from './scripts/alive.lua';
import { claimScript } from './scripts/claim.lua';
import { endScript } from './scripts/end.lua';
import { laneScript } from './scripts/lane.lua';
import { paceScript } from './scripts/pace.lua';
import { renewScript } from './scripts/renew.lua';
import { seedScript } from './scripts/seed.lua';
import { takeScript } from './scripts/take.lua';
import { waitingScript } from './scripts/waiting.lua';

export interface ConnectionSettings {
	/** `redis://` or `rediss://`, with user and password where Redis wants them. */
	url: string;
	/** Before all keys: lanes with another prefix know nothing of each other. */
	prefix: string;
	/** For `rediss://`: certificates and checks. */
	tls?: ConnectionOptions;
	/** A process that Redis has not heard of for so long may be dead. */
	leaseMs: number;
	/** For how long it has to be seen so. */
	graceMs: number;
	/** How long the first tickets of a lane wait for smaller ones. */
	settleMs: number;
	/** After so long without use, a key goes. */
	idleMs: number;
}

const laneScripts = { take: takeScript, end: endScript, advance: advanceScript, seed: seedScript, claim: claimScript, waiting: waitingScript };
export type LaneScript = keyof typeof laneScripts;

const scripts: Record<string, string> = {
	...Object.fromEntries(Object.entries(laneScripts).map(([name, script]) => [name, laneScript + script])),
	enter: enterScript, renew: renewScript, alive: aliveScript, pace: paceScript,
};
const hashes = Object.fromEntries(Object.entries(scripts).map(([name, script]) => [name, createHash('sha1').update(script).digest('hex')]));

/** ioredis' words for what follows from a broken connection: the reason was told before. */
const consequences = /^Connection is closed|^Stream isn't writeable|^Reached the max retries/;

/** What the lanes do when something reaches them. */
export interface Listener {
	/** A message for this process: a turn, or a refusal. */
	told(message: string): void;
	/** This process is in touch with Redis (again), or its lease had lapsed: what it has in lanes is to be told anew. */
	rejoin(): void;
}

export class RedisConnection {
	readonly owner = randomUUID();
	/** Redis' name for its present start; no memory of another one counts. */
	run?: string;
	/** Counts the leases of this process, a new one after each lapse. */
	private life = 0;
	private leaseEnds = -Infinity;
	private entered = false;
	private entering = 0;
	private onEntered: Array<() => void> = [];
	private renewing?: Promise<void>;
	/** Why Redis can't be used, as far as is known. */
	private problem = 'it has not answered yet';
	private closed = false;
	private readonly command: Redis;
	private readonly subscriber: Redis;
	private readonly beat: NodeJS.Timeout;
	private readonly secrets: string[];

	constructor(private readonly settings: ConnectionSettings, private readonly listener: Listener) {
		this.secrets = secretsOf(settings.url);
		const open = () => new Redis(settings.url, {
			// what is not answered fails with its connection (ioredis does so at 0 retries only; else it stays open for ever
			// when it is not sent again), and is told anew by `rejoin`
			enableOfflineQueue: false, autoResendUnfulfilledCommands: false, autoResubscribe: false, maxRetriesPerRequest: 0,
			retryStrategy: (times) => Math.min(20 * 2 ** Math.min(times, 6), 1000),
			reconnectOnError: (error) => error.message.startsWith('READONLY'),
			connectTimeout: 5000, keepAlive: 5000, disableClientInfo: true,
			...(settings.url.startsWith('rediss:') ? { tls: settings.tls ?? {} } : {}),
		});
		this.command = open();
		this.subscriber = open();
		for (const one of [this.command, this.subscriber]) one.on('error', (error: Error) => this.note(error));
		this.command.on('ready', () => void this.enter(false));
		this.command.on('close', () => void (this.entered = false));
		this.subscriber.on('ready', () => void this.subscribe());
		this.subscriber.on('message', (_channel: string, message: string) => listener.told(message));
		const watches = [watchOver(this.command, settings.leaseMs), watchOver(this.subscriber, settings.leaseMs)];
		this.beat = setInterval(() => {
			for (const watch of watches) watch();
			if (this.entered) this.renew().catch(() => {});
		}, settings.leaseMs / 3);
	}

	/** Whether Redis can't have given this process' lanes away, so long as they were got in this life. */
	isSure(life: number): boolean {
		return life === this.life && performance.now() < this.leaseEnds - this.settings.leaseMs / 5;
	}

	get currentLife(): number {
		return this.life;
	}

	/** Runs a script on a lane. Throws `LanesUnavailableError` where Redis is away; `rejoin` comes after that. */
	async ask(script: LaneScript, lane: string, ...args: Array<string | number>): Promise<Reply> {
		const { prefix, settleMs, graceMs, idleMs } = this.settings;
		this.mustBeEntered();
		const base = `${prefix}:${this.run}:{${lane}}`;
		const reply = (await this.call(script, [`${base}:lane`, `${base}:queue`, `${base}:tickets`, `${base}:transactions`], [prefix, this.run ?? '', settleMs, graceMs, idleMs, ...args])) as Reply;
		if (reply[0] === 'generation') throw this.lostGeneration();
		return reply;
	}

	/** For each owner -1 where it lives, 0 where it is dead, else in how many ms that is known; then the closure's rest. */
	async livesOf(owners: string[]): Promise<number[]> {
		const { prefix, graceMs, idleMs } = this.settings;
		this.mustBeEntered();
		const reply = await this.call('alive', [`${prefix}:generation`], [prefix, this.run ?? '', graceMs, idleMs, ...owners]);
		if (reply === 'generation') throw this.lostGeneration();
		return reply as number[];
	}

	/** In how many ms the next one of `key` may go. Throws `LanesUnavailableError`. */
	async pace(key: string, gapMs: number): Promise<number> {
		this.mustBeEntered();
		return Number(await this.call('pace', [`${this.settings.prefix}:pace:${key}`], [gapMs]));
	}

	/** Resolves once this process is in touch with Redis, at once where it is; or when it is closed. */
	async untilEntered(): Promise<void> {
		if (!this.entered && !this.closed) await new Promise<void>((resolve) => this.onEntered.push(resolve));
	}

	/** Resolves when the lease was renewed. */
	renew(): Promise<void> {
		this.renewing ??= this.renewOnce().then((lapsed) => {
			if (lapsed && this.entered) this.listener.rejoin();
		}).finally(() => delete this.renewing);
		return this.renewing;
	}

	unavailable(): LanesUnavailableError {
		return new LanesUnavailableError(this.problem);
	}

	/** Ends the lease, so that nobody waits for this process, and disconnects. */
	async close(): Promise<void> {
		clearInterval(this.beat);
		this.closed = true;
		if (this.entered) {
			const base = `${this.settings.prefix}:${this.run}`;
			const leaving = this.command.multi().del(`${base}:process:${this.owner}`).set(`${base}:dead:${this.owner}`, '0', 'PX', this.settings.idleMs).exec();
			await within(this.settings.graceMs, leaving.catch(() => {}));
		}
		this.entered = false;
		this.command.disconnect();
		this.subscriber.disconnect();
		for (const tell of this.onEntered.splice(0)) tell();
	}

	/** Takes part in Redis' present generation; `lost`: what was there of this one is gone. */
	private async enter(lost: boolean): Promise<void> {
		const entering = ++this.entering;
		this.entered = false;
		try {
			const { run, upMs } = await this.generation();
			await Promise.all(Object.values(scripts).map((script) => this.command.script('LOAD', script)));
			const elsewhere = this.run !== undefined && (lost || this.run !== run);
			await this.call('enter', [`${this.settings.prefix}:generation`], [run, this.settings.leaseMs, upMs, elsewhere ? '1' : '0', this.settings.idleMs]);
			if (entering !== this.entering) return;
			this.run = run;
			await this.renewOnce();
		} catch (error) {
			this.note(error as Error);
			await pause(200);
			if (entering === this.entering && !this.closed && this.command.status === 'ready') void this.enter(lost);
			return;
		}
		if (entering !== this.entering || this.closed) return;
		this.entered = true;
		this.problem = 'it has not answered in time';
		this.listener.rejoin();
		for (const tell of this.onEntered.splice(0)) tell();
	}

	/** Which start of Redis this is, and for how long it has been up; a Redis that tells nothing is one without end. */
	private async generation(): Promise<{ run: string; upMs: number | '' }> {
		const info = await this.command.info('server').catch((error: Error) => {
			if (error.name !== 'ReplyError') throw error;
			return ''; // not allowed
		});
		const up = /^uptime_in_seconds:(\d+)/m.exec(info)?.[1];
		return { run: /^run_id:(\w+)/m.exec(info)?.[1] ?? 'untold', upMs: up === undefined ? '' : Number(up) * 1000 };
	}

	/** Gives whether the lease had lapsed. */
	private async renewOnce(): Promise<boolean> {
		const { prefix, leaseMs, idleMs } = this.settings;
		const sentAt = performance.now();
		const base = `${prefix}:${this.run}`;
		const reply = await this.call('renew', [`${prefix}:generation`, `${base}:process:${this.owner}`, `${base}:dead:${this.owner}`], [this.run ?? '', this.life, leaseMs, idleMs]);
		if (reply === 'generation') throw this.lostGeneration();
		const lapsed = Number(reply) !== this.life;
		this.life = Number(reply);
		this.leaseEnds = sentAt + leaseMs;
		return lapsed;
	}

	private async subscribe(): Promise<void> {
		await this.subscriber.subscribe(`${this.settings.prefix}:turns:${this.owner}`).then(() => this.entered && this.listener.rejoin(), (error: Error) => this.note(error));
	}

	private async call(name: string, keys: string[], args: Array<string | number>): Promise<unknown> {
		const all = [...keys, ...args];
		try {
			return await this.command.evalsha(hashes[name] as string, keys.length, ...all).catch((error: Error) => {
				if (!error.message.startsWith('NOSCRIPT')) throw error;
				return this.command.eval(scripts[name] as string, keys.length, ...all);
			});
		} catch (error) {
			this.note(error as Error);
			throw this.unavailable();
		}
	}

	private mustBeEntered(): void {
		if (!this.entered) throw this.unavailable();
	}

	private lostGeneration(): LanesUnavailableError {
		this.problem = 'it has lost its memory';
		if (this.entered) void this.enter(true);
		return this.unavailable();
	}

	/** ioredis' errors carry the command with its arguments, so that only their text may be told. */
	private note(error: Error): void {
		const { message } = error;
		if (!consequences.test(message)) this.problem = this.secrets.reduce((text, secret) => text.replaceAll(secret, '***'), message);
	}
}

/** A script's answer about a lane. */
export type Reply = [state: string, ...rest: Array<string | number>];

/** Breaks a connection that has not answered for one lease, since it may be half open; a new one may do better. */
function watchOver(redis: Redis, leaseMs: number): () => void {
	let askedAt: number | undefined;
	redis.on('close', () => void (askedAt = undefined));
	return () => {
		if (askedAt !== undefined && performance.now() - askedAt > leaseMs) return redis.disconnect(true);
		if (askedAt !== undefined || !['connect', 'ready'].includes(redis.status)) return;
		askedAt = performance.now();
		if (redis.status === 'ready') redis.ping().then(() => void (askedAt = undefined), () => {});
		else redis.once('ready', () => void (askedAt = undefined));
	};
}

function secretsOf(url: string): string[] {
	if (!/^rediss?:\/\//.test(url) || !URL.canParse(url)) throw new LanesUnavailableError('its address is not one like redis://host:6379 or rediss://host:6379');
	const { password } = new URL(url);
	return password ? [password, decodeURIComponent(password)] : [];
}

/** What a promise gives, or undefined where it takes longer; leaves no timer behind. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
	let timer: NodeJS.Timeout | undefined;
	const over = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, ms, undefined)));
	return Promise.race([promise, over]).finally(() => clearTimeout(timer));
}
