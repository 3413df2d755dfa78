// A place for the demo's webhooks to arrive at: answers 200 and tells what came.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedCall {
	at: Date;
	method: string;
	path: string;
	headers: Record<string, string | string[] | undefined>;
	body: string;
}

export interface Receiver {
	/** Such as http://127.0.0.1:8090, with no slash at the end; every path below it is taken. */
	url: string;
	calls: ReceivedCall[];
	close(): Promise<void>;
}

/** Starts a receiver on loopback. */
export function startReceiver(onCall: (call: ReceivedCall) => void = () => {}, port = 0): Promise<Receiver> {
	const calls: ReceivedCall[] = [];
	const server = createServer((request, answer) => {
		const parts: Buffer[] = [];
		request.on('data', (part: Buffer) => parts.push(part));
		request.on('end', () => {
			const call = { at: new Date(), method: request.method ?? '', path: request.url ?? '', headers: request.headers, body: Buffer.concat(parts).toString() };
			calls.push(call);
			onCall(call);
			answer.writeHead(200, { 'content-type': 'application/json' }).end('{"received":true}');
		});
	});
	const close = () => new Promise<void>((done) => {
		server.close(() => done());
		server.closeAllConnections();
	});
	return new Promise((resolve, reject) => {
		server.once('error', reject);
		server.listen(port, '127.0.0.1', () => resolve({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls, close }));
	});
}
