// A process that is killed at each boundary of a transaction, and what the next one makes of it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { CallInput } from '../../support/calls';
import { endWithTest, openEngine, resultOf, type Scene, scene, sleep } from '../../support/scene';
import type { ChildTask } from './child';

// the saves of one transaction that waits by a delay, in their order
const saves = { sendIntent: 1, sendDone: 2, waitBegun: 3, waitDone: 4, webhookIntent: 5, webhookDone: 6, end: 7 };

const dead: CallInput = { text: 'Dead', waitFor: 'delay', delaySeconds: 0.2, webhookUrl: '/dead', options: { transactionId: 'dead', attempts: 2 } };

interface Boundary {
	name: string;
	/** Dies by itself at this save … */
	die?: ChildTask['die'];
	/** … or is killed by the parent, once this resolves. */
	killWhen?: (on: Scene) => Promise<unknown>;
	/** Messages and webhook calls when it died. */
	messages: 0 | 1;
	webhooks: 0 | 1;
	/** State after the chat's next transaction has settled it; one that has not begun is left to its ID, or to recovery. */
	settled: 'open' | 'failed' | 'inDoubt' | 'completed';
	/** What the same ID again makes of it. */
	replayed: 'completed' | 'inDoubt';
}

const boundaries: Boundary[] = [
	{ name: "before the send's intent is recorded", die: { when: 'before', save: saves.sendIntent }, messages: 0, webhooks: 0, settled: 'open', replayed: 'completed' },
	{ name: "after the send's intent, before the request leaves", die: { when: 'after', save: saves.sendIntent }, messages: 0, webhooks: 0, settled: 'inDoubt', replayed: 'inDoubt' },
	{ name: "between the message's arrival at WhatsApp and its answer", killWhen: heldAtWhatsApp, messages: 1, webhooks: 0, settled: 'failed', replayed: 'completed' },
	{ name: 'after the answer, before the outcome is recorded', die: { when: 'before', save: saves.sendDone }, messages: 1, webhooks: 0, settled: 'failed', replayed: 'completed' },
	{ name: 'after the outcome of the send is recorded', die: { when: 'after', save: saves.sendDone }, messages: 1, webhooks: 0, settled: 'failed', replayed: 'completed' },
	{ name: 'during the wait', killWhen: waiting, messages: 1, webhooks: 0, settled: 'failed', replayed: 'completed' },
	{ name: "after the wait, before the webhook's intent is recorded", die: { when: 'before', save: saves.webhookIntent }, messages: 1, webhooks: 0, settled: 'failed', replayed: 'completed' },
	{ name: "after the webhook's intent, before its request leaves", die: { when: 'after', save: saves.webhookIntent }, messages: 1, webhooks: 0, settled: 'failed', replayed: 'completed' },
	{ name: "between the webhook's arrival and its answer", killWhen: heldAtWebhook, messages: 1, webhooks: 1, settled: 'failed', replayed: 'completed' },
	{ name: "after the webhook's answer, before its outcome is recorded", die: { when: 'before', save: saves.webhookDone }, messages: 1, webhooks: 1, settled: 'failed', replayed: 'completed' },
	{ name: "after the webhook's outcome, before the end is recorded", die: { when: 'before', save: saves.end }, messages: 1, webhooks: 1, settled: 'completed', replayed: 'completed' },
	{ name: 'after the end is recorded', die: { when: 'after', save: saves.end }, messages: 1, webhooks: 1, settled: 'completed', replayed: 'completed' },
];

async function heldAtWhatsApp(on: Scene): Promise<void> {
	on.simulator.control.addRule({ route: 'sendText', times: 1, hold: true });
	await on.simulator.control.waitForMessages(1, 20_000);
	await on.simulator.control.waitUntil(() => on.simulator.control.held() === 1);
}

async function heldAtWebhook(on: Scene): Promise<void> {
	on.receiver.behave('hold', { times: 1 });
	await on.receiver.waitForCalls(1, 20_000);
}

/** The parent reads the file that the child writes. */
async function waiting(on: Scene): Promise<void> {
	const until = Date.now() + 20_000;
	const database = await openedWhenThere(join(on.folder, 'ledger.sqlite'), until);
	try {
		const inWait = database.prepare("select 1 from transactions, json_each(body, '$.steps') step where step.value ->> 'type' = 'wait' and step.value ->> 'status' = 'running'");
		while (!inWait.get()) {
			if (Date.now() > until) throw new Error('the child never waited');
			await sleep(5);
		}
	} finally {
		database.close();
	}
}

async function openedWhenThere(file: string, until: number): Promise<DatabaseSync> {
	for (;;) {
		try {
			const database = new DatabaseSync(file, { readOnly: true });
			database.prepare('select 1 from messages').get();
			return database;
		} catch (error) {
			if (Date.now() > until) throw error;
			await sleep(10);
		}
	}
}

/** Runs the transaction in a process of its own, which is dead when this resolves. */
async function dieAt(on: Scene, { die, killWhen }: Pick<Boundary, 'die' | 'killWhen'>): Promise<void> {
	await on.engine.close(); // one process owns a ledger
	const task: ChildTask = { folder: on.folder, access: { baseUrl: on.simulator.url, apiKey: on.simulator.apiKey }, input: { ...dead, webhookUrl: `${on.receiver.url}/dead` }, die };
	const reached = killWhen?.(on);
	const child = spawn(process.execPath, ['--import', 'tsx', join(__dirname, 'child.ts'), JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'inherit'] });
	const exit = once(child, 'exit');
	endWithTest(() => stop(child));
	await Promise.race([reached ?? exit, exit]);
	if (reached) child.kill('SIGKILL');
	const [, signal] = (await exit) as [number | null, string | null];
	expect(signal).toBe('SIGKILL');
	on.simulator.control.clearRules();
	on.simulator.control.release();
	on.receiver.release();
	on.receiver.behaveWell();
	on.engine = await openEngine(on.folder);
}

function stop(child: ChildProcess): void {
	if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
}

function sentTexts(on: Scene, text: string): number {
	return on.texts().filter((one) => one === text).length;
}

/** One webhook, however often it was called. */
function expectOneWebhookId(on: Scene): void {
	expect(new Set(on.receiver.callsTo('/dead').map(({ headers }) => headers['webhook-id'])).size).toBe(1);
	expect(on.receiver.callsTo('/dead')[0]?.headers['webhook-id']).toBe('dead:2');
}

describe.each(boundaries)('killed $name', (boundary) => {
	test('the same ID again: no message twice, the webhook under its one ID, the right end', async () => {
		const on = await scene();
		await dieAt(on, boundary);
		expect([on.texts().length, on.receiver.calls.length]).toEqual([boundary.messages, boundary.webhooks]);
		const outcome = await on.run(dead);
		expect(resultOf(outcome)).toMatchObject({ status: boundary.replayed, duplicatePossible: false });
		if (boundary.replayed === 'inDoubt') {
			expect(on.effects()).toEqual([]);
			return;
		}
		expect(on.effects()[0]).toBe('message Dead');
		expect(sentTexts(on, 'Dead')).toBe(1);
		expect(on.receiver.callsTo('/dead').length).toBeGreaterThanOrEqual(1);
		expectOneWebhookId(on);
		expect(resultOf(await on.run(dead))).toMatchObject({ status: 'completed', replayed: true });
	});

	test('another message of the chat first: settles the dead one before its own send, then the dead one may go on', async () => {
		const on = await scene();
		await dieAt(on, boundary);
		const before = on.receiver.calls.length;
		let statusAtSend: string | undefined;
		const reader = new DatabaseSync(join(on.folder, 'ledger.sqlite'), { readOnly: true });
		endWithTest(() => reader.close());
		on.simulator.control.onMessage(({ text }) => {
			if (text === 'Next') statusAtSend = reader.prepare("select status from transactions where id = 'dead'").get()?.status as string;
		});
		expect(resultOf(await on.run({ text: 'Next', webhookUrl: '/next' })).status).toBe('completed');
		expect(statusAtSend).toBe(boundary.settled);
		// recovery sent nothing and called nothing
		expect(on.texts()).toEqual([...Array<string>(boundary.messages).fill('Dead'), 'Next']);
		expect(on.receiver.callsTo('/dead')).toHaveLength(before);

		const outcome = await on.run(dead);
		expect(resultOf(outcome).status).toBe(boundary.replayed);
		expect(sentTexts(on, 'Dead')).toBe(boundary.replayed === 'inDoubt' ? 0 : 1);
		if (boundary.replayed === 'completed') expectOneWebhookId(on);
		expect(sentTexts(on, 'Next')).toBe(1);
	});
});

test('killed after the intent, before the request left: with Send Again the same ID sends it, and says that a duplicate is possible', async () => {
	const on = await scene();
	await dieAt(on, { die: { when: 'after', save: saves.sendIntent } });
	const outcome = await on.run({ ...dead, options: { ...dead.options, onInDoubt: 'sendAgain' } });
	expect(resultOf(outcome)).toMatchObject({ status: 'completed', duplicatePossible: true });
	expect(on.effects()).toEqual(['message Dead', 'webhook /dead']);
});

test('killed after the message went out: with Send Again it is found, and not sent again', async () => {
	const on = await scene();
	await dieAt(on, { killWhen: heldAtWhatsApp });
	const outcome = await on.run({ ...dead, options: { ...dead.options, onInDoubt: 'sendAgain' } });
	expect(resultOf(outcome)).toMatchObject({ status: 'completed', duplicatePossible: false });
	expect(on.effects()).toEqual(['message Dead', 'webhook /dead']);
});

test('killed while its message was on its way: it goes out after the death, is found, and the next message comes behind it', async () => {
	const on = await scene({ lookUpMs: 2000 });
	on.simulator.control.addRule({ route: 'sendText', times: 1, sendAfterMs: 600 });
	await dieAt(on, { killWhen: () => on.simulator.control.waitUntil(() => on.simulator.control.counts().sendText === 1, 20_000) });
	await on.engine.close();
	on.engine = await openEngine(on.folder, { lookUpMs: 2000 });
	expect(resultOf(await on.run({ text: 'Next' })).status).toBe('completed');
	expect(on.texts()).toEqual(['Dead', 'Next']);
	expect(resultOf(await on.run(dead)).status).toBe('completed');
	expect(on.texts()).toEqual(['Dead', 'Next']);
});

test('a second engine on a ledger that is in use gets ledgerInUse', async () => {
	const on = await scene();
	await expect(openEngine(on.folder)).rejects.toMatchObject({ failure: { code: 'ledgerInUse' } });
});
