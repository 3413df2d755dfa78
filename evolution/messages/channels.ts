// What a channel can't send or take back, told before anything is sent. What is not known here is left to EvolutionAPI.
import type { Recipient } from '../recipient';
import type { Kind, Message } from './message';

/** `why` is a clause, `remedy` a sentence. */
export interface CanNot {
	why: string;
	remedy: string;
}

/** EvolutionAPI's names of its channels. */
type Channel = 'WHATSAPP-BUSINESS' | 'WHATSAPP-BAILEYS' | 'EVOLUTION';

const channelNames: Record<Channel, string> = {
	'WHATSAPP-BUSINESS': "Meta's Cloud API",
	'WHATSAPP-BAILEYS': 'WhatsApp Web',
	EVOLUTION: "EvolutionAPI's own channel",
};

/**
 * Kinds that EvolutionAPI 2.3.6 refuses, with the remedy. Recorded: polls on Meta's channel (`send-poll.cloud`); all
 * others stand in its source as "Method not available …". Audio on its own channel fails there with "File or buffer is
 * undefined." unless it is uploaded as a file, which this package does not do.
 */
const missing: Record<Channel, Partial<Record<Kind, string>>> = {
	'WHATSAPP-BUSINESS': {
		poll: 'Send a list or buttons instead, or use an instance on WhatsApp Web.',
		sticker: 'Send an image instead, or use an instance on WhatsApp Web.',
	},
	'WHATSAPP-BAILEYS': {
		template: 'Send a text instead: only conversations on Meta\'s Cloud API need templates.',
	},
	EVOLUTION: {
		audio: 'Send the file as a document instead.',
		sticker: 'Send an image instead.',
		location: 'Send a text with a link to a map instead.',
		contact: 'Send a text with the number instead.',
		poll: 'Send buttons instead.',
		list: 'Send buttons instead.',
		reaction: 'Send a text instead.',
		template: 'Send a text instead.',
	},
};

const names: Partial<Record<Kind, string>> = { audio: 'audio', reaction: 'reactions', buttons: 'buttons' };

/** Why this channel (EvolutionAPI's `integration`) can't send this message; undefined where it can, or nobody knows. */
export function cannotSend(channel: string | undefined, message: Message, recipientKind: Recipient['kind']): CanNot | undefined {
	if (!isChannel(channel)) return undefined;
	const remedy = missing[channel][message.kind];
	if (remedy) return { why: `${channelNames[channel]} can't send ${names[message.kind] ?? `${message.kind}s`}`, remedy };
	return channel === 'WHATSAPP-BUSINESS' ? cannotSendAtMeta(message, recipientKind) : undefined;
}

/** EvolutionAPI passes on the digits of any address as a person's number, and any button as a reply (read in its source). */
function cannotSendAtMeta(message: Message, recipientKind: Recipient['kind']): CanNot | undefined {
	if (recipientKind !== 'person') return { why: `through Meta's Cloud API EvolutionAPI can't send to a ${recipientKind}`, remedy: 'Use an instance on WhatsApp Web.' };
	const other = message.kind === 'buttons' && message.buttons.find(({ type }) => type !== 'reply');
	if (other) return { why: `Meta's Cloud API can't send a button of the type ${other.type}: EvolutionAPI would make a reply button of it`, remedy: 'Use reply buttons, or send a template that has such a button.' };
	return undefined;
}

/** Why this channel can't take a message back (`delete-message.cloud`; EvolutionAPI's own: read in its source). */
export function cannotDelete(channel: string | undefined): CanNot | undefined {
	if (channel !== 'WHATSAPP-BUSINESS' && channel !== 'EVOLUTION') return undefined;
	return { why: `${channelNames[channel]} can't take a message back`, remedy: 'Send a message that corrects it.' };
}

function isChannel(name: string | undefined): name is Channel {
	return name !== undefined && Object.hasOwn(channelNames, name);
}
