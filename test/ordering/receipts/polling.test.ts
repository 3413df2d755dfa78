// Waiting for receipts by polling, at the simulator: how often, how many at once, and how each wait ends.
import { EvolutionServer } from '../../../evolution/server';
import { type PollSettings, ReceiptWaits, type Watch } from '../../../ordering/receipts/waits';
import type { AckStatus, Simulator } from '../../../simulator';
import { endWithTest, simulated, thrownBy } from '../../evolution/helpers';

const number = '5511988887777';
const quick: PollSettings = { firstMs: 20, factor: 1.5, mostMs: 100, atOnce: 8 };

function clientOf(simulator: Simulator): EvolutionServer {
	const server = new EvolutionServer({ baseUrl: simulator.url, apiKey: simulator.apiKey });
	endWithTest(() => server.close());
	return server;
}

async function sent(simulator: Simulator, acks: Array<{ status: AckStatus; afterMs: number }> = []): Promise<{ server: EvolutionServer; messageId: string }> {
	simulator.control.addRule({ route: 'sendText', times: 1, acks });
	const server = clientOf(simulator);
	const { messageId } = (await server.send('meta1', number, { kind: 'text', text: 'x' }, { timeoutMs: 5000 })) as { messageId: string };
	return { server, messageId };
}

function watch(given: { server: EvolutionServer; messageId: string }, more: Partial<Watch> = {}): Watch {
	return { instance: 'meta1', target: 'delivered', timeoutMs: 3000, call: { timeoutMs: 2000 }, ...given, ...more };
}

test('a receipt that is there is told', async () => {
	const given = await sent(await simulated(), [{ status: 'SENT', afterMs: 10 }, { status: 'DELIVERED', afterMs: 80 }]);
	expect(await new ReceiptWaits(quick).watch(watch(given))).toEqual({ end: 'reached', receipt: 'delivered', toldBy: 'polling' });
});

test('a higher one is as good', async () => {
	const given = await sent(await simulated(), [{ status: 'READ', afterMs: 30 }]);
	expect(await new ReceiptWaits(quick).watch(watch(given, { target: 'sent' }))).toEqual({ end: 'reached', receipt: 'read', toldBy: 'polling' });
});

test('receipts out of order and twice end in the highest', async () => {
	const given = await sent(await simulated(), [{ status: 'READ', afterMs: 0 }, { status: 'DELIVERED', afterMs: 1 }, { status: 'READ', afterMs: 2 }, { status: 'SENT', afterMs: 3 }]);
	expect(await new ReceiptWaits(quick).watch(watch(given, { target: 'read' }))).toEqual({ end: 'reached', receipt: 'read', toldBy: 'polling' });
});

test('a failed message ends the wait at once', async () => {
	const given = await sent(await simulated(), [{ status: 'SENT', afterMs: 0 }, { status: 'FAILED', afterMs: 20 }]);
	const began = performance.now();
	expect(await new ReceiptWaits(quick).watch(watch(given, { timeoutMs: 10_000 }))).toEqual({ end: 'failed', receipt: 'failed', toldBy: 'polling' });
	expect(performance.now() - began).toBeLessThan(2000);
});

test('a deleted message ends the wait', async () => {
	const given = await sent(await simulated(), [{ status: 'DELETED', afterMs: 10 }]);
	expect(await new ReceiptWaits(quick).watch(watch(given))).toEqual({ end: 'deleted', receipt: 'deleted', toldBy: 'polling' });
});

test('a message without any record ends the wait early', async () => {
	const simulator = await simulated();
	simulator.control.setInstance('meta1', { saveMessages: false });
	const given = await sent(simulator);
	const began = performance.now();
	expect(await new ReceiptWaits(quick).watch(watch(given, { timeoutMs: 10_000 }))).toEqual({ end: 'notRecorded' });
	expect(performance.now() - began).toBeLessThan(2000);
	expect(simulator.control.counts().findMessages).toBe(2);
});

test('a record that comes a little late is no missing record', async () => {
	const simulator = await simulated();
	simulator.control.addRule({ route: 'sendText', times: 1, saveAfterMs: 60, acks: [{ status: 'DELIVERED', afterMs: 150 }] });
	const server = clientOf(simulator);
	const { messageId } = (await server.send('meta1', number, { kind: 'text', text: 'x' }, { timeoutMs: 5000 })) as { messageId: string };
	expect(await new ReceiptWaits({ ...quick, firstMs: 100 }).watch(watch({ server, messageId }))).toEqual({ end: 'reached', receipt: 'delivered', toldBy: 'polling' });
});

test('whether the message is on record is asked once where it is', async () => {
	const simulator = await simulated();
	const given = await sent(simulator);
	await new ReceiptWaits(quick).watch(watch(given, { timeoutMs: 500 }));
	expect(simulator.control.counts().findMessages).toBe(1);
});

test('the pauses grow to their limit', async () => {
	const simulator = await simulated();
	const given = await sent(simulator, [{ status: 'SENT', afterMs: 0 }]);
	await new ReceiptWaits({ firstMs: 40, factor: 2, mostMs: 160, atOnce: 8 }).watch(watch(given, { timeoutMs: 4000 }));
	const times = simulator.control.requests().filter(({ route }) => route === 'findStatusMessage').map(({ arrivedAt }) => arrivedAt);
	const pauses = times.slice(1).map((time, i) => time - (times[i] as number));
	for (const [i, least] of [40, 80, 160, 160].entries()) expect(pauses[i]).toBeGreaterThan(least - 10);
	// without the limit, the fourth pause would last 320 ms; a busy machine can lengthen some, not each
	expect(Math.min(...pauses.slice(3))).toBeLessThan(320);
	expect(times.length).toBeLessThanOrEqual(28);
});

test('time that is up ends the wait with what is known, after one last look', async () => {
	const simulator = await simulated();
	const given = await sent(simulator, [{ status: 'SENT', afterMs: 0 }]);
	const began = performance.now();
	expect(await new ReceiptWaits(quick).watch(watch(given, { timeoutMs: 300 }))).toEqual({ end: 'timeout', receipt: 'sent', toldBy: 'polling' });
	expect(performance.now() - began).toBeGreaterThan(290);
	expect(performance.now() - began).toBeLessThan(1500);
});

test('a receipt that came within the time is told by the last look, however long the pauses are', async () => {
	const given = await sent(await simulated(), [{ status: 'DELIVERED', afterMs: 250 }]);
	expect(await new ReceiptWaits({ ...quick, firstMs: 60_000, mostMs: 60_000 }).watch(watch(given, { timeoutMs: 600 }))).toEqual({ end: 'reached', receipt: 'delivered', toldBy: 'polling' });
});

test('a server that hangs does not hold the wait much beyond its time', async () => {
	const simulator = await simulated();
	const given = await sent(simulator);
	simulator.control.addRule({ route: 'findStatusMessage', answer: { kind: 'hang' } });
	const began = performance.now();
	expect(await new ReceiptWaits(quick).watch(watch(given, { timeoutMs: 200, call: { timeoutMs: 60_000 } }))).toMatchObject({ end: 'timeout' });
	expect(performance.now() - began).toBeLessThan(2500);
});

test.each([
	['500', { kind: 'http', status: 500, body: { response: { message: 'database' } } }],
	['a web page', { kind: 'http', status: 502, body: '<html>' }],
	['a reset', { kind: 'reset' }],
	['no answer', { kind: 'hang' }],
	['nonsense', { kind: 'nonsense', as: 'invalidJson' }],
] as const)('looks that fail with %s do not end the wait', async (_what, answer) => {
	const simulator = await simulated();
	const given = await sent(simulator, [{ status: 'DELIVERED', afterMs: 0 }]);
	simulator.control.addRule({ route: 'findStatusMessage', times: 3, answer });
	expect(await new ReceiptWaits(quick).watch(watch(given, { call: { timeoutMs: 150 } }))).toEqual({ end: 'reached', receipt: 'delivered', toldBy: 'polling' });
	expect(simulator.control.counts().findStatusMessage).toBe(4);
});

test('a wait whose looks all failed says why', async () => {
	const simulator = await simulated();
	const given = await sent(simulator);
	simulator.control.addRule({ route: 'findStatusMessage', answer: { kind: 'http', status: 500, body: { response: { message: 'no database' } } } });
	expect(await new ReceiptWaits(quick).watch(watch(given, { timeoutMs: 200 }))).toEqual({ end: 'timeout', lastError: expect.stringContaining('no database') });
});

test('a failure of before is forgotten once a look succeeds', async () => {
	const simulator = await simulated();
	const given = await sent(simulator, [{ status: 'SENT', afterMs: 0 }]);
	simulator.control.addRule({ route: 'findStatusMessage', times: 1, answer: { kind: 'reset' } });
	expect(await new ReceiptWaits(quick).watch(watch(given, { timeoutMs: 1000 }))).toEqual({ end: 'timeout', receipt: 'sent', toldBy: 'polling' });
});

test('never more than one look for a message is under way', async () => {
	const simulator = await simulated();
	const given = await sent(simulator);
	simulator.control.addRule({ route: 'findStatusMessage', answerAfterMs: 100 });
	await new ReceiptWaits({ ...quick, firstMs: 5, mostMs: 5 }).watch(watch(given, { timeoutMs: 600 }));
	expect(simulator.control.statusPeaks()).toEqual({ [given.messageId]: 1 });
	expect(simulator.control.counts().findStatusMessage).toBeGreaterThan(2);
});

test('all waits of a server share one limit', async () => {
	const simulator = await simulated();
	const server = clientOf(simulator);
	let [now, most] = [0, 0];
	const counting: Watch['server'] = {
		isOnRecord: (...rest) => server.isOnRecord(...rest),
		receiptsOf: async (...rest) => {
			most = Math.max(most, ++now);
			try {
				return await server.receiptsOf(...rest);
			} finally {
				now -= 1;
			}
		},
	};
	const ids = Array.from({ length: 30 }, (_, i) => `M${i}`);
	simulator.control.addRows({ instance: 'meta1', messages: ids.map((id) => ({ key: { id, fromMe: true, remoteJid: `${number}@s.whatsapp.net` } })) });
	simulator.control.addRule({ route: 'findStatusMessage', answerAfterMs: 30 });
	const waits = new ReceiptWaits({ ...quick, atOnce: 3 });
	const ends = ids.map((messageId) => waits.watch({ ...watch({ server, messageId }), server: counting, timeoutMs: 5000 }));
	setTimeout(() => simulator.control.addRows({ instance: 'meta1', statuses: ids.map((keyId) => ({ keyId, status: 'DELIVERED' as const })) }), 100);
	expect(new Set((await Promise.all(ends)).map(({ end }) => end))).toEqual(new Set(['reached']));
	expect(most).toBe(3);
});

test('a wait for one message is not ended by the receipts of another', async () => {
	const simulator = await simulated();
	const other = await sent(simulator, [{ status: 'READ', afterMs: 0 }]);
	const mine = await sent(simulator, []);
	const waits = new ReceiptWaits(quick);
	const [first, second] = await Promise.all([waits.watch(watch(other)), waits.watch(watch(mine, { timeoutMs: 300 }))]);
	expect([first.end, second.end]).toEqual(['reached', 'timeout']);
});

describe('a cancelled wait', () => {
	test('ends at once in its pause', async () => {
		const given = await sent(await simulated());
		const cancel = new AbortController();
		const began = performance.now();
		setTimeout(() => cancel.abort(), 100);
		expect(await new ReceiptWaits({ ...quick, firstMs: 60_000, mostMs: 60_000 }).watch(watch(given, { signal: cancel.signal, timeoutMs: 60_000 }))).toEqual({ end: 'cancelled' });
		expect(performance.now() - began).toBeLessThan(1000);
	});

	test('ends at once in its request', async () => {
		const simulator = await simulated();
		const given = await sent(simulator);
		simulator.control.addRule({ route: 'findStatusMessage', answer: { kind: 'hang' } });
		const cancel = new AbortController();
		setTimeout(() => cancel.abort(), 100);
		const began = performance.now();
		expect(await new ReceiptWaits(quick).watch(watch(given, { signal: cancel.signal, call: { timeoutMs: 60_000 } }))).toEqual({ end: 'cancelled' });
		expect(performance.now() - began).toBeLessThan(1000);
	});

	test('that was cancelled before it began asks nothing', async () => {
		const simulator = await simulated();
		const given = await sent(simulator);
		expect(await new ReceiptWaits(quick).watch(watch(given, { signal: AbortSignal.abort() }))).toEqual({ end: 'cancelled' });
		expect(simulator.control.counts()).not.toHaveProperty('findStatusMessage');
	});
});

test('an error that is a bug is not taken for a failed look', async () => {
	const server: Watch['server'] = { receiptsOf: async () => { throw new TypeError('bug'); }, isOnRecord: async () => true };
	expect(await thrownBy(new ReceiptWaits(quick).watch({ server, instance: 'i', messageId: 'M', target: 'sent', timeoutMs: 1000, call: { timeoutMs: 100 } }))).toBeInstanceOf(TypeError);
});
