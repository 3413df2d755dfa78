// What all lanes promise, whatever they are made of: one shared test.
import { CancelledError, QueueTimeoutError } from '../../../ordering/errors';
import type { Grant, Lanes, OrderKey, Priority, Ticket } from '../../../ordering/lanes/lanes';
import type { Chat } from '../../../ordering/transaction';
import { thrownBy } from '../../evolution/helpers';

export interface LanesUnderTest {
	lanes: Lanes;
	/** Records that a chat was worked on under this fence, as the ledger does. */
	recordFence(chat: Chat, fence: number): void;
	close(): Promise<void> | void;
}

const chat: Chat = { server: 'http://evolution.test', instance: 'meta1', recipient: '5511988887777@s.whatsapp.net' };
const otherChat: Chat = { ...chat, recipient: '5511988886666@s.whatsapp.net' };
const long = 10_000;

/** Lets everything go on that can go on without waiting. */
async function settled(): Promise<void> {
	for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

export function lanesContract(name: string, make: () => LanesUnderTest | Promise<LanesUnderTest>): void {
	describe(`${name} as lanes`, () => {
		let test_: LanesUnderTest;
		let lanes: Lanes;

		beforeEach(async () => {
			test_ = await make();
			lanes = test_.lanes;
		});

		afterEach(() => test_.close());

		/** Asks for all turns at once, behind a holder, and tells in which order they come. */
		async function orderOf(keys: Array<OrderKey & { name: string }>): Promise<string[]> {
			const order: string[] = [];
			const holder = await lanes.take(chat, { priority: 'low', execution: 0 }).turn(long);
			const turns = keys.map(async ({ name: who, ...key }) => {
				const grant = await lanes.take(chat, key).turn(long);
				order.push(who);
				await settled();
				grant.release();
			});
			await settled();
			expect(order).toEqual([]);
			holder.release();
			await Promise.all(turns);
			return order;
		}

		const key = (who: string, priority: Priority, execution?: number) => ({ name: who, priority, ...(execution === undefined ? {} : { execution }) });

		test('a free chat is given at once', async () => {
			const grant = await lanes.take(chat, { priority: 'normal' }).turn(long);
			expect(grant.waitedMs).toBeLessThan(500);
			expect(grant.late).toBe(false);
			expect(grant.waiting()).toBe(0);
		});

		test('one after the other, in the order of their coming', async () => {
			expect(await orderOf([key('a', 'normal'), key('b', 'normal'), key('c', 'normal')])).toEqual(['a', 'b', 'c']);
		});

		test('high before normal before low', async () => {
			expect(await orderOf([key('low', 'low'), key('normal', 'normal'), key('high', 'high'), key('high 2', 'high')])).toEqual(['high', 'high 2', 'normal', 'low']);
		});

		test('within a priority the earlier execution first, however late it came', async () => {
			expect(await orderOf([key('9', 'normal', 9), key('7', 'normal', 7), key('10', 'normal', 10), key('8', 'normal', 8), key('high 11', 'high', 11)])).toEqual(['high 11', '7', '8', '9', '10']);
		});

		test('those of one execution in the order of their coming', async () => {
			expect(await orderOf([key('first', 'normal', 5), key('second', 'normal', 5), key('earlier', 'normal', 4)])).toEqual(['earlier', 'first', 'second']);
		});

		test('chats do not wait for each other', async () => {
			await lanes.take(chat, { priority: 'normal' }).turn(long);
			const other = await lanes.take(otherChat, { priority: 'normal' }).turn(long);
			expect(other.waiting()).toBe(0);
		});

		test.each([
			['server', { server: 'http://other.test' }], ['instance', { instance: 'other' }], ['recipient', { recipient: 'other' }],
		])('another %s is another chat', async (_what, more) => {
			await lanes.take(chat, { priority: 'normal' }).turn(long);
			await lanes.take({ ...chat, ...more }, { priority: 'normal' }).turn(1000);
		});

		test('nobody is put before one whose work has begun, not even with high priority', async () => {
			const holder = await lanes.take(chat, { priority: 'low', execution: 100 }).turn(long);
			let begun = false;
			const urgent = lanes.take(chat, { priority: 'high', execution: 1 }).turn(long).then((grant) => { begun = true; return grant; });
			await settled();
			expect(begun).toBe(false);
			expect(holder.waiting()).toBe(1);
			holder.release();
			expect((await urgent).waiting()).toBe(0);
		});

		test('a ticket that is taken and not yet waited for keeps its place', async () => {
			const mine = lanes.take(chat, { priority: 'normal', execution: 1 });
			const later = lanes.take(chat, { priority: 'normal', execution: 2 });
			let begun = false;
			const turn = later.turn(long).then((grant) => { begun = true; return grant; });
			await settled();
			expect(begun).toBe(false);
			const grant = await mine.turn(long);
			expect(begun).toBe(false);
			grant.release();
			await turn;
		});

		test('a ticket that is given up lets the next one go on', async () => {
			const first = lanes.take(chat, { priority: 'normal' });
			const second = lanes.take(chat, { priority: 'normal' }).turn(long);
			first.leave();
			await second;
		});

		test('one that leaves from the middle disturbs nobody', async () => {
			const holder = await lanes.take(chat, { priority: 'normal' }).turn(long);
			const middle = lanes.take(chat, { priority: 'normal' });
			const order: string[] = [];
			const last = lanes.take(chat, { priority: 'normal' }).turn(long).then(() => order.push('last'));
			middle.leave();
			middle.leave();
			await settled();
			expect(order).toEqual([]);
			expect(holder.waiting()).toBe(1);
			holder.release();
			await last;
		});

		test('a release counts once', async () => {
			const holder = await lanes.take(chat, { priority: 'normal' }).turn(long);
			const second = lanes.take(chat, { priority: 'normal' }).turn(long);
			let third = false;
			void lanes.take(chat, { priority: 'normal' }).turn(500).then(() => (third = true), () => {});
			holder.release();
			await second;
			holder.release();
			await settled();
			expect(third).toBe(false);
		});

		test('leave after release does nothing', async () => {
			const ticket = lanes.take(chat, { priority: 'normal' });
			const grant = await ticket.turn(long);
			const second = lanes.take(chat, { priority: 'normal' }).turn(long);
			let third = false;
			void lanes.take(chat, { priority: 'normal' }).turn(500).then(() => (third = true), () => {});
			grant.release();
			await second;
			ticket.leave();
			await settled();
			expect(third).toBe(false);
		});

		test('a wait ends after its time, says how many are ahead, and gives its place up', async () => {
			const holder = await lanes.take(chat, { priority: 'normal' }).turn(long);
			const began = performance.now();
			const error = (await thrownBy(lanes.take(chat, { priority: 'normal' }).turn(150))) as QueueTimeoutError;
			expect(error).toBeInstanceOf(QueueTimeoutError);
			expect(error.message).toBe('The chat was busy for 0.15 s: 1 earlier message is not finished');
			expect(performance.now() - began).toBeGreaterThan(140);
			expect(holder.waiting()).toBe(0);
			const next = lanes.take(chat, { priority: 'normal' }).turn(long);
			holder.release();
			await next;
		});

		test('a wait behind several says so', async () => {
			await lanes.take(chat, { priority: 'normal' }).turn(long);
			void lanes.take(chat, { priority: 'normal' }).turn(500).catch(() => {});
			expect(await thrownBy(lanes.take(chat, { priority: 'normal' }).turn(100))).toMatchObject({ message: 'The chat was busy for 0.1 s: 2 earlier messages are not finished' });
		});

		test('a wait that is cancelled ends at once, and gives its place up', async () => {
			const holder = await lanes.take(chat, { priority: 'normal' }).turn(long);
			const cancel = new AbortController();
			const turn = lanes.take(chat, { priority: 'normal' }).turn(long, cancel.signal);
			setTimeout(() => cancel.abort(), 30);
			expect(await thrownBy(turn)).toBeInstanceOf(CancelledError);
			expect(holder.waiting()).toBe(0);
		});

		test('a wait that was cancelled before it began gives its place up too', async () => {
			const cancelled = lanes.take(chat, { priority: 'normal' });
			expect(await thrownBy(cancelled.turn(long, AbortSignal.abort()))).toBeInstanceOf(CancelledError);
			await lanes.take(chat, { priority: 'normal' }).turn(1000);
		});

		test('a cancellation after the turn has come changes nothing', async () => {
			const cancel = new AbortController();
			const holder = await lanes.take(chat, { priority: 'normal' }).turn(long, cancel.signal);
			cancel.abort();
			let begun = false;
			void lanes.take(chat, { priority: 'normal' }).turn(500).then(() => (begun = true), () => {});
			await settled();
			expect(begun).toBe(false);
			holder.release();
		});

		test('a ticket that was given up gets no turn', async () => {
			const ticket = lanes.take(chat, { priority: 'normal' });
			ticket.leave();
			await expect(ticket.turn(long)).rejects.toThrow();
		});

		test('fences grow with each turn that is worked on, and go on from the highest on record', async () => {
			test_.recordFence(chat, 41);
			const fences: number[] = [];
			for (let i = 0; i < 3; i++) {
				const grant = await lanes.take(chat, { priority: 'normal' }).turn(long);
				fences.push(grant.fence);
				test_.recordFence(chat, grant.fence);
				grant.release();
			}
			expect(fences[0]).toBeGreaterThan(41);
			expect([...fences].sort((a, b) => a - b)).toEqual(fences);
			expect(new Set(fences).size).toBe(3);
		});

		test('one that comes after a later execution has gone is marked late, and others are not', async () => {
			const late: boolean[] = [];
			for (const execution of [5, 7, 6, 7, 8, 1, undefined, 9]) {
				const grant = await lanes.take(chat, { priority: 'normal', ...(execution === undefined ? {} : { execution }) }).turn(long);
				late.push(grant.late);
				grant.release();
			}
			expect(late).toEqual([false, false, true, false, false, true, false, false]);
		});

		test('one chat makes no other late', async () => {
			(await lanes.take(chat, { priority: 'normal', execution: 9 }).turn(long)).release();
			expect((await lanes.take(otherChat, { priority: 'normal', execution: 1 }).turn(long)).late).toBe(false);
		});

		test('tells how long it took', async () => {
			const holder = await lanes.take(chat, { priority: 'normal' }).turn(long);
			const turn = lanes.take(chat, { priority: 'normal' }).turn(long);
			setTimeout(() => holder.release(), 120);
			expect((await turn).waitedMs).toBeGreaterThanOrEqual(110);
		});

		test.each([1, 2, 3])('after 1,000 random doings there were never two holders, and nobody was lost (seed %i)', async (seed) => {
			const random = randomOf(seed);
			const chats = [chat, otherChat];
			const holders = new Map<Chat, number>(chats.map((one) => [one, 0]));
			let ended = 0;
			let taken = 0;
			const work: Array<Promise<void>> = [];

			async function take(): Promise<void> {
				const where = chats[random(chats.length)] as Chat;
				const ticket: Ticket = lanes.take(where, { priority: (['high', 'normal', 'low'] as const)[random(3)] as Priority, ...(random(2) ? { execution: random(50) } : {}) });
				taken += 1;
				try {
					if (random(4) === 0) await new Promise((resolve) => setTimeout(resolve, random(4)));
					if (random(10) === 0) return ticket.leave();
					const cancel = new AbortController();
					if (random(10) === 0) setTimeout(() => cancel.abort(), random(5));
					let grant: Grant;
					try {
						grant = await ticket.turn(random(10) === 0 ? random(5) : 30_000, cancel.signal);
					} catch (error) {
						if (!(error instanceof QueueTimeoutError || error instanceof CancelledError)) throw error;
						return;
					}
					holders.set(where, (holders.get(where) ?? 0) + 1);
					expect(holders.get(where)).toBe(1);
					if (random(2)) await new Promise((resolve) => setImmediate(resolve));
					expect(holders.get(where)).toBe(1);
					holders.set(where, 0);
					grant.release();
				} finally {
					ended += 1;
				}
			}

			for (let i = 0; i < 1000; i++) {
				work.push(take());
				if (random(5) === 0) await new Promise((resolve) => setImmediate(resolve));
			}
			await Promise.all(work);
			expect([taken, ended]).toEqual([1000, 1000]);
			for (const one of chats) {
				const grant = await lanes.take(one, { priority: 'low' }).turn(1000);
				expect(grant.waiting()).toBe(0);
			}
		}, 60_000);
	});
}

/** Random whole numbers below a limit, the same for the same seed (mulberry32). */
function randomOf(seed: number): (below: number) => number {
	let state = seed;
	return (below) => {
		state = (state + 0x6d2b79f5) | 0;
		let t = Math.imul(state ^ (state >>> 15), 1 | state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * below);
	};
}
