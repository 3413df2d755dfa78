// Ordered Message Log: what a killed worker left, transactions that are resumed or given up, and failures as n8n shows them.
import { setTimeout as sleep } from 'node:timers/promises';
import type { IDataObject } from 'n8n-workflow';
import type { WorkflowRun } from '../../scripts/engine/workflow';
import { errorOf, LOG_NAME, outputOf, useBench } from './bench';
import { useStore } from './sharedStore';

const bench = useBench();
const store = useStore(bench);
let numbers = 0;
/** A chat that no other test writes to. */
const newNumber = () => `55119${20_000_000 + ++numbers}`;

const logOutput = (run: WorkflowRun, output = 0) => outputOf(run, output, LOG_NAME);

/** Runs the node in a worker and kills it once its webhook is called; the call is never answered. */
async function diesAtWebhook(parameters: object, credentials?: Record<string, Record<string, string>>): Promise<void> {
	bench.receiver.behave('hold', { times: 1 });
	const worker = store.worker({ number: newNumber(), ...parameters }, '7', credentials);
	await bench.receiver.waitForCalls(1, 30_000);
	await worker.kill();
	bench.receiver.release();
}

/** Recovers until something is found: a dead worker is not known to be dead before its lease is over. */
async function recovered(parameters: object = {}, more = {}): Promise<WorkflowRun> {
	for (let tries = 0; tries < 40; tries++) {
		const run = await bench.runLog(parameters, store.used(more));
		if (logOutput(run).length > 0 || run.status !== 'success') return run;
		await sleep(200);
	}
	throw new Error('Nothing was found to recover.');
}

describe('recover', () => {
	test('finds nothing where nothing is unfinished: no items, so that the next node does not run', async () => {
		await bench.run({ number: newNumber() }, store.used());
		const run = await bench.runLog({}, store.used());
		expect(run.status).toBe('success');
		expect(logOutput(run)).toEqual([]);
		expect(run.nodesRun).not.toContain('Done');
	});

	test('finishes what a killed worker left: the text is not sent again, the webhook is called under its one ID', async () => {
		await diesAtWebhook({ options: { transactionId: 'left' } });
		const run = await recovered();
		expect(run.lastOutput[LOG_NAME]?.[0]).toMatchObject([{ json: { action: 'finished', transactionId: 'left', status: 'completed', steps: [{ status: 'done' }, { status: 'done' }] }, pairedItem: { item: 0 } }]);
		expect(logOutput(run)[0]).not.toHaveProperty('error');
		expect(run.nodesRun).toContain('Done');
		expect(bench.effects()).toEqual(['message Hello', 'webhook /done', 'webhook /done']);
		expect(new Set(bench.receiver.calls.map(({ headers }) => headers['webhook-id']))).toEqual(new Set(['left:1']));
		expect(logOutput(await bench.runLog({}, store.used()))).toEqual([]);
	});

	test('leaves what a living worker works on', async () => {
		bench.receiver.behave('hold', { times: 1 });
		const worker = store.worker({ number: newNumber(), options: { transactionId: 'living' } }, '8');
		await bench.receiver.waitForCalls(1, 30_000);
		expect(logOutput(await bench.runLog({}, store.used()))).toEqual([]);
		bench.receiver.release();
		expect(JSON.parse(await worker.output)).toMatchObject({ Done: [[{ json: { status: 'completed' } }]] });
		expect(bench.effects()).toEqual(['message Hello', 'webhook /done']);
	});

	test('tells that one needs its caller, whose webhook headers are not on record', async () => {
		await diesAtWebhook({ options: { transactionId: 'needy' }, webhookHeaders: { header: [{ name: 'X-Source', value: 'n8n' }] } });
		expect(logOutput(await recovered())).toMatchObject([{ action: 'needsCaller', transactionId: 'needy', status: 'failed', error: { code: 'needsCaller', sent: 'yes' } }]);
		expect(bench.receiver.calls).toHaveLength(1);
	});

	test('calls a webhook that needs a credential with the one that is chosen', async () => {
		const webhookTargetApi = { headerName: 'Authorization', headerValue: 'Bearer abc', signingSecret: '' };
		await diesAtWebhook({ webhookAuthentication: 'credential', options: { transactionId: 'secretive' } }, { webhookTargetApi });
		const run = await recovered({ webhookAuthentication: 'credential' }, { credentials: { webhookTargetApi } });
		expect(logOutput(run)).toMatchObject([{ action: 'finished', transactionId: 'secretive' }]);
		expect(bench.receiver.calls.map(({ headers }) => headers.authorization)).toEqual(['Bearer abc', 'Bearer abc']);
		expect(JSON.stringify(run.run.data.resultData)).not.toContain('Bearer abc');
	});
});

/** A transaction whose text is out and whose webhook failed. */
async function failedAtWebhook(transactionId: string, more: object = {}): Promise<void> {
	bench.receiver.behave({ status: 400 }, { times: 1 });
	const run = await bench.run({ options: { transactionId, ...more }, number: newNumber() }, store.used());
	expect(errorOf(run).message).toMatch(/The message was sent/);
}

describe('resume', () => {
	test('goes on where it stopped: the text is not sent again', async () => {
		await failedAtWebhook('stopped');
		const run = await bench.runLog({ operation: 'resume', transactionId: 'stopped' }, store.used());
		expect(logOutput(run)).toMatchObject([{ transactionId: 'stopped', status: 'completed', replayed: false }]);
		expect(bench.effects()).toEqual(['message Hello', 'webhook /done', 'webhook /done']);
		expect(logOutput(await bench.runLog({ operation: 'resume', transactionId: 'stopped' }, store.used()))).toMatchObject([{ status: 'completed', replayed: true }]);
	});

	test('that fails is an error with its item and the transaction', async () => {
		await failedAtWebhook('fails-again');
		bench.receiver.behave({ status: 400 });
		const run = await bench.runLog({ operation: 'resume', transactionId: '={{ $json.id }}' }, { ...store.used(), input: [{ id: 'fails-again' }] });
		const error = errorOf(run);
		expect(error.name).toBe('NodeOperationError');
		expect(error.message).toMatch(/The message was sent \(ID .*\)\. The webhook was called and answered 400\.$/);
		expect(error.context).toMatchObject({ itemIndex: 0, transaction: { transactionId: 'fails-again', status: 'failed', error: { code: 'webhook.status', sent: 'yes' } } });
	});

	test.each([['continueRegularOutput', 0], ['continueErrorOutput', 1]] as const)('with %s each failure is an item, and the other items go on', async (onError, output) => {
		const [bad, good] = [`bad-${onError}`, `good-${onError}`];
		await failedAtWebhook(bad);
		await failedAtWebhook(good);
		bench.receiver.behave({ status: 400 }, { times: 1 });
		const run = await bench.runLog({ operation: 'resume', transactionId: '={{ $json.id }}' }, { ...store.used({ node: { onError } }), input: [{ id: bad }, { id: 'nobody' }, { id: good }] });
		const all = run.lastOutput[LOG_NAME]?.flat() ?? [];
		expect(all.map(({ pairedItem }) => (pairedItem as { item: number }).item).sort()).toEqual([0, 1, 2]);
		const failures = logOutput(run, output).map((json) => (output === 1 ? (json.details as IDataObject) : json));
		expect(failures[0]).toMatchObject({ transactionId: bad, status: 'failed', error: { code: 'webhook.status' } });
		expect(failures[1]).toMatchObject({ status: 'failed', error: { code: 'unknownTransaction', sent: 'no' } });
		expect(logOutput(run, 0).at(-1)).toMatchObject({ transactionId: good, status: 'completed' });
		if (output === 1) expect(logOutput(run, 1)[0]?.error).toMatch(/answered 400\.$/);
	});
});

describe('give up', () => {
	test('ends a transaction that holds its chat, and the next message goes out', async () => {
		const number = newNumber();
		bench.receiver.behave({ status: 400 }, { times: 1 });
		await bench.run({ number, text: 'First', options: { transactionId: 'holding', onFailure: 'hold' } }, store.used());
		const held = await bench.run({ number, text: 'Second', options: { queueTimeoutSeconds: 0.5 } }, store.used());
		expect(errorOf(held).message).toMatch(/held since transaction "holding" failed/);
		const run = await bench.runLog({ operation: 'giveUp', transactionId: 'holding' }, store.used());
		expect(logOutput(run)).toMatchObject([{ transactionId: 'holding', status: 'failed', error: { code: 'givenUp', sent: 'yes' } }]);
		expect(outputOf(await bench.run({ number, text: 'Third' }, store.used()))).toMatchObject([{ status: 'completed' }]);
		expect(bench.simulator.control.messages().map(({ text }) => text)).toEqual(['First', 'Third']);
	});

	test('of a transaction that failed for good frees its chat, too', async () => {
		const number = newNumber();
		bench.simulator.control.setNumber(number, { exists: false });
		const instanceName = { __rl: true, mode: 'name', value: 'phone1' };
		await bench.run({ number, instanceName, options: { transactionId: 'no-such-number', onFailure: 'hold' } }, store.used());
		await bench.runLog({ operation: 'giveUp', transactionId: 'no-such-number' }, store.used());
		bench.simulator.control.setNumber(number, { exists: true });
		expect(outputOf(await bench.run({ number, instanceName, text: 'Now', options: { queueTimeoutSeconds: 1 } }, store.used()))).toMatchObject([{ status: 'completed' }]);
	});
});

describe('compensating', () => {
	test('deletes for everyone what a transaction has sent', async () => {
		const number = newNumber();
		const instanceName = { __rl: true, mode: 'name', value: 'phone1' };
		await bench.run({ number, instanceName, text: 'Wrong price', options: { transactionId: 'to be undone' } }, store.used());
		const run = await bench.runLog({ operation: 'compensate', transactionId: 'to be undone' }, store.used());
		expect(logOutput(run)).toMatchObject([{ transactionId: 'to be undone', status: 'completed', compensation: { status: 'done', deletions: [{ status: 'done' }] } }]);
		expect(bench.simulator.control.log().some((entry) => entry.kind === 'deletion')).toBe(true);
	});

	test('where the channel can not delete, it is an error that says what is left', async () => {
		await bench.run({ number: newNumber(), text: 'Wrong price', options: { transactionId: 'at Meta' } }, store.used());
		const error = errorOf(await bench.runLog({ operation: 'compensate', transactionId: 'at Meta' }, store.used()));
		expect(error.message).toMatch(/^1 of 1 message could not be taken back: Meta's Cloud API can't take a message back\. The message was sent \(ID .*What was sent could not be taken back\.$/);
	});
});

test.each<[string, object, RegExp]>([
	['an unknown ID', { operation: 'resume', transactionId: 'nobody' }, /^Transaction ID: no transaction "nobody" is on record/],
	['no ID', { operation: 'giveUp', transactionId: ' ' }, /^Transaction ID: is empty/],
	['a time that is too short', { options: { queueTimeoutSeconds: 0 } }, /^Queue Timeout \(Seconds\): can't be less than 0\.5/],
	['a choice that is none', { options: { onInDoubt: 'perhaps' } }, /^If in Doubt: has to be one of/],
])('%s is an error that says so', async (_what, parameters, expected) => {
	const run = await bench.runLog(parameters, store.used());
	expect(errorOf(run).message).toMatch(expected);
	expect(errorOf(run).context.itemIndex).toBe(0);
});

test.each<[string, object, RegExp]>([
	['no key', { apiKey: '' }, /^API Key: is empty/],
	['no address', { baseUrl: 'evolution' }, /^Base URL: "evolution" is no address/],
])('a credential with %s is an error that says so', async (_what, more, expected) => {
	const run = await bench.runLog({}, store.used({ credentials: { evolutionServerApi: { ...bench.access(), ...more } } }));
	expect(errorOf(run).message).toMatch(expected);
});

test('it refuses queue mode without a store, as the sending node does', async () => {
	process.env.EXECUTIONS_MODE = 'queue';
	const run = await bench.runLog();
	delete process.env.EXECUTIONS_MODE;
	expect(errorOf(run).message).toMatch(/queue mode/);
});

test('without a store it works on the record of this process', async () => {
	bench.receiver.behave({ status: 400 }, { times: 1 });
	await bench.run({ number: newNumber(), options: { transactionId: 'embedded' } });
	expect(logOutput(await bench.runLog({ operation: 'resume', transactionId: 'embedded' }))).toMatchObject([{ status: 'completed' }]);
	expect(errorOf(await bench.runLog({ operation: 'resume', transactionId: 'embedded' }, store.used())).message).toMatch(/no transaction "embedded"/);
});
