// "Get": one transaction as it is on record.
import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';
import { toRecord } from '../../../ordering';
import { withEngine } from '../../engine';
import { readStore } from '../../shared/store';
import { type Operation, readRecoveryCall, transactionIdField, transactionIdOf } from './operation';

export const get: Operation = {
	option: {
		name: 'Get',
		value: 'get',
		action: 'Get a transaction',
		description: 'See what one transaction did when, and why it stopped. Nothing is sent or changed.',
	},
	fields: [transactionIdField('get')],
	async prepare(this: IExecuteFunctions, i: number) {
		const [store, call] = [await readStore(this, i), await readRecoveryCall.call(this, i)];
		const id = transactionIdOf(call);
		return async () => [{ json: toRecord(await withEngine(store, (engine) => engine.get(call.access, id))) as unknown as IDataObject }];
	},
};
