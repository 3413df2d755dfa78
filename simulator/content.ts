// The kinds of message: where each is missing, and what EvolutionAPI answers and stores as `message`.

import { toJid } from './numbers';
import type { Channel } from './schemas';

interface KindFacts {
	/** The method of the channel's class: it stands in the error of an instance that is not loaded. */
	method: string;
	missingOn: Channel[];
	/** On WhatsApp Web, these wait for no `delay`. */
	ignoresDelay?: true;
}

export type Kind =
	| 'sendText' | 'sendMedia' | 'sendWhatsAppAudio' | 'sendSticker' | 'sendLocation' | 'sendContact'
	| 'sendReaction' | 'sendPoll' | 'sendList' | 'sendButtons' | 'sendTemplate';

export const KINDS: Record<Kind, KindFacts> = {
	sendText: { method: 'textMessage', missingOn: [] },
	sendMedia: { method: 'mediaMessage', missingOn: [] },
	sendWhatsAppAudio: { method: 'audioWhatsapp', missingOn: [] },
	sendSticker: { method: 'mediaSticker', missingOn: ['WHATSAPP-BUSINESS', 'EVOLUTION'] },
	sendLocation: { method: 'locationMessage', missingOn: ['EVOLUTION'] },
	sendContact: { method: 'contactMessage', missingOn: ['EVOLUTION'], ignoresDelay: true },
	sendReaction: { method: 'reactionMessage', missingOn: ['EVOLUTION'], ignoresDelay: true },
	sendPoll: { method: 'pollMessage', missingOn: ['WHATSAPP-BUSINESS', 'EVOLUTION'] },
	sendList: { method: 'listMessage', missingOn: ['EVOLUTION'] },
	sendButtons: { method: 'buttonMessage', missingOn: [] },
	sendTemplate: { method: 'templateMessage', missingOn: ['WHATSAPP-BAILEYS', 'EVOLUTION'] },
};

type Body = Record<string, unknown>;

export interface Content {
	message: Record<string, unknown>;
	messageType: string;
}

/**
 * What EvolutionAPI stores and answers for this message. On Cloud, text, image, location, contact, list and reaction are
 * as recorded, and on EVOLUTION text and buttons (captures `send-*`); the others as its source and Baileys' have them.
 */
export function content(kind: Kind, channel: Channel, body: Body): Content {
	const shape = { 'WHATSAPP-BUSINESS': onCloud, 'WHATSAPP-BAILEYS': onBaileys, EVOLUTION: onEvolution }[channel](kind, body);
	return withQuoted(shape, channel, body);
}

/** Most kinds are `conversation` there, whatever they hold. */
function onCloud(kind: Kind, body: Body): Content {
	switch (kind) {
		case 'sendMedia': return cloudFile(body);
		case 'sendWhatsAppAudio': return typed('audioMessage', { fileName: `${toJid(String(body.number)).split('@')[0]}-${Date.now()}.mp3`, mediaType: 'audio', ...cloudSource(body.audio), mimetype: 'audio/mpeg' });
		case 'sendLocation': return location(body);
		case 'sendContact': return conversation(contacts(body, 'contact'));
		case 'sendReaction': return conversation({ reactionMessage: { key: body.key, text: body.reaction } });
		case 'sendList': return conversation({ conversation: listText(body) });
		case 'sendButtons': return conversation({ conversation: [body.title || 'Select', ...records(body.buttons).map(({ displayText }) => `▶️ ${String(displayText)}`), ''].join('\n') });
		case 'sendTemplate': return conversation({ conversation: `▶️${String(body.name)}◀️` });
		default: return conversation({ conversation: body.text });
	}
}

function onBaileys(kind: Kind, body: Body): Content {
	switch (kind) {
		case 'sendMedia': return typed(`${String(body.mediatype)}Message`, { ...uploaded(), ...pick(body, 'caption'), ...(body.mediatype === 'document' ? pick(body, 'fileName') : {}), mimetype: body.mimetype ?? mimetypeOf(body) });
		case 'sendWhatsAppAudio': return typed('audioMessage', { ...uploaded(), mimetype: 'audio/ogg; codecs=opus', seconds: 1, ptt: true });
		case 'sendSticker': return typed('stickerMessage', { ...uploaded(), mimetype: 'image/webp' });
		case 'sendLocation': return location(body);
		case 'sendContact': return typedByPart(contacts(body, 'contactMessage'));
		case 'sendReaction': return typed('reactionMessage', { key: body.key, text: body.reaction, senderTimestampMs: String(Date.now()) });
		case 'sendPoll': return typed(body.selectableCount === 1 ? 'pollCreationMessageV3' : 'pollCreationMessage', { name: body.name, options: (body.values as string[]).map((optionName) => ({ optionName })), selectableOptionsCount: body.selectableCount });
		case 'sendList': return typed('listMessage', { ...pick(body, 'title', 'description', 'buttonText', 'footerText', 'sections'), listType: 'SINGLE_SELECT' });
		case 'sendButtons': return typed('viewOnceMessage', { message: { interactiveMessage: interactive(body) } });
		default: return conversation({ conversation: body.text });
	}
}

/** Of a file, nothing but its address is kept, and no caption. */
function onEvolution(kind: Kind, body: Body): Content {
	switch (kind) {
		case 'sendMedia': return { message: { mediaUrl: isUrl(body.media) ? body.media : null }, messageType: `${String(body.mediatype)}Message` };
		case 'sendButtons': return { message: pick(body, 'title', 'description', 'footer', 'buttons'), messageType: 'buttonMessage' };
		default: return conversation({ conversation: body.text });
	}
}

function withQuoted(shape: Content, channel: Channel, body: Body): Content {
	const key = (body.quoted as { key?: { id: string } } | undefined)?.key;
	if (!key) return shape;
	if (channel === 'EVOLUTION') return { ...shape, message: { ...shape.message, quoted: key } };
	const keepsIt = channel === 'WHATSAPP-BUSINESS' && /^(conversation|(image|video|audio|document)Message)$/.test(Object.keys(shape.message)[0] ?? '');
	return keepsIt ? { ...shape, message: { ...shape.message, contextInfo: { stanzaId: key.id } } } : shape;
}

function conversation(message: Record<string, unknown>): Content {
	return { message, messageType: 'conversation' };
}

function typed(messageType: string, part: Record<string, unknown>): Content {
	return { message: { [messageType]: part }, messageType };
}

function typedByPart(message: Record<string, unknown>): Content {
	return { message, messageType: Object.keys(message)[0] ?? 'unknown' };
}

/** The file itself is kept, base64 too. Of an address Meta fetches it, else it is uploaded and has an ID. */
function cloudSource(media: unknown): Record<string, unknown> {
	return isUrl(media) ? { media, id: media, type: 'link' } : { media, id: '1234567890', type: 'id' };
}

function cloudFile(body: Body): Content {
	const { mediatype, caption } = body;
	const fileName = body.fileName ?? (mediatype === 'image' ? 'image.png' : mediatype === 'video' ? 'video.mp4' : /.*\/(.+?)\./.exec(String(body.media))?.[1]);
	return typed(`${String(mediatype)}Message`, { caption, fileName, mediaType: mediatype, gifPlayback: false, ...cloudSource(body.media), mimetype: mimetypeOf(body) });
}

/** What WhatsApp gives for a file that was uploaded; nothing of it tells which file it was. */
function uploaded(): Record<string, unknown> {
	return { url: 'https://mmg.whatsapp.net/v/simulated.enc', directPath: '/v/simulated.enc' };
}

const MIMETYPES: Record<string, string> = { png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', mp4: 'video/mp4', '3gp': 'video/3gpp', pdf: 'application/pdf', txt: 'text/plain' };

function mimetypeOf(body: Body): string | false {
	const name = String(isUrl(body.media) ? body.media : body.fileName);
	return MIMETYPES[name.split('.').at(-1) ?? ''] ?? false;
}

function location({ latitude, longitude, name, address }: Body): Content {
	return typed('locationMessage', { degreesLatitude: latitude, degreesLongitude: longitude, name, address });
}

function contacts(body: Body, nameOfOne: string): Record<string, unknown> {
	const cards = records(body.contact).map((contact) => ({ displayName: contact.fullName, vcard: vcard(contact as Record<string, string>) }));
	if (cards.length === 1) return { [nameOfOne]: cards[0] };
	return { contactsArrayMessage: { displayName: `${cards.length} contacts`, contacts: cards } };
}

function vcard({ fullName = '', phoneNumber = '', wuid, organization, email, url }: Record<string, string>): string {
	const more = [organization && `ORG:${organization};`, email && `EMAIL:${email}`, url && `URL:${url}`].filter(Boolean);
	return ['BEGIN:VCARD', 'VERSION:3.0', `N:${fullName}`, `FN:${fullName}`, ...more, `item1.TEL;waid=${wuid ?? toJid(phoneNumber)}:${phoneNumber}`, 'item1.X-ABLabel:Celular', 'END:VCARD'].join('\n');
}

/** On the Cloud channel a list is stored as plain text. */
function listText(body: Body): string {
	const lines = records(body.sections).flatMap((section) => [section.title, ...records(section.rows).map((row) => row.title)]);
	return [body.title, ...lines, ''].join('\n');
}

const BUTTON_NAMES: Record<string, string> = { reply: 'quick_reply', copy: 'cta_copy', url: 'cta_url', call: 'cta_call', pix: 'payment_info' };

function interactive(body: Body): Record<string, unknown> {
	const text = body.description ? `*${String(body.title)}*\n\n${String(body.description)}\n` : `*${String(body.title)}*`;
	const buttons = records(body.buttons).map(({ type, displayText, id, url, copyCode, phoneNumber }) => (
		{ name: BUTTON_NAMES[String(type)], buttonParamsJson: JSON.stringify({ display_text: displayText, id, url, copy_code: copyCode, phone_number: phoneNumber }) }));
	return { body: { text }, footer: { text: body.footer }, nativeFlowMessage: { buttons } };
}

/** As EvolutionAPI has it: a host without a dot is none. */
export function isUrl(value: unknown): boolean {
	return typeof value === 'string' && /^https?:\/\/([^/\s]+@)?[^/\s:]+\.[^/\s:]+(:\d+)?(\/\S*)?$/.test(value);
}

/** As EvolutionAPI has it: padded, without a `data:` head, without line breaks. */
export function isBase64(value: unknown): boolean {
	// what must not be there is looked for: a pattern of all that may be needs a stack as long as the file
	return typeof value === 'string' && value.length > 0 && value.length % 4 === 0 && !/[^A-Za-z0-9+/=]|=[^=]|===/.test(value);
}

function records(list: unknown): Array<Record<string, unknown>> {
	return Array.isArray(list) ? (list as Array<Record<string, unknown>>) : [];
}

function pick(body: Body, ...names: string[]): Record<string, unknown> {
	return Object.fromEntries(names.filter((name) => body[name] !== undefined).map((name) => [name, body[name]]));
}
