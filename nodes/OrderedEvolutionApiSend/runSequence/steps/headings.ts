// The texts above and below a list or buttons. What a list has to have may be left empty for buttons.
import type { INodeProperties } from 'n8n-workflow';
import { forKinds } from './kinds';

export const headingFields: INodeProperties[] = [
	{
		displayName: 'Title',
		name: 'title',
		type: 'string',
		default: '',
		required: true,
		placeholder: 'e.g. Your order',
		displayOptions: forKinds(['buttons', 'list']),
		description: 'Text at the top. Meta Cloud API: up to 60 characters for a list, 1,024 for buttons.',
	},
	{
		displayName: 'Description',
		name: 'description',
		type: 'string',
		typeOptions: { rows: 2 },
		default: '',
		required: true,
		placeholder: 'e.g. What may we bring you?',
		displayOptions: forKinds(['list']),
		description: 'Text below the title. Meta Cloud API: up to 4,096 characters.',
	},
	{
		displayName: 'Description',
		name: 'description',
		type: 'string',
		typeOptions: { rows: 2 },
		default: '',
		placeholder: 'e.g. Is this order right?',
		displayOptions: forKinds(['buttons']),
		description: 'Text below the title. Meta Cloud API does not show it: write all into the title there.',
	},
	{
		displayName: 'Footer',
		name: 'footer',
		type: 'string',
		default: '',
		required: true,
		placeholder: 'e.g. Prices with tax',
		displayOptions: forKinds(['list']),
		description: 'Small text at the bottom. EvolutionAPI asks for it. Meta Cloud API: up to 60 characters.',
	},
	{
		displayName: 'Footer',
		name: 'footer',
		type: 'string',
		default: '',
		placeholder: 'e.g. Our Shop',
		displayOptions: forKinds(['buttons']),
		description: 'Small text at the bottom. Meta Cloud API does not show it.',
	},
];
