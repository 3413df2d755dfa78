// The five-minute test: from an open editor to a message in WhatsApp, with clicks and typed fields counted.
import { type EditorPage, NODE } from './editor';
import { useStage } from './stage';

const stage = useStage();

async function expectSent(editor: EditorPage): Promise<void> {
	await editor.executeStep();
	await stage.simulator.control.waitForMessages(1, 20_000);
	expect(stage.simulator.control.messages()).toMatchObject([{ instance: 'meta1', jid: '5511988887777@s.whatsapp.net', text: 'Your order is confirmed' }]);
	await editor.output.getByText('completed').first().waitFor();
}

test('in an empty n8n, with the credential still to be made, the first message takes at most 12 clicks and 4 typed fields, beside the search', async () => {
	const editor = await stage.open();
	await editor.newWorkflow();
	await editor.addNode(NODE, { search: 'ordered' });
	await editor.newCredential('EvolutionAPI Server');
	await editor.type('baseUrl', stage.simulator.url, editor.dialog);
	await editor.type('apiKey', stage.simulator.apiKey, editor.dialog);
	await editor.saveCredential();
	await editor.dialog.waitFor({ state: 'detached' });
	await editor.pickInstance('meta1');
	await editor.type('number', '+55 11 98888-7777');
	await editor.type('text', 'Your order is confirmed');
	await editor.toggle('callWebhook');
	await expectSent(editor);
	const { clicks, fields } = await editor.effort();
	expect(fields).toEqual(['node-creator-search-bar', 'baseUrl', 'apiKey', 'number', 'text']);
	expect(clicks).toBeLessThanOrEqual(12);
});

test('in the editor that npm run n8n opens, with the credential there, a message and its webhook take at most 12 clicks and 4 typed fields', async () => {
	await stage.credential();
	const editor = await stage.open();
	await editor.newWorkflow();
	await editor.addNode(NODE, { search: 'ordered' });
	await editor.pickInstance('meta1');
	await editor.type('number', '+55 11 98888-7777');
	await editor.type('text', 'Your order is confirmed');
	await editor.type('webhookUrl', `${stage.receiver.url}/after-the-text`);
	await expectSent(editor);
	expect(stage.receiver.calls.map(({ path }) => path)).toEqual(['/after-the-text']);
	const { clicks, fields } = await editor.effort();
	expect(fields).toEqual(['node-creator-search-bar', 'number', 'text', 'webhookUrl']);
	expect(clicks).toBeLessThanOrEqual(12);
});
