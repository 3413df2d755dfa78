// Recognises a message that is in doubt among those that EvolutionAPI has on record. What a record holds depends on the
// channel: Meta's keeps lists, buttons and templates as plain text and media as they were given; its own keeps no
// captions; WhatsApp Web keeps everything but the file. Recorded (test/captures): text, image, location, contact, list
// and reaction on Meta's channel, buttons on its own. All else was read in EvolutionAPI's and Baileys' source.
import { isRecord } from '../answers';
import { fingerprint } from './file';
import type { Button, Kind, Message } from './message';

/** What can be compared of a message: each fact is a text. A fact that a record can't have is left out. */
export interface Content {
	/** `text`, too, for what Meta's channel keeps as plain text. */
	kind: Kind | 'other';
	facts: Record<string, string>;
	/** More belongs to the content than the facts tell, such as the values of a template. */
	more?: true;
}

type Json = Record<string, unknown>;

/**
 * Whether a record is of this message. `yes`: kind and all that both tell are equal, and something tells more than the
 * kind: the text, a caption, a file's name, or the file as it was given. `cannotTell`: the kind is the same and nothing
 * speaks against it, but nothing for it either, as with a sticker.
 */
export function looksLike(recorded: { content: Content }, message: Message): 'yes' | 'no' | 'cannotTell' {
	const verdicts = contentsOf(message).map((content) => compare(recorded.content, content));
	return verdicts.find((verdict) => verdict !== 'no') ?? 'no';
}

function compare(recorded: Content, sent: Content): 'yes' | 'no' | 'cannotTell' {
	if (recorded.kind !== sent.kind) return 'no';
	const shared = Object.keys(sent.facts).filter((name) => recorded.facts[name] !== undefined);
	if (shared.some((name) => recorded.facts[name] !== sent.facts[name])) return 'no';
	return shared.some((name) => sent.facts[name]) && !sent.more ? 'yes' : 'cannotTell';
}

/** What the record of a message may tell, by channel. */
function contentsOf(message: Message): Content[] {
	switch (message.kind) {
		case 'text':
			return [textContent(message.text)];
		case 'image':
		case 'video':
			return [{ kind: message.kind, facts: { caption: trimmed(message.caption), file: fingerprint(message.media) } }];
		case 'document':
			return [{ kind: 'document', facts: { caption: trimmed(message.caption), fileName: message.fileName, file: fingerprint(message.media) } }];
		case 'audio':
			return [{ kind: 'audio', facts: { file: fingerprint(message.audio) } }];
		case 'sticker':
			return [{ kind: 'sticker', facts: {} }];
		case 'location':
			return [{ kind: 'location', facts: placeFacts(message.latitude, message.longitude, message.name) }];
		case 'contact':
			return [{ kind: 'contact', facts: { cards: cardsFact(message.contacts.map(({ fullName, phoneNumber }) => [fullName, phoneNumber])) } }];
		case 'poll':
			return [{ kind: 'poll', facts: { name: trimmed(message.name), options: JSON.stringify(message.options) } }];
		case 'list': {
			const rows = message.sections.map(({ title, rows }) => [title, ...rows.map((row) => row.title)]);
			return [{ kind: 'list', facts: { title: message.title, description: message.description, rows: JSON.stringify(rows) } }, textContent([message.title, ...rows.flat()].join('\n'))];
		}
		case 'buttons': {
			const labels = message.buttons.map(({ text }: Button) => text);
			return [{ kind: 'buttons', facts: { body: buttonsBody(message.title, message.description), labels: JSON.stringify(labels) } }, textContent([message.title, ...labels.map((label) => `▶️ ${label}`)].join('\n'))];
		}
		case 'reaction':
			return [{ kind: 'reaction', facts: { emoji: message.emoji, to: message.messageId } }];
		case 'template':
			return [{ ...textContent(`▶️${message.name}◀️`), ...(message.components?.length ? { more: true } : {}) }];
	}
}

/** Reads a record's `messageType` and `message`, whichever channel has written it. */
export function contentOf(messageType: unknown, recorded: unknown): Content {
	const message = unwrapped(recorded);
	const text = message.conversation ?? part(message, 'extendedTextMessage')?.text;
	if (typeof text === 'string') return textContent(text);
	return fileContent(message) ?? spokenContent(message) ?? ownChannelContent(messageType, message) ?? { kind: 'other', facts: {} };
}

/** WhatsApp Web wraps buttons and some captions. */
function unwrapped(recorded: unknown): Json {
	const message = isRecord(recorded) ? recorded : {};
	for (const wrapper of ['viewOnceMessage', 'documentWithCaptionMessage', 'ephemeralMessage']) {
		const inner = part(message, wrapper)?.message;
		if (isRecord(inner)) return inner;
	}
	return message;
}

const filesOfTypes = { imageMessage: 'image', videoMessage: 'video', documentMessage: 'document', audioMessage: 'audio', stickerMessage: 'sticker' } as const;

function fileContent(message: Json): Content | undefined {
	for (const [type, kind] of Object.entries(filesOfTypes)) {
		const file = part(message, type);
		if (!file) continue;
		const facts: Content['facts'] = { caption: trimmed(file.caption) };
		if (typeof file.fileName === 'string') facts.fileName = file.fileName;
		if (typeof file.media === 'string') facts.file = fingerprint(file.media);
		return { kind, facts };
	}
	return undefined;
}

function spokenContent(message: Json): Content | undefined {
	const place = part(message, 'locationMessage');
	if (place) return { kind: 'location', facts: placeFacts(place.degreesLatitude, place.degreesLongitude, place.name) };
	const cards = part(message, 'contactsArrayMessage')?.contacts ?? [part(message, 'contactMessage') ?? part(message, 'contact')];
	if (Array.isArray(cards) && cards.every(isRecord)) return { kind: 'contact', facts: { cards: cardsFact(cards.map(({ displayName, vcard }) => [displayName, phoneIn(vcard)])) } };
	const reaction = part(message, 'reactionMessage');
	if (reaction) return { kind: 'reaction', facts: { emoji: String(reaction.text), to: String(part(reaction, 'key')?.id) } };
	const poll = part(message, 'pollCreationMessage') ?? part(message, 'pollCreationMessageV2') ?? part(message, 'pollCreationMessageV3');
	if (poll) return { kind: 'poll', facts: { name: trimmed(poll.name), options: JSON.stringify(each(poll.options, 'optionName')) } };
	const list = part(message, 'listMessage');
	if (list) return { kind: 'list', facts: { title: String(list.title), description: String(list.description), rows: JSON.stringify(records(list.sections).map(({ title, rows }) => [title, ...each(rows, 'title')])) } };
	const interactive = part(message, 'interactiveMessage');
	return interactive && { kind: 'buttons', facts: { body: trimmed(part(interactive, 'body')?.text), labels: JSON.stringify(records(part(interactive, 'nativeFlowMessage')?.buttons).map(labelOf)) } };
}

/** EvolutionAPI's own channel keeps of a file no more than its address, and buttons as they were asked for. */
function ownChannelContent(messageType: unknown, message: Json): Content | undefined {
	if (messageType === 'buttonMessage') return { kind: 'buttons', facts: { body: buttonsBody(message.title, message.description), labels: JSON.stringify(each(message.buttons, 'displayText')) } };
	const kind = filesOfTypes[messageType as keyof typeof filesOfTypes] as Kind | undefined;
	return kind && { kind, facts: typeof message.mediaUrl === 'string' ? { file: fingerprint(message.mediaUrl) } : {} };
}

function textContent(text: string): Content {
	return { kind: 'text', facts: { text: text.trim() } };
}

/** Six decimals are 11 cm; a place on record may have lost the digits behind them. */
function placeFacts(latitude: unknown, longitude: unknown, name: unknown): Record<string, string> {
	return { place: [latitude, longitude].map((degrees) => Number(degrees).toFixed(6)).join(), name: trimmed(name) };
}

function cardsFact(cards: Array<[name: unknown, phone: unknown]>): string {
	return JSON.stringify(cards);
}

function phoneIn(vcard: unknown): string | undefined {
	return /TEL;waid=[^:\n]*:(.*)/.exec(String(vcard))?.[1]?.trim();
}

/** As EvolutionAPI writes it on WhatsApp Web. */
function buttonsBody(title: unknown, description: unknown): string {
	return (description ? `*${String(title)}*\n\n${String(description)}` : `*${String(title)}*`).trim();
}

function labelOf({ buttonParamsJson }: Json): unknown {
	try {
		return (JSON.parse(String(buttonParamsJson)) as Json).display_text;
	} catch {
		return undefined;
	}
}

function part(message: Json, name: string): Json | undefined {
	const inner = message[name];
	return isRecord(inner) ? inner : undefined;
}

function records(list: unknown): Json[] {
	return Array.isArray(list) ? list.filter(isRecord) : [];
}

function each(list: unknown, name: string): unknown[] {
	return records(list).map((one) => one[name]);
}

function trimmed(text: unknown): string {
	return typeof text === 'string' ? text.trim() : '';
}
