// Fields of a reaction.
import type { INodeProperties } from 'n8n-workflow';
import { forKinds } from './kinds';

export const reactionFields: INodeProperties[] = [
	{
		displayName: 'Emoji',
		name: 'emoji',
		type: 'string',
		default: '',
		required: true,
		placeholder: 'e.g. 👍',
		displayOptions: forKinds(['reaction']),
		description: 'One emoji. EvolutionAPI can not take a reaction back.',
	},
	{
		displayName: 'Message ID',
		name: 'messageId',
		type: 'string',
		default: '',
		required: true,
		placeholder: 'e.g. [[1.messageId]]',
		displayOptions: forKinds(['reaction']),
		description: 'The message to react to, by its ID in this chat',
	},
	{
		displayName: 'Own Message',
		name: 'fromMe',
		type: 'boolean',
		default: false,
		displayOptions: forKinds(['reaction']),
		description: 'Whether that message was sent by this instance, such as by an earlier step, and not by the person',
	},
	{
		displayName: 'Participant',
		name: 'participant',
		type: 'string',
		default: '',
		placeholder: 'e.g. 5511988887777@s.whatsapp.net',
		displayOptions: forKinds(['reaction'], { fromMe: [false] }),
		description: 'Who wrote that message. For groups; leave empty otherwise.',
	},
];
