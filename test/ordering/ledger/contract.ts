// What all ledgers promise, whatever database they are in: one shared test.
import { StaleFenceError } from '../../../ordering/errors';
import type { Ledger, Listing } from '../../../ordering/ledger/ledger';
import type { Chat, Transaction, TransactionStatus } from '../../../ordering/transaction';
import { thrownBy } from '../../evolution/helpers';
import { chat, definition, failure, plannedWebhook, step, transaction } from './fixtures';

export interface LedgerUnderTest {
	ledger: Ledger;
	/** Closes it and opens the same one again. */
	reopened(): Promise<Ledger>;
	close(): Promise<void>;
}

const transactionStatuses: TransactionStatus[] = ['open', 'completed', 'unconfirmed', 'inDoubt', 'failed', 'cancelled'];

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
				definition: { ...definition, plan: [...definition.plan, plannedWebhook({ body: '{"a":"ü"}', needs: 'credential' })], errorCallbackUrl: 'http://callback.test' },
				steps: [
					step({ status: 'done', attempts: 2, messageId: 'M1', text: 'kept text', statusCode: 201, startedAt: 1, finishedAt: 2 }),
					step({ index: 1, type: 'wait', status: 'unconfirmed', receipt: 'sent', toldBy: 'polling', error: failure }),
					step({ index: 2, type: 'webhook', status: 'failed', statusCode: 500, answer: { deep: [null, 'x', '\u0000 \ud800'] }, error: failure }),
				],
				failure,
				failedForGood: true,
				duplicatePossible: true,
				queue: { ticket: 7, waitedMs: 8, late: true, fence: 9, missing: { from: 1, to: 2 } },
				marks: { sequences: { normal: 3 }, executions: { high: 4 } },
				owner: 'an engine',
				holds: true,
				errorCallback: { url: 'http://callback.test', status: 'done', attempts: 1, statusCode: 200 },
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
			expect(await ledger.laneOf(chat)).toEqual({ fence: 0, marks: { sequences: {}, executions: {} } });
			expect(await ledger.unsettled(chat, 'x', 0)).toEqual([]);
			expect(await ledger.unfinished(chat.server, 5_000, 10)).toEqual([]);
			expect(await ledger.turnsOf(chat, 10, 10)).toEqual([]);
			expect(await ledger.ownsMessage(chat.server, 'M1')).toBe(false);
		});

		test('of many that open one ID, one creates it and the others get it', async () => {
			const outcomes = await Promise.all(Array.from({ length: 20 }, (_, i) => ledger.open(transaction({ id: 'same', content: `content ${i}` }))));
			expect(outcomes.filter(({ created }) => created)).toHaveLength(1);
			const created = outcomes.find((one) => one.created)?.transaction.content;
			expect(new Set(outcomes.map(({ transaction: one }) => one.content))).toEqual(new Set([created]));
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

		describe('a write before an effect', () => {
			const other = { ...chat, recipient: '123@lid' };

			test('is recorded where no one of the chat had a higher fence', async () => {
				const one = under(transaction({ id: 'a' }), 5);
				await ledger.open(under(one, 0));
				await ledger.open(under(transaction({ id: 'other chat', chat: other }), 9));
				await ledger.open(under(transaction({ id: 'same fence' }), 5));
				await ledger.saveIntent({ ...one, steps: [step({ status: 'running' })] });
				expect(await ledger.find(chat.server, 'a')).toMatchObject({ steps: [{ status: 'running' }], queue: { fence: 5 } });
			});

			test.each([
				['the same name', chat, chat],
				['the first name, asked by another', other, chat],
			])('is refused when another one of the chat had a higher fence: by %s', async (_, mine, theirs) => {
				await ledger.linkChat(chat, other.recipient);
				await ledger.open(transaction({ id: 'a', chat: mine }));
				await ledger.open(under(transaction({ id: 'b', chat: theirs }), 6));
				const intent = under(transaction({ id: 'a', chat: await ledger.linkedChat(mine), steps: [step({ status: 'running' })] }), 5);
				expect(await thrownBy(ledger.saveIntent(intent))).toBeInstanceOf(StaleFenceError);
				expect(await ledger.find(chat.server, 'a')).toMatchObject({ steps: [{ status: 'pending' }], queue: { fence: 0 } });
				await ledger.save(intent); // what has happened is recorded all the same
				expect(await ledger.find(chat.server, 'a')).toMatchObject({ steps: [{ status: 'running' }] });
			});

			test('is refused when its own transaction had a higher fence', async () => {
				await ledger.open(under(transaction({ id: 'a' }), 6));
				expect(await thrownBy(ledger.saveIntent(under(transaction({ id: 'a' }), 5)))).toBeInstanceOf(StaleFenceError);
			});
		});

		describe('what is on record of a lane', () => {
			const marks = (normal: number) => ({ sequences: { normal }, executions: { high: 1, low: normal } });

			test('is the highest fence of the chat, by any of its names, and the marks of then', async () => {
				await ledger.linkChat(chat, 'b@lid');
				await ledger.linkChat({ ...chat, recipient: 'b@lid' }, 'c@lid');
				for (const [id, recipient, fence] of [['a', chat.recipient, 3], ['b', 'b@lid', 5], ['c', 'c@lid', 11], ['d', 'd@lid', 98]] as const) {
					await ledger.open({ ...under(transaction({ id, chat: { ...chat, recipient } }), fence), marks: marks(fence) });
				}
				await ledger.open(under(transaction({ id: 'e', chat: { ...chat, instance: 'other' } }), 99));
				expect(await ledger.laneOf(chat)).toEqual({ fence: 11, marks: marks(11) });
				expect(await ledger.laneOf({ ...chat, recipient: 'd@lid' })).toEqual({ fence: 98, marks: marks(98) });
				expect(await ledger.laneOf({ ...chat, recipient: 'nobody' })).toEqual({ fence: 0, marks: { sequences: {}, executions: {} } });
			});

			test('has the newest marks, where several were written in one turn', async () => {
				await ledger.open({ ...under(transaction({ id: 'settled', createdAt: 5 }), 7), marks: marks(2) });
				await ledger.open({ ...under(transaction({ id: 'the turn', createdAt: 3 }), 7), marks: marks(4) });
				await ledger.open(under(transaction({ id: 'settled, too', createdAt: 1 }), 7));
				expect(await ledger.laneOf(chat)).toEqual({ fence: 7, marks: marks(4) });
			});

			test('names the oldest that holds the chat, until it holds it no more', async () => {
				await ledger.linkChat(chat, '123@lid');
				const holding = transaction({ id: 'holds', createdAt: 5, holds: true, chat: { ...chat, recipient: '123@lid' } });
				await ledger.open(holding);
				await ledger.open(transaction({ id: 'newer', createdAt: 6, holds: true }));
				await ledger.open(under(transaction({ id: 'later' }), 8));
				expect(await ledger.laneOf(chat)).toMatchObject({ fence: 8, heldBy: 'holds' });
				await ledger.save({ ...holding, holds: false });
				expect(await ledger.laneOf(chat)).toMatchObject({ fence: 8, heldBy: 'newer' });
			});
		});

		test("a chat's turns are told newest first, by its own name, below a fence", async () => {
			await ledger.linkChat(chat, '123@lid');
			for (const fence of [1, 4, 2, 3, 5]) await ledger.open(under(transaction({ id: `fence ${fence}` }), fence));
			await ledger.open(transaction({ id: 'no turn yet' }));
			await ledger.open(under(transaction({ id: 'other name', chat: { ...chat, recipient: '123@lid' } }), 3));
			const ids = async (below: number, limit: number) => (await ledger.turnsOf(chat, below, limit)).map(({ id }) => id);
			expect(await ids(100, 10)).toEqual(['fence 5', 'fence 4', 'fence 3', 'fence 2', 'fence 1']);
			expect(await ids(5, 2)).toEqual(['fence 4', 'fence 3']);
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

		describe('what is unfinished', () => {
			const idsOf = (all: Transaction[]) => all.map(({ id }) => id);
			const pending = { url: 'http://callback.test', status: 'pending' as const, attempts: 0 };

			test('is what is open, begun or not, and what has an error callback to be made, oldest first', async () => {
				for (const one of [
					transaction({ id: 'begun', createdAt: 12, steps: [step({ status: 'running' })] }),
					transaction({ id: 'never begun', createdAt: 10 }),
					transaction({ id: 'callback', createdAt: 11, status: 'failed', endedAt: 12, errorCallback: pending }),
					transaction({ id: 'called', createdAt: 10, status: 'failed', endedAt: 12, errorCallback: { ...pending, status: 'done' } }),
					transaction({ id: 'ended', createdAt: 10, status: 'completed', endedAt: 11 }),
					transaction({ id: 'too new', createdAt: 20 }),
					transaction({ id: 'other server', createdAt: 10, chat: otherServer }),
				]) await ledger.open(one);
				expect(idsOf(await ledger.unfinished(chat.server, 20, 100))).toEqual(['never begun', 'callback', 'begun']);
			});

			test('ends when it is saved as ended', async () => {
				const one = transaction({ id: 'a' });
				await ledger.open(one);
				await ledger.save({ ...one, status: 'failed', endedAt: 2, errorCallback: pending });
				expect(await ledger.unfinished(chat.server, 5000, 100)).toHaveLength(1);
				await ledger.save({ ...one, status: 'failed', endedAt: 2, errorCallback: { ...pending, status: 'failed' } });
				expect(await ledger.unfinished(chat.server, 5000, 100)).toEqual([]);
			});

			test('comes in pages, each once, also where many are of one moment', async () => {
				for (let i = 0; i < 10; i++) await ledger.open(transaction({ id: `t${i}`, createdAt: 5 + Math.floor(i / 4) }));
				const seen: string[] = [];
				for (let page = await ledger.unfinished(chat.server, 100, 3); page.length > 0; page = await ledger.unfinished(chat.server, 100, 3, page.at(-1))) {
					expect(page.length).toBeLessThanOrEqual(3);
					seen.push(...idsOf(page));
				}
				expect(seen).toEqual(Array.from({ length: 10 }, (_, i) => `t${i}`));
			});
		});

		describe('what is listed', () => {
			const everything = { server: chat.server, statuses: transactionStatuses, from: 0, to: 10_000, order: 'newestFirst' } as const;
			const listed = async (more: Partial<Listing> = {}, limit = 100, after?: { createdAt: number; id: string }) => (await ledger.list({ ...everything, ...more }, limit, after)).map(({ id }) => id);
			const ofChat = (jid: string) => ({ recipient: { instance: chat.instance, jid } });

			beforeEach(async () => {
				await ledger.linkChat(chat, '123@lid');
				for (const one of [
					transaction({ id: 'first', createdAt: 10, status: 'completed' }),
					transaction({ id: 'second', createdAt: 20, status: 'failed', chat: { ...chat, recipient: '123@lid' } }),
					transaction({ id: 'third', createdAt: 30 }),
					transaction({ id: 'other chat', createdAt: 25, chat: { ...chat, recipient: 'x' } }),
					transaction({ id: 'other instance', createdAt: 26, chat: { ...chat, instance: 'other' } }),
					transaction({ id: 'other server', createdAt: 27, chat: otherServer }),
				]) await ledger.open(one);
			});

			test('is all of a server, newest first or oldest first', async () => {
				expect(await listed()).toEqual(['third', 'other instance', 'other chat', 'second', 'first']);
				expect(await listed({ order: 'oldestFirst' })).toEqual(['first', 'second', 'other chat', 'other instance', 'third']);
			});

			test.each([['its number', chat.recipient], ['another name', '123@lid']])('is all of a chat under all its names, asked by %s', async (_, jid) => {
				expect(await listed(ofChat(jid))).toEqual(['third', 'second', 'first']);
				expect(await listed({ ...ofChat(jid), order: 'oldestFirst' })).toEqual(['first', 'second', 'third']);
			});

			test('is what the instance, the statuses and the times leave: the first moment counts, the last does not', async () => {
				expect(await listed({ instance: 'other' })).toEqual(['other instance']);
				expect(await listed({ statuses: ['open', 'failed'] })).toEqual(['third', 'other instance', 'other chat', 'second']);
				expect(await listed({ ...ofChat(chat.recipient), statuses: ['completed', 'failed'] })).toEqual(['second', 'first']);
				for (const order of ['newestFirst', 'oldestFirst'] as const) {
					expect((await listed({ from: 20, to: 26, order })).sort()).toEqual(['other chat', 'second']);
					expect((await listed({ ...ofChat(chat.recipient), from: 20, to: 30, order })).sort()).toEqual(['second']);
				}
				expect(await listed({ statuses: [] })).toEqual([]);
			});

			test.each(['newestFirst', 'oldestFirst'] as const)('comes in pages, %s, each once, also of one moment and while others are recorded', async (order) => {
				for (let i = 0; i < 10; i++) await ledger.open(transaction({ id: `t${i}`, createdAt: 40 + Math.floor(i / 4) }));
				const asked = { ...ofChat(chat.recipient), to: 60, order };
				const before = await listed(asked);
				for (const listing of [asked, { ...everything, to: 60, order }]) {
					const whole = await listed(listing);
					const seen: string[] = [];
					for (let page = await ledger.list({ ...everything, ...listing }, 3); page.length > 0; page = await ledger.list({ ...everything, ...listing }, 3, page.at(-1))) {
						expect(page.length).toBeLessThanOrEqual(3);
						seen.push(...page.map(({ id }) => id));
						await ledger.open(transaction({ id: `meanwhile ${order} ${seen.length} ${listing === asked}`, createdAt: 70 }));
					}
					expect(seen).toEqual(whole);
					expect(new Set(seen).size).toBe(seen.length);
				}
				expect(before).toHaveLength(13);
			});
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

		test('a chat is known over a chain of names, from each end of it', async () => {
			const named = (recipient: string) => ({ ...chat, recipient });
			await ledger.linkChat(named('b'), 'a');
			await ledger.linkChat(named('c'), 'b');
			await ledger.linkChat(named('a'), 'c'); // would close a circle
			await ledger.linkChat(named('a'), 'a');
			for (const name of ['a', 'b', 'c']) expect(await ledger.linkedChat(named(name))).toEqual(named('c'));
			expect((await ledger.linkedJids(named('c'))).sort()).toEqual(['a', 'b']);
		});

		test('the first owner of a message stays its owner, also when the step has another message later', async () => {
			const one = transaction({ id: 'a' });
			await ledger.open(one);
			for (const messageId of ['M1', 'M2']) await ledger.save({ ...one, steps: [step({ status: 'done', messageId }), step({ index: 1 })] });
			await ledger.open(transaction({ id: 'b', steps: [step({ status: 'done', messageId: 'M1' })] }));
			expect(await ledger.prune(1)).toBe(0);
			for (const id of ['M1', 'M2']) expect(await ledger.ownsMessage(chat.server, id)).toBe(true);
		});

		describe('of what is old', () => {
			const old = (id: string, more: Partial<Transaction> = {}) => transaction({ id, createdAt: 50, endedAt: 99, status: 'completed', steps: [step({ status: 'done', messageId: `M ${id}` })], ...more });

			test('transactions that ended go, with their messages, and so do open ones that nobody ended', async () => {
				await ledger.open(old('ended'));
				await ledger.open(old('open', { status: 'open', endedAt: undefined }));
				expect(await ledger.prune(100)).toBe(2);
				expect(await ledger.prune(100)).toBe(0);
				for (const id of ['ended', 'open']) {
					expect(await ledger.find(chat.server, id)).toBeUndefined();
					expect(await ledger.ownsMessage(chat.server, `M ${id}`)).toBe(false);
				}
			});

			test.each([
				['ended just now', old('a', { endedAt: 100 })],
				['is open, and new', old('a', { status: 'open', endedAt: undefined, createdAt: 100 })],
				['holds its chat', old('a', { status: 'failed', holds: true })],
			])('a transaction stays that %s', async (_, one) => {
				await ledger.open(one);
				expect(await ledger.prune(100)).toBe(0);
				expect(await ledger.find(chat.server, 'a')).toEqual(one);
				expect(await ledger.ownsMessage(chat.server, 'M a')).toBe(true);
			});

			test('by hand those go that ended at one server, and no others', async () => {
				const doubtThatIsOver = old('doubt that is over', { status: 'inDoubt', steps: [step({ status: 'inDoubt', doubtUntil: 200 })] });
				for (const one of [old('ended'), old('failed', { status: 'failed' }), doubtThatIsOver, old('new', { endedAt: 100 }), old('other server', { chat: otherServer })]) await ledger.open(one);
				expect(await ledger.pruneEnded(chat.server, 100, 200)).toBe(3);
				const left = await ledger.list({ server: chat.server, statuses: transactionStatuses, from: 0, to: 1000, order: 'oldestFirst' }, 100);
				expect(left.map(({ id }) => id)).toEqual(['new']);
				expect(await ledger.ownsMessage(chat.server, 'M ended')).toBe(false);
				expect(await ledger.find(otherServer.server, 'other server')).toBeDefined();
			});

			test.each<[string, Partial<Transaction>]>([
				['is open', { status: 'open', endedAt: undefined }],
				['holds the chat', { status: 'failed', holds: true }],
				['is still to be told by its error callback', { status: 'failed', errorCallback: { url: 'http://callback.test', status: 'pending', attempts: 0 } }],
				['may still go out', { status: 'inDoubt', steps: [step({ status: 'inDoubt', doubtUntil: 201 })] }],
			])('by hand nothing goes of a chat in which one %s: what went out after it has to be seen', async (_, needed) => {
				const other = { ...chat, recipient: 'other' };
				for (const one of [old('needed', needed), old('later'), old('of another chat', { chat: other })]) await ledger.open(one);
				expect(await ledger.pruneEnded(chat.server, 100, 200)).toBe(1);
				for (const id of ['needed', 'later']) expect(await ledger.find(chat.server, id)).toBeDefined();
			});

			test('by hand more go than one statement deletes', async () => {
				await Promise.all(Array.from({ length: 2001 }, (_, i) => ledger.open(old(`t${i}`))));
				expect(await ledger.pruneEnded(chat.server, 100, 200)).toBe(2001);
			});

			test('more go than one statement deletes', async () => {
				await Promise.all(Array.from({ length: 2001 }, (_, i) => ledger.open(old(`t${i}`))));
				expect(await ledger.prune(100)).toBe(2001);
			});

			test('names of chats go that no transaction uses', async () => {
				const gone = { ...chat, recipient: 'gone' };
				await ledger.linkChat(chat, 'used@lid');
				await ledger.linkChat(gone, 'gone@lid');
				await ledger.linkChat(gone, 'first@lid');
				await ledger.linkChat({ ...chat, recipient: 'first@lid' }, 'by its end@lid');
				await ledger.open(old('a', { endedAt: Date.now() + 60_000 }));
				await ledger.prune(Date.now() + 1000);
				expect(await ledger.linkedJids(chat)).toEqual(['used@lid']);
				expect(await ledger.linkedChat({ ...gone, recipient: 'gone@lid' })).toMatchObject({ recipient: 'gone@lid' });
				expect(await ledger.linkedChat({ ...gone, recipient: 'by its end@lid' })).toMatchObject({ recipient: 'first@lid' });
			});

			test('a name stays that was told not long ago', async () => {
				await ledger.linkChat(chat, '123@lid');
				await ledger.prune(Date.now() - 60_000);
				expect(await ledger.linkedJids(chat)).toEqual(['123@lid']);
			});
		});
	});
}

/** The same one, as a holder with this fence has it. */
function under(one: Transaction, fence: number): Transaction {
	return { ...one, queue: { ...one.queue, fence } };
}
