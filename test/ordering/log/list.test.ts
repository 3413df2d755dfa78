// Long lists: read page by page, with an end that is told.
import { listAll, listUpTo, mostListed } from '../../../ordering/log/list';
import type { Ledger, Listing } from '../../../ordering/ledger/ledger';
import { SqliteLedger } from '../../../ordering/ledger/sqlite';
import { transactionStatuses } from '../../../ordering/log/request';
import { endWithTest, temporaryFolder, thrownBy } from '../../evolution/helpers';
import { chat, transaction } from '../ledger/fixtures';

const listing: Listing = { server: chat.server, statuses: transactionStatuses, from: 0, to: 1_000_000, order: 'newestFirst' };

async function filled(count: number): Promise<Ledger> {
	const ledger = SqliteLedger.open(temporaryFolder());
	endWithTest(() => ledger.close());
	await Promise.all(Array.from({ length: count }, (_, i) => ledger.open(transaction({ id: `t${String(i).padStart(5, '0')}`, createdAt: Math.floor(i / 3) }))));
	return ledger;
}

test.each([1, 999, 1000, 1001, 2500, 9999])('of 2,500 the first %i are given, each once and in their order', async (limit) => {
	const ledger = await filled(2500);
	const ids = (await listUpTo(ledger, listing, limit)).map(({ id }) => id);
	expect(ids).toHaveLength(Math.min(limit, 2500));
	expect(new Set(ids).size).toBe(ids.length);
	expect([...ids].sort().reverse()).toEqual(ids);
});

test('all are given up to the limit of one call; one more is an error, since a part would look like all', async () => {
	const ledger = await filled(mostListed);
	expect(await listAll(ledger, listing)).toHaveLength(mostListed);
	await ledger.open(transaction({ id: 'one more' }));
	expect(await thrownBy(listAll(ledger, listing))).toMatchObject({ failure: { code: 'tooManyTransactions', message: expect.stringContaining('More than 10000 transactions match') as string } });
	expect(await listUpTo(ledger, listing, mostListed)).toHaveLength(mostListed);
}, 60_000);
