// When a step counts as done: a message has a Wait For of its own, a wait step is nothing else. Two fields, since what is
// usual for the one (accepted) is impossible for the other.
import type { INodeProperties } from 'n8n-workflow';
import { forKinds, messageKinds } from './kinds';

const acknowledgements = ['delivered', 'read', 'sent'];

const timesOf = (kinds: string[], waitField: string): INodeProperties[] => [
	{
		displayName: 'Groups and EvolutionAPI\'s own channel never acknowledge: choose Accepted or Delay there',
		name: 'ackNotice',
		type: 'notice',
		default: '',
		displayOptions: forKinds(kinds, { [waitField]: ['delivered', 'sent'] }),
	},
	{
		displayName: 'Read may never come: people can turn read receipts off. Groups and EvolutionAPI\'s own channel never acknowledge: choose Accepted or Delay there.',
		name: 'readNotice',
		type: 'notice',
		default: '',
		displayOptions: forKinds(kinds, { [waitField]: ['read'] }),
	},
	{
		displayName: 'Delay (Seconds)',
		name: 'delaySeconds',
		type: 'number',
		typeOptions: { minValue: 0 },
		default: 1,
		displayOptions: forKinds(kinds, { [waitField]: ['delay'] }),
		description: 'How long to wait, such as 2. Fractions such as 0.5 are allowed.',
	},
	{
		displayName: 'A long delay: no other message goes to this chat meanwhile, and the workflow keeps running all the time. Called from TypeBot? Its HTTP request block gives up after 10 seconds where CHAT_API_TIMEOUT is set. Raise the timeout of the block (up to 120 seconds), or let the workflow answer at once and send afterwards.',
		name: 'delayNotice',
		type: 'notice',
		default: '',
		displayOptions: forKinds(kinds, { [waitField]: ['delay'], delaySeconds: [{ _cnd: { gte: 10 } }] }),
	},
	{
		displayName: 'Ack Timeout (Seconds)',
		name: 'ackTimeoutSeconds',
		type: 'number',
		typeOptions: { minValue: 0.5 },
		default: 30,
		displayOptions: forKinds(kinds, { [waitField]: acknowledgements }),
		description: 'How long to wait for the acknowledgement, such as 30. Then the step has failed, see On Error; the message itself is out.',
	},
	{
		displayName: 'Called from TypeBot? Its HTTP request block gives up after 10 seconds where CHAT_API_TIMEOUT is set. Raise the timeout of the block (up to 120 seconds), or let the workflow answer at once and send afterwards.',
		name: 'ackTimeoutNotice',
		type: 'notice',
		default: '',
		displayOptions: forKinds(kinds, { [waitField]: acknowledgements, ackTimeoutSeconds: [{ _cnd: { gte: 10 } }] }),
	},
];

export const waitingFields: INodeProperties[] = [
	{
		displayName: 'Wait For',
		name: 'waitFor',
		type: 'options',
		default: 'accepted',
		displayOptions: forKinds(messageKinds),
		description: 'What has to be true before the next step begins',
		options: [
			{ name: 'Accepted by EvolutionAPI', value: 'accepted', description: 'EvolutionAPI took the message and gave its ID. Works on every channel, costs no time.' },
			{ name: 'Delay', value: 'delay', description: 'A fixed time after it was accepted. A guess, not a proof: at least 0.5 s is usual.' },
			{ name: 'Delivered to the Phone', value: 'delivered', description: 'The phone has it: the surest order. Can take long while the phone is off.' },
			{ name: 'Read by the Person', value: 'read', description: 'The person opened it. May never come: people can hide it.' },
			{ name: 'Sent by WhatsApp', value: 'sent', description: "WhatsApp's server has it. For Meta Cloud API; WhatsApp Web mostly tells it with Delivered." },
		],
	},
	{
		displayName: 'Wait For',
		name: 'waitUntil',
		type: 'options',
		default: 'delay',
		displayOptions: forKinds(['wait']),
		description: 'What has to be true before the next step begins. An acknowledgement is that of the last message before this step.',
		options: [
			{ name: 'Delay', value: 'delay', description: 'A fixed time. A guess, not a proof that the message before has arrived.' },
			{ name: 'Delivered to the Phone', value: 'delivered', description: 'The phone has the message before. Can take long while the phone is off.' },
			{ name: 'Read by the Person', value: 'read', description: 'The person opened the message before. May never come: people can hide it.' },
			{ name: 'Sent by WhatsApp', value: 'sent', description: "WhatsApp's server has the message before. For Meta Cloud API; WhatsApp Web mostly tells it with Delivered." },
		],
	},
	...timesOf(messageKinds, 'waitFor'),
	...timesOf(['wait'], 'waitUntil'),
	{
		displayName: 'On Error',
		name: 'onError',
		type: 'options',
		default: 'stop',
		description: 'What to do when this step fails, or its acknowledgement does not come',
		options: [
			{ name: 'Continue', value: 'continue', description: 'The next steps run all the same, though this one may be missing in the chat' },
			{ name: 'Stop With an Error', value: 'stop', description: 'The next steps do not run. Run again with the same Transaction ID to go on here.' },
			{ name: 'Take Back What Was Sent', value: 'compensate', description: 'Stops, and deletes for everyone what was sent, newest first. WhatsApp Web only.' },
		],
	},
	{
		displayName: 'Only WhatsApp Web can take messages back, and the person may have read them by then. Meta Cloud API can not.',
		name: 'compensateNotice',
		type: 'notice',
		default: '',
		displayOptions: { show: { onError: ['compensate'] } },
	},
];
