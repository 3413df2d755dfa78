// Lists of transactions, read page by page.
import { TooManyTransactionsError } from '../errors';
import type { Ledger, Listing } from '../ledger/ledger';
import type { Transaction } from '../transaction';

/** The longest list of one call. */
export const mostListed = 10_000;

const pageSize = 1000;

/** The first `limit` of a listing. */
export async function listUpTo(ledger: Ledger, listing: Listing, limit: number): Promise<Transaction[]> {
	const listed: Transaction[] = [];
	let after: Transaction | undefined;
	while (listed.length < limit) {
		const size = Math.min(pageSize, limit - listed.length);
		const page = await ledger.list(listing, size, after);
		listed.push(...page);
		after = page.at(-1);
		if (page.length < size) break;
	}
	return listed;
}

/** All of a listing. Throws {@link TooManyTransactionsError} where that is more than {@link mostListed}: a part in silence would look like all. */
export async function listAll(ledger: Ledger, listing: Listing): Promise<Transaction[]> {
	const listed = await listUpTo(ledger, listing, mostListed + 1);
	if (listed.length > mostListed) throw new TooManyTransactionsError(mostListed);
	return listed;
}
