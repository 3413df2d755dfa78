// G7 through the nodes as they were built: many ways to end and to fail, and no secret in anything that is left of them.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CredentialTestContext, LoadOptionsContext } from 'n8n-core';
import { Client } from 'pg';
import { additionalData, builtNode, defaultNodeTypes, workflowOf } from '../../scripts/engine/workflow';
import type { RuleInput } from '../../simulator';
import { builtLog, type BenchOptions, closeEngine, NODE_NAME, sendWorkflow, useBench, withStore } from '../nodes/bench';
import type { WorkerTask } from '../nodes/worker';
import { TestPostgres } from '../support/postgres';
import type { Behaviour } from '../support/receiver';
import { startRedis, type TestRedis } from '../support/redis';
import { SecretSearch } from '../support/secrets';

const apiKey = 'kX7-global-2f9d41c8a6e35b70';
const instances = ['meta1', 'meta2', 'meta3'].map((name) => ({ name, token: `kX7-token-${name}-90be13f7d2`, channel: 'WHATSAPP-BUSINESS' as const }));
const webhookTargetApi = { headerName: 'Authorization', headerValue: 'Bearer kX7-header-5d06e9f1ab44', signingSecret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' };
const wrongKey = 'kX7-wrong-key-c3a8815e';
const wrongPassword = 'kX7-wrong-password-77d2';
const basePassword = 'kX7-base-password-e41b';
const redisPassword = 'kX7-redis-1b6f02d9ce';

const bench = useBench({ apiKey, instances });
let postgres: TestPostgres;
let redis: TestRedis;
let search: SecretSearch;
let told: string[];

process.env.ORDERED_EVOLUTIONAPI_LEASE_MS = '1000';
process.env.ORDERED_EVOLUTIONAPI_SETTLE_MS = '20';

beforeAll(async () => {
	[postgres, redis] = await Promise.all([TestPostgres.start(), startRedis({ password: redisPassword })]);
	// its log then holds every statement with its values, whatever becomes of the rows
	await inPostgres("alter system set log_statement = 'all'", 'select pg_reload_conf()');
}, 60_000);

beforeEach(() => {
	search = new SecretSearch('secrets').addSimulator(bench.simulator).addCredentials({ evolutionServerApi: access(), webhookTargetApi, orderedStoreApi: store() });
	search.add('wrong key', wrongKey).add('wrong password', wrongPassword);
	told = [];
});

afterAll(async () => {
	await closeEngine(store());
	await redis.close();
	await postgres.close();
});

async function inPostgres(...statements: string[]): Promise<void> {
	const client = new Client(postgres.url());
	await client.connect();
	for (const statement of statements) await client.query(statement);
	await client.end();
}

const access = (more: object = {}) => ({ baseUrl: bench.simulator.url.replace('//', `//proxy-user:${basePassword}@`), apiKey, ...more });
const store = (more: object = {}) => ({ postgresUrl: postgres.url(), redisUrl: redis.url, namePrefix: 'ordered_evolutionapi', ignoreSslIssues: false, ...more });

interface Way {
	parameters?: object;
	server?: object;
	rules?: RuleInput[];
	webhook?: Behaviour;
	/** Of the error callback. */
	callback?: Behaviour;
	/** What the transaction ends as. */
	status: string;
}

const echo: Behaviour = ({ headers, path }) => ({ body: { headers, path, text: JSON.stringify(headers), raw: Object.values(headers).join(' ') } });
const answers = (status: number, body: unknown, headers?: Record<string, string>): RuleInput => ({ route: 'sendText', answer: { kind: 'http', status, body, headers } });
const named = (value: string) => ({ __rl: true, mode: 'name', value });
const lost: RuleInput = { route: 'sendText', answer: { kind: 'reset' } };

const ways: Record<string, Way> = {
	'all goes well': { status: 'completed' },
	'a webhook that answers with the request': { webhook: echo, status: 'completed' },
	'a webhook that answers an error with the request': { webhook: (call) => ({ status: 404, body: call.headers as object }), status: 'failed' },
	'a webhook that redirects to another host, with the header in the query': { webhook: ({ headers }) => ({ status: 307, headers: { location: `http://127.0.0.1:9/?token=${encodeURIComponent(String(headers.authorization))}` } }), status: 'failed' },
	'a webhook that breaks off': { webhook: 'reset', status: 'failed' },
	'a webhook that never answers': { webhook: 'hang', status: 'failed' },
	'a wait that runs out': { parameters: { waitFor: 'read', ackTimeoutSeconds: 0.5 }, status: 'unconfirmed' },
	'a wrong key': { server: { apiKey: wrongKey }, status: 'failed' },
	'a refusal by Meta': { rules: [{ route: 'sendText', answer: { kind: 'metaRefusal', code: 131026, details: `key ${apiKey}` } }], status: 'failed' },
	'a server that is down': { server: { baseUrl: `http://proxy-user:${basePassword}@127.0.0.1:9` }, status: 'failed' },
	'a server that never answers': { rules: [{ route: 'sendText', answer: { kind: 'hang' } }], status: 'inDoubt' },
	'a connection that breaks': { rules: [lost], status: 'inDoubt' },
	'an error page with the key': { rules: [answers(500, `<html>apikey: ${apiKey}</html>`)], status: 'inDoubt' },
	'an error with the key': { rules: [answers(400, { status: 400, response: { message: [`no route for ${apiKey}`] } })], status: 'inDoubt' },
	'an answer that forbids, with the key': { rules: [answers(403, { status: 403, response: { message: [apiKey] } })], status: 'failed' },
	'an unknown instance, with the key': { rules: [answers(404, { status: 404, response: { message: [`The "${apiKey}" instance does not exist`] } })], status: 'failed' },
	'an error with the key in its headers': { rules: [answers(503, {}, { 'x-api-key': apiKey, apikey: apiKey })], status: 'inDoubt' },
	'a redirect with the key in its query': { rules: [answers(302, '', { location: `/login?apikey=${apiKey}` })], status: 'failed' },
	'a redirect with the key in its path': { rules: [answers(302, '', { location: `/login/${apiKey}` })], status: 'failed' },
	'a look-up that knows no instance of the key\'s name': { parameters: { instanceName: named('meta3') }, rules: [lost, { route: 'findMessages', instance: 'meta3', answer: { kind: 'http', status: 404, body: { response: { message: [`The "${apiKey}" instance does not exist`] } } } }], status: 'inDoubt' },
	'a look-up that fails with the key': { parameters: { instanceName: named('meta2') }, rules: [lost, { route: 'findMessages', instance: 'meta2', answer: { kind: 'http', status: 500, body: { response: { message: apiKey } } } }], status: 'inDoubt' },
	'an error callback that answers with the request': { rules: [answers(401, {})], callback: echo, status: 'failed' },
};

/** One way, in a chat of its own and with paths of its own, so that all can go at once; then the same ID again. */
async function go(name: string, { parameters = {}, server = {}, rules = [], webhook, callback, status }: Way, more: BenchOptions): Promise<unknown> {
	const index = Object.keys(ways).indexOf(name);
	const number = `55119${30_000_000 + index}`;
	// a look-up tells no number, but its instance
	for (const rule of rules) bench.simulator.control.addRule(rule.route === 'sendText' ? { ...rule, number } : rule);
	const [done, failed] = [`/done-${index}`, `/failed-${index}`];
	if (webhook) bench.receiver.behave(webhook, { path: done });
	if (callback) bench.receiver.behave(callback, { path: failed });
	// times that a busy machine keeps
	const options = { transactionId: name, attempts: 1, requestTimeoutSeconds: 8, errorCallbackUrl: bench.receiver.url + failed };
	const run = async () => {
		const ended = await bench.run(
			{ number, webhookUrl: bench.receiver.url + done, webhookAuthentication: 'credential', ...parameters, options },
			{ credentials: { evolutionServerApi: access(server), webhookTargetApi, ...more.credentials }, node: { ...more.node, onError: 'continueRegularOutput' } },
		);
		search.value('outputs and errors', { name, ended });
		return ended.lastOutput[NODE_NAME]?.[0]?.[0]?.json.status;
	};
	const first = await run();
	if (status !== 'inDoubt') await run(); // a second look-up would take its 15 s again
	return first;
}

/** All places in which the nodes leave something. */
async function searchAll(): Promise<void> {
	search.folder('ledger', bench.userFolder);
	await search.postgres('PostgreSQL', postgres.url());
	search.file("PostgreSQL's log", join(postgres.folder, 'log'));
	await search.redis('Redis', redis.url);
	search.bodies(bench.receiver);
	search.value('commands of Redis', told.join('\n'));
	search.end();
}

const kinds = [['within the process', () => ({})], ['with a shared store', () => ({ node: withStore, credentials: { orderedStoreApi: store() } })]] as Array<[string, () => BenchOptions]>;

describe.each(kinds)('%s', (_kind, more) => {
	test('all ways to end and to fail', async () => {
		const monitor = await redis.client.monitor();
		monitor.on('monitor', (_time: string, words: string[]) => void told.push(words.join(' ')));
		const ends = await Promise.all(Object.entries(ways).map(async ([name, way]) => [name, await go(name, way, more())]));
		monitor.disconnect();
		expect(Object.fromEntries(ends)).toEqual(Object.fromEntries(Object.entries(ways).map(([name, { status }]) => [name, status])));
		await searchAll();
	});

	test.each(['stopWorkflow', 'continueErrorOutput'] as const)('a failure with %s, and what becomes of it by resume, give up and recover', async (onError) => {
		const options = { transactionId: `log ${onError}`, attempts: 1 };
		const credentials = { evolutionServerApi: access(), webhookTargetApi, ...more().credentials };
		const node = { ...more().node, onError };
		bench.receiver.behave((call) => ({ status: 404, body: call.headers as object }));
		search.value('outputs and errors', await bench.run({ number: onError === 'stopWorkflow' ? '5511940000001' : '5511940000002', webhookAuthentication: 'credential', options }, { ...more(), credentials, node }));
		for (const operation of ['resume', 'recover', 'giveUp']) {
			search.value('outputs and errors', await bench.runLog({ operation, transactionId: options.transactionId, webhookAuthentication: 'credential' }, { ...more(), credentials, node }));
		}
		expect(bench.receiver.callsTo('/done').length).toBeGreaterThanOrEqual(2);
		expect(bench.receiver.callsTo('/done').at(-1)?.headers).toMatchObject({ authorization: webhookTargetApi.headerValue, 'webhook-signature': expect.stringMatching(/^v1,/) as string });
		await searchAll();
	});
});

test('live events, which carry a key', async () => {
	const run = bench.run({ number: '5511950000001', waitFor: 'read', ackTimeoutSeconds: 10 }, { credentials: { evolutionServerApi: access(), webhookTargetApi } });
	const [message] = await bench.simulator.control.waitForMessages(1);
	await bench.simulator.control.waitUntil(() => bench.simulator.control.live().open.meta1 === 1);
	bench.simulator.control.emitLive('meta1', 'messages.update', { event: 'messages.update', instance: 'meta1', data: { keyId: message?.messageId, status: 'READ', fromMe: false }, apikey: instances[0]?.token, server_url: apiKey });
	const { lastOutput, ...rest } = await run;
	expect(lastOutput[NODE_NAME]?.[0]?.[0]?.json).toMatchObject({ status: 'completed' });
	search.value('outputs and errors', [lastOutput, rest]);
	await searchAll();
});

test.each<[string, () => object, RegExp]>([
	['a wrong password of PostgreSQL', () => ({ postgresUrl: postgres.url().replace(/:[^:@/]+@/, `:${wrongPassword}@`) }), /ledger/],
	['a wrong password of Redis', () => ({ redisUrl: redis.url.replace(redisPassword, wrongPassword) }), /password/],
	['a PostgreSQL that is down', () => ({ postgresUrl: `postgres://user:${wrongPassword}@127.0.0.1:9/x` }), /ledger/],
	['a Redis that is down', () => ({ redisUrl: `redis://:${wrongPassword}@127.0.0.1:9` }), /nothing listens/],
	['a password that breaks its address', () => ({ redisUrl: `redis://:p#${wrongPassword}@127.0.0.1:9` }), /address/],
])('a store with %s', async (_what, wrong, expected) => {
	await Promise.all((['stopWorkflow', 'continueRegularOutput', 'continueErrorOutput'] as const).map(async (onError) => {
		const run = await bench.run({}, { node: { ...withStore, onError }, credentials: { evolutionServerApi: access(), webhookTargetApi, orderedStoreApi: store(wrong()) } });
		expect(JSON.stringify(run.run.data.resultData)).toMatch(expected);
		search.value('outputs and errors', run);
	}));
	const result = await builtLog().methods?.credentialTest?.orderedStoreApiTest?.call(new CredentialTestContext(), { id: '1', name: 'Store', type: 'orderedStoreApi', data: store(wrong()) as never });
	expect(result?.status).toBe('Error');
	search.value("credentials' tests", result);
	await searchAll();
});

describe('what the panel asks for', () => {
	let server: http.Server;
	const answer = { status: 200, body: '', headers: {} as Record<string, string> };
	let url: string;

	beforeAll(async () => {
		server = http.createServer((_request, response) => void response.writeHead(answer.status, answer.headers).end(answer.body));
		await once(server.listen(0, '127.0.0.1'), 'listening');
		url = `http://proxy-user:${basePassword}@127.0.0.1:${(server.address() as AddressInfo).port}`;
	});
	afterAll(() => {
		server.closeAllConnections();
		server.close();
	});

	async function askBoth(data: Record<string, string>): Promise<void> {
		const run = builtNode().methods?.credentialTest?.evolutionServerApiTest;
		search.value("credentials' tests", await run?.call(new CredentialTestContext(), { id: '1', name: 'EvolutionAPI', type: 'evolutionServerApi', data }));
		const workflow = workflowOf(sendWorkflow({}), defaultNodeTypes());
		const context = new LoadOptionsContext(workflow, workflow.getNode(NODE_NAME) as never, additionalData('1', { evolutionServerApi: data }), 'parameters.instanceName');
		search.value('list of instances', await builtNode().methods?.listSearch?.searchInstances?.call(context).catch((error: unknown) => error));
		search.end();
	}

	test('the list of instances, whose tokens the server tells', async () => await askBoth(access()));
	test('a wrong key', async () => await askBoth(access({ apiKey: wrongKey })));
	test('a server that is down', async () => await askBoth(access({ baseUrl: `http://proxy-user:${basePassword}@127.0.0.1:9` })));
	test.each<[string, number, string, Record<string, string>]>([
		['an unknown instance of the key\'s name', 404, JSON.stringify({ response: { message: [`The "${apiKey}" instance does not exist`] } }), {}],
		['an error with the key', 500, JSON.stringify({ error: `bad key ${apiKey}` }), {}],
		['a web page with the key', 500, `<html>${apiKey}</html>`, {}],
		['a redirect with the key', 302, '', { location: `/login/${apiKey}?apikey=${apiKey}` }],
		['no JSON', 200, apiKey, {}],
	])('%s', async (_what, status, body, headers) => {
		Object.assign(answer, { status, body, headers });
		await askBoth(access({ baseUrl: url }));
	});
});

test('a process that is killed leaves no secret: in its ledger with the write-ahead log, nor in what it printed', async () => {
	const userFolder = mkdtempSync(join(tmpdir(), 'ordered-secrets-'));
	bench.receiver.behave('hold', { times: 1 });
	const workflow = sendWorkflow({ webhookUrl: `${bench.receiver.url}/done`, webhookAuthentication: 'credential' });
	const task: WorkerTask = { workflow, credentials: { evolutionServerApi: access(), webhookTargetApi }, executionId: '1' };
	const child = spawn(process.execPath, ['--import', 'tsx', join(__dirname, '../nodes/worker.ts'), JSON.stringify(task)], { env: { ...process.env, N8N_USER_FOLDER: userFolder, N8N_LOG_LEVEL: 'debug' }, stdio: ['ignore', 'pipe', 'pipe'] });
	const printed = outputOf(child);
	try {
		await bench.receiver.waitForCalls(1, 30_000);
		child.kill('SIGKILL');
		search.value('what a process printed', await printed);
		expect(readdirSync(userFolder, { recursive: true })).toContain(join('.n8n', 'ordered-evolutionapi', 'ledger.sqlite-wal'));
		search.folder('ledger of a killed process', userFolder);
		search.end();
	} finally {
		child.kill('SIGKILL');
		rmSync(userFolder, { recursive: true, force: true });
	}
});

/** What a process prints until its end. */
async function outputOf(child: ChildProcess): Promise<string> {
	let text = '';
	for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part: Buffer) => (text += part.toString()));
	await once(child, 'close');
	return text;
}
