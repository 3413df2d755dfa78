// The same transaction ID again: every row of the replay table, with what reached WhatsApp and the webhook.
import { type CallInput } from '../../support/calls';
import { resultOf, type Scene, scene, stepsOf } from '../../support/scene';

const base: CallInput = { text: 'Hi', webhookUrl: '/after', options: { transactionId: 'order-1', attempts: 1 } };

async function counts({ simulator, receiver }: Scene): Promise<{ sent: number; asked: number; webhooks: number }> {
	return { sent: simulator.control.messages().length, asked: simulator.control.counts().sendText ?? 0, webhooks: receiver.calls.length };
}

describe('completed', () => {
	test('gives the recorded result, equal to the first but for `replayed`, and does nothing', async () => {
		const on = await scene();
		const first = resultOf(await on.run(base));
		const second = resultOf(await on.run(base));
		expect(first.replayed).toBe(false);
		expect(second).toEqual({ ...first, replayed: true });
		expect(await counts(on)).toEqual({ sent: 1, asked: 1, webhooks: 1 });
	});

	test('so it does after a restart', async () => {
		const on = await scene();
		const first = resultOf(await on.run(base));
		await on.restart();
		expect(resultOf(await on.run(base))).toEqual({ ...first, replayed: true });
		expect(await counts(on)).toEqual({ sent: 1, asked: 1, webhooks: 1 });
	});

	test('body, headers, times and options of the repeated call make no other content', async () => {
		const on = await scene();
		const first = resultOf(await on.run(base));
		const again = await on.run({ ...base, webhookBody: '{"other":1}', webhookHeaders: [{ name: 'x-other', value: '1' }], waitFor: 'delay', delaySeconds: 5, options: { ...base.options, priority: 'low' } });
		expect(resultOf(again)).toEqual({ ...first, replayed: true });
		expect(await counts(on)).toEqual({ sent: 1, asked: 1, webhooks: 1 });
	});

	test('another spelling of the number is the same content', async () => {
		const on = await scene();
		await on.run({ ...base, number: '5511988887777' });
		expect((await on.run({ ...base, number: '+55 (11) 98888-7777' })).replayed).toBe(true);
		expect(await counts(on)).toEqual({ sent: 1, asked: 1, webhooks: 1 });
	});

	test('does not wait for a chat that is busy with another message', async () => {
		const on = await scene();
		await on.run(base);
		on.receiver.behave('hold', { path: '/other' });
		const busy = on.run({ text: 'Other', webhookUrl: '/other', options: { requestTimeoutSeconds: 5 } });
		await on.receiver.waitForCalls(2);
		expect((await on.run(base)).replayed).toBe(true);
		on.receiver.release();
		await busy;
	});
});

test('unconfirmed, with the webhook called: the recorded result', async () => {
	const on = await scene();
	on.simulator.control.setInstance('meta1', { acks: [] });
	const input = { ...base, waitFor: 'delivered', ackTimeoutSeconds: 0.5, onAckTimeout: 'continue' } as const;
	const first = resultOf(await on.run(input));
	expect(first.status).toBe('unconfirmed');
	expect(resultOf(await on.run(input))).toEqual({ ...first, replayed: true });
	expect(await counts(on)).toEqual({ sent: 1, asked: 1, webhooks: 1 });
});

describe('failed for good', () => {
	test.each([
		['no such number', { kind: 'noSuchNumber' }, 'phone1'],
		['refused by Meta for a reason that stays', { kind: 'metaRefusal', code: 131026 }, 'meta1'],
	] as const)('%s: the recorded error, and EvolutionAPI is not asked again', async (_what, answer, instanceName) => {
		const on = await scene();
		on.simulator.control.addRule({ route: 'sendText', answer });
		const first = await on.run({ ...base, instanceName });
		on.simulator.control.clearRules();
		const second = await on.run({ ...base, instanceName });
		expect(second.failure).toEqual(first.failure);
		expect(resultOf(second)).toEqual({ ...resultOf(first), replayed: true });
		expect(await counts(on)).toEqual({ sent: 0, asked: 1, webhooks: 0 });
	});

	test('refused by an acknowledgement: the recorded error', async () => {
		const on = await scene();
		on.simulator.control.setInstance('meta1', { acks: [{ status: 'FAILED', afterMs: 5 }] });
		const input = { ...base, waitFor: 'delivered' } as const;
		const first = await on.run(input);
		expect(resultOf(await on.run(input))).toEqual({ ...resultOf(first), replayed: true });
		expect(await counts(on)).toEqual({ sent: 1, asked: 1, webhooks: 0 });
	});
});

describe('goes on at its open step', () => {
	test.each([
		['Meta was busy', { kind: 'metaRefusal', code: 131016 }, 'meta1'],
		['the token had expired', { kind: 'metaRefusal', code: 190 }, 'meta1'],
		['the phone was not connected', { kind: 'notConnected' }, 'phone1'],
		['the key was wrong', { kind: 'http', status: 401, body: { response: { message: 'Unauthorized' } } }, 'meta1'],
	] as const)('failed since %s: sent by the replay, once, then the webhook', async (_what, answer, instanceName) => {
		const on = await scene();
		on.simulator.control.addRule({ route: 'sendText', times: 1, answer });
		expect(resultOf(await on.run({ ...base, instanceName })).status).toBe('failed');
		expect(await counts(on)).toEqual({ sent: 0, asked: 1, webhooks: 0 });
		expect(resultOf(await on.run({ ...base, instanceName }))).toMatchObject({ status: 'completed', replayed: false });
		expect(on.effects()).toEqual(['message Hi', 'webhook /after']);
	});

	test('a webhook that failed is called again, and the message is not sent again', async () => {
		const on = await scene();
		on.receiver.behave({ status: 500 }, { times: 1 });
		expect(stepsOf(await on.run(base))).toBe('send done, webhook failed');
		expect(resultOf(await on.run(base)).status).toBe('completed');
		expect(on.effects()).toEqual(['message Hi', 'webhook /after', 'webhook /after']);
	});

	test('stopped at a wait: waited for again, the webhook after the acknowledgement', async () => {
		const on = await scene();
		on.simulator.control.setInstance('meta1', { acks: [] });
		const input = { ...base, waitFor: 'read', ackTimeoutSeconds: 0.5 } as const;
		expect(resultOf(await on.run(input)).status).toBe('unconfirmed');
		const [message] = on.simulator.control.messages();
		on.simulator.control.acknowledge(message?.messageId ?? '', 'READ');
		expect(resultOf(await on.run(input))).toMatchObject({ status: 'completed', replayed: false });
		expect(on.effects(true)).toEqual(['message Hi', 'ack READ', 'webhook /after']);
	});

	test('a wait that was passed over by Continue is not waited for again when the webhook failed after it', async () => {
		const on = await scene();
		on.simulator.control.setInstance('meta1', { acks: [] });
		on.receiver.behave({ status: 404 }, { times: 1 });
		const input = { ...base, waitFor: 'read', ackTimeoutSeconds: 0.5, onAckTimeout: 'continue' } as const;
		expect(stepsOf(await on.run(input))).toBe('send done, wait unconfirmed, webhook failed');
		const looks = on.simulator.control.counts().findStatusMessage;
		expect(resultOf(await on.run(input))).toMatchObject({ status: 'unconfirmed', replayed: false });
		expect(on.simulator.control.counts().findStatusMessage).toBe(looks);
		expect(await counts(on)).toEqual({ sent: 1, asked: 1, webhooks: 2 });
	});

	test('cancelled: goes on where it stopped', async () => {
		const on = await scene();
		const abort = new AbortController();
		const input = { ...base, waitFor: 'delay', delaySeconds: 0.3 } as const;
		const running = on.run(input, { signal: abort.signal });
		await on.simulator.control.waitForMessages(1);
		await new Promise((resolve) => setTimeout(resolve, 30));
		abort.abort();
		expect(resultOf(await running).status).toBe('cancelled');
		expect(resultOf(await on.run(input)).status).toBe('completed');
		expect(await counts(on)).toEqual({ sent: 1, asked: 1, webhooks: 1 });
	});

	test('nothing is sent by a replay that fails again, and its error is the new one', async () => {
		const on = await scene();
		on.simulator.control.addRule({ route: 'sendText', times: 1, answer: { kind: 'metaRefusal', code: 131016 } });
		on.simulator.control.addRule({ route: 'sendText', times: 1, answer: { kind: 'notLoaded' } });
		await on.run(base);
		expect((await on.run(base)).failure?.code).toBe('instanceNotLoaded');
		expect(await counts(on)).toEqual({ sent: 0, asked: 2, webhooks: 0 });
	});
});

describe('in doubt', () => {
	async function inDoubt(): Promise<Scene> {
		const on = await scene();
		on.simulator.control.addRule({ route: 'sendText', times: 1, answer: { kind: 'reset' }, sent: true });
		on.simulator.control.addRule({ route: 'findMessages', answer: { kind: 'http', status: 500, body: 'x' } });
		expect(resultOf(await on.run(base)).status).toBe('inDoubt');
		return on;
	}

	test('is looked up again: found, it goes on to the webhook', async () => {
		const on = await inDoubt();
		on.simulator.control.clearRules();
		expect(resultOf(await on.run(base))).toMatchObject({ status: 'completed', replayed: false, duplicatePossible: false });
		expect(on.effects()).toEqual(['message Hi', 'webhook /after']);
		expect((await counts(on)).asked).toBe(1);
	});

	test('not found, with Stop: still in doubt, nothing sent', async () => {
		const on = await inDoubt();
		expect(resultOf(await on.run(base)).status).toBe('inDoubt');
		expect(await counts(on)).toEqual({ sent: 1, asked: 1, webhooks: 0 });
	});

	test('not found, with Send Again: sent once more, duplicatePossible', async () => {
		const on = await inDoubt();
		const outcome = await on.run({ ...base, options: { ...base.options, onInDoubt: 'sendAgain' } });
		expect(resultOf(outcome)).toMatchObject({ status: 'completed', duplicatePossible: true });
		expect(await counts(on)).toEqual({ sent: 2, asked: 2, webhooks: 1 });
		expect(resultOf(await on.run(base))).toMatchObject({ status: 'completed', duplicatePossible: true, replayed: true });
	});
});

describe('running elsewhere', () => {
	test('waits for it and takes its result', async () => {
		const on = await scene();
		on.receiver.behave('hold');
		const leader = on.run({ ...base, options: { ...base.options, requestTimeoutSeconds: 5 } });
		await on.receiver.waitForCalls(1);
		const followers = [on.run(base), on.run(base), on.run(base)];
		on.receiver.release();
		const first = resultOf(await leader);
		expect(first.status).toBe('completed');
		for (const follower of await Promise.all(followers)) expect(resultOf(follower)).toEqual({ ...first, replayed: true });
		expect(await counts(on)).toEqual({ sent: 1, asked: 1, webhooks: 1 });
	});

	test('twenty at the same instant are one message and one webhook', async () => {
		const on = await scene();
		const outcomes = await Promise.all(Array.from({ length: 20 }, () => on.run(base)));
		expect(outcomes.filter(({ replayed }) => !replayed)).toHaveLength(1);
		expect(new Set(outcomes.map((outcome) => resultOf(outcome).status))).toEqual(new Set(['completed']));
		expect(await counts(on)).toEqual({ sent: 1, asked: 1, webhooks: 1 });
	});

	test('when the first is cancelled, the one that waits goes on: one message, one webhook', async () => {
		const on = await scene();
		const abort = new AbortController();
		const input = { ...base, waitFor: 'delay', delaySeconds: 0.3 } as const;
		const leader = on.run(input, { signal: abort.signal });
		await on.simulator.control.waitForMessages(1);
		const follower = on.run(input);
		setTimeout(() => abort.abort(), 50);
		expect(resultOf(await leader).status).toBe('cancelled');
		expect(resultOf(await follower)).toMatchObject({ status: 'completed', replayed: false });
		expect(on.effects()).toEqual(['message Hi', 'webhook /after']);
	});

	test('when the first is cancelled before its send, one of many that wait goes on, and the others take its result', async () => {
		const on = await scene({ retryFirstMs: 5000 });
		on.simulator.control.addRule({ route: 'sendText', times: 1, answer: { kind: 'metaRefusal', code: 131016 } });
		const abort = new AbortController();
		const input = { ...base, options: { ...base.options, attempts: 3 } };
		const leader = on.run(input, { signal: abort.signal });
		await on.simulator.control.waitUntil(() => on.simulator.control.counts().sendText === 1);
		const followers = Array.from({ length: 8 }, () => on.run(input));
		setTimeout(() => abort.abort(), 50);
		expect(resultOf(await leader).status).toBe('cancelled');
		const outcomes = await Promise.all(followers);
		expect(outcomes.filter(({ replayed }) => !replayed)).toHaveLength(1);
		expect(new Set(outcomes.map((outcome) => resultOf(outcome).status))).toEqual(new Set(['completed']));
		expect(on.effects()).toEqual(['message Hi', 'webhook /after']);
	});

	test('waits no longer than Queue Timeout', async () => {
		const on = await scene();
		on.receiver.behave('hold');
		const leader = on.run({ ...base, options: { ...base.options, requestTimeoutSeconds: 5 } });
		await on.receiver.waitForCalls(1);
		const follower = await on.run({ ...base, options: { ...base.options, queueTimeoutSeconds: 0.5 } });
		expect(follower.failure?.code).toBe('stillRunning');
		on.receiver.release();
		expect(resultOf(await leader).status).toBe('completed');
	});

	test('its own cancel ends the wait at once', async () => {
		const on = await scene();
		on.receiver.behave('hold');
		const leader = on.run({ ...base, options: { ...base.options, requestTimeoutSeconds: 5 } });
		await on.receiver.waitForCalls(1);
		const abort = new AbortController();
		const follower = on.run(base, { signal: abort.signal });
		setTimeout(() => abort.abort(), 20);
		expect((await follower).failure?.code).toBe('cancelled');
		on.receiver.release();
		expect(resultOf(await leader).status).toBe('completed');
	});
});

describe('other content', () => {
	test.each([
		['message', { text: 'Other' }],
		['recipient', { number: '5511977776666' }],
		['instance', { instanceName: 'phone1' }],
		['webhook address or method', { webhookUrl: '/other' }],
		['webhook address or method', { webhookMethod: 'PUT' }],
		['webhook address or method', { callWebhook: false }],
	] as const)('another %s is an error that names it, and nothing is done', async (part, change) => {
		const on = await scene();
		await on.run(base);
		const outcome = await on.run({ ...base, ...change });
		expect(outcome.failure).toMatchObject({ code: 'transactionConflict', field: 'transactionId', message: `Transaction ID: "order-1" was used before for another ${part}` });
		expect(await counts(on)).toEqual({ sent: 1, asked: 1, webhooks: 1 });
	});
});

describe('the ID that is made where none is given', () => {
	const from = { executionId: '900', startedAt: 1_750_000_000_000 };
	const input: CallInput = { text: 'Hi', webhookUrl: '/after' };

	test('the same execution, node and item again ("Retry On Fail") repeats no text', async () => {
		const on = await scene();
		await on.run(input, { origin: from });
		expect((await on.run(input, { origin: from })).replayed).toBe(true);
		expect(await counts(on)).toEqual({ sent: 1, asked: 1, webhooks: 1 });
	});

	test.each([
		['execution', { executionId: '901' }],
		['start of the execution (a new database counts from 1 again)', { startedAt: 1_750_000_000_001 }],
		['item', { item: 1 }],
		['run index', { runIndex: 1 }],
		['node', { nodeId: 'node-2' }],
		['workflow', { workflowId: 'workflow-2' }],
		['n8n', { instanceId: 'n8n-2' }],
	])('another %s is another message', async (_what, change) => {
		const on = await scene();
		await on.run(input, { origin: from });
		expect((await on.run(input, { origin: { ...from, ...change } })).replayed).toBe(false);
		expect((await counts(on)).sent).toBe(2);
	});

	test("n8n's Retry button, another execution of the same start, goes on with the earlier transaction", async () => {
		const on = await scene();
		on.receiver.behave({ status: 404 }, { times: 1 });
		const first = await on.run(input, { origin: from });
		const second = await on.run(input, { origin: { ...from, executionId: '905', isRetry: true } });
		expect(second.transaction?.id).toBe(first.transaction?.id);
		expect(resultOf(second).status).toBe('completed');
		expect(await counts(on)).toEqual({ sent: 1, asked: 1, webhooks: 2 });
	});
});
