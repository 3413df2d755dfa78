// Every kind of message that EvolutionAPI 2.3.6 sends, as this package describes it. How each is asked for: request.ts.

/**
 * A file: an http(s) address, or base64 (a `data:` address is taken, too). An address is fetched by EvolutionAPI, on
 * Meta's channel by Meta. EvolutionAPI takes an address for one only with a full host name or an IP address: no
 * `localhost`, no `minio:9000` (class-validator's `isURL`; read, not recorded). Sizes: limits.ts.
 */
export type Media = string;

export interface Typing {
	/** Shows "typing…" so long, in ms; holds the answer back on all channels but Meta's, where it is ignored. */
	typingMilliseconds?: number;
}

export interface Quoting {
	/** The message that this one answers, by its ID. */
	quotedMessageId?: string;
}

export interface Mentioning {
	/** Mentions all members of a group (WhatsApp Web). */
	mentionEveryone?: boolean;
}

export interface Text extends Typing, Quoting, Mentioning {
	kind: 'text';
	text: string;
	linkPreview?: boolean;
}

/** Meta's channel takes JPEG and PNG; on WhatsApp Web EvolutionAPI makes a JPEG of it. */
export interface Image extends Typing, Quoting, Mentioning {
	kind: 'image';
	media: Media;
	caption?: string;
	/** With its extension: of base64, the type is read from it. EvolutionAPI's default: `image.png`. */
	fileName?: string;
	mimetype?: string;
}

/** Meta's channel takes MP4 and 3GPP. */
export interface Video extends Typing, Quoting, Mentioning {
	kind: 'video';
	media: Media;
	caption?: string;
	/** With its extension: of base64, the type is read from it. EvolutionAPI's default: `video.mp4`. */
	fileName?: string;
	mimetype?: string;
}

export interface Document extends Typing, Quoting, Mentioning {
	kind: 'document';
	media: Media;
	/** What the recipient sees, with its extension. EvolutionAPI demands it of base64, and guesses badly of addresses. */
	fileName: string;
	caption?: string;
	mimetype?: string;
}

/** A voice message. On WhatsApp Web EvolutionAPI makes Opus of it. */
export interface Audio extends Typing, Quoting {
	kind: 'audio';
	audio: Media;
}

/** WhatsApp Web only; EvolutionAPI makes WebP of it. */
export interface Sticker extends Typing, Quoting, Mentioning {
	kind: 'sticker';
	sticker: Media;
}

/** EvolutionAPI demands name and address. */
export interface Location extends Typing, Quoting, Mentioning {
	kind: 'location';
	/** Degrees, south is negative. */
	latitude: number;
	/** Degrees, west is negative. */
	longitude: number;
	name: string;
	address: string;
}

export interface ContactCard {
	fullName: string;
	/** With its country code, at least 10 characters. */
	phoneNumber: string;
	organization?: string;
	email?: string;
	url?: string;
}

/** EvolutionAPI shows no typing here, and quotes on Meta's channel only. */
export interface Contact extends Quoting {
	kind: 'contact';
	/** At least one. */
	contacts: ContactCard[];
}

/** WhatsApp Web only. */
export interface Poll extends Typing, Quoting, Mentioning {
	kind: 'poll';
	name: string;
	/** 2 to 10, each once. */
	options: string[];
	/** How many may be chosen: 0 to 10; 0 is any number. */
	selectableCount: number;
}

export interface ListRow {
	id: string;
	title: string;
	/** EvolutionAPI fails on Meta's channel without it. */
	description: string;
}

export interface ListSection {
	/** Each title once. */
	title: string;
	rows: ListRow[];
}

/** EvolutionAPI demands footer and button text; Meta demands the description. */
export interface List extends Typing, Quoting, Mentioning {
	kind: 'list';
	title: string;
	description: string;
	footer: string;
	/** What opens the list. */
	buttonText: string;
	sections: ListSection[];
}

export type Button =
	/** Answers with its text. */
	| { type: 'reply'; id: string; text: string }
	| { type: 'url'; text: string; url: string }
	| { type: 'call'; text: string; phoneNumber: string }
	/** Puts `code` into the clipboard. */
	| { type: 'copy'; text: string; code: string };

/** WhatsApp shows 3 at most. On Meta's channel, only the title is shown above them. */
export interface Buttons extends Typing, Quoting, Mentioning {
	kind: 'buttons';
	title: string;
	description?: string;
	footer?: string;
	buttons: Button[];
}

/** EvolutionAPI 2.3.6 can't take a reaction back: it refuses an empty one. */
export interface Reaction {
	kind: 'reaction';
	emoji: string;
	/** The message that is reacted to. */
	messageId: string;
	/** Whether that message is one of our own. */
	fromMe: boolean;
	/** The chat's JID as EvolutionAPI told it for that message, which may be `…@lid`; else it is made of the number. */
	remoteJid?: string;
	/** Who wrote it, in a group; a JID. */
	participant?: string;
}

/** One that Meta has approved: the only kind that a conversation takes 24 hours after the person's last message. */
export interface Template extends Quoting {
	kind: 'template';
	name: string;
	/** Meta's code, such as `en_US` or `pt_BR`. */
	language: string;
	/** Meta's own format for the values, such as `[{type: 'body', parameters: [{type: 'text', text: 'Ana'}]}]`. */
	components?: unknown[];
}

export type Message = Text | Image | Video | Document | Audio | Sticker | Location | Contact | Poll | List | Buttons | Reaction | Template;

export type Kind = Message['kind'];

/** All kinds, in the order in which a user may pick one. */
export const kinds: readonly Kind[] = ['text', 'image', 'video', 'document', 'audio', 'sticker', 'location', 'contact', 'poll', 'list', 'buttons', 'reaction', 'template'];
