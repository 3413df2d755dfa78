// "Recover Unfinished Transactions": one output item for each that a dead process left.
import type { IExecuteFunctions } from 'n8n-workflow';
import { withEngine } from '../../engine';
import { toJson } from '../../shared/outcomes';
import { readStore } from '../../shared/store';
import { optionsField, type Operation, readRecoveryCall, webhookAuthenticationField } from './operation';

export const recover: Operation = {
	option: {
		name: 'Recover Unfinished Transactions',
		value: 'recover',
		action: 'Recover unfinished transactions',
		description: 'Finish what a process that died left unfinished. Nothing is sent behind a later message.',
	},
	fields: [webhookAuthenticationField('recover'), optionsField('recover', true)],
	async prepare(this: IExecuteFunctions, i: number) {
		const [store, call] = [await readStore(this, i), await readRecoveryCall.call(this, i)];
		return async () => {
			const recovered = await withEngine(store, (engine) => engine.recover(call));
			return recovered.map(({ transaction, action, failure }) => ({ json: { action, ...toJson({ transaction, replayed: false, failure }) } }));
		};
	},
};
