// Waiting for receipts by live events and looks together, at the simulator: who tells first, and who takes over.
import { inspect } from 'node:util';
import type { LiveTimes } from '../../../evolution/live';
import { EvolutionServer } from '../../../evolution/server';
import { type PollSettings, ReceiptWaits, type WaitEnd, type Watch } from '../../../ordering/receipts/waits';
import type { AckStatus, Simulator, SimulatorOptions } from '../../../simulator';
import { endWithTest, simulated } from '../../evolution/helpers';

const number = '5511988887777';
const times: Partial<LiveTimes> = { keepMs: 300, firstRetryMs: 20, mostRetryMs: 80, offMs: 60_000 };
/** Looks while events come are so rare that none of them tells anything within a test. */
const settings: PollSettings = { firstMs: 20, factor: 1.5, mostMs: 60, atOnce: 8, live: { everyMs: 60_000, times } };

interface Scene {
	simulator: Simulator;
	server: EvolutionServer;
	waits: ReceiptWaits;
	watch(messageId: string, more?: Partial<Watch>): Promise<WaitEnd>;
	/** A message on record whose acknowledgements come only when told to. */
	message(): string;
	/** Resolves when the connection stands. */
	connected(): Promise<void>;
	/** How often a message's status was asked for. */
	looks(messageId: string): number;
}

async function scene({ poll = {}, options }: { poll?: Partial<PollSettings>; options?: SimulatorOptions } = {}): Promise<Scene> {
	const simulator = await simulated(options);
	const server = new EvolutionServer({ baseUrl: simulator.url, apiKey: simulator.apiKey });
	endWithTest(() => server.close());
	const waits = new ReceiptWaits({ ...settings, ...poll });
	let count = 0;
	return {
		simulator, server, waits,
		watch: (messageId, more) => waits.watch({ server, instance: 'meta1', messageId, target: 'delivered', timeoutMs: 5000, call: { timeoutMs: 2000 }, ...more }),
		message() {
			const id = `wamid.${++count}`;
			simulator.control.addRows({ instance: 'meta1', messages: [{ key: { id, fromMe: true, remoteJid: `${number}@s.whatsapp.net` } }] });
			return id;
		},
		connected: () => simulator.control.waitUntil(() => (simulator.control.live().open.meta1 ?? 0) > 0),
		looks: (messageId) => simulator.control.requests().filter((one) => one.route === 'findStatusMessage' && one.messageId === messageId).length,
	};
}

/** The same, with a connection that stands; a wait that keeps it is cancelled with the test. */
async function connectedScene(poll: Partial<PollSettings> = {}): Promise<Scene> {
	const built = await scene({ poll });
	namespace(built.simulator);
	const cancel = new AbortController();
	endWithTest(() => cancel.abort());
	void built.watch(built.message(), { timeoutMs: 60_000, signal: cancel.signal });
	await built.connected();
	await sleep(50); // its looks
	return built;
}

function namespace(simulator: Simulator): void {
	simulator.control.emitLive('meta1', 'send.message', {});
}

function event(simulator: Simulator, keyId: string, status: AckStatus, more: object = {}): void {
	simulator.control.emitLive('meta1', 'messages.update', { event: 'messages.update', instance: 'meta1', data: { keyId, status, fromMe: false }, apikey: 'instance-token', ...more });
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('an event ends the wait at once, and says that it was live', async () => {
	const { simulator, watch, message, looks } = await connectedScene();
	const id = message();
	const end = watch(id);
	await sleep(100);
	const began = performance.now();
	simulator.control.acknowledge(id, 'DELIVERED');
	expect(await end).toEqual({ end: 'reached', receipt: 'delivered', toldBy: 'live' });
	expect(performance.now() - began).toBeLessThan(1000);
	expect(looks(id)).toBe(1);
});

test('a receipt that was there before the wait is told by its first look', async () => {
	const { simulator, watch, message } = await connectedScene();
	const id = message();
	simulator.control.addRows({ instance: 'meta1', statuses: [{ keyId: id, status: 'READ' }] });
	expect(await watch(id)).toEqual({ end: 'reached', receipt: 'read', toldBy: 'polling' });
});

test('an event that came before the wait began, while the answer of the send was under way, is not lost', async () => {
	const { simulator, watch, message, looks } = await connectedScene();
	const id = message();
	event(simulator, id, 'DELIVERED'); // no row: only the event tells
	await sleep(50);
	expect(await watch(id)).toEqual({ end: 'reached', receipt: 'delivered', toldBy: 'live' });
	expect(looks(id)).toBe(0);
});

test('one way tells the first receipt and the other the last: the one that decided is named', async () => {
	const { simulator, watch, message } = await connectedScene();
	const id = message();
	simulator.control.addRows({ instance: 'meta1', statuses: [{ keyId: id, status: 'SENT' }] });
	const end = watch(id);
	await sleep(50);
	event(simulator, id, 'DELIVERED');
	expect(await end).toEqual({ end: 'reached', receipt: 'delivered', toldBy: 'live' });
});

test('events twice and out of order end in the highest; a lower one never takes it back', async () => {
	const { simulator, watch, message } = await connectedScene();
	const id = message();
	const end = watch(id, { target: 'played', timeoutMs: 400 });
	for (const status of ['READ', 'DELIVERED', 'SENT', 'READ'] as const) event(simulator, id, status);
	expect(await end).toEqual({ end: 'timeout', receipt: 'read', toldBy: 'live' });
});

test.each([['FAILED', 'failed'], ['DELETED', 'deleted']] as const)('an event %s ends the wait as such', async (status, end) => {
	const { simulator, watch, message } = await connectedScene();
	const id = message();
	const waiting = watch(id);
	await sleep(30);
	simulator.control.acknowledge(id, status);
	expect(await waiting).toEqual({ end, receipt: end, toldBy: 'live' });
});

test('events of other messages and other instances end nothing', async () => {
	const { simulator, watch, message } = await connectedScene();
	const [id, other] = [message(), message()];
	const end = watch(id, { timeoutMs: 300 });
	event(simulator, other, 'READ');
	event(simulator, id, 'READ', { instance: 'phone1' });
	expect(await end).toEqual({ end: 'timeout' });
});

test('two waits for one message are both told', async () => {
	const { simulator, watch, message } = await connectedScene();
	const id = message();
	const ends = [watch(id, { target: 'sent' }), watch(id, { target: 'read' }), watch(id, { target: 'delivered' })];
	await sleep(30);
	event(simulator, id, 'DELIVERED');
	event(simulator, id, 'READ');
	expect((await Promise.all(ends)).map((end) => 'receipt' in end && end.receipt)).toEqual(['delivered', 'read', 'delivered']);
});

test('while events come, looks are rare: one at the start, one at the end, and few in between', async () => {
	const { watch, message, looks } = await connectedScene({ live: { everyMs: 400, times } });
	const id = message();
	expect(await watch(id, { timeoutMs: 1000 })).toEqual({ end: 'timeout' });
	expect(looks(id)).toBe(4); // at 0, 400, 800 and 1000 ms
});

test('a receipt that no event told is found by a look, and from then on looks do it at their usual pace', async () => {
	const { simulator, watch, message, looks } = await connectedScene({ live: { everyMs: 200, times } });
	const id = message();
	const end = watch(id);
	await sleep(50);
	simulator.control.addRows({ instance: 'meta1', statuses: [{ keyId: id, status: 'DELIVERED' }] });
	expect(await end).toEqual({ end: 'reached', receipt: 'delivered', toldBy: 'polling' });
	await simulator.control.waitUntil(() => simulator.control.live().open.meta1 === 0);
	const next = message();
	await watch(next, { timeoutMs: 400 });
	expect(looks(next)).toBeGreaterThan(4); // at 0, 20, 50, 95, 155 ms …
});

test('a receipt that came before the wait is no missed event', async () => {
	const { simulator, watch, message } = await connectedScene();
	const id = message();
	simulator.control.addRows({ instance: 'meta1', statuses: [{ keyId: id, status: 'DELIVERED' }] });
	await watch(id);
	await sleep(50);
	expect(simulator.control.live()).toMatchObject({ open: { meta1: 1 }, ever: { meta1: 1 } });
});

test('a connection that drops in the middle: looks take over, then events again', async () => {
	const { simulator, watch, message, connected } = await connectedScene({ live: { everyMs: 60_000, times: { ...times, firstRetryMs: 600, mostRetryMs: 600 } } });
	const [first, second] = [message(), message()];
	const ends = [watch(first), watch(second)];
	await sleep(50);
	simulator.control.dropLive();
	simulator.control.addRows({ instance: 'meta1', statuses: [{ keyId: first, status: 'DELIVERED' }] });
	expect(await ends[0]).toEqual({ end: 'reached', receipt: 'delivered', toldBy: 'polling' });
	expect(simulator.control.live().open.meta1).toBe(0);
	await connected();
	await sleep(150);
	event(simulator, second, 'DELIVERED');
	expect(await ends[1]).toEqual({ end: 'reached', receipt: 'delivered', toldBy: 'live' });
});

test('what came while there was no connection is found by the look at its return', async () => {
	const { simulator, watch, message } = await connectedScene({ firstMs: 60_000, mostMs: 60_000 });
	const id = message();
	const end = watch(id);
	await sleep(50);
	simulator.control.settings({ refuseLive: true });
	simulator.control.dropLive();
	await sleep(60); // the look at the loss is over
	simulator.control.addRows({ instance: 'meta1', statuses: [{ keyId: id, status: 'DELIVERED' }] });
	simulator.control.settings({ refuseLive: false });
	expect(await end).toEqual({ end: 'reached', receipt: 'delivered', toldBy: 'polling' });
	await simulator.control.waitUntil(() => simulator.control.live().open.meta1 === 1); // it was no missed event
});

test.each([
	['WEBSOCKET_ENABLED=false', { websocket: false }, false],
	['a proxy without WebSocket', {}, true],
])('%s: waits are told by looks, at their usual pace', async (_what, options, refuseLive) => {
	const { simulator, watch, message, looks } = await scene({ options });
	simulator.control.settings({ refuseLive });
	const id = message();
	const end = watch(id);
	setTimeout(() => simulator.control.acknowledge(id, 'DELIVERED'), 1000);
	expect(await end).toEqual({ end: 'reached', receipt: 'delivered', toldBy: 'polling' });
	expect(looks(id)).toBeGreaterThan(3);
});

test('a wrong key: the wait ends with what the looks were answered, and no connection is tried', async () => {
	const { simulator, message, waits } = await scene();
	const server = new EvolutionServer({ baseUrl: simulator.url, apiKey: 'wrong' });
	endWithTest(() => server.close());
	const end = await waits.watch({ server, instance: 'meta1', messageId: message(), target: 'sent', timeoutMs: 300, call: { timeoutMs: 2000 } });
	expect(end).toEqual({ end: 'timeout', lastError: expect.stringContaining('refused the API key') });
	expect(simulator.control.live().tries).toBe(0);
});

test('a namespace that is not there: the first receipt is told by a look, and the next one live', async () => {
	const { simulator, watch, message, connected } = await scene({ poll: { live: { everyMs: 60_000, times: { ...times, firstRetryMs: 60_000, mostRetryMs: 60_000 } } } });
	const [first, second] = [message(), message()];
	const ends = [watch(first), watch(second, { timeoutMs: 10_000 })];
	await simulator.control.waitUntil(() => simulator.control.live().tries === 1);
	await sleep(1000); // no more than one try a second
	simulator.control.acknowledge(first, 'DELIVERED'); // its event makes the namespace, and nobody hears it
	expect(await ends[0]).toEqual({ end: 'reached', receipt: 'delivered', toldBy: 'polling' });
	await connected();
	await sleep(50);
	simulator.control.acknowledge(second, 'DELIVERED');
	expect(await ends[1]).toEqual({ end: 'reached', receipt: 'delivered', toldBy: 'live' });
});

test('a message without any record ends the wait soon, with events as without', async () => {
	const { watch, simulator } = await connectedScene();
	simulator.control.clearLog();
	const began = performance.now();
	expect(await watch('wamid.unknown', { timeoutMs: 10_000 })).toEqual({ end: 'notRecorded' });
	expect(performance.now() - began).toBeGreaterThan(950);
	expect(performance.now() - began).toBeLessThan(2000);
	expect(simulator.control.counts().findMessages).toBe(2);
});

test('a message that is not on record at first, but of which an event comes, is waited for', async () => {
	const { simulator, watch } = await connectedScene();
	const end = watch('wamid.late', { target: 'delivered', timeoutMs: 2500 });
	await sleep(300);
	event(simulator, 'wamid.late', 'SENT');
	await sleep(1200);
	event(simulator, 'wamid.late', 'DELIVERED');
	expect(await end).toEqual({ end: 'reached', receipt: 'delivered', toldBy: 'live' });
});

test('a hundred waits share one connection, which is closed a while after the last', async () => {
	const { simulator, watch, message, connected } = await scene();
	namespace(simulator);
	const ids = Array.from({ length: 100 }, message);
	const ends = ids.map((id) => watch(id));
	await connected();
	for (const id of ids) event(simulator, id, 'DELIVERED');
	expect(new Set((await Promise.all(ends)).map(({ end }) => end))).toEqual(new Set(['reached']));
	expect(simulator.control.live()).toMatchObject({ tries: 1, open: { meta1: 1 }, ever: { meta1: 1 } });
	await simulator.control.waitUntil(() => simulator.control.live().open.meta1 === 0);
	await sleep(100);
	expect(simulator.control.live().tries).toBe(1);
});

test('instances have a connection each, and one does not tell for the other', async () => {
	const { simulator, watch, message } = await connectedScene();
	simulator.control.emitLive('phone1', 'send.message', {});
	const id = message();
	const ends = [watch(id, { timeoutMs: 600 }), watch(id, { instance: 'phone1', timeoutMs: 600 })];
	await simulator.control.waitUntil(() => simulator.control.live().open.phone1 === 1);
	simulator.control.emitLive('phone1', 'messages.update', { instance: 'phone1', data: { keyId: id, status: 'DELIVERED' } });
	expect((await Promise.all(ends)).map(({ end }) => end)).toEqual(['timeout', 'reached']);
});

test('a cancelled wait ends at once, and its event later is nobody\'s', async () => {
	const { simulator, watch, message } = await connectedScene();
	const id = message();
	const cancel = new AbortController();
	const end = watch(id, { signal: cancel.signal, timeoutMs: 60_000 });
	await sleep(30);
	cancel.abort();
	expect(await end).toEqual({ end: 'cancelled' });
	event(simulator, id, 'READ');
	await sleep(50);
});

test('no key of an event is anywhere in what waits hold or tell', async () => {
	const { simulator, watch, message, waits, server } = await connectedScene();
	const [id, other] = [message(), message()];
	const ends = [watch(id), watch(other, { timeoutMs: 400 })];
	event(simulator, id, 'READ');
	event(simulator, 'nobody', 'READ');
	const told = [await ends[0]];
	// the caller's own key is "simulator-key"; events hold the instance's
	expect(inspect([told, waits, server], { depth: 8 })).not.toContain('instance-token');
	told.push(await ends[1]);
	expect(JSON.stringify(told)).not.toMatch(/token|key/i);
});

describe('many waits', () => {
	test('start no more requests a second than set, and all get their look in turn', async () => {
		const { simulator, watch, message } = await scene({ poll: { atOnce: 4, mostPerSecond: 50, live: undefined } });
		const ids = Array.from({ length: 60 }, message);
		simulator.control.addRows({ instance: 'meta1', statuses: ids.map((keyId) => ({ keyId, status: 'SENT' as const })) });
		const ends = await Promise.all(ids.map((id) => watch(id, { timeoutMs: 2400 })));
		expect(ends.every((end) => end.end === 'timeout' && end.receipt === 'sent')).toBe(true);
		const looks = simulator.control.requests();
		const [first, last] = [looks[0]?.arrivedAt ?? 0, looks.at(-1)?.arrivedAt ?? 0];
		expect(looks.length).toBeLessThanOrEqual(4 + 1 + ((last - first) / 1000) * 50 * 1.1);
		expect(looks.length).toBeGreaterThan(60);
		expect(new Set(looks.map(({ messageId }) => messageId)).size).toBe(60);
	});

	test('end in time though there are too many for a last look each', async () => {
		const { watch, message } = await scene({ poll: { atOnce: 2, mostPerSecond: 5, live: undefined } });
		const began = performance.now();
		const ends = await Promise.all(Array.from({ length: 500 }, message).map((id) => watch(id, { timeoutMs: 500 })));
		expect(new Set(ends.map(({ end }) => end))).toEqual(new Set(['timeout']));
		expect(performance.now() - began).toBeLessThan(20_000); // a look for each would take 100 s
	});
});
