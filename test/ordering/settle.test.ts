// What a dead or cancelled holder left at the head of a chat is settled before anything else is sent there.
import { settleEarlier } from '../../ordering/run';
import type { Run } from '../../ordering/steps/step';
import type { StepStatus, Transaction } from '../../ordering/transaction';
import { type Scene, scene } from './steps/means';

/** A transaction as a process that died left it. */
async function left(here: Scene, text: string, statuses: StepStatus[], more: Partial<Transaction> = {}, doubt: { doubtUntil?: number } = {}, input: Record<string, unknown> = {}): Promise<Run> {
	const run = await here.begin(text, { text, waitFor: 'delivered', callWebhook: true, webhookUrl: 'http://127.0.0.1:1/', options: { errorCallbackUrl: 'http://127.0.0.1:1/' }, ...input }, { transaction: more });
	for (const [index, status] of statuses.entries()) Object.assign(run.transaction.steps[index] as object, { status, ...(status === 'pending' ? {} : { attempts: 1, startedAt: Date.now() }) });
	if (statuses[0] === 'done') Object.assign(run.transaction.steps[0] as object, { messageId: `ID of ${text}` });
	if (statuses[0] === 'running' || statuses[0] === 'inDoubt') Object.assign(run.transaction.steps[0] as object, { doubtSince: Date.now(), ...doubt });
	await run.save();
	return run;
}

async function settled(here: Scene, run?: Partial<Run>): Promise<{ closed: Transaction[]; mine: Run }> {
	const mine = await here.begin('mine', {}, { transaction: { queue: { ticket: 2, waitedMs: 0, late: false, fence: 7 } }, run });
	return { closed: await settleEarlier(mine, mine.transaction), mine };
}

async function found(here: Scene, id: string): Promise<Transaction> {
	return (await here.ledger.find(here.server.address, id)) as Transaction;
}

test('a chat without a past is free at once', async () => {
	const here = await scene();
	expect((await settled(here)).closed).toEqual([]);
	expect(here.simulator.control.requests()).toEqual([]);
});

test('a message that went out is recorded as sent, and its transaction as interrupted', async () => {
	const here = await scene();
	await here.server.send('meta1', '5511988887777', { kind: 'text', text: 'dead' }, { timeoutMs: 1000 });
	const [sent] = here.simulator.control.messages();
	await left(here, 'dead', ['running', 'pending', 'pending']);
	const { closed } = await settled(here);
	expect(closed.map(({ id }) => id)).toEqual(['dead']);
	expect(await found(here, 'dead')).toMatchObject({ status: 'failed', failure: { code: 'interrupted' }, queue: { fence: 7 }, errorCallback: { status: 'pending' }, steps: [{ status: 'done', messageId: sent?.messageId }, { status: 'skipped' }, { status: 'skipped' }] });
	expect(here.simulator.control.messages()).toHaveLength(1);
});

test('a message that can not be found stays in doubt, and nothing of it is sent', async () => {
	const here = await scene();
	await left(here, 'dead', ['running', 'pending', 'pending']);
	await settled(here);
	const one = await found(here, 'dead');
	expect(one).toMatchObject({ status: 'inDoubt', failure: { code: 'inDoubt' }, steps: [{ status: 'inDoubt' }, { status: 'skipped' }, { status: 'skipped' }] });
	expect(one.definition).toBeDefined();
	expect(here.simulator.control.messages()).toHaveLength(0);
});

test('one that stood in its wait or its webhook call is closed as interrupted, without a look', async () => {
	const here = await scene();
	await left(here, 'in its wait', ['done', 'running', 'pending']);
	await left(here, 'in its webhook', ['done', 'done', 'running']);
	await left(here, 'between', ['done', 'pending', 'pending']);
	expect((await settled(here)).closed).toHaveLength(3);
	expect(await found(here, 'in its wait')).toMatchObject({ status: 'failed', steps: [{ status: 'done' }, { status: 'failed' }, { status: 'skipped' }] });
	expect(await found(here, 'in its webhook')).toMatchObject({ status: 'failed', steps: [{ status: 'done' }, { status: 'done' }, { status: 'failed' }] });
	expect(await found(here, 'between')).toMatchObject({ status: 'failed', steps: [{ status: 'done' }, { status: 'skipped' }, { status: 'skipped' }] });
	expect(here.simulator.control.requests()).toEqual([]);
});

test('one that had done all but its last record is completed', async () => {
	const here = await scene();
	await left(here, 'done', ['done', 'done', 'done']);
	await left(here, 'went on', ['done', 'unconfirmed', 'done'], {}, {}, { onAckTimeout: 'continue' });
	await settled(here);
	expect(await found(here, 'done')).toMatchObject({ status: 'completed' });
	expect((await found(here, 'done')).definition).toBeUndefined();
	expect(await found(here, 'went on')).toMatchObject({ status: 'unconfirmed' });
});

describe('a message that was cancelled in the middle of its send', () => {
	const failure = { code: 'cancelledInDoubt', message: 'cancelled' };
	const ended = { status: 'inDoubt' as const, endedAt: 1, failure };

	test('and went out later is recorded as sent, and its transaction as cancelled', async () => {
		const here = await scene();
		await left(here, 'dead', ['inDoubt', 'skipped', 'skipped'], ended, { doubtUntil: Date.now() + 3000 });
		setTimeout(() => void here.server.send('meta1', '5511988887777', { kind: 'text', text: 'dead' }, { timeoutMs: 1000 }), 100);
		expect((await settled(here)).closed).toHaveLength(1);
		expect(await found(here, 'dead')).toMatchObject({ status: 'cancelled', steps: [{ status: 'done' }, { status: 'skipped' }, { status: 'skipped' }] });
	});

	test('and never went out stays in doubt, and is not waited for a second time', async () => {
		const here = await scene();
		await left(here, 'dead', ['inDoubt', 'skipped', 'skipped'], ended, { doubtUntil: Date.now() + 200 });
		const { mine } = await settled(here);
		expect(await found(here, 'dead')).toMatchObject({ status: 'inDoubt', failure, steps: [{ status: 'inDoubt' }, {}, {}] });
		expect(await settleEarlier(mine, mine.transaction)).toEqual([]);
	});

	test('is not waited for when its time is over', async () => {
		const here = await scene();
		await left(here, 'dead', ['inDoubt', 'skipped', 'skipped'], ended, { doubtUntil: Date.now() - 1 });
		expect((await settled(here)).closed).toEqual([]);
		expect(here.simulator.control.requests()).toEqual([]);
	});
});

test('a look that is cancelled leaves it to the next holder', async () => {
	const here = await scene();
	await left(here, 'dead', ['running', 'pending', 'pending']);
	const cancel = new AbortController();
	cancel.abort();
	expect((await settled(here, { signal: cancel.signal })).closed).toEqual([]);
	expect(await found(here, 'dead')).toMatchObject({ status: 'open', steps: [{ status: 'running' }, {}, {}] });
});

test('several are settled oldest first', async () => {
	const here = await scene();
	await left(here, 'second', ['done', 'running', 'pending'], { createdAt: 200 });
	await left(here, 'first', ['done', 'running', 'pending'], { createdAt: 100 });
	expect((await settled(here)).closed.map(({ id }) => id)).toEqual(['first', 'second']);
});

test('the write of the dead holder, should it still live, is refused afterwards', async () => {
	const here = await scene();
	const dead = await left(here, 'dead', ['done', 'running', 'pending']);
	await settled(here);
	await expect(dead.save()).rejects.toMatchObject({ failure: { code: 'staleFence' } });
	expect(await found(here, 'dead')).toMatchObject({ status: 'failed' });
});

test.each([
	['died', ['running', 'pending', 'pending'], {}],
	['was cancelled', ['inDoubt', 'skipped', 'skipped'], { status: 'inDoubt', endedAt: 1, failure: { code: 'cancelledInDoubt', message: 'cancelled' } }],
] as Array<[string, StepStatus[], Partial<Transaction>]>)('a message that WhatsApp refused after its sender %s is recorded as such, for good', async (_what, statuses, more) => {
	const here = await scene();
	here.simulator.control.addRule({ route: 'sendText', acks: [{ status: 'PENDING', afterMs: 0 }, { status: 'FAILED', afterMs: 1 }] });
	await here.server.send('meta1', '5511988887777', { kind: 'text', text: 'dead' }, { timeoutMs: 1000 });
	await here.simulator.control.waitUntil(() => here.simulator.control.acks().length > 1);
	await left(here, 'dead', statuses, more, { doubtUntil: Date.now() + 1000 });
	await settled(here);
	const one = await found(here, 'dead');
	expect(one).toMatchObject({ status: 'failed', failedForGood: true, failure: { code: 'messageFailed' }, steps: [{ status: 'failed', error: { code: 'messageFailed' } }, { status: 'skipped' }, { status: 'skipped' }] });
	expect(one.definition).toBeUndefined();
});
