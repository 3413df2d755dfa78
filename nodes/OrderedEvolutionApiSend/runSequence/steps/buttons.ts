// Fields of buttons.
import type { INodeProperties } from 'n8n-workflow';
import { forKinds } from './kinds';

const buttonFields: INodeProperties[] = [
	{
		displayName: 'Type',
		name: 'type',
		type: 'options',
		noDataExpression: true,
		default: 'reply',
		description: 'What a tap on it does. Meta Cloud API: replies only.',
		options: [
			{ name: 'Call a Number', value: 'call', description: 'WhatsApp Web only' },
			{ name: 'Copy a Code', value: 'copy', description: 'WhatsApp Web only' },
			{ name: 'Open a Website', value: 'url', description: 'WhatsApp Web only' },
			{ name: 'Reply', value: 'reply', description: 'Answers with its text' },
		],
	},
	{ displayName: 'Text', name: 'text', type: 'string', default: '', required: true, placeholder: 'e.g. Yes, please', description: 'On the button. Meta Cloud API: up to 20 characters.' },
	{ displayName: 'ID', name: 'id', type: 'string', default: '', placeholder: 'e.g. confirm-yes', displayOptions: forKinds(['reply']), description: 'What the answer tells EvolutionAPI, to recognise it by. Left empty, one is made.' },
	{ displayName: 'URL', name: 'url', type: 'string', default: '', required: true, placeholder: 'e.g. https://example.com/order', displayOptions: forKinds(['url']), description: 'Website that it opens' },
	{ displayName: 'Phone Number', name: 'phoneNumber', type: 'string', default: '', required: true, placeholder: 'e.g. +55 11 98888-7777', displayOptions: forKinds(['call']), description: 'Number that it calls, with country code' },
	{ displayName: 'Code', name: 'code', type: 'string', default: '', required: true, placeholder: 'e.g. SUMMER10', displayOptions: forKinds(['copy']), description: 'What it copies, such as a coupon or a PIX key' },
];

export const buttonsFields: INodeProperties[] = [
	{
		displayName: 'Buttons',
		name: 'buttons',
		type: 'fixedCollection',
		typeOptions: { multipleValues: true, sortable: true },
		placeholder: 'Add Button',
		default: {},
		displayOptions: forKinds(['buttons']),
		description: 'Below the text: 1 to 3',
		options: [{ displayName: 'Button', name: 'button', values: buttonFields }],
	},
];
