// Lanes over Redis that several processes share, and what becomes of them when one dies.
import { CancelledError, LanesUnavailableError, SequenceTooLateError } from '../../../ordering/errors';
import type { Grant, OrderKey } from '../../../ordering/lanes/lanes';
import type { RedisLanes } from '../../../ordering/lanes/redis/redis';
import { cert, key } from '../../nodes/certificate';
import { thrownBy } from '../../evolution/helpers';
import { chat, notedIn } from './redis/shared';
import { deadAfterMs, leaseMs, nothing, redisScene, sleep, until } from './redis/scene';

const long = 20_000;

/** Takes a turn, notes it, and releases it. */
async function pass(lanes: RedisLanes, name: string, order: string[], more: Partial<OrderKey> = {}): Promise<Grant> {
	const grant = await lanes.take(chat, { priority: 'normal', ...more }).turn(long);
	order.push(name);
	grant.release();
	return grant;
}

describe('several processes', () => {
	test('get their turns in one order, whatever process they are in', async () => {
		const { open } = await redisScene();
		const [a, b] = [await open(), await open()];
		const holder = await a.take(chat, { priority: 'normal', execution: 1 }).turn(long);
		const order: string[] = [];
		const all = [
			pass(a, 'low', order, { priority: 'low', execution: 2 }), pass(b, '9', order, { execution: 9 }), pass(a, '10', order, { execution: 10 }), pass(b, 'without', order),
			pass(a, '8', order, { execution: 8 }), pass(b, 'high', order, { priority: 'high' }), pass(a, 'number 1', order, { sequence: { number: 1, gapMs: 0, again: false } }),
		];
		await until(async () => (await holder.waiting()) === all.length);
		holder.release();
		const grants = await Promise.all(all);
		expect(order).toEqual(['high', 'number 1', '8', '9', '10', 'without', 'low']);
		expect(new Set(grants.map(({ fence }) => fence)).size).toBe(7);
		expect(grants.filter(({ late }) => late)).toEqual([]);
	});

	test('see each other, until they close', async () => {
		const { open } = await redisScene();
		const [a, b] = [await open(), await open()];
		expect(await a.alive([a.owner, b.owner, 'nobody'])).toEqual(new Set([a.owner, b.owner]));
		await b.close();
		expect(await a.alive([a.owner, b.owner])).toEqual(new Set([a.owner]));
	});

	test('one that closes lets the others go on at once, and its waiting ones fail', async () => {
		const { open } = await redisScene();
		await open(); // so that the new Redis gives turns after its short lease
		const [a, b] = [await open({ leaseMs: 30_000 }), await open({ leaseMs: 30_000 })];
		await a.take(chat, { priority: 'normal' }).turn(long);
		const waiting = thrownBy(a.take(chat, { priority: 'high' }).turn(long));
		const next = b.take(chat, { priority: 'normal' }).turn(long);
		await a.close();
		expect(await waiting).toBeInstanceOf(LanesUnavailableError);
		await next;
	});

	test('real processes: each execution has one turn, in the order of their numbers, and no two are at work', async () => {
		const scene = await redisScene();
		const holder = await (await scene.open()).take(chat, { priority: 'high' }).turn(long);
		const workers = [await scene.worker({ executions: [2, 5, 4, 9], parallel: 4, workMs: 2 }), await scene.worker({ executions: [7, 1, 3, 6, 8], parallel: 5, workMs: 2 })];
		for (const worker of workers) worker.go();
		await until(async () => (await holder.waiting()) === 9);
		holder.release();
		await Promise.all(workers.map(({ ended }) => ended));
		expect(notedIn(scene.folder).map(({ execution, late }) => ({ execution, late }))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9].map((execution) => ({ execution, late: false })));
		const fences = notedIn(scene.folder).map(({ fence }) => fence ?? 0);
		expect(fences).toEqual([...fences].sort((x, y) => x - y));
	});

	test('a lane is asked of the ledger once, and gives no turn before', async () => {
		const { open } = await redisScene();
		let answer = () => {};
		let asked = 0;
		const slow = async () => {
			asked += 1;
			await new Promise<void>((resolve) => (answer = resolve));
			return { ...nothing, fence: 20 };
		};
		const [a, b] = [await open({ readRecord: slow }), await open({ readRecord: async () => Promise.reject(new Error('only one is asked')) })];
		const first = a.take(chat, { priority: 'normal' }).turn(long);
		await until(() => asked === 1);
		answer();
		const grant = await first;
		const second = b.take(chat, { priority: 'normal' }).turn(long);
		grant.release();
		expect([grant.fence, (await second).fence]).toEqual([21, 22]);
	});
});

describe('settling', () => {
	test('any two that come within it go in their order', async () => {
		const { open } = await redisScene();
		const [a, b] = [await open({ settleMs: 400 }), await open({ settleMs: 400 })];
		const order: string[] = [];
		const later = pass(a, '8', order, { execution: 8 });
		await sleep(150);
		const earlier = pass(b, '7', order, { execution: 7 });
		expect([(await earlier).late, (await later).late]).toEqual([false, false]);
		expect(order).toEqual(['7', '8']);
	});

	test('is not asked of the next sequence number, nor of the transaction that holds the chat', async () => {
		const { open } = await redisScene();
		const lanes = await open({ settleMs: 3000, readRecord: async () => ({ ...nothing, fence: 1, heldBy: 'failed' }) });
		const resumed = await lanes.take(chat, { priority: 'normal', execution: 5, transactionId: 'failed' }).turn(1500);
		resumed.release();
		await lanes.take(chat, { priority: 'normal', sequence: { number: 1, gapMs: 0, again: false } }).turn(1500);
	});

	test('of a waiting ticket is over when its process asks, though another process frees the lane', async () => {
		const { open } = await redisScene();
		await open(); // so that the new Redis gives turns after its short lease
		const [a, b] = [await open({ settleMs: 300, leaseMs: 60_000 }), await open({ settleMs: 300, leaseMs: 60_000 })];
		const holder = await a.take(chat, { priority: 'normal', execution: 1 }).turn(long);
		const next = b.take(chat, { priority: 'normal', execution: 2 }).turn(5000);
		await until(async () => (await holder.waiting()) === 1);
		holder.release();
		expect((await next).waitedMs).toBeGreaterThanOrEqual(290);
	});
});

test('a place that is taken right after a release gets its turn after the settling time', async () => {
	const { open } = await redisScene();
	await open(); // so that the new Redis gives turns after its short lease
	const lanes = await open({ settleMs: 100, leaseMs: 60_000 });
	for (let execution = 1; execution <= 6; execution++) (await lanes.take(chat, { priority: 'normal', execution }).turn(5000)).release();
});

describe('thousands that wait in one chat', () => {
	const count = 2000;

	/** Waiting tickets, and how many commands Redis and its scripts run in one lease with them. */
	async function crowd(heldBy?: string) {
		const { open, redis } = await redisScene();
		const lanes = await open({ readRecord: async () => ({ ...nothing, fence: 1, ...(heldBy === undefined ? {} : { heldBy }) }) });
		const stop = new AbortController();
		const key = (execution: number): OrderKey => ({ priority: 'normal', execution, transactionId: `t${execution}` });
		const holder = heldBy === undefined ? await lanes.take(chat, key(0)).turn(long) : undefined;
		const waiting = Array.from({ length: count }, (_, i) => lanes.take(chat, key(i + 1)).turn(60_000, stop.signal).catch(() => {}));
		await until(async () => Number(await redis.client.zcard((await redis.client.keys('*:queue'))[0] ?? '')) === count);
		const calls = async () => [...(await redis.client.info('commandstats')).matchAll(/calls=(\d+)/g)].reduce((sum, [, number]) => sum + Number(number), 0);
		const commandsInALease = async () => {
			const before = await calls();
			await sleep(leaseMs);
			return (await calls()) - before;
		};
		const end = async () => {
			stop.abort();
			await Promise.all(waiting);
			holder?.release();
		};
		return { lanes, commandsInALease, end };
	}

	test('get their turns within a third of a lease even where no message comes through', async () => {
		const { open, redis } = await redisScene();
		await redis.client.call('ACL', 'SETUSER', 'default', '-subscribe');
		const lanes = await open();
		const holder = await lanes.take(chat, { priority: 'normal' }).turn(long);
		const stop = new AbortController();
		const waiting = Array.from({ length: count }, () => lanes.take(chat, { priority: 'normal' }).turn(60_000, stop.signal).catch(() => {}));
		const next = lanes.take(chat, { priority: 'high' }).turn(long); // in the order of asking the last one
		await until(async () => (await holder.waiting()) === count + 1);
		const released = performance.now();
		holder.release();
		await next;
		expect(performance.now() - released).toBeLessThan(leaseMs);
		stop.abort();
		await Promise.all(waiting);
	});

	test('do not all ask again and again', async () => {
		const { commandsInALease, end } = await crowd();
		expect(await commandsInALease()).toBeLessThan(count * 3); // 100 ask at a time, about 10 commands each
		await end();
	});

	test('while it is held cost no more than a few, and the transaction that holds it is found among them', async () => {
		const { lanes, commandsInALease, end } = await crowd('failed');
		expect(await commandsInALease()).toBeLessThan(count * 3);
		const began = performance.now();
		const grant = await lanes.take(chat, { priority: 'low', transactionId: 'failed' }).turn(5000);
		expect(performance.now() - began).toBeLessThan(500);
		grant.release('failed');
		await end();
	});
});

describe('a process that dies', () => {
	test('while it has the turn keeps the chat for its lease and the time to come back, no longer', async () => {
		const scene = await redisScene();
		const lanes = await scene.open();
		const worker = await scene.worker({ executions: [1], stay: true });
		worker.go();
		await until(() => notedIn(scene.folder).length === 1);
		const next = lanes.take(chat, { priority: 'normal', execution: 2 }).turn(long);
		worker.process.kill('SIGKILL');
		const died = performance.now();
		const grant = await next;
		expect(performance.now() - died).toBeLessThan(deadAfterMs + 1000);
		expect(performance.now() - died).toBeGreaterThan(leaseMs / 2);
		expect(grant.fence).toBeGreaterThan(notedIn(scene.folder)[0]?.fence ?? 0);
	});

	test('while it waits is not in the way of the others', async () => {
		const scene = await redisScene();
		const lanes = await scene.open();
		const holder = await lanes.take(chat, { priority: 'normal', execution: 1 }).turn(long);
		const worker = await scene.worker({ executions: [2, 3], parallel: 2 });
		worker.go();
		await until(async () => (await holder.waiting()) === 2);
		worker.process.kill('SIGKILL');
		await worker.ended;
		const next = lanes.take(chat, { priority: 'normal', execution: 4 }).turn(long);
		holder.release();
		const released = performance.now();
		await next;
		expect(performance.now() - released).toBeLessThan(deadAfterMs + 1000);
		expect(notedIn(scene.folder)).toEqual([]);
	});

	test('before it recorded the turn of its number leaves that to its transaction, and to no other', async () => {
		const { open } = await redisScene();
		const [a, b] = [await open(), await open()];
		const sequence = { number: 1, gapMs: 0, again: false };
		await a.take(chat, { priority: 'normal', sequence, transactionId: 'mine' }).turn(long);
		const other = thrownBy(b.take(chat, { priority: 'normal', sequence, transactionId: 'other' }).turn(long));
		const mine = b.take(chat, { priority: 'normal', sequence, transactionId: 'mine' }).turn(long);
		await a.close();
		expect((await mine).marks).toMatchObject({ sequences: { normal: 1 }, sequenceBy: { normal: 'mine' } });
		expect(await other).toBeInstanceOf(SequenceTooLateError);
	});

	test('is told dead to those who ask', async () => {
		const scene = await redisScene();
		const [a, b] = [await scene.open(), await scene.open()];
		const worker = await scene.worker({ executions: [1], stay: true });
		worker.go();
		await until(() => notedIn(scene.folder).length === 1);
		const processes = await scene.redis.client.keys(`${scene.prefix}:*:process:*`);
		const owner = processes.map((name) => name.split(':').pop() ?? '').find((name) => name !== a.owner && name !== b.owner) as string;
		expect(await a.alive([owner])).toEqual(new Set([owner]));
		worker.process.kill('SIGKILL');
		await sleep(leaseMs);
		expect(await a.alive([owner, b.owner])).toEqual(new Set([b.owner]));
	});

	test('a stopped process that goes on later has lost the lane, and is told so before its next effect', async () => {
		const scene = await redisScene();
		const worker = await scene.worker({ executions: [1], workMs: 300 });
		const lanes = await scene.open();
		worker.go();
		await until(() => notedIn(scene.folder).length === 1);
		worker.process.kill('SIGSTOP');
		await lanes.take(chat, { priority: 'normal', execution: 2 }).turn(long);
		worker.process.kill('SIGCONT');
		await worker.ended;
		expect(notedIn(scene.folder).at(-1)?.failed).toMatch(/^LaneLostError/);
	});
});

test('work that lasts for several leases keeps the chat', async () => {
	const { open } = await redisScene();
	const [a, b] = [await open(), await open()];
	const holder = await a.take(chat, { priority: 'normal', execution: 1 }).turn(long);
	let others = 0;
	const next = b.take(chat, { priority: 'normal', execution: 2 }).turn(long).then((grant) => (others += 1, grant));
	for (let i = 0; i < 8; i++) {
		await sleep(leaseMs / 2);
		await holder.confirm();
		expect(others).toBe(0);
	}
	holder.release();
	await next;
});

test('numbers above 14 digits stay exact', async () => {
	const { open } = await redisScene();
	const lanes = await open();
	const number = 1_764_000_000_123_457;
	const first = await lanes.take(chat, { priority: 'normal', sequence: { number, gapMs: 0, again: false } }).turn(long);
	first.release();
	const second = await lanes.take(chat, { priority: 'normal', sequence: { number: number + 5, gapMs: 0, again: false } }).turn(long);
	expect(second).toMatchObject({ missing: { from: number + 1, to: number + 4 }, marks: { sequences: { normal: number + 5 } } });
});

test('nothing is left for ever: each key has its end, and a lane that nobody uses goes', async () => {
	const { open, redis, prefix } = await redisScene();
	const [a, b] = [await open(), await open()];
	const order: string[] = [];
	const cancel = new AbortController();
	const holder = await a.take(chat, { priority: 'normal', execution: 1 }).turn(long);
	const cancelled = thrownBy(b.take(chat, { priority: 'high' }).turn(long, cancel.signal));
	const all = [pass(a, 'a', order), pass(b, 'b', order)];
	a.take({ ...chat, recipient: 'given up' }, { priority: 'low' }).leave();
	cancel.abort();
	expect(await cancelled).toBeInstanceOf(CancelledError);
	holder.release('some transaction');
	(await b.take(chat, { priority: 'low', transactionId: 'some transaction' }).turn(long)).release();
	await Promise.all(all);
	await Promise.all([a.close(), b.close()]);
	const keys = await redis.client.keys('*');
	expect(keys.length).toBeGreaterThan(0);
	for (const key of keys) {
		expect(key.startsWith(prefix)).toBe(true);
		const leftMs = await redis.client.pttl(key);
		expect(leftMs).toBeGreaterThan(leaseMs);
		expect(leftMs).toBeLessThanOrEqual(3_600_000);
	}
});

describe('an address', () => {
	test('with a password and TLS works', async () => {
		const { open } = await redisScene({ password: 'p@ss/word', tls: { key, cert } });
		const lanes = await open({ tls: { ca: cert } });
		await lanes.take(chat, { priority: 'normal' }).turn(long);
	});

	test('with a wrong password is told, without the password', async () => {
		const { open, redis } = await redisScene({ password: 'right' });
		const error = await thrownBy(open({ url: redis.url.replace('right', 'wrong-s3cret') }));
		expect(error).toBeInstanceOf(LanesUnavailableError);
		expect((error as Error).message).toContain('WRONGPASS');
		expect(JSON.stringify([error, (error as Error).message, (error as Error).stack])).not.toContain('wrong-s3cret');
	});

	test('that is none is refused, without being repeated', async () => {
		const { open } = await redisScene();
		const error = await thrownBy(open({ url: 'http://user:s3cret@nowhere' }));
		expect(error).toBeInstanceOf(LanesUnavailableError);
		expect(String(error)).not.toContain('s3cret');
	});
});
