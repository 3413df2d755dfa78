// Finding the nodes in n8n's nodes panel, and their look on the canvas.
import type { Locator } from 'playwright-core';
import { decoded, type Pixels } from '../support/png';
import { BUFFER, cutOff, LOG, NODE } from './editor';
import { useStage } from './stage';
import { makeWorkflow, START } from './workflows';

const stage = useStage();

const icons: Record<string, string> = { [NODE]: 'orderedSend', [LOG]: 'messageLog', [BUFFER]: 'messageBuffer' };
const type = 'n8n-nodes-ordered-evolutionapi.';

/** The names of our nodes, as listed; n8n has nodes of its own for WhatsApp. */
async function oursAmong(items: Locator): Promise<string[]> {
	const names = await items.locator('[data-test-id="node-creator-item-name"]').allInnerTexts();
	return names.filter((name) => name in icons);
}

test.each(['light', 'dark'] as const)('in the %s theme, a person who searches finds all three nodes, each with its icon, which stands out', async (theme) => {
	const editor = await stage.open({ theme, sharpness: 2 });
	await editor.newWorkflow();
	await editor.openNodesPanel();
	const sendFirst = [NODE, LOG, BUFFER];
	for (const word of ['evolution', 'evolutionapi', 'whatsapp', 'typebot']) expect([word, await oursAmong(await editor.search(word))]).toEqual([word, sendFirst]);
	// n8n ranks by how much of a name a word fills, before any other words for it
	const items = await editor.search('ordered');
	expect(await items.locator('[data-test-id="node-creator-item-name"]').allInnerTexts()).toEqual([LOG, NODE, BUFFER]);
	for (const name of sendFirst) {
		const image = items.filter({ has: editor.page.getByText(name, { exact: true }) }).locator('img').first();
		expect(await image.getAttribute('src')).toMatch(new RegExp(`/${icons[name]}${theme === 'dark' ? '\\.dark' : ''}\\.svg$`));
		expect(await image.evaluate((one) => (one as unknown as { naturalWidth: number }).naturalWidth)).toBeGreaterThan(0);
		expect(shareThatStandsOut(decoded(await image.screenshot()))).toBeGreaterThan(0.15);
	}
});

test('a person drags the node in from the list and connects it with the trigger', async () => {
	const { id } = await makeWorkflow(stage, 'To be connected', {});
	const editor = await stage.open();
	await editor.openWorkflow(id);
	const place = { x: 760, y: 560 };
	await editor.dragIn(NODE, place);
	await editor.closePanel();
	const box = await editor.node(NODE).boundingBox();
	expect(Math.hypot((box?.x ?? 0) - place.x, (box?.y ?? 0) - place.y)).toBeLessThan(200);
	await editor.connect(START, NODE);
});

test('below its name each node says what it is set to do, and nothing of it is cut off', async () => {
	const send = (name: string, y: number, parameters: object) => ({ id: name, name, type: `${type}orderedEvolutionApiSend`, typeVersion: 1, position: [0, y], parameters });
	const steps = (...kinds: string[]) => ({ operation: 'runSequence', steps: { step: kinds.map((kind) => ({ type: kind, text: '={{ $json.text }}' })) } });
	const { id } = await stage.rest.createWorkflow({
		name: 'Subtitles',
		nodes: [
			send(NODE, 0, {}),
			send('Delivered', 200, { waitFor: 'delivered' }),
			send('Short', 400, steps('text', 'webhook')),
			send('Long', 600, steps('document', 'document', 'location', 'webhook', 'text')),
			send('Delay', 800, { waitFor: 'delay', delaySeconds: '={{ $json.seconds }}', text: '={{ $json.text }}' }),
			{ id: 'log', name: LOG, type: `${type}orderedMessageLog`, typeVersion: 1, position: [300, 0], parameters: {} },
			{ id: 'timeline', name: 'Timeline', type: `${type}orderedMessageLog`, typeVersion: 1, position: [300, 200], parameters: { operation: 'timeline', timelineOf: 'chat', number: '={{ $json.number }}' } },
			{ id: 'buffer', name: BUFFER, type: `${type}chatMessageBuffer`, typeVersion: 1, position: [300, 400], parameters: {} },
		],
		connections: {},
	});
	const editor = await stage.open();
	await editor.openWorkflow(id);
	const subtitles: Record<string, string> = {
		[NODE]: 'text → webhook',
		Delivered: 'text → delivered → webhook',
		Short: '2 steps: text → webhook',
		Long: '5 steps: document → …',
		[LOG]: 'recover unfinished',
		Delay: 'text → delay → webhook',
		Timeline: 'draw a timeline',
		[BUFFER]: 'join quick messages',
	};
	for (const [name, subtitle] of Object.entries(subtitles)) {
		await editor.node(name).getByText(subtitle, { exact: true }).waitFor();
		expect(await cutOff(editor.node(name))).toEqual([]);
	}
});

/** The share of pixels that differ from the corner, the background, as much as WCAG 2.2 asks of graphics: 3 to 1. */
function shareThatStandsOut({ width, height, rgba }: Pixels): number {
	const background = luminance(rgba, 0);
	let count = 0;
	for (let at = 0; at < rgba.length; at += 4) {
		const [dark, light] = [background, luminance(rgba, at)].sort((a, b) => a - b) as [number, number];
		if ((light + 0.05) / (dark + 0.05) >= 3) count++;
	}
	return count / (width * height);
}

/** WCAG's relative luminance of the pixel whose bytes begin there. */
function luminance(rgba: Uint8Array, at: number): number {
	const [red, green, blue] = [0, 1, 2].map((i) => {
		const part = (rgba[at + i] as number) / 255;
		return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
	}) as [number, number, number];
	return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
