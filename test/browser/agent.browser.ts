// The send node as a tool of an AI agent: found at the agent's Tool connector, its fields left to the model, run.
import { type ChatModel, startChatModel } from '../n8n/chatModel';
import { NODE } from './editor';
import { useStage } from './stage';

const stage = useStage();
let model: ChatModel;
beforeAll(async () => {
	model = await startChatModel();
});
afterAll(() => model.close());

/** A manual start, an agent with its chat model, and no tool. */
async function agentWithoutTool(): Promise<string> {
	const { id, name } = await stage.rest.saveCredential({ name: 'Chat model', type: 'openAiApi', data: { apiKey: 'x', url: model.url, organizationId: '', header: false } });
	const workflow = await stage.rest.createWorkflow({
		name: 'Agent',
		nodes: [
			{ id: 'a', name: 'Start', type: 'n8n-nodes-base.manualTrigger', typeVersion: 1, position: [0, 0], parameters: {} },
			{ id: 'b', name: 'AI Agent', type: '@n8n/n8n-nodes-langchain.agent', typeVersion: 3.1, position: [220, 0], parameters: { promptType: 'define', text: 'Tell Maria that her order is ready', options: { enableStreaming: false } } },
			{ id: 'c', name: 'Model', type: '@n8n/n8n-nodes-langchain.lmChatOpenAi', typeVersion: 1.2, position: [160, 220], parameters: { model: { __rl: true, mode: 'id', value: 'm' }, options: {} }, credentials: { openAiApi: { id, name } } },
		],
		connections: { Start: { main: [[{ node: 'AI Agent', type: 'main', index: 0 }]] }, Model: { ai_languageModel: [[{ node: 'AI Agent', type: 'ai_languageModel', index: 0 }]] } },
	});
	return workflow.id;
}

test('a person finds the node among the tools of an AI agent, leaves number and text to the model, and the message arrives', async () => {
	await stage.credential();
	const editor = await stage.open();
	await editor.openWorkflow(await agentWithoutTool());
	await editor.addTool(NODE, { search: 'evolution' });
	await editor.pickInstance('meta1');
	await editor.leaveToModel('number');
	await editor.leaveToModel('text');
	await editor.toggle('callWebhook');
	await editor.closePanel();
	model.plan.push([{ Phone_Number: '+55 11 95555-0001', Text: 'Your order is ready' }]);
	await editor.runWorkflow();
	await stage.simulator.control.waitForMessages(1, 60_000);
	expect(stage.simulator.control.messages()).toMatchObject([{ jid: '5511955550001@s.whatsapp.net', text: 'Your order is ready' }]);
	await editor.page.getByText('Workflow executed successfully').first().waitFor();
	expect(model.told).toEqual([expect.stringContaining('completed')]);
});
