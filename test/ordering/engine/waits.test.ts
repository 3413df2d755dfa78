// The five waits on the three channels: the webhook comes after the condition, never before it.
import { resultOf, scene, stepsOf } from '../../support/scene';

test('accepted: the webhook is called after the message was taken, without any acknowledgement', async () => {
	const { run, effects, simulator } = await scene();
	simulator.control.setInstance('meta1', { acks: [] });
	const outcome = await run({ text: 'Hi', webhookUrl: '/after' });
	expect(resultOf(outcome)).toMatchObject({ status: 'completed', replayed: false, webhook: { statusCode: 200, body: { ok: true } } });
	expect(stepsOf(outcome)).toBe('send done, webhook done');
	expect(effects(true)).toEqual(['message Hi', 'webhook /after']);
});
