// Starts a real n8n server on loopback, tells when it is ready, and ends it with everything it started.
import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildEnvironment } from './environment';
import { n8nProgram } from './paths';
import { freePort } from './ports';

const READY_WITHIN_MS = 180_000;
const STOP_WITHIN_MS = 15_000;
const LOG_CHARACTERS = 500_000;

export interface N8nOptions {
	/** The folder in which n8n keeps `.n8n`; made if missing. */
	userFolder: string;
	/** A free one if not given. */
	port?: number;
	/** More environment variables for n8n, such as EXECUTIONS_TIMEOUT; they win over ours. */
	env?: Record<string, string>;
	/** n8n's arguments: `['start']`, or those of a worker. */
	args?: string[];
	/** It is ready when all of these answer 2xx. A worker has no editor, whose interface comes up a little after the first. */
	readyPaths?: string[];
}

export interface N8nServer {
	/** Such as http://127.0.0.1:5678, with no slash at the end. */
	url: string;
	pid: number;
	/** What it printed so far (the last half million characters); all of it is in `<userFolder>/n8n.log`. */
	log(): string;
	/** Ends it: SIGTERM, and SIGKILL to all it started after 15 s. */
	stop(): Promise<void>;
	/** Kills it and all it started at once, as a crash would. */
	kill(): Promise<void>;
	/** Resolves when it has ended, however. */
	ended: Promise<void>;
}

/** Starts n8n and waits until it answers; an n8n that ends before is an Error with the end of its log. */
export async function startN8n(options: N8nOptions): Promise<N8nServer> {
	const port = options.port ?? (await freePort());
	const env = buildEnvironment({ userFolder: options.userFolder, port, brokerPort: await freePort(), env: options.env });
	mkdirSync(options.userFolder, { recursive: true });
	const child = spawn(process.execPath, [n8nProgram, ...(options.args ?? ['start'])], { cwd: options.userFolder, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
	const server = serverOf(child, `http://127.0.0.1:${port}`, options.userFolder);
	try {
		await waitUntilReady(child, server, options.readyPaths ?? ['/healthz/readiness', '/rest/settings']);
	} catch (error) {
		await server.kill();
		throw error;
	}
	return server;
}

function serverOf(child: ChildProcess, url: string, userFolder: string): N8nServer {
	const log = keepLog(child, join(userFolder, 'n8n.log'));
	const killGroup = () => signalGroup(child, 'SIGKILL');
	// Whatever ends this process, n8n must not outlive it.
	process.once('exit', killGroup);
	const ended = new Promise<void>((resolve) => {
		child.once('error', () => resolve());
		child.once('close', () => {
			killGroup();
			process.off('exit', killGroup);
			resolve();
		});
	});
	return {
		url,
		pid: child.pid ?? -1,
		log,
		ended,
		kill: () => {
			killGroup();
			return ended;
		},
		stop: async () => {
			child.kill('SIGTERM');
			const inTime = await Promise.race([ended.then(() => true), sleep(STOP_WITHIN_MS, false, { ref: false })]);
			if (!inTime) killGroup();
			await ended;
		},
	};
}

function keepLog(child: ChildProcess, file: string): () => string {
	const stream = createWriteStream(file, { flags: 'a' });
	let kept = '';
	const keep = (chunk: Buffer) => {
		stream.write(chunk);
		kept = (kept + chunk.toString()).slice(-LOG_CHARACTERS);
	};
	child.stdout?.on('data', keep);
	child.stderr?.on('data', keep);
	child.once('close', () => stream.end());
	child.once('error', (error) => keep(Buffer.from(`${error.message}\n`)));
	return () => kept;
}

/** n8n is detached so that it leads a group, with its task runners in it. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
	if (child.pid === undefined) return;
	try {
		process.kill(process.platform === 'win32' ? child.pid : -child.pid, signal);
	} catch {
		// Nothing of it is left.
	}
}

async function waitUntilReady(child: ChildProcess, server: N8nServer, paths: string[]): Promise<void> {
	const until = Date.now() + READY_WITHIN_MS;
	while (Date.now() < until) {
		if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) throw new Error(`n8n ended before it was ready:\n${server.log().slice(-3000)}`);
		if (await allAnswer(paths.map((path) => server.url + path))) return;
		await sleep(200);
	}
	throw new Error(`n8n was not ready within ${READY_WITHIN_MS / 1000} s:\n${server.log().slice(-3000)}`);
}

async function allAnswer(urls: string[]): Promise<boolean> {
	for (const url of urls) if (!(await answers(url))) return false;
	return true;
}

async function answers(url: string): Promise<boolean> {
	return await fetch(url, { signal: AbortSignal.timeout(5000) }).then((answer) => answer.ok, () => false);
}
