// After Earlier Messages: the bubbles that TypeBot sends in the same turn go out first.
import { resultOf, type Scene, scene, sleep, stepsOf } from '../../support/scene';
import { effectsOf, runSequence } from './call';

const number = '5511988887777';
const text = (value: string) => ({ type: 'text', text: value });

/** As EvolutionAPI's TypeBot integration does it: straight to WhatsApp, past this package. */
async function bubble({ simulator }: Scene, value: string, instance = 'meta1'): Promise<void> {
	await fetch(`${simulator.url}/message/sendText/${instance}`, { method: 'POST', headers: { apikey: simulator.apiKey, 'content-type': 'application/json' }, body: JSON.stringify({ number, text: value }) });
}

function afterEarlier(rule: object): { options: Record<string, unknown> } {
	return { options: { afterEarlierMessages: { since: Date.now(), timeoutSeconds: 5, ...rule } } };
}

test.each([
	['so many', { until: 'count', count: 2 }],
	['the last one\'s text', { until: 'text', text: 'bubble 2' }],
	['a quiet time', { until: 'quietTime', quietSeconds: 0.6 }],
])('until %s: the text goes out behind the bubbles', async (_what, rule) => {
	const here = await scene();
	const running = runSequence(here, [text('mine'), { type: 'webhook', url: '/after' }], afterEarlier(rule));
	for (const n of [1, 2]) await sleep(200).then(() => bubble(here, `bubble ${n}`));
	const outcome = await running;
	expect(effectsOf(here)).toEqual(['sendText bubble 1', 'sendText bubble 2', 'sendText mine', 'call /after']);
	expect(stepsOf(outcome)).toBe('wait done, send done, webhook done');
});

test('a turn that began long ago is not over because no bubble is there yet', async () => {
	const here = await scene();
	const running = runSequence(here, [text('mine')], afterEarlier({ since: Date.now() - 60_000, until: 'quietTime', quietSeconds: 0.6 }));
	await sleep(300).then(() => bubble(here, 'bubble'));
	await running;
	expect(here.texts()).toEqual(['bubble', 'mine']);
});

test('only messages of this turn count, and none that a transaction has sent', async () => {
	const here = await scene();
	await bubble(here, 'of an earlier turn');
	await sleep(3100);
	await runSequence(here, [text('by a transaction')]);
	const outcome = await runSequence(here, [text('mine')], afterEarlier({ until: 'count', count: 1, timeoutSeconds: 1 }));
	expect(resultOf(outcome)).toMatchObject({ status: 'unconfirmed', error: { code: 'earlierMessagesMissing', sent: 'no', hint: expect.stringContaining('TypeBot') } });
	expect(here.texts()).toEqual(['of an earlier turn', 'by a transaction']);
});

test('on its time-out it can go on, and says so', async () => {
	const here = await scene();
	const outcome = await runSequence(here, [text('mine')], afterEarlier({ until: 'count', count: 1, timeoutSeconds: 1, onTimeout: 'continue' }));
	expect(outcome.failure).toBeUndefined();
	expect(resultOf(outcome)).toMatchObject({ status: 'unconfirmed', steps: [{ status: 'unconfirmed' }, { status: 'done' }] });
});

test('a server that fails for a moment is asked again, and the error says the last reason', async () => {
	const here = await scene();
	here.simulator.control.addRule({ route: 'findMessages', times: 2, answer: { kind: 'http', status: 500, body: {} } });
	void sleep(100).then(() => bubble(here, 'bubble'));
	expect(resultOf(await runSequence(here, [text('mine')], afterEarlier({ until: 'count', count: 1 }))).status).toBe('completed');
	here.simulator.control.addRule({ route: 'findMessages', answer: { kind: 'http', status: 500, body: {} } });
	const outcome = await runSequence(here, [text('another')], afterEarlier({ until: 'count', count: 9, timeoutSeconds: 1 }));
	expect(outcome.failure?.message).toMatch(/within 1 s; the last look failed: .*500/);
});

test('a cancel ends it, with nothing sent', async () => {
	const here = await scene();
	const cancel = new AbortController();
	setTimeout(() => cancel.abort(), 150);
	const outcome = await runSequence(here, [text('mine')], afterEarlier({ until: 'count', count: 1 }), { signal: cancel.signal });
	expect(stepsOf(outcome)).toBe('wait cancelled, send skipped');
	expect(here.texts()).toEqual([]);
});
