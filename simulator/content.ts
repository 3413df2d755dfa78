// The kinds of message: what each needs, where it is missing, and what EvolutionAPI answers as `message`.

import type { Channel } from './schemas';

interface KindFacts {
	/** The method of the channel's class: it stands in the error of an instance that is not loaded. */
	method: string;
	required: string[];
	missingOn: Channel[];
}

export type Kind =
	| 'sendText' | 'sendMedia' | 'sendWhatsAppAudio' | 'sendSticker' | 'sendLocation'
	| 'sendContact' | 'sendReaction' | 'sendPoll' | 'sendList' | 'sendButtons';

export const KINDS: Record<Kind, KindFacts> = {
	sendText: { method: 'textMessage', required: ['number', 'text'], missingOn: [] },
	sendMedia: { method: 'mediaMessage', required: ['number', 'mediatype'], missingOn: [] },
	sendWhatsAppAudio: { method: 'audioWhatsapp', required: ['number'], missingOn: [] },
	sendSticker: { method: 'mediaSticker', required: ['number'], missingOn: ['WHATSAPP-BUSINESS', 'EVOLUTION'] },
	sendLocation: { method: 'locationMessage', required: ['number', 'latitude', 'longitude', 'name', 'address'], missingOn: ['EVOLUTION'] },
	sendContact: { method: 'contactMessage', required: ['number', 'contact'], missingOn: ['EVOLUTION'] },
	sendReaction: { method: 'reactionMessage', required: ['key', 'reaction'], missingOn: ['EVOLUTION'] },
	sendPoll: { method: 'pollMessage', required: ['number', 'name', 'selectableCount', 'values'], missingOn: ['WHATSAPP-BUSINESS', 'EVOLUTION'] },
	sendList: { method: 'listMessage', required: ['number', 'title', 'footerText', 'buttonText', 'sections'], missingOn: ['EVOLUTION'] },
	sendButtons: { method: 'buttonMessage', required: ['number', 'buttons'], missingOn: [] },
};

type Body = Record<string, unknown>;

export interface Content {
	message: Record<string, unknown>;
	messageType: string;
}

/** What EvolutionAPI stores and answers for this message. Shapes from the captures `send-*`. */
export function content(kind: Kind, channel: Channel, body: Body): Content {
	switch (kind) {
		case 'sendText': return conversation({ conversation: body.text });
		case 'sendMedia': return media(body);
		case 'sendWhatsAppAudio': return { message: { audioMessage: { mimetype: 'audio/mpeg', media: body.audio } }, messageType: 'audioMessage' };
		case 'sendSticker': return { message: { stickerMessage: { url: body.sticker } }, messageType: 'stickerMessage' };
		case 'sendLocation': return location(body);
		case 'sendContact': return conversation({ contact: contactCard(body) });
		case 'sendReaction': return conversation({ reactionMessage: { key: body.key, text: body.reaction } });
		case 'sendPoll': return { message: { pollCreationMessage: pick(body, 'name', 'selectableCount', 'values') }, messageType: 'pollCreationMessage' };
		case 'sendList': return channel === 'WHATSAPP-BUSINESS' ? conversation({ conversation: listText(body) }) : listMessage(body);
		case 'sendButtons': return { message: pick(body, 'title', 'description', 'footer', 'buttons'), messageType: 'buttonMessage' };
	}
}

function conversation(message: Record<string, unknown>): Content {
	return { message, messageType: 'conversation' };
}

function media(body: Body): Content {
	const type = `${String(body.mediatype)}Message`;
	const image = body.mediatype === 'image';
	const details = {
		caption: body.caption,
		fileName: body.fileName ?? (image ? 'image.png' : 'video.mp4'),
		mediaType: body.mediatype,
		media: body.media,
		gifPlayback: false,
		id: body.media,
		type: 'link',
		mimetype: body.mimetype ?? (image ? 'image/png' : 'video/mp4'),
	};
	return { message: { [type]: details }, messageType: type };
}

function location({ latitude, longitude, name, address }: Body): Content {
	const place = { degreesLatitude: latitude, degreesLongitude: longitude, name, address };
	return { message: { locationMessage: place }, messageType: 'locationMessage' };
}

function contactCard(body: Body): Record<string, unknown> {
	const [contact = {}] = body.contact as Array<Record<string, string>>;
	const name = contact.fullName ?? '';
	const phone = contact.phoneNumber ?? '';
	const lines = ['BEGIN:VCARD', 'VERSION:3.0', `N:${name}`, `FN:${name}`, `item1.TEL;waid=${contact.wuid ?? phone}:${phone}`, 'item1.X-ABLabel:Celular', 'END:VCARD'];
	return { displayName: name, vcard: lines.join('\n') };
}

/** On the Cloud channel a list is stored as plain text. */
function listText(body: Body): string {
	const sections = body.sections as Array<{ title: string; rows: Array<{ title: string }> }>;
	const lines = sections.flatMap((section) => [section.title, ...section.rows.map((row) => row.title)]);
	return [body.title, ...lines, ''].join('\n');
}

function listMessage(body: Body): Content {
	return { message: { listMessage: pick(body, 'title', 'description', 'buttonText', 'footerText', 'sections') }, messageType: 'listMessage' };
}

function pick(body: Body, ...names: string[]): Record<string, unknown> {
	return Object.fromEntries(names.filter((name) => body[name] !== undefined).map((name) => [name, body[name]]));
}
