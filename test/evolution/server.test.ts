// One EvolutionAPI server, asked through the client: the simulator, behind proxies, and things that are no EvolutionAPI.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { checkServer, EvolutionError, EvolutionServer, serverAddress, type ServerAccess } from '../../evolution/server';
import { HttpFailure } from '../../evolution/http';
import type { Simulator } from '../../simulator';
import { closedPort, endWithTest, type Listening, serving, simulated, temporaryFolder, thrownBy } from './helpers';

const call = { timeoutMs: 5000 };
const number = '5511988887777';
const jid = `${number}@s.whatsapp.net`;

function client(access: Partial<ServerAccess> & { baseUrl: string }): EvolutionServer {
	const one = new EvolutionServer({ apiKey: 'simulator-key', ...access });
	endWithTest(() => one.close());
	return one;
}

function clientOf(simulator: Simulator, more: Partial<ServerAccess> = {}): EvolutionServer {
	return client({ baseUrl: simulator.url, apiKey: simulator.apiKey, ...more });
}

/** A reverse proxy that serves the simulator under a path. */
async function behind(simulator: Simulator, prefix: string): Promise<Listening> {
	return await serving(({ url, method, headers, body }, answer) => {
		if (!url.startsWith(`${prefix}/`)) return void answer.writeHead(404, { 'content-type': 'text/html' }).end('<html>nginx</html>');
		const onward = http.request(simulator.url + url.slice(prefix.length), { method, headers }, (response) => {
			answer.writeHead(response.statusCode ?? 500, response.headers);
			response.pipe(answer);
		});
		onward.end(body);
	});
}

describe('the address of a server', () => {
	test.each([
		['https://Evolution.Example.COM', 'https://evolution.example.com'],
		[' https://evolution.example.com/ ', 'https://evolution.example.com'],
		['https://evolution.example.com///', 'https://evolution.example.com'],
		['https://evolution.example.com:443', 'https://evolution.example.com'],
		['http://localhost:8080/api/', 'http://localhost:8080/api'],
		['https://user:secret@evolution.example.com/?key=secret#x', 'https://evolution.example.com'],
	])('is the same however it is spelled: "%s"', (given, address) => {
		expect(serverAddress(given)).toBe(address);
	});

	test.each(['', 'evolution.example.com', 'localhost:8080', 'ftp://x', 'javascript:alert(1)', 'https://', `x${'y'.repeat(500)}`])('is refused with a sentence where it is none: "%s"', (given) => {
		expect(() => serverAddress(given)).toThrow(/is no address: it has to begin with https:\/\/ or http:\/\//);
		expect(() => serverAddress(given)).toThrow(/^.{1,160}$/);
	});
});

describe('a text', () => {
	test.each([
		['meta1', { messageId: expect.stringMatching(/^wamid\./), remoteJid: jid }],
		['evo1', { messageId: expect.stringMatching(/^[0-9a-f-]{36}$/), remoteJid: number }],
		['phone1', { messageId: expect.stringMatching(/^[0-9A-F]+$/), remoteJid: jid }],
	])('sent by %s is out, and its ID is known', async (instance, expected) => {
		const simulator = await simulated();
		expect(await clientOf(simulator).send(instance, number, { kind: 'text', text: 'Hello 👋' }, call)).toMatchObject({ kind: 'sent', statusCode: 201, ...expected });
		expect(simulator.control.messages()).toMatchObject([{ instance, text: 'Hello 👋', jid }]);
	});

	test('goes out with all its options, and without those that are not set', async () => {
		const server = await serving((_heard, answer) => answer.writeHead(201, { 'content-type': 'application/json' }).end('{"key":{"id":"A"}}'));
		const one = client({ baseUrl: server.url });
		await one.send('i', number, { kind: 'text', text: 'x' }, call);
		await one.send('i', number, { kind: 'text', text: 'x', typingMilliseconds: 5, quotedMessageId: 'Q', linkPreview: false, mentionEveryone: true }, call);
		expect(server.heard.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
			{ number, text: 'x' },
			{ number, text: 'x', delay: 5, quoted: { key: { id: 'Q' } }, linkPreview: false, mentionsEveryOne: true },
		]);
		expect(server.heard[0]).toMatchObject({ method: 'POST', url: '/message/sendText/i', headers: { apikey: 'simulator-key', 'content-type': 'application/json' } });
	});

	test('with typing has that much longer to be answered', async () => {
		const simulator = await simulated();
		expect(await clientOf(simulator).send('phone1', number, { kind: 'text', text: 'x', typingMilliseconds: 600 }, { timeoutMs: 400 })).toMatchObject({ kind: 'sent' });
		expect(await clientOf(simulator).send('phone1', number, { kind: 'text', text: 'x', typingMilliseconds: 100 }, { timeoutMs: 400 })).toMatchObject({ kind: 'sent' });
	});

	test.each(['team/sales', '../admin', 'a.b', 'my instance', 'größe', '日本語', 'a?instanceName=phone1', 'a#b', '50%', 'a%2Fb', 'a&b=c'])('sent by the instance "%s" reaches that instance only', async (name) => {
		const simulator = await simulated({ instances: [{ name: 'meta1', channel: 'WHATSAPP-BUSINESS' }, { name: 'phone1', channel: 'WHATSAPP-BAILEYS' }, { name, channel: 'WHATSAPP-BUSINESS' }] });
		const one = clientOf(simulator);
		const outcome = await one.send(name, number, { kind: 'text', text: 'x' }, call);
		expect(outcome).toMatchObject({ kind: 'sent' });
		expect(simulator.control.messages().map(({ instance }) => instance)).toEqual([name]);
		const { messageId } = outcome as { messageId: string };
		expect(await one.isOnRecord(name, messageId, call)).toBe(true);
		expect(await one.isOnRecord('meta1', messageId, call)).toBe(false);
	});

	test.each(['/api', '/api/', '/a/b//'])('reaches a server that lives under the path %s', async (path) => {
		const simulator = await simulated();
		const proxy = await behind(simulator, path.replace(/\/+$/, ''));
		const one = client({ baseUrl: proxy.url + path });
		expect(await one.send('meta1', number, { kind: 'text', text: 'x' }, call)).toMatchObject({ kind: 'sent' });
		expect((await one.instances(call)).length).toBe(5);
	});

	test('without an answer is unknown or not sent, never an exception', async () => {
		const simulator = await simulated();
		const one = clientOf(simulator);
		simulator.control.addRule({ route: 'sendText', times: 1, sent: true, answer: { kind: 'reset' } });
		expect(await one.send('meta1', number, { kind: 'text', text: 'x' }, call)).toMatchObject({ kind: 'unknown' });
		simulator.control.addRule({ route: 'sendText', times: 1, answer: { kind: 'hang' } });
		expect(await one.send('meta1', number, { kind: 'text', text: 'x' }, { timeoutMs: 150 })).toMatchObject({ kind: 'unknown', message: expect.stringContaining('within 0.15 s') });
		expect(await client({ baseUrl: `http://127.0.0.1:${await closedPort()}` }).send('meta1', number, { kind: 'text', text: 'x' }, call)).toMatchObject({ kind: 'notSent', code: 'refused', tryAgain: 'now' });
	});

	test.each([
		['drip', { kind: 'drip', everyMs: 10 }, 'unknown'],
		['JSON that breaks off', { kind: 'nonsense', as: 'invalidJson' }, 'unknown'],
		['nothing', { kind: 'nonsense', as: 'empty' }, 'unknown'],
		['null', { kind: 'nonsense', as: 'null' }, 'unknown'],
		['an array', { kind: 'nonsense', as: 'array' }, 'unknown'],
		['50 MB', { kind: 'nonsense', as: 'huge' }, 'unknown'],
		['502', { kind: 'http', status: 502, body: '<html>Bad Gateway</html>' }, 'unknown'],
		["a lost connection to Meta", { kind: 'lostMeta' }, 'unknown'],
		['a database error', { kind: 'databaseError' }, 'unknown'],
		['429', { kind: 'rateLimit', retryAfterSeconds: 2 }, 'notSent'],
		["Meta's refusal", { kind: 'metaRefusal', code: 131026 }, 'notSent'],
		['no such number', { kind: 'noSuchNumber' }, 'notSent'],
		['not connected', { kind: 'notConnected' }, 'notSent'],
		['not loaded', { kind: 'notLoaded' }, 'notSent'],
	] as const)('answered with %s is judged', async (_what, answer, kind) => {
		const simulator = await simulated();
		simulator.control.addRule({ route: 'sendText', answer });
		expect(await clientOf(simulator).send('meta1', number, { kind: 'text', text: 'x' }, { timeoutMs: 1500 })).toMatchObject({ kind });
	});

	test('that is cancelled throws, so that nobody takes it for an answer', async () => {
		const simulator = await simulated();
		simulator.control.addRule({ route: 'sendText', answer: { kind: 'hang' } });
		const cancel = new AbortController();
		setTimeout(() => cancel.abort(), 50);
		expect(await thrownBy(clientOf(simulator).send('meta1', number, { kind: 'text', text: 'x' }, { ...call, signal: cancel.signal }))).toMatchObject({ kind: 'cancelled', delivered: 'unknown' });
	});

	test('whose error page repeats the key is told without it', async () => {
		const server = await serving(({ headers }, answer) => answer.writeHead(500, { 'content-type': 'text/plain' }).end(`You sent apikey ${String(headers.apikey)}`));
		const outcome = await client({ baseUrl: server.url, apiKey: 'top-secret' }).send('i', number, { kind: 'text', text: 'x' }, call);
		expect(outcome).toMatchObject({ kind: 'unknown', message: expect.stringContaining('apikey ***') });
		expect(JSON.stringify(outcome)).not.toContain('top-secret');
	});

	test('that is sent with a token works for its own instance', async () => {
		const simulator = await simulated();
		const one = clientOf(simulator, { apiKey: 'instance-token' });
		expect(await one.send('meta1', number, { kind: 'text', text: 'x' }, call)).toMatchObject({ kind: 'sent' });
		expect(await one.send('evo1', number, { kind: 'text', text: 'x' }, call)).toMatchObject({ kind: 'notSent', code: 'wrongApiKey' });
	});
});

describe('receipts', () => {
	test("of other messages are not taken for this one's", async () => {
		const simulator = await simulated();
		simulator.control.addRows({ instance: 'meta1', statuses: [{ keyId: 'OTHER', status: 'READ' }, { keyId: 'MINE', status: 'SENT' }] });
		expect(await clientOf(simulator).receiptsOf('meta1', 'MINE', call)).toEqual(['sent']);
		const careless = await serving((_heard, answer) => answer.end(JSON.stringify([{ keyId: 'OTHER', status: 'READ' }, { keyId: 'MINE', status: 'SENT' }, { keyId: 'MINE', status: 'EDITED' }, { keyId: 'MINE' }, null, 'x', ['MINE']])));
		expect(await client({ baseUrl: careless.url }).receiptsOf('meta1', 'MINE', call)).toEqual(['sent']);
	});

	test('come whatever their order and number', async () => {
		const simulator = await simulated();
		simulator.control.addRows({ instance: 'meta1', statuses: [{ keyId: 'M', status: 'READ' }, { keyId: 'M', status: 'DELIVERED' }, { keyId: 'M', status: 'READ' }] });
		expect((await clientOf(simulator).receiptsOf('meta1', 'M', call)).sort()).toEqual(['delivered', 'read', 'read']);
	});
});

describe('a look for own messages', () => {
	const seconds = Math.floor(Date.now() / 1000);
	const row = (id: string, timestamp: number, more: Record<string, unknown> = {}) => ({ key: { id, fromMe: true, remoteJid: jid, ...more }, message: { conversation: id }, messageType: 'conversation', messageTimestamp: timestamp });

	test('reads as many pages as it needs, and no message of before', async () => {
		const simulator = await simulated();
		const rows = Array.from({ length: 130 }, (_, i) => row(`M${i}`, seconds - i));
		simulator.control.addRows({ instance: 'meta1', messages: rows });
		const found = await clientOf(simulator).ownMessages('meta1', jid, (seconds - 109) * 1000, call);
		expect(new Set(found.map(({ messageId }) => messageId))).toEqual(new Set(rows.slice(0, 110).map(({ key }) => key.id)));
		expect(simulator.control.counts().findMessages).toBe(3);
	});

	test('stops at the first page that goes back far enough', async () => {
		const simulator = await simulated();
		simulator.control.addRows({ instance: 'meta1', messages: Array.from({ length: 130 }, (_, i) => row(`M${i}`, seconds - i)) });
		expect(await clientOf(simulator).ownMessages('meta1', jid, (seconds - 9) * 1000, call)).toHaveLength(10);
		expect(simulator.control.counts().findMessages).toBe(1);
	});

	test.each([[2, 100, false], [3, 130, true], [9, 130, true]])('ends after %i pages, with %i messages, and tells whether that was all', async (mostPages, count, complete) => {
		const simulator = await simulated();
		simulator.control.addRows({ instance: 'meta1', messages: Array.from({ length: 130 }, (_, i) => row(`M${i}`, seconds - i)) });
		const found = await clientOf(simulator).ownRecord('meta1', jid, 0, mostPages, call);
		expect([found.messages.length, found.complete]).toEqual([count, complete]);
	});

	test('never takes what another chat or the other person wrote', async () => {
		const rows = [row('MINE', seconds), row('OTHER CHAT', seconds, { remoteJid: '551@s.whatsapp.net' }), row('THEIRS', seconds, { fromMe: false }), null, {}, { key: {} }, { key: { id: 5 } }];
		const careless = await serving((_heard, answer) => answer.end(JSON.stringify({ messages: { total: 3, pages: 1, currentPage: 1, records: rows } })));
		expect((await client({ baseUrl: careless.url }).ownMessages('meta1', jid, 0, call)).map(({ messageId }) => messageId)).toEqual(['MINE']);
	});

	test('tells text, time and receipts of each, whatever kind it is', async () => {
		const rows = [
			{ ...row('A', seconds), MessageUpdate: [{ status: 'READ' }, { status: 'DELIVERED' }, { status: '?' }, null] },
			{ ...row('B', seconds), message: { extendedTextMessage: { text: 'extended' } } },
			{ ...row('C', seconds), message: { imageMessage: {} } },
			{ ...row('D', seconds), message: null, messageTimestamp: String(seconds) },
		];
		const server = await serving((_heard, answer) => answer.end(JSON.stringify({ messages: { total: 4, pages: 1, currentPage: 1, records: rows } })));
		expect(await client({ baseUrl: server.url }).ownMessages('meta1', jid, 0, call)).toEqual([
			{ messageId: 'A', remoteJid: jid, timestamp: seconds, messageType: 'conversation', text: 'A', content: { kind: 'text', facts: { text: 'A' } }, receipts: ['read', 'delivered'] },
			{ messageId: 'B', remoteJid: jid, timestamp: seconds, messageType: 'conversation', text: 'extended', content: { kind: 'text', facts: { text: 'extended' } }, receipts: [] },
			{ messageId: 'C', remoteJid: jid, timestamp: seconds, messageType: 'conversation', content: { kind: 'image', facts: { caption: '' } }, receipts: [] },
			{ messageId: 'D', remoteJid: jid, timestamp: seconds, messageType: 'conversation', content: { kind: 'other', facts: {} }, receipts: [] },
		]);
	});

	test('ends, even if the server says that there is always another page', async () => {
		const server = await serving((_heard, answer) => answer.end(JSON.stringify({ messages: { total: 1e9, pages: 1e9, currentPage: 1, records: [row('A', seconds)] } })));
		await client({ baseUrl: server.url }).ownMessages('meta1', jid, 0, call);
		expect(server.heard.length).toBe(20);
	});
});

test('a message is on record or not', async () => {
	const simulator = await simulated();
	const one = clientOf(simulator);
	const sent = (await one.send('meta1', number, { kind: 'text', text: 'x' }, call)) as { messageId: string };
	expect(await one.isOnRecord('meta1', sent.messageId, call)).toBe(true);
	expect(await one.isOnRecord('meta1', 'ANOTHER', call)).toBe(false);
});

describe('the list of instances', () => {
	test('tells names, channels and states, and never a token', async () => {
		const simulator = await simulated();
		const instances = await clientOf(simulator).instances(call);
		expect(instances).toContainEqual({ name: 'meta1', channel: 'WHATSAPP-BUSINESS', state: 'open' });
		expect(instances).toContainEqual({ name: 'baileys1', channel: 'WHATSAPP-BAILEYS', state: 'close' });
		for (const { token } of simulator.control.instances()) expect(JSON.stringify(instances)).not.toContain(token);
	});

	test('with a token holds its own instance only', async () => {
		const simulator = await simulated();
		expect((await clientOf(simulator, { apiKey: 'instance-token' }).instances(call)).map(({ name }) => name)).toEqual(['meta1']);
	});

	test('leaves out what has no name', async () => {
		const server = await serving((_heard, answer) => answer.end('[{"name":"a"},{"id":1},null,"x",{"name":5}]'));
		expect(await client({ baseUrl: server.url }).instances(call)).toEqual([{ name: 'a', channel: '', state: '' }]);
	});

	test('tells the channel of an instance, and is asked once for many questions', async () => {
		const simulator = await simulated();
		const one = clientOf(simulator);
		expect(await one.channelOf('evo1', call)).toBe('EVOLUTION');
		expect(await one.channelOf('phone1', call)).toBe('WHATSAPP-BAILEYS');
		expect(simulator.control.counts().fetchInstances).toBe(1);
		expect(await one.channelOf('nope', call)).toBeUndefined();
	});
});

describe('a look that fails says why', () => {
	test.each([
		['a wrong key', 401, '{"status":401,"error":"Unauthorized","response":{"message":"Unauthorized"}}', {}, 'wrongApiKey'],
		['an unknown instance', 404, '{"response":{"message":["The \\"x\\" instance does not exist"]}}', {}, 'unknownInstance'],
		['a wrong path', 404, '{"response":{"message":["Cannot GET /x"]}}', {}, 'notEvolutionApi'],
		['a method that is not allowed', 405, '', {}, 'notEvolutionApi'],
		['a web page', 200, '<html>', { 'content-type': 'text/html' }, 'notEvolutionApi'],
		['a text that is no JSON', 200, 'OK', {}, 'notEvolutionApi'],
		['a redirect', 302, '', { location: '/login' }, 'notEvolutionApi'],
		['JSON of another shape', 200, '{"hello":1}', {}, 'notEvolutionApi'],
		['a gateway without its server', 502, '<html>', { 'content-type': 'text/html' }, 'serverError'],
		['a server in trouble', 500, '{"response":{"message":"database"}}', {}, 'serverError'],
		['a refused request', 400, '{"response":{"message":["bad"]}}', {}, 'serverError'],
	])('%s (%i)', async (_what, status, body, headers, code) => {
		const server = await serving((_heard, answer) => answer.writeHead(status, headers).end(body));
		const one = client({ baseUrl: server.url });
		for (const look of [one.instances(call), one.receiptsOf('i', 'M', call), one.ownMessages('i', jid, 0, call)]) {
			const error = await thrownBy(look);
			expect(error).toBeInstanceOf(EvolutionError);
			expect(error).toMatchObject({ code, hint: expect.stringMatching(/\.$/) });
		}
	});

	test('or throws what the network did', async () => {
		expect(await thrownBy(client({ baseUrl: `http://127.0.0.1:${await closedPort()}` }).instances(call))).toBeInstanceOf(HttpFailure);
	});

	test('never with the key in it', async () => {
		const server = await serving((_heard, answer) => answer.writeHead(500).end('{"response":{"message":"apikey top-secret"}}'));
		expect(await thrownBy(client({ baseUrl: server.url, apiKey: 'top-secret' }).instances(call))).toMatchObject({ message: expect.not.stringContaining('top-secret') });
	});
});

describe('the test of a credential', () => {
	const check = (baseUrl: string, more: Partial<ServerAccess> = {}, timeoutMs = 5000) => checkServer({ baseUrl, apiKey: 'simulator-key', ...more }, { timeoutMs });

	test('tells which instances it sees', async () => {
		const simulator = await simulated();
		expect(await check(simulator.url)).toEqual({ ok: true, message: expect.stringContaining('Connected. 5 instances: ') });
		expect(await check(simulator.url, { apiKey: 'instance-token' })).toEqual({ ok: true, message: 'Connected. Instance: meta1' });
		const many = await simulated({ instances: Array.from({ length: 7 }, (_, i) => ({ name: `i${i}`, channel: 'EVOLUTION' as const })) });
		expect((await check(many.url)).message).toBe('Connected. 7 instances: i0, i1, i2, i3, i4, …');
		expect(await check((await simulated({ instances: [] })).url)).toEqual({ ok: true, message: 'Connected. The server has no instance yet: create one in EvolutionAPI.' });
	});

	test('tells a wrong key', async () => {
		const simulator = await simulated();
		expect(await check(simulator.url, { apiKey: 'wrong-secret' })).toEqual({ ok: false, message: `EvolutionAPI at ${simulator.url} refused the API key. Enter the key that EvolutionAPI has as AUTHENTICATION_API_KEY, or the token of one instance.` });
	});

	test('tells an empty key and an address that is none, without a request', async () => {
		expect(await check('http://127.0.0.1:1', { apiKey: '  ' })).toEqual({ ok: false, message: 'API Key is empty.' });
		expect(await check('evolution.example.com')).toEqual({ ok: false, message: 'Base URL: "evolution.example.com" is no address: it has to begin with https:// or http://.' });
	});

	test('tells that nothing listens, and a name that does not exist', async () => {
		const port = await closedPort();
		expect((await check(`http://127.0.0.1:${port}`)).message).toMatch(/^Nothing listens at .* \(connection refused\)\. Check that the server runs, and its port/);
		expect((await check('http://no-such-host.invalid', {}, 20_000)).message).toMatch(/^The name no-such-host.invalid could not be found/);
	});

	test('tells a certificate that is not trusted, unless that is to be ignored', async () => {
		const folder = temporaryFolder();
		const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
		execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '1', '-subj', '/CN=localhost'], { stdio: 'ignore' });
		const server = await serving((_heard, answer) => answer.end('[]'), (listener) => https.createServer({ key: readFileSync(key), cert: readFileSync(cert) }, listener) as unknown as http.Server);
		const secure = server.url.replace('http:', 'https:');
		expect((await check(secure)).message).toMatch(/^The certificate of .* is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)\. Install a valid certificate, or turn on "Ignore SSL Issues"/);
		expect(await check(secure, { ignoreSslIssues: true })).toMatchObject({ ok: true });
	});

	test('tells https in front of an http port', async () => {
		const simulator = await simulated();
		expect((await check(simulator.url.replace('http:', 'https:'))).message).toMatch(/^No secure connection to .* Check whether the address has to begin with http:\/\/ instead/);
	});

	test.each([
		['a web page', (answer: http.ServerResponse) => answer.writeHead(200, { 'content-type': 'text/html' }).end('<html>Manager</html>'), /it is not EvolutionAPI that answers there\. Check the Base URL/],
		['a redirect', (answer: http.ServerResponse) => answer.writeHead(301, { location: 'https://elsewhere.test' }).end(), /redirects to another address\. Enter the address that your browser ends up at/],
		['JSON that is no EvolutionAPI', (answer: http.ServerResponse) => answer.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}'), /something that EvolutionAPI 2 would not answer/],
		['an unknown route', (answer: http.ServerResponse) => answer.writeHead(404, { 'content-type': 'application/json' }).end('{"message":"Not Found"}'), /it is not EvolutionAPI that answers there/],
		['a gateway', (answer: http.ServerResponse) => answer.writeHead(503).end('no healthy upstream'), /it is down, and a proxy answers for it/],
	])('tells %s', async (_what, respond, message) => {
		const server = await serving((_heard, answer) => void respond(answer));
		expect(await check(server.url)).toEqual({ ok: false, message: expect.stringMatching(message) });
	});

	test('ends at a server that says nothing', async () => {
		const server = await serving(() => {});
		expect(await check(server.url, {}, 200)).toEqual({ ok: false, message: expect.stringMatching(/did not answer within 0\.2 s\. Check that the server is up/) });
	});
});
