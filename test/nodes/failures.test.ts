// Failures as n8n shows them: the error itself, "continue", the error output; never an input item as a success.
import type { IDataObject } from 'n8n-workflow';
import { NODE_NAME, errorOf, outputOf, useBench } from './bench';

const bench = useBench();
const refusal = { route: 'sendText', answer: { kind: 'metaRefusal', code: 131047, message: 'Re-engagement message' } } as const;

test('a refused text is an error with its item, what to do, and the transaction; the webhook is not called', async () => {
	bench.simulator.control.addRule({ ...refusal, textEquals: 'Refused' });
	const run = await bench.run({ number: '={{ $json.number }}', text: '={{ $json.text }}' }, { input: [{ number: '5511911110000', text: 'Good' }, { number: '5511922220000', text: 'Refused' }] });
	const error = errorOf(run);
	expect(run.nodesRun).not.toContain('Done');
	expect(error.name).toBe('NodeOperationError');
	expect(error.message).toMatch(/Nothing was sent\. The webhook was not called\.$/);
	expect(error.description).toEqual(expect.any(String));
	expect(error.context.itemIndex).toBe(1);
	expect(error.context.transaction).toMatchObject({ status: 'failed', replayed: false, steps: [{ type: 'send', status: 'failed' }, { type: 'webhook', status: 'skipped' }], error: { code: expect.any(String) as string, message: expect.any(String) as string, sent: 'no' } });
	expect(bench.effects()).toEqual(['message Good', 'webhook /done']);
});

test("n8n's own sentence for a broken connection, which says to retry, does not take the place of ours", async () => {
	bench.simulator.control.addRule({ route: 'sendText', answer: { kind: 'reset' } });
	const run = await bench.run();
	expect(errorOf(run).message).toMatch(/^It is not known whether the message went out.*The message may have been sent\. The webhook was not called\.$/);
	expect(errorOf(run).description).toMatch(/^Look into the chat/);
});

test('no word of an error is so long that n8n cuts it off at the edge of its panel', async () => {
	bench.receiver.behave({ status: 400 });
	const run = await bench.run({ webhookUrl: `${bench.receiver.url}/a/${'x'.repeat(100)}/b` });
	for (const word of errorOf(run).message.split(/[\s/?-]+/)) expect(word.length).toBeLessThan(37);
});

test('a webhook that fails is an error that says that the text went out, with its ID', async () => {
	bench.receiver.behave({ status: 400 });
	const run = await bench.run();
	const messageId = bench.simulator.control.messages()[0]?.messageId as string;
	expect(errorOf(run).message).toContain(`The message was sent (ID ${messageId.slice(0, 16)}…`);
	expect(errorOf(run).context.transaction).toMatchObject({ steps: [{ messageId }, {}] });
	expect(errorOf(run).context.transaction).toMatchObject({ error: { sent: 'yes' }, steps: [{ status: 'done' }, { status: 'failed', statusCode: 400 }] });
});

test('an acknowledgement that does not come is an error of status unconfirmed, and the webhook is not called', async () => {
	bench.simulator.control.addRule({ route: 'sendText', acks: [] });
	const run = await bench.run({ waitFor: 'delivered', ackTimeoutSeconds: 0.5 });
	expect(errorOf(run).context.transaction).toMatchObject({ status: 'unconfirmed', error: { sent: 'yes' } });
	expect(bench.effects()).toEqual(['message Hello']);
});

test('or, where the user chose so, the webhook is called and the item says unconfirmed', async () => {
	bench.simulator.control.addRule({ route: 'sendText', acks: [] });
	const run = await bench.run({ waitFor: 'delivered', ackTimeoutSeconds: 0.5, onAckTimeout: 'continue' });
	expect(outputOf(run)).toMatchObject([{ status: 'unconfirmed', steps: [{ status: 'done' }, { status: 'unconfirmed' }, { status: 'done' }] }]);
	expect(bench.effects()).toEqual(['message Hello', 'webhook /done']);
});

test('after a failure, items that have not begun are not begun', async () => {
	bench.simulator.control.addRule({ ...refusal, times: 1 });
	const run = await bench.run({ text: '={{ $json.text }}' }, { input: [{ text: 'one' }, { text: 'two' }] });
	expect(errorOf(run).context.itemIndex).toBe(0);
	expect(bench.effects()).toEqual([]);
});

describe.each([
	['continueRegularOutput', 0],
	['continueErrorOutput', 1],
] as const)('with %s', (onError, output) => {
	test('each failure is an item with its transaction, and the other items go on', async () => {
		bench.simulator.control.addRule({ ...refusal, textEquals: 'Refused' });
		const run = await bench.run({ text: '={{ $json.text }}' }, { node: { onError }, input: [{ text: 'Refused' }, { text: 'Good' }] });
		expect(run.status).toBe('success');
		expect(bench.effects()).toEqual(['message Good', 'webhook /done']);
		const failed = outputOf(run, output)[0];
		const transaction = output === 1 ? (failed?.details as IDataObject) : failed;
		expect(transaction).toMatchObject({ status: 'failed', steps: [{ type: 'send', status: 'failed' }, { type: 'webhook', status: 'skipped' }], error: { sent: 'no', code: expect.any(String) as string } });
		if (output === 1) expect(failed?.error).toMatch(/Nothing was sent\. The webhook was not called\.$/);
		const good = output === 1 ? outputOf(run, 0)[0] : outputOf(run, 0)[1];
		expect(good).toMatchObject({ status: 'completed' });
		expect(run.lastOutput[NODE_NAME]?.flat().map(({ pairedItem }) => JSON.stringify(pairedItem)).sort()).toHaveLength(2);
	});

	test('bad input is an item that names the field, and the other items go on', async () => {
		const run = await bench.run({ number: '={{ $json.number }}' }, { node: { onError }, input: [{ number: '12' }, { number: '5511988887777' }] });
		expect(JSON.stringify(outputOf(run, output)[0])).toContain('Phone Number: ');
		expect(bench.effects()).toEqual(['message Hello', 'webhook /done']);
	});

	test.each([
		['an expression that fails', { number: "={{ $('Nowhere').item.json.number }}" }, {}],
		['a credential that can not be read', {}, { credentials: {} }],
		['queue mode', {}, { env: { EXECUTIONS_MODE: 'queue' } }],
	])('%s is a failure too, never the input item as a success', async (_what, parameters, { env = {}, ...more }: { env?: Record<string, string>; credentials?: Record<string, IDataObject & Record<string, string>> }) => {
		Object.assign(process.env, env);
		const run = await bench.run(parameters, { node: { onError }, input: { number: '5511988887777', marker: 'input' }, ...more });
		for (const name of Object.keys(env)) delete process.env[name];
		const [item] = outputOf(run, output);
		expect(output === 1 ? item?.details : item).toMatchObject({ status: 'failed', error: { sent: 'no', message: expect.stringMatching(/./) as string } });
		if (output === 1) expect(outputOf(run, 0)).toEqual([]);
		expect(bench.effects()).toEqual([]);
	});
});

test('in queue mode the error says what to set up, and nothing is sent', async () => {
	process.env.EXECUTIONS_MODE = 'queue';
	const run = await bench.run();
	delete process.env.EXECUTIONS_MODE;
	expect(errorOf(run).message).toMatch(/queue mode.*Nothing was sent\.$/);
	expect(errorOf(run).description).toMatch(/credential of the type Ordered Store API/);
	expect(bench.effects()).toEqual([]);
});

test.each([
	['a wrong key', () => ({ baseUrl: bench.simulator.url, apiKey: 'key-that-is-wrong' })],
	['a server that is down', () => ({ baseUrl: 'http://127.0.0.1:9', apiKey: 'key-that-is-wrong' })],
])('the error of %s tells that nothing was sent, and holds no key', async (_what, access) => {
	const run = await bench.run({ options: { attempts: 1 } }, { credentials: { evolutionServerApi: access() } });
	expect(errorOf(run).message).toMatch(/Nothing was sent\. The webhook was not called\.$/);
	expect(JSON.stringify([run, errorOf(run), errorOf(run).message])).not.toContain('key-that-is-wrong');
});
