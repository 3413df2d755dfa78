// "Resume a Transaction": goes on where it stopped.
import type { IExecuteFunctions } from 'n8n-workflow';
import { withEngine } from '../../engine';
import { NotDoneError, toJson } from '../../shared/outcomes';
import { readStore } from '../../shared/store';
import { optionsField, type Operation, readRecoveryCall, transactionIdField, transactionIdOf, webhookAuthenticationField } from './operation';

export const resume: Operation = {
	option: {
		name: 'Resume a Transaction',
		value: 'resume',
		action: 'Resume a transaction',
		description: 'Go on where it stopped: a message that is out is not sent again',
	},
	fields: [transactionIdField('resume'), webhookAuthenticationField('resume'), optionsField('resume', true)],
	async prepare(this: IExecuteFunctions, i: number) {
		const [store, call] = [await readStore(this, i), await readRecoveryCall.call(this, i)];
		const id = transactionIdOf(call);
		return async () => {
			const outcome = await withEngine(store, (engine) => engine.resume(id, call));
			if (outcome.failure) throw new NotDoneError(outcome);
			return [{ json: toJson(outcome) }];
		};
	},
};
