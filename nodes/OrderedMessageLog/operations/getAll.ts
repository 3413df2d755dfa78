// "Get Many": what is on record, one item for each transaction.
import type { IDataObject, IExecuteFunctions, INodeProperties } from 'n8n-workflow';
import { toListRequest, toRecord } from '../../../ordering';
import { withEngine } from '../../engine';
import { readServerAccess } from '../../shared/serverAccess';
import { readStore } from '../../shared/store';
import { instanceField, numberField } from './chat';
import type { Operation } from './operation';

const show = { operation: ['getAll'] };

const statusesField: INodeProperties = {
	displayName: 'Statuses',
	name: 'statuses',
	type: 'multiOptions',
	default: [],
	description: 'Only transactions that are in one of these states now. None chosen: all.',
	options: [
		{ name: 'Cancelled', value: 'cancelled', description: 'The execution was stopped' },
		{ name: 'Completed', value: 'completed', description: 'Every step was done' },
		{ name: 'Failed', value: 'failed', description: 'A step failed, and nothing after it was done' },
		{ name: 'In Doubt', value: 'inDoubt', description: 'The message may have been sent' },
		{ name: 'Open', value: 'open', description: 'Still waiting or running, or left by a process that died' },
		{ name: 'Unconfirmed', value: 'unconfirmed', description: 'The acknowledgement that was waited for did not come' },
	],
};

export const getAll: Operation = {
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many transactions',
		description: 'List the transactions of this EvolutionAPI server. Nothing is sent or changed.',
	},
	fields: [
		{
			displayName: 'Return All',
			name: 'returnAll',
			type: 'boolean',
			default: false,
			displayOptions: { show },
			description: 'Whether to return all results or only up to a given limit',
		},
		{
			displayName: 'Limit',
			name: 'limit',
			type: 'number',
			typeOptions: { minValue: 1 },
			default: 50,
			displayOptions: { show: { ...show, returnAll: [false] } },
			description: 'Max number of results to return',
			hint: 'From 1 to 10,000',
		},
		{
			displayName: 'One call returns 10,000 transactions at most. If more match, it is an error: choose a shorter time or one chat.',
			name: 'notice',
			type: 'notice',
			default: '',
			displayOptions: { show: { ...show, returnAll: [true] } },
		},
		{
			displayName: 'Filters',
			name: 'filters',
			type: 'collection',
			placeholder: 'Add filter',
			default: {},
			displayOptions: { show },
			options: [
				{ displayName: 'Created After', name: 'createdAfter', type: 'dateTime', default: '', description: "Only transactions that came at this time or later, in the workflow's time zone" },
				{ displayName: 'Created Before', name: 'createdBefore', type: 'dateTime', default: '', description: "Only transactions that came before this time, in the workflow's time zone" },
				instanceField,
				{ ...numberField, description: 'Only the chat with this person or group: choose the instance as well. All names that WhatsApp has told for it count.' },
				statusesField,
			],
		},
		{
			displayName: 'Options',
			name: 'options',
			type: 'collection',
			placeholder: 'Add option',
			default: {},
			displayOptions: { show },
			options: [
				{
					displayName: 'Order',
					name: 'order',
					type: 'options',
					default: 'newestFirst',
					description: 'Which transactions come first, by the time when they came',
					options: [
						{ name: 'Newest First', value: 'newestFirst' },
						{ name: 'Oldest First', value: 'oldestFirst' },
					],
				},
			],
		},
	],
	async prepare(this: IExecuteFunctions, i: number) {
		const store = await readStore(this, i);
		const filters = this.getNodeParameter('filters', i, {}) as IDataObject;
		const { order } = this.getNodeParameter('options', i, {}) as IDataObject;
		const instanceName = filters.instanceName === undefined ? '' : this.getNodeParameter('filters.instanceName', i, '', { extractValue: true });
		const limit = this.getNodeParameter('returnAll', i, false) ? undefined : this.getNodeParameter('limit', i, 50);
		const request = toListRequest(await readServerAccess(this, i), { ...filters, instanceName, order, limit }, this.getTimezone());
		return async () => {
			const listed = await withEngine(store, (engine) => engine.list(request));
			return listed.map((transaction) => ({ json: toRecord(transaction) as unknown as IDataObject }));
		};
	},
};
