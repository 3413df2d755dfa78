// "Delete Old Transactions": forgets what has ended.
import type { IExecuteFunctions } from 'n8n-workflow';
import { toPruneRequest } from '../../../ordering';
import { withEngine } from '../../engine';
import { readServerAccess } from '../../shared/serverAccess';
import { readStore } from '../../shared/store';
import type { Operation } from './operation';

export const prune: Operation = {
	option: {
		name: 'Delete Old Transactions',
		value: 'prune',
		action: 'Delete old transactions',
		description: 'Forget what ended long ago, and tell how many. n8n does it without this, too, after 30 days.',
	},
	fields: [
		{
			displayName: 'Older Than (Days)',
			name: 'olderThanDays',
			type: 'number',
			typeOptions: { minValue: 0 },
			default: 30,
			displayOptions: { show: { operation: ['prune'] } },
			description: 'Delete transactions that ended more than this many days ago; 0 deletes all that have ended. Parts of a day such as 0.5 are allowed.',
			hint: 'Can not be undone: a Transaction ID that was forgotten sends its message again',
		},
		{
			displayName:
				'All transactions of a chat stay while one of them is still open, holds the chat, waits for its error callback, or has a message in doubt that may still go out. End open ones with Recover Unfinished Transactions or Give Up a Transaction; those that nobody ends are deleted by the automatic clean-up in the end.',
			name: 'notice',
			type: 'notice',
			default: '',
			displayOptions: { show: { operation: ['prune'] } },
		},
	],
	async prepare(this: IExecuteFunctions, i: number) {
		const store = await readStore(this, i);
		const { server, before } = toPruneRequest(await readServerAccess(this, i), { olderThanDays: this.getNodeParameter('olderThanDays', i, 30) });
		return async () => [{ json: { deleted: await withEngine(store, (engine) => engine.prune(server, before)), endedBefore: new Date(before).toISOString() } }];
	},
};
