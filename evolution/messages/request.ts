// What EvolutionAPI 2.3.6 is asked for each kind of message. Recorded (test/captures): text, media, location, contact,
// poll, list, buttons and reaction, as `send-….json`. Read in its source and not recorded: sendWhatsAppAudio,
// sendSticker and sendTemplate, and the options of each route.
import { toRecipient } from '../recipient';
import type { Button, Contact, Document, Image, Kind, List, Media, Mentioning, Message, Quoting, Reaction, Template, Typing, Video } from './message';

/** The route that sends a kind. */
const routes: Record<Kind, string> = {
	text: 'sendText',
	image: 'sendMedia',
	video: 'sendMedia',
	document: 'sendMedia',
	audio: 'sendWhatsAppAudio',
	sticker: 'sendSticker',
	location: 'sendLocation',
	contact: 'sendContact',
	poll: 'sendPoll',
	list: 'sendList',
	buttons: 'sendButtons',
	reaction: 'sendReaction',
	template: 'sendTemplate',
};

export interface MessageBody extends Record<string, unknown> {
	/** In ms; the answer comes only after it on all channels but Meta's. */
	delay?: number;
}

export interface MessageRequest {
	/** Without the instance, which follows as one more segment. */
	path: string;
	body: MessageBody;
}

/** `number` is the recipient, as {@link Recipient.number}. What a channel can't send: channels.ts. */
export function requestOf(message: Message, number: string): MessageRequest {
	return { path: `/message/${routes[message.kind]}`, body: bodyOf(message, number) };
}

function bodyOf(message: Message, number: string): MessageBody {
	switch (message.kind) {
		case 'text':
			return { number, text: message.text, ...optionsOf(message), ...given({ linkPreview: message.linkPreview }), ...mention(message) };
		case 'image':
		case 'video':
		case 'document':
			return { number, ...media(message), ...optionsOf(message), ...mention(message) };
		case 'audio':
			return { number, audio: asEvolutionTakesIt(message.audio), ...optionsOf(message) };
		case 'sticker':
			return { number, sticker: asEvolutionTakesIt(message.sticker), ...optionsOf(message), ...mention(message) };
		case 'location': {
			const { name, address, latitude, longitude } = message;
			return { number, name, address, latitude, longitude, ...optionsOf(message), ...mention(message) };
		}
		case 'contact':
			return { number, contact: cards(message), ...optionsOf(message) };
		case 'poll':
			return { number, name: message.name, selectableCount: message.selectableCount, values: message.options, ...optionsOf(message), ...mention(message) };
		case 'list':
			return { number, ...list(message), ...optionsOf(message), ...mention(message) };
		case 'buttons': {
			const { title, description, footer } = message;
			return { number, title, ...given({ description, footer }), buttons: message.buttons.map(button), ...optionsOf(message), ...mention(message) };
		}
		case 'reaction':
			return reaction(message, number);
		case 'template':
			return { number, ...template(message), ...optionsOf(message) };
	}
}

function optionsOf({ typingMilliseconds, quotedMessageId }: Typing & Quoting): MessageBody {
	return {
		...(typingMilliseconds ? { delay: typingMilliseconds } : {}),
		...(quotedMessageId ? { quoted: { key: { id: quotedMessageId } } } : {}),
	};
}

function mention({ mentionEveryone }: Mentioning): MessageBody {
	return mentionEveryone ? { mentionsEveryOne: true } : {};
}

function media({ kind, media, caption, fileName, mimetype }: Image | Video | Document): MessageBody {
	return { mediatype: kind, media: asEvolutionTakesIt(media), ...given({ caption, fileName, mimetype }) };
}

/** EvolutionAPI knows base64 only without the head of a `data:` address and without line breaks. */
export function asEvolutionTakesIt(media: Media): string {
	const base64 = /^data:[^,]*;base64,/.exec(media);
	if (isAddress(media)) return media.trim();
	return media.slice(base64?.[0].length ?? 0).replace(/\s+/g, '');
}

export function isAddress(media: Media): boolean {
	return /^\s*https?:\/\//i.test(media);
}

/** Without `wuid`, EvolutionAPI would write a JID into the card where the digits belong. */
function cards({ contacts }: Contact): Array<Record<string, unknown>> {
	return contacts.map(({ fullName, phoneNumber, organization, email, url }) => ({ fullName, wuid: phoneNumber.replace(/\D/g, ''), phoneNumber, ...given({ organization, email, url }) }));
}

function list({ title, description, footer, buttonText, sections }: List): MessageBody {
	const rows = ({ rows }: List['sections'][number]) => rows.map(({ id, title, description }) => ({ title, description, rowId: id }));
	return { title, description, footerText: footer, buttonText, sections: sections.map((section) => ({ title: section.title, rows: rows(section) })) };
}

function button({ type, text, ...more }: Button): Record<string, unknown> {
	const { code, ...rest } = more as { code?: string };
	return { type, displayText: text, ...rest, ...given({ copyCode: code }) };
}

/** This route takes the chat from the key, and no number. */
function reaction({ messageId, fromMe, remoteJid, participant, emoji }: Reaction, number: string): MessageBody {
	return { key: { id: messageId, remoteJid: remoteJid ?? toRecipient(number).jid, fromMe, ...given({ participant }) }, reaction: emoji };
}

function template({ name, language, components }: Template): MessageBody {
	return { name, language, ...given({ components }) };
}

function given(values: Record<string, unknown>): Record<string, unknown> {
	return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
