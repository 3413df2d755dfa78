// Fields of a template that Meta has approved.
import type { INodeProperties } from 'n8n-workflow';
import { forKinds } from './kinds';

export const templateFields: INodeProperties[] = [
	{
		displayName: 'Name',
		name: 'name',
		type: 'string',
		default: '',
		required: true,
		placeholder: 'e.g. order_confirmed',
		displayOptions: forKinds(['template']),
		description: 'Name of the template in Meta Business Manager',
	},
	{
		displayName: 'Language',
		name: 'language',
		type: 'string',
		default: '',
		required: true,
		placeholder: 'e.g. pt_BR',
		displayOptions: forKinds(['template']),
		description: "Meta's code of the template's language, such as pt_BR, es_MX or en_US",
	},
	{
		displayName: 'Components (JSON)',
		name: 'components',
		type: 'string',
		typeOptions: { rows: 3 },
		default: '',
		placeholder: 'e.g. [{"type": "body", "parameters": [{"type": "text", "text": "Ana"}]}]',
		displayOptions: forKinds(['template']),
		description: "The template's values, in Meta's own format. Leave empty for a template without any.",
	},
];
