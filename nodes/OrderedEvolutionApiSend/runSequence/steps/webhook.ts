// Fields of a webhook step.
import type { INodeProperties } from 'n8n-workflow';
import { forKinds } from './kinds';

const headerFields: INodeProperties[] = [
	{ displayName: 'Name', name: 'name', type: 'string', default: '', placeholder: 'e.g. X-Source', description: 'Name of the header; each once' },
	{ displayName: 'Value', name: 'value', type: 'string', default: '', placeholder: 'e.g. whatsapp', description: 'What the header says' },
];

export const webhookFields: INodeProperties[] = [
	{
		displayName: 'URL',
		name: 'url',
		type: 'string',
		default: '',
		required: true,
		placeholder: 'e.g. https://example.com/after-the-text',
		displayOptions: forKinds(['webhook']),
		description: 'Address to call. If it starts a workflow that sends to the same chat, let that workflow answer at once, or it waits for itself.',
	},
	{
		displayName: 'A Test URL of n8n (/webhook-test/) answers one call, and only while you listen for a test event. For real messages take the Production URL, and publish that workflow.',
		name: 'testUrlNotice',
		type: 'notice',
		default: '',
		displayOptions: forKinds(['webhook'], { url: [{ _cnd: { includes: '/webhook-test/' } }] }),
	},
	{
		displayName: 'Method',
		name: 'method',
		type: 'options',
		default: 'POST',
		displayOptions: forKinds(['webhook']),
		description: 'HTTP method of the call. GET and DELETE carry no body.',
		options: [
			{ name: 'DELETE', value: 'DELETE' },
			{ name: 'GET', value: 'GET' },
			{ name: 'PATCH', value: 'PATCH' },
			{ name: 'POST', value: 'POST' },
			{ name: 'PUT', value: 'PUT' },
		],
	},
	{
		displayName: 'Body (JSON)',
		name: 'body',
		type: 'string',
		typeOptions: { rows: 3 },
		default: '',
		placeholder: 'e.g. {"orderId": 123, "messageId": "[[1.messageId]]"}',
		displayOptions: forKinds(['webhook'], { method: ['PATCH', 'POST', 'PUT'] }),
		description: 'JSON to send. Leave empty to send a summary: transaction ID, chat, and what the steps before it did.',
	},
	{
		displayName: 'Headers',
		name: 'headers',
		type: 'fixedCollection',
		typeOptions: { multipleValues: true },
		placeholder: 'Add Header',
		default: {},
		displayOptions: forKinds(['webhook']),
		description: 'Headers of the call. Keys and passwords belong into the credential instead.',
		options: [{ displayName: 'Header', name: 'header', values: headerFields }],
	},
];
