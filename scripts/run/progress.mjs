// Runs a long command quietly, with a line of progress every few seconds and its last words if it fails.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

const KEPT_CHARACTERS = 50_000;
const SHOWN_LINES = 20;

/** How npm tells that no registry answered; https://docs.npmjs.com/common-errors lists most of them. */
const NO_REGISTRY = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|FETCH_ERROR|E50[0-9])\b/;

/**
 * Runs `command`, keeps its output out of sight (in `logFile` if given), and prints how long it has been at it.
 * Rejects with an Error that holds the end of the output.
 */
export async function runWithProgress(label, command, args, options = {}) {
	const { cwd, env, logFile } = options;
	const seconds = stopwatch();
	await withProgress(label, () => runQuietly(command, args, { cwd, env, logFile }).catch((error) => {
		throw new Error(`${label} failed after ${seconds()}.\n${explain(error)}${logFile ? `\nThe whole log: ${logFile}` : ''}`, { cause: error });
	}), options);
}

/** Prints at once what is done, then every few seconds how long it has taken so far, and in the end how long it took. */
export async function withProgress(label, work, { everyMs = 5000, measure = async () => '', print = (line) => console.log(line) } = {}) {
	const seconds = stopwatch();
	print(`${label} …`);
	const report = async () => print(`${label} … ${[seconds(), await measure().catch(() => '')].filter(Boolean).join(', ')}`);
	const timer = setInterval(() => void report(), everyMs);
	const result = await Promise.resolve(work()).finally(() => clearInterval(timer));
	print(`${label}: done in ${seconds()}`);
	return result;
}

function stopwatch() {
	const started = Date.now();
	return () => `${Math.round((Date.now() - started) / 1000)} s`;
}

/** Names the likely cause in front of a package manager's own words. */
export function explain(error) {
	const said = error instanceof Error ? error.message : String(error);
	if (error?.code === 'ENOENT') return `The command '${error.path ?? 'npm'}' was not found. npm comes with Node.js: install Node.js 20.19 or later and see that 'npm --version' answers.`;
	const code = NO_REGISTRY.exec(said)?.[1];
	if (code) return `The npm registry could not be reached (${code}). Check the network, a proxy (npm config get proxy) and 'npm ping', then run this again.\n${said}`;
	return said;
}

/** The npm that started this process, else the one on the PATH; on Windows npm is a .cmd, which only a shell runs. */
export function npmCommand(environment = process.env) {
	const script = environment.npm_execpath;
	if (script && /npm-cli\.c?js$/.test(script)) return { command: process.execPath, leading: [script] };
	return { command: process.platform === 'win32' ? 'npm.cmd' : 'npm', leading: [] };
}

/** npm with progress: see `runWithProgress`. */
export function npmWithProgress(label, args, options) {
	const { command, leading } = npmCommand(options?.env);
	return runWithProgress(label, command, [...leading, ...args], options);
}

/** The lines that tell the most: npm's first errors (behind them it prints its manual), else the last of all. */
function essence(output) {
	const lines = output.trim().split('\n');
	const errors = lines.filter((line) => /^npm (error|ERR!) ?\S/.test(line));
	return (errors.length > 0 ? errors.slice(0, SHOWN_LINES) : lines.slice(-SHOWN_LINES)).join('\n');
}

function runQuietly(command, args, { cwd, env, logFile }) {
	return new Promise((resolve, reject) => {
		const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], shell: command.endsWith('.cmd') });
		const kill = () => child.kill();
		process.once('exit', kill);
		if (logFile) mkdirSync(dirname(logFile), { recursive: true });
		const log = logFile ? createWriteStream(logFile) : undefined;
		let output = '';
		const keep = (chunk) => {
			log?.write(chunk);
			output = (output + chunk).slice(-KEPT_CHARACTERS);
		};
		child.stdout.on('data', keep);
		child.stderr.on('data', keep);
		child.on('error', (error) => {
			log?.end();
			reject(error);
		});
		child.on('close', (code, signal) => {
			process.off('exit', kill);
			log?.end();
			if (code === 0) resolve();
			else reject(new Error(`${essence(output)}\n(ended with ${signal ?? `code ${code}`})`));
		});
	});
}
