// The templates for TypeBot in a real n8n, called as TypeBot calls them; and the one that tells a person of a failure.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectRoot } from '../../scripts/n8n/paths';
import { usePlace } from './place';
import { httpOptions, runHttpBlock, type TypebotExport } from './typebotHttp';

const place = usePlace();
const typebot = JSON.parse(readFileSync(join(projectRoot, 'templates', 'typebot-ordered-send.json'), 'utf8')) as TypebotExport;

/** One run of its HTTP request block against the first template, with its webhook's address replaced by the receiver's. */
async function turn(variables: Record<string, string>): ReturnType<typeof runHttpBlock> {
	const own = JSON.parse(JSON.stringify(typebot).replace('https://example.com/webhooks/after-delivery', `${place.receiver.url}/after`)) as TypebotExport;
	return await runHttpBlock(own, { instanceName: 'meta1', pushName: 'Ana', ...variables }, `${place.editor.server.url}/webhook/ordered-send`);
}

/** As EvolutionAPI's TypeBot integration sends a bubble: past n8n. */
async function bubble(number: string, text: string): Promise<void> {
	await fetch(`${place.simulator.url}/message/sendText/meta1`, { method: 'POST', headers: { apikey: place.simulator.apiKey, 'content-type': 'application/json' }, body: JSON.stringify({ number, text }) });
}

test('the export is whole: every edge leads from something to a group, every block uses variables that exist, no code, no secret', () => {
	const blocks = typebot.groups.flatMap((group) => group.blocks);
	const ends = [...typebot.events, ...blocks, ...blocks.flatMap(({ items }) => items ?? [])];
	for (const { id, from, to } of typebot.edges) {
		expect(ends.filter(({ outgoingEdgeId }) => outgoingEdgeId === id)).toHaveLength(1);
		expect(ends.some((end) => end.id === (from.eventId ?? from.itemId ?? from.blockId))).toBe(true);
		expect(typebot.groups.some((group) => group.id === to.groupId)).toBe(true);
	}
	const leading = ends.flatMap(({ outgoingEdgeId }) => outgoingEdgeId ?? []);
	expect(leading.sort()).toEqual(typebot.edges.map(({ id }) => id).sort());
	const ids = new Set(typebot.variables.map(({ id }) => id));
	for (const [, id] of JSON.stringify(blocks).matchAll(/"variableId":"([^"]+)"/g)) expect(ids).toContain(id);
	const names = new Set(typebot.variables.map(({ name }) => name));
	for (const [, name] of JSON.stringify(blocks).matchAll(/\{\{(\w+)\}\}/g)) expect(names).toContain(name);
	expect(names).not.toContain('apiKey');
	expect(new Set(blocks.map(({ type }) => type))).toEqual(new Set(['Set variable', 'text', 'text input', 'Webhook', 'Condition']));
	expect(httpOptions(typebot)).toMatchObject({ isCustomBody: true, isExecutedOnClient: false, timeout: 60, webhook: { method: 'POST', url: expect.stringMatching(/\/webhook\/ordered-send$/) as string } });
	expect(typebot.version).toBe('6.1');
});

test('a text with quotes, backslashes, line breaks and emojis arrives as it was written, then the webhook, then the branch "Done"', async () => {
	const message = 'She said "hi\\there"\nsecond line\tand 👩‍👩‍👧 {{ not a variable }} ção';
	const { variables, group } = await turn({ remoteJid: `${place.number()}@s.whatsapp.net`, message, resultId: 'result-1' });
	expect([group, variables.orderedHttpStatus, variables.orderedStatus]).toEqual(['Done', 200, 'completed']);
	expect(place.effects(true).filter((effect) => effect !== 'ack SENT')).toEqual([`message Thank you, Ana. We have received: ${message}`, 'ack DELIVERED', 'webhook /after']);
});

test('a message that WhatsApp refuses leads to "Not done", with the reason in a variable', async () => {
	place.simulator.control.addRule({ route: 'sendText', answer: { kind: 'metaRefusal', code: 131047 } });
	const { variables, group } = await turn({ remoteJid: `${place.number()}@s.whatsapp.net`, message: 'x', resultId: 'result-2' });
	expect([group, variables.orderedHttpStatus, variables.orderedStatus]).toEqual(['Not done', 422, 'failed']);
	expect(variables.orderedMessage).toMatch(/Nothing was sent\. The webhook was not called\.$/);
});

test('two answers of a person within a moment, so the same ID with two texts: one is sent, the other refused, nothing twice', async () => {
	const remoteJid = `${place.number()}@s.whatsapp.net`;
	const both = await Promise.all(['first', 'second'].map((message) => turn({ remoteJid, message, resultId: 'result-3' })));
	expect(both.map(({ group }) => group).sort()).toEqual(['Done', 'Not done']);
	const refused = both.find(({ group }) => group === 'Not done')?.variables;
	expect(refused?.orderedHttpStatus).toBe(422);
	expect(refused?.orderedMessage).toMatch(/^Transaction ID: "result-3-confirmation" was used before for another message\. Nothing was sent\.$/);
	const sent = both.find(({ group }) => group === 'Done')?.variables;
	expect(place.effects()).toEqual([`message Thank you, Ana. We have received: ${String(sent?.message)}`, 'webhook /after']);
});

test('behind bubbles: TypeBot is answered at once, and the text waits for the last bubble of the turn', async () => {
	await place.importTemplate('ordered-send-after-bubbles.json');
	const number = place.number();
	const body = { instanceName: 'meta1', number: `${number}@s.whatsapp.net`, text: 'behind', webhookUrl: `${place.receiver.url}/after`, transactionId: 'bubbles-1', turnStartedAt: new Date().toISOString(), lastBubble: 'bubble 2' };
	const before = performance.now();
	const { status, json } = await place.editor.rest.callWebhook('ordered-send-after-bubbles', body);
	expect([status, json]).toEqual([202, { status: 'accepted', transactionId: 'bubbles-1' }]);
	expect(performance.now() - before).toBeLessThan(5000);
	await bubble(number, 'bubble 1');
	await sleep(1500);
	expect(place.effects()).toEqual(['message bubble 1']);
	await bubble(number, 'bubble 2');
	await place.receiver.waitForCalls(1, 15_000);
	expect(place.effects()).toEqual(['message bubble 1', 'message bubble 2', 'message behind', 'webhook /after']);
});

test('an error callback writes to a person what failed, once, and in another chat', async () => {
	await place.importTemplate('error-callback.json');
	place.simulator.control.addRule({ route: 'sendText', textEquals: 'Refused', answer: { kind: 'metaRefusal', code: 131047 } });
	const { workflow, path } = await place.publishSend({ options: { transactionId: 'fails-1', attempts: 1, errorCallbackUrl: `${place.editor.server.url}/webhook/ordered-send-failed` } });
	expect((await place.editor.rest.callWebhook(path, { text: 'Refused' })).status).toBe(500);
	const [message] = await place.simulator.control.waitForMessages(1, 15_000);
	expect(message?.number).toBe('5511999999999');
	const number = (workflow.nodes.find(({ parameters }) => 'number' in (parameters as object))?.parameters as { number: string }).number;
	const lines = message?.text.split('\n') ?? [];
	expect(lines).toHaveLength(7);
	expect(lines.slice(0, 2)).toEqual(['⚠️ A WhatsApp message was not completed.', `Chat: ${number} (instance meta1)`]);
	expect(lines[2]).toMatch(/^What happened: .*131047/);
	expect(lines.slice(3, 5)).toEqual(['Was it sent: no', 'Steps: send failed, webhook skipped']);
	expect(lines[5]).toMatch(/^What to do: .{10,}/);
	expect(lines[6]).toBe('Transaction: fails-1');
});
