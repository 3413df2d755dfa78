// What n8n runs again: "Retry On Fail", the Retry button, a new execution, a loop; and the same transaction ID.
import type { IExecuteFunctions, INodeExecutionData, INodeType } from 'n8n-workflow';
import { NODE_NAME, errorOf, outputOf, sendNode, to, useBench } from './bench';

const bench = useBench();
const once = { options: { attempts: 1 } };
const retryOnFail = { retryOnFail: true, maxTries: 3, waitBetweenTries: 1 };

test('"Retry On Fail" calls the webhook again and sends the text once', async () => {
	bench.receiver.behave({ status: 503 }, { times: 2 });
	const run = await bench.run(once, { node: retryOnFail });
	expect(run.status).toBe('success');
	expect(bench.effects()).toEqual(['message Hello', 'webhook /done', 'webhook /done', 'webhook /done']);
	expect(new Set(bench.receiver.calls.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
	expect(outputOf(run)).toMatchObject([{ status: 'completed', steps: [{ type: 'send', attempts: 1 }, { type: 'webhook', attempts: 3 }] }]);
});

test.each(['continueRegularOutput', 'continueErrorOutput'] as const)('"Retry On Fail" with %s sends the text once too', async (onError) => {
	bench.receiver.behave({ status: 503 });
	const run = await bench.run(once, { node: { ...retryOnFail, onError } });
	expect(bench.effects().filter((effect) => effect === 'message Hello')).toHaveLength(1);
	expect(JSON.stringify(outputOf(run, onError === 'continueErrorOutput' ? 1 : 0))).toContain('"status":"failed"');
});

test("n8n's Retry button finds the earlier transaction: the text is not sent again, the webhook is called", async () => {
	bench.receiver.behave({ status: 503 }, { times: 1 });
	const first = await bench.run(once, { executionId: '501', establishedAt: 1_700_000_000_501 });
	expect(errorOf(first).message).toContain('The message was sent');
	const again = await bench.run(once, { executionId: '502', retryOf: first });
	expect(again.run.mode).toBe('retry');
	expect(again.status).toBe('success');
	expect(bench.effects()).toEqual(['message Hello', 'webhook /done', 'webhook /done']);
	expect(outputOf(again)[0]?.transactionId).toBe(errorOf(first).context.transaction?.transactionId);
});

test('a retry of a retry finds it too', async () => {
	bench.receiver.behave({ status: 503 }, { times: 2 });
	const first = await bench.run(once);
	const second = await bench.run(once, { retryOf: first });
	expect(errorOf(second).message).toContain('The message was sent');
	const third = await bench.run(once, { retryOf: second });
	expect(third.status).toBe('success');
	expect(bench.effects()).toEqual(['message Hello', 'webhook /done', 'webhook /done', 'webhook /done']);
});

test('a Retry button pressed for another message sends that one', async () => {
	bench.receiver.behave({ status: 503 }, { times: 1 });
	const first = await bench.run(once);
	await bench.run({ ...once, text: 'Corrected' }, { retryOf: withNodeOf(first, 'Corrected') });
	expect(bench.effects()).toEqual(['message Hello', 'webhook /done', 'message Corrected', 'webhook /done']);
});

test('another execution sends anew', async () => {
	await bench.run();
	await bench.run();
	expect(bench.effects()).toEqual(['message Hello', 'webhook /done', 'message Hello', 'webhook /done']);
});

test("a new database's execution of the same number sends anew", async () => {
	await bench.run({}, { executionId: '1', establishedAt: 1_700_000_000_000 });
	await bench.run({}, { executionId: '1', establishedAt: 1_800_000_000_000 });
	expect(bench.effects()).toEqual(['message Hello', 'webhook /done', 'message Hello', 'webhook /done']);
});

test('two equal items are two messages', async () => {
	await bench.run({}, { input: [{}, {}] });
	expect(bench.effects()).toEqual(['message Hello', 'webhook /done', 'message Hello', 'webhook /done']);
});

test("a loop's second round sends anew", async () => {
	const workflow = {
		nodes: [
			{ id: 'a', name: 'Trigger', type: 'n8n-nodes-base.manualTrigger', typeVersion: 1, position: [0, 0], parameters: {} },
			{ id: 'b', name: 'Twice', type: 'test.twice', typeVersion: 1, position: [0, 0], parameters: {} },
			sendNode({ webhookUrl: `${bench.receiver.url}/done` }),
		],
		connections: { Trigger: to('Twice'), Twice: to(NODE_NAME), [NODE_NAME]: to('Twice') },
	};
	await bench.run({}, { workflow, nodeTypes: { 'test.twice': twice } });
	expect(bench.effects()).toEqual(['message Hello', 'webhook /done', 'message Hello', 'webhook /done']);
});

test('the same transaction ID gives the recorded result, replayed', async () => {
	const options = { options: { transactionId: 'order-1' } };
	const first = await bench.run(options);
	const again = await bench.run(options);
	expect(bench.effects()).toEqual(['message Hello', 'webhook /done']);
	expect(outputOf(again)).toEqual([{ ...outputOf(first)[0], replayed: true }]);
});

test('the same transaction ID with another text is refused, and the message names what differs', async () => {
	await bench.run({ options: { transactionId: 'order-2' } });
	const again = await bench.run({ text: 'Other', options: { transactionId: 'order-2' } });
	expect(errorOf(again).message).toBe('Transaction ID: "order-2" was used before for another message. Nothing was sent.');
	expect(errorOf(again).description).toContain('its own transaction ID');
	expect(bench.effects()).toEqual(['message Hello', 'webhook /done']);
});

test('a message that was refused for good replays its error', async () => {
	bench.simulator.control.setNumber('5511988887777', { exists: false });
	const parameters = { instanceName: { __rl: true, mode: 'name', value: 'phone1' }, options: { transactionId: 'gone' } };
	const first = await bench.run(parameters);
	bench.simulator.control.setNumber('5511988887777', { exists: true });
	const again = await bench.run(parameters);
	expect(errorOf(again).message).toBe(errorOf(first).message);
	expect(errorOf(again).context.transaction).toMatchObject({ status: 'failed', replayed: true });
	expect(bench.effects()).toEqual([]);
});

/** Passes its items on twice, then ends the loop. */
const twice: INodeType = {
	description: { displayName: 'Twice', name: 'twice', group: ['transform'], version: 1, description: '', defaults: { name: 'Twice' }, inputs: ['main'], outputs: ['main'], properties: [] },
	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return [Number(this.getWorkflowDataProxy(0).$runIndex) < 2 ? this.getInputData() : []];
	},
};

/** A failed run whose node says another text by now, as after "retry with the current workflow". */
function withNodeOf<T extends { run: { data: { executionData?: { nodeExecutionStack: Array<{ node: { parameters: Record<string, unknown> } }> } } } }>(run: T, text: string): T {
	const [entry] = run.run.data.executionData?.nodeExecutionStack ?? [];
	if (entry) entry.node.parameters.text = text;
	return run;
}
