// What is asked of the buffer for each message or poll, with values: none may look at all rows.
import { bufferQueriesFor } from '../../../ordering/buffer/queries';
import type { Value } from '../../../ordering/ledger/sqlLedger';

export function frequent(prefix: string): Array<[name: string, sql: string, values: Value[]]> {
	const queries = bufferQueriesFor(prefix);
	const chat = ['http://evolution.test', 'meta1', '7@s.whatsapp.net'];
	const values: Partial<Record<keyof typeof queries, Value[]>> = {
		add: [...chat, 'M1', 'by', 0, 1, 1, '{}'],
		collecting: chat,
		claim: [...chat, 'T', 'me', 1],
		look: [...chat, 'T'],
		begin: [...chat, 'T', 1, 1],
		take: [...chat, 'T'],
		taken: ['T'],
		end: ['T'],
		forget: ['T'],
		letGo: ['T'],
		dropClaim: ['T', 'me'],
		acquire: ['T', 'dead', 'me'],
		putBack: ['T', 'me', 1],
		dropReturned: ['T', 'me'],
		prune: [1, 1000],
	};
	return Object.entries(values).map(([name, given]) => [name, queries[name as keyof typeof queries], given]);
}
