// The collection Options of a step that sends a message: what is rarely needed, as far as the kind can do it.
import type { INodeProperties } from 'n8n-workflow';
import { forKinds } from './kinds';

const fileName: INodeProperties = { displayName: 'File Name', name: 'fileName', type: 'string', default: '', placeholder: 'e.g. menu.jpg', description: 'With its ending, from which the type of the file is read. Left empty: the name that the binary data has, or one that EvolutionAPI makes.' };
const linkPreview: INodeProperties = { displayName: 'Link Preview', name: 'linkPreview', type: 'boolean', default: true, description: 'Whether WhatsApp shows a preview of the first link in the text' };
const mentionEveryone: INodeProperties = { displayName: 'Mention Everyone', name: 'mentionEveryone', type: 'boolean', default: false, description: 'Whether everyone in the group is notified. For groups on WhatsApp Web.' };
const mimetype: INodeProperties = { displayName: 'MIME Type', name: 'mimetype', type: 'string', default: '', placeholder: 'e.g. application/pdf', description: 'Type of the file. Left empty: the type that the binary data has, or what its name tells.' };
const quotedMessageId: INodeProperties = { displayName: 'Quoted Message ID', name: 'quotedMessageId', type: 'string', default: '', placeholder: 'e.g. [[1.messageId]]', description: 'ID of the message that this one answers' };
const quotedAtMeta: INodeProperties = { displayName: 'Quoted Message ID', name: 'quotedMessageId', type: 'string', default: '', placeholder: 'e.g. [[1.messageId]]', description: 'ID of the message that this one answers. Shown on Meta Cloud API only.' };
const typing: INodeProperties = { displayName: 'Typing (Milliseconds)', name: 'typingMilliseconds', type: 'number', typeOptions: { minValue: 0, maxValue: 60000 }, default: 0, description: 'How long "typing…" is shown before the message goes out, such as 1500. Ignored by Meta Cloud API.' };

const optionsFor = (kinds: string[], options: INodeProperties[]): INodeProperties => ({
	displayName: 'Options',
	name: 'more',
	type: 'collection',
	placeholder: 'Add option',
	default: {},
	displayOptions: forKinds(kinds),
	options,
});

export const moreFields: INodeProperties[] = [
	optionsFor(['text'], [linkPreview, mentionEveryone, quotedMessageId, typing]),
	optionsFor(['image', 'video'], [fileName, mentionEveryone, mimetype, quotedMessageId, typing]),
	optionsFor(['document'], [mentionEveryone, mimetype, quotedMessageId, typing]),
	optionsFor(['buttons', 'list', 'location', 'poll', 'sticker'], [mentionEveryone, quotedMessageId, typing]),
	optionsFor(['audio'], [quotedMessageId, typing]),
	optionsFor(['contact'], [quotedAtMeta]),
	optionsFor(['template'], [quotedMessageId]),
];
