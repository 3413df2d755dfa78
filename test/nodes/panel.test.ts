// What the panel asks the server for: the list of instances and the credential's test, in n8n's own contexts.
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { CredentialTestContext, LoadOptionsContext } from 'n8n-core';
import type { ICredentialDataDecryptedObject, INodeCredentialTestResult, INodeListSearchResult } from 'n8n-workflow';
import { additionalData, builtNode, defaultNodeTypes, workflowOf } from '../../scripts/engine/workflow';
import { startSimulator } from '../../simulator';
import * as certificate from './certificate';
import { NODE_NAME, sendWorkflow, useBench } from './bench';

const bench = useBench();
const ends: Array<() => unknown> = [];
afterEach(async () => {
	for (const end of ends.splice(0)) await end();
});

async function testCredential(data: ICredentialDataDecryptedObject): Promise<INodeCredentialTestResult> {
	const run = builtNode().methods?.credentialTest?.evolutionServerApiTest;
	if (!run) throw new Error('The node has no test for its credential.');
	return await run.call(new CredentialTestContext(), { id: '1', name: 'EvolutionAPI', type: 'evolutionServerApi', data });
}

async function listInstances(data: ICredentialDataDecryptedObject, filter?: string): Promise<INodeListSearchResult> {
	const workflow = workflowOf(sendWorkflow({}), defaultNodeTypes());
	const node = workflow.getNode(NODE_NAME);
	const list = builtNode().methods?.listSearch?.searchInstances;
	if (!node || !list) throw new Error('The node has no list of instances.');
	return await list.call(new LoadOptionsContext(workflow, node, additionalData('1', { evolutionServerApi: data }), 'parameters.instanceName'), filter);
}

type Handler = (request: http.IncomingMessage, response: http.ServerResponse) => void;

async function serve(handler: Handler, tls = false): Promise<string> {
	const server = tls ? https.createServer(certificate, handler) : http.createServer(handler);
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	ends.push(() => {
		server.closeAllConnections();
		server.close();
	});
	return `http${tls ? 's' : ''}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const html: Handler = (_request, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Login</title>');
const json = (status: number, body: unknown): Handler => (_request, response) => void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

/** The simulator behind TLS with a certificate that nobody trusts. */
async function withTls(): Promise<string> {
	const { port } = new URL(bench.simulator.url);
	return await serve((request, response) => {
		const forwarded = http.request({ host: '127.0.0.1', port, path: request.url, method: request.method, headers: request.headers }, (answer) => {
			response.writeHead(answer.statusCode ?? 500, answer.headers);
			answer.pipe(response);
		});
		request.pipe(forwarded);
	}, true);
}

describe("the credential's test", () => {
	test('passes with the right key, and names the instances', async () => {
		const { status, message } = await testCredential(bench.access());
		expect(status).toBe('OK');
		expect(message).toMatch(/^Connected\. 5 instances: .*meta1/);
		expect(message).not.toContain('instance-token');
	});

	test('passes with the token of one instance, and names that one', async () => {
		const result = await testCredential({ ...bench.access(), apiKey: 'instance-token' });
		expect(result).toEqual({ status: 'OK', message: 'Connected. Instance: meta1' });
	});

	test.each([['/'], ['/evo'], ['/evo/']])('passes for a base URL that ends in %s', async (path) => {
		const { port } = new URL(bench.simulator.url);
		const url = await serve((request, response) => {
			if (!request.url?.startsWith('/evo/') && path !== '/') return html(request, response);
			const forwarded = http.request({ host: '127.0.0.1', port, path: request.url?.replace(/^\/evo/, ''), headers: request.headers }, (answer) => void answer.pipe(response.writeHead(answer.statusCode ?? 500, answer.headers)));
			request.pipe(forwarded);
		});
		expect((await testCredential({ ...bench.access(), baseUrl: url + path })).status).toBe('OK');
	});

	test.each<[string, () => Promise<ICredentialDataDecryptedObject> | ICredentialDataDecryptedObject, RegExp]>([
		['a wrong key', () => ({ ...bench.access(), apiKey: 'key-that-is-wrong' }), /refused the API key.*AUTHENTICATION_API_KEY/],
		['no key', () => ({ ...bench.access(), apiKey: '' }), /^API Key is empty/],
		['no address', () => ({ baseUrl: '', apiKey: 'key-that-is-wrong' }), /^Base URL: .*http/],
		['no http address', () => ({ baseUrl: 'evolution.example.com', apiKey: 'key-that-is-wrong' }), /^Base URL: .*http/],
		['a port where nothing listens', () => ({ baseUrl: 'http://127.0.0.1:9', apiKey: 'key-that-is-wrong' }), /Nothing listens at http:\/\/127\.0\.0\.1:9/],
		['a name that does not exist', () => ({ baseUrl: 'http://evolution.invalid', apiKey: 'key-that-is-wrong' }), /evolution\.invalid/],
		['a certificate that is not trusted', async () => ({ baseUrl: await withTls(), apiKey: bench.simulator.apiKey }), /certificate.*Ignore SSL Issues/i],
		['a server that answers HTML', async () => ({ baseUrl: await serve(html), apiKey: 'key-that-is-wrong' }), /not EvolutionAPI.*Base URL/],
		['a server that answers other JSON', async () => ({ baseUrl: await serve(json(200, { hello: 'world' })), apiKey: 'key-that-is-wrong' }), /EvolutionAPI 2/],
		['a server that repeats the key in its error', async () => ({ baseUrl: await serve(json(500, { error: 'bad key key-that-is-wrong' })), apiKey: 'key-that-is-wrong' }), /answered 500/],
	])('tells of %s', async (_what, data, expected) => {
		const { status, message } = await testCredential(await data());
		expect(status).toBe('Error');
		expect(message).toMatch(expected);
		for (const secret of ['key-that-is-wrong', bench.simulator.apiKey]) expect(message).not.toContain(secret);
	});

	test('passes for a certificate that is not trusted when that is to be ignored', async () => {
		expect((await testCredential({ ...bench.access(), baseUrl: await withTls(), ignoreSslIssues: true })).status).toBe('OK');
	});

	test('tells that the server has no instance yet', async () => {
		const empty = await startSimulator({ instances: [] });
		ends.push(() => empty.close());
		expect(await testCredential({ baseUrl: empty.url, apiKey: empty.apiKey })).toEqual({ status: 'OK', message: expect.stringMatching(/no instance yet/) as string });
	});
});

describe('the list of instances', () => {
	test('shows name, channel and state, sorted by name, and never a token', async () => {
		const list = await listInstances(bench.access());
		expect(list.results).toEqual([
			{ name: 'baileys1 (WhatsApp Web, not connected)', value: 'baileys1' },
			{ name: 'evo1 (EvolutionAPI channel, connected)', value: 'evo1' },
			{ name: 'ghost (Meta Cloud API, connected)', value: 'ghost' },
			{ name: 'meta1 (Meta Cloud API, connected)', value: 'meta1' },
			{ name: 'phone1 (WhatsApp Web, connected)', value: 'phone1' },
		]);
		expect(JSON.stringify(list)).not.toContain('instance-token');
	});

	test('is searched by a part of the name, in any case', async () => {
		expect((await listInstances(bench.access(), ' META')).results.map(({ value }) => value)).toEqual(['meta1']);
		expect((await listInstances(bench.access(), 'nowhere')).results).toEqual([]);
	});

	test("with an instance's token shows that instance", async () => {
		expect((await listInstances({ ...bench.access(), apiKey: 'instance-token' })).results.map(({ value }) => value)).toEqual(['meta1']);
	});

	test.each<[string, () => Promise<ICredentialDataDecryptedObject> | ICredentialDataDecryptedObject, RegExp]>([
		['a wrong key', () => ({ ...bench.access(), apiKey: 'key-that-is-wrong' }), /refused the API key/],
		['a server that is down', () => ({ baseUrl: 'http://127.0.0.1:9', apiKey: 'key-that-is-wrong' }), /Nothing listens/],
		['no http address', () => ({ baseUrl: 'evolution.example.com', apiKey: 'key-that-is-wrong' }), /Base URL: .*http/],
		['a server that answers HTML', async () => ({ baseUrl: await serve(html), apiKey: 'key-that-is-wrong' }), /not EvolutionAPI/],
		['a certificate that is not trusted', async () => ({ baseUrl: await withTls(), apiKey: 'key-that-is-wrong' }), /certificate/i],
	])('tells of %s', async (_what, data, expected) => {
		const error = await listInstances(await data()).then((): never => {
			throw new Error('A list came.');
		}, (one: Error & { description?: string }) => one);
		expect(error.message).toMatch(/^The instances could not be listed: /);
		expect(error.message).toMatch(expected);
		expect(error.description).toMatch(/./);
		for (const secret of ['key-that-is-wrong', bench.simulator.apiKey]) expect(JSON.stringify([error, error.message])).not.toContain(secret);
	});
});
