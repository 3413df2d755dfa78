// The node with a shared store: in queue mode, over several workflows and workers, and when the store is not there.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CredentialTestContext } from 'n8n-core';
import { builtNode } from '../../scripts/engine/workflow';
import { OrderedStoreApi } from '../../credentials/OrderedStoreApi.credentials';
import { storeLabels } from '../../ordering/store';
import { builtLog, closeEngine, errorOf, outputOf, useBench } from './bench';
import { useStore } from './sharedStore';

const bench = useBench();
const store = useStore(bench);
let executions = 1000;
const nextExecution = () => String(++executions);

beforeEach(() => void (process.env.EXECUTIONS_MODE = 'queue'));
afterEach(() => void delete process.env.EXECUTIONS_MODE);

/** Every text is followed by its own webhook. */
function expectChains(count: number): void {
	const effects = bench.effects();
	expect(effects).toHaveLength(2 * count);
	for (let i = 0; i < effects.length; i += 2) expect(effects[i + 1]).toBe(effects[i]?.replace('message ', 'webhook /'));
}

const chain = (text: string) => ({ text, webhookUrl: `${bench.receiver.url}/${text}`, waitFor: 'delay', delaySeconds: 0.1 });

test('in queue mode with a store it sends, and keeps its record there alone', async () => {
	const run = await bench.run({ options: { transactionId: 'stored' } }, store.used());
	expect(outputOf(run)).toMatchObject([{ status: 'completed', transactionId: 'stored', queue: { fence: 1 } }]);
	expect(bench.effects()).toEqual(['message Hello', 'webhook /done']);
	expect(existsSync(join(bench.userFolder, '.n8n', 'ordered-evolutionapi'))).toBe(false);
	const again = await bench.run({ options: { transactionId: 'stored' } }, store.used());
	expect(outputOf(again)).toMatchObject([{ status: 'completed', replayed: true }]);
	expect(bench.effects()).toHaveLength(2);
});

test('without queue mode a store is used as well', async () => {
	delete process.env.EXECUTIONS_MODE;
	expect(outputOf(await bench.run({ options: { transactionId: 'regular' } }, store.used()))).toMatchObject([{ status: 'completed' }]);
	process.env.EXECUTIONS_MODE = 'queue';
	expect(outputOf(await bench.run({ options: { transactionId: 'regular' } }, store.used()))).toMatchObject([{ replayed: true }]);
});

test('workflows that run at once keep the chat in the order of their executions', async () => {
	const ids = Array.from({ length: 6 }, nextExecution);
	const late = await Promise.all(ids.toReversed().map(async (executionId) => {
		const [output] = outputOf(await bench.run(chain(`m${executionId}`), store.used({ executionId })));
		return (output as { queue: { late: boolean } }).queue.late ? [`m${executionId}`] : [];
	}));
	expectChains(6);
	// a busy machine may start one of them behind the settling time of the others; then it says so
	const inTime = (text: string) => !late.flat().includes(text);
	expect(bench.simulator.control.messages().map(({ text }) => text).filter(inTime)).toEqual(ids.map((id) => `m${id}`).filter(inTime));
});

test('two workers and this process work on one chat, one chain at a time', async () => {
	const workers = ['a', 'b'].map((text) => store.worker(chain(text), nextExecution()));
	await Promise.all([...workers.map(({ output }) => output), ...['c', 'd', 'e'].map((text) => bench.run({ ...chain(text), delaySeconds: 1 }, store.used({ executionId: nextExecution() })))]);
	for (const { output } of workers) expect(JSON.parse(await output)).toMatchObject({ Done: [[{ json: { status: 'completed' } }]] });
	expectChains(5);
});

test('messages go out in the order of their sequence numbers, however they arrive, and one that comes too late is refused', async () => {
	const send = (number: number) => bench.run({ ...chain(`n${number}`), options: { sequenceNumber: `${number}` } }, store.used({ executionId: nextExecution() }));
	await Promise.all([3, 1, 2].map(send));
	expect(bench.simulator.control.messages().map(({ text }) => text)).toEqual(['n1', 'n2', 'n3']);
	expect(errorOf(await bench.run({ ...chain('again'), options: { sequenceNumber: 2 } }, store.used())).message).toMatch(/^Sequence Number: 2 comes too late.*Nothing was sent/);
	expectChains(3);
});

test('a store without the credential in the node is not used: queue mode is refused', async () => {
	const run = await bench.run({}, { credentials: { evolutionServerApi: bench.access(), orderedStoreApi: store.access() } });
	expect(errorOf(run).message).toMatch(/queue mode.*Nothing was sent\.$/);
	expect(errorOf(run).description).toMatch(/Ordered Store API/);
});

test("n8n's worker processes are queue mode, whatever their environment says", async () => {
	delete process.env.EXECUTIONS_MODE;
	const given = process.argv[2];
	process.argv[2] = 'worker';
	const run = await bench.run();
	process.argv[2] = given as string;
	expect(errorOf(run).message).toMatch(/queue mode/);
	expect(bench.effects()).toEqual([]);
});

describe.each([['Ordered EvolutionAPI Send', builtNode], ['Ordered Message Log', builtLog]])("the credential's test in %s", (_name, node) => {
	const testCredential = async (data: Record<string, string>) => await node().methods?.credentialTest?.orderedStoreApiTest?.call(new CredentialTestContext(), { id: '1', name: 'Store', type: 'orderedStoreApi', data });

	test('connects to both for real, and tells what fails', async () => {
		const { postgresUrl, redisUrl, namePrefix } = store.access() as Record<string, string>;
		expect(await testCredential({ postgresUrl, redisUrl, namePrefix } as Record<string, string>)).toEqual({ status: 'OK', message: expect.stringMatching(/^Connected to PostgreSQL .* and Redis/) as string });
		expect(await testCredential({ postgresUrl, redisUrl: 'redis://127.0.0.1:9', namePrefix } as Record<string, string>)).toEqual({ status: 'Error', message: expect.stringMatching(/^Redis: nothing listens at 127\.0\.0\.1:9/) as string });
		expect(await testCredential({})).toEqual({ status: 'Error', message: expect.stringMatching(/^Name Prefix: /) as string });
	});
});

test('the fields of the store are named in errors as the credential names them', () => {
	const shown = Object.fromEntries(new OrderedStoreApi().properties.map(({ name, displayName }) => [name, displayName]));
	expect(shown).toMatchObject(storeLabels);
});

describe('a store that is not there', () => {
	const other = () => ({ orderedStoreApi: store.access({ namePrefix: 'opened_late' }) });

	test('is an error that names it, with nothing sent and no password; the next execution tries again', async () => {
		await store.redis.kill();
		const run = await bench.run({}, store.used({ credentials: other() }));
		expect(errorOf(run).message).toMatch(/^The shared queue in Redis can't be used: nothing listens at .*\. Nothing was sent\.$/);
		expect(JSON.stringify([run.run.data, errorOf(run).message])).not.toContain('Redis-Pass');
		await store.redis.start();
		expect(outputOf(await bench.run({}, store.used({ credentials: other() })))).toMatchObject([{ status: 'completed' }]);
		await closeEngine(other().orderedStoreApi);
	});

	test.each([
		['a wrong password for PostgreSQL', () => ({ postgresUrl: store.postgres.url().replace(/:[^:@]+@/, ':wrong-secret@') }), /ledger of ordered messages can't be used/],
		['a wrong password for Redis', () => ({ redisUrl: `redis://:wrong-secret@127.0.0.1:${store.redis.port}` }), /refused the password/],
		['a wrong address', () => ({ redisUrl: 'wrong-secret' }), /^Redis URL: has to begin with/],
	])('%s is an item of the error output where that is chosen', async (_what, more, expected) => {
		const run = await bench.run({}, store.used({ node: { onError: 'continueErrorOutput' }, credentials: { orderedStoreApi: store.access(more()) } }));
		expect(outputOf(run, 0)).toEqual([]);
		expect(outputOf(run, 1)).toMatchObject([{ error: expect.stringMatching(expected) as string, details: { status: 'failed', error: { sent: 'no' } } }]);
		expect(JSON.stringify(run.run.data.resultData.runData)).not.toContain('wrong-secret');
		expect(bench.effects()).toEqual([]);
	});

	test('a credential that can not be read is one, too', async () => {
		const run = await bench.run({}, { ...store.used({ node: { onError: 'continueErrorOutput' } }), credentials: { evolutionServerApi: bench.access() } });
		expect(outputOf(run, 1)).toMatchObject([{ details: { error: { code: 'notReadable', sent: 'no' } } }]);
	});
});
