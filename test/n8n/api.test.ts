// The ordered-send API's template in a real n8n that forbids private addresses; its answers are those of its description.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../scripts/n8n/paths';
import { type Schema, violations } from '../support/jsonSchema';
import { usePlace } from './place';

// the simulator and the receiver listen on 127.0.0.1, which n8n refuses here; as localhost it lets them through
const place = usePlace({ host: 'localhost', env: { N8N_SSRF_PROTECTION_ENABLED: 'true', N8N_SSRF_ALLOWED_HOSTNAMES: 'localhost' } });
const key = 'the-api-key-5e0f9b71';
const document = JSON.parse(readFileSync(join(projectRoot, 'templates', 'ordered-send-api.openapi.json'), 'utf8')) as {
	paths: Record<string, Record<string, { requestBody?: { content: { 'application/json': { schema: Schema } } }; responses: Record<string, { content?: { 'application/json': { schema: Schema } } }> }>>;
};
const post = document.paths['/ordered-send-api']?.post;

beforeAll(async () => {
	const credential = await place.editor.rest.saveCredential({ name: 'Key of your API', type: 'httpHeaderAuth', data: { name: 'X-Api-Key', value: key } });
	await place.importTemplate('ordered-send-api.json', { httpHeaderAuth: credential });
});

interface Result {
	transactionId: string;
	status: string;
	statusCode?: number;
	error?: { code: string; message: string; sent: string };
}

interface Answer extends Result {
	results: Result[];
	transactions: Array<{ transactionId: string; statusUrl: string }>;
}

const url = (path: string) => `${place.editor.server.url}/webhook/${path}`;
const webhook = (path = '/done') => place.receiver.url.replace('127.0.0.1', 'localhost') + path;

/** Calls it; the answer has to be one that the description knows. */
async function call(body: string | object, headers: Record<string, string> = { 'X-Api-Key': key }): Promise<{ status: number; json: Answer }> {
	const response = await fetch(url('ordered-send-api'), { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) });
	const text = await response.text();
	const described = post?.responses[response.status];
	if (!described) throw new Error(`The description knows no answer ${response.status}: ${text}`);
	const schema = described.content?.['application/json'].schema;
	const json = (schema ? JSON.parse(text) : {}) as Answer;
	expect(schema ? violations(json, schema, document) : []).toEqual([]);
	expect(text).not.toContain(key);
	expect(text).not.toContain(place.simulator.apiKey);
	return { status: response.status, json };
}

/** A request that its description allows. */
function described(body: object): object {
	expect(violations(body, post?.requestBody?.content['application/json'].schema ?? {}, document)).toEqual([]);
	return body;
}

const one = (more: object = {}) => ({ instanceName: 'meta1', number: place.number(), text: 'Hello', ...more });

async function status(transactionId: string): Promise<{ status: number; json: Result }> {
	const response = await fetch(url(`ordered-send-api/status?transactionId=${encodeURIComponent(transactionId)}`), { headers: { 'X-Api-Key': key } });
	const json = (await response.json()) as Result;
	const schema = document.paths['/ordered-send-api/status']?.get?.responses[response.status]?.content?.['application/json'].schema;
	expect(schema ? violations(json, schema, document) : [`no answer ${response.status} is known`]).toEqual([]);
	return { status: response.status, json };
}

test('a text, its delivery, its webhook: in this order, answered at the end with 200', async () => {
	const { status, json } = await call(described(one({ waitFor: 'delivered', webhookUrl: webhook() })));
	expect([status, json.status]).toEqual([200, 'completed']);
	expect(place.effects(true).filter((effect) => effect !== 'ack SENT')).toEqual(['message Hello', 'ack DELIVERED', 'webhook /done']);
});

test('steps, with a reference to an earlier one', async () => {
	const rest = { instanceName: 'meta1', number: place.number() };
	const { status, json } = await call(described({ ...rest, steps: [{ type: 'text', text: 'first' }, { type: 'reaction', emoji: '👍', messageId: '[[1.messageId]]' }, { type: 'webhook', url: webhook('/after'), body: { id: '[[1.messageId]]' } }] }));
	expect([status, json.status]).toEqual([200, 'completed']);
	expect(place.effects()).toEqual(['message first', 'message 👍', 'webhook /after']);
	expect(place.receiver.calls[0]?.json).toEqual({ id: place.simulator.control.messages()[0]?.messageId });
});

test('a list keeps its order in each chat, and tells of each what it would have been alone', async () => {
	const number = place.number();
	const list = [one({ number, text: 'a' }), one({ number, text: 'b' }), one({ number: '12', text: 'c' })];
	const { status, json } = await call(described({ transactions: list }));
	expect([status, json.results.map(({ statusCode }) => statusCode)]).toEqual([207, [200, 200, 400]]);
	expect(json.results[2]?.error?.message).toMatch(/^Phone Number: /);
	expect(place.effects()).toEqual(['message a', 'message b']);
	expect((await call(described([one({ text: 'plain list' })]))).status).toBe(200);
});

test('asynchronous: 202 at once with an address, which tells the state until the end', async () => {
	place.simulator.control.addRule({ route: 'sendText', times: 1, acks: [] });
	const before = performance.now();
	const { status: code, json } = await call(described(one({ async: true, waitFor: 'delivered', webhookUrl: webhook() })));
	expect([code, json.status]).toEqual([202, 'accepted']);
	expect(performance.now() - before).toBeLessThan(5000);
	const [{ transactionId, statusUrl } = { transactionId: '', statusUrl: '' }] = json.transactions;
	expect(new URL(statusUrl).pathname + new URL(statusUrl).search).toBe(`/webhook/ordered-send-api/status?transactionId=${transactionId}`);
	const [message] = await place.simulator.control.waitForMessages(1, 10_000);
	expect(await status(transactionId)).toMatchObject({ status: 200, json: { status: 'open' } });
	place.simulator.control.acknowledge(message?.messageId ?? '', 'DELIVERED');
	await place.receiver.waitForCalls(1, 10_000);
	await place.receiver.waitUntil(() => place.receiver.calls.every(({ answeredAt }) => answeredAt !== undefined));
	for (let tries = 0; tries < 50 && (await status(transactionId)).json.status === 'open'; tries++) await new Promise((resolve) => setTimeout(resolve, 100));
	expect(await status(transactionId)).toMatchObject({ status: 200, json: { status: 'completed' } });
	expect(place.effects()).toEqual(['message Hello', 'webhook /done']);
});

test('the same ID again sends nothing twice; with another content it is 409', async () => {
	const body = one({ text: 'Once', options: { transactionId: 'api-once' } });
	expect((await call(body)).status).toBe(200);
	expect((await call(body)).json).toMatchObject({ status: 'completed', replayed: true });
	const other = await call({ ...body, text: 'Another' });
	expect([other.status, other.json.error?.code, other.json.error?.sent]).toEqual([409, 'transactionConflict', 'no']);
	expect(place.effects()).toEqual(['message Once']);
});

test('a refused message is 422, and says that nothing went out', async () => {
	place.simulator.control.addRule({ route: 'sendText', answer: { kind: 'metaRefusal', code: 131047 } });
	const { status, json } = await call(one({ webhookUrl: webhook() }));
	expect([status, json.status, json.error?.sent]).toEqual([422, 'failed', 'no']);
	expect(place.effects()).toEqual([]);
});

test("a webhook in the operator's own network is not called where n8n forbids it", async () => {
	const { status, json } = await call(one({ webhookUrl: `${place.receiver.url}/private`, options: { attempts: 1 } }));
	expect([status, json.error?.code, json.error?.sent]).toEqual([422, 'webhook.blocked', 'yes']);
	expect(place.receiver.calls).toEqual([]);
});

test('who does not have the key is refused, also for the state', async () => {
	expect((await call(one(), {})).status).toBe(403);
	expect((await call(one(), { 'X-Api-Key': 'another' })).status).toBe(403);
	expect((await fetch(url('ordered-send-api/status?transactionId=api-once'))).status).toBe(403);
	expect(place.effects()).toEqual([]);
});

test('an ID without a record is 404, none at all 400', async () => {
	expect(await status('never-seen')).toMatchObject({ status: 404, json: { error: { code: 'unknownTransaction' } } });
	expect(await status('')).toMatchObject({ status: 400, json: { error: { code: 'invalidInput' } } });
});

const deep = (levels: number) => '{"a":'.repeat(levels) + '1' + '}'.repeat(levels);
test.each<[string, string | object, RegExp]>([
	['a text', '"text"', /has to be JSON/],
	['null', 'null', /is missing/],
	['an empty list', [], /no transaction/],
	['too many', Array.from({ length: 101 }, () => ({ instanceName: 'meta1', number: '5511988887777', text: 'x' })), /at most 100/],
	['very many', `[${Array(500_000).fill('0').join(',')}]`, /too complex/],
	['100,000 levels', '['.repeat(100_000) + ']'.repeat(100_000), /too complex/],
	['a deep field', `{"instanceName":"meta1","number":"5511988887777","text":${deep(5000)}}`, /too complex/],
	['5 MB', { text: 'x'.repeat(5_000_000) }, /too complex: at most 4 MB/],
	['an unknown field', { instanceName: 'meta1', number: '5511988887777', text: 'x', transactionId: 'x' }, /no field "transactionId"/],
	['an unknown option', { instanceName: 'meta1', number: '5511988887777', text: 'x', options: { transactionID: 'x' } }, /no option "transactionID"/],
	['options that are a list', { instanceName: 'meta1', number: '5511988887777', text: 'x', options: [] }, /options have to be an object/],
	['steps and a text', { instanceName: 'meta1', number: '5511988887777', text: 'x', steps: [] }, /not both/],
	['nothing to send', { instanceName: 'meta1', number: '5511988887777' }, /text or steps is missing/],
	['steps that are no list', { instanceName: 'meta1', number: '5511988887777', steps: { length: 1 } }, /steps have to be a list/],
	['an entry that is none', [null], /Transaction 1: it has to be an object/],
	['async that is a text', { async: 'yes', instanceName: 'meta1', number: '5511988887777', text: 'x' }, /async has to be/],
	['a number as instance', { instanceName: 7, number: '5511988887777', text: 'x' }, /^Instance: /],
	['an object as text', { instanceName: 'meta1', number: '5511988887777', text: { a: 1 } }, /Text: /],
	['a file as webhook', { instanceName: 'meta1', number: '5511988887777', text: 'x', webhookUrl: 'file:///etc/passwd' }, /URL: has to be an address/],
	['an unknown step', { instanceName: 'meta1', number: '5511988887777', steps: [{ type: 'shell' }] }, /has to be one of/],
])('%s is refused with 400 and one message, and nothing is sent', async (_what, body, message) => {
	const { status, json } = await call(body);
	expect([status, json.status, json.error?.sent]).toEqual([400, 'failed', 'no']);
	expect(json.error?.message).toMatch(message);
	expect(json.error?.message.length).toBeLessThan(600);
	expect(place.effects()).toEqual([]);
});

test('what is no JSON is refused by n8n itself, with 422', async () => {
	expect((await call('nonsense{')).status).toBe(422);
	expect(place.effects()).toEqual([]);
});
