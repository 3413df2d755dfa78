// What a wait for a receipt costs: time from the event to the wait's end, memory of each, and requests a second.
import { setTimeout as sleep } from 'node:timers/promises';
import { io } from 'socket.io-client';
import { EvolutionServer } from '../../evolution/server';
import { type PollSettings, ReceiptWaits, type WaitEnd } from '../../ordering/receipts/waits';
import { startSimulator, type Simulator } from '../../simulator';
import { heapInUse, median } from './runtime';

const poll: PollSettings = { firstMs: 250, factor: 1.5, mostMs: 5_000, atOnce: 8, mostPerSecond: 30 };
const live: PollSettings['live'] = { everyMs: 15_000 };
const longMs = 3_600_000;

/** Two instances, so that an event goes to one listener only. */
async function simulated(messageIds: string[]): Promise<Simulator> {
	const simulator = await startSimulator({ instances: [{ name: 'ours', channel: 'WHATSAPP-BUSINESS' }, { name: 'bare', channel: 'WHATSAPP-BUSINESS' }] });
	for (const instance of ['ours', 'bare']) simulator.control.emitLive(instance, 'send.message', {});
	simulator.control.addRows({ instance: 'ours', messages: messageIds.map((id) => ({ key: { id, fromMe: true, remoteJid: '5511988887777@s.whatsapp.net' } })) });
	return simulator;
}

function emit(simulator: Simulator, instance: string, keyId: string): void {
	simulator.control.emitLive(instance, 'messages.update', { event: 'messages.update', instance, data: { keyId, status: 'DELIVERED', fromMe: false, remoteJid: '5511988887777@s.whatsapp.net' }, apikey: 'token' });
}

function watchAll(waits: ReceiptWaits, server: EvolutionServer, messageIds: string[], signals: AbortSignal[] = []): Array<Promise<WaitEnd>> {
	return messageIds.map((messageId, n) => waits.watch({ server, instance: 'ours', messageId, target: 'delivered', timeoutMs: longMs, signal: signals[n], call: { timeoutMs: 30_000 } }));
}

/**
 * From the simulator's emit to the end of the wait, beside a bare socket.io client's listener at the same server; one
 * after the other, in ms, medians. All waits stand before the first event.
 */
export async function benchLiveReceipt(samples = 300): Promise<{ bareMs: number; liveMs: number; ratio: number }> {
	const ids = Array.from({ length: samples }, (_, n) => `wamid.${n}`);
	const simulator = await simulated(ids);
	const server = new EvolutionServer({ baseUrl: simulator.url, apiKey: simulator.apiKey });
	const socket = io(`${simulator.url}/bare`, { transports: ['websocket'], extraHeaders: { apikey: simulator.apiKey }, forceNew: true });
	try {
		const heard = new Map<string, () => void>();
		socket.on('messages.update', ({ data }: { data: { keyId: string } }) => heard.get(data.keyId)?.());
		const ends = watchAll(new ReceiptWaits({ ...poll, mostPerSecond: 10_000, live }), server, ids);
		await simulator.control.waitUntil(() => simulator.control.live().open.ours === 1 && simulator.control.live().open.bare === 1);
		const looks = () => simulator.control.requests().length;
		for (let before = -1; before !== looks(); await sleep(500)) before = looks();
		const [bare, ours]: number[][] = [[], []];
		for (const [n, id] of ids.entries()) {
			const toldBare = new Promise<void>((resolve) => heard.set(id, resolve));
			bare!.push(await timed(() => emit(simulator, 'bare', id), toldBare));
			ours!.push(await timed(() => emit(simulator, 'ours', id), ends[n] as Promise<unknown>));
		}
		const [bareMs, liveMs] = [median(bare!), median(ours!)];
		return { bareMs, liveMs, ratio: liveMs / bareMs };
	} finally {
		socket.close();
		server.close();
		await simulator.close();
	}
}

export interface WaitingCost {
	/** Heap, with the promise, its listener for the cancel button, and the place in the schedules. */
	bytesPerWait: number;
	/** Requests a second of all waits, while events come. */
	pollsPerSecondLive: number;
	/** The same where live events are off. */
	pollsPerSecondPolling: number;
	/** How long the event loop was held at most while they began, in ms. */
	beginMs: number;
	/** From the first event to the end of the last wait, one event for each. */
	allToldMs: number;
}

/** `count` waits at once in one engine, for minutes or more. */
export async function benchWaiting(count = 10_000): Promise<WaitingCost> {
	const ids = Array.from({ length: count }, (_, n) => `wamid.${n}`);
	const pollsPerSecondPolling = await pollsWithoutLive(ids);
	const simulator = await simulated(ids);
	const server = new EvolutionServer({ baseUrl: simulator.url, apiKey: simulator.apiKey });
	try {
		const waits = new ReceiptWaits({ ...poll, live });
		const signals = ids.map(() => new AbortController().signal);
		const first = watchAll(waits, server, ['wamid.0']);
		await simulator.control.waitUntil(() => simulator.control.live().open.ours === 1);
		emit(simulator, 'ours', 'wamid.0');
		await Promise.all(first);
		const before = await heapAfterClearing(simulator);
		const began = performance.now();
		const ends = watchAll(waits, server, ids, signals);
		const beginMs = performance.now() - began;
		const bytesPerWait = (await heapAfterClearing(simulator) - before) / count;
		const pollsPerSecondLive = await pollsPerSecond(simulator);
		const emitted = performance.now();
		for (const id of ids) emit(simulator, 'ours', id);
		await Promise.all(ends);
		return { bytesPerWait, pollsPerSecondLive, pollsPerSecondPolling, beginMs, allToldMs: performance.now() - emitted };
	} finally {
		server.close();
		await simulator.close();
	}
}

async function pollsWithoutLive(ids: string[]): Promise<number> {
	const simulator = await simulated(ids);
	const server = new EvolutionServer({ baseUrl: simulator.url, apiKey: simulator.apiKey });
	const cancel = new AbortController();
	try {
		const ends = watchAll(new ReceiptWaits(poll), server, ids, ids.map(() => cancel.signal));
		const measured = await pollsPerSecond(simulator);
		cancel.abort();
		await Promise.all(ends);
		return measured;
	} finally {
		server.close();
		await simulator.close();
	}
}

async function pollsPerSecond(simulator: Simulator, seconds = 5): Promise<number> {
	await sleep(500); // the reserve that may start at once
	const before = simulator.control.requests().length;
	await sleep(seconds * 1000);
	return (simulator.control.requests().length - before) / seconds;
}

async function timed(start: () => void, end: Promise<unknown>): Promise<number> {
	const began = performance.now();
	start();
	await end;
	return performance.now() - began;
}

async function heapAfterClearing(simulator: Simulator): Promise<number> {
	simulator.control.clearLog();
	return await heapInUse();
}
