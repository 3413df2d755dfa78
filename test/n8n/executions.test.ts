// A real n8n with the packed package: errors, Stop, time-out, what n8n runs again, and AI agents.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Execution } from '../../scripts/n8n/rest';
import { startChatModel, type ChatModel } from './chatModel';
import { NODE_NAME, NODE_TYPE, to, usePlace } from './place';

const place = usePlace();
const once = { options: { attempts: 1 } };
const retryOnFail = { retryOnFail: true, maxTries: 3, waitBetweenTries: 100 };

const trigger = (path: string, text = 'Hello') => place.editor.rest.callWebhook(path, { text });

/** The newest execution of a workflow, once it has ended. */
async function lastExecution(workflowId: string): Promise<Execution> {
	const [execution] = await place.editor.rest.executions(workflowId);
	if (!execution) throw new Error('The workflow has no execution.');
	return await place.editor.rest.executionEnded(execution.id);
}

const nodesRun = ({ data }: Execution) => Object.keys(data.resultData.runData);

describe('a failure', () => {
	beforeEach(() => void place.simulator.control.addRule({ route: 'sendText', answer: { kind: 'metaRefusal', code: 131047 } }));

	test('ends the execution with an error that says what was sent, and holds the transaction but no key', async () => {
		const { workflow, path } = await place.publishSend({});
		expect((await trigger(path)).status).toBe(500);
		const execution = await lastExecution(workflow.id);
		expect(execution.status).toBe('error');
		expect(nodesRun(execution)).toEqual(['Webhook', NODE_NAME]);
		const { error } = execution.data.resultData;
		expect(error?.message).toMatch(/Nothing was sent\. The webhook was not called\.$/);
		expect(error?.context).toMatchObject({ itemIndex: 0, transaction: { status: 'failed', error: { sent: 'no' } } });
		expect(JSON.stringify(execution)).not.toContain(place.simulator.apiKey);
	});

	test('goes to the error output with its transaction, where that is chosen', async () => {
		const { workflow, path } = await place.publishSend({}, { node: { onError: 'continueErrorOutput' } });
		expect((await trigger(path)).status).toBe(200);
		const execution = await lastExecution(workflow.id);
		expect(nodesRun(execution)).toEqual(['Webhook', NODE_NAME, 'Not done']);
		const [item] = execution.data.resultData.runData['Not done']?.[0]?.data?.main?.[0] ?? [];
		expect(item?.json).toMatchObject({ error: expect.stringMatching(/Nothing was sent/) as string, details: { status: 'failed', steps: [{ type: 'send', status: 'failed' }, { type: 'webhook', status: 'skipped' }] } });
	});

	test('is an item with its transaction in the regular output, where that is chosen', async () => {
		const { workflow, path } = await place.publishSend({}, { node: { onError: 'continueRegularOutput' } });
		const { status, json } = await trigger(path);
		expect([status, json]).toMatchObject([200, { status: 'failed', error: { sent: 'no' } }]);
		expect(nodesRun(await lastExecution(workflow.id))).toEqual(['Webhook', NODE_NAME, 'Done']);
	});
});

describe('the end of an execution in the middle of a wait', () => {
	async function nextGoesAtOnce(workflowId: string, path: string): Promise<void> {
		const since = performance.now();
		const next = trigger(path, 'Next');
		await place.simulator.control.waitForMessages(2, 5000);
		expect(performance.now() - since).toBeLessThan(2000);
		expect(place.simulator.control.messages().map(({ text }) => text)).toEqual(['Hello', 'Next']);
		await place.editor.rest.stopExecution((await place.editor.rest.executionRunning(workflowId)).id);
		await next;
	}

	test('by Stop is at once: the webhook is not called, and the chat is free for the next message', async () => {
		const { workflow, path } = await place.publishSend({ waitFor: 'delay', delaySeconds: 60 });
		const call = trigger(path);
		await place.simulator.control.waitForMessages(1, 10_000);
		const since = performance.now();
		const { id } = await place.editor.rest.executionRunning(workflow.id);
		await place.editor.rest.stopExecution(id);
		expect((await call).status).toBe(500);
		expect((await place.editor.rest.executionEnded(id)).status).toBe('canceled');
		expect(performance.now() - since).toBeLessThan(2000);
		await nextGoesAtOnce(workflow.id, path);
		expect(place.effects()).toEqual(['message Hello', 'message Next']);
	});

	test("by the workflow's time-out frees the chat too", async () => {
		const { workflow, path } = await place.publishSend({ waitFor: 'delay', delaySeconds: 60 }, { settings: { executionTimeout: 2 } });
		expect((await trigger(path)).status).toBe(500);
		expect((await lastExecution(workflow.id)).status).toBe('canceled');
		await nextGoesAtOnce(workflow.id, path);
		expect(place.effects()).toEqual(['message Hello', 'message Next']);
	});

	test('with "Retry On Fail" sends and calls nothing afterwards', async () => {
		const { workflow, path } = await place.publishSend({ waitFor: 'delay', delaySeconds: 60 }, { node: retryOnFail });
		const call = trigger(path);
		await place.simulator.control.waitForMessages(1, 10_000);
		await place.editor.rest.stopExecution((await place.editor.rest.executionRunning(workflow.id)).id);
		await call;
		await sleep(1000);
		expect(place.effects()).toEqual(['message Hello']);
	});

	test('and the Retry button goes on there: the text is not sent again, the webhook is called', async () => {
		const { workflow, path } = await place.publishSend({ waitFor: 'delay', delaySeconds: 3 });
		const call = trigger(path);
		await place.simulator.control.waitForMessages(1, 10_000);
		const { id } = await place.editor.rest.executionRunning(workflow.id);
		await place.editor.rest.stopExecution(id);
		await call;
		const retried = await place.editor.rest.retryExecution(id);
		// n8n 2.41 keeps the stopped execution's error, and so calls even a good retry of it an error: look at the node itself
		expect(retried.mode).toBe('retry');
		expect(retried.data.resultData.runData[NODE_NAME]?.at(-1)?.data?.main?.[0]?.[0]?.json).toMatchObject({ status: 'completed' });
		expect(nodesRun(retried)).toContain('Done');
		expect(place.effects()).toEqual(['message Hello', 'webhook /done']);
	});
});

describe('what n8n runs again', () => {
	test('by "Retry On Fail" sends the text once', async () => {
		place.receiver.behave({ status: 503 }, { times: 2 });
		const { path } = await place.publishSend(once, { node: retryOnFail });
		expect(await trigger(path)).toMatchObject({ status: 200, json: { status: 'completed' } });
		expect(place.effects()).toEqual(['message Hello', 'webhook /done', 'webhook /done', 'webhook /done']);
		expect(new Set(place.receiver.calls.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
	});

	test.each([false, true])('by the Retry button sends the text once, and calls the webhook (with the current workflow: %s)', async (withCurrentWorkflow) => {
		place.receiver.behave({ status: 503 }, { times: 1 });
		const { workflow, path } = await place.publishSend(once);
		expect((await trigger(path)).status).toBe(500);
		const failed = await lastExecution(workflow.id);
		const retried = await place.editor.rest.retryExecution(failed.id, { withCurrentWorkflow });
		expect([retried.mode, retried.status]).toEqual(['retry', 'success']);
		expect(retried.id).not.toBe(failed.id);
		expect(place.effects()).toEqual(['message Hello', 'webhook /done', 'webhook /done']);
		expect(new Set(place.receiver.calls.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
	});

	test('as an execution of its own sends the text anew', async () => {
		const { path } = await place.publishSend({});
		await trigger(path);
		await trigger(path);
		expect(place.effects()).toEqual(['message Hello', 'webhook /done', 'message Hello', 'webhook /done']);
	});
});

// Version 2.2 calls the tool itself; version 3.1 lets n8n's engine run it as a node.
describe.each([2.2, 3.1])('an AI agent of version %d', (version) => {
	let model: ChatModel;
	beforeEach(async () => {
		model = await startChatModel();
	});
	afterEach(() => model.close());

	async function runAgent(node = {}): Promise<unknown> {
		const credential = await place.editor.rest.saveCredential({ name: 'Chat model', type: 'openAiApi', data: { apiKey: 'x', url: model.url, organizationId: '', header: false } });
		const path = `agent-${Math.random()}`;
		const workflow = await place.editor.rest.createWorkflow({
			name: `Agent ${version}`,
			nodes: [
				{ id: 'a', name: 'Webhook', type: 'n8n-nodes-base.webhook', typeVersion: 2, position: [0, 0], webhookId: path, parameters: { httpMethod: 'POST', path, responseMode: 'lastNode', options: {} } },
				{ id: 'b', name: 'Agent', type: '@n8n/n8n-nodes-langchain.agent', typeVersion: version, position: [200, 0], parameters: { promptType: 'define', text: 'Write to her', options: { enableStreaming: false } } },
				{ id: 'c', name: 'Model', type: '@n8n/n8n-nodes-langchain.lmChatOpenAi', typeVersion: 1.2, position: [200, 200], parameters: { model: { __rl: true, mode: 'id', value: 'm' }, options: {} }, credentials: { openAiApi: { id: credential.id, name: credential.name } } },
				{
					id: 'd',
					name: 'Send',
					type: `${NODE_TYPE}Tool`,
					typeVersion: 1,
					position: [400, 200],
					credentials: { evolutionServerApi: place.credential },
					parameters: { operation: 'sendThenWebhook', instanceName: { __rl: true, mode: 'name', value: 'meta1' }, number: place.number(), text: "={{ $fromAI('text', 'What to write', 'string') }}", webhookUrl: `${place.receiver.url}/done`, options: { attempts: 1 } },
					...node,
				},
			],
			connections: { Webhook: { main: [[to('Agent')]] }, Model: { ai_languageModel: [[to('Agent', 'ai_languageModel')]] }, Send: { ai_tool: [[to('Agent', 'ai_tool')]] } },
		});
		await place.editor.rest.publish(workflow);
		return (await place.editor.rest.callWebhook(path, {})).json;
	}

	test('writes messages in the order of its calls, each with its webhook, and is told of each', async () => {
		model.plan.push([{ text: 'one' }], [{ text: 'two' }]);
		expect(await runAgent()).toEqual({ output: 'finished' });
		expect(place.effects()).toEqual(['message one', 'webhook /done', 'message two', 'webhook /done']);
		expect(model.told).toHaveLength(2);
		for (const told of model.told) expect(told).toContain('completed');
	});

	test('with "Retry On Fail" writes once, though the webhook failed at first', async () => {
		place.receiver.behave({ status: 503 }, { times: 1 });
		model.plan.push([{ text: 'once' }]);
		await runAgent(retryOnFail);
		expect(place.effects()).toEqual(['message once', 'webhook /done', 'webhook /done']);
	});
});
