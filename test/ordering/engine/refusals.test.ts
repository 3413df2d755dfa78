// A refused send: the webhook is not called, and only what may pass is tried again, as often as was asked.
import type { Answer } from '../../../simulator';
import { resultOf, scene, stepsOf } from '../../support/scene';

const meta = (code: number): Answer => ({ kind: 'metaRefusal', code });
const classes: Array<{ what: string; answer: Answer; code: string; tries: number; instanceName?: string; forGood: boolean }> = [
	{ what: 'Meta: the person can not get messages', answer: meta(131026), code: 'meta131026', tries: 1, forGood: true },
	{ what: 'Meta: outside the 24 hours', answer: meta(131047), code: 'meta131047', tries: 1, forGood: true },
	{ what: 'Meta: an unknown code', answer: meta(999999), code: 'meta999999', tries: 1, forGood: true },
	{ what: 'Meta: access token expired', answer: meta(190), code: 'meta190', tries: 1, forGood: false },
	{ what: 'Meta: permission', answer: meta(200), code: 'meta200', tries: 1, forGood: false },
	{ what: 'Meta: payment', answer: meta(131042), code: 'meta131042', tries: 1, forGood: false },
	{ what: 'Meta: pair limit', answer: meta(131056), code: 'meta131056', tries: 3, forGood: false },
	{ what: 'Meta: throughput', answer: meta(130429), code: 'meta130429', tries: 3, forGood: false },
	{ what: 'Meta: account rate limit', answer: meta(80007), code: 'meta80007', tries: 3, forGood: false },
	{ what: 'Meta: temporary trouble', answer: meta(131016), code: 'meta131016', tries: 3, forGood: false },
	{ what: 'Meta: something went wrong', answer: meta(131000), code: 'meta131000', tries: 3, forGood: false },
	{ what: 'no such number', answer: { kind: 'noSuchNumber' }, code: 'noSuchNumber', tries: 1, instanceName: 'phone1', forGood: true },
	{ what: 'phone not connected', answer: { kind: 'notConnected' }, code: 'notConnected', tries: 3, instanceName: 'phone1', forGood: false },
	{ what: 'instance not loaded', answer: { kind: 'notLoaded' }, code: 'instanceNotLoaded', tries: 3, forGood: false },
	{ what: 'too many requests', answer: { kind: 'rateLimit', retryAfterSeconds: 0 }, code: 'tooManyRequests', tries: 3, forGood: false },
	{ what: 'a wrong key', answer: { kind: 'http', status: 401, body: { status: 401, error: 'Unauthorized', response: { message: 'Unauthorized' } } }, code: 'wrongApiKey', tries: 1, forGood: false },
	{ what: 'a web page', answer: { kind: 'nonsense', as: 'html' }, code: 'notEvolutionApi', tries: 1, forGood: false },
];

test.each(classes)('$what ($code): $tries tries, no webhook, nothing sent', async ({ answer, code, tries, instanceName = 'meta1', forGood }) => {
	const { run, simulator, receiver } = await scene();
	simulator.control.addRule({ route: 'sendText', answer });
	const outcome = await run({ instanceName, webhookUrl: '/after' });
	expect(resultOf(outcome)).toMatchObject({ status: 'failed', duplicatePossible: false, error: { code, sent: 'no' } });
	expect(resultOf(outcome).error?.hint).toBeTruthy();
	expect(stepsOf(outcome)).toBe('send failed, webhook skipped');
	expect(resultOf(outcome).steps[0]?.attempts).toBe(tries);
	expect(simulator.control.counts().sendText).toBe(tries);
	expect(outcome.transaction?.failedForGood).toBe(forGood);
	expect(simulator.control.messages()).toEqual([]);
	expect(receiver.calls).toEqual([]);
	expect(simulator.control.counts().findMessages).toBeUndefined(); // nothing is in doubt
});

test('a refusal that passes: sent once at the third try, then the webhook', async () => {
	const { run, simulator, effects } = await scene();
	simulator.control.addRule({ route: 'sendText', times: 2, answer: meta(131016) });
	const outcome = await run({ text: 'Hi', webhookUrl: '/after' });
	expect(resultOf(outcome)).toMatchObject({ status: 'completed', duplicatePossible: false });
	expect(simulator.control.counts().sendText).toBe(3);
	expect(effects()).toEqual(['message Hi', 'webhook /after']);
});

test('the number of attempts is the user\'s: 1 means no retry', async () => {
	const { run, simulator } = await scene();
	simulator.control.addRule({ route: 'sendText', answer: meta(131016) });
	await run({ options: { attempts: 1 } });
	expect(simulator.control.counts().sendText).toBe(1);
});

test("Meta's pair limit: the pauses grow by four each time", async () => {
	const { run, simulator } = await scene({ pairLimitFirstMs: 60, retryFirstMs: 1 });
	simulator.control.addRule({ route: 'sendText', answer: meta(131056) });
	await run({ options: { attempts: 4 } });
	const sends = simulator.control.requests().filter(({ route }) => route === 'sendText').map(({ arrivedAt }) => arrivedAt);
	const gaps = sends.slice(1).map((at, index) => at - (sends[index] ?? 0));
	expect(gaps).toHaveLength(3);
	for (const [index, least] of [60, 240, 960].entries()) {
		expect(gaps[index]).toBeGreaterThanOrEqual(least - 5);
		expect(gaps[index]).toBeLessThan(least + 250);
	}
});

test("Meta's own pair limit is waited out: two messages of one chat, both sent once, in order", async () => {
	const { engine, call, simulator, texts } = await scene({ pairLimitFirstMs: 200 });
	simulator.control.setInstance('meta1', { pairGapMs: 150 });
	const outcomes = await engine.run([call({ text: 'A' }), call({ text: 'B' })], { stopOnFailure: false });
	expect(outcomes.map(({ transaction }) => transaction?.status)).toEqual(['completed', 'completed']);
	expect(texts()).toEqual(['A', 'B']);
});

test("a server's Retry-After is kept to, and no longer than the limit", async () => {
	const { run, simulator } = await scene({ mostRetryAfterMs: 300 });
	simulator.control.addRule({ route: 'sendText', times: 1, answer: { kind: 'rateLimit', retryAfterSeconds: 60 } });
	await run();
	const [first, second] = simulator.control.requests().filter(({ route }) => route === 'sendText').map(({ arrivedAt }) => arrivedAt);
	expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(295);
	expect((second ?? 0) - (first ?? 0)).toBeLessThan(900);
});

test('a server that is down: nothing sent, said so, tried three times', async () => {
	const { run, simulator, receiver } = await scene();
	await simulator.close();
	const outcome = await run({ webhookUrl: '/after' });
	expect(resultOf(outcome)).toMatchObject({ status: 'failed', error: { code: 'refused', sent: 'no' } });
	expect(resultOf(outcome).steps[0]?.attempts).toBe(3);
	expect(receiver.calls).toEqual([]);
});

test('an instance that does not exist is named', async () => {
	const { run } = await scene();
	const outcome = await run({ instanceName: '../meta1' });
	expect(outcome.failure).toMatchObject({ code: 'unknownInstance', message: expect.stringContaining('../meta1') });
});
