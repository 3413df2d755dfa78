// Fields of a list.
import type { INodeProperties } from 'n8n-workflow';
import { forKinds } from './kinds';

const rowFields: INodeProperties[] = [
	{ displayName: 'Title', name: 'title', type: 'string', default: '', required: true, placeholder: 'e.g. Margherita', description: 'What can be picked. Meta Cloud API: up to 24 characters.' },
	{ displayName: 'Description', name: 'description', type: 'string', default: '', placeholder: 'e.g. Tomato, mozzarella, basil', description: 'Smaller text below it. Meta Cloud API: up to 72 characters.' },
	{ displayName: 'ID', name: 'id', type: 'string', default: '', placeholder: 'e.g. pizza-1', description: 'What the answer tells EvolutionAPI, to recognise it by. Left empty, one is made.' },
];

const sectionFields: INodeProperties[] = [
	{ displayName: 'Title', name: 'title', type: 'string', default: '', required: true, placeholder: 'e.g. Pizza', description: 'Heading above these rows; each heading once. Meta Cloud API: up to 24 characters.' },
	{
		displayName: 'Rows',
		name: 'rows',
		type: 'fixedCollection',
		typeOptions: { multipleValues: true, sortable: true },
		placeholder: 'Add Row',
		default: {},
		description: 'What can be picked below this heading. At most 10 rows in the whole list.',
		options: [{ displayName: 'Row', name: 'row', values: rowFields }],
	},
];

export const listFields: INodeProperties[] = [
	{
		displayName: 'Button Text',
		name: 'buttonText',
		type: 'string',
		default: '',
		required: true,
		placeholder: 'e.g. See the menu',
		displayOptions: forKinds(['list']),
		description: 'On the button that opens the list. Meta Cloud API: up to 20 characters.',
	},
	{
		displayName: 'Sections',
		name: 'sections',
		type: 'fixedCollection',
		typeOptions: { multipleValues: true, sortable: true },
		placeholder: 'Add Section',
		default: {},
		displayOptions: forKinds(['list']),
		description: 'Headings of the list with their rows, such as Pizza and Drinks: 1 to 10',
		options: [{ displayName: 'Section', name: 'section', values: sectionFields }],
	},
];
