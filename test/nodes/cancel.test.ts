// Stop and time-out: every wait and request ends at once, the lane is free, and nothing happens afterwards.
import { ExecuteContext } from 'n8n-core';
import { createRunExecutionData, type INodeExecutionData } from 'n8n-workflow';
import { additionalData, defaultNodeTypes, workflowOf, type WorkflowRun } from '../../scripts/engine/workflow';
import { NODE_NAME, sendWorkflow, useBench } from './bench';

const bench = useBench();

/** Starts a run, stops it when `when` has come, and gives it with the time that the node took to end. */
async function stopped(parameters: object, when: () => Promise<unknown>, node = {}): Promise<{ run: WorkflowRun; tookMs: number }> {
	let cancel = () => {};
	const running = bench.run(parameters, { node, onStart: (execution) => (cancel = execution.cancel) });
	await when();
	await new Promise((resolve) => setTimeout(resolve, 50));
	const since = performance.now();
	cancel();
	return { run: await running, tookMs: performance.now() - since };
}

const sent = () => bench.simulator.control.waitForMessages(1);

test.each([
	['a delay', { waitFor: 'delay', delaySeconds: 30 }, sent],
	['the wait for an acknowledgement', { waitFor: 'read', ackTimeoutSeconds: 30 }, sent],
	['the webhook call', {}, () => bench.receiver.waitForCalls(1)],
])('Stop in %s ends it within a second and frees the lane', async (_where, parameters, when) => {
	bench.receiver.behave('hang', { times: 1 });
	const { run, tookMs } = await stopped(parameters, when);
	expect(run.status).toBe('canceled');
	expect(run.nodesRun).not.toContain('Done');
	expect(tookMs).toBeLessThan(1000);
	const callsBefore = bench.receiver.calls.length;
	bench.receiver.behaveWell();
	const since = performance.now();
	const next = await bench.run({ text: 'Next' });
	expect(next.status).toBe('success');
	expect(performance.now() - since).toBeLessThan(1000);
	expect(bench.effects().slice(callsBefore + 1)).toEqual(['message Next', 'webhook /done']);
});

test('Stop in the send ends it within a second; the next message first finds out whether the stopped one is out', async () => {
	bench.simulator.control.addRule({ route: 'sendText', times: 1, hold: true });
	const { run, tookMs } = await stopped({ text: 'Stopped', options: { transactionId: 'stopped' } }, sent);
	expect(run.status).toBe('canceled');
	expect(tookMs).toBeLessThan(1000);
	const next = await bench.run({ text: 'Next' });
	expect(next.status).toBe('success');
	const again = await bench.run({ text: 'Stopped', options: { transactionId: 'stopped' } });
	expect(again.status).toBe('success');
	expect(bench.effects()).toEqual(['message Stopped', 'message Next', 'webhook /done', 'webhook /done']);
});

test('Stop in the queue ends it within a second, with nothing sent; the one ahead goes on', async () => {
	const ahead = bench.run({ text: 'Ahead', waitFor: 'delay', delaySeconds: 1 });
	await sent();
	const { run, tookMs } = await stopped({ text: 'Behind' }, () => Promise.resolve());
	expect([run.status, tookMs < 1000]).toEqual(['canceled', true]);
	expect((await ahead).status).toBe('success');
	expect(bench.effects()).toEqual(['message Ahead', 'webhook /done']);
});

test('what "Retry On Fail" runs after Stop sends nothing and calls nothing', async () => {
	const { run } = await stopped({ waitFor: 'delay', delaySeconds: 30 }, sent, { retryOnFail: true, maxTries: 3, waitBetweenTries: 1 });
	expect(run.status).toBe('canceled');
	expect(bench.effects()).toEqual(['message Hello']);
});

test('a stopped transaction goes on with the same ID: the text is not sent again', async () => {
	const parameters = { waitFor: 'delay', delaySeconds: 0.5, options: { transactionId: 'goes-on' } };
	await stopped(parameters, sent);
	expect((await bench.run(parameters)).status).toBe('success');
	expect(bench.effects()).toEqual(['message Hello', 'webhook /done']);
});

test.each([undefined, 'continueRegularOutput', 'continueErrorOutput'] as const)('a signal that has fired already lets nothing be sent (onError: %s)', async (onError) => {
	const types = defaultNodeTypes();
	const workflow = workflowOf(sendWorkflow({ webhookUrl: `${bench.receiver.url}/done` }, { onError }), types);
	const node = workflow.getNode(NODE_NAME);
	if (!node) throw new Error('The workflow has lost its node.');
	const items: INodeExecutionData[] = [{ json: {} }];
	const data = { main: [items] };
	const context = new ExecuteContext(workflow, node, additionalData('9', { evolutionServerApi: bench.access() }), 'webhook', createRunExecutionData(), 0, items, data, { node, data, source: null }, [], AbortSignal.abort());
	const outcome = await types[node.type]?.execute?.call(context).catch((error: Error) => error.message);
	expect(JSON.stringify(outcome)).toMatch(/The execution was cancelled/);
	expect(bench.effects()).toEqual([]);
});
