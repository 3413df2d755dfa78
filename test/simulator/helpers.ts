// What the simulator's tests share: one simulator a test, requests to it, live connections.

import { io, type Socket } from 'socket.io-client';
import { startSimulator, type Simulator, type SimulatorOptions } from '../../simulator';

const running: Array<() => Promise<unknown> | unknown> = [];

/** Starts a simulator that ends with the test. */
export async function started(options?: SimulatorOptions): Promise<Simulator> {
	const simulator = await startSimulator(options);
	endWithTest(() => simulator.close());
	return simulator;
}

export function endWithTest(end: () => Promise<unknown> | unknown): void {
	running.push(end);
}

afterEach(async () => {
	for (const end of running.splice(0).reverse()) await end();
});

/** What the tests read in an answer; each answer has a part of it. */
export interface Body {
	key: { id: string; remoteJid: string };
	code?: number;
	error: string;
	message: unknown;
	response: { message: unknown };
	messages: { total: number; records: Array<{ messageTimestamp: number; message: { conversation: string } }> };
	instance: { state: string };
}

export interface Reply<T = Body> {
	status: number;
	headers: Headers;
	text: string;
	/** Undefined if the body is no JSON. */
	body: T;
}

interface Request {
	method?: string;
	/** Default: the global key; null: none. */
	key?: string | null;
	body?: unknown;
	signal?: AbortSignal;
}

export async function ask<T = Body>(simulator: Simulator, path: string, { method = 'POST', key = simulator.apiKey, body, signal }: Request = {}): Promise<Reply<T>> {
	const hasBody = body !== undefined && body !== null;
	const response = await fetch(simulator.url + path, {
		method,
		signal,
		headers: { ...(key !== null && { apikey: key }), ...(hasBody && { 'content-type': 'application/json' }) },
		body: hasBody ? JSON.stringify(body) : undefined,
	});
	const text = await response.text();
	return { status: response.status, headers: response.headers, text, body: parsed(text) as T };
}

export function sendText(simulator: Simulator, instance: string, body: Record<string, unknown>, more: Request = {}): Promise<Reply> {
	return ask(simulator, `/message/sendText/${instance}`, { ...more, body: { number: '5511988887777', text: 'x', ...body } });
}

export async function statusRows(simulator: Simulator, instance: string, id: string): Promise<string[]> {
	const { body } = await ask<Array<{ status: string }>>(simulator, `/chat/findStatusMessage/${instance}`, { body: { where: { id } } });
	return body.map(({ status }) => status);
}

/** Resolves once EvolutionAPI was told `count` acknowledgements. */
export function acksTold(simulator: Simulator, count: number): Promise<void> {
	return simulator.control.waitUntil(() => simulator.control.acks().length >= count, 2000, `${count} acknowledgements`);
}

/** A live connection that ends with the test. */
export function live(simulator: Simulator, namespace: string, query: Record<string, string> = { apikey: simulator.apiKey }): Socket {
	const socket = io(simulator.url + namespace, { query, transports: ['websocket'], reconnection: false, forceNew: true });
	endWithTest(() => socket.close());
	return socket;
}

/** The next event of that name; rejects after two seconds. */
export function next<T>(socket: Socket, event: string): Promise<T> {
	return new Promise((resolve, reject) => {
		const timer = setTimeout(() => reject(new Error(`no ${event} came`)), 2000);
		socket.once(event, (data: T) => { clearTimeout(timer); resolve(data); });
	});
}

function parsed(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}
