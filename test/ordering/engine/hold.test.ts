// A failed transaction that holds its chat: nothing is sent there until it is resumed or given up.
import type { RecoveryCall } from '../../../ordering/recovery';
import { resultOf, type Scene, scene } from '../../support/scene';

const holding = { text: 'Holding', webhookUrl: '/holding', options: { transactionId: 'holding', onFailure: 'hold', attempts: 1 } };
const next = { text: 'Next', options: { queueTimeoutSeconds: 0.5 } };

const asCaller = ({ simulator }: Scene): RecoveryCall => ({ access: { baseUrl: simulator.url, apiKey: simulator.apiKey }, onInDoubt: 'stop', queueTimeoutMs: 2000 });

/** A scene whose chat is held, since the webhook failed. */
async function heldScene(): Promise<Scene> {
	const on = await scene();
	on.receiver.behave({ status: 500 }, { times: 1 });
	expect(resultOf(await on.run(holding)).status).toBe('failed');
	return on;
}

test('the next message waits, and its error says who holds the chat', async () => {
	const on = await heldScene();
	expect((await on.run(next)).failure).toMatchObject({ code: 'chatHeld', message: expect.stringContaining('"holding"') as string });
	expect(on.texts()).toEqual(['Holding']);
});

test('the hold outlives a restart', async () => {
	const on = await heldScene();
	await on.restart();
	expect((await on.run(next)).failure).toMatchObject({ code: 'chatHeld' });
});

test('another chat is not held', async () => {
	const on = await heldScene();
	expect(resultOf(await on.run({ ...next, number: '5511977776666' })).status).toBe('completed');
});

test('called again it goes on where it stopped, and the waiting ones come after it', async () => {
	const on = await heldScene();
	const waiting = on.run({ ...next, options: { queueTimeoutSeconds: 5 } });
	expect(resultOf(await on.run(holding)).status).toBe('completed');
	expect(resultOf(await waiting).status).toBe('completed');
	expect(on.effects()).toEqual(['message Holding', 'webhook /holding', 'webhook /holding', 'message Next']);
});

test('one that fails again goes on holding', async () => {
	const on = await heldScene();
	on.receiver.behave({ status: 500 }, { times: 1 });
	await on.run(holding);
	expect((await on.run(next)).failure).toMatchObject({ code: 'chatHeld' });
});

test('resumed by its ID alone it goes on, and frees the chat', async () => {
	const on = await heldScene();
	const outcome = await on.engine.resume('holding', asCaller(on));
	expect([outcome.failure, resultOf(outcome).status]).toEqual([undefined, 'completed']);
	expect(resultOf(await on.run(next)).status).toBe('completed');
	expect(on.texts()).toEqual(['Holding', 'Next']);
});

test('given up it frees the chat, can not go on any more, and says so', async () => {
	const on = await heldScene();
	const waiting = on.run({ ...next, options: { queueTimeoutSeconds: 5 } });
	expect(resultOf(await on.engine.giveUp('holding', asCaller(on)))).toMatchObject({ status: 'failed', error: { code: 'givenUp', sent: 'yes' } });
	expect(resultOf(await waiting).status).toBe('completed');
	const again = await on.run(holding);
	expect(resultOf(again)).toMatchObject({ replayed: true, error: { code: 'givenUp' } });
	expect(again.transaction?.definition).toBeUndefined();
	expect(on.receiver.callsTo('/holding')).toHaveLength(1);
});

test('given up after a restart it frees the chat as well', async () => {
	const on = await heldScene();
	await on.restart();
	await on.engine.giveUp('holding', asCaller(on));
	expect(resultOf(await on.run(next)).status).toBe('completed');
	await on.restart();
	expect(resultOf(await on.run({ ...next, text: 'Later' })).status).toBe('completed');
});

test('one that failed for good holds its chat as well, until it is given up, also over a restart', async () => {
	const on = await scene();
	on.simulator.control.addRule({ route: 'sendText', times: 1, answer: { kind: 'metaRefusal', code: 131026 } });
	expect(resultOf(await on.run(holding))).toMatchObject({ status: 'failed', error: { code: 'meta131026' } });
	await on.engine.resume('holding', asCaller(on));
	expect((await on.run(next)).failure).toMatchObject({ code: 'chatHeld' });
	expect((await on.engine.giveUp('holding', asCaller(on))).failure).toMatchObject({ code: 'meta131026' });
	await on.restart();
	expect(resultOf(await on.run(next)).status).toBe('completed');
});

test('one that never had its turn holds nothing', async () => {
	const on = await heldScene();
	const second = { text: 'Second', options: { transactionId: 'second', onFailure: 'hold', queueTimeoutSeconds: 0.5 } };
	expect((await on.run(second)).failure).toMatchObject({ code: 'chatHeld' });
	await on.engine.giveUp('holding', asCaller(on));
	expect(resultOf(await on.run(next)).status).toBe('completed');
});

test('giving up one that completed changes nothing', async () => {
	const on = await scene();
	await on.run({ text: 'Done', options: { transactionId: 'done' } });
	expect(resultOf(await on.engine.giveUp('done', asCaller(on)))).toMatchObject({ status: 'completed', replayed: true });
});

test.each(['resume', 'giveUp'] as const)('%s of an ID that nothing is on record for says so', async (operation) => {
	const on = await scene();
	await expect(on.engine[operation]('nobody', asCaller(on))).rejects.toMatchObject({ failure: { code: 'unknownTransaction', field: 'transactionId' } });
});
