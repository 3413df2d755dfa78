// A sequence at its edges: cancelled while a step fails, values that earlier steps gave, and what is left of a file.
import { Engine } from '../../../ordering/engine';
import { SqliteLedger } from '../../../ordering/ledger/sqlite';
import type { RecoveryCall } from '../../../ordering/recovery';
import { whatWasSent } from '../../../ordering/result';
import type { Transaction } from '../../../ordering/transaction';
import { hookedLedger } from '../../support/hookedLedger';
import { endWithTest, resultOf, type Scene, scene, shortSettings, sleep, stepsOf } from '../../support/scene';
import { effectsOf, runSequence } from './call';

const text = (value: string, more: object = {}) => ({ type: 'text', text: value, ...more });
const call = (url: string, more: object = {}) => ({ type: 'webhook', url, ...more });
const caller = ({ simulator }: Scene): RecoveryCall => ({ access: { baseUrl: simulator.url, apiKey: simulator.apiKey }, onInDoubt: 'stop', queueTimeoutMs: 2000 });

describe('cancelled in the moment in which a step fails', () => {
	/** A scene whose execution is cancelled when the failure of a wait is on record. */
	async function cancelledAtFailure(): Promise<{ here: Scene; signal: AbortSignal }> {
		const here = await scene();
		await here.engine.close();
		const cancel = new AbortController();
		const abort = (_count: number, { steps }: { steps: Array<{ type: string; status: string }> }) => {
			if (steps.some(({ type, status }) => type === 'wait' && status === 'failed')) cancel.abort();
		};
		here.engine = await Engine.on(hookedLedger(SqliteLedger.open(here.folder), { after: abort }), shortSettings);
		endWithTest(() => here.engine.close());
		here.simulator.control.setInstance('phone1', { acks: [{ status: 'ERROR', afterMs: 20 }] });
		return { here, signal: cancel.signal };
	}

	test('what was to be taken back then is taken back by the same call again', async () => {
		const { here, signal } = await cancelledAtFailure();
		const steps = [text('one'), text('two', { waitFor: 'sent', onError: 'compensate' }), text('three')];
		const input = { instanceName: 'phone1', options: { transactionId: 't' } };
		const first = await runSequence(here, steps, input, { signal });
		expect([resultOf(first).status, first.failure?.code]).toEqual(['cancelled', 'cancelled']);
		expect(effectsOf(here)).toEqual(['sendText one', 'sendText two']);
		const again = await runSequence(here, steps, input);
		expect(resultOf(again)).toMatchObject({ status: 'failed', compensation: { status: 'done' }, error: { code: 'messageFailed' } });
		expect(effectsOf(here)).toEqual(['sendText one', 'sendText two', 'delete one']);
	});

	test('what was to go on goes on by the same call again', async () => {
		const { here, signal } = await cancelledAtFailure();
		const steps = [text('one', { waitFor: 'sent', onError: 'continue' }), text('two')];
		const input = { instanceName: 'phone1', options: { transactionId: 't' } };
		const first = await runSequence(here, steps, input, { signal });
		expect([resultOf(first).status, first.failure?.code]).toEqual(['cancelled', 'cancelled']);
		const again = await runSequence(here, steps, input);
		expect([resultOf(again).status, stepsOf(again)]).toEqual(['unconfirmed', 'send done, wait failed, send done']);
		expect(here.texts()).toEqual(['one', 'two']);
	});
});

describe('what an earlier step gave', () => {
	test.each(['..', '.', '%2e%2e'])('"%s" does not lead the address of a webhook elsewhere', async (evil) => {
		const here = await scene();
		here.receiver.behave({ status: 200, body: { x: evil } }, { path: '/first' });
		const outcome = await runSequence(here, [call('/first'), call('/users/[[1.webhook.x]]/orders', { method: 'DELETE' })]);
		for (const { path } of here.receiver.calls.slice(1)) expect(path).toMatch(/^\/users\/[^/]+\/orders$/);
		if (evil !== '%2e%2e') expect([outcome.failure?.code, stepsOf(outcome)]).toEqual(['webhook.address', 'webhook done, webhook failed']);
	});

	test('half an emoji and a NUL break neither an address nor a message', async () => {
		const here = await scene();
		here.receiver.behave({ status: 200, body: '{"x": "a\\ud83d\\u0000b"}' }, { path: '/first' });
		const outcome = await runSequence(here, [call('/first'), call('/next/[[1.webhook.x]]'), text('hi [[1.webhook.x]]')]);
		expect(stepsOf(outcome)).toBe('webhook done, webhook done, send done');
		expect(here.texts()).toEqual(['hi a\ufffdb']);
		expect(here.receiver.calls[1]?.path).toBe(`/next/${encodeURIComponent('a\ufffdb')}`);
	});

	test('numbers of a body stay as they were written', async () => {
		const here = await scene();
		await runSequence(here, [text('one'), call('/next', { body: '{"waba": 102290129340398123, "cost": 1.10, "[[1.messageId]]": "\\"[[1.messageId]]\\"", "__proto__": "[[1.messageId]]"}' })]);
		const id = here.simulator.control.messages()[0]?.messageId;
		expect(here.receiver.calls[0]?.body).toBe(`{"waba": 102290129340398123, "cost": 1.10, "[[1.messageId]]": "\\"${id}\\"", "__proto__": "${id}"}`);
	});

	test('the text that is kept is the one that was sent', async () => {
		const here = await scene();
		here.receiver.behave({ status: 200, body: { name: 'Ana' } }, { path: '/first' });
		const { transaction } = await runSequence(here, [call('/first'), text('Hi [[1.webhook.name]]')], { options: { storeMessageText: true } });
		expect(transaction?.steps[1]?.text).toBe('Hi Ana');
	});
});

test('a file in doubt that is not on record is not sent again without it', async () => {
	const here = await scene();
	const media = Buffer.from('a picture').toString('base64');
	here.simulator.control.addRule({ route: 'sendMedia', times: 1, answer: { kind: 'reset' } });
	const first = await runSequence(here, [{ type: 'image', media }], { instanceName: 'phone1', options: { transactionId: 't', attempts: 1 } });
	expect(resultOf(first).status).toBe('inDoubt');
	const outcome = await here.engine.resume('t', { ...caller(here), onInDoubt: 'sendAgain' });
	expect(here.simulator.control.counts().sendMedia).toBe(1);
	expect([resultOf(outcome).status, outcome.failure?.code]).toEqual(['inDoubt', 'inDoubt']);
});

test('what is known after a wait is told with its steps, also where the ledger can not be read then', async () => {
	const here = await scene();
	await here.engine.close();
	const ledger = SqliteLedger.open(here.folder);
	let broken = false;
	const find = ledger.find.bind(ledger);
	ledger.find = async (server, id) => (broken ? Promise.reject(new Error('the disk is gone')) : await find(server, id));
	here.engine = await Engine.on(ledger, shortSettings);
	endWithTest(() => here.engine.close());
	here.simulator.control.setInstance('phone1', { acks: [{ status: 'ERROR', afterMs: 20 }] });
	const running = runSequence(here, [text('one', { waitFor: 'sent', onError: 'continue' }), { type: 'wait', delaySeconds: 0.6 }], { instanceName: 'phone1' });
	await sleep(400);
	broken = true;
	const outcome = await running;
	expect(resultOf(outcome)).toMatchObject({ status: 'failed', steps: [{ step: 1, kind: 'text' }, { step: 1, kind: 'sent', receipt: 'failed' }, { step: 2, kind: 'delay' }] });
});

test('several messages in doubt are all told as not taken back', async () => {
	const here = await scene();
	here.simulator.control.addRule({ route: 'sendText', text: 'doubt', answer: { kind: 'reset' } });
	const outcome = await runSequence(here, [text('one'), text('doubt 1', { onError: 'continue' }), text('doubt 2', { onError: 'compensate' })], { instanceName: 'phone1' });
	expect(whatWasSent(outcome.transaction as Transaction)).toMatch(/^1 of 3 messages was sent\. 2 more may have been sent\./);
	expect(resultOf(outcome).compensation?.deletions).toMatchObject([{ step: 3, status: 'failed' }, { step: 2, status: 'failed' }, { step: 1, status: 'done' }]);
});
