// What all ledgers promise, whatever database they are in: one shared test.
import { StaleFenceError } from '../../../ordering/errors';
import type { Ledger } from '../../../ordering/ledger/ledger';
import type { Chat } from '../../../ordering/transaction';
import { thrownBy } from '../../evolution/helpers';
import { chat, definition, failure, step, transaction } from './fixtures';

export interface LedgerUnderTest {
	ledger: Ledger;
	/** Closes it and opens the same one again. */
	reopened(): Promise<Ledger>;
	close(): Promise<void>;
}

const otherServer: Chat = { ...chat, server: 'http://other.test' };

export function ledgerContract(name: string, make: () => LedgerUnderTest | Promise<LedgerUnderTest>): void {
	describe(`${name} as a ledger`, () => {
		let test_: LedgerUnderTest;
		let ledger: Ledger;

		beforeEach(async () => {
			test_ = await make();
			ledger = test_.ledger;
		});

		afterEach(() => test_.close());

		const full = () =>
			transaction({
				id: 'olá 👋/1',
				status: 'failed',
				origin: 'origin-hash',
				definition: { ...definition, webhook: { url: 'http://hook.test', method: 'POST', body: '{"a":"ü"}' }, errorCallbackUrl: 'http://callback.test' },
				steps: [
					step({ status: 'done', attempts: 2, messageId: 'M1', statusCode: 201, startedAt: 1, finishedAt: 2 }),
					step({ index: 1, type: 'wait', status: 'unconfirmed', receipt: 'sent', toldBy: 'polling', error: failure }),
					step({ index: 2, type: 'webhook', status: 'failed', error: failure }),
				],
				failure,
				failedForGood: true,
				duplicatePossible: true,
				queue: { ticket: 7, waitedMs: 8, late: true, fence: 9 },
				errorCallback: { url: 'http://callback.test', status: 'done', attempts: 1, statusCode: 200 },
				webhook: { statusCode: 500, body: { deep: [null, 'x'] } },
				text: 'kept text',
				endedAt: 2_000,
			});

		test('a transaction is found as it was saved, in another life too', async () => {
			const one = full();
			await ledger.open(transaction({ ...one, status: 'open', endedAt: undefined }));
			await ledger.save(one);
			expect(await ledger.find(chat.server, one.id)).toEqual(one);
			const again = await test_.reopened();
			expect(await again.find(chat.server, one.id)).toEqual(one);
			expect(again.hashKey).toBe(ledger.hashKey);
		});

		test('what is not there is not found', async () => {
			expect(await ledger.find(chat.server, 'nothing')).toBeUndefined();
			expect(await ledger.findByOrigin(chat.server, 'nothing')).toBeUndefined();
			expect(await ledger.highestFence(chat)).toBe(0);
			expect(await ledger.unsettled(chat, 'x', 0)).toEqual([]);
			expect(await ledger.ownsMessage(chat.server, 'M1')).toBe(false);
		});

		test('of many that open one ID, one creates it and the others get it', async () => {
			const outcomes = await Promise.all(Array.from({ length: 20 }, (_, i) => ledger.open(transaction({ id: 'same', content: `content ${i}` }))));
			expect(outcomes.filter(({ created }) => created)).toHaveLength(1);
			expect(new Set(outcomes.map(({ transaction: one }) => one.content))).toEqual(new Set(['content 0']));
		});

		test('one ID at two servers is two transactions', async () => {
			await ledger.open(transaction({ id: 'same', content: 'one' }));
			expect((await ledger.open(transaction({ id: 'same', content: 'two', chat: otherServer }))).created).toBe(true);
			expect((await ledger.find(chat.server, 'same'))?.content).toBe('one');
			expect((await ledger.find(otherServer.server, 'same'))?.content).toBe('two');
		});

		test('transactions are handed out as copies', async () => {
			const mine = transaction({ id: 'a' });
			const { transaction: given } = await ledger.open(mine);
			given.steps[0]!.status = 'done';
			mine.steps[0]!.status = 'failed';
			expect((await ledger.find(chat.server, 'a'))?.steps[0]?.status).toBe('pending');
		});

		test('what is changed after save was called is not saved by it', async () => {
			const mine = transaction({ id: 'a' });
			await ledger.open(mine);
			mine.duplicatePossible = true;
			const saving = ledger.save(mine);
			mine.duplicatePossible = false;
			await saving;
			expect((await ledger.find(chat.server, 'a'))?.duplicatePossible).toBe(true);
		});

		test('saves of one transaction are kept in their order', async () => {
			const one = transaction({ id: 'a' });
			await ledger.open(one);
			await Promise.all(Array.from({ length: 50 }, (_, i) => ledger.save({ ...one, queue: { ...one.queue, waitedMs: i } })));
			expect((await ledger.find(chat.server, 'a'))?.queue.waitedMs).toBe(49);
		});

		test('a write under an older fence is refused, and changes nothing', async () => {
			const one = transaction({ id: 'a' });
			await ledger.open(one);
			await ledger.save({ ...one, queue: { ...one.queue, fence: 5 } });
			const stale = { ...one, duplicatePossible: true, steps: [step({ status: 'done', messageId: 'STALE' })], queue: { ...one.queue, fence: 4 } };
			expect(await thrownBy(ledger.save(stale))).toBeInstanceOf(StaleFenceError);
			expect(await ledger.find(chat.server, 'a')).toMatchObject({ duplicatePossible: false, steps: [{ status: 'pending' }] });
			expect(await ledger.ownsMessage(chat.server, 'STALE')).toBe(false);
			await ledger.save({ ...one, duplicatePossible: true, queue: { ...one.queue, fence: 5 } });
			expect((await ledger.find(chat.server, 'a'))?.duplicatePossible).toBe(true);
		});

		test('the highest fence is that of the chat', async () => {
			for (const [id, fence] of [['a', 3], ['b', 11], ['c', 5]] as const) await ledger.open(transaction({ id, queue: { ticket: 1, waitedMs: 0, late: false, fence } }));
			await ledger.open(transaction({ id: 'd', chat: { ...chat, instance: 'other' }, queue: { ticket: 1, waitedMs: 0, late: false, fence: 99 } }));
			expect(await ledger.highestFence(chat)).toBe(11);
			expect(await ledger.highestFence({ ...chat, recipient: 'nobody' })).toBe(0);
		});

		test('the newest of one origin is found', async () => {
			await ledger.open(transaction({ id: 'old', origin: 'o', createdAt: 1 }));
			await ledger.open(transaction({ id: 'new', origin: 'o', createdAt: 2 }));
			await ledger.open(transaction({ id: 'newest of another server', origin: 'o', createdAt: 3, chat: otherServer }));
			await ledger.open(transaction({ id: 'without', createdAt: 4 }));
			expect((await ledger.findByOrigin(chat.server, 'o'))?.id).toBe('new');
		});

		test('of two with one origin and one time the one that came last is found', async () => {
			for (const id of ['z', 'a', 'm']) await ledger.open(transaction({ id, origin: 'o', createdAt: 1 }));
			expect((await ledger.findByOrigin(chat.server, 'o'))?.id).toBe('m');
		});

		describe('what earlier holders left behind', () => {
			const begun = (id: string, createdAt: number, more = {}) => transaction({ id, createdAt, steps: [step({ status: 'running' }), step({ index: 1, type: 'webhook' })], ...more });
			const cancelledInDoubt = (id: string, doubtUntil: number | undefined) => transaction({ id, createdAt: 1, status: 'inDoubt', endedAt: 5, steps: [step({ status: 'inDoubt', doubtUntil })] });

			test('is what was begun and is open, oldest first', async () => {
				for (const one of [begun('second', 20), begun('first', 10), transaction({ id: 'never begun' }), begun('mine', 5), begun('other chat', 1, { chat: { ...chat, recipient: 'x' } })]) await ledger.open(one);
				expect((await ledger.unsettled(chat, 'mine', 0)).map(({ id }) => id)).toEqual(['first', 'second']);
			});

			test('is what was begun, whichever step it had come to', async () => {
				await ledger.open(begun('in its webhook', 1, { steps: [step({ status: 'done' }), step({ index: 1, type: 'webhook', status: 'running' })] }));
				await ledger.open(begun('between two steps', 2, { steps: [step({ status: 'done' }), step({ index: 1, type: 'webhook' })] }));
				expect((await ledger.unsettled(chat, 'x', 0)).map(({ id }) => id)).toEqual(['in its webhook', 'between two steps']);
			});

			test('is a message in doubt as long as it may still go out, and no longer', async () => {
				for (const one of [cancelledInDoubt('may go out', 1000), cancelledInDoubt('known to be over', undefined)]) {
					await ledger.open({ ...one, status: 'open', endedAt: undefined });
					await ledger.save(one);
				}
				expect((await ledger.unsettled(chat, 'x', 999)).map(({ id }) => id)).toEqual(['may go out']);
				expect(await ledger.unsettled(chat, 'x', 5000)).toEqual([]);
			});

			test('are all steps of a transaction, and each transaction once', async () => {
				await ledger.open(begun('a', 1, { steps: [step({ status: 'done' }), step({ index: 1, type: 'wait', status: 'done' }), step({ index: 2, type: 'webhook', status: 'running' })] }));
				const left = await ledger.unsettled(chat, 'x', 0);
				expect(left).toHaveLength(1);
				expect(left[0]?.steps).toHaveLength(3);
			});
		});

		test('what never began before a time is told apart from what did', async () => {
			await ledger.open(transaction({ id: 'never', createdAt: 10 }));
			await ledger.open(transaction({ id: 'too new', createdAt: 20 }));
			await ledger.open(transaction({ id: 'begun', createdAt: 10, steps: [step({ status: 'running' })] }));
			const ended = transaction({ id: 'ended', createdAt: 10 });
			await ledger.open(ended);
			await ledger.save({ ...ended, status: 'failed', endedAt: 11 });
			expect((await ledger.neverBegun(20)).map(({ id }) => id)).toEqual(['never']);
		});

		test('a message has one owner at its server', async () => {
			await ledger.open(transaction({ id: 'a', steps: [step({ status: 'done', messageId: 'M1' })] }));
			expect(await ledger.ownsMessage(chat.server, 'M1')).toBe(true);
			expect(await ledger.ownsMessage(otherServer.server, 'M1')).toBe(false);
		});

		test('a chat is known by its other names', async () => {
			await ledger.linkChat(chat, '123@lid');
			await ledger.linkChat(chat, '123@lid');
			await ledger.linkChat(chat, '456@lid');
			expect(await ledger.linkedChat({ ...chat, recipient: '123@lid' })).toEqual(chat);
			expect(await ledger.linkedChat(chat)).toEqual(chat);
			expect(await ledger.linkedChat({ ...chat, recipient: '789@lid' })).toEqual({ ...chat, recipient: '789@lid' });
			expect(await ledger.linkedChat({ ...chat, instance: 'other', recipient: '123@lid' })).toMatchObject({ recipient: '123@lid' });
			expect((await ledger.linkedJids(chat)).sort()).toEqual(['123@lid', '456@lid']);
			expect(await ledger.linkedJids(otherServer)).toEqual([]);
		});

		test('a name that has moved to another chat belongs to the new one', async () => {
			const second = { ...chat, recipient: 'second@s.whatsapp.net' };
			await ledger.linkChat(chat, '123@lid');
			await ledger.linkChat(second, '123@lid');
			expect(await ledger.linkedChat({ ...chat, recipient: '123@lid' })).toEqual(second);
			expect(await ledger.linkedJids(chat)).toEqual([]);
		});

		test('old ended transactions go, with their steps, and nothing else does', async () => {
			for (const [id, endedAt] of [['old', 99], ['just', 100], ['open', undefined]] as const) {
				const one = transaction({ id, steps: [step({ status: 'done', messageId: `M ${id}` })] });
				await ledger.open(one);
				if (endedAt !== undefined) await ledger.save({ ...one, status: 'completed', endedAt });
			}
			expect(await ledger.prune(100)).toBe(1);
			expect(await ledger.prune(100)).toBe(0);
			expect(await ledger.find(chat.server, 'old')).toBeUndefined();
			expect(await ledger.ownsMessage(chat.server, 'M old')).toBe(false);
			expect(await ledger.find(chat.server, 'just')).toBeDefined();
			expect(await ledger.find(chat.server, 'open')).toBeDefined();
		});
	});
}
