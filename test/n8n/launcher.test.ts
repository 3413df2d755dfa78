// `npm run n8n`, started and ended as somebody at a terminal does it.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { request, type RequestOptions } from 'node:http';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ensureN8n } from '../../scripts/n8n/install';
import { freePort, isFree } from '../../scripts/n8n/ports';
import { N8nRest } from '../../scripts/n8n/rest';
import { Launched, leftOf, stillRunning } from './launched';
import { BUFFER_TYPE, LOG_TYPE, NODE_TYPE } from './place';

jest.setTimeout(300_000);

const folder = mkdtempSync(join(tmpdir(), 'ordered-launcher-'));
const userFolder = join(folder, 'user');
const runningFile = join(userFolder, 'running.json');
const welcome = /^n8n +(\S+)\n[^]*^EvolutionAPI (\S+) [^]*^Webhooks +(\S+) [^]*^Ctrl-C ends everything\.$/m;
const launched: Launched[] = [];
const occupants: Server[] = [];

beforeAll(async () => {
	await ensureN8n();
	for (const port of [5678, 8080, 8090]) await occupy(port);
});

afterAll(() => {
	for (const one of launched) one.kill();
	for (const one of occupants) one.close();
	rmSync(folder, { recursive: true, force: true });
});

/** Somebody else may have taken it already. */
function occupy(port: number): Promise<void> {
	return new Promise((resolve) => {
		const server = createServer().once('error', () => resolve());
		server.listen(port, '127.0.0.1', () => {
			occupants.push(server);
			resolve();
		});
	});
}

function launch(env: { N8N_PORT?: string; ORDERED_N8N_USER_FOLDER?: string } = {}): Launched {
	const one = new Launched({ N8N_PORT: '', ORDERED_N8N_USER_FOLDER: userFolder, ...env });
	launched.push(one);
	return one;
}

/** The addresses of n8n, the simulated EvolutionAPI and the receiver of webhooks. */
async function addresses(one: Launched): Promise<[n8n: string, evolution: string, receiver: string]> {
	const [, ...found] = await one.printed(welcome);
	return found as [string, string, string];
}

/** Over a connection of its own, as curl does: n8n may just be closing one that an earlier test has left. */
function callOnce(url: string, options: RequestOptions, body: string): Promise<unknown> {
	return new Promise((resolve, reject) => {
		const call = request(url, { ...options, agent: false }, (answer) => void text(answer).then(JSON.parse).then(resolve, reject));
		call.once('error', reject).end(body);
	});
}

const portOf = (url: string) => Number(new URL(url).port);

describe('while it runs', () => {
	let first: Launched;
	let n8nPort: number;
	let urls: [n8n: string, evolution: string, receiver: string];

	beforeAll(async () => {
		n8nPort = await freePort();
		first = launch({ N8N_PORT: String(n8nPort) });
		urls = await addresses(first);
	});

	test('it has told what it was doing, and which usual ports others have', () => {
		expect(first.output).toMatch(/^Installing the package into n8n …$/m);
		expect(first.output).toMatch(/^Starting n8n \(10 to 20 s\) …$/m);
		expect(first.output).toContain(`Port 8080 is in use: the simulated EvolutionAPI gets ${portOf(urls[1])}.\n`);
		expect(first.output).toContain(`Port 8090 is in use: the receiver of webhooks gets ${portOf(urls[2])}.\n`);
		expect(first.errors).toBe('');
	});

	test('n8n answers at the port that was asked for, with the packed nodes in it', async () => {
		expect(urls[0]).toBe(`http://127.0.0.1:${n8nPort}`);
		const rest = new N8nRest(urls[0]);
		await rest.logIn();
		const names = (await rest.nodeTypes()).map(({ name }) => name);
		expect(names).toEqual(expect.arrayContaining([NODE_TYPE, LOG_TYPE, BUFFER_TYPE]));
		expect(existsSync(join(userFolder, '.n8n/nodes/node_modules/n8n-nodes-ordered-evolutionapi/dist/ordering/index.js'))).toBe(true);
	});

	test('the call that it prints sends the text, then calls the webhook, and both are shown in this order', async () => {
		const [, method, url, type, body] = /^ {2}curl -X (POST) (\S+) -H 'content-type: (\S+)' -d '(.*)'$/m.exec(first.output) ?? [];
		expect(await callOnce(url as string, { method, headers: { 'content-type': type } }, body as string)).toMatchObject({ status: 'completed', replayed: false, transactionId: (JSON.parse(body as string) as { transactionId: string }).transactionId });
		await first.printed(/^[\d:.]{12} {2}text reached WhatsApp: "Hello" to 5511999999999@s\.whatsapp\.net from meta1\n[\d:.]{12} {2}webhook called: POST \/done \{/m, 5000);
	});

	test('a second start says that it is up, by its process and address, and changes nothing', async () => {
		const before = first.processes();
		const second = launch();
		expect(await second.exitCode()).toBe(0);
		const [, pid, url] = /^It is up already: process (\d+), (\S+)\. Ctrl-C in its terminal ends it/m.exec(second.output) ?? [];
		expect(before).toContain(Number(pid));
		expect(url).toBe(urls[0]);
		expect(stillRunning(before)).toEqual(before);
		expect((await fetch(`${urls[0]}/healthz`)).ok).toBe(true);
	});

	test('a port that was asked for and is in use is one message that names it, before anything is started', async () => {
		const other = join(folder, 'other');
		const second = launch({ N8N_PORT: String(n8nPort), ORDERED_N8N_USER_FOLDER: other });
		expect(await second.exitCode()).toBe(1);
		expect(second.errors).toBe(`Port ${n8nPort} (N8N_PORT) is in use by another program. End that, or give another port.\n`);
		expect(second.output).toBe('');
		expect(readdirSync(other)).toEqual([]);
	});

	test('Ctrl-C ends all of it: no process, port or mark is left', async () => {
		const processes = first.processes();
		expect(processes.length).toBeGreaterThan(2);
		first.pressCtrlC();
		expect(await first.exitCode()).toBe(0);
		expect(first.output).toMatch(/\nEnding n8n and the simulator …\nAll ended\.\n$/);
		expect(first.errors).toBe('');
		expect(await leftOf(processes)).toEqual([]);
		expect(await isFree(n8nPort)).toBe(true);
		expect(existsSync(runningFile)).toBe(false);
	});
});

test('a later start installs nothing, takes the next port where the usual one is in use, and names it; a second Ctrl-C ends it at once', async () => {
	const later = launch();
	const urls = await addresses(later);
	expect(later.output).not.toContain('Installing');
	expect(later.output).toContain(`Port 5678 is in use: n8n gets ${portOf(urls[0])}. (N8N_PORT=… sets another.)\n`);
	const processes = later.processes();
	const pressedAt = Date.now();
	later.pressCtrlC();
	await later.printed(/^Ending n8n/m);
	later.pressCtrlC();
	expect(await later.exitCode()).toBe(130);
	expect(Date.now() - pressedAt).toBeLessThan(5000);
	expect(await leftOf(processes)).toEqual([]);
	expect(existsSync(runningFile)).toBe(false);
});

test('Ctrl-C while n8n starts leaves nothing either', async () => {
	const one = launch();
	await one.printed(/^Starting n8n/m);
	await one.started('n8n/bin/n8n');
	const processes = one.processes();
	one.pressCtrlC();
	expect(await one.exitCode()).toBe(0);
	expect(one.errors).toBe('');
	expect(await leftOf(processes)).toEqual([]);
	expect(existsSync(runningFile)).toBe(false);
});
