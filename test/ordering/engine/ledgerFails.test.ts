// A ledger that fails in the middle: nothing is sent without its intent on record, and what was sent is told.
import { Engine } from '../../../ordering/engine';
import { LedgerUnavailableError } from '../../../ordering/errors';
import { SqliteLedger } from '../../../ordering/ledger/sqlite';
import type { CallInput } from '../../support/calls';
import { hookedLedger } from '../../support/hookedLedger';
import { endWithTest, resultOf, type Scene, scene, shortSettings } from '../../support/scene';

const input: CallInput = { text: 'Hi', webhookUrl: '/after', options: { transactionId: 't' } };

/** An engine whose ledger refuses the saves that `fails` names (from 1). */
async function withFailingSaves(fails: number[]): Promise<Scene> {
	const on = await scene();
	await on.engine.close();
	const before = (count: number) => {
		if (fails.includes(count)) throw new LedgerUnavailableError('database or disk is full');
	};
	on.engine = await Engine.on(hookedLedger(SqliteLedger.open(on.folder), { before }), shortSettings);
	endWithTest(() => on.engine.close());
	return on;
}

test('the intent of the send can not be recorded: nothing is sent', async () => {
	const on = await withFailingSaves([1]);
	const outcome = await on.run(input);
	expect(outcome.failure).toMatchObject({ code: 'ledgerUnavailable', message: expect.stringContaining('disk is full') });
	expect(on.simulator.control.counts().sendText).toBeUndefined();
	expect(on.receiver.calls).toEqual([]);
});

test('the outcome of the send can not be recorded: the result tells its ID, the webhook is not called, and the replay finds the message', async () => {
	const on = await withFailingSaves([2]);
	const outcome = await on.run(input);
	expect(outcome.failure?.code).toBe('ledgerUnavailable');
	expect(resultOf(outcome).steps[0]?.messageId).toBe(on.simulator.control.messages()[0]?.messageId);
	expect(on.receiver.calls).toEqual([]);
	expect(resultOf(await on.run({ text: 'Next' })).status).toBe('completed');
	expect(resultOf(await on.run(input)).status).toBe('completed');
	expect(on.effects()).toEqual(['message Hi', 'message Next', 'webhook /after']);
});

test("the webhook's intent can not be recorded: it is not called, and the replay calls it once", async () => {
	const on = await withFailingSaves([3]);
	expect((await on.run(input)).failure?.code).toBe('ledgerUnavailable');
	expect(on.receiver.calls).toEqual([]);
	expect(resultOf(await on.run(input)).status).toBe('completed');
	expect(on.effects()).toEqual(['message Hi', 'webhook /after']);
});

test("the webhook's outcome can not be recorded: the replay calls it again under its one ID, and sends nothing", async () => {
	const on = await withFailingSaves([4]);
	expect((await on.run(input)).failure?.code).toBe('ledgerUnavailable');
	expect(resultOf(await on.run(input)).status).toBe('completed');
	expect(on.effects()).toEqual(['message Hi', 'webhook /after', 'webhook /after']);
	expect(new Set(on.receiver.calls.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
});

test('after the wait the ledger can not be read: the result tells the message, the webhook is not called, and the replay goes on', async () => {
	const on = await scene();
	await on.engine.close();
	const ledger = SqliteLedger.open(on.folder);
	const find = ledger.find.bind(ledger);
	let finds = 0;
	// the first comes when the call is checked, the second at its turn
	ledger.find = async (...asked) => (++finds === 3 ? Promise.reject(new LedgerUnavailableError('disk I/O error')) : await find(...asked));
	on.engine = await Engine.on(ledger, shortSettings);
	endWithTest(() => on.engine.close());
	const waiting: CallInput = { ...input, waitFor: 'delay', delaySeconds: 0.1 };
	const outcome = await on.run(waiting);
	expect(outcome.failure).toMatchObject({ code: 'ledgerUnavailable', message: expect.stringContaining('disk I/O error') });
	const messageId = on.simulator.control.messages()[0]?.messageId;
	expect(resultOf(outcome)).toMatchObject({ status: 'failed', steps: [{ type: 'send', status: 'done', messageId }, { type: 'wait', status: 'running' }, { type: 'webhook', status: 'pending' }] });
	expect(on.receiver.calls).toEqual([]);
	expect(resultOf(await on.run(waiting)).status).toBe('completed');
	expect(on.effects()).toEqual(['message Hi', 'webhook /after']);
});

test("the error callback's outcome can not be recorded: the first failure is told all the same", async () => {
	const on = await withFailingSaves([5]);
	on.simulator.control.addRule({ route: 'sendText', answer: { kind: 'metaRefusal', code: 131026 } });
	const outcome = await on.run({ ...input, options: { transactionId: 't', errorCallbackUrl: '/failed' } });
	expect(on.receiver.calls.map(({ path }) => path)).toEqual(['/failed']);
	expect(outcome.failure?.code).toBe('meta131026');
	expect(resultOf(outcome)).toMatchObject({ status: 'failed', error: { code: 'meta131026', sent: 'no' } });
});
