// A real n8n with the packed package: credential, list, and the template called as TypeBot calls it.
import { startN8n } from '../../scripts/n8n/server';
import { BUFFER_TYPE, LOG_TYPE, NODE_NAME, NODE_TYPE, usePlace } from './place';

const place = usePlace();

interface Answer {
	queue?: { late: boolean };
	status: string;
	transactionId: string;
	replayed: boolean;
	message?: string;
	error?: { code: string; message: string; sent: string };
	steps?: Array<{ type: string; status: string }>;
}

/** Calls the published template. */
async function call(body: object): Promise<{ status: number; json: Answer }> {
	const [path] = place.editor.webhookPaths;
	const { status, json } = await place.editor.rest.callWebhook(path ?? '', { instanceName: 'meta1', webhookUrl: `${place.receiver.url}/done`, ...body });
	return { status, json: json as Answer };
}

const evolutionCredential = (data: object) => ({ ...place.credential, type: 'evolutionServerApi', data: { baseUrl: place.simulator.url, apiKey: place.simulator.apiKey, ...data } });

test('n8n knows the nodes, also as tools of AI agents, and serves their icons', async () => {
	const types = await place.editor.rest.nodeTypes();
	const own = types.filter(({ name }) => name.startsWith('n8n-nodes-ordered-evolutionapi.'));
	expect(own.map(({ name }) => name).sort()).toEqual([BUFFER_TYPE, NODE_TYPE, LOG_TYPE].flatMap((type) => [type, `${type}Tool`]));
	const icons = own.flatMap(({ iconUrl }) => Object.values(iconUrl as { light: string; dark: string }));
	expect(new Set(icons).size).toBe(6);
	for (const icon of icons) expect((await fetch(`${place.editor.server.url}/${icon}`)).status).toBe(200);
});

test("the credential's test passes with the right key, and tells a wrong key from a server that is not there", async () => {
	const good = await place.editor.rest.testCredential(evolutionCredential({}));
	expect(good).toEqual({ status: 'OK', message: expect.stringMatching(/^Connected\. 5 instances/) as string });
	const wrong = await place.editor.rest.testCredential(evolutionCredential({ apiKey: 'key-that-is-wrong' }));
	expect(wrong).toEqual({ status: 'Error', message: expect.stringMatching(/refused the API key/) as string });
	const nowhere = await place.editor.rest.testCredential(evolutionCredential({ baseUrl: 'http://127.0.0.1:9' }));
	expect(nowhere).toEqual({ status: 'Error', message: expect.stringMatching(/Nothing listens at http:\/\/127\.0\.0\.1:9/) as string });
	expect(JSON.stringify([good, wrong, nowhere])).not.toMatch(new RegExp(`key-that-is-wrong|${place.simulator.apiKey}|instance-token`));
});

test("the store's credential test connects to both, and tells which one fails", async () => {
	const data = { postgresUrl: 'postgresql://n8n:key-that-is-wrong@127.0.0.1:9/n8n', redisUrl: 'redis://:key-that-is-wrong@127.0.0.1:9', namePrefix: 'ordered_evolutionapi', ignoreSslIssues: false };
	const credential = await place.editor.rest.saveCredential({ name: 'Store', type: 'orderedStoreApi', data });
	const { status, message } = await place.editor.rest.testCredential({ id: credential.id, name: credential.name, type: 'orderedStoreApi', data });
	expect([status, message]).toEqual(['Error', expect.stringMatching(/^PostgreSQL: nothing listens at .* Redis: nothing listens at /) as string]);
	expect(message).not.toContain('key-that-is-wrong');
});

test('the list of instances shows name, channel and state, and no token', async () => {
	const list = await place.editor.rest.resourceLocatorList({ nodeType: NODE_TYPE, parameter: 'instanceName', methodName: 'searchInstances', credentials: { evolutionServerApi: place.credential }, filter: '1' });
	expect(list.results.map(({ name }) => name)).toEqual(['baileys1 (WhatsApp Web, not connected)', 'evo1 (EvolutionAPI channel, connected)', 'meta1 (Meta Cloud API, connected)', 'phone1 (WhatsApp Web, connected)']);
	expect(JSON.stringify(list)).not.toContain('instance-token');
});

test('text, delivery, webhook: in this order, and 200 for the caller', async () => {
	const { status, json } = await call({ number: place.number(), text: 'Hello' });
	expect(status).toBe(200);
	expect(json).toMatchObject({ status: 'completed', steps: [{ type: 'send', status: 'done' }, { type: 'wait', status: 'done' }, { type: 'webhook', status: 'done' }] });
	expect(place.effects(true).filter((effect) => effect !== 'ack SENT')).toEqual(['message Hello', 'ack DELIVERED', 'webhook /done']);
});

test('a text that WhatsApp refuses is 422 with what was sent, by the error output, and the webhook is not called', async () => {
	place.simulator.control.addRule({ route: 'sendText', answer: { kind: 'metaRefusal', code: 131047 } });
	const { status, json } = await call({ number: place.number(), text: 'Refused' });
	expect(status).toBe(422);
	expect(json).toMatchObject({ status: 'failed', error: { sent: 'no' }, steps: [{ status: 'failed' }, { status: 'skipped' }, { status: 'skipped' }] });
	expect(json.message).toMatch(/Nothing was sent\. The webhook was not called\.$/);
	expect(place.effects()).toEqual([]);
	const [execution] = await place.editor.rest.executions(place.editor.workflow.id);
	// it answers its caller before it has ended
	expect((await place.editor.rest.executionEnded(execution?.id ?? '')).status).toBe('success');
});

test('a delivery that does not come is 422 and says that the text is out; the same transaction ID waits on', async () => {
	place.simulator.control.addRule({ route: 'sendText', acks: [] });
	const body = { number: place.number(), text: 'Slow phone', transactionId: 'slow-phone' };
	const { status, json } = await call(body);
	expect([status, json.status, json.error?.sent]).toEqual([422, 'unconfirmed', 'yes']);
	expect(place.effects()).toEqual(['message Slow phone']);
	place.simulator.control.acknowledge(place.simulator.control.messages()[0]?.messageId ?? '', 'DELIVERED');
	const again = await call(body);
	expect([again.status, again.json.status]).toEqual([200, 'completed']);
	expect(place.effects()).toEqual(['message Slow phone', 'webhook /done']);
});

test('bad input is 422 with a message that names the field', async () => {
	const { status, json } = await call({ number: '12', text: 'x' });
	expect(status).toBe(422);
	expect(json.message).toMatch(/^Phone Number: .*Nothing was sent\.$/);
	expect(json.error).toMatchObject({ code: 'invalidInput', sent: 'no' });
	expect(place.effects()).toEqual([]);
});

test('the same transaction ID sends nothing twice and gives the recorded result', async () => {
	const body = { number: place.number(), text: 'Once', transactionId: 'result-1-confirm' };
	const first = await call(body);
	const again = await call(body);
	expect(place.effects()).toEqual(['message Once', 'webhook /done']);
	expect(again).toEqual({ status: 200, json: { ...first.json, replayed: true } });
	expect(first.json).toMatchObject({ transactionId: 'result-1-confirm', replayed: false });
});

test('the same transaction ID called twice at once sends once; both get its result', async () => {
	const body = { number: place.number(), text: 'Together', transactionId: 'together' };
	const both = await Promise.all([call(body), call(body)]);
	expect(both.map(({ status, json }) => [status, json.status])).toEqual([[200, 'completed'], [200, 'completed']]);
	expect(both.map(({ json }) => json.replayed).sort()).toEqual([false, true]);
	expect(place.effects()).toEqual(['message Together', 'webhook /done']);
});

test('messages to one chat keep the order of the calls, each with its webhook before the next', async () => {
	const number = place.number();
	const answers: Array<ReturnType<typeof call>> = [];
	for (let i = 0; i < 6; i++) {
		answers.push(call({ number, text: `m${i}`, webhookUrl: `${place.receiver.url}/m${i}` }));
		await new Promise((resolve) => setTimeout(resolve, 40));
	}
	const answered = await Promise.all(answers);
	expect(answered.map(({ status }) => status)).toEqual(Array(6).fill(200));
	const sent = place.effects().filter((effect) => effect.startsWith('message ')).map((effect) => effect.slice('message '.length));
	expect(place.effects()).toEqual(sent.flatMap((text) => [`message ${text}`, `webhook /${text}`]));
	// a busy n8n may start one of them behind a later one; then it says so
	const inTime = Array.from({ length: 6 }, (_, i) => `m${i}`).filter((_, i) => answered[i]?.json.queue?.late === false);
	expect(sent.filter((text) => inTime.includes(text))).toEqual(inTime);
	expect(inTime.length).toBeGreaterThan(3);
});

test('no key is in what n8n logged or recorded', async () => {
	const executions = await place.editor.rest.executions(place.editor.workflow.id);
	const recorded = await Promise.all(executions.map(({ id }) => place.editor.rest.execution(id)));
	expect(recorded.length).toBeGreaterThan(5);
	expect(JSON.stringify(recorded)).toContain(NODE_NAME);
	for (const secret of [place.simulator.apiKey, 'instance-token']) {
		expect(place.editor.server.log()).not.toContain(secret);
		expect(JSON.stringify(recorded)).not.toContain(secret);
	}
});

test('n8n killed in the middle of a wait and started again: the same transaction ID goes on, and the text is not sent again', async () => {
	place.simulator.control.addRule({ route: 'sendText', acks: [] });
	const body = { number: place.number(), text: 'Survives', transactionId: 'survives' };
	const lost = call(body).catch((error: Error) => error.message);
	await place.simulator.control.waitForMessages(1, 10_000);
	await place.editor.server.kill();
	expect(await lost).toBe('fetch failed');
	const { port } = new URL(place.editor.server.url);
	place.editor.server = await startN8n({ userFolder: place.userFolder, port: Number(port) });
	place.simulator.control.acknowledge(place.simulator.control.messages()[0]?.messageId ?? '', 'DELIVERED');
	await place.editor.rest.logIn();
	const { status, json } = await call(body);
	expect([status, json.status]).toEqual([200, 'completed']);
	expect(place.effects()).toEqual(['message Survives', 'webhook /done']);
}, 240_000);
