// What the tests of the client share: real servers on loopback, folders and other things that end with the test.
import http from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSimulator, type Simulator, type SimulatorOptions } from '../../simulator';

const endings: Array<() => Promise<unknown> | unknown> = [];

/** Runs `end` after the test, last in first out. */
export function endWithTest(end: () => Promise<unknown> | unknown): void {
	endings.push(end);
}

afterEach(async () => {
	for (const end of endings.splice(0).reverse()) await end();
});

export async function simulated(options?: SimulatorOptions): Promise<Simulator> {
	const simulator = await startSimulator(options);
	endWithTest(() => simulator.close());
	return simulator;
}

export interface Heard {
	method: string;
	url: string;
	headers: http.IncomingHttpHeaders;
	body: string;
	/** The port that the request came from: one connection, one port. */
	port: number;
}

export interface Listening {
	url: string;
	port: number;
	heard: Heard[];
	close(): Promise<void>;
}

type Handler = (heard: Heard, answer: http.ServerResponse, request: http.IncomingMessage) => void;

/** An HTTP server of 127.0.0.1 that has read each request before it is handled. */
export async function serving(handler: Handler, make: (listener: http.RequestListener) => http.Server = (listener) => http.createServer(listener)): Promise<Listening> {
	const heard: Heard[] = [];
	const server = make((request, answer) => {
		const chunks: Buffer[] = [];
		request.on('error', () => {});
		request.on('data', (chunk: Buffer) => chunks.push(chunk));
		request.on('end', () => {
			const one = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString(), port: request.socket.remotePort ?? 0 };
			heard.push(one);
			handler(one, answer, request);
		});
	});
	const port = await listen(server);
	const close = async () => {
		server.closeAllConnections();
		await new Promise((resolve) => server.close(resolve));
	};
	endWithTest(close);
	return { url: `http://127.0.0.1:${port}`, port, heard, close };
}

/** Listens on a free port of 127.0.0.1. */
export async function listen(server: Server): Promise<number> {
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	return (server.address() as AddressInfo).port;
}

/** A port of 127.0.0.1 that nothing listens at. */
export async function closedPort(): Promise<number> {
	const server = http.createServer();
	const port = await listen(server);
	await new Promise((resolve) => server.close(resolve));
	return port;
}

export function temporaryFolder(): string {
	const folder = mkdtempSync(join(tmpdir(), 'ordered-'));
	endWithTest(() => rmSync(folder, { recursive: true, force: true }));
	return folder;
}

/** What a promise was rejected with; fails where it was not. */
export async function thrownBy(promise: Promise<unknown>): Promise<unknown> {
	try {
		await promise;
	} catch (error) {
		return error;
	}
	throw new Error('Expected an error, but there was none');
}

/** What a function throws; fails where it does not. */
export function thrownIn(run: () => unknown): unknown {
	try {
		run();
	} catch (error) {
		return error;
	}
	throw new Error('Expected an error, but there was none');
}
