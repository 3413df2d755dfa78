// "Compensate a Transaction": deletes for everyone what it has sent.
import type { IExecuteFunctions } from 'n8n-workflow';
import { withEngine } from '../../engine';
import { NotDoneError, toJson } from '../../shared/outcomes';
import { readStore } from '../../shared/store';
import { optionsField, type Operation, readRecoveryCall, transactionIdField, transactionIdOf, webhookAuthenticationField } from './operation';

export const compensate: Operation = {
	option: {
		name: 'Compensate a Transaction',
		value: 'compensate',
		action: 'Compensate a transaction',
		description: 'Delete for everyone what it has sent, newest first, and end it. WhatsApp Web only.',
	},
	fields: [
		{
			displayName: 'This can not be undone, and the person may have read the messages by then. WhatsApp Web only, within about two days: on other channels the output tells what is left, as an error.',
			name: 'compensateNotice',
			type: 'notice',
			default: '',
			displayOptions: { show: { operation: ['compensate'] } },
		},
		transactionIdField('compensate'),
		webhookAuthenticationField('compensate'),
		optionsField('compensate', false),
	],
	async prepare(this: IExecuteFunctions, i: number) {
		const [store, call] = [await readStore(this, i), await readRecoveryCall.call(this, i)];
		const id = transactionIdOf(call);
		return async () => {
			const outcome = await withEngine(store, (engine) => engine.compensate(id, call));
			if (outcome.failure) throw new NotDoneError(outcome);
			return [{ json: toJson(outcome) }];
		};
	},
};
