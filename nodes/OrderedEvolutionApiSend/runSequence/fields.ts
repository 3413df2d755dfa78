// The panel of "Run a Sequence of Steps". Labels of its steps are those of ordering/sequence/labels.ts, where errors name them.
import type { IDisplayOptions, INodeProperties } from 'n8n-workflow';
import { stepFields } from './steps';

/** The kind of a step and, where it has one, the beginning of what tells it from others of its kind. */
const stepTitle = '={{ (() => { const step = $collection.item.value; const kind = $collection.item.properties.find((field) => field.name === "type").options.find((option) => option.value === (step.type || "text")).name; const about = String(step.text || step.question || step.title || step.name || step.fileName || step.url || step.mediaUrl || step.caption || ""); return about ? kind + ": " + (about.length > 40 ? about.slice(0, 40) + "…" : about) : kind; })() }}';

const jsonExample = `[
  { "type": "text", "text": "Hello", "waitFor": "delivered" },
  { "type": "wait", "delaySeconds": 2 },
  { "type": "text", "text": "How may we help you?" }
]`;

const referencesNotice = (name: string, conditions: NonNullable<IDisplayOptions['show']>): INodeProperties => ({
	displayName: 'To use what an earlier step gave, write [[1.messageId]] (the ID of the message of step 1), [[1.receipt]] (its acknowledgement), [[2.statusCode]] or [[2.webhook.orderId]] (from the answer to the webhook in step 2). {{ }} can not do this: n8n fills it in before the first step.',
	name,
	type: 'notice',
	default: '',
	displayOptions: { show: { operation: ['runSequence'], ...conditions } },
});

export const runSequenceFields: INodeProperties[] = [
	{
		displayName: 'Define Steps',
		name: 'stepsFrom',
		type: 'options',
		noDataExpression: true,
		default: 'panel',
		displayOptions: { show: { operation: ['runSequence'] } },
		description: 'Where the steps are',
		options: [
			{ name: 'Using Fields Below', value: 'panel', description: 'You put them together here' },
			{ name: 'Using JSON', value: 'json', description: 'A list, such as from an expression, an AI agent, or an HTTP request' },
		],
	},
	{
		displayName: 'Steps',
		name: 'steps',
		type: 'fixedCollection',
		typeOptions: { multipleValues: true, sortable: true, multipleValueButtonText: 'Add Step', fixedCollection: { itemTitle: stepTitle } },
		placeholder: 'Add Step',
		default: {},
		displayOptions: { show: { operation: ['runSequence'], stepsFrom: ['panel'] } },
		description: 'What is done, from the top down: each step begins when the one before is done. The chat stays reserved until the last.',
		options: [{ displayName: 'Step', name: 'step', values: stepFields }],
	},
	{
		displayName: 'Steps (JSON)',
		name: 'stepsJson',
		type: 'json',
		typeOptions: { rows: 10 },
		default: jsonExample,
		required: true,
		displayOptions: { show: { operation: ['runSequence'], stepsFrom: ['json'] } },
		description: 'List of the steps, from first to last, with "type" and the fields of that type: "text" for a text, "media" (an address or base64) or "binaryProperty" for a file, and so on. The README lists them all. Or {"steps": […], "options": {"transactionId": "order-17"}}: these options go before those below.',
	},
	// of no use before there is a step
	referencesNotice('referencesNotice', { stepsFrom: ['panel'], '/steps.step': [{ _cnd: { exists: true } }] }),
	referencesNotice('referencesInJsonNotice', { stepsFrom: ['json'] }),
	{
		displayName: 'Webhook Authentication',
		name: 'webhookAuthentication',
		type: 'options',
		default: 'none',
		displayOptions: { show: { operation: ['runSequence'] } },
		description: 'How the webhooks of the steps know that the calls come from you',
		options: [
			{ name: 'None', value: 'none' },
			{ name: 'Credential', value: 'credential', description: 'A header, a signature, or both. All webhook steps carry it, whatever their address.' },
		],
	},
];
