// Recovery: what a dead process left is found without knowing its ID, and finished, closed or reported.
import { Engine } from '../../../ordering/engine';
import { SqliteLedger } from '../../../ordering/ledger/sqlite';
import type { RecoveryCall } from '../../../ordering/recovery';
import type { CallInput } from '../../support/calls';
import { hookedLedger } from '../../support/hookedLedger';
import { openEngine, resultOf, type Scene, scene, shortSettings } from '../../support/scene';

const input = { text: 'Dead', waitFor: 'delay', delaySeconds: 0.1, webhookUrl: '/dead', options: { transactionId: 'dead' } } as const;

const asCaller = ({ simulator }: Scene, more: Partial<RecoveryCall> = {}): RecoveryCall => ({ access: { baseUrl: simulator.url, apiKey: simulator.apiKey }, onInDoubt: 'stop', queueTimeoutMs: 2000, ...more });

/** Runs it in an engine that stops for ever at a save, as a process that dies there, and opens another engine. */
async function died(on: Scene, when: 'before' | 'after', save: number, given: CallInput = input, more: Parameters<Scene['call']>[1] = {}): Promise<void> {
	await on.engine.close();
	const ledger = SqliteLedger.open(on.folder);
	const reached = Promise.withResolvers<void>();
	const stop = (count: number) => (count === save ? (reached.resolve(), new Promise<void>(() => {})) : undefined);
	const dead = await Engine.on(hookedLedger(ledger, { [when]: stop }), shortSettings);
	void dead.run([on.call(given, more)], { stopOnFailure: false });
	await reached.promise;
	await ledger.close();
	on.engine = await openEngine(on.folder);
}

const saves = { sendIntent: 1, sendDone: 2, waitBegun: 3, waitDone: 4, webhookIntent: 5, webhookDone: 6, end: 7 };

test('nothing is left: nothing is found', async () => {
	const on = await scene();
	await on.run({ text: 'Done' });
	expect(await on.engine.recover(asCaller(on))).toEqual([]);
});

test.each([
	['before its message was to be sent', 'before', saves.sendIntent],
	['after its message went out', 'before', saves.sendDone],
	['after that was recorded', 'after', saves.sendDone],
	['in its wait', 'after', saves.waitBegun],
	['before its webhook', 'before', saves.webhookIntent],
	['after its webhook', 'before', saves.webhookDone],
	['before its end was recorded', 'before', saves.end],
] as const)('one that died %s is finished: one message, one webhook under its one ID', async (_name, when, save) => {
	const on = await scene();
	await died(on, when, save);
	const [recovered, ...more] = await on.engine.recover(asCaller(on));
	expect(more).toEqual([]);
	expect(recovered).toMatchObject({ action: 'finished', failure: undefined, transaction: { id: 'dead', status: 'completed', duplicatePossible: false } });
	expect(on.texts()).toEqual(['Dead']);
	expect(new Set(on.receiver.calls.map(({ headers }) => headers['webhook-id']))).toEqual(new Set(['dead:2']));
	expect(await on.engine.recover(asCaller(on))).toEqual([]);
	expect(resultOf(await on.run(input))).toMatchObject({ status: 'completed', replayed: true });
});

test('one that died between intent and request is in doubt, and is reported as failed', async () => {
	const on = await scene();
	await died(on, 'after', saves.sendIntent);
	expect(await on.engine.recover(asCaller(on))).toMatchObject([{ action: 'failed', failure: { code: 'inDoubt' }, transaction: { status: 'inDoubt' } }]);
	expect(on.effects()).toEqual([]);
});

test('with "send again" it is sent, and says that a duplicate is possible', async () => {
	const on = await scene();
	await died(on, 'after', saves.sendIntent);
	expect(await on.engine.recover(asCaller(on, { onInDoubt: 'sendAgain' }))).toMatchObject([{ action: 'finished', transaction: { duplicatePossible: true } }]);
	expect(on.effects()).toEqual(['message Dead', 'webhook /dead']);
});

test('nothing is sent behind a later message of the chat', async () => {
	const on = await scene();
	await died(on, 'before', saves.sendIntent);
	await on.run({ text: 'Later' });
	expect(await on.engine.recover(asCaller(on))).toMatchObject([{ action: 'closed', failure: { code: 'overtaken' }, transaction: { status: 'failed' } }]);
	for (let i = 0; i < 2; i++) expect((await on.engine.resume('dead', asCaller(on))).failure).toMatchObject({ code: 'overtaken' });
	expect(on.effects()).toEqual(['message Later']);
});

test('one whose number is gone is closed, and nothing of it is sent', async () => {
	const on = await scene();
	const numbered = (sequenceNumber: number) => ({ text: `number ${sequenceNumber}`, options: { transactionId: `t${sequenceNumber}`, sequenceNumber, sequenceGapSeconds: 0 } });
	await on.run(numbered(1));
	await died(on, 'before', saves.sendIntent, numbered(2));
	await on.run(numbered(3));
	expect(await on.engine.recover(asCaller(on))).toMatchObject([{ action: 'closed', failure: { code: 'sequenceTooLate' }, transaction: { id: 't2', status: 'failed' } }]);
	expect(on.texts()).toEqual(['number 1', 'number 3']);
	expect(await on.engine.recover(asCaller(on))).toEqual([]);
});

test('a later message of another chat keeps none', async () => {
	const on = await scene();
	await died(on, 'before', saves.sendIntent);
	await on.run({ text: 'Elsewhere', number: '5511977776666' });
	expect(await on.engine.recover(asCaller(on))).toMatchObject([{ action: 'finished' }]);
});

test('several of one chat are finished in their order', async () => {
	const on = await scene();
	await died(on, 'before', saves.sendIntent);
	await died(on, 'before', saves.sendIntent, { ...input, text: 'Dead too', options: { transactionId: 'dead too' } });
	const recovered = await on.engine.recover(asCaller(on));
	expect(recovered.map(({ transaction, action }) => `${transaction.id} ${action}`)).toEqual(['dead finished', 'dead too finished']);
	expect(on.texts()).toEqual(['Dead', 'Dead too']);
});

test('one whose webhook needs headers that only the caller has is reported, and nothing of it is sent', async () => {
	const on = await scene();
	const secret = { ...input, webhookHeaders: [{ name: 'X-Token', value: 'only the caller knows' }] };
	await died(on, 'before', saves.sendIntent, secret);
	expect(await on.engine.recover(asCaller(on))).toMatchObject([{ action: 'needsCaller', failure: { code: 'needsCaller' } }]);
	expect(on.effects()).toEqual([]);
	expect(resultOf(await on.run(secret)).status).toBe('completed');
});

test('one whose webhook is authenticated by the credential is finished where recovery has one', async () => {
	const on = await scene();
	const secrets = { headers: [{ name: 'Authorization', value: 'Bearer 123' }] };
	await died(on, 'after', saves.sendDone, input, { secrets });
	expect(await on.engine.recover(asCaller(on, { webhookSecrets: secrets }))).toMatchObject([{ action: 'finished' }]);
	expect(on.receiver.calls[0]?.headers.authorization).toBe('Bearer 123');
});

test('the error callback of one that failed before its process died is made, once', async () => {
	const on = await scene();
	on.receiver.behave({ status: 404 }, { times: 1 });
	const failing = { text: 'Failing', webhookUrl: '/x', options: { transactionId: 'failing', errorCallbackUrl: '/told' } };
	const end = 6; // of its saves; the callback comes after it
	await died(on, 'after', end, failing);
	const callsBefore = on.receiver.callsTo('/told').length;
	expect(await on.engine.recover(asCaller(on))).toMatchObject([{ action: 'told', transaction: { errorCallback: { status: 'done' } } }]);
	expect([callsBefore, on.receiver.callsTo('/told').length]).toEqual([0, 1]);
	expect(await on.engine.recover(asCaller(on))).toEqual([]);
});

test('one that is running now is left alone', async () => {
	const on = await scene();
	on.receiver.behave('hold', { times: 1 });
	const running = on.run(input);
	await on.receiver.waitForCalls(1);
	expect(await on.engine.recover(asCaller(on))).toEqual([]);
	on.receiver.release();
	expect(resultOf(await running).status).toBe('completed');
	expect(on.receiver.calls).toHaveLength(1);
});

test('one whose chat stays busy is left, and found again later', async () => {
	const on = await scene();
	await died(on, 'before', saves.sendIntent);
	on.receiver.behave('hold', { times: 1 });
	const busy = on.run({ text: 'Busy', webhookUrl: '/busy' });
	await on.receiver.waitForCalls(1);
	expect(await on.engine.recover(asCaller(on, { queueTimeoutMs: 100 }))).toMatchObject([{ action: 'left', failure: { code: 'queueTimeout' }, transaction: { status: 'open' } }]);
	on.receiver.release();
	await busy;
	expect(await on.engine.recover(asCaller(on))).toMatchObject([{ action: 'closed' }]);
});

test('an unfinished transaction of another server is not touched', async () => {
	const on = await scene();
	await died(on, 'before', saves.sendIntent);
	expect(await on.engine.recover({ ...asCaller(on), access: { baseUrl: 'http://127.0.0.1:1', apiKey: 'x' } })).toEqual([]);
});

test('one that died when its wait had stopped it waits again: its webhook is not called without the acknowledgement', async () => {
	const on = await scene();
	const waiting = { text: 'Waiting', waitFor: 'read', ackTimeoutSeconds: 0.5, webhookUrl: '/after', options: { transactionId: 'waiting' } } as const;
	const waitStopped = 4; // of its saves; that of the transaction's end comes after it
	await died(on, 'after', waitStopped, waiting);
	const again = await on.run(waiting);
	expect(again.failure).toMatchObject({ code: 'ackTimeout' });
	expect(on.receiver.calls).toEqual([]);
});

test('one that is in doubt is not sent again behind a later message, whatever was chosen', async () => {
	const on = await scene();
	await died(on, 'after', saves.sendIntent);
	// the later one settles it: from then on it is in doubt, and no longer open
	await on.run({ text: 'Later' });
	const resumed = await on.engine.resume('dead', asCaller(on, { onInDoubt: 'sendAgain' }));
	expect(resumed.failure).toMatchObject({ code: 'inDoubt' });
	expect(on.effects()).toEqual(['message Later']);
});

test('a later message that was refused is none that this one would come behind', async () => {
	const on = await scene();
	await died(on, 'before', saves.sendIntent);
	on.simulator.control.addRule({ route: 'sendText', text: 'Refused', answer: { kind: 'metaRefusal', code: 131026 } });
	await on.run({ text: 'Refused' });
	expect(await on.engine.recover(asCaller(on))).toMatchObject([{ action: 'finished' }]);
});

test('the credential of another webhook is not sent to this one', async () => {
	const on = await scene();
	const other = { headers: [{ name: 'Authorization', value: 'Bearer other' }], credential: 'another' };
	await died(on, 'after', saves.sendDone);
	expect(await on.engine.recover(asCaller(on, { webhookSecrets: other }))).toMatchObject([{ action: 'finished' }]);
	expect(on.receiver.calls[0]?.headers.authorization).toBeUndefined();
	await died(on, 'after', saves.sendDone, { ...input, text: 'Needs its own', options: { transactionId: 'own' } }, { secrets: { ...other, credential: 'its own' } });
	expect(await on.engine.recover(asCaller(on, { webhookSecrets: other }))).toMatchObject([{ action: 'needsCaller' }]);
	expect(on.receiver.calls).toHaveLength(1);
});

test('a message whose time in the queue is over is not sent by recovery afterwards', async () => {
	const on = await scene();
	await died(on, 'before', saves.sendIntent);
	on.receiver.behave('hold', { times: 1 });
	const busy = on.run({ text: 'Busy', webhookUrl: '/busy' });
	await on.receiver.waitForCalls(1);
	expect((await on.run({ ...input, options: { ...input.options, queueTimeoutSeconds: 0.5 } })).failure).toMatchObject({ code: 'queueTimeout' });
	on.receiver.release();
	await busy;
	expect(await on.engine.recover(asCaller(on))).toEqual([]);
	expect(on.texts()).toEqual(['Busy']);
});

test('one whose message may be out is looked up and closed, even where its number is gone', async () => {
	const on = await scene();
	const numbered = (sequenceNumber: number) => ({ text: `number ${sequenceNumber}`, options: { transactionId: `t${sequenceNumber}`, sequenceNumber, sequenceGapSeconds: 0 } });
	await died(on, 'before', saves.sendDone, numbered(1));
	// a cancelled one has the turn of the next number, and leaves the look-up to others
	const cancel = new AbortController();
	on.simulator.control.addRule({ route: 'findMessages', times: 1, answerAfterMs: 400 });
	setTimeout(() => cancel.abort(), 200);
	await on.run(numbered(2), { signal: cancel.signal });
	const recovered = await on.engine.recover(asCaller(on));
	expect(recovered.filter(({ transaction }) => transaction.id === 't1')).toMatchObject([{ action: 'finished', transaction: { status: 'completed' } }]);
	expect(await on.engine.recover(asCaller(on))).toEqual([]);
	expect(on.texts()).toEqual(['number 1']);
});
