// The collection Options at the end of the panel. Those that concern one operation alone are shown with that one.
import type { INodeProperties } from 'n8n-workflow';

/** What "After Earlier Messages" asks for. Its labels are in ordering/sequence/labels.ts. */
const earlierMessagesFields: INodeProperties[] = [
	{
		displayName: 'Since',
		name: 'since',
		type: 'string',
		default: '',
		required: true,
		placeholder: 'e.g. 2026-11-24T10:20:29Z',
		description: "When the turn began: EvolutionAPI's messageTimestamp of the person's message, as its webhook tells it, or an ISO time. Older messages are not looked at.",
	},
	{
		displayName: 'Until',
		name: 'until',
		type: 'options',
		default: 'quietTime',
		description: 'How it is known that the earlier messages of this turn are all sent',
		options: [
			{ name: 'A Number of Messages Is Sent', value: 'count', description: 'The surest where you know how many bubbles come before' },
			{ name: 'A Text Is Sent', value: 'text', description: 'The last bubble before this message has this text' },
			{ name: 'It Is Quiet', value: 'quietTime', description: 'No new message for some seconds. A guess: a slow bubble, such as a video, comes behind.' },
		],
	},
	{
		displayName: 'Count',
		name: 'count',
		type: 'number',
		typeOptions: { minValue: 1 },
		default: 1,
		displayOptions: { show: { until: ['count'] } },
		description: 'How many messages have to be sent in this turn before this one, such as 3 for three bubbles',
	},
	{
		displayName: 'Text',
		name: 'text',
		type: 'string',
		default: '',
		required: true,
		placeholder: 'e.g. One moment, please',
		displayOptions: { show: { until: ['text'] } },
		description: 'Text of the last bubble that has to be sent before this message',
	},
	{
		displayName: 'Quiet Time (Seconds)',
		name: 'quietSeconds',
		type: 'number',
		typeOptions: { minValue: 0.5 },
		default: 4,
		displayOptions: { show: { until: ['quietTime'] } },
		description: 'How long nothing new may be sent until the turn counts as over. EvolutionAPI needs a second and more for each bubble, so 4 or more.',
	},
	{
		displayName: 'Timeout (Seconds)',
		name: 'timeoutSeconds',
		type: 'number',
		typeOptions: { minValue: 1 },
		default: 20,
		description: 'How long to wait for them at most. The chat stays reserved meanwhile.',
	},
	{
		displayName: 'On Timeout',
		name: 'onTimeout',
		type: 'options',
		default: 'stop',
		description: 'What to do when they do not come in time',
		options: [
			{ name: 'Stop With an Error', value: 'stop', description: 'Nothing is sent' },
			{ name: 'Continue', value: 'continue', description: 'It is sent all the same, so it may stand before them in the chat' },
		],
	},
];

export const optionsField: INodeProperties = {
	displayName: 'Options',
	name: 'options',
	type: 'collection',
	placeholder: 'Add option',
	default: {},
	displayOptions: { show: { operation: ['runSequence', 'sendThenWebhook'] } },
	options: [
		{
			displayName: 'After Earlier Messages',
			name: 'afterEarlierMessages',
			type: 'fixedCollection',
			placeholder: 'Add Rule',
			default: {},
			description: 'For TypeBot: waits before the first message until the bubbles of the same turn are shown as sent by EvolutionAPI. TypeBot sends them by another way, so without this they may come behind.',
			options: [{ displayName: 'Rule', name: 'rule', values: earlierMessagesFields }],
		},
		{ displayName: 'Attempts', name: 'attempts', type: 'number', typeOptions: { minValue: 1, maxValue: 10 }, default: 3, description: 'How often each message and each webhook is tried when it fails in a way that may pass, such as 3', hint: 'A message that may be out is looked up, never sent blindly again; a webhook may be called more than once' },
		{ displayName: 'Compensation URL', name: 'compensationWebhookUrl', type: 'string', default: '', placeholder: 'e.g. https://example.com/undo-order', displayOptions: { show: { '/operation': ['runSequence'] } }, description: 'Address that is called (POST) when a step whose On Error is Take Back fails, so that you can undo what is not a message, such as an order. It may be called more than once.' },
		{ displayName: 'Error Callback URL', name: 'errorCallbackUrl', type: 'string', default: '', placeholder: 'e.g. https://example.com/alert', description: 'Address that is told (POST) what was sent, what was not, and why, when the transaction does not complete' },
		{
			displayName: 'If in Doubt',
			name: 'onInDoubt',
			type: 'options',
			default: 'stop',
			description: 'What to do when it can not be told whether a message went out, even after looking it up',
			options: [
				{ name: 'Stop With an Error', value: 'stop', description: 'Nothing is sent twice. You decide after a look into the chat.' },
				{ name: 'Send Again', value: 'sendAgain', description: 'The person may get the message twice. The result then says duplicatePossible.' },
			],
		},
		{ displayName: 'Instance Gap (Seconds)', name: 'instanceGapSeconds', type: 'number', typeOptions: { minValue: 0 }, default: 3, description: 'Least time between two messages of this instance, to whatever chat, such as 3. For WhatsApp Web, where sending fast may get a number banned.', hint: 'Slows down all chats of the instance' },
		{ displayName: 'Link Preview', name: 'linkPreview', type: 'boolean', default: true, displayOptions: { show: { '/operation': ['sendThenWebhook'] } }, description: 'Whether WhatsApp shows a preview of the first link in the text' },
		{ displayName: 'Mention Everyone', name: 'mentionEveryone', type: 'boolean', default: false, displayOptions: { show: { '/operation': ['sendThenWebhook'] } }, description: 'Whether everyone in the group is notified. For groups on WhatsApp Web.' },
		{ displayName: 'Minimum Gap (Seconds)', name: 'minimumGapSeconds', type: 'number', typeOptions: { minValue: 0 }, default: 1, description: 'Least time between two messages to the same chat, such as 1.5' },
		{
			displayName: 'On Failure',
			name: 'onFailure',
			type: 'options',
			default: 'release',
			description: 'What the later messages to this chat do when this one fails or stops half-way',
			options: [
				{ name: 'Hold the Chat', value: 'hold', description: 'They wait until this one is resumed or given up. Until then the chat gets nothing.' },
				{ name: 'Let the Next Message Go On', value: 'release', description: 'They go out without this one. Sent again later, it comes behind them.' },
			],
		},
		{ displayName: 'Order Key', name: 'orderKey', type: 'string', default: '', placeholder: 'e.g. {{ $json.body.data.messageTimestamp }}', description: "Sorts what waits for the same chat, in place of the execution ID: the lower goes first. A number, or a text that begins with one, such as EvolutionAPI's messageTimestamp, then a hyphen and the message ID. No gaps are waited for." },
		{
			displayName: 'Priority',
			name: 'priority',
			type: 'options',
			default: 'normal',
			description: 'Which of the messages that wait for the same chat goes first. One that is being sent is never interrupted.',
			options: [
				{ name: 'High', value: 'high' },
				{ name: 'Normal', value: 'normal' },
				{ name: 'Low', value: 'low' },
			],
		},
		{ displayName: 'Queue Timeout (Seconds)', name: 'queueTimeoutSeconds', type: 'number', typeOptions: { minValue: 0.5 }, default: 120, description: 'How long this message may wait for earlier ones to the same chat before it fails with nothing sent' },
		{ displayName: 'Quoted Message ID', name: 'quotedMessageId', type: 'string', default: '', placeholder: 'e.g. 3EB0C767D097B7C7A9F2', displayOptions: { show: { '/operation': ['sendThenWebhook'] } }, description: 'ID of the message that this one answers' },
		{ displayName: 'Request Timeout (Seconds)', name: 'requestTimeoutSeconds', type: 'number', typeOptions: { minValue: 0.5 }, default: 30, description: 'How long each single request to EvolutionAPI or the webhook may take' },
		{ displayName: 'Sequence Gap (Seconds)', name: 'sequenceGapSeconds', type: 'number', typeOptions: { minValue: 0 }, default: 10, description: 'How long a missing lower sequence number is waited for. After that this message goes out, and the missing one, should it still come, is refused.' },
		{ displayName: 'Sequence Number', name: 'sequenceNumber', type: 'string', default: '', placeholder: 'e.g. {{ $json.body.counter }}', description: 'Your count of the messages to this chat (and priority): 1, 2, 3 and so on. They go out in the order of these numbers however they arrive; a number that comes after a higher one is refused. Left empty, the order is that of the executions.', hint: 'Counted by the caller: a fixed number here would refuse every message but the first' },
		{ displayName: 'Store Message Text', name: 'storeMessageText', type: 'boolean', default: false, description: 'Whether the text stays in the ledger after the transaction has ended. Otherwise only a keyed hash of it is kept.' },
		{ displayName: 'Transaction ID', name: 'transactionId', type: 'string', default: '', placeholder: 'e.g. {{ $json.body.resultId }}-confirm', description: 'Name of this message or sequence: the same ID again sends nothing twice but goes on where it stopped, or gives the recorded result. From TypeBot: the result ID and the name of the step. Left empty, one is made from the execution.' },
		{ displayName: 'Typing (Milliseconds)', name: 'typingMilliseconds', type: 'number', typeOptions: { minValue: 0, maxValue: 60000 }, default: 0, displayOptions: { show: { '/operation': ['sendThenWebhook'] } }, description: 'How long "typing…" is shown before the text goes out. Ignored by Meta Cloud API.' },
	],
};

/** What is risky among the options tells so, once it is chosen; a collection itself can't hold a notice. */
export const optionNotices: INodeProperties[] = [
	{
		displayName: 'With Send Again in If in Doubt, the person may get a message twice',
		name: 'sendAgainNotice',
		type: 'notice',
		default: '',
		displayOptions: { show: { operation: ['runSequence', 'sendThenWebhook'], '/options.onInDoubt': ['sendAgain'] } },
	},
	{
		displayName: 'With Hold the Chat in On Failure, a chat gets nothing more after a failure until you resume or give up the transaction: by the node Ordered Message Log, or by the same Transaction ID again. Later messages wait, and fail after their Queue Timeout.',
		name: 'holdNotice',
		type: 'notice',
		default: '',
		displayOptions: { show: { operation: ['runSequence', 'sendThenWebhook'], '/options.onFailure': ['hold'] } },
	},
];
