// "Take Over What Was Left": for a Schedule Trigger, one item for each chat whose messages nobody collects any more.
import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';
import { toTakeOverRules } from '../../../ordering';
import { withEngine } from '../../engine';
import { readStore } from '../../shared/store';
import { errorItem, toNodeError } from '../failures';
import { toItems } from '../joinedItem';
import { oneTurnAtATimeOption, type Operation, turnTimeoutOption } from './operation';

const options: INodeProperties = {
	displayName: 'Options',
	name: 'options',
	type: 'collection',
	placeholder: 'Add option',
	default: {},
	displayOptions: { show: { operation: ['takeOver'] } },
	options: [oneTurnAtATimeOption, turnTimeoutOption],
};

export const takeOver: Operation = {
	option: {
		name: 'Take Over What Was Left',
		value: 'takeOver',
		action: 'Take over what was left',
		description: 'Put it behind a Schedule Trigger: one item for each chat that a stopped execution has left',
	},
	fields: [
		{
			displayName: 'An item with redelivered = true was given before, to an execution that did not end its turn. It may have been answered already.',
			name: 'redeliveredNotice',
			type: 'notice',
			default: '',
			displayOptions: { show: { operation: ['takeOver'] } },
		},
		options,
	],
	/** Once, however many items come: what was handed out for one must not be lost with the failure of another. */
	async execute(this: IExecuteFunctions) {
		if (this.getInputData().length === 0) return [[], []];
		try {
			const rules = toTakeOverRules(this.getNodeParameter('options', 0, {}));
			const store = await readStore(this, 0);
			const joined = await withEngine(store, async ({ buffer }) => {
				const all = await buffer.takeOver(rules, this.getExecutionCancelSignal());
				return await toItems.call(this, buffer, all.map((item) => ({ item, i: 0 })));
			});
			return [joined, []];
		} catch (error) {
			if (!this.continueOnFail()) throw toNodeError.call(this, 0, error);
			return [[], [errorItem.call(this, 0, error)]];
		}
	},
};
