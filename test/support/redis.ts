// A real Redis on loopback that can be killed, frozen and started again, with its data or without.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from '../../scripts/n8n/ports';

export interface RedisOptions {
	/** Asked of every connection; part of `url` then. */
	password?: string;
	/** Listens with TLS alone, under this certificate. */
	tls?: { key: string; cert: string };
	/** More settings of redis-server, as in its configuration file. */
	settings?: Record<string, string>;
}

export interface TestRedis {
	/** With the password where there is one; the same over all restarts. */
	readonly url: string;
	readonly port: number;
	/** A connection of the test's own; reconnects by itself, closed by `close()`. */
	readonly client: Redis;
	/** Writes all data to the disk, as of now: a later `start()` goes back to it. */
	save(): Promise<void>;
	/** Ends it at once (SIGKILL); what was not saved is lost. */
	kill(): Promise<void>;
	/** Starts it again on the same port; `data: 'lost'` forgets the last save, too. */
	start(data?: 'saved' | 'lost'): Promise<void>;
	/** Freezes it: connections stand, nothing is answered (SIGSTOP). */
	freeze(): void;
	/** Lets a frozen one go on; what was asked meanwhile is answered then (SIGCONT). */
	thaw(): void;
	close(): Promise<void>;
}

/** Keeps nothing on the disk unless `save()` is called. To be closed by the caller. */
export async function startRedis({ password, tls, settings = {} }: RedisOptions = {}): Promise<TestRedis> {
	const folder = mkdtempSync(join(tmpdir(), 'redis-'));
	const port = await freePort();
	if (tls) {
		writeFileSync(join(folder, 'key.pem'), tls.key, { mode: 0o600 });
		writeFileSync(join(folder, 'cert.pem'), tls.cert);
	}
	const all = {
		bind: '127.0.0.1', dir: folder, save: '', appendonly: 'no', 'enable-debug-command': 'local',
		...(tls ? { port: '0', 'tls-port': `${port}`, 'tls-key-file': join(folder, 'key.pem'), 'tls-cert-file': join(folder, 'cert.pem'), 'tls-auth-clients': 'no' } : { port: `${port}` }),
		...(password ? { requirepass: password } : {}),
		...settings,
	};
	const args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
	const url = `${tls ? 'rediss' : 'redis'}://${password ? `:${encodeURIComponent(password)}@` : ''}127.0.0.1:${port}`;
	let server = await startServer(args);
	const client = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null, ...(tls ? { tls: { rejectUnauthorized: false } } : {}) });
	client.on('error', () => {}); // it is away on purpose
	return {
		url,
		port,
		client,
		save: async () => void (await client.save()),
		kill: () => end(server),
		start: async (data = 'saved') => {
			if (data === 'lost') rmSync(join(folder, 'dump.rdb'), { force: true });
			server = await startServer(args);
		},
		freeze: () => void server.kill('SIGSTOP'),
		thaw: () => void server.kill('SIGCONT'),
		close: async () => {
			client.disconnect();
			await end(server);
			rmSync(folder, { recursive: true, force: true });
		},
	};
}

/** Resolves once it takes connections. */
async function startServer(args: string[]): Promise<ChildProcess> {
	const server = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
	let told = '';
	await new Promise<void>((resolve, reject) => {
		server.stdout.on('data', (text: Buffer) => {
			told += text.toString();
			if (told.includes('Ready to accept connections')) resolve();
		});
		server.once('error', reject);
		server.once('exit', () => reject(new Error(`redis-server did not start: ${told}`)));
	});
	return server;
}

async function end(server: ChildProcess): Promise<void> {
	if (server.exitCode !== null || server.signalCode !== null) return;
	const gone = once(server, 'exit');
	server.kill('SIGKILL');
	await gone;
}
