// A sequence of steps as a person puts it together in the panel: adds, sorts, removes, runs.
import { NODE } from './editor';
import { useStage } from './stage';
import { goodSend, makeWorkflow } from './workflows';

const stage = useStage();

test('a person puts a sequence together, sorts it by dragging, removes a step, and it runs in the order on the screen', async () => {
	const { id } = await makeWorkflow(stage, 'Sequence', { [NODE]: { parameters: { ...goodSend(stage, '5511977770001'), webhookUrl: '' } } });
	const editor = await stage.open();
	await editor.openWorkflow(id);
	await editor.openNode(NODE);
	await editor.choose('operation', 'Run a Sequence of Steps');
	const image = await editor.addStep();
	await editor.choose('type', 'Image', image);
	await editor.type('mediaUrl', 'https://example.com/menu.png', image);
	const greeting = await editor.addStep();
	await editor.type('text', 'Good morning', greeting);
	await editor.choose('waitFor', 'Delay', greeting);
	const tooMuch = await editor.addStep();
	await editor.type('text', 'Not this one', tooMuch);
	const webhook = await editor.addStep();
	await editor.choose('type', 'Webhook', webhook);
	await editor.type('url', `${stage.receiver.url}/after-both`, webhook);
	await editor.removeStep(2);
	await editor.dragStepUp(1);
	expect(await editor.parameter('text', editor.step(0)).locator('textarea').inputValue()).toBe('Good morning');
	await editor.executeStep();
	await editor.output.getByText('completed').first().waitFor();
	const messages = stage.simulator.control.messages();
	expect(messages.map(({ type, text }) => [type, text])).toEqual([['sendText', 'Good morning'], ['sendMedia', expect.stringContaining('menu')]]);
	expect((messages[1]?.at ?? 0) - (messages[0]?.at ?? 0)).toBeGreaterThanOrEqual(1000);
	expect(stage.receiver.calls.map(({ path }) => path)).toEqual(['/after-both']);
	expect(stage.receiver.calls[0]?.at).toBeGreaterThan(messages[1]?.at ?? Infinity);
	await editor.closePanel();
	await editor.node(NODE).getByText('3 steps: text → image → …').waitFor();
});
