// "Give Up a Transaction": ends it for good.
import type { IExecuteFunctions } from 'n8n-workflow';
import { withEngine } from '../../engine';
import { toJson } from '../../shared/outcomes';
import { readStore } from '../../shared/store';
import { optionsField, type Operation, readRecoveryCall, transactionIdField, transactionIdOf, webhookAuthenticationField } from './operation';

export const giveUp: Operation = {
	option: {
		name: 'Give Up a Transaction',
		value: 'giveUp',
		action: 'Give up a transaction',
		description: 'End it for good: it sends and calls nothing more, and holds its chat no longer',
	},
	fields: [
		{
			displayName: 'This can not be undone: what was not sent stays unsent. To go on with it instead, choose Resume a Transaction.',
			name: 'giveUpNotice',
			type: 'notice',
			default: '',
			displayOptions: { show: { operation: ['giveUp'] } },
		},
		transactionIdField('giveUp'),
		webhookAuthenticationField('giveUp'),
		optionsField('giveUp', false),
	],
	async prepare(this: IExecuteFunctions, i: number) {
		const [store, call] = [await readStore(this, i), await readRecoveryCall.call(this, i)];
		const id = transactionIdOf(call);
		// that it failed is what was wished
		return async () => [{ json: toJson(await withEngine(store, (engine) => engine.giveUp(id, call))) }];
	},
};
