// How large a message may be. Refusing early is for the caller: EvolutionAPI and Meta tell late, or not at all.
import type { Kind } from './message';

const KB = 1024;
const MB = 1024 * KB;

/**
 * The largest request that EvolutionAPI 2.3.6 reads (its `express.json` has the limit 136mb), so base64 is good for
 * files of about 100 MB; a proxy in front may take much less (nginx by default 1 MB: an answer 413). An address has no
 * such limit.
 */
export const maxRequestBytes = 136 * MB;

/**
 * The largest files of Meta's Cloud API, in bytes (Meta, "Supported media types" of the Cloud API's media reference). A
 * sticker that does not move has {@link maxStillStickerBytes}. WhatsApp Web has no such list; it takes documents up to
 * 2 GB.
 */
export const maxMediaBytesAtMeta = { image: 5 * MB, video: 16 * MB, audio: 16 * MB, document: 100 * MB, sticker: 500 * KB } as const satisfies Partial<Record<Kind, number>>;

export const maxStillStickerBytes = 100 * KB;

/**
 * The longest texts of Meta's Cloud API, in characters (Meta, references of text, media, interactive list and
 * interactive reply button messages).
 */
export const maxLengthsAtMeta = {
	text: 4096,
	caption: 1024,
	list: { title: 60, description: 4096, footer: 60, buttonText: 20, sectionTitle: 24, rowId: 200, rowTitle: 24, rowDescription: 72 },
	/** EvolutionAPI passes the title as the body, and neither description nor footer. */
	buttons: { title: 1024, text: 20, id: 256 },
} as const;

/** The most of each, on every channel: EvolutionAPI's own checks, and for rows and reply buttons Meta's. */
export const maxCounts = { pollOptions: 10, listSections: 10, listRows: 10, replyButtons: 3 } as const;
