// The five waits on the three channels: the webhook comes after the condition, never before it.
import { ReceiptWaits } from '../../../ordering/receipts/waits';
import type { AckPlan } from '../../../simulator';
import { effectsOf, resultOf, type Scene, scene, stepsOf } from '../../support/scene';

const group = '120363041234567890@g.us';

describe('accepted and delay, on every channel', () => {
	test.each(['meta1', 'phone1', 'evo1'])('accepted on %s: the webhook follows the message, and waits for no acknowledgement', async (instanceName) => {
		const { run, effects, simulator } = await scene();
		simulator.control.setInstance(instanceName, { acks: [] });
		const outcome = await run({ instanceName, text: 'Hi', webhookUrl: '/after' });
		expect(resultOf(outcome)).toMatchObject({ status: 'completed', replayed: false, webhook: { statusCode: 200, body: { ok: true } } });
		expect(stepsOf(outcome)).toBe('send done, webhook done');
		expect(effects(true)).toEqual(['message Hi', 'webhook /after']);
	});

	test.each(['meta1', 'phone1', 'evo1'])('delay on %s: the webhook follows the message by the delay, and soon after', async (instanceName) => {
		const { run, simulator, receiver } = await scene();
		const outcome = await run({ instanceName, text: 'Hi', waitFor: 'delay', delaySeconds: 0.25, webhookUrl: '/after' });
		expect(stepsOf(outcome)).toBe('send done, wait done, webhook done');
		const [message, webhook] = effectsOf(simulator, receiver);
		expect([message?.kind, webhook?.kind]).toEqual(['message', 'webhook']);
		const gap = (webhook?.at ?? 0) - (message?.at ?? 0);
		expect(gap).toBeGreaterThanOrEqual(248); // timers of two clocks
		expect(gap).toBeLessThan(1000);
	});

	test('a group on WhatsApp Web takes accepted and delay', async () => {
		const { run, effects } = await scene();
		await run({ instanceName: 'phone1', number: group, text: 'Group', waitFor: 'delay', delaySeconds: 0.02, webhookUrl: '/after' });
		expect(effects()).toEqual(['message Group', 'webhook /after']);
	});
});

describe('acknowledgements', () => {
	const plan: AckPlan = [{ status: 'SENT', afterMs: 60 }, { status: 'DELIVERED', afterMs: 140 }, { status: 'READ', afterMs: 220 }];
	const webPlan: AckPlan = [{ status: 'SERVER_ACK', afterMs: 60 }, { status: 'DELIVERY_ACK', afterMs: 140 }, { status: 'READ', afterMs: 220 }];
	test.each([
		['meta1', 'sent', 'SENT', plan],
		['meta1', 'delivered', 'DELIVERED', plan],
		['meta1', 'read', 'READ', plan],
		['phone1', 'sent', 'SERVER_ACK', webPlan],
		['phone1', 'delivered', 'DELIVERY_ACK', webPlan],
		['phone1', 'read', 'READ', webPlan],
	] as const)('on %s, the webhook after %s comes after WhatsApp told %s', async (instanceName, waitFor, status, acks) => {
		const { run, effects, simulator } = await scene();
		simulator.control.setInstance(instanceName, { acks: [...acks] });
		const outcome = await run({ instanceName, text: 'Hi', waitFor, webhookUrl: '/after' });
		expect(stepsOf(outcome)).toBe('send done, wait done, webhook done');
		expect(resultOf(outcome).steps[1]).toMatchObject({ receipt: waitFor, toldBy: 'polling' });
		const seen = effects(true);
		expect(seen[0]).toBe('message Hi');
		expect(seen).toContain('webhook /after');
		expect(seen.indexOf('webhook /after')).toBeGreaterThan(seen.indexOf(`ack ${status}`));
		expect(seen.indexOf(`ack ${status}`)).toBeGreaterThan(0);
	});

	test('a higher acknowledgement counts where the awaited one never comes: WhatsApp Web tells no SERVER_ACK', async () => {
		const { run, effects } = await scene();
		const outcome = await run({ instanceName: 'phone1', text: 'Hi', waitFor: 'sent', webhookUrl: '/after' });
		expect(resultOf(outcome).steps[1]).toMatchObject({ status: 'done', receipt: 'delivered' });
		expect(effects(true)).toEqual(['message Hi', 'ack DELIVERY_ACK', 'webhook /after']);
	});

	test('acknowledgements out of order and twice: READ, DELIVERED, READ satisfy a wait for read once', async () => {
		const { run, simulator, receiver } = await scene();
		simulator.control.addRule({ route: 'sendText', acks: [{ status: 'READ', afterMs: 20 }, { status: 'DELIVERED', afterMs: 25 }, { status: 'READ', afterMs: 30 }] });
		const outcome = await run({ waitFor: 'read', webhookUrl: '/after' });
		expect(resultOf(outcome).status).toBe('completed');
		expect(receiver.calls).toHaveLength(1);
	});

	test('a late acknowledgement is waited for: the webhook comes only then', async () => {
		const { run, effects, simulator } = await scene();
		simulator.control.addRule({ route: 'sendText', acks: [{ status: 'DELIVERED', afterMs: 900 }] });
		await run({ text: 'Hi', waitFor: 'delivered', ackTimeoutSeconds: 5, webhookUrl: '/after' });
		expect(effects(true)).toEqual(['message Hi', 'ack DELIVERED', 'webhook /after']);
	});

	test('at most one status request of a message is under way at once, however slow they are', async () => {
		const { run, simulator } = await scene();
		simulator.control.addRule({ route: 'findStatusMessage', answerAfterMs: 80 });
		simulator.control.addRule({ route: 'sendText', acks: [{ status: 'DELIVERED', afterMs: 300 }] });
		await run({ waitFor: 'delivered' });
		expect(Object.values(simulator.control.statusPeaks())).toEqual([1]);
	});

	test('other messages that come back for an ignored filter are not taken for this one', async () => {
		const { run, simulator, receiver } = await scene();
		simulator.control.addRule({ route: 'findStatusMessage', answer: { kind: 'http', status: 200, body: [{ keyId: 'wamid.other', status: 'READ', remoteJid: 'x' }] } });
		const outcome = await run({ waitFor: 'delivered', ackTimeoutSeconds: 0.5, webhookUrl: '/after' });
		expect(outcome.failure?.code).toBe('ackTimeout');
		expect(receiver.calls).toHaveLength(0);
	});

	test('a status look that fails is no acknowledgement, and the wait goes on', async () => {
		const { run, effects, simulator } = await scene();
		for (const answer of [{ kind: 'reset' }, { kind: 'nonsense', as: 'html' }, { kind: 'http', status: 500, body: 'x' }] as const) {
			simulator.control.addRule({ route: 'findStatusMessage', times: 1, answer });
		}
		await run({ text: 'Hi', waitFor: 'delivered', webhookUrl: '/after' });
		expect(effects(true)).toEqual(['message Hi', 'ack SENT', 'ack DELIVERED', 'webhook /after']);
	});
});

describe('waits that can not succeed', () => {
	test.each([
		['evo1', '5511988887777', 'never reports'],
		['phone1', group, 'group'],
		['phone1', 'status@broadcast', 'broadcast'],
	])('on %s to %s, every acknowledgement is refused before the send, with the remedy', async (instanceName, number, why) => {
		const { run, simulator, receiver } = await scene();
		for (const waitFor of ['sent', 'delivered', 'read'] as const) {
			const outcome = await run({ instanceName, number, waitFor, webhookUrl: '/after' });
			expect(outcome.failure).toMatchObject({ code: 'impossibleWait', field: 'waitFor', hint: 'Set Wait For to Accepted or Delay.' });
			expect(outcome.failure?.message).toContain(why);
			expect(outcome.transaction).toBeUndefined();
		}
		expect(simulator.control.counts().sendText).toBeUndefined();
		expect(receiver.calls).toHaveLength(0);
	});

	test('a message that EvolutionAPI does not keep ends the wait at once, with the remedy', async () => {
		const { run, simulator, receiver } = await scene();
		simulator.control.setInstance('phone1', { saveMessages: false });
		const before = performance.now();
		const outcome = await run({ instanceName: 'phone1', waitFor: 'delivered', ackTimeoutSeconds: 20, webhookUrl: '/after' });
		expect(performance.now() - before).toBeLessThan(2000);
		expect(outcome.failure).toMatchObject({ code: 'notRecorded', hint: expect.stringContaining('DATABASE_SAVE_DATA_NEW_MESSAGE=true') });
		expect(resultOf(outcome).status).toBe('unconfirmed');
		expect(simulator.control.messages()).toHaveLength(1);
		expect(receiver.calls).toHaveLength(0);
	});

	test('with DATABASE_SAVE_MESSAGE_UPDATE=false the wait ends at its time-out and names the setting', async () => {
		const { run, simulator, receiver } = await scene();
		simulator.control.setInstance('meta1', { saveMessageUpdate: false });
		const outcome = await run({ waitFor: 'delivered', ackTimeoutSeconds: 0.5, webhookUrl: '/after' });
		expect(outcome.failure).toMatchObject({ code: 'ackTimeout', message: 'The message was not acknowledged as delivered within 0.5 s', hint: expect.stringContaining('DATABASE_SAVE_MESSAGE_UPDATE=true') });
		expect(receiver.calls).toHaveLength(0);
	});

	test('an acknowledgement that EvolutionAPI dropped, since its message had no row yet, ends the wait by time, not for ever', async () => {
		const { run, simulator } = await scene();
		simulator.control.addRule({ route: 'sendText', saveAfterMs: 60, acks: [{ status: 'DELIVERED', afterMs: 0 }] });
		const outcome = await run({ waitFor: 'delivered', ackTimeoutSeconds: 0.5 });
		expect(simulator.control.acks()).toMatchObject([{ kept: false }]);
		expect(outcome.failure?.code).toBe('ackTimeout');
	});

	test('a server that answers no look at all: the time-out says why the last look failed', async () => {
		const { run, simulator } = await scene();
		simulator.control.addRule({ route: 'findStatusMessage', answer: { kind: 'http', status: 503, body: '<html>busy</html>' } });
		const outcome = await run({ waitFor: 'delivered', ackTimeoutSeconds: 0.5 });
		expect(outcome.failure?.message).toContain('the last look failed: ');
		expect(outcome.failure?.message).toContain('503');
	});
});

describe('what stops a wait', () => {
	test.each([['meta1', 'FAILED'], ['phone1', 'ERROR']] as const)('on %s, %s: the transaction failed for good and the webhook is not called, whatever On Ack Timeout says', async (instanceName, status) => {
		const { run, simulator, receiver } = await scene();
		simulator.control.setInstance(instanceName, { acks: [{ status, afterMs: 20 }] });
		const outcome = await run({ instanceName, waitFor: 'delivered', onAckTimeout: 'continue', webhookUrl: '/after' });
		expect(resultOf(outcome)).toMatchObject({ status: 'failed', error: { code: 'messageFailed', sent: 'no' } });
		expect(stepsOf(outcome)).toBe('send done, wait failed, webhook skipped');
		expect(receiver.calls).toHaveLength(0);
	});

	test('a message that was deleted while it was waited for is unconfirmed, and the webhook is not called', async () => {
		const { run, simulator, receiver } = await scene();
		simulator.control.setInstance('phone1', { acks: [{ status: 'DELETED', afterMs: 20 }] });
		const outcome = await run({ instanceName: 'phone1', waitFor: 'read', webhookUrl: '/after' });
		expect(resultOf(outcome)).toMatchObject({ status: 'unconfirmed', error: { code: 'messageDeleted' } });
		expect(receiver.calls).toHaveLength(0);
	});

	async function withoutAck(onAckTimeout: 'stop' | 'continue'): Promise<{ scene: Scene; outcome: Awaited<ReturnType<Scene['run']>> }> {
		const built = await scene();
		built.simulator.control.setInstance('meta1', { acks: [{ status: 'SENT', afterMs: 10 }] });
		return { scene: built, outcome: await built.run({ text: 'Hi', waitFor: 'read', ackTimeoutSeconds: 0.5, onAckTimeout, webhookUrl: '/after' }) };
	}

	test('time-out with stop: unconfirmed, an error, no webhook; the best receipt is told', async () => {
		const { scene: { effects }, outcome } = await withoutAck('stop');
		expect(resultOf(outcome)).toMatchObject({ status: 'unconfirmed', error: { code: 'ackTimeout', sent: 'yes' } });
		expect(resultOf(outcome).steps[1]).toMatchObject({ receipt: 'sent' });
		expect(effects()).toEqual(['message Hi']);
	});

	test('time-out with continue: the webhook is called after the time, told that it is not confirmed; never completed', async () => {
		const { scene: { simulator, receiver }, outcome } = await withoutAck('continue');
		expect(outcome.failure).toBeUndefined();
		expect(resultOf(outcome).status).toBe('unconfirmed');
		expect(stepsOf(outcome)).toBe('send done, wait unconfirmed, webhook done');
		const [message] = simulator.control.messages();
		const [webhook] = receiver.calls;
		expect((webhook?.at ?? 0) - (message?.at ?? 0)).toBeGreaterThanOrEqual(490);
		expect(webhook?.json).toMatchObject({ confirmed: false, messageId: message?.messageId });
	});
});

test('a bug in a wait ends its own call only: the sent message is told, and the chat is free again', async () => {
	const { run, simulator } = await scene();
	const broken = jest.spyOn(ReceiptWaits.prototype, 'watch').mockRejectedValueOnce(new TypeError('a bug'));
	const outcome = await run({ text: 'Hi', waitFor: 'delivered', webhookUrl: '/after' });
	broken.mockRestore();
	expect(outcome.failure?.message).toContain('a bug');
	expect(resultOf(outcome).steps[0]?.messageId).toBe(simulator.control.messages()[0]?.messageId);
	expect(stepsOf(await run({ text: 'Next', callWebhook: false }))).toBe('send done');
});
