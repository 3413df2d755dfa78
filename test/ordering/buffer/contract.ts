// What the buffer promises, whatever database it is in: one shared test.
import type { MessageBuffer } from '../../../ordering/buffer/buffer';
import { BufferStore } from '../../../ordering/buffer/store';
import { LedgerUnavailableError } from '../../../ordering/errors';
import type { Engine } from '../../../ordering/engine';
import { chat, itemsOf, oneItem, picture, type Place, reasonsOf, receive, rules, sleep, text } from './place';

const signalOf = () => new AbortController();

export function bufferContract(name: string, makePlace: () => Place): void {
	describe(`${name} as a buffer`, () => {
		let place: Place;
		let engine: Engine;
		let buffer: MessageBuffer;

		beforeEach(async () => {
			place = makePlace();
			engine = await place.open();
			buffer = engine.buffer;
		});

		/** As after a restart: the earlier engine is gone, and what it had in memory with it. */
		async function restarted(): Promise<MessageBuffer> {
			await engine.close();
			engine = await place.open();
			buffer = engine.buffer;
			return buffer;
		}

		describe('joining', () => {
			test('quick messages become one item, and the other calls end with nothing to do', async () => {
				const collected = await Promise.all(['hi', 'I want', 'to book'].map((words) => receive(buffer, text(words, { pushName: 'Ana' }))));
				const item = oneItem(collected);
				expect(item).toMatchObject({ chat, text: 'hi\nI want\nto book', because: 'quiet', redelivered: false });
				expect(item.messages).toMatchObject([{ text: 'hi', pushName: 'Ana', original: { message: { conversation: 'hi' } } }, { text: 'I want' }, { text: 'to book' }]);
				expect(reasonsOf(collected)).toEqual(['joinedLater', 'joinedLater']);
			});

			test('the quiet time begins anew with each message', async () => {
				const since = performance.now();
				const calls = [receive(buffer, text('a'), { quietMs: 400 })];
				for (const words of ['b', 'c', 'd']) {
					await sleep(200);
					calls.push(receive(buffer, text(words), { quietMs: 400 }));
				}
				expect(oneItem(await Promise.all(calls)).text).toBe('a\nb\nc\nd');
				expect(performance.now() - since).toBeGreaterThanOrEqual(990);
			});

			test('after the maximum wait the item comes though messages go on coming', async () => {
				const calls = [receive(buffer, text('0'), { quietMs: 400, longestMs: 700 })];
				for (let i = 1; i < 10; i++) {
					await sleep(100);
					calls.push(receive(buffer, text(String(i)), { quietMs: 400, longestMs: 700, oneTurnAtATime: false }));
				}
				const items = itemsOf(await Promise.all(calls));
				expect(items[0]?.because).toBe('longest');
				expect(items.flatMap(({ messages }) => messages.map((message) => message.text)).sort()).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
				expect(items[0]?.messages.length).toBeLessThan(10);
			});

			test('with the maximum count the item comes at once', async () => {
				const since = performance.now();
				const item = oneItem(await Promise.all(['a', 'b', 'c'].map((words) => receive(buffer, text(words), { quietMs: 20_000, longestMs: 30_000, mostMessages: 3 }))));
				expect(item).toMatchObject({ text: 'a\nb\nc', because: 'count' });
				expect(performance.now() - since).toBeLessThan(5_000);
			});

			test('a picture is not held back: the item holds the texts so far and the picture, in order', async () => {
				const patient = { quietMs: 20_000, longestMs: 30_000 };
				const since = performance.now();
				const calls = [receive(buffer, text('look'), patient)];
				await sleep(100);
				calls.push(receive(buffer, picture('', { files: { data: { data: 'AAEC', mimeType: 'image/png', fileName: 'a.png' } } }), patient));
				const item = oneItem(await Promise.all(calls));
				expect(item).toMatchObject({ text: 'look', because: 'media', messages: [{ text: 'look' }, { media: true, files: { data: { data: 'AAEC', mimeType: 'image/png', fileName: 'a.png' } } }] });
				expect(performance.now() - since).toBeLessThan(5_000);
			});

			test('chats, instances and servers are never joined, even with the same message ID', async () => {
				const places = [{}, { recipient: '5511977776666@s.whatsapp.net' }, { instance: 'meta2' }, { server: 'http://other.test' }];
				const collected = await Promise.all(places.flatMap((where, i) => ['a', 'b'].map((words) => receive(buffer, text(`${words}${i}`, { id: words }, where)))));
				expect(itemsOf(collected).map((item) => [item.chat, item.text])).toEqual(expect.arrayContaining(places.map((where, i) => [{ ...chat, ...where }, `a${i}\nb${i}`])));
				expect(itemsOf(collected)).toHaveLength(places.length);
			});

			test('messages stand in the order of their sending, those of one second in the order of their executions', async () => {
				const at = (seconds: number) => 1_795_473_509_000 + seconds * 1000;
				const sent = [text('d', { at: at(2), execution: 9 }), text('b', { at: at(1), execution: 8 }), text('c', { at: at(2), execution: 2 }), text('a', { at: at(1), execution: 7 })];
				expect(oneItem(await Promise.all(sent.map((one) => receive(buffer, one)))).text).toBe('a\nb\nc\nd');
			});

			test('several messages of one call are joined as well, each chat for itself', async () => {
				const where = { recipient: '5511977776666@s.whatsapp.net' };
				const collected = await buffer.receive([text('a'), text('x', {}, where), text('b'), text('y', {}, where)].map((one) => ({ ...one, rules })));
				expect(collected.map((one) => ('joined' in one ? one.joined.text : one.held.reason))).toEqual(['a\nb', 'x\ny', 'joinedLater', 'joinedLater']);
			});

			test('with more bytes than may be buffered the item comes early, and nothing is dropped', async () => {
				await engine.close();
				buffer = (await place.open({ mostBytes: 2_000 })).buffer;
				const patient = { quietMs: 20_000, longestMs: 30_000 };
				const collected = await Promise.all([1, 2].map((i) => receive(buffer, text(String(i).repeat(1_000)), patient)));
				expect(oneItem(collected)).toMatchObject({ because: 'full', text: `${'1'.repeat(1_000)}\n${'2'.repeat(1_000)}` });
				// not even another turn keeps it from coming then
				expect(oneItem(await Promise.all([3, 4].map((i) => receive(buffer, text(String(i).repeat(1_000)), patient))))).toMatchObject({ because: 'full' });
			});
		});

		describe('the same message again', () => {
			test('is dropped while it waits, after its item, and after its turn', async () => {
				const one = text('once');
				const calls = [receive(buffer, one)];
				await sleep(20);
				calls.push(receive(buffer, one));
				const collected = await Promise.all(calls);
				const { turnId } = oneItem(collected);
				expect(reasonsOf(collected)).toEqual(['duplicate']);
				expect(await receive(buffer, one)).toEqual({ held: { reason: 'duplicate' } });
				await buffer.endTurn(turnId);
				expect(await receive(buffer, one)).toEqual({ held: { reason: 'duplicate' } });
				expect(await receive(await restarted(), one)).toEqual({ held: { reason: 'duplicate' } });
			});

			test('at the same time is in the item once', async () => {
				const one = text('once');
				const collected = await Promise.all(Array.from({ length: 10 }, () => receive(buffer, one)));
				expect(oneItem(collected).messages).toHaveLength(1);
				expect(collected).toHaveLength(10);
			});

			test('makes the item where the call before ended without it', async () => {
				const one = text('once');
				const cancel = signalOf();
				const first = receive(buffer, one, {}, cancel.signal);
				await sleep(20);
				cancel.abort();
				await expect(first).rejects.toMatchObject({ failure: { code: 'cancelled' } });
				expect(oneItem([await receive(buffer, one)])).toMatchObject({ text: 'once', redelivered: false });
			});

			test('is known for as long as it is to be remembered, and no longer', async () => {
				const one = text('once');
				const { turnId } = oneItem([await receive(buffer, one)]);
				await buffer.endTurn(turnId);
				await engine.close();
				buffer = (await place.open({ rememberMs: 0, pruneEveryMs: 0 })).buffer;
				expect(await receive(buffer, one)).toEqual({ held: { reason: 'duplicate' } });
				expect(oneItem([await receive(buffer, one)]).text).toBe('once');
			});
		});

		describe('turns', () => {
			test('while a turn goes on the next item waits, and comes when it has ended', async () => {
				const { turnId } = oneItem([await receive(buffer, text('first'))]);
				let isOver = false;
				const calls = ['second', 'third'].map((words) => receive(buffer, text(words), { longestMs: 200 }));
				void Promise.all(calls).then(() => (isOver = true));
				await sleep(600);
				expect(isOver).toBe(false);
				expect(await buffer.endTurn(turnId)).toBe(true);
				expect(oneItem(await Promise.all(calls))).toMatchObject({ text: 'second\nthird', redelivered: false });
				expect(await buffer.endTurn(turnId)).toBe(false);
			});

			test('a picture waits for the end of the turn, too, and no longer', async () => {
				const { turnId } = oneItem([await receive(buffer, text('first'))]);
				const next = receive(buffer, picture(), { quietMs: 20_000, longestMs: 30_000 });
				await sleep(200);
				await buffer.endTurn(turnId);
				expect(oneItem([await next]).because).toBe('media');
			});

			test('a turn ends by itself after its timeout', async () => {
				oneItem([await receive(buffer, text('first'), { turnTimeoutMs: 500 })]);
				const since = performance.now();
				expect(oneItem([await receive(buffer, text('second'))]).text).toBe('second');
				expect(performance.now() - since).toBeGreaterThan(400);
				expect(await buffer.takeOver(rules)).toEqual([]);
			});

			test('where they may overlap, the next item does not wait', async () => {
				const free = { oneTurnAtATime: false };
				const first = oneItem([await receive(buffer, text('first'), free)]);
				expect(oneItem([await receive(buffer, text('second'), free)]).text).toBe('second');
				expect(await buffer.endTurn(first.turnId)).toBe(true);
			});

			test('turns of different chats do not wait for each other', async () => {
				oneItem([await receive(buffer, text('first'))]);
				expect(oneItem([await receive(buffer, text('other', {}, { instance: 'meta2' }))]).text).toBe('other');
			});

			test('of a turn that has ended nothing is kept but the ID', async () => {
				const { turnId } = oneItem([await receive(buffer, text('a secret'))]);
				expect((await place.bodies()).join()).toContain('a secret');
				await buffer.endTurn(turnId);
				expect(await place.bodies()).toEqual(['']);
			});

			test('what is no turn can not be ended', async () => {
				expect(await buffer.endTurn('nothing')).toBe(false);
			});
		});

		describe('cancelling', () => {
			test('leaves the messages for the next call, and gives up the right to collect at once', async () => {
				const cancel = signalOf();
				const patient = { quietMs: 20_000, longestMs: 30_000 };
				const first = receive(buffer, text('a'), patient, cancel.signal);
				await sleep(50);
				expect(reasonsOf([await receive(buffer, text('b'), patient)])).toEqual(['joinedLater']);
				cancel.abort();
				await expect(first).rejects.toMatchObject({ failure: { code: 'cancelled' } });
				expect(oneItem([await receive(buffer, text('c'))])).toMatchObject({ text: 'a\nb\nc', redelivered: false });
			});

			test('while another turn goes on is the same', async () => {
				const { turnId } = oneItem([await receive(buffer, text('first'))]);
				const cancel = signalOf();
				const second = receive(buffer, text('second'), {}, cancel.signal);
				await sleep(200);
				cancel.abort();
				await expect(second).rejects.toMatchObject({ failure: { code: 'cancelled' } });
				await buffer.endTurn(turnId);
				expect(oneItem([await receive(buffer, text('third'))]).text).toBe('second\nthird');
			});

			test('of a call with several chats puts back the item that was ready', async () => {
				const cancel = signalOf();
				const { turnId } = oneItem([await receive(buffer, text('busy', {}, { instance: 'busy' }))]);
				const both = buffer.receive([text('ready'), text('waits', {}, { instance: 'busy' })].map((one) => ({ ...one, rules })), cancel.signal);
				await sleep(500);
				cancel.abort();
				await expect(both).rejects.toMatchObject({ failure: { code: 'cancelled' } });
				await buffer.endTurn(turnId);
				expect((await buffer.takeOver(rules)).map((item) => item.text).sort()).toEqual(['ready', 'waits']);
			});

			test('before it begins takes nothing', async () => {
				await expect(receive(buffer, text('a'), {}, AbortSignal.abort())).rejects.toMatchObject({ failure: { code: 'cancelled' } });
				expect(await place.bodies()).toEqual([]);
			});
		});

		describe('taking over', () => {
			test('finds nothing where nothing was left', async () => {
				expect(await buffer.takeOver(rules)).toEqual([]);
				const going = receive(buffer, text('a'), { quietMs: 600 });
				await sleep(100);
				expect(await buffer.takeOver(rules)).toEqual([]);
				oneItem([await going]);
				expect(await buffer.takeOver(rules)).toEqual([]);
			});

			test('gives what was collected when the process ended, once', async () => {
				const going = receive(buffer, text('a'), { quietMs: 20_000, longestMs: 30_000 });
				going.catch(() => {});
				await sleep(100);
				await restarted();
				await expect(going).rejects.toMatchObject({ failure: { code: 'cancelled' } });
				const [item, ...more] = await buffer.takeOver(rules);
				expect(item).toMatchObject({ text: 'a', because: 'left', redelivered: false });
				expect(more).toEqual([]);
				expect(await buffer.takeOver(rules)).toEqual([]);
			});

			test('gives a turn again that had not ended when the process ended, and says so', async () => {
				oneItem([await receive(buffer, text('a'))]);
				await restarted();
				const [item] = await buffer.takeOver(rules);
				expect(item).toMatchObject({ text: 'a', because: 'left', redelivered: true, messages: [{ redelivered: true }] });
				expect(await buffer.endTurn(item?.turnId ?? '')).toBe(true);
				await restarted();
				expect(await buffer.takeOver(rules)).toEqual([]);
			});

			test('gives a turn again that did not hold its chat', async () => {
				oneItem([await receive(buffer, text('a'), { oneTurnAtATime: false })]);
				await restarted();
				expect(await buffer.takeOver(rules)).toMatchObject([{ text: 'a', redelivered: true }]);
			});

			test('begins a turn as any item does', async () => {
				oneItem([await receive(buffer, text('a'))]);
				await restarted();
				const [item] = await buffer.takeOver(rules);
				const next = receive(buffer, text('b'));
				await sleep(400);
				await buffer.endTurn(item?.turnId ?? '');
				expect(oneItem([await next]).text).toBe('b');
			});

			test('leaves messages alone that came a moment ago', async () => {
				const cancel = signalOf();
				const first = receive(buffer, text('a'), {}, cancel.signal);
				await sleep(20);
				cancel.abort();
				await expect(first).rejects.toThrow();
				await engine.close();
				buffer = (await place.open({ leftMs: 60_000 })).buffer;
				expect(await buffer.takeOver(rules)).toEqual([]);
			});

			test('of what was given and put back gives it again, marked only where it may be answered', async () => {
				const { turnId } = oneItem([await receive(buffer, text('a'))]);
				await buffer.putBack(turnId);
				const [item] = await buffer.takeOver(rules);
				expect(item).toMatchObject({ text: 'a', redelivered: false });
				await buffer.putBack(item?.turnId ?? '', true);
				expect(await buffer.takeOver(rules)).toMatchObject([{ text: 'a', redelivered: true }]);
			});
		});

		describe('while the database fails', () => {
			afterEach(() => jest.restoreAllMocks());

			/** Lets one call of a method fail, before or after it took effect. */
			const fails = (method: 'claim' | 'begin' | 'take' | 'taken' | 'dropClaim' | 'end', when: 'before' | 'after') => {
				const real = BufferStore.prototype[method] as (...args: unknown[]) => Promise<unknown>;
				jest.spyOn(BufferStore.prototype, method).mockImplementationOnce(async function (this: BufferStore, ...args: unknown[]) {
					if (when === 'after') await real.apply(this, args);
					throw new LedgerUnavailableError('it is away');
				} as never);
			};

			test.each([
				['claim', 'before'], ['claim', 'after'], ['begin', 'before'], ['begin', 'after'], ['take', 'before'], ['take', 'after'], ['taken', 'before'],
			] as const)('%s (%s it took effect): the call fails, and its message is in the next item, not marked', async (method, when) => {
				fails(method, when);
				await expect(receive(buffer, text('a'))).rejects.toMatchObject({ failure: { code: 'ledgerUnavailable' } });
				await sleep(100);
				expect(oneItem([await receive(buffer, text('b'))])).toMatchObject({ text: 'a\nb', redelivered: false });
			});

			test('the same call again, as "Retry On Fail" makes it, gives the item', async () => {
				const one = text('a');
				fails('take', 'after');
				await expect(receive(buffer, one)).rejects.toThrow();
				await sleep(100);
				expect(oneItem([await receive(buffer, one)])).toMatchObject({ text: 'a', redelivered: false });
			});

			test.each(['before', 'after'] as const)('a turn whose end failed (%s it took effect) ends all the same', async (when) => {
				oneItem([await receive(buffer, text('a'), { turnTimeoutMs: 300 })]);
				fails('end', when);
				expect(oneItem([await receive(buffer, text('b'))]).text).toBe('b');
			});

			test('what could not be given up at once is given up later', async () => {
				const cancel = signalOf();
				const first = receive(buffer, text('a'), {}, cancel.signal);
				await sleep(50);
				fails('dropClaim', 'before');
				cancel.abort();
				await expect(first).rejects.toThrow();
				await sleep(100);
				expect(await buffer.takeOver(rules)).toMatchObject([{ text: 'a', redelivered: false }]);
			});
		});

		test('many messages cost few queries of the one that collects, even while another turn goes on', async () => {
			const look = jest.spyOn(BufferStore.prototype, 'look');
			const { turnId } = oneItem([await receive(buffer, text('first'))]);
			look.mockClear();
			const since = performance.now();
			const calls = Array.from({ length: 200 }, (_, i) => sleep(i * 5).then(() => receive(buffer, text(`${i}`), { mostMessages: 10 })));
			await sleep(1500);
			await buffer.endTurn(turnId);
			expect(oneItem(await Promise.all(calls)).messages).toHaveLength(200);
			// of each poll (50 ms here), and some at beginning and end
			expect(look.mock.calls.length).toBeLessThan((performance.now() - since) / 50 + 10);
			look.mockRestore();
		});

		test("what a dead process left is in the chat's next item, before the new message", async () => {
			oneItem([await receive(buffer, text('answered?', { at: 1_795_473_500_000 }))]);
			const going = receive(buffer, text('collected', { at: 1_795_473_505_000 }), { quietMs: 20_000, longestMs: 30_000 });
			going.catch(() => {});
			await sleep(150);
			await restarted();
			const item = oneItem([await receive(buffer, text('new'))]);
			expect(item).toMatchObject({ text: 'answered?\ncollected\nnew', redelivered: true, messages: [{ redelivered: true }, { redelivered: false }, { redelivered: false }] });
		});
	});
}
