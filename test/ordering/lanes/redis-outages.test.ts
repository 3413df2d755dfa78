// Lanes over Redis while Redis is frozen, gone, started again without its data, or with old data.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { CancelledError, LaneLostError, LanesUnavailableError, SequenceTooLateError } from '../../../ordering/errors';
import type { LaneRecord } from '../../../ordering/lanes/lanes';
import type { RedisLanes } from '../../../ordering/lanes/redis/redis';
import { endWithTest, thrownBy } from '../../evolution/helpers';
import { chat, notedIn } from './redis/shared';
import { leaseMs, nothing, redisScene, sleep, until, type RedisScene } from './redis/scene';

const long = 30_000;

/** A holder in one process, and three that wait in two others, out of their order. */
async function busyChat({ open }: RedisScene, readRecord?: () => Promise<LaneRecord>) {
	const more = readRecord ? { readRecord } : {};
	const [a, b, c] = [await open(more), await open(more), await open(more)];
	const holder = await a.take(chat, { priority: 'normal', execution: 1 }).turn(long);
	const order: number[] = [];
	const fences: number[] = [];
	const pass = async (lanes: RedisLanes, execution: number) => {
		const grant = await lanes.take(chat, { priority: 'normal', execution }).turn(long);
		order.push(execution);
		fences.push(grant.fence);
		await sleep(5);
		await grant.confirm();
		grant.release();
	};
	const waiting = Promise.all([pass(b, 4), pass(c, 2), pass(b, 3)]);
	await until(async () => (await holder.waiting()) === 3);
	return { holder, waiting, order, fences };
}

/** A way to Redis that can be cut, for one process alone. */
async function breakableWay(port: number): Promise<{ url: string; cut(): void; mend(): void }> {
	const sockets = new Set<Socket>();
	let whole = true;
	const server = createServer((socket) => {
		const onward = connect(port, '127.0.0.1');
		for (const one of [socket, onward]) one.on('error', () => {}).on('close', () => sockets.delete(one));
		if (!whole) return [socket, onward].forEach((one) => one.destroy());
		sockets.add(socket).add(onward);
		socket.pipe(onward).pipe(socket);
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	const cut = () => {
		whole = false;
		for (const socket of sockets) socket.destroy();
	};
	endWithTest(() => {
		cut();
		server.close();
	});
	return { url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`, cut, mend: () => void (whole = true) };
}

/** Whether a promise is still open. */
async function isOpen(promise: Promise<unknown>): Promise<boolean> {
	const open = Symbol('open');
	return (await Promise.race([promise.catch(() => {}), sleep(0).then(() => open)])) === open;
}

test('frozen for longer than the lease: the holder waits, keeps its turn and goes on; the others follow in their order', async () => {
	const scene = await redisScene();
	const { holder, waiting, order, fences } = await busyChat(scene);
	scene.redis.freeze();
	await sleep(leaseMs * 2);
	const confirmed = holder.confirm();
	await sleep(100);
	expect(await isOpen(confirmed)).toBe(true);
	scene.redis.thaw();
	await confirmed;
	await sleep(leaseMs * 1.5); // enough for anybody to take it away, if they could
	expect(order).toEqual([]);
	await holder.confirm();
	holder.release();
	await waiting;
	expect(order).toEqual([2, 3, 4]);
	expect(fences).toEqual([holder.fence + 1, holder.fence + 2, holder.fence + 3]);
});

test('gone for a moment: a turn that has its lease still goes on without waiting', async () => {
	const scene = await redisScene();
	const { holder, waiting } = await busyChat(scene);
	await scene.redis.kill();
	await holder.confirm();
	await scene.redis.start();
	holder.release();
	await waiting;
});

test.each(['lost', 'saved'] as const)('started again with its data %s: the holder keeps its turn, the others follow in their order, fences grow', async (data) => {
	const scene = await redisScene();
	const { holder, waiting, order, fences } = await busyChat(scene);
	await scene.redis.save();
	await scene.redis.kill();
	await scene.redis.start(data);
	await sleep(leaseMs * 2);
	expect(order).toEqual([]);
	await holder.confirm();
	holder.release();
	await waiting;
	expect(order).toEqual([2, 3, 4]);
	expect([holder.fence, ...fences]).toEqual([...new Set([holder.fence, ...fences])].sort((x, y) => x - y));
});

test('started again without its data: whose number had its turn is known from the holder', async () => {
	const scene = await redisScene();
	const [a, b] = [await scene.open(), await scene.open()];
	const key = (transactionId: string) => ({ priority: 'normal', sequence: { number: 5, gapMs: 0, again: false }, transactionId }) as const;
	const holder = await a.take(chat, key('mine')).turn(long);
	await scene.redis.kill();
	await scene.redis.start('lost');
	await sleep(leaseMs * 2);
	await holder.confirm();
	const mine = b.take(chat, key('mine')).turn(long);
	expect(await thrownBy(b.take(chat, key('other')).turn(long))).toBeInstanceOf(SequenceTooLateError);
	holder.release();
	expect((await mine).marks).toMatchObject({ sequences: { normal: 5 }, sequenceBy: { normal: 'mine' } });
});

test('frozen for longer than the lease: a turn that waits to be confirmed can be cancelled, and waits for a limited time', async () => {
	const scene = await redisScene();
	const lanes = await scene.open({ confirmMs: 1500 });
	const holder = await lanes.take(chat, { priority: 'normal' }).turn(long);
	scene.redis.freeze();
	await sleep(leaseMs * 1.5);
	const cancel = new AbortController();
	const cancelled = thrownBy(holder.confirm(cancel.signal));
	await sleep(100);
	expect(await isOpen(cancelled)).toBe(true);
	cancel.abort();
	expect(await cancelled).toBeInstanceOf(CancelledError);
	expect(await thrownBy(holder.confirm(cancel.signal))).toBeInstanceOf(CancelledError);
	const began = performance.now();
	expect(await thrownBy(holder.confirm())).toBeInstanceOf(LanesUnavailableError);
	expect(performance.now() - began).toBeGreaterThan(1400);
	scene.redis.thaw();
	await holder.confirm();
});

test('an error tells what is wrong with Redis now, not what was wrong before', async () => {
	const scene = await redisScene();
	const lanes = await scene.open();
	await scene.redis.kill();
	await sleep(300);
	expect(String(await thrownBy(lanes.take(chat, { priority: 'normal' }).turn(100)))).toContain('ECONNREFUSED');
	await scene.redis.start('lost');
	await lanes.take(chat, { priority: 'normal' }).turn(long);
	const waiting = thrownBy(lanes.take(chat, { priority: 'normal' }).turn(500));
	scene.redis.freeze();
	const error = await waiting;
	scene.redis.thaw();
	expect(String(error)).toContain('it has not answered in time');
});

test('started again with an old snapshot: the turns that it remembers are over, and none of them counts', async () => {
	const scene = await redisScene();
	const [a, b] = [await scene.open(), await scene.open()];
	const first = await a.take(chat, { priority: 'normal', execution: 1 }).turn(long);
	await scene.redis.save(); // the first one has its turn, as the snapshot tells
	first.release();
	const second = await b.take(chat, { priority: 'normal', execution: 2 }).turn(long);
	const third = a.take(chat, { priority: 'normal', execution: 3 }).turn(long);
	await scene.redis.kill();
	await scene.redis.start('saved');
	await second.confirm();
	await sleep(leaseMs * 2);
	await second.confirm();
	expect(await isOpen(third)).toBe(true);
	second.release();
	expect((await third).fence).toBeGreaterThan(second.fence);
});

test('emptied while it runs: the holder keeps its turn, and the others follow', async () => {
	const scene = await redisScene();
	const { holder, waiting, order } = await busyChat(scene);
	await scene.redis.client.flushall();
	await sleep(leaseMs * 2.5);
	expect(order).toEqual([]);
	await holder.confirm();
	holder.release();
	await waiting;
	expect(order).toEqual([2, 3, 4]);
});

test('started again without its data when the holder is dead: fences go on above the record, after one lease', async () => {
	const scene = await redisScene();
	let record: LaneRecord = nothing;
	const { holder, waiting, fences } = await busyChat(scene, async () => record);
	record = { fence: holder.fence, marks: { sequences: {}, executions: {} } };
	await scene.redis.kill();
	holder.release(); // as if its process had died: nobody claims it
	const began = performance.now();
	await scene.redis.start('lost');
	await waiting;
	expect(performance.now() - began).toBeGreaterThan(leaseMs * 0.9);
	expect(Math.min(...fences)).toBeGreaterThan(holder.fence);
});

test.each(['lost', 'saved'] as const)('real processes at work, while Redis is started again and again with its data %s: never two at work, each has one turn', async (data) => {
	const scene = await redisScene();
	const executions = Array.from({ length: 90 }, (_, i) => i + 1);
	const workers = await Promise.all([0, 1, 2].map((which) => scene.worker({ executions: executions.filter((execution) => execution % 3 === which), parallel: 5, workMs: 15 })));
	for (const worker of workers) worker.go();
	for (const turns of [10, 35]) {
		await until(() => notedIn(scene.folder).length >= turns);
		if (turns === 10) await scene.redis.save();
		await scene.redis.kill();
		await scene.redis.start(data);
	}
	await Promise.all(workers.map(({ ended }) => ended));
	const noted = notedIn(scene.folder);
	expect(noted.filter(({ intruder, failed }) => intruder !== undefined || failed !== undefined)).toEqual([]);
	expect(noted.map(({ execution }) => execution ?? 0).sort((x, y) => x - y)).toEqual(executions);
	const fences = noted.map(({ fence }) => fence ?? 0);
	expect(fences).toEqual([...new Set(fences)].sort((x, y) => x - y));
});

test('one that was cut off for longer than its lease has lost its turn, and is told so; its waiting one comes again', async () => {
	const scene = await redisScene();
	const way = await breakableWay(scene.redis.port);
	const [a, b] = [await scene.open({ url: way.url }), await scene.open()];
	const holder = await a.take(chat, { priority: 'normal', execution: 1 }).turn(long);
	const next = b.take(chat, { priority: 'normal', execution: 3 }).turn(long);
	const again = a.take(chat, { priority: 'normal', execution: 4 }).turn(long);
	await until(async () => (await holder.waiting()) === 2);
	way.cut();
	await holder.confirm(); // its lease is not over yet
	const grant = await next;
	const confirmed = thrownBy(holder.confirm());
	await sleep(100);
	expect(await isOpen(confirmed)).toBe(true);
	way.mend();
	expect(await confirmed).toBeInstanceOf(LaneLostError);
	holder.release(); // changes nothing any more
	await sleep(300);
	expect(await isOpen(again)).toBe(true);
	await grant.confirm();
	grant.release();
	await again;
});

test('killed with questions that it never answered: they are asked anew', async () => {
	const scene = await redisScene();
	const { holder, waiting, order } = await busyChat(scene);
	scene.redis.freeze();
	await sleep(leaseMs / 2); // renewals and looks are on their way
	await scene.redis.kill();
	await scene.redis.start('lost');
	await sleep(leaseMs * 2);
	await holder.confirm();
	holder.release();
	await waiting;
	expect(order).toEqual([2, 3, 4]);
});

test('a message that is lost with its connection delays a turn only until the connection stands again', async () => {
	const scene = await redisScene();
	await scene.open(); // so that the new Redis gives turns after its short lease
	const [a, b] = [await scene.open({ leaseMs: 60_000 }), await scene.open({ leaseMs: 60_000 })];
	const holder = await a.take(chat, { priority: 'normal' }).turn(long);
	const next = b.take(chat, { priority: 'normal' }).turn(5000);
	await until(async () => (await holder.waiting()) === 1);
	await scene.redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
	holder.release();
	await next;
});

test('a release and a hold while Redis is away take effect when it is back', async () => {
	const scene = await redisScene();
	const lanes = await scene.open();
	const holder = await lanes.take(chat, { priority: 'normal', transactionId: 'failing' }).turn(long);
	const other = lanes.take(chat, { priority: 'normal', transactionId: 'other' }).turn(long);
	scene.redis.freeze();
	holder.release('failing');
	await sleep(100);
	scene.redis.thaw();
	const again = await lanes.take(chat, { priority: 'low', transactionId: 'failing' }).turn(long);
	expect(await isOpen(other)).toBe(true);
	await scene.redis.kill();
	again.release();
	await scene.redis.start();
	await other;
});

test('a place that is taken while Redis is away gets its turn when it is back', async () => {
	const scene = await redisScene();
	const lanes = await scene.open();
	await scene.redis.kill();
	await until(async () => (await thrownBy(lanes.alive(['nobody']))) instanceof LanesUnavailableError);
	const turn = lanes.take(chat, { priority: 'normal' }).turn(long);
	await scene.redis.start('lost');
	await turn;
});

test.each(['gone', 'frozen'] as const)('%s when the time of a waiting one is over: that is what it says, and its place is free later', async (how) => {
	const scene = await redisScene();
	const lanes = await scene.open();
	const holder = await lanes.take(chat, { priority: 'normal' }).turn(long);
	const waiting = thrownBy(lanes.take(chat, { priority: 'normal' }).turn(500));
	await until(async () => (await holder.waiting()) === 1);
	if (how === 'gone') await scene.redis.kill();
	else scene.redis.freeze();
	expect(await waiting).toBeInstanceOf(LanesUnavailableError);
	if (how === 'gone') await scene.redis.start();
	else scene.redis.thaw();
	await holder.confirm();
	await until(async () => (await holder.waiting().catch(() => 1)) === 0);
});
