// The node as an AI agent's tool, both ways in which n8n 2.41 runs one: called by an older agent, and as a node of its own.
import type { INodeType } from 'n8n-workflow';
import { builtNode, type WorkflowFile, type WorkflowRun } from '../../scripts/engine/workflow';
import { agentThat, asTool, type Tool } from '../support/agent';
import { NODE_NAME, NODE_TYPE, errorOf, outputOf, sendNode, useBench } from './bench';

const bench = useBench();
const toolType = `${NODE_TYPE}Tool`;
const parameters = { text: "={{ $fromAI('text', 'What to write', 'string') }}", options: { attempts: 1 } };

/** An agent that makes these calls of its one tool, and gives their answers. */
function agent(calls: object[], given: Tool[] = []): INodeType {
	return agentThat(async ([tool]) => {
		if (!tool) throw new Error('The agent has no tool.');
		given.push(tool);
		const answers: string[] = [];
		for (const call of calls) answers.push(await tool.invoke(call).catch((error: Error) => error.message));
		return answers;
	});
}

function agentWorkflow(node = {}): WorkflowFile {
	return {
		nodes: [
			{ id: 'a', name: 'Trigger', type: 'n8n-nodes-base.manualTrigger', typeVersion: 1, position: [0, 0], parameters: {} },
			{ id: 'b', name: 'Agent', type: 'test.agent', typeVersion: 1, position: [0, 0], parameters: {} },
			{ ...sendNode({ webhookUrl: `${bench.receiver.url}/done`, ...parameters }, node), type: toolType },
		],
		connections: { Trigger: { main: [[{ node: 'Agent', type: 'main', index: 0 }]] }, [NODE_NAME]: { ai_tool: [[{ node: 'Agent', type: 'ai_tool', index: 0 }]] } },
	};
}

function runAgent(calls: object[], { node, tools }: { node?: object; tools?: Tool[] } = {}): Promise<WorkflowRun> {
	return bench.run({}, { workflow: agentWorkflow(node), nodeTypes: { 'test.agent': agent(calls, tools), [toolType]: asTool(builtNode()) } });
}

const answersOf = (run: WorkflowRun) => (run.lastOutput.Agent?.[0] ?? []).map(({ json }) => String(json.answer));

test('an agent is told what the tool does and what it has to fill in', async () => {
	const tools: Tool[] = [];
	await runAgent([], { tools });
	expect(tools[0]?.description).toMatch(/WhatsApp/);
	expect(tools[0]?.schema.shape.text?.description).toBe('What to write');
});

test('its calls go out in their order, each with its webhook, and each answer is the transaction', async () => {
	const run = await runAgent([{ text: 'one' }, { text: 'two' }]);
	expect(bench.effects()).toEqual(['message one', 'webhook /done', 'message two', 'webhook /done']);
	expect(answersOf(run).map((answer) => (JSON.parse(answer) as Array<{ status: string }>)[0]?.status)).toEqual(['completed', 'completed']);
});

test('"Retry On Fail" sends the text once, though each try has another run index there', async () => {
	bench.receiver.behave({ status: 503 }, { times: 1 });
	const run = await runAgent([{ text: 'once' }], { node: { retryOnFail: true, maxTries: 3, waitBetweenTries: 1 } });
	expect(bench.effects()).toEqual(['message once', 'webhook /done', 'webhook /done']);
	expect(answersOf(run)[0]).toContain('"status":"completed"');
});

test('a failure is told to the agent with what was sent and what to do, without a key', async () => {
	bench.simulator.control.addRule({ route: 'sendText', answer: { kind: 'metaRefusal', code: 131047 } });
	const [answer] = answersOf(await runAgent([{ text: 'refused' }]));
	expect(answer).toMatch(/Nothing was sent\. The webhook was not called\./);
	expect(answer).toMatch(/Details: /);
	expect(answer).not.toContain(bench.simulator.apiKey);
});

test('what an agent writes is checked like any input', async () => {
	const [answer] = answersOf(await runAgent([{ text: ' ' }]));
	expect(answer).toMatch(/^Text: is empty/);
	expect(bench.effects()).toEqual([]);
});

test('run by a newer agent as a node of its own, the arguments come with the item', async () => {
	const run = await bench.run(parameters, { input: { chatInput: 'Write to her', text: 'from the agent', toolCallId: 'call_1_0' } });
	if (run.status === 'error') expect(errorOf(run).message).toBe('');
	expect(bench.effects()).toEqual(['message from the agent', 'webhook /done']);
	expect(outputOf(run)).toMatchObject([{ status: 'completed' }]);
});
