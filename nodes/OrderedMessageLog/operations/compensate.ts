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
		description: 'Delete for everyone what it has sent, newest first, and end it for good. WhatsApp Web only, and within about two days: on other channels it tells what could not be undone. An error if anything is left.',
	},
	fields: [transactionIdField('compensate'), webhookAuthenticationField('compensate'), optionsField('compensate', false)],
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
