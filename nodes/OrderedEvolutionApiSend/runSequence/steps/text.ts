// Fields of a text.
import type { INodeProperties } from 'n8n-workflow';
import { forKinds } from './kinds';

export const textFields: INodeProperties[] = [
	{
		displayName: 'Text',
		name: 'text',
		type: 'string',
		typeOptions: { rows: 3 },
		default: '',
		required: true,
		placeholder: 'e.g. Your order is confirmed',
		displayOptions: forKinds(['text']),
		description: 'The message to send',
	},
];
