// Makes the README's pictures (docs/images) in a real n8n, and sees to it that nothing in them is cut off.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readTemplate, withCredentials } from '../../scripts/n8n/editor';
import type { SavedWorkflow } from '../../scripts/n8n/rest';
import { decoded, difference, small } from '../support/png';
import { type Box, boxOf, cutOff, type EditorPage, LOG, NODE } from './editor';
import { useStage } from './stage';
import { makeWorkflow } from './workflows';

const stage = useStage();
const root = join(__dirname, '../..');
const number = '+55 11 98888-7777';
const instance = 'sales-bot';

/** Writes the picture, unless the one that is there differs in less than this share of its pixels: another second, another port. */
function keep(name: string, png: Buffer, sameBelow = 0.005): void {
	const file = join(root, 'docs/images', name);
	const made = small(decoded(png));
	expect(made.length).toBeLessThan(150_000);
	if (existsSync(file) && difference(decoded(readFileSync(file)), decoded(made)) < sameBelow) return;
	writeFileSync(file, made);
}

async function shot(editor: EditorPage, clip: Box): Promise<Buffer> {
	await editor.tidy();
	return await editor.page.screenshot({ clip });
}

/** The template that is in the picture, published. */
async function orderedSend(): Promise<SavedWorkflow> {
	const template = withCredentials(readTemplate(join(root, 'templates/ordered-send.json')), { evolutionServerApi: await stage.credential() });
	const nodes = template.nodes.filter((node) => node.type !== 'n8n-nodes-base.stickyNote');
	return await stage.rest.createWorkflow({ ...template, id: undefined, nodes });
}

function callOf(order: string, text: string, to = number): object {
	return { instanceName: instance, number: to, text, transactionId: order, webhookUrl: `${stage.receiver.url}/after-the-text` };
}

beforeAll(() => void stage.simulator.control.addInstance({ name: instance, channel: 'WHATSAPP-BUSINESS' }));

test('workflow.png: a call, the node, and its two outputs, after a run', async () => {
	const { id } = await orderedSend();
	const editor = await stage.open({ sharpness: 2 });
	await editor.openWorkflow(id);
	await editor.byId('execute-workflow-button').click();
	await editor.page.getByText('Waiting for trigger event').first().waitFor();
	const answer = await fetch(`${stage.server.url}/webhook-test/ordered-send`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(callOf('order-123-confirmed', 'Your order is confirmed')) });
	expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ status: 'completed' })]);
	for (const name of ['Call from TypeBot', NODE, 'Answer: done']) await editor.byId('canvas-node-status-success', editor.node(name)).first().waitFor();
	await editor.page.mouse.click(640, 150);
	const nodes = await editor.byId('canvas-node').all();
	for (const node of nodes) expect(await cutOff(node)).toEqual([]);
	const boxes = await Promise.all(nodes.map(boxOf));
	const [left, right] = [Math.min(...boxes.map(({ x }) => x)) - 70, Math.max(...boxes.map(({ x, width }) => x + width)) + 130];
	const [top, bottom] = [Math.min(...boxes.map(({ y }) => y)) - 24, Math.max(...boxes.map(({ y, height }) => y + height)) + 60];
	keep('workflow.png', await shot(editor, { x: left, y: top, width: right - left, height: bottom - top }));
});

test('panel.png: the panel, filled in, and what came out', async () => {
	const { id } = await makeWorkflow(stage, 'Confirm the order', {
		[NODE]: {
			parameters: {
				instanceName: { __rl: true, mode: 'list', value: instance, cachedResultName: `${instance} (Meta Cloud API, connected)` },
				number, text: 'Your order 124 is confirmed', waitFor: 'delivered', webhookUrl: `${stage.receiver.url}/shipping`, options: { transactionId: 'order-124-confirmed' },
			},
		},
	});
	const editor = await stage.open({ size: { width: 1390, height: 1620 }, sharpness: 1.5 });
	await editor.openWorkflow(id);
	await editor.openNode(NODE);
	await editor.executeStep();
	await editor.output.getByText('JSON', { exact: true }).click();
	await editor.output.getByText('"completed"').first().waitFor();
	await editor.page.getByText('Webhook Authentication', { exact: true }).waitFor();
	expect(await cutOff(editor.parameters)).toEqual([]);
	const panel = await boxOf(editor.byId('ndv').locator('[data-test-id="node-parameters"]'));
	const output = await boxOf(editor.output);
	const last = await boxOf(editor.parameter('transactionId'));
	const top = output.y;
	keep('panel.png', await shot(editor, { x: panel.x - 1, y: top, width: output.x + output.width - panel.x + 1, height: last.y + last.height + 58 - top }));
});

test('credential.png: the dialog after a test that passed', async () => {
	const { id } = await makeWorkflow(stage, 'With a credential', { [NODE]: { parameters: {} } });
	const editor = await stage.open({ sharpness: 2 });
	await editor.openWorkflow(id);
	await editor.openNode(NODE);
	await editor.editCredential();
	await editor.dialog.getByText('Connection tested successfully').waitFor();
	expect(await cutOff(editor.dialog)).toEqual([]);
	const dialog = await boxOf(editor.dialog);
	const last = await boxOf(editor.parameter('ignoreSslIssues', editor.dialog));
	keep('credential.png', await shot(editor, { x: dialog.x + 8, y: dialog.y + 8, width: dialog.width - 16, height: last.y + last.height + 16 - dialog.y }));
});

test('timeline.png: a chat with messages that waited for each other, and one that was refused, as n8n shows it', async () => {
	const saved = await orderedSend();
	await stage.rest.publish(saved);
	stage.simulator.control.addRule({ route: 'sendText', text: 'invoice', answer: { kind: 'metaRefusal', code: 131026 } });
	stage.simulator.control.addRule({ route: 'sendText', instance, acks: [{ status: 'SENT', afterMs: 100 }, { status: 'DELIVERED', afterMs: 900 }] });
	stage.receiver.behave({ afterMs: 300 });
	// a chat of its own: the picture shows no more than this
	const customer = '+55 11 97777-6666';
	const orders = [['hello', 'Hello'], ['confirmed', 'Your order is confirmed'], ['invoice', 'Your invoice'], ['thanks', 'Thank you']] as const;
	const calls: Array<Promise<{ status: number }>> = [];
	for (const [order, text] of orders) {
		calls.push(stage.rest.callWebhook('ordered-send', callOf(`order-125-${order}`, text, customer)));
		// calls made at once arrive in any order
		while ((await stage.rest.executions(saved.id)).length < calls.length) await sleep(20);
	}
	const statuses = (await Promise.all(calls)).map(({ status }) => status);
	expect(statuses).toEqual([200, 200, 422, 200]);
	const { id } = await makeWorkflow(stage, 'What happened when', {
		[LOG]: { type: 'orderedMessageLog', parameters: { operation: 'timeline', timelineOf: 'chat', instanceName: { __rl: true, mode: 'name', value: instance }, number: customer } },
	});
	const editor = await stage.open();
	await editor.openWorkflow(id);
	await editor.openNode(LOG);
	await editor.executeStep();
	const image = await editor.viewPicture();
	const png = await editor.page.request.get(new URL((await image.getAttribute('src')) as string, stage.server.url).href);
	// its bars end some milliseconds sooner or later each time
	keep('timeline.png', await png.body(), 0.04);
});
