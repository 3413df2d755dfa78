// What is asked of the ledger in each transaction or often, with values: none may look at all rows.
import type { Queries } from '../../../ordering/ledger/queries';
import type { Value } from '../../../ordering/ledger/sqlLedger';

const chat = ['http://evolution.test', 'meta1', '7@s.whatsapp.net'];
const written: Value[] = [...chat, 'filled-7', 'open', 9, null, 1, 0, '["wamid.x"]', null, '{}'];

export const hotQueries: Array<[keyof Queries, Value[]]> = [
	['open', [...written, 'origin', 1, 'x']],
	['save', written],
	['saveIntent', written],
	['find', [chat[0] as string, 'filled-7']],
	['findByOrigin', [chat[0] as string, 'origin-7']],
	['laneOf', chat],
	['unsettled', [...chat, 1, 'x']],
	['unfinished', [chat[0] as string, 1_800_000_000_000, 1, '', 20]],
	['turnsOf', [...chat, 9_007_199_254_740_991, 20]],
	['listNewest', [chat[0] as string, 1_700_000_000_000, 1_700_000_001_000, '', ',failed,', '', 20]],
	['listOldest', [chat[0] as string, 1_700_000_001_000, 1_700_000_000_000, '', ',failed,', '', 20]],
	['listNewestOfChat', [...chat, 1_700_000_000_000, 1_700_000_001_000, '', ',failed,', 20]],
	['listOldestOfChat', [...chat, 1_700_000_001_000, 1_700_000_000_000, '', ',failed,', 20]],
	['ownsMessage', [chat[0] as string, 'wamid.7']],
	['linkChat', [...chat.slice(0, 2), '7@lid', '7@s.whatsapp.net', 1]],
	['linkedChat', chat],
	['linkedJids', chat],
	['prune', [1_700_000_000_000, 1000]],
];
