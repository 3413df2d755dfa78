// Live receipts in the whole engine: what a result says, what the ledger holds, and what is left when it is closed.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PollSettings } from '../../../ordering/receipts/waits';
import { resultOf, type Scene, scene, sleep } from '../../support/scene';

const poll: PollSettings = { firstMs: 15, factor: 1.3, mostMs: 60, atOnce: 8, live: { everyMs: 60_000, times: { keepMs: 5000, firstRetryMs: 20, mostRetryMs: 60 } } };

/** A chain that waits for "read", which WhatsApp tells once the connection stands. */
async function liveScene(): Promise<Scene & { toldLive(): ReturnType<Scene['run']> }> {
	const built = await scene({ poll });
	const { simulator, run } = built;
	simulator.control.emitLive('meta1', 'send.message', {});
	const toldLive = async () => {
		const outcome = run({ text: 'Hi', waitFor: 'read', ackTimeoutSeconds: 10, webhookUrl: '/after' });
		const [message] = (await simulator.control.waitForMessages(1)).slice(-1);
		await simulator.control.waitUntil(() => simulator.control.live().open.meta1 === 1);
		await sleep(200);
		simulator.control.acknowledge(message?.messageId ?? '', 'READ');
		return await outcome;
	};
	return { ...built, toldLive };
}

test('the result says that the acknowledgement was told live, and the webhook came after it', async () => {
	const { toldLive, effects } = await liveScene();
	expect(resultOf(await toldLive())).toMatchObject({ status: 'completed', steps: [{}, { status: 'done', receipt: 'read', toldBy: 'live' }, { status: 'done' }] });
	expect(effects(true).slice(-2)).toEqual(['ack READ', 'webhook /after']);
});

test('the key that events hold is neither in the result nor in the webhook\'s body nor in the ledger\'s files', async () => {
	const { toldLive, receiver, folder, engine } = await liveScene();
	const told = JSON.stringify([await toldLive(), receiver.calls.map(({ json }) => json)]);
	const files = () => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1')).join('');
	expect(files().length).toBeGreaterThan(1000);
	for (const text of [told, files()]) expect(text).not.toMatch(/instance-token|simulator-key/);
	await engine.close();
	expect(files()).not.toMatch(/instance-token|simulator-key/);
});

test('the connection stays for the next chain, and is closed with the engine', async () => {
	const { toldLive, engine, simulator, run } = await liveScene();
	await toldLive();
	await run({ text: 'Again', waitFor: 'delivered', ackTimeoutSeconds: 10, webhookUrl: '/after' });
	expect(simulator.control.live()).toMatchObject({ tries: 1, open: { meta1: 1 } });
	await engine.close();
	await simulator.control.waitUntil(() => simulator.control.live().open.meta1 === 0);
	await sleep(100);
	expect(simulator.control.live().tries).toBe(1);
});

test('chains that wait for nothing make no connection', async () => {
	const { run, simulator } = await liveScene();
	for (const waitFor of ['accepted', 'delay'] as const) await run({ waitFor, delaySeconds: 0.05, webhookUrl: '/after' });
	expect(simulator.control.live().tries).toBe(0);
	expect(simulator.control.counts()).not.toHaveProperty('find'); // nor are the settings asked for
});
