// A real PostgreSQL of a test's own: on loopback, in a temporary folder, to be stopped, crashed and started again.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../scripts/n8n/ports';

const run = promisify(execFile);

export const testUser = 'ordered';
export const testPassword = 'Secret-Pass-7391';

export class TestPostgres {
	private constructor(
		/** Holds the data and the server's log. */
		readonly folder: string,
		readonly port: number,
	) {}

	/** Makes a new database server and starts it, in about 2 s; with a certificate it offers TLS. Has to be closed in the end. */
	static async start(tls?: { key: string; cert: string }): Promise<TestPostgres> {
		const folder = mkdtempSync(join(tmpdir(), 'ordered-postgres-'));
		const server = new TestPostgres(folder, await freePort());
		try {
			await server.initialise();
			if (tls) await server.offerTls(tls);
			await server.startAgain();
			return server;
		} catch (error) {
			const log = existsSync(server.logFile) ? readFileSync(server.logFile, 'utf8') : '';
			await server.close();
			throw new Error(`PostgreSQL for tests did not start: ${(error as Error).message} ${log}`, { cause: error });
		}
	}

	/** With user and password, for the database `postgres` or another one. */
	url(database = 'postgres'): string {
		return `postgres://${testUser}:${testPassword}@127.0.0.1:${this.port}/${database}`;
	}

	/** As at a planned restart: open connections are ended with 57P01. */
	async stop(): Promise<void> {
		await this.control('stop', '-m', 'fast');
	}

	/** As at a power cut: nothing is written any more, and the next start recovers from the log. */
	async crash(): Promise<void> {
		await this.control('stop', '-m', 'immediate');
	}

	/** On the same port, with the same data; resolves when it takes connections. */
	async startAgain(): Promise<void> {
		await this.control('start', '-l', this.logFile);
	}

	/** Stops it, where it runs, and deletes its data. */
	async close(): Promise<void> {
		if (existsSync(join(this.data, 'postmaster.pid'))) await this.crash();
		rmSync(this.folder, { recursive: true, force: true });
	}

	private get data(): string {
		return join(this.folder, 'data');
	}

	private get logFile(): string {
		return join(this.folder, 'log');
	}

	private async initialise(): Promise<void> {
		const passwordFile = join(this.folder, 'password');
		writeFileSync(passwordFile, testPassword);
		await giveToServer(this.folder, passwordFile);
		await runAsUser('initdb', ['-D', this.data, '-U', testUser, '--pwfile', passwordFile, '--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C', '--no-sync'], this.folder);
	}

	private async offerTls({ key, cert }: { key: string; cert: string }): Promise<void> {
		const [keyFile, certFile] = [join(this.data, 'server.key'), join(this.data, 'server.crt')];
		writeFileSync(keyFile, key, { mode: 0o600 });
		writeFileSync(certFile, cert);
		await giveToServer(keyFile, certFile);
		appendFileSync(join(this.data, 'postgresql.conf'), 'ssl = on\n');
	}

	private async control(action: string, ...more: string[]): Promise<void> {
		// sockets in the folder, since the default folder may not be writable
		const options = action === 'start' ? ['-o', `-p ${this.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='${this.folder}' -c max_connections=200`] : [];
		await runAsUser('pg_ctl', [action, '-D', this.data, '-w', '-t', '30', ...options, ...more], this.folder);
	}
}

function isRoot(): boolean {
	return process.getuid?.() === 0;
}

async function giveToServer(...paths: string[]): Promise<void> {
	if (!isRoot()) return;
	const [user, group] = await Promise.all(['-u', '-g'].map(async (which) => Number((await run('id', [which, 'postgres'])).stdout)));
	for (const path of paths) chownSync(path, user as number, group as number);
}

/** PostgreSQL's programs refuse to run as root. Their output is not read: the server would keep the pipe open. */
async function runAsUser(program: string, args: string[], cwd: string): Promise<void> {
	const file = join(programsFolder(), program);
	const [command, all] = isRoot() ? ['runuser', ['-u', 'postgres', '--', file, ...args]] : [file, args];
	const child = spawn(command, all, { cwd, stdio: 'ignore' });
	const [code] = (await once(child, 'exit')) as [number | null];
	if (code !== 0) throw new Error(`${program} ${args[0]} ended with ${code}`);
}

/** Debian keeps them outside of the path, one folder a version. */
function programsFolder(): string {
	const versions = '/usr/lib/postgresql';
	const newest = existsSync(versions) ? readdirSync(versions).sort((a, b) => Number(b) - Number(a))[0] : undefined;
	if (newest === undefined) throw new Error(`No PostgreSQL in ${versions}: install the package postgresql`);
	return join(versions, newest, 'bin');
}
