// Items in, items out: order, pairing, expressions, and both credentials, in n8n's own engine with the built node.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { outputOf, NODE_NAME, useBench } from './bench';

const bench = useBench();

test('a text and its webhook happen in this order, and the item tells of both', async () => {
	const run = await bench.run();
	expect(run.status).toBe('success');
	expect(run.nodesRun).toEqual(['Trigger', NODE_NAME, 'Done']);
	expect(bench.effects()).toEqual(['message Hello', 'webhook /done']);
	expect(outputOf(run)).toEqual([
		{
			transactionId: expect.stringMatching(/^auto-[\w-]{32}$/) as string,
			status: 'completed',
			replayed: false,
			duplicatePossible: false,
			chat: { server: bench.simulator.url, instance: 'meta1', recipient: '5511988887777@s.whatsapp.net' },
			queue: { ticket: 1, waitedMs: expect.any(Number) as number, late: false, fence: 1 },
			steps: [
				expect.objectContaining({ index: 0, type: 'send', status: 'done', attempts: 1, messageId: bench.simulator.control.messages()[0]?.messageId, startedAt: expect.stringMatching(/^\d{4}-.*Z$/) as string }),
				expect.objectContaining({ index: 1, type: 'webhook', status: 'done', attempts: 1, statusCode: 200 }),
			],
			webhook: { statusCode: 200, body: { ok: true } },
		},
	]);
});

test('items of one chat run one after the other in their order, other chats meanwhile, and outputs keep the order of the input', async () => {
	bench.simulator.control.addRule({ route: 'sendText', number: '5511911110000', answerAfterMs: 150 });
	const input = [
		{ number: '5511911110000', text: 'slow 1' },
		{ number: '5511922220000', text: 'quick' },
		{ number: '5511911110000', text: 'slow 2' },
	];
	const run = await bench.run({ number: '={{ $json.number }}', text: '={{ $json.text }}', webhookUrl: `=${bench.receiver.url}/{{ $json.text.replace(" ", "-") }}` }, { input });
	const items = run.lastOutput[NODE_NAME]?.[0] ?? [];
	expect(items.map(({ json }) => (json.chat as { recipient: string }).recipient)).toEqual(input.map(({ number }) => `${number}@s.whatsapp.net`));
	expect(items.map(({ pairedItem }) => pairedItem)).toEqual([{ item: 0 }, { item: 1 }, { item: 2 }]);
	expect(bench.effects().filter((effect) => effect.includes('slow'))).toEqual(['message slow 1', 'webhook /slow-1', 'message slow 2', 'webhook /slow-2']);
	expect(bench.effects().indexOf('webhook /quick')).toBeLessThan(bench.effects().indexOf('webhook /slow-1'));
});

test('later nodes can refer to the item that a result came from', async () => {
	const workflow = {
		nodes: [
			{ id: 'a', name: 'Trigger', type: 'n8n-nodes-base.manualTrigger', typeVersion: 1, position: [0, 0], parameters: {} },
			{ id: 'b', name: NODE_NAME, type: 'n8n-nodes-ordered-evolutionapi.orderedEvolutionApiSend', typeVersion: 1, position: [0, 0], credentials: { evolutionServerApi: { id: '1', name: 'x' } }, parameters: { instanceName: { __rl: true, mode: 'name', value: 'evo1' }, number: '={{ $json.number }}', text: 'x', callWebhook: false } },
			{ id: 'c', name: 'Set', type: 'n8n-nodes-base.set', typeVersion: 3.4, position: [0, 0], parameters: { fields: '={{ ({ from: $("Trigger").item.json.number }) }}' } },
		],
		connections: { Trigger: { main: [[{ node: NODE_NAME, type: 'main', index: 0 }]] }, [NODE_NAME]: { main: [[{ node: 'Set', type: 'main', index: 0 }]] } },
	};
	const run = await bench.run({}, { workflow, input: [{ number: '5511911110000' }, { number: '5511922220000' }] });
	expect(run.lastOutput.Set?.[0]?.map(({ json }) => json.from)).toEqual(['5511911110000', '5511922220000']);
});

test.each([
	['from the list', { __rl: true, mode: 'list', value: 'evo1', cachedResultName: 'evo1 (EvolutionAPI channel, connected)' }],
	['by name', { __rl: true, mode: 'name', value: 'evo1' }],
	['by an expression', { __rl: true, mode: 'name', value: '={{ $json.instance }}' }],
])('the instance is found %s', async (_how, instanceName) => {
	const run = await bench.run({ instanceName }, { input: { instance: 'evo1' } });
	expect(run.status).toBe('success');
	expect(bench.simulator.control.messages().map(({ instance }) => instance)).toEqual(['evo1']);
});

test('an instance name with slashes and dots reaches only the instance of that name', async () => {
	bench.simulator.control.addInstance({ name: '../shop/1?x', channel: 'EVOLUTION' });
	await bench.run({ instanceName: { __rl: true, mode: 'name', value: '../shop/1?x' } });
	expect(bench.simulator.control.messages().map(({ instance }) => instance)).toEqual(['../shop/1?x']);
});

test('every parameter of the panel may be an expression', async () => {
	const parameters = {
		number: '={{ $json.n }}',
		waitFor: '={{ "delay" }}',
		delaySeconds: '={{ 0.05 }}',
		callWebhook: true,
		webhookMethod: '={{ "PUT" }}',
		webhookBody: '={{ ({ order: $json.order }) }}',
		webhookHeaders: { header: [{ name: 'X-Source', value: '={{ "n8n-" + $json.order }}' }] },
		options: { transactionId: '={{ "order-" + $json.order }}', attempts: '={{ 1 }}', priority: '={{ "high" }}' },
	};
	const run = await bench.run(parameters, { input: { n: 5511988887777, order: 7 } });
	const [call] = bench.receiver.calls;
	expect(call).toMatchObject({ method: 'PUT', json: { order: 7 }, headers: { 'x-source': 'n8n-7' } });
	expect(outputOf(run)).toMatchObject([{ transactionId: 'order-7', steps: [{ type: 'send' }, { type: 'wait', status: 'done' }, { type: 'webhook' }] }]);
});

test('without a body of its own the webhook gets the summary of the transaction', async () => {
	const run = await bench.run();
	const [message] = bench.simulator.control.messages();
	expect(bench.receiver.calls[0]?.json).toMatchObject({ transactionId: outputOf(run)[0]?.transactionId, messageId: message?.messageId, confirmed: true, chat: { recipient: '5511988887777@s.whatsapp.net' } });
});

test('the webhook credential adds its header and a signature that the standard verifies; none of it is in the output', async () => {
	const signingSecret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
	const run = await bench.run({ webhookAuthentication: 'credential' }, { credentials: { evolutionServerApi: bench.access(), webhookTargetApi: { headerName: 'Authorization', headerValue: 'Bearer webhook-key', signingSecret } } });
	const [call] = bench.receiver.calls;
	expect(call?.headers.authorization).toBe('Bearer webhook-key');
	expect(() => new Webhook(signingSecret).verify(call?.body ?? '', call?.headers as Record<string, string>)).not.toThrow();
	for (const secret of ['webhook-key', signingSecret, bench.simulator.apiKey]) expect(JSON.stringify(run)).not.toContain(secret);
});

test('no webhook is called when that is switched off', async () => {
	const run = await bench.run({ callWebhook: false, webhookUrl: '' });
	expect(bench.effects()).toEqual(['message Hello']);
	expect(outputOf(run)).toMatchObject([{ status: 'completed', steps: [{ type: 'send' }] }]);
});

test('no items are no sends', async () => {
	const run = await bench.run({}, { input: [] });
	expect(run.status).toBe('success');
	expect(bench.effects()).toEqual([]);
});

test("the ledger is in n8n's own user folder, for its owner only", async () => {
	await bench.run();
	const folder = join(bench.userFolder, '.n8n', 'ordered-evolutionapi');
	expect(existsSync(join(folder, 'ledger.sqlite'))).toBe(true);
	if (process.platform !== 'win32') expect([statSync(folder).mode & 0o777, statSync(join(folder, 'ledger.sqlite')).mode & 0o777]).toEqual([0o700, 0o600]);
});
