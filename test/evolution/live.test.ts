// Live receipts at the simulator: one connection, made with care for the user's settings, that comes back by itself.
import { execFile } from 'node:child_process';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { inspect, promisify } from 'node:util';
import { build } from 'esbuild';
import type { EgressFilter } from '../../evolution/http';
import type { LiveFollower, LiveReceipts, LiveTimes } from '../../evolution/live';
import { EvolutionServer, type ServerAccess } from '../../evolution/server';
import type { Simulator } from '../../simulator';
import { cert, key } from '../nodes/certificate';
import { endWithTest, listen, serving, simulated, temporaryFolder } from './helpers';

const quick: Partial<LiveTimes> = { keepMs: 150, firstRetryMs: 20, mostRetryMs: 80, offMs: 200, mostOffMs: 800 };
const open: EgressFilter = { validateUrl: async () => ({ ok: true }), createSecureLookup: () => (_name, options, done) => (options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)), validateRedirectSync: () => {} };

function liveAt(simulator: Pick<Simulator, 'url'>, access: Partial<ServerAccess> = {}, times: Partial<LiveTimes> = {}): LiveReceipts {
	const server = new EvolutionServer({ baseUrl: simulator.url, apiKey: 'simulator-key', ...access });
	endWithTest(() => server.close());
	return server.live('meta1', { ...quick, ...times });
}

/** Follows, and notes all that is told. */
function following(live: LiveReceipts, egress?: EgressFilter): { told: string[]; changes: number; stop(): void } {
	const seen = { told: [] as string[], changes: 0, stop() {} };
	const follower: LiveFollower = {
		onReceipt: (messageId, receipt) => seen.told.push(`${messageId} ${receipt}`) > 0,
		onChange: () => { seen.changes += 1; },
	};
	seen.stop = live.follow(follower, egress);
	return seen;
}

async function eventually(condition: () => boolean, what: string, withinMs = 3000): Promise<void> {
	const until = performance.now() + withinMs;
	while (!condition()) {
		if (performance.now() > until) throw new Error(`In vain waited for: ${what}`);
		await sleep(5);
	}
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const connected = (live: LiveReceipts) => eventually(() => live.connectedSince !== undefined, 'a connection');

/** As EvolutionAPI does with its first event: makes the namespace. */
function firstEvent(simulator: Simulator): void {
	simulator.control.emitLive('meta1', 'send.message', { event: 'send.message', instance: 'meta1', data: {}, apikey: 'instance-token' });
}

function update(simulator: Simulator, keyId: unknown, status: unknown, more: object = {}): void {
	simulator.control.emitLive('meta1', 'messages.update', { event: 'messages.update', instance: 'meta1', data: { keyId, status, fromMe: false, remoteJid: 'x' }, apikey: 'instance-token', ...more });
}

/** A message whose acknowledgements come only when told to. */
async function sentMessage(simulator: Simulator): Promise<string> {
	simulator.control.setInstance('meta1', { acks: [] });
	const answer = await fetch(`${simulator.url}/message/sendText/meta1`, { method: 'POST', headers: { apikey: simulator.apiKey, 'content-type': 'application/json' }, body: JSON.stringify({ number: '5511988887777', text: 'x' }) });
	return ((await answer.json()) as { key: { id: string } }).key.id;
}

async function settings(simulator: Simulator, path: string, body?: object): Promise<unknown> {
	const answer = await fetch(simulator.url + path, { method: body ? 'POST' : 'GET', headers: { apikey: simulator.apiKey, 'content-type': 'application/json' }, body: body && JSON.stringify(body) });
	return await answer.json();
}

test('an acknowledgement of EvolutionAPI is told with the message it is for', async () => {
	const simulator = await simulated();
	firstEvent(simulator);
	const live = liveAt(simulator);
	const { told } = following(live);
	await connected(live);
	const id = await sentMessage(simulator);
	simulator.control.acknowledge(id, 'DELIVERED');
	await eventually(() => told.length === 1, 'the receipt');
	expect(told).toEqual([`${id} delivered`]);
});

test('with WEBSOCKET_GLOBAL_EVENTS=true each is told once, by the namespace of the instance', async () => {
	const simulator = await simulated();
	simulator.control.settings({ globalEvents: true });
	firstEvent(simulator);
	const live = liveAt(simulator);
	const { told } = following(live);
	await connected(live);
	const id = await sentMessage(simulator);
	for (const status of ['SENT', 'DELIVERED'] as const) simulator.control.acknowledge(id, status);
	await eventually(() => told.length >= 2, 'the receipts');
	expect(told).toEqual([`${id} sent`, `${id} delivered`]);
});

test('events of other instances, of other shapes, and of unknown statuses are ignored', async () => {
	const simulator = await simulated();
	firstEvent(simulator);
	const live = liveAt(simulator);
	const { told } = following(live);
	await connected(live);
	update(simulator, 'A', 'READ', { instance: 'phone1' });
	for (const [id, status] of [['B', 'SOON'], ['C', 7], [8, 'READ'], [undefined, 'READ']]) update(simulator, id, status);
	for (const payload of [null, 'text', 5, [], {}, { instance: 'meta1' }, { instance: 'meta1', data: null }]) simulator.control.emitLive('meta1', 'messages.update', payload);
	update(simulator, 'LAST', 'READ');
	await eventually(() => told.length > 0, 'the last event');
	expect(told).toEqual(['LAST read']);
});

test('what came before anybody waited for it is remembered, once each, for the latest thousand messages', async () => {
	const simulator = await simulated();
	firstEvent(simulator);
	const live = liveAt(simulator);
	live.follow({ onReceipt: () => false, onChange: () => {} });
	await connected(live);
	for (const status of ['READ', 'DELIVERED', 'READ']) update(simulator, 'EARLY', status);
	await eventually(() => live.toldOf('EARLY').length === 2, 'both receipts');
	expect(live.toldOf('EARLY')).toEqual(['read', 'delivered']);
	for (let n = 0; n < 1000; n++) update(simulator, `M${n}`, 'SENT');
	await eventually(() => live.toldOf('M999').length === 1, 'the last message');
	expect(live.toldOf('EARLY')).toEqual([]);
	expect(live.toldOf('M0')).toEqual(['sent']);
});

test('an event holds the API key, and nothing of it but ID and receipt is kept', async () => {
	const simulator = await simulated();
	firstEvent(simulator);
	const live = liveAt(simulator);
	const { told } = following(live);
	live.follow({ onReceipt: () => false, onChange: () => {} });
	await connected(live);
	update(simulator, 'A', 'READ');
	await eventually(() => told.length === 1, 'the receipt');
	expect(inspect([live, told], { depth: 6, showHidden: false })).not.toContain('instance-token');
});

describe('the settings of the instance', () => {
	test('get the one event that is missing; the user\'s own events stay, and so does the webhook', async () => {
		const simulator = await simulated();
		await settings(simulator, '/webhook/set/meta1', { webhook: { enabled: true, url: 'http://127.0.0.1:9/mine', events: ['SEND_MESSAGE'] } });
		await settings(simulator, '/websocket/set/meta1', { websocket: { enabled: true, events: ['SEND_MESSAGE'] } });
		const webhook = await settings(simulator, '/webhook/find/meta1');
		firstEvent(simulator);
		const live = liveAt(simulator);
		following(live);
		await connected(live);
		expect(await settings(simulator, '/websocket/find/meta1')).toMatchObject({ enabled: true, events: ['SEND_MESSAGE', 'MESSAGES_UPDATE'] });
		expect(await settings(simulator, '/webhook/find/meta1')).toEqual(webhook);
	});

	test('that emit it already are left alone', async () => {
		const simulator = await simulated();
		await settings(simulator, '/websocket/set/meta1', { websocket: { enabled: true, events: ['MESSAGES_UPDATE', 'SEND_MESSAGE'] } });
		firstEvent(simulator);
		simulator.control.clearLog();
		const live = liveAt(simulator);
		following(live);
		await connected(live);
		expect(simulator.control.requests().map(({ path }) => path)).toEqual(['/websocket/find/meta1']);
	});

	test('that were off emit this one event only', async () => {
		const simulator = await simulated();
		firstEvent(simulator);
		const live = liveAt(simulator);
		following(live);
		await connected(live);
		expect(await settings(simulator, '/websocket/find/meta1')).toMatchObject({ enabled: true, events: ['MESSAGES_UPDATE'] });
	});
});

describe('a namespace that is not there before the first event', () => {
	test('is tried again with growing pauses, until it is', async () => {
		const simulator = await simulated();
		const live = liveAt(simulator, {}, { firstRetryMs: 40, mostRetryMs: 10_000 });
		following(live);
		await sleep(1500);
		expect(live.connectedSince).toBeUndefined();
		const { tries } = simulator.control.live();
		expect(tries).toBeGreaterThanOrEqual(4);
		expect(tries).toBeLessThanOrEqual(7); // after 40, 80, 160, 320, 640 ms, give or take a quarter; without growth it would be 30
		firstEvent(simulator);
		await connected(live);
	});

	test('is tried at once when somebody has seen that there was an event, at most once a second', async () => {
		const simulator = await simulated();
		const live = liveAt(simulator, {}, { firstRetryMs: 60_000, mostRetryMs: 60_000 });
		following(live);
		await eventually(() => simulator.control.live().tries === 1, 'the first try');
		for (let n = 0; n < 20; n++) live.namespaceIsThere();
		await sleep(1000);
		expect(simulator.control.live().tries).toBe(1);
		firstEvent(simulator);
		live.namespaceIsThere();
		await connected(live);
	});
});

describe('a connection that is lost', () => {
	test('comes back by itself, and both changes are told', async () => {
		const simulator = await simulated();
		firstEvent(simulator);
		const live = liveAt(simulator);
		const seen = following(live);
		await connected(live);
		simulator.control.dropLive();
		await eventually(() => seen.changes === 3 && live.connectedSince !== undefined, 'the new connection');
		update(simulator, 'A', 'READ');
		await eventually(() => seen.told.length === 1, 'a receipt by the new connection');
	});

	test('comes back after a restart that forgot the namespace, with its next event', async () => {
		const simulator = await simulated();
		firstEvent(simulator);
		const live = liveAt(simulator);
		following(live);
		await connected(live);
		simulator.control.dropLive({ forgetNamespaces: true });
		await eventually(() => live.connectedSince === undefined, 'the loss');
		await sleep(100);
		expect(live.connectedSince).toBeUndefined();
		firstEvent(simulator);
		await connected(live);
	});
});

describe('where live events are off', () => {
	test.each([
		['WEBSOCKET_ENABLED=false', { websocket: false }, {}],
		['a wrong key', {}, { apiKey: 'wrong' }],
	])('%s: no connection is tried; the settings are asked again after a while that doubles', async (_what, options, access) => {
		const simulator = await simulated(options);
		const live = liveAt(simulator, access, { offMs: 150, mostOffMs: 10_000 });
		following(live);
		await sleep(900);
		const asked = simulator.control.requests().filter(({ path }) => path === '/websocket/find/meta1').length;
		expect(asked).toBeGreaterThanOrEqual(2);
		expect(asked).toBeLessThanOrEqual(3); // at once, after 150 and after 300 ms more; the next after 600
		expect(simulator.control.live().tries).toBe(0);
	});

	test('a proxy without WebSocket: tried once, then after a while that doubles', async () => {
		const simulator = await simulated();
		simulator.control.settings({ refuseLive: true });
		const live = liveAt(simulator, {}, { offMs: 150, mostOffMs: 10_000 });
		following(live);
		await sleep(900);
		expect(simulator.control.live().tries).toBeGreaterThanOrEqual(2);
		expect(simulator.control.live().tries).toBeLessThanOrEqual(3);
		expect(live.connectedSince).toBeUndefined();
	});

	test('they are found once they are on', async () => {
		const simulator = await simulated();
		simulator.control.settings({ refuseLive: true });
		firstEvent(simulator);
		const live = liveAt(simulator);
		following(live);
		await eventually(() => simulator.control.live().tries === 1, 'the first try');
		simulator.control.settings({ refuseLive: false });
		await connected(live);
	});

	test('an event that was missed takes them for off, for that while', async () => {
		const simulator = await simulated();
		firstEvent(simulator);
		const live = liveAt(simulator, {}, { offMs: 250 });
		following(live);
		await connected(live);
		live.missedOne();
		expect(live.connectedSince).toBeUndefined();
		await sleep(150);
		expect(live.connectedSince).toBeUndefined();
		await connected(live);
	});
});

describe('the one connection', () => {
	test('serves all who follow, and stays for the next one for a while', async () => {
		const simulator = await simulated();
		firstEvent(simulator);
		const live = liveAt(simulator, {}, { keepMs: 5000 });
		const all = Array.from({ length: 5 }, () => following(live));
		await connected(live);
		for (const { stop } of all) stop();
		await sleep(50);
		following(live);
		update(simulator, 'A', 'READ');
		await sleep(50);
		expect(simulator.control.live()).toMatchObject({ tries: 1, open: { meta1: 1 }, ever: { meta1: 1 } });
	});

	test('is closed when nobody has followed for that while', async () => {
		const simulator = await simulated();
		firstEvent(simulator);
		const live = liveAt(simulator);
		const { stop } = following(live);
		await connected(live);
		stop();
		await sleep(50);
		expect(simulator.control.live().open.meta1).toBe(1);
		await simulator.control.waitUntil(() => simulator.control.live().open.meta1 === 0);
		await sleep(150);
		expect(simulator.control.live().tries).toBe(1);
	});

	test('is closed with the server\'s client, also while it is made', async () => {
		const simulator = await simulated();
		firstEvent(simulator);
		for (const pauseMs of [0, 3, 6, 12, 100]) {
			const server = new EvolutionServer({ baseUrl: simulator.url, apiKey: simulator.apiKey });
			following(server.live('meta1', quick));
			await sleep(pauseMs);
			server.close();
		}
		await sleep(200);
		expect(simulator.control.live().open.meta1).toBe(0);
	});
});

describe('the way to the server', () => {
	test('is the base URL with its path and user; the key goes in a header, not in the address', async () => {
		const upgrades: http.IncomingMessage[] = [];
		const server = await serving(
			(_heard, answer) => answer.writeHead(200, { 'content-type': 'application/json' }).end('{"enabled":true,"events":["MESSAGES_UPDATE"]}'),
			(listener) => http.createServer(listener).on('upgrade', (request, socket) => { upgrades.push(request); socket.destroy(); }),
		);
		following(liveAt({ url: server.url.replace('//', '//me:p%40ss@') + '/evo/' }));
		await eventually(() => upgrades.length > 0, 'a connection');
		expect(upgrades[0]?.url).toMatch(/^\/evo\/socket\.io\/\?EIO=4&transport=websocket/);
		expect(upgrades[0]?.url).not.toContain('simulator-key');
		expect(upgrades[0]?.headers).toMatchObject({ apikey: 'simulator-key', authorization: `Basic ${btoa('me:p@ss')}` });
	});

	test('is not gone where n8n\'s filter forbids it', async () => {
		const simulator = await simulated();
		firstEvent(simulator);
		const asked: string[] = [];
		following(liveAt(simulator), { ...open, validateUrl: async (url) => { asked.push(url); return { ok: false, error: new Error('private') }; } });
		await sleep(100);
		expect(asked).toEqual([`${simulator.url}/websocket/find/meta1`]);
		expect(simulator.control.requests()).toEqual([]);
		expect(simulator.control.live().tries).toBe(0);
	});

	test('is looked up by n8n\'s filter, which may refuse an address', async () => {
		const simulator = await simulated();
		firstEvent(simulator);
		const named = { url: simulator.url.replace('127.0.0.1', 'evolution.invalid') };
		const live = liveAt(named);
		following(live, open);
		await connected(live);
		let looks = 0; // the filter lets the settings through, and forbids the connection: only its own look-up can refuse it
		const strict: EgressFilter = { ...open, createSecureLookup: () => (name, options, done) => (++looks > 1 ? done(new Error('private'), '') : open.createSecureLookup()(name, options, done)) };
		const refused = liveAt(named);
		following(refused, strict);
		await eventually(() => looks > 1, 'a second look-up');
		await sleep(50);
		expect(refused.connectedSince).toBeUndefined();
	});

	test('may have a certificate that is not trusted, if the user says so', async () => {
		const simulator = await simulated();
		firstEvent(simulator);
		const server = tls.createServer({ cert, key }, (socket) => {
			const inner = net.connect(Number(new URL(simulator.url).port), '127.0.0.1');
			for (const one of [socket, inner]) one.on('error', () => {});
			socket.pipe(inner).pipe(socket);
		});
		const url = `https://127.0.0.1:${await listen(server)}`;
		endWithTest(() => new Promise((resolve) => server.close(resolve)));
		const live = liveAt({ url }, { ignoreSslIssues: true });
		following(live);
		await connected(live);
		const strict = liveAt({ url });
		following(strict);
		await sleep(150);
		expect(strict.connectedSince).toBeUndefined();
	});

	test('goes by HTTP_PROXY, as all requests do', async () => {
		const simulator = await simulated();
		firstEvent(simulator);
		const targets: string[] = [];
		const proxy = await serving(
			(heard, answer) => { targets.push(heard.url); answer.writeHead(200, { 'content-type': 'application/json' }).end('{"enabled":true,"events":["MESSAGES_UPDATE"]}'); },
			(listener) => http.createServer(listener).on('upgrade', (request, socket) => { targets.push(String(request.url)); socket.destroy(); }),
		);
		process.env.HTTP_PROXY = proxy.url;
		endWithTest(() => { delete process.env.HTTP_PROXY; });
		following(liveAt({ url: 'http://evolution.invalid' }));
		await eventually(() => targets.length >= 2, 'both requests');
		expect(targets.slice(0, 2)).toEqual(['http://evolution.invalid/websocket/find/meta1', expect.stringMatching(/^http:\/\/evolution\.invalid\/socket\.io\//)]);
	});
});

test('bundled into one file without node_modules it works, and its connection keeps no process alive', async () => {
	const simulator = await simulated();
	firstEvent(simulator);
	const folder = temporaryFolder();
	const root = join(__dirname, '../..');
	const script = `
		import { EvolutionServer } from './evolution/server';
		const live = new EvolutionServer({ baseUrl: ${JSON.stringify(simulator.url)}, apiKey: 'simulator-key' }).live('meta1');
		const waiting = setTimeout(() => {}, 20_000);
		live.follow({ onChange() {}, onReceipt(id, receipt) { console.log(id + ' ' + receipt); clearTimeout(waiting); return true; } });`;
	const outfile = join(folder, 'bundle.cjs');
	await build({ stdin: { contents: script, resolveDir: root, loader: 'ts' }, outfile, bundle: true, platform: 'node', format: 'cjs', minify: true });
	const running = promisify(execFile)(process.execPath, [outfile], { cwd: folder, timeout: 15_000 });
	await simulator.control.waitUntil(() => simulator.control.live().open.meta1 === 1, 10_000);
	update(simulator, 'A', 'READ');
	expect((await running).stdout).toBe('A read\n');
});
