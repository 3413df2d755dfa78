// A send that may have happened: looked up, never sent again on our own account.
import type { RuleInput } from '../../../simulator';
import { resultOf, scene, sleep, stepsOf } from '../../support/scene';

const ways: Array<[string, RuleInput]> = [
	['a reset', { answer: { kind: 'reset' }, sent: true }],
	['a 502 of a proxy', { answer: { kind: 'http', status: 502, body: '<html>Bad Gateway</html>' }, sent: true }],
	['a 503 of a proxy', { answer: { kind: 'http', status: 503, body: '<html>Unavailable</html>' }, sent: true }],
	['a 504 of a proxy', { answer: { kind: 'http', status: 504, body: '<html>Gateway Timeout</html>' }, sent: true }],
	['a 400 after a lost connection to Meta', { answer: { kind: 'lostMeta' }, sent: true, saved: true }],
	['a time-out', { answer: { kind: 'hang' }, sent: true }],
	['an answer that never ends', { answer: { kind: 'drip' }, sent: true }],
	['an answer without a message ID', { answer: { kind: 'nonsense', as: 'invalidJson' }, sent: true }],
	['an endlessly long answer', { answer: { kind: 'nonsense', as: 'huge', bytes: 6_000_000 }, sent: true }],
	['an empty answer', { answer: { kind: 'nonsense', as: 'empty' }, sent: true }],
];

test.each(ways)('after %s, a message that went out is found: one message, one webhook', async (_what, rule) => {
	const { run, simulator, effects } = await scene();
	simulator.control.addRule({ route: 'sendText', ...rule });
	const outcome = await run({ text: 'Hi', webhookUrl: '/after' });
	expect(resultOf(outcome)).toMatchObject({ status: 'completed', duplicatePossible: false });
	expect(resultOf(outcome).steps[0]?.messageId).toBe(simulator.control.messages()[0]?.messageId);
	expect(effects()).toEqual(['message Hi', 'webhook /after']);
	expect(simulator.control.counts().sendText).toBe(1);
});

test.each([['phone1'], ['evo1']])('found on %s, too, where the recorded chat has another form', async (instanceName) => {
	const { run, simulator, effects } = await scene();
	simulator.control.addRule({ route: 'sendText', answer: { kind: 'reset' }, sent: true });
	const outcome = await run({ instanceName, number: '+55 11 98888-7777', text: 'Hi', webhookUrl: '/after' });
	expect(resultOf(outcome).status).toBe('completed');
	expect(effects()).toEqual(['message Hi', 'webhook /after']);
});

test.each(ways)('after %s of a message that did not go out: in doubt, nothing sent again, no webhook', async (_what, rule) => {
	const { run, simulator, receiver } = await scene();
	simulator.control.addRule({ route: 'sendText', answer: rule.answer, sent: false });
	const outcome = await run({ text: 'Hi', webhookUrl: '/after' });
	expect(resultOf(outcome)).toMatchObject({ status: 'inDoubt', duplicatePossible: false, error: { code: 'inDoubt', sent: 'unknown' } });
	expect(outcome.failure?.hint).toContain('same transaction ID');
	expect(stepsOf(outcome)).toBe('send inDoubt, webhook skipped');
	expect(simulator.control.counts().sendText).toBe(1);
	expect(simulator.control.messages()).toEqual([]);
	expect(receiver.calls).toEqual([]);
});

test('the message went out and its row could not be written: in doubt, and not sent again', async () => {
	const { run, simulator, receiver } = await scene();
	simulator.control.addRule({ route: 'sendText', answer: { kind: 'databaseError' } });
	const outcome = await run({ text: 'Hi', webhookUrl: '/after', options: { transactionId: 't' } });
	expect(resultOf(outcome).status).toBe('inDoubt');
	await run({ text: 'Hi', webhookUrl: '/after', options: { transactionId: 't' } });
	expect(simulator.control.messages()).toHaveLength(1);
	expect(receiver.calls).toEqual([]);
});

test('Send Again sends what was not found, and says that a duplicate is possible', async () => {
	const { run, simulator, effects, receiver } = await scene();
	simulator.control.addRule({ route: 'sendText', times: 1, answer: { kind: 'databaseError' } });
	const outcome = await run({ text: 'Hi', webhookUrl: '/after', options: { onInDoubt: 'sendAgain' } });
	expect(resultOf(outcome)).toMatchObject({ status: 'completed', duplicatePossible: true });
	expect(effects()).toEqual(['message Hi', 'message Hi', 'webhook /after']);
	expect(receiver.calls[0]?.json).toMatchObject({ duplicatePossible: true });
});

test('Send Again sends nothing where the message is found', async () => {
	const { run, simulator } = await scene();
	simulator.control.addRule({ route: 'sendText', times: 1, answer: { kind: 'reset' }, sent: true });
	const outcome = await run({ text: 'Hi', options: { onInDoubt: 'sendAgain' } });
	expect(resultOf(outcome)).toMatchObject({ status: 'completed', duplicatePossible: false });
	expect(simulator.control.messages()).toHaveLength(1);
});

test('a first attempt in doubt and a second one that was refused is still in doubt', async () => {
	const { run, simulator } = await scene();
	simulator.control.addRule({ route: 'sendText', times: 1, answer: { kind: 'reset' } });
	simulator.control.addRule({ route: 'sendText', answer: { kind: 'metaRefusal', code: 131026 } });
	const outcome = await run({ options: { onInDoubt: 'sendAgain' } });
	expect(resultOf(outcome)).toMatchObject({ status: 'inDoubt', error: { sent: 'unknown' } });
});

test('two messages on record that could be it: in doubt, neither is taken', async () => {
	const { run, simulator, receiver } = await scene();
	const row = (id: string) => ({ key: { id, remoteJid: '5511988887777@s.whatsapp.net', fromMe: true }, messageType: 'conversation', message: { conversation: 'Hi' }, messageTimestamp: Math.round(Date.now() / 1000) });
	simulator.control.addRows({ instance: 'meta1', messages: [row('by-hand')] });
	simulator.control.addRule({ route: 'sendText', answer: { kind: 'reset' }, sent: true });
	const outcome = await run({ text: 'Hi', webhookUrl: '/after' });
	expect(resultOf(outcome).status).toBe('inDoubt');
	expect(outcome.failure?.message).toContain('2 messages on record could be it');
	expect(receiver.calls).toEqual([]);
});

test('the same text that another transaction sent a moment ago is not taken for this one', async () => {
	const { run, simulator } = await scene();
	const first = await run({ text: 'Hi' });
	simulator.control.addRule({ route: 'sendText', answer: { kind: 'reset' } });
	const second = await run({ text: 'Hi' });
	expect(resultOf(first).status).toBe('completed');
	expect(resultOf(second).status).toBe('inDoubt');
	expect(simulator.control.messages()).toHaveLength(1);
});

test('a message to another chat, of another text, or from long ago is not taken', async () => {
	const { run, simulator } = await scene();
	const row = (id: string, remoteJid: string, conversation: string, agoSeconds = 0) => ({ key: { id, remoteJid, fromMe: true }, messageType: 'conversation', message: { conversation }, messageTimestamp: Math.round(Date.now() / 1000) - agoSeconds });
	simulator.control.addRows({ instance: 'meta1', messages: [
		row('a', '5511977776666@s.whatsapp.net', 'Hi'),
		row('b', '5511988887777@s.whatsapp.net', 'Hi there'),
		row('c', '5511988887777@s.whatsapp.net', 'Hi', 120),
	] });
	simulator.control.addRule({ route: 'sendText', answer: { kind: 'reset' } });
	expect(resultOf(await run({ text: 'Hi' })).status).toBe('inDoubt');
});

test('a slow send that was given up goes out later and is found while the look-up lasts', async () => {
	const { run, simulator, effects } = await scene({ lookUpMs: 1500 });
	simulator.control.addRule({ route: 'sendText', sendAfterMs: 1100 });
	const outcome = await run({ text: 'Hi', webhookUrl: '/after', options: { requestTimeoutSeconds: 0.5 } });
	expect(resultOf(outcome)).toMatchObject({ status: 'completed', duplicatePossible: false });
	expect(effects()).toEqual(['message Hi', 'webhook /after']);
});

test('a slow send that goes out only after the look-up is found by the replay, and the webhook follows', async () => {
	const { run, simulator, effects } = await scene();
	simulator.control.addRule({ route: 'sendText', sendAfterMs: 1200 });
	const input = { text: 'Hi', webhookUrl: '/after', options: { transactionId: 't', requestTimeoutSeconds: 0.5 } };
	expect(resultOf(await run(input)).status).toBe('inDoubt');
	await simulator.control.waitForMessages(1);
	await sleep(30);
	expect(resultOf(await run(input))).toMatchObject({ status: 'completed', replayed: false });
	expect(effects()).toEqual(['message Hi', 'webhook /after']);
});

test('a look-up that fails itself leaves the doubt and says why', async () => {
	const { run, simulator } = await scene();
	simulator.control.addRule({ route: 'sendText', answer: { kind: 'reset' }, sent: true });
	simulator.control.addRule({ route: 'findMessages', answer: { kind: 'http', status: 500, body: { status: 500, response: { message: 'database gone' } } } });
	const outcome = await run();
	expect(resultOf(outcome).status).toBe('inDoubt');
	expect(outcome.failure?.message).toContain('database gone');
	expect(simulator.control.messages()).toHaveLength(1);
});

test('a found message that WhatsApp refused is a failure for good, without the webhook', async () => {
	const { run, simulator, receiver } = await scene({ lookUpEveryMs: 60, lookUpMs: 400 });
	simulator.control.addRule({ route: 'sendText', answer: { kind: 'reset' }, sent: true, acks: [{ status: 'FAILED', afterMs: 1 }] });
	simulator.control.addRule({ route: 'findMessages', times: 1, answer: { kind: 'http', status: 500, body: 'x' } });
	const outcome = await run({ webhookUrl: '/after' });
	expect(resultOf(outcome)).toMatchObject({ status: 'failed', error: { code: 'messageFailed' } });
	expect(receiver.calls).toEqual([]);
});
