// "Run a Sequence of Steps" as a whole, in the real n8n engine: panel or JSON in, messages and webhooks out, in order.
import { errorOf, outputOf, useBench } from './bench';

const bench = useBench();

const sequence = (parameters: object) => ({ operation: 'runSequence', text: undefined, webhookUrl: undefined, ...parameters });
const panel = (...step: object[]) => sequence({ steps: { step } });

test('steps of the panel are done from the top down, and one item tells of all', async () => {
	const run = await bench.run(panel(
		{ text: 'first', waitFor: 'delivered' },
		{ type: 'webhook', url: `${bench.receiver.url}/between`, body: '{"id": "[[1.messageId]]"}' },
		{ type: 'text', text: 'last' },
		{ type: 'webhook', url: `${bench.receiver.url}/end` },
	));
	expect(outputOf(run)).toMatchObject([{ status: 'completed', steps: expect.arrayContaining([expect.objectContaining({ type: 'send', status: 'done' })]) as unknown }]);
	expect(bench.effects()).toEqual(['message first', 'webhook /between', 'message last', 'webhook /end']);
	const [first] = (outputOf(run)[0] as { steps: Array<{ messageId?: string }> }).steps;
	expect(JSON.parse(bench.receiver.calls[0]?.body ?? '')).toEqual({ id: first?.messageId });
});

test('every kind of step, with nothing but what the panel asks for, passes the check', async () => {
	const kinds = [
		{ type: 'text', text: 'x' },
		{ type: 'image', mediaUrl: 'https://files.test/x.jpg' },
		{ type: 'video', mediaUrl: 'https://files.test/x.mp4' },
		{ type: 'document', mediaUrl: 'https://files.test/x.pdf', fileName: 'x.pdf' },
		{ type: 'audio', mediaUrl: 'https://files.test/x.mp3' },
		{ type: 'location', latitude: '-23.5', longitude: '-46.6', name: 'Shop', address: 'Street 1' },
		{ type: 'contact', contacts: { contact: [{ fullName: 'Ana', phoneNumber: '+5511988887777' }] } },
		{ type: 'list', title: 'Menu', description: 'Pick', footer: 'Tax in', buttonText: 'See', sections: { section: [{ title: 'Pizza', rows: { row: [{ title: 'Margherita' }] } }] } },
		{ type: 'buttons', title: 'Right?', buttons: { button: [{ text: 'Yes' }, { text: 'No' }] } },
		{ type: 'reaction', emoji: '👍', messageId: '[[1.messageId]]', fromMe: true },
		{ type: 'template', name: 'confirmed', language: 'pt_BR' },
		{ type: 'wait', delaySeconds: 0 },
		{ type: 'webhook', url: `${bench.receiver.url}/end` },
	];
	const [output] = outputOf(await bench.run(panel(...kinds)));
	expect(output).toMatchObject({ status: 'completed' });
	expect((output as { steps: unknown[] }).steps).toHaveLength(kinds.length);
	expect(bench.effects()).toHaveLength(kinds.length - 1);
});

test('those that only WhatsApp Web can send are sent there', async () => {
	const kinds = [{ type: 'sticker', mediaUrl: 'https://files.test/x.webp' }, { type: 'poll', question: 'When?', options: 'Today\nTomorrow' }];
	const instanceName = { __rl: true, mode: 'name', value: 'phone1' };
	expect(outputOf(await bench.run({ ...panel(...kinds), instanceName }))).toMatchObject([{ status: 'completed' }]);
});

test('steps in JSON are done in the same way', async () => {
	const stepsJson = JSON.stringify([{ type: 'text', text: 'first' }, { type: 'wait', delaySeconds: 0.1 }, { type: 'text', text: 'last' }]);
	expect(outputOf(await bench.run(sequence({ stepsFrom: 'json', stepsJson })))).toMatchObject([{ status: 'completed' }]);
	expect(bench.effects()).toEqual(['message first', 'message last']);
});

test.each<[object, string | RegExp]>([
	[panel({ text: 'x' }, { type: 'text', text: '={{ "" }}' }), /^Step 2 \(text\), Text: /],
	[panel({ type: 'image', mediaUrl: '={{ $json.nothing }}' }), /^Step 1 \(image\), Media URL: is empty/],
	[panel({ type: 'location', latitude: '-23,5', longitude: '1', name: 'x', address: 'x' }), /^Step 1 \(location\), Latitude: has to be a number/],
	[panel({ type: 'poll', question: 'When?', options: 'Today' }), /^Step 1 \(poll\), Poll Options: has to have at least 2/],
	[panel({ type: 'image', mediaFrom: 'binary' }), /^Step 1 \(image\), Binary Property: the input item has no binary data "data"/],
	[panel(), /^Steps: are missing/],
	[sequence({ stepsFrom: 'json', stepsJson: '[{' }), /^Steps: /],
	[sequence({ stepsFrom: 'json', stepsJson: '{"steps": [{"type": "text", "text": "x"}], "options": {"attempt": 5}}' }), /^Steps \(JSON\), options: there is no option "attempt"/],
	[sequence({ stepsFrom: 'json', stepsJson: '{"steps": [{"type": "text", "text": "x"}], "options": {"attempts": 50}}' }), /^Attempts: /],
])('what is wrong in a step is one error that names it, and nothing is sent: %j', async (parameters, message) => {
	const error = errorOf(await bench.run(parameters));
	expect(error.message).toMatch(message);
	expect(error.message).toMatch(/Nothing was sent\.$/);
	expect(bench.effects()).toEqual([]);
});
