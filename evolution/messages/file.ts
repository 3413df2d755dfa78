// The mark that stands for a file where the file itself is not kept: enough to recognise it, nothing to read from.
import { createHash } from 'node:crypto';
import type { Media, Message } from './message';
import { asEvolutionTakesIt, isAddress } from './request';

const mark = /^sha256:([\w+/=]+);(\d+)$/;

/** What stands for a file that is given as base64. */
export function markOf(media: Media): string {
	return `sha256:${fingerprint(media)};${sizeOf(asEvolutionTakesIt(media))}`;
}

export function isMark(media: Media): boolean {
	return mark.test(media);
}

/** A hash of what was given tells whether two files are the same; of a mark, that of its file. */
export function fingerprint(media: Media): string {
	return mark.exec(media)?.[1] ?? createHash('sha256').update(asEvolutionTakesIt(media)).digest('base64');
}

/** The size of a file given as base64, or of a mark's, in bytes; undefined for an address. */
export function mediaBytes(media: Media): number | undefined {
	if (isAddress(media)) return undefined;
	const marked = mark.exec(media)?.[2];
	return marked === undefined ? sizeOf(asEvolutionTakesIt(media)) : Number(marked);
}

function sizeOf(base64: string): number {
	const padding = base64.endsWith('==') ? 2 : Number(base64.endsWith('='));
	return Math.floor(((base64.length - padding) * 3) / 4);
}

/** The file of a message, if it has one. */
export function mediaOf(message: Message): Media | undefined {
	if ('media' in message) return message.media;
	if ('audio' in message) return message.audio;
	return 'sticker' in message ? message.sticker : undefined;
}

/** The same message with another file. */
export function withMedia(message: Message, media: Media): Message {
	if ('media' in message) return { ...message, media };
	if ('audio' in message) return { ...message, audio: media };
	return 'sticker' in message ? { ...message, sticker: media } : message;
}
