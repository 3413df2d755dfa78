// What a person sees of a run: the result, each failure with what happened, what was sent and what to do, and Stop.
import type { Locator } from 'playwright-core';
import { NODE } from './editor';
import { useStage } from './stage';
import { goodSend, makeWorkflow, type NodeOfOurs } from './workflows';

const stage = useStage({
	allowedInLog: [
		// n8n itself writes the message of each failed execution
		/^[A-Z].*\b(Nothing was sent|was sent \(ID|may have been sent)\b/,
		// and these where an execution cannot start, since a required field is empty
		/^(Error: )?No active execution found$/,
		/^There was an error in the post-execution promise$/,
	],
});

/** What a person without scrolling sees of this text. */
async function expectOnScreen(text: Locator): Promise<void> {
	const { width, height } = { width: 1280, height: 800 };
	const box = await text.boundingBox();
	if (!box) throw new Error('It is not there at all.');
	expect(box.x).toBeGreaterThanOrEqual(0);
	expect(box.y).toBeGreaterThanOrEqual(0);
	expect(box.x).toBeLessThan(width);
	expect(box.y + box.height).toBeLessThanOrEqual(height);
}

test('the first screenful of a result tells its status, its ID and the message ID, as a table, as JSON and as a schema', async () => {
	const { id } = await makeWorkflow(stage, 'A good one', { [NODE]: { parameters: goodSend(stage, '5511988887777') } });
	const editor = await stage.open();
	await editor.openWorkflow(id);
	await editor.openNode(NODE);
	await editor.executeStep();
	await editor.output.getByText('completed').first().waitFor();
	const [message] = stage.simulator.control.messages();
	for (const view of ['Table', 'JSON', 'Schema'] as const) {
		await editor.showOutputAs(view);
		for (const text of ['completed', 'transactionId', 'messageId', (message?.messageId as string).slice(0, 12)]) await expectOnScreen(editor.output.getByText(text).first());
	}
	expect(stage.receiver.calls.map(({ path }) => path)).toEqual(['/done']);
});

test('of each failure a person reads in the panel what happened, what was sent and what to do, with nothing cut off', async () => {
	const { control } = stage.simulator;
	control.addRule({ route: 'sendText', textEquals: 'Refused', answer: { kind: 'metaRefusal', code: 131047, message: 'Re-engagement message', details: 'More than 24 hours have passed since the customer last replied to this number.' } });
	control.addRule({ route: 'sendText', textEquals: 'Reset', answer: { kind: 'reset' } });
	control.addRule({ route: 'sendText', textEquals: 'Not acknowledged', acks: [] });
	stage.receiver.behave({ status: 500, body: { message: 'Internal error' } }, { path: '/fails' });
	const down = await stage.rest.saveCredential({ name: 'Server that is down', type: 'evolutionServerApi', data: { baseUrl: 'http://127.0.0.1:9', apiKey: 'x', ignoreSslIssues: false } });
	const nothing = 'Nothing was sent. The webhook was not called.';
	/** Parameters that differ from a good send; then what is read, in bold and below. */
	const failures: Record<string, { change?: object; credential?: { id: string; name: string }; message: RegExp; hint?: RegExp }> = {
		'Refused by Meta': { change: { text: 'Refused' }, message: new RegExp(`^Meta refused the message: Re-engagement message\\. More than 24 hours .* ${nothing}$`), hint: /approved templates.*Run a Sequence of Steps/ },
		'Not connected': { change: { instanceName: { __rl: true, mode: 'name', value: 'baileys1' } }, message: new RegExp(`^The instance is not connected to WhatsApp\\. ${nothing}$`), hint: /QR code/ },
		'Unknown instance': { change: { instanceName: { __rl: true, mode: 'name', value: 'metta1' } }, message: new RegExp(`"metta1" instance does not exist\\. ${nothing}$`), hint: /Pick the instance from the list/ },
		'Server down': { credential: down, message: new RegExp(`^Nothing listens at http://127\\.0\\.0\\.1:9/.* ${nothing}$`), hint: /Check that the server runs.*EvolutionAPI credential/ },
		'In doubt': { change: { text: 'Reset' }, message: /^It is not known whether the message went out: .* The message may have been sent\. The webhook was not called\.$/, hint: /^Look into the chat\./ },
		'Not acknowledged': { change: { text: 'Not acknowledged', waitFor: 'delivered', ackTimeoutSeconds: 0.5 }, message: /^The message was not acknowledged as delivered within 0\.5 s\. The message was sent \(ID wamid\..*\)\. The webhook was not called\.$/, hint: /The phone may be off/ },
		'Webhook fails': { change: { webhookUrl: `${stage.receiver.url}/fails` }, message: /^The webhook http:.*\/fails answered 500\. The message was sent \(ID wamid\..*\)\. The webhook was called and answered 500\.$/, hint: /run it again: the message is not sent a second time/ },
		'Letters as a number': { change: { number: 'my friend' }, message: /^Phone Number: .*Nothing was sent\.$/ },
		'Address without http': { change: { webhookUrl: 'example.com/after' }, message: /^Webhook URL: .*Nothing was sent\.$/ },
	};
	const nodes = Object.entries(failures).map(([name, { change, credential }], index): [string, NodeOfOurs] => [name, { parameters: { ...goodSend(stage, `551198888${1000 + index}`), options: { attempts: 1 }, ...change }, ...(credential && { credential }) }]);
	const { id } = await makeWorkflow(stage, 'Failures', Object.fromEntries(nodes));
	const editor = await stage.open();
	await editor.openWorkflow(id);
	for (const [name, { message, hint }] of Object.entries(failures)) {
		await editor.openNode(name);
		await editor.executeStep();
		const shown = await editor.errorShown();
		expect([name, shown.message]).toEqual([name, expect.stringMatching(message)]);
		if (hint) expect([name, shown.hint]).toEqual([name, expect.stringMatching(hint)]);
		expect([name, shown.cutOff]).toEqual([name, false]);
		await editor.closePanel();
		await editor.errorOnCanvas(name).waitFor();
	}
	expect(control.messages().map(({ text }) => text)).toEqual(['Not acknowledged', 'Your order is confirmed']);
});

test('an empty field is named before anything runs', async () => {
	const nodes = {
		'No text': { parameters: { ...goodSend(stage, '5511988882001'), text: '' } },
		'No instance': { parameters: { ...goodSend(stage, '5511988882002'), instanceName: { __rl: true, mode: 'list', value: '' } } },
		'No address': { parameters: { ...goodSend(stage, '5511988882003'), webhookUrl: '' } },
	};
	const { id } = await makeWorkflow(stage, 'Empty fields', nodes);
	const editor = await stage.open();
	await editor.openWorkflow(id);
	for (const [name, field] of [['No text', 'Text'], ['No instance', 'Instance'], ['No address', 'Webhook URL']] as const) {
		await editor.openNode(name);
		await editor.executeStep();
		await editor.page.getByText(`Parameter "${field}" is required.`).first().waitFor();
		await editor.closePanel();
	}
	expect(stage.simulator.control.counts()).toEqual({});
});

test('Stop ends a waiting message at once, says so, calls no webhook, and the next message of the chat goes', async () => {
	const waiting = { ...goodSend(stage, '5511988883001'), text: 'First', waitFor: 'delay', delaySeconds: 600 };
	const { id } = await makeWorkflow(stage, 'Stopped', { Waiting: { parameters: waiting }, Next: { parameters: { ...goodSend(stage, '5511988883001'), text: 'Next' } } });
	const editor = await stage.open();
	await editor.openWorkflow(id);
	await editor.openNode('Waiting');
	await editor.executeStep();
	await stage.simulator.control.waitForMessages(1, 30_000);
	const since = performance.now();
	await editor.stop();
	await editor.page.getByText('Execution stopped').first().waitFor();
	expect(performance.now() - since).toBeLessThan(15_000);
	expect(stage.receiver.calls).toEqual([]);
	await editor.closePanel();
	await editor.openNode('Next');
	await editor.executeStep();
	await editor.output.getByText('completed').first().waitFor();
	expect(stage.simulator.control.messages().map(({ text }) => text)).toEqual(['First', 'Next']);
	expect(stage.receiver.calls.map(({ path }) => path)).toEqual(['/done']);
});
