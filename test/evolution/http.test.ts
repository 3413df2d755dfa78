// The HTTP client against real servers: deadlines, limits, redirects, proxies, and what may have been delivered.
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net, { type LookupFunction } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type EgressFilter, HttpClient, HttpFailure, maxAnswerBytes, shownUrl } from '../../evolution/http';
import { closedPort, endWithTest, listen, type Listening, serving, temporaryFolder, thrownBy } from './helpers';

function client(options?: { ignoreSslIssues?: boolean }): HttpClient {
	const one = new HttpClient(options);
	endWithTest(() => one.close());
	return one;
}

function certificate(): { key: Buffer; cert: Buffer } {
	const folder = temporaryFolder();
	const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
	execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '1', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'], { stdio: 'ignore' });
	return { key: readFileSync(key), cert: readFileSync(cert) };
}

async function servingTls(): Promise<Listening & { secureUrl: string }> {
	const server = await serving((_heard, answer) => answer.end('secure'), (listener) => https.createServer(certificate(), listener) as unknown as http.Server);
	return { ...server, secureUrl: server.url.replace('http:', 'https:') };
}

/** A bare TCP server that does with each connection what the test says. */
async function accepting(onConnection: (socket: net.Socket) => void): Promise<string> {
	const sockets = new Set<net.Socket>();
	const server = net.createServer((socket) => {
		sockets.add(socket);
		socket.on('error', () => {});
		onConnection(socket);
	});
	const port = await listen(server);
	endWithTest(async () => {
		for (const socket of sockets) socket.destroy();
		await new Promise((resolve) => server.close(resolve));
	});
	return `http://127.0.0.1:${port}`;
}

const open: EgressFilter = { validateUrl: async () => ({ ok: true }), createSecureLookup: () => lookingUp('127.0.0.1'), validateRedirectSync: () => {} };

/** A look-up that answers every name with one address. */
function lookingUp(address: string): LookupFunction {
	return (_name, options, callback) => {
		if (options.all) callback(null, [{ address, family: 4 }]);
		else callback(null, address, 4);
	};
}

const post = { method: 'POST', timeoutMs: 5000, headers: { 'content-type': 'application/json' }, body: '{"a":1}' };

describe('an exchange', () => {
	test('sends method, headers and body as they are, and gives the answer whatever its status', async () => {
		const server = await serving((_heard, answer) => answer.writeHead(418, { 'X-Odd': 'yes' }).end('short and stout'));
		const answer = await client().request({ ...post, url: `${server.url}/a%2Fb?c=1`, body: '{"text":"olá 👋"}' });
		expect(answer).toMatchObject({ status: 418, text: 'short and stout', truncated: false, headers: { 'x-odd': 'yes' } });
		expect(server.heard[0]).toMatchObject({ method: 'POST', url: '/a%2Fb?c=1', body: '{"text":"olá 👋"}', headers: { 'content-type': 'application/json' } });
	});

	test('without a body sends none', async () => {
		const server = await serving((_heard, answer) => answer.end('ok'));
		await client().request({ method: 'GET', url: server.url, timeoutMs: 5000 });
		expect(server.heard[0]).toMatchObject({ method: 'GET', body: '' });
		expect(server.heard[0]?.headers).not.toHaveProperty('content-type');
	});

	test('reads an answer to its limit, says that there was more, and lets go of the rest', async () => {
		const server = await serving((_heard, answer) => {
			const more = () => { while (answer.write('x'.repeat(65_536)) && !answer.destroyed); };
			answer.on('drain', more).on('error', () => {});
			more();
		});
		const answer = await client().request({ method: 'GET', url: server.url, timeoutMs: 10_000 });
		expect(answer.text.length).toBe(maxAnswerBytes);
		expect(answer.truncated).toBe(true);
	});

	test('reads an answer of exactly the limit whole', async () => {
		const server = await serving((_heard, answer) => answer.end(Buffer.alloc(maxAnswerBytes, 'x')));
		const answer = await client().request({ method: 'GET', url: server.url, timeoutMs: 10_000 });
		expect([answer.text.length, answer.truncated]).toEqual([maxAnswerBytes, false]);
	});

	test('unpacks a compressed answer', async () => {
		const { gzipSync } = await import('node:zlib');
		const server = await serving((_heard, answer) => answer.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('hello')));
		expect((await client().request({ method: 'GET', url: server.url, timeoutMs: 5000 })).text).toBe('hello');
	});
});

describe('a deadline', () => {
	test('ends a request that is never answered, as perhaps delivered', async () => {
		const server = await serving(() => {});
		const began = performance.now();
		const error = await thrownBy(client().request({ ...post, url: `${server.url}/x`, timeoutMs: 200 }));
		expect(error).toMatchObject({ name: 'HttpFailure', kind: 'timeout', delivered: 'unknown', message: `${server.url}/x did not answer within 0.2 s` });
		expect(performance.now() - began).toBeLessThan(1000);
		expect(server.heard).toHaveLength(1);
	});

	test('holds over a body that drips for ever', async () => {
		const server = await serving((_heard, answer) => {
			answer.on('error', () => {}).writeHead(201, { 'content-type': 'application/json' });
			const dripping = setInterval(() => answer.write(' '), 20);
			answer.on('close', () => clearInterval(dripping));
		});
		const began = performance.now();
		expect(await thrownBy(client().request({ ...post, url: server.url, timeoutMs: 300 }))).toMatchObject({ kind: 'timeout', delivered: 'unknown' });
		expect(performance.now() - began).toBeLessThan(1200);
	});

	test('that passes while the name is looked up tells that nothing was delivered', async () => {
		const never: EgressFilter = { ...open, createSecureLookup: () => () => {} };
		expect(await thrownBy(client().request({ ...post, url: 'http://evolution.test/', timeoutMs: 200 }, never))).toMatchObject({ kind: 'timeout', delivered: 'no' });
	});

	test('that passes before TLS stands tells that nothing was delivered', async () => {
		const silent = await accepting(() => {});
		expect(await thrownBy(client().request({ ...post, url: silent.replace('http:', 'https:'), timeoutMs: 300 }))).toMatchObject({ kind: 'timeout', delivered: 'no' });
	});

	test('that passes on a kept connection may have been delivered', async () => {
		const server = await serving(({ url }, answer) => void (url === '/first' && answer.end('ok')));
		const one = client();
		await one.request({ method: 'GET', url: `${server.url}/first`, timeoutMs: 5000 });
		expect(await thrownBy(one.request({ ...post, url: `${server.url}/second`, timeoutMs: 200 }))).toMatchObject({ kind: 'timeout', delivered: 'unknown' });
		expect(server.heard[0]?.port).toBe(server.heard[1]?.port);
	});
});

describe('a cancelled request', () => {
	test('ends at once, and closes its connection', async () => {
		let closed: () => void = () => {};
		const connectionClosed = new Promise<void>((resolve) => (closed = resolve));
		const cancel = new AbortController();
		const server = await serving((_heard, answer) => {
			answer.on('close', closed);
			cancel.abort();
		});
		expect(await thrownBy(client().request({ ...post, url: server.url, signal: cancel.signal }))).toMatchObject({ kind: 'cancelled', delivered: 'unknown' });
		await connectionClosed;
	});

	test('that was cancelled before is never begun', async () => {
		const server = await serving((_heard, answer) => answer.end());
		expect(await thrownBy(client().request({ ...post, url: server.url, signal: AbortSignal.abort() }))).toMatchObject({ kind: 'cancelled', delivered: 'no' });
		expect(server.heard).toHaveLength(0);
	});

	test('ends in the middle of its body', async () => {
		const cancel = new AbortController();
		const server = await serving((_heard, answer) => {
			answer.on('error', () => {}).write('begun');
			setTimeout(() => cancel.abort(), 50);
		});
		expect(await thrownBy(client().request({ ...post, url: server.url, signal: cancel.signal }))).toMatchObject({ kind: 'cancelled', delivered: 'unknown' });
	});
});

describe('without an answer', () => {
	test('a refused connection delivered nothing', async () => {
		const url = `http://127.0.0.1:${await closedPort()}/x`;
		expect(await thrownBy(client().request({ ...post, url }))).toMatchObject({ kind: 'refused', delivered: 'no', message: `Nothing listens at ${url} (connection refused)` });
	});

	test('a name that does not exist delivered nothing', async () => {
		expect(await thrownBy(client().request({ ...post, url: 'http://no-such-host.invalid/x', timeoutMs: 20_000 }))).toMatchObject({ kind: 'nameNotFound', delivered: 'no', message: expect.stringContaining('no-such-host.invalid') });
	});

	test('a network that cannot be reached delivered nothing', async () => {
		const nowhere: EgressFilter = { ...open, createSecureLookup: () => (_name, _options, callback) => callback(Object.assign(new Error('no route'), { code: 'ENETUNREACH' }), '') };
		expect(await thrownBy(client().request({ ...post, url: 'http://evolution.test/' }, nowhere))).toMatchObject({ kind: 'unreachable', delivered: 'no' });
	});

	test('a connection that is reset after the request came may have delivered it', async () => {
		const server = await serving((_heard, _answer, request) => request.socket.resetAndDestroy());
		expect(await thrownBy(client().request({ ...post, url: server.url }))).toMatchObject({ kind: 'reset', delivered: 'unknown' });
		expect(server.heard).toHaveLength(1);
	});

	test('a connection that is closed without a word may have delivered it', async () => {
		const url = await accepting((socket) => socket.once('data', () => socket.end()));
		expect(await thrownBy(client().request({ ...post, url }))).toMatchObject({ kind: 'reset', delivered: 'unknown' });
	});

	test('an answer that breaks off in its body may have delivered it', async () => {
		const url = await accepting((socket) => socket.once('data', () => socket.end('HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{"key"')));
		expect(await thrownBy(client().request({ ...post, url }))).toMatchObject({ kind: 'reset', delivered: 'unknown' });
	});

	test('an answer that is no HTTP may have delivered it', async () => {
		const url = await accepting((socket) => socket.once('data', () => socket.end('220 mail.example ESMTP\r\n')));
		expect(await thrownBy(client().request({ ...post, url }))).toMatchObject({ kind: 'reset', delivered: 'unknown' });
	});
});

describe('TLS', () => {
	test('a certificate that nobody trusts delivered nothing', async () => {
		const server = await servingTls();
		expect(await thrownBy(client().request({ ...post, url: server.secureUrl }))).toMatchObject({ kind: 'untrustedCertificate', delivered: 'no' });
		expect(server.heard).toHaveLength(0);
	});

	test('a certificate that nobody trusts is taken with ignoreSslIssues', async () => {
		const server = await servingTls();
		expect(await client({ ignoreSslIssues: true }).request({ ...post, url: server.secureUrl })).toMatchObject({ status: 200, text: 'secure' });
	});

	test('a deadline that passes after TLS stood may have delivered it', async () => {
		const server = await serving(() => {}, (listener) => https.createServer(certificate(), listener) as unknown as http.Server);
		expect(await thrownBy(client({ ignoreSslIssues: true }).request({ ...post, url: server.url.replace('http:', 'https:'), timeoutMs: 500 }))).toMatchObject({ kind: 'timeout', delivered: 'unknown' });
		expect(server.heard).toHaveLength(1);
	});

	test('https spoken to an http port delivered nothing', async () => {
		const server = await serving((_heard, answer) => answer.end());
		expect(await thrownBy(client().request({ ...post, url: server.url.replace('http:', 'https:') }))).toMatchObject({ kind: 'tls', delivered: 'no' });
		expect(server.heard).toHaveLength(0);
	});

	test('http spoken to an https port gives no success', async () => {
		const server = await servingTls();
		const outcome = await client().request({ ...post, url: server.url }).catch((error: unknown) => error);
		if (outcome instanceof HttpFailure) expect(outcome.kind).toBe('reset');
		else expect(outcome).toMatchObject({ status: 400 });
		expect(server.heard).toHaveLength(0);
	});
});

describe('redirects', () => {
	test.each([307, 308])('a %i on the same host is followed with method and body, where that is asked for', async (status) => {
		const server = await serving(({ url }, answer) => void (url === '/from' ? answer.writeHead(status, { location: '/to' }).end() : answer.end('there')));
		expect(await client().request({ ...post, url: `${server.url}/from`, followRedirects: true })).toMatchObject({ status: 200, text: 'there' });
		expect(server.heard.map(({ method, url, body }) => [method, url, body])).toEqual([['POST', '/from', '{"a":1}'], ['POST', '/to', '{"a":1}']]);
	});

	test.each([301, 302, 303])('a %i that would turn POST into GET is refused', async (status) => {
		const server = await serving(({ url }, answer) => void (url === '/from' ? answer.writeHead(status, { location: '/to' }).end() : answer.end('there')));
		expect(await thrownBy(client().request({ ...post, url: `${server.url}/from`, followRedirects: true }))).toMatchObject({ kind: 'redirect', message: `${server.url}/from redirects to ${server.url}/to, which is not followed` });
		expect(server.heard).toHaveLength(1);
	});

	test('a GET is followed through a 302', async () => {
		const server = await serving(({ url }, answer) => void (url === '/from' ? answer.writeHead(302, { location: '/to' }).end() : answer.end('there')));
		expect(await client().request({ method: 'GET', url: `${server.url}/from`, timeoutMs: 5000, followRedirects: true })).toMatchObject({ text: 'there' });
	});

	test('to another host are refused: headers stay where they belong', async () => {
		const other = await serving((_heard, answer) => answer.end('leaked'));
		const server = await serving((_heard, answer) => answer.writeHead(307, { location: `${other.url}/?token=secret` }).end());
		const error = await thrownBy(client().request({ ...post, url: server.url, headers: { 'x-secret': 's' }, followRedirects: true }));
		expect(error).toMatchObject({ kind: 'redirect', message: expect.stringContaining(`redirects to ${other.url}/, which`) });
		expect(other.heard).toHaveLength(0);
	});

	test('without an end give up', async () => {
		const server = await serving((_heard, answer) => answer.writeHead(307, { location: '/again' }).end());
		expect(await thrownBy(client().request({ ...post, url: server.url, followRedirects: true }))).toBeInstanceOf(HttpFailure);
		expect(server.heard.length).toBeLessThan(10);
	});

	test('are answers like others, where they are not to be followed', async () => {
		const server = await serving((_heard, answer) => answer.writeHead(307, { location: '/to' }).end());
		expect(await client().request({ ...post, url: server.url })).toMatchObject({ status: 307, headers: { location: '/to' } });
		expect(server.heard).toHaveLength(1);
	});

	test("n8n's egress filter is asked before one is followed", async () => {
		const server = await serving(({ url }, answer) => void (url === '/from' ? answer.writeHead(307, { location: '/to' }).end() : answer.end('there')));
		const asked: string[] = [];
		const strict: EgressFilter = { ...open, validateRedirectSync: (url) => { asked.push(url); throw new Error('private address'); } };
		expect(await thrownBy(client().request({ ...post, url: `${server.url}/from`, followRedirects: true }, strict))).toMatchObject({ kind: 'blocked', delivered: 'unknown' });
		expect(asked).toEqual([`${server.url}/to`]);
		expect(server.heard).toHaveLength(1);
	});
});

describe("n8n's egress filter", () => {
	test('is asked first, and what it forbids is never called', async () => {
		const server = await serving((_heard, answer) => answer.end());
		const strict: EgressFilter = { ...open, validateUrl: async () => ({ ok: false, error: new Error('private address') }) };
		expect(await thrownBy(client().request({ ...post, url: `${server.url}/x?token=secret` }, strict))).toMatchObject({ kind: 'blocked', delivered: 'no', message: `n8n's own protection forbids requests to ${server.url}/x (private address)` });
		expect(server.heard).toHaveLength(0);
	});

	test('looks names up itself', async () => {
		const server = await serving((_heard, answer) => answer.end('found'));
		expect(await client().request({ ...post, url: `http://evolution.test:${server.port}/` }, open)).toMatchObject({ text: 'found' });
		expect(server.heard[0]?.headers.host).toBe(`evolution.test:${server.port}`);
	});

	test('whose look-up refuses an address is told as a failure that delivered nothing', async () => {
		const strict: EgressFilter = { ...open, createSecureLookup: () => (_name, _options, callback) => callback(new Error('10.0.0.1 is private'), '') };
		const error = await thrownBy(client().request({ ...post, url: 'http://evolution.test/' }, strict));
		expect(error).toMatchObject({ kind: 'blocked', delivered: 'no', message: expect.stringContaining('10.0.0.1 is private') });
	});

	test('that can not find a name when it checks the address is told as such, and delivered nothing', async () => {
		const lost: EgressFilter = { ...open, validateUrl: async () => await Promise.reject(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })) };
		expect(await thrownBy(client().request({ ...post, url: 'http://evolution.test/' }, lost))).toMatchObject({ kind: 'nameNotFound', delivered: 'no' });
	});
});

describe('connections', () => {
	test('are kept for the next request', async () => {
		const server = await serving((_heard, answer) => answer.end('ok'));
		const one = client();
		for (let i = 0; i < 3; i++) await one.request({ ...post, url: server.url });
		expect(new Set(server.heard.map(({ port }) => port)).size).toBe(1);
	});

	test('that are idle are dropped before a server would do it', async () => {
		const closings: number[] = [];
		const server = await serving((_heard, answer, request) => {
			const ended = performance.now();
			request.socket.once('close', () => closings.push(performance.now() - ended));
			answer.end('ok');
		});
		await client().request({ ...post, url: server.url });
		await new Promise((resolve) => setTimeout(resolve, 2500));
		expect(closings).toHaveLength(1);
		expect(closings[0]).toBeLessThan(3000);
	});

	test('under way live longer than idle ones', async () => {
		const server = await serving((_heard, answer) => void setTimeout(() => answer.end('late'), 2500));
		expect(await client().request({ ...post, url: server.url })).toMatchObject({ text: 'late' });
	});

	test('end with the client', async () => {
		let closed: () => void = () => {};
		const connectionClosed = new Promise<void>((resolve) => (closed = resolve));
		const server = await serving((_heard, answer, request) => {
			request.socket.once('close', closed);
			answer.end('ok');
		});
		const one = new HttpClient();
		await one.request({ ...post, url: server.url });
		one.close();
		await connectionClosed;
	});
});

/** A forward proxy for http, and its log. */
async function proxying(): Promise<{ url: string; passed: string[] }> {
	const passed: string[] = [];
	const proxy = await serving(({ url, method, headers, body }, answer) => {
		passed.push(url);
		const onward = http.request(url, { method, headers: { ...headers, host: new URL(url).host }, agent: false }, (response) => {
			answer.writeHead(response.statusCode ?? 500, response.headers);
			response.pipe(answer);
		});
		onward.end(body);
	});
	return { url: proxy.url, passed };
}

/** Runs one request in a process of its own, with this environment. */
async function requestWith(environment: Record<string, string>, url: string): Promise<string> {
	const code = `
		const { HttpClient } = require('./evolution/http.ts');
		const http = new HttpClient();
		http.request({ method: 'POST', url: ${JSON.stringify(url)}, body: 'b', timeoutMs: 5000 }).then((answer) => { console.log(answer.text); http.close(); }, (error) => { console.log(error.kind); http.close(); });
	`;
	const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/_proxy$/i.test(name)));
	const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '-e', code], { cwd: join(__dirname, '../..'), env: { ...clean, ...environment } });
	return stdout.trim();
}

describe('a proxy', () => {
	test('named by HTTP_PROXY is used', async () => {
		const server = await serving((_heard, answer) => answer.end('direct or not'));
		const proxy = await proxying();
		expect(await requestWith({ HTTP_PROXY: proxy.url }, `${server.url}/x`)).toBe('direct or not');
		expect(proxy.passed).toEqual([`${server.url}/x`]);
		expect(server.heard[0]).toMatchObject({ method: 'POST', body: 'b' });
	});

	test('is left out for what NO_PROXY names', async () => {
		const server = await serving((_heard, answer) => answer.end('direct'));
		const proxy = await proxying();
		expect(await requestWith({ HTTP_PROXY: proxy.url, NO_PROXY: '127.0.0.1' }, `${server.url}/x`)).toBe('direct');
		expect(proxy.passed).toEqual([]);
	});

	test('that does not run is a refused connection', async () => {
		const server = await serving((_heard, answer) => answer.end('direct'));
		expect(await requestWith({ HTTP_PROXY: `http://127.0.0.1:${await closedPort()}` }, server.url)).toBe('refused');
		expect(server.heard).toHaveLength(0);
	});
});

test('a URL is shown without user, query and fragment', () => {
	expect(shownUrl('https://user:secret@host.test:8443/path/x?token=secret#secret')).toBe('https://host.test:8443/path/x');
});

test('no failure repeats the secrets of its URL', async () => {
	const url = `http://user:secret@127.0.0.1:${await closedPort()}/x?token=secret#secret`;
	const error = (await thrownBy(client().request({ ...post, url, headers: { apikey: 'secret' } }))) as HttpFailure;
	expect(JSON.stringify([error.message, { ...error }])).not.toContain('secret');
});
