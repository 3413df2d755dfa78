// What two calls with one ID must have in common, and how that is kept: as hashes, from which nothing can be read.
import { createHmac } from 'node:crypto';
import type { Message } from '../evolution/messages/message';
import type { OrderedSend } from './orderedSend';
import type { PlannedSend, PlannedWebhook } from './plan';

/** The name of the first part that differs is told to the user. */
export function contentOf({ chat, definition: { plan } }: OrderedSend): Record<string, string> {
	const messages = plan.filter((planned): planned is PlannedSend => planned.type === 'send').map(({ message }) => message);
	const webhooks = plan.filter((planned): planned is PlannedWebhook => planned.type === 'webhook');
	return {
		server: chat.server,
		instance: chat.instance,
		recipient: chat.recipient,
		message: messages.length === 1 && messages[0]?.kind === 'text' ? messages[0].text : JSON.stringify(messages.map(withoutOptions)),
		'webhook address or method': webhooks.map(({ method, url }) => `${method} ${url}`).join('\n'),
	};
}

const options = ['typingMilliseconds', 'quotedMessageId', 'mentionEveryone', 'linkPreview'];

/** Options belong to the first call, and a file goes by its mark. */
function withoutOptions(message: Message): unknown {
	return Object.fromEntries(Object.entries(message).filter(([name]) => !options.includes(name)));
}

/**
 * One keyed hash for each part of the content, joined: enough to tell which part differs, nothing to read the message
 * from without the key.
 */
export function hashContent(content: Record<string, string>, key: string): string {
	return Object.values(content).map((part) => keyedHash(part, key).slice(0, 22)).join('.');
}

/** The name of the first part of `content` that does not fit a recorded hash, or undefined where all fit. */
export function differingPart(content: Record<string, string>, recorded: string, key: string): string | undefined {
	const now = hashContent(content, key).split('.');
	const before = recorded.split('.');
	return Object.keys(content).find((_, index) => now[index] !== before[index]);
}

export function keyedHash(text: string, key: string): string {
	return createHmac('sha256', key).update(text).digest('base64url');
}
