// One of the two processes that hand a chat to each other; times are the machine's monotonic clock, in ms.
import { Redis } from 'ioredis';
import Redlock from 'redlock';
import { RedisLanes } from '../../ordering/lanes/redis/redis';
import type { Chat } from '../../ordering/transaction';
import { setTimeout as sleep } from 'node:timers/promises';

export interface HandOverTask {
	url: string;
	turns: number;
	rounds: number;
	lockTurns: number;
}

export interface HandOverAnswer {
	turns: Array<{ pid: number; began: number; ended: number; number: number }>;
	pings?: number[];
}

const task = JSON.parse(process.argv[2] ?? '') as HandOverTask;
const chat: Chat = { server: 'http://bench', instance: 'bench', recipient: 'bench' };
const now = () => Number(process.hrtime.bigint()) / 1e6;

const lanes = RedisLanes.open({ url: task.url, prefix: 'bench', settleMs: 0, readRecord: async () => ({ fence: 0, marks: { sequences: {}, executions: {} } }) });
const client = new Redis(task.url);
const redlock = new Redlock([client]); // its defaults: up to 10 retries, one every 200 to 400 ms

async function throughLanes(): Promise<HandOverAnswer> {
	const turns: HandOverAnswer['turns'] = [];
	let ticket = lanes.take(chat, { priority: 'normal' });
	for (let i = 0; i < task.turns; i++) {
		const grant = await ticket.turn(60_000);
		const began = now();
		ticket = lanes.take(chat, { priority: 'normal' }); // the next place stands behind the other process's
		await sleep(1);
		const ended = now();
		grant.release();
		turns.push({ pid: process.pid, began, ended, number: grant.ticket });
	}
	ticket.leave();
	const pings: number[] = [];
	for (let i = 0; i < task.turns; i++) {
		const began = now();
		await client.ping();
		pings.push(now() - began);
		await sleep(1);
	}
	return { turns, pings };
}

async function throughRedlock(): Promise<HandOverAnswer> {
	const turns: HandOverAnswer['turns'] = [];
	for (let i = 0; i < task.lockTurns; i++) {
		const lock = await redlock.acquire(['bench-lock'], 10_000);
		const began = now();
		await sleep(20);
		const ended = now();
		await lock.release();
		turns.push({ pid: process.pid, began, ended, number: 0 });
		await sleep(1); // or it would take the lock again itself before the other one looks
	}
	return { turns };
}

process.on('message', (what) => {
	void (what === 'lanes' ? throughLanes() : throughRedlock()).then((answer) => process.send?.(answer));
});
void client.ping().then(() => process.send?.('ready'));
