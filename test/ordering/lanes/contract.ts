// What all lanes promise, whatever they are made of: one shared test.
import { CancelledError, ChatHeldError, QueueTimeoutError, SequenceTooLateError } from '../../../ordering/errors';
import type { Grant, LaneRecord, Lanes, OrderKey, Priority, ReadLaneRecord, Ticket } from '../../../ordering/lanes/lanes';
import type { Chat } from '../../../ordering/transaction';
import { thrownBy } from '../../evolution/helpers';

export interface LanesUnderTest {
	lanes: Lanes;
	/** Records what became of a chat's lane, as the ledger does. */
	record(chat: Chat, record: LaneRecord): void;
	/** Lets each reading of the record fail from now on. */
	failRecord(error: Error | undefined): void;
	close(): Promise<void> | void;
}

const chat: Chat = { server: 'http://evolution.test', instance: 'meta1', recipient: '5511988887777@s.whatsapp.net' };
const otherChat: Chat = { ...chat, recipient: '5511988886666@s.whatsapp.net' };
const long = 10_000;

/** What a ledger knows of lanes, in memory. */
export function recordsOf(): Pick<LanesUnderTest, 'record' | 'failRecord'> & { read: ReadLaneRecord } {
	const records = new Map<string, LaneRecord>();
	const name = (one: Chat) => JSON.stringify([one.server, one.instance, one.recipient]);
	let failure: Error | undefined;
	return {
		read: async (one) => {
			if (failure) throw failure;
			return records.get(name(one)) ?? { fence: 0, marks: { sequences: {}, executions: {} } };
		},
		record: (one, { fence, marks, heldBy }) => void records.set(name(one), { fence, marks, ...(heldBy === undefined ? {} : { heldBy }) }),
		failRecord: (error) => void (failure = error),
	};
}

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
			expect(await grant.waiting()).toBe(0);
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
			expect(await other.waiting()).toBe(0);
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
			expect(await holder.waiting()).toBe(1);
			holder.release();
			expect(await (await urgent).waiting()).toBe(0);
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
			expect(await holder.waiting()).toBe(1);
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
			expect(await holder.waiting()).toBe(0);
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
			expect(await holder.waiting()).toBe(0);
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
			test_.record(chat, { fence: 41, marks: { sequences: {}, executions: {} } });
			const fences: number[] = [];
			for (let i = 0; i < 3; i++) {
				const grant = await lanes.take(chat, { priority: 'normal' }).turn(long);
				fences.push(grant.fence);
				test_.record(chat, grant);
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
				test_.record(chat, grant);
				grant.release();
			}
			expect(late).toEqual([false, false, true, false, false, true, false, false]);
		});

		test('one chat makes no other late', async () => {
			const grant = await lanes.take(chat, { priority: 'normal', execution: 9 }).turn(long);
			test_.record(chat, grant);
			grant.release();
			expect((await lanes.take(otherChat, { priority: 'normal', execution: 1 }).turn(long)).late).toBe(false);
		});

		test('tells how long it took', async () => {
			const holder = await lanes.take(chat, { priority: 'normal' }).turn(long);
			const turn = lanes.take(chat, { priority: 'normal' }).turn(long);
			setTimeout(() => holder.release(), 120);
			expect((await turn).waitedMs).toBeGreaterThanOrEqual(110);
		});

		/** One turn after the other, each recorded and released; what a ticket was refused with stands for it. */
		async function turnsOf(...keys: OrderKey[]): Promise<unknown[]> {
			const turns: unknown[] = [];
			for (const one of keys) {
				const grant = await lanes.take(chat, one).turn(long).catch((error: Error) => error);
				turns.push(grant);
				if (grant instanceof Error) continue;
				test_.record(chat, grant);
				grant.release();
			}
			return turns;
		}

		const numbered = (number: number, more: Partial<NonNullable<OrderKey['sequence']>> & { priority?: Priority; transactionId?: string } = {}): OrderKey => {
			const { priority = 'normal', transactionId, ...sequence } = more;
			return { priority, sequence: { number, gapMs: 5_000, again: false, ...sequence }, ...(transactionId === undefined ? {} : { transactionId }) };
		};

		describe('sequence numbers', () => {
			test('go in their order however they come, and the first waits for number 1', async () => {
				const order: number[] = [];
				const turns = [4, 2, 5, 3, 1].map(async (number) => {
					const grant = await lanes.take(chat, numbered(number)).turn(long);
					order.push(number);
					expect(grant.missing).toBeUndefined();
					test_.record(chat, grant);
					grant.release();
				});
				await Promise.all(turns);
				expect(order).toEqual([1, 2, 3, 4, 5]);
			});

			test('a missing number is waited for as long as asked, then passed and reported', async () => {
				await turnsOf(numbered(1));
				const began = performance.now();
				expect(await turnsOf(numbered(5, { gapMs: 200 }))).toMatchObject([{ missing: { from: 2, to: 4 } }]);
				expect(performance.now() - began).toBeGreaterThan(190);
			});

			test('a missing number that comes in time goes first', async () => {
				await turnsOf(numbered(1));
				const third = lanes.take(chat, numbered(3)).turn(long);
				const second = await lanes.take(chat, numbered(2)).turn(long);
				test_.record(chat, second);
				second.release();
				expect((await third).missing).toBeUndefined();
			});

			test('one that comes after a higher number has gone is refused, with both numbers in the error', async () => {
				await turnsOf(numbered(1), numbered(2), numbered(3));
				const [error] = await turnsOf(numbered(2));
				expect(error).toBeInstanceOf(SequenceTooLateError);
				expect((error as Error).message).toBe('Sequence Number: 2 comes too late, since number 3 of this chat and priority has gone already');
			});

			test('a number that was used is refused, even while the other one waits', async () => {
				const holder = await lanes.take(chat, numbered(1)).turn(long);
				const first = lanes.take(chat, numbered(2)).turn(long);
				const second = thrownBy(lanes.take(chat, numbered(2)).turn(long));
				test_.record(chat, holder);
				holder.release();
				const grant = await first;
				test_.record(chat, grant);
				grant.release();
				expect(await second).toBeInstanceOf(SequenceTooLateError);
			});

			test('one that had its turn may go again, unless a higher number has gone', async () => {
				expect(await turnsOf(numbered(1), numbered(1, { again: true }), numbered(2), numbered(1, { again: true }))).toMatchObject([{}, { late: false }, {}, { name: 'SequenceTooLateError' }]);
			});

			test('a second call of the transaction that has the turn of its number waits, and goes when that is over; another one is refused', async () => {
				const mine = numbered(1, { transactionId: 'mine' });
				const first = await lanes.take(chat, mine).turn(long);
				const order: string[] = [];
				const twin = lanes.take(chat, mine).turn(long).then((grant) => (order.push('twin'), grant));
				const next = lanes.take(chat, numbered(2)).turn(long).then((grant) => (order.push('next'), grant));
				const other = thrownBy(lanes.take(chat, numbered(1, { transactionId: 'other' })).turn(long));
				await settled();
				expect(order).toEqual([]);
				test_.record(chat, first);
				first.release();
				const second = await twin;
				expect(order).toEqual(['twin']);
				expect(second.marks).toMatchObject({ sequences: { normal: 1 }, sequenceBy: { normal: 'mine' } });
				second.release();
				await next;
				expect(await other).toBeInstanceOf(SequenceTooLateError);
			});

			test('two calls of one transaction that wait go one after the other, though neither had a turn when it came', async () => {
				const holder = await lanes.take(chat, numbered(1)).turn(long);
				const mine = numbered(2, { transactionId: 'mine' });
				const turns = [lanes.take(chat, mine).turn(long), lanes.take(chat, mine).turn(long)];
				await settled();
				test_.record(chat, holder);
				holder.release();
				for (const turn of turns) {
					const grant = await turn;
					test_.record(chat, grant);
					grant.release();
				}
			});

			test('a transaction whose turn left nothing on record may go again, and no more when a higher number has gone', async () => {
				const mine = numbered(1, { transactionId: 'mine' });
				(await lanes.take(chat, mine).turn(long)).release();
				expect(await turnsOf(mine, numbered(2, { transactionId: 'next' }), mine)).toMatchObject([{}, { marks: { sequenceBy: { normal: 'next' } } }, { name: 'SequenceTooLateError' }]);
			});

			test('whose number it was is known from the record', async () => {
				test_.record(chat, { fence: 3, marks: { sequences: { normal: 41, low: 7 }, sequenceBy: { normal: 'mine' }, executions: {} } });
				const [other, mine, low] = await turnsOf(numbered(41, { transactionId: 'other' }), numbered(41, { transactionId: 'mine' }), numbered(7, { priority: 'low', transactionId: 'mine' }));
				expect(other).toBeInstanceOf(SequenceTooLateError);
				expect(mine).toMatchObject({ marks: { sequences: { normal: 41, low: 7 }, sequenceBy: { normal: 'mine' } } });
				expect(low).toBeInstanceOf(SequenceTooLateError);
			});

			test('one that was refused gives its place up', async () => {
				await turnsOf(numbered(1), numbered(2));
				const refused = thrownBy(lanes.take(chat, numbered(1)).turn(long));
				const next = await lanes.take(chat, numbered(3)).turn(long);
				expect(await refused).toBeInstanceOf(SequenceTooLateError);
				expect(await next.waiting()).toBe(0);
			});

			test('each priority has its own count', async () => {
				await turnsOf(numbered(1), numbered(2));
				const turns = await turnsOf(numbered(1, { priority: 'high' }), numbered(3));
				expect(turns.map((turn) => (turn as Grant).missing)).toEqual([undefined, undefined]);
				expect(turns[1]).toMatchObject({ marks: { sequences: { high: 1, normal: 3 } } });
			});

			test('those with a number go before those without', async () => {
				const order: string[] = [];
				const holder = await lanes.take(chat, { priority: 'normal' }).turn(long);
				const follow = async (name: string, one: OrderKey) => {
					const grant = await lanes.take(chat, one).turn(long);
					order.push(name);
					test_.record(chat, grant);
					grant.release();
				};
				const all = [follow('without', { priority: 'normal', execution: 1 }), follow('two', numbered(2)), follow('one', numbered(1))];
				holder.release();
				await Promise.all(all);
				expect(order).toEqual(['one', 'two', 'without']);
			});

			test('one that waits for missing numbers until its time is over says which', async () => {
				await turnsOf(numbered(1));
				expect(await thrownBy(lanes.take(chat, numbered(4)).turn(100))).toMatchObject({ name: 'QueueTimeoutError', message: 'The chat was busy for 0.1 s: the messages with the sequence numbers 2 to 3 have not come' });
			});

			test('a first number above 1 waits too, since what came before is not known', async () => {
				const began = performance.now();
				const turns = await turnsOf(numbered(7, { gapMs: 150 }), numbered(8));
				expect(performance.now() - began).toBeGreaterThan(140);
				expect(turns.map((turn) => (turn as Grant).missing)).toEqual([undefined, undefined]);
			});

			test('the count goes on from what is on record', async () => {
				test_.record(chat, { fence: 3, marks: { sequences: { normal: 41 }, executions: {} } });
				expect(await turnsOf(numbered(41), numbered(42))).toMatchObject([{ name: 'SequenceTooLateError' }, { marks: { sequences: { normal: 42 } } }]);
			});
		});

		describe('a chat that is held', () => {
			const failing = { priority: 'low', transactionId: 'failing' } as const;

			/** Lets a transaction fail, so that it holds the chat. */
			async function hold(): Promise<void> {
				const grant = await lanes.take(chat, failing).turn(long);
				test_.record(chat, { ...grant, heldBy: 'failing' });
				grant.release('failing');
			}

			test('gives no turn to others, and says who holds it', async () => {
				await hold();
				const error = await thrownBy(lanes.take(chat, { priority: 'high', transactionId: 'other' }).turn(150));
				expect(error).toBeInstanceOf(ChatHeldError);
				expect((error as Error).message).toBe('The chat is held since transaction "failing" failed, and it was neither resumed nor given up within 0.15 s');
			});

			test('goes on when that transaction has come again and released it', async () => {
				await hold();
				const other = lanes.take(chat, { priority: 'high', transactionId: 'other' }).turn(long);
				const again = await lanes.take(chat, failing).turn(long);
				test_.record(chat, again);
				again.release();
				await other;
			});

			test('stays held when that transaction fails again', async () => {
				await hold();
				await hold();
				expect(await thrownBy(lanes.take(chat, { priority: 'high' }).turn(150))).toBeInstanceOf(ChatHeldError);
			});

			test('is held from what is on record, too', async () => {
				test_.record(chat, { fence: 3, marks: { sequences: {}, executions: {} }, heldBy: 'failing' });
				expect(await thrownBy(lanes.take(chat, { priority: 'high' }).turn(150))).toBeInstanceOf(ChatHeldError);
				expect((await lanes.take(chat, failing).turn(long)).fence).toBeGreaterThan(3);
			});

			test('gives its turns to that transaction only, in the order of its tickets', async () => {
				await hold();
				const again = await lanes.take(chat, failing).turn(long);
				const order: string[] = [];
				const follow = async (name: string, key: OrderKey) => {
					const grant = await lanes.take(chat, key).turn(long);
					order.push(name);
					grant.release(name === 'second' ? undefined : 'failing');
				};
				const all = [follow('other', { priority: 'high', execution: 1, transactionId: 'failing too' }), follow('second', { ...failing, execution: 3 }), follow('first', { ...failing, execution: 2 })];
				await settled();
				again.release('failing');
				await Promise.all(all);
				expect(order).toEqual(['first', 'second', 'other']);
			});

			test('holds no other chat', async () => {
				await hold();
				await lanes.take(otherChat, { priority: 'normal' }).turn(1000);
			});
		});

		test('a turn that has come is confirmed', async () => {
			const grant = await lanes.take(chat, { priority: 'normal' }).turn(long);
			await grant.confirm();
			await grant.confirm(AbortSignal.abort()); // there is no wait that it could end
		});

		test('a record that can not be read is told, gives the place up, and is asked for again', async () => {
			test_.failRecord(new Error('disk is full'));
			expect(await thrownBy(lanes.take(chat, { priority: 'normal' }).turn(1000))).toMatchObject({ message: 'disk is full' });
			test_.failRecord(undefined);
			test_.record(chat, { fence: 7, marks: { sequences: {}, executions: {} } });
			expect((await lanes.take(chat, { priority: 'normal' }).turn(1000)).fence).toBe(8);
		});

		test('this engine is alive, and one that nobody knows is not', async () => {
			expect(await lanes.alive([lanes.owner, 'nobody'])).toEqual(new Set([lanes.owner]));
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
				expect(await grant.waiting()).toBe(0);
			}
		}, 60_000);

		test('each of those that keep a gap gets a time of its own, and another key is free at once', async () => {
			const waits: number[] = [];
			for (let i = 0; i < 4; i++) waits.push(await lanes.pace('chat', 200));
			expect(waits[0]).toBe(0);
			for (const [i, wait] of waits.entries()) {
				expect(wait).toBeGreaterThan(i * 200 - 100);
				expect(wait).toBeLessThanOrEqual(i * 200);
			}
			expect(await lanes.pace('another', 200)).toBe(0);
		});

		test('a gap counts from the one before, whatever gap that one kept, and is over when its time is', async () => {
			await lanes.pace('chat', 50);
			expect(await lanes.pace('chat', 150)).toBeGreaterThan(50);
			await new Promise((resolve) => setTimeout(resolve, 320));
			expect(await lanes.pace('chat', 150)).toBe(0);
		});
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
