// What a review found, on secrets, names of one chat, channel checks and headers: each a scenario that once went wrong.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CallInput } from '../../support/calls';
import { resultOf, type Scene, scene, sleep, stepsOf } from '../../support/scene';

function filesOf(folder: string): string {
	return readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1')).join('\n');
}

describe('a webhook that answers with its request', () => {
	const signingSecret = 'signing-secret-51ab';

	test.each([
		['a token', 'Bearer topsecret-123456', 'topsecret-123456', (text: string) => text],
		['quotes', 'Digest username="bot", response="topsecret-123456"', 'topsecret-123456', (text: string) => text],
		['slashes that the answer escapes', 'Bearer topsecret/123456', '123456', (text: string) => text.replaceAll('/', '\\/')],
		['a space at its end', 'Bearer topsecret-123456 ', 'topsecret-123456', (text: string) => text],
	])("shows neither the credential's header (%s) nor signing secret nor signature", async (_what, value, secret, spelled) => {
		const on = await scene();
		on.receiver.behave(({ headers }) => ({ body: spelled(JSON.stringify({ headers, signingSecret })) }));
		const outcome = await on.run({ text: 'Hi', webhookUrl: '/after' }, { secrets: { headers: [{ name: 'Authorization', value }], signingSecret } });
		const signature = String(on.receiver.calls[0]?.headers['webhook-signature']);
		expect(on.receiver.calls[0]?.headers.authorization).toBe(value.trim());
		expect(signature).toMatch(/^v1,/);
		expect(resultOf(outcome).webhook).toMatchObject({ statusCode: 200, body: { headers: { authorization: '***', 'webhook-signature': '***' } } });
		for (const shown of [JSON.stringify(resultOf(outcome)), filesOf(on.folder)]) {
			expect(shown).not.toContain(secret);
			expect(shown).not.toContain(signingSecret);
			expect(shown).not.toContain(signature.slice(3, -1));
		}
	});
});

describe('one person under several names', () => {
	const [p, q, lid] = ['5511988887777', '551188887777', '77@lid'];
	const instanceName = 'phone1';

	test('two numbers that are answered with one @lid share a lane from then on', async () => {
		const on = await scene();
		for (const number of [p, q]) on.simulator.control.setNumber(number, { lid });
		for (const number of [p, q]) await on.run({ instanceName, number, text: `first of ${number}` });
		on.receiver.behave('hold');
		const first = on.run({ instanceName, number: p, text: 'p', webhookUrl: '/slow', options: { requestTimeoutSeconds: 20 } });
		await on.receiver.waitForCalls(1);
		const others = [q, lid].map((number) => on.run({ instanceName, number, text: number, options: { queueTimeoutSeconds: 20 } }));
		await sleep(300);
		expect(on.texts().slice(2)).toEqual(['p']);
		on.receiver.release();
		for (const outcome of await Promise.all([first, ...others])) expect(resultOf(outcome).status).toBe('completed');
		expect(on.effects().slice(2)).toEqual(['message p', 'webhook /slow', `message ${q}`, `message ${lid}`]);
	});

	test("a message in doubt that is recorded under the @lid is settled before the phone's next message", async () => {
		const on = await scene({ lookUpMs: 3000 });
		on.simulator.control.setNumber(p, { lid });
		await on.run({ instanceName, number: lid, text: 'earlier' });
		on.simulator.control.addRule({ route: 'sendText', times: 1, sent: true, sendAfterMs: 800, answer: { kind: 'hang' } });
		const abort = new AbortController();
		const a: CallInput = { instanceName, number: lid, text: 'A', options: { transactionId: 'A', requestTimeoutSeconds: 20 } };
		const first = on.run(a, { signal: abort.signal });
		await on.simulator.control.waitUntil(() => on.simulator.control.counts().sendText === 2);
		abort.abort();
		expect(stepsOf(await first)).toBe('send inDoubt');
		// its answer tells that phone and @lid are one
		expect(resultOf(await on.run({ instanceName, number: p, text: 'links' })).status).toBe('completed');
		expect(resultOf(await on.run({ instanceName, number: p, text: 'next' })).status).toBe('completed');
		const texts = on.texts();
		expect(texts.filter((text) => text === 'A')).toHaveLength(1);
		expect(texts.indexOf('next')).toBeGreaterThan(texts.indexOf('A'));
		expect(resultOf(await on.run(a)).status).toBe('completed');
		expect(on.texts()).toEqual(texts);
	});
});

describe('the check of a wait', () => {
	test("one execution's cancel does not let another one's impossible wait through", async () => {
		const on = await scene();
		on.simulator.control.addRule({ route: 'fetchInstances', times: 1, answerAfterMs: 600 });
		const abort = new AbortController();
		const input: CallInput = { instanceName: 'evo1', waitFor: 'delivered' };
		const first = on.run({ ...input, text: 'one', number: '5511900000001' }, { signal: abort.signal }).catch(() => undefined);
		await on.simulator.control.waitUntil(() => on.simulator.control.counts().fetchInstances === 1);
		const second = on.run({ ...input, text: 'two', number: '5511900000002' });
		await sleep(50);
		abort.abort();
		expect((await second).failure?.code).toBe('impossibleWait');
		await first;
		expect(on.texts()).toEqual([]);
	});

	test('a server that does not answer it costs one request, not one for each item', async () => {
		const on = await scene();
		on.simulator.control.addRule({ route: 'fetchInstances', answer: { kind: 'hang' } });
		const calls = Array.from({ length: 6 }, (_, index) => on.call({ text: `m${index}`, number: `551190000000${index}`, waitFor: 'delivered', options: { requestTimeoutSeconds: 0.5 } }));
		const outcomes = await on.engine.run(calls, { stopOnFailure: false });
		expect(outcomes.map(({ transaction }) => transaction?.status)).toEqual(calls.map(() => 'completed'));
		expect(on.simulator.control.counts().fetchInstances).toBe(1);
	});
});

describe("the webhook's headers", () => {
	const invalid = expect.objectContaining({ name: 'InvalidInputError' });

	function withHeaders(on: Scene, ...names: string[]): CallInput {
		return { text: 'Hi', webhookUrl: `${on.receiver.url}/after`, webhookHeaders: names.map((name) => ({ name, value: 'mine' })) };
	}

	test('a name that comes twice, in any case, is refused', async () => {
		const on = await scene();
		expect(() => on.call(withHeaders(on, 'X-A', 'x-a'))).toThrow(invalid);
		expect(() => on.call(withHeaders(on, 'X-A', 'X-B', 'X-A'))).toThrow(invalid);
		expect(() => on.call(withHeaders(on, 'X-A', 'X-B'))).not.toThrow();
	});

	test.each(['Trailer', 'trailer', 'TE', 'Upgrade', 'Expect'])('%s, which is not for the caller, is refused', async (name) => {
		const on = await scene();
		expect(() => on.call(withHeaders(on, name))).toThrow(invalid);
	});

	test("the caller's User-Agent takes the place of this package's", async () => {
		const on = await scene();
		await on.run(withHeaders(on, 'User-Agent'));
		expect(on.receiver.calls[0]?.headers['user-agent']).toBe('mine');
	});
});

test('X, Y, X under one ID: X runs, Y conflicts, the third is a replay of the first', async () => {
	const on = await scene();
	const options = { transactionId: 'same' };
	const [first, other, third] = await on.engine.run(['X', 'Y', 'X'].map((text) => on.call({ text, options })), { stopOnFailure: false });
	expect(first).toMatchObject({ replayed: false, transaction: { status: 'completed' } });
	expect(other?.failure?.code).toBe('transactionConflict');
	expect(third).toMatchObject({ replayed: true, transaction: { status: 'completed' } });
	expect(on.texts()).toEqual(['X']);
});
