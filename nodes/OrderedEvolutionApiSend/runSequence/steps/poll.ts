// Fields of a poll.
import type { INodeProperties } from 'n8n-workflow';
import { forKinds } from './kinds';

export const pollFields: INodeProperties[] = [
	{
		displayName: 'Question',
		name: 'question',
		type: 'string',
		default: '',
		required: true,
		placeholder: 'e.g. When may we deliver?',
		displayOptions: forKinds(['poll']),
		description: 'What the person is asked',
	},
	{
		displayName: 'Poll Options',
		name: 'options',
		type: 'string',
		typeOptions: { rows: 4 },
		default: '',
		required: true,
		placeholder: 'e.g. In the morning',
		displayOptions: forKinds(['poll']),
		description: 'The answers, one on each line: 2 to 10, each of them once',
	},
	{
		displayName: 'Answers Per Person',
		name: 'selectableCount',
		type: 'number',
		typeOptions: { minValue: 0, maxValue: 10 },
		default: 1,
		displayOptions: forKinds(['poll']),
		description: 'How many answers one person may choose, such as 1. 0 is any number.',
	},
];
