// The kinds of steps, and which of them share a field.
import type { IDisplayOptions, INodeProperties, INodePropertyOptions } from 'n8n-workflow';

/** Kinds that carry a file. */
export const mediaKinds = ['audio', 'document', 'image', 'sticker', 'video'];

/** Kinds that send a message. */
export const messageKinds = [...mediaKinds, 'buttons', 'contact', 'list', 'location', 'poll', 'reaction', 'template', 'text'];

/** Shows a field for these kinds of steps, where its neighbours have these values, too. */
export const forKinds = (kinds: string[], neighbours: NonNullable<IDisplayOptions['show']> = {}): IDisplayOptions => ({ show: { type: kinds, ...neighbours } });

const kindOptions: INodePropertyOptions[] = [
	{ name: 'Audio', value: 'audio', description: "A voice message. Not on EvolutionAPI's own channel. Meta Cloud API: up to 16 MB." },
	{ name: 'Buttons', value: 'buttons', description: 'Up to 3 buttons. Meta Cloud API: replies only. WhatsApp Web: not every phone shows them.' },
	{ name: 'Contact', value: 'contact', description: "One or more contact cards. Not on EvolutionAPI's own channel." },
	{ name: 'Document', value: 'document', description: 'A file such as a PDF. Up to 100 MB.' },
	{ name: 'Image', value: 'image', description: 'A picture. Meta Cloud API: JPEG or PNG, up to 5 MB.' },
	{ name: 'List', value: 'list', description: "A button that opens a list. Not on EvolutionAPI's own channel. WhatsApp Web: not every phone shows it." },
	{ name: 'Location', value: 'location', description: "A place on the map. Not on EvolutionAPI's own channel." },
	{ name: 'Poll', value: 'poll', description: 'A question with answers to vote for. WhatsApp Web only.' },
	{ name: 'Reaction', value: 'reaction', description: "An emoji on a message. Not on EvolutionAPI's own channel." },
	{ name: 'Sticker', value: 'sticker', description: 'WhatsApp Web only' },
	{ name: 'Template', value: 'template', description: "A text that Meta approved, for more than 24 hours after the person's last message. Meta Cloud API only." },
	{ name: 'Text', value: 'text', description: 'Meta Cloud API: up to 4,096 characters' },
	{ name: 'Video', value: 'video', description: 'Meta Cloud API: MP4 or 3GPP, up to 16 MB' },
	{ name: 'Wait', value: 'wait', description: 'Sends nothing: waits for a time, or until the message before it is delivered or read' },
	{ name: 'Webhook', value: 'webhook', description: 'Sends nothing to the person: calls an address of yours' },
];

export const kindField: INodeProperties = {
	displayName: 'Type',
	name: 'type',
	type: 'options',
	noDataExpression: true,
	default: 'text',
	description: 'What this step does',
	options: kindOptions,
};
