// A real webhook receiver on loopback: records every call with its times, and misbehaves when told to.
import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** A call as it arrived. Times in ms since 1970 with fractions, from the clock that the simulator uses. */
export interface ReceivedCall {
	method: string;
	path: string;
	headers: http.IncomingHttpHeaders;
	body: string;
	/** The body as JSON, or undefined where it is none. */
	json: unknown;
	/** When the whole request was there. */
	at: number;
	/** When its answer was written; undefined while, or if, it never was. */
	answeredAt?: number;
	/** When the caller's connection was gone before the answer. */
	abortedAt?: number;
}

export interface Answer {
	status?: number;
	body?: string | object;
	headers?: Record<string, string>;
	afterMs?: number;
}

/**
 * What a call gets: an answer; `hang` (none, ever), `reset`, `drip` (a body that never ends), `flood` (a body without
 * end, as fast as it goes), `hold` (until `release()`, then 200), or what a function makes of it.
 */
export type Behaviour = Answer | 'hang' | 'reset' | 'drip' | 'flood' | 'hold' | ((call: ReceivedCall) => Promise<Answer> | Answer);

interface Planned {
	path?: string;
	behaviour: Behaviour;
	times: number;
}

/** The clock of all records here. */
export function now(): number {
	return performance.timeOrigin + performance.now();
}

export class Receiver {
	/** In the order of arrival. */
	readonly calls: ReceivedCall[] = [];
	private planned: Planned[] = [];
	private readonly held = new Set<() => void>();
	private readonly watchers = new Set<() => void>();

	private constructor(
		private readonly server: http.Server,
		/** Without a slash at its end. */
		readonly url: string,
	) {}

	/** On any free port, unless one is given. */
	static async start(port = 0): Promise<Receiver> {
		const server = http.createServer();
		await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
		const receiver = new Receiver(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
		server.on('request', (request, response) => void receiver.serve(request, response));
		return receiver;
	}

	/** The next `times` calls (of `path`, where given) behave so; later plans come after earlier ones. Default: 200 `{"ok":true}`. */
	behave(behaviour: Behaviour, { times = Infinity, path }: { times?: number; path?: string } = {}): this {
		this.planned.push({ behaviour, times, path });
		return this;
	}

	/** Forgets all plans. */
	behaveWell(): void {
		this.planned = [];
	}

	callsTo(path: string): ReceivedCall[] {
		return this.calls.filter((call) => call.path === path);
	}

	/** Lets held calls go; tells how many. */
	release(): number {
		const count = this.held.size;
		for (const go of this.held) go();
		this.held.clear();
		return count;
	}

	async waitForCalls(count: number, timeoutMs = 5000): Promise<ReceivedCall[]> {
		await this.waitUntil(() => this.calls.length >= count, timeoutMs, `${count} calls`);
		return this.calls;
	}

	waitUntil(condition: () => boolean, timeoutMs = 5000, what = 'the condition'): Promise<void> {
		if (condition()) return Promise.resolve();
		return new Promise((resolve, reject) => {
			const check = () => {
				if (!condition()) return;
				clearTimeout(timer);
				this.watchers.delete(check);
				resolve();
			};
			const timer = setTimeout(() => {
				this.watchers.delete(check);
				reject(new Error(`The receiver waited ${timeoutMs} ms in vain for ${what}; it has ${this.calls.length} calls`));
			}, timeoutMs);
			this.watchers.add(check);
		});
	}

	async close(): Promise<void> {
		const closed = new Promise((resolve) => this.server.close(resolve));
		this.server.closeAllConnections();
		this.release();
		await closed;
	}

	private changed(): void {
		for (const watcher of [...this.watchers]) watcher();
	}

	private async serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
		const chunks: Buffer[] = [];
		for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
		const body = Buffer.concat(chunks).toString('utf8');
		const call: ReceivedCall = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body, json: parsed(body), at: now() };
		this.calls.push(call);
		response.on('error', () => {});
		response.once('close', () => {
			if (call.answeredAt === undefined) call.abortedAt = now();
			this.changed();
		});
		const behaviour = this.take(call.path);
		this.changed();
		const answer = await this.answerBy(behaviour, call, response);
		if (!answer) return;
		if (answer.afterMs) await new Promise((resolve) => setTimeout(resolve, answer.afterMs));
		if (response.destroyed) return;
		const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? { ok: true });
		call.answeredAt = now();
		response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
		response.end(text);
		this.changed();
	}

	private take(path: string): Behaviour {
		const plan = this.planned.find((one) => one.times > 0 && (one.path === undefined || one.path === path));
		if (!plan) return {};
		plan.times -= 1;
		return plan.behaviour;
	}

	private async answerBy(behaviour: Behaviour, call: ReceivedCall, response: http.ServerResponse): Promise<Answer | undefined> {
		if (typeof behaviour === 'function') return await behaviour(call);
		if (behaviour === 'hold') {
			await new Promise<void>((resolve) => this.held.add(resolve));
			return {};
		}
		if (behaviour === 'reset') response.socket?.resetAndDestroy();
		if (behaviour === 'drip') drip(response);
		if (behaviour === 'flood') flood(response);
		return typeof behaviour === 'string' ? undefined : behaviour;
	}
}

function drip(response: http.ServerResponse): void {
	response.writeHead(200, { 'content-type': 'application/json' });
	const timer = setInterval(() => response.write('"'), 20);
	response.once('close', () => clearInterval(timer));
}

function flood(response: http.ServerResponse): void {
	response.writeHead(200, { 'content-type': 'text/plain' });
	const piece = 'x'.repeat(64 * 1024);
	const more = () => {
		while (!response.destroyed && response.write(piece));
	};
	response.on('drain', more);
	more();
}

function parsed(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}
