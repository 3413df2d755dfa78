// The timeline of a chat as a person looks at it in n8n's output panel.
import { LOG } from './editor';
import { useStage } from './stage';
import { goodSend, makeWorkflow } from './workflows';

const stage = useStage();
const number = '5511966660001';

test('a person adds the log behind three sends to a chat, has its timeline drawn, and sees the picture in the panel', async () => {
	const sends = ['First', 'Second', 'Third'].map((text) => [text, { parameters: { ...goodSend(stage, number), text, waitFor: 'delivered' } }]);
	const { id } = await makeWorkflow(stage, 'Timeline', Object.fromEntries(sends) as Parameters<typeof makeWorkflow>[2]);
	const editor = await stage.open();
	await editor.openWorkflow(id);
	await editor.runWorkflow();
	await stage.receiver.waitForCalls(3, 60_000);
	await editor.addNode(LOG, { action: 'Draw a timeline' });
	await editor.pickInstance('meta1');
	await editor.type('number', '+55 11 96666-0001');
	await editor.executeStep();
	const picture = await editor.viewPicture();
	const size = await picture.evaluate(async (element) => {
		const image = element as unknown as { decode(): Promise<void>; naturalWidth: number; naturalHeight: number };
		await image.decode();
		return { width: image.naturalWidth, height: image.naturalHeight };
	});
	expect(size.width).toBeGreaterThan(600);
	expect(size.height).toBeGreaterThan(150);
	expect(stage.simulator.control.messages().map(({ text }) => text).sort()).toEqual(['First', 'Second', 'Third']);
});
