// Taking back a transaction that has ended, or was left open: from the node Ordered Message Log.
import type { RecoveryCall } from '../../../ordering/recovery';
import { resultOf, type Scene, scene, stepsOf } from '../../support/scene';
import { effectsOf, runSequence } from './call';

const text = (value: string, more: object = {}) => ({ type: 'text', text: value, ...more });
const onWeb = (id: string) => ({ instanceName: 'phone1', options: { transactionId: id } });
const caller = ({ simulator }: Scene): RecoveryCall => ({ access: { baseUrl: simulator.url, apiKey: simulator.apiKey }, onInDoubt: 'stop', queueTimeoutMs: 2000 });

test('one that completed is taken back, newest first, and stays completed on record', async () => {
	const here = await scene();
	await runSequence(here, [text('one'), text('two')], onWeb('t'));
	const outcome = await here.engine.compensate('t', caller(here));
	expect(outcome.failure).toBeUndefined();
	expect(effectsOf(here)).toEqual(['sendText one', 'sendText two', 'delete two', 'delete one']);
	expect(resultOf(outcome)).toMatchObject({ status: 'completed', compensation: { status: 'done', deletions: [{ step: 2, status: 'done' }, { step: 1, status: 'done' }] } });
	expect(resultOf(await runSequence(here, [text('one'), text('two')], onWeb('t')))).toMatchObject({ replayed: true, compensation: { status: 'done' } });
});

test('what could not be taken back is told, tried again the next time, and what was is not deleted twice', async () => {
	const here = await scene();
	await runSequence(here, [text('one'), text('two')], onWeb('t'));
	here.simulator.control.addRule({ route: 'deleteMessageForEveryone', skip: 1, times: 3, answer: { kind: 'notConnected' } });
	const first = await here.engine.compensate('t', caller(here));
	expect(first.failure).toMatchObject({ code: 'notTakenBack', message: expect.stringMatching(/^1 of 2 messages could not be taken back: /) });
	here.simulator.control.clearRules();
	expect((await here.engine.compensate('t', caller(here))).failure).toBeUndefined();
	expect(effectsOf(here).filter((effect) => effect.startsWith('delete'))).toEqual(['delete two', 'delete one']);
});

test('one that stopped half-way is taken back and can not go on', async () => {
	const here = await scene();
	here.receiver.behave({ status: 404 }, { path: '/fails' });
	const steps = [text('one'), { type: 'webhook', url: '/fails' }, text('two')];
	await runSequence(here, steps, onWeb('t'));
	const outcome = await here.engine.compensate('t', caller(here));
	expect(resultOf(outcome)).toMatchObject({ status: 'failed', compensation: { status: 'done' } });
	const again = await runSequence(here, steps, onWeb('t'));
	expect([again.replayed, again.failure?.code, stepsOf(again)]).toEqual([true, 'compensated', 'send done, webhook failed, send skipped']);
	expect(here.texts()).toEqual(['one']);
});

test('one in doubt is looked up first, and deleted where it is found', async () => {
	const here = await scene();
	here.simulator.control.addRule({ route: 'sendText', times: 1, sent: true, answer: { kind: 'reset' } });
	here.simulator.control.addRule({ route: 'findMessages', answer: { kind: 'http', status: 500, body: {} } });
	expect(resultOf(await runSequence(here, [text('one')], onWeb('t'))).status).toBe('inDoubt');
	here.simulator.control.clearRules();
	expect(resultOf(await here.engine.compensate('t', caller(here)))).toMatchObject({ compensation: { status: 'done' } });
	expect(effectsOf(here)).toEqual(['sendText one', 'delete one']);
});

test('one that sent nothing has nothing to take back', async () => {
	const here = await scene();
	here.simulator.control.addRule({ route: 'sendText', answer: { kind: 'noSuchNumber' } });
	await runSequence(here, [text('one')], onWeb('t'));
	const outcome = await here.engine.compensate('t', caller(here));
	expect(outcome.failure).toBeUndefined();
	expect(resultOf(outcome).compensation).toEqual({ status: 'done', deletions: [] });
});
