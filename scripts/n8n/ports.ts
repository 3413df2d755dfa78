// Finds free ports on this machine.
import { createServer } from 'node:net';

/** Any port that was free a moment ago. */
export function freePort(): Promise<number> {
	return listenOnce(0, '127.0.0.1').then((port) => port ?? Promise.reject(new Error('No port is free on 127.0.0.1.')));
}

/** The first free port from `first` on. */
export async function freePortFrom(first: number, tries = 100): Promise<number> {
	for (let port = first; port < first + tries && port < 65536; port++) {
		if (await isFree(port)) return port;
	}
	throw new Error(`No port from ${first} to ${first + tries - 1} is free.`);
}

/** Whether nobody listens on a port, neither on loopback nor on all addresses (macOS lets two share it). */
export async function isFree(port: number): Promise<boolean> {
	return (await listenOnce(port, '127.0.0.1')) !== undefined && (await listenOnce(port)) !== undefined;
}

function listenOnce(port: number, host?: string): Promise<number | undefined> {
	return new Promise((resolve) => {
		const server = createServer();
		server.once('error', () => resolve(undefined));
		server.listen({ port, host, exclusive: true }, () => {
			const address = server.address();
			server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined));
		});
	});
}
