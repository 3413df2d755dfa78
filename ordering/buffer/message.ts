// A message as it is buffered, and how a chat's messages are joined: checked by zod, so that bad input names its field.
import { z } from 'zod';
import { toRecipient } from '../../evolution/recipient';
import { serverAddress } from '../../evolution/server';
import { InvalidInputError } from '../errors';
import { boolean, longestText, toNumber } from '../input/fields';
import type { Chat } from '../transaction';

/** Names of the fields as the node's panel shows them; a test compares the two. */
export const bufferLabels: Record<string, string> = {
	quietSeconds: 'Quiet Time (Seconds)',
	longestSeconds: 'Maximum Wait (Seconds)',
	mostMessages: 'Maximum Count',
	serverUrl: 'Server Address',
	instanceName: 'Instance',
	chat: 'Chat',
	messageId: 'Message ID',
	text: 'Text',
	messageType: 'Message Type',
	message: 'Original Message',
	ignoreOwn: 'Ignore Own Messages',
	oneTurnAtATime: 'One Turn at a Time',
	turnTimeoutSeconds: 'Turn Timeout (Seconds)',
	turnId: 'Turn ID',
};

/** A file that came with a message, as n8n has it. */
export interface StoredFile {
	/** Base64. */
	data: string;
	mimeType: string;
	fileName?: string;
}

export interface BufferedMessage {
	/** WhatsApp's. */
	id: string;
	text: string;
	/** As EvolutionAPI calls it (`conversation`, `imageMessage` …); the empty text where that was not told. */
	type: string;
	/** When it was sent, in ms since 1970 (WhatsApp tells whole seconds); where that was not told, when it came. */
	at: number;
	/** Whether it holds a picture, a voice message, a file or the like: then it is not held back. */
	media: boolean;
	fromMe: boolean;
	/** The name that the person chose. */
	pushName?: string;
	/** What EvolutionAPI told of it, without the API key that stands beside it. */
	original: unknown;
	/** By the name of the item's binary property. */
	files?: Record<string, StoredFile>;
	/** n8n's execution ID where it is a number: of two messages of one second, the lower came first. */
	execution?: number;
}

/** How long messages are collected, and what comes after. Times in ms. */
export interface JoinRules {
	/** How long nothing may have come. */
	quietMs: number;
	/** How long is waited at most, from the collecting's beginning on. */
	longestMs: number;
	/** With this many the item is made at once. */
	mostMessages: number;
	/** Whether the chat's next item waits until the turn of this one has ended. */
	oneTurnAtATime: boolean;
	/** After this a turn ends by itself. */
	turnTimeoutMs: number;
}

export interface IncomingMessage {
	chat: Chat;
	message: BufferedMessage;
}

/** n8n itself takes no larger webhook call unless told to (N8N_PAYLOAD_SIZE_MAX). */
const mostMegabytes = 16;

/** EvolutionAPI's names of messages that are or hold a file (2.3.6). */
const mediaTypes = /^(image|video|audio|ptv|document|documentWithCaption|sticker|lottieSticker|viewOnce|album)Message(V2|V2Extension)?$/;

const numberBetween = (min: number, max: number, unit: string) => {
	const message = `has to be a number of ${unit} from ${min} to ${max}`;
	return z.preprocess(toNumber, z.number({ errorMap: () => ({ message }) }).min(min, message).max(max, message));
};

/** A name that tells chats or messages apart. */
const name = (missing: string) =>
	z
		.union([z.string(), z.number()], { errorMap: () => ({ message: missing }) })
		.transform((value) => String(value).trim())
		.refine((value) => value !== '', missing)
		.refine((value) => value.length <= 255 && /^\P{Cc}*$/u.test(value) && value.isWellFormed(), 'is longer than 255 characters, or holds some that can\'t be seen');

const fromWebhook = "By default it is read from the item of n8n's Webhook node that EvolutionAPI calls: put this node right behind it, or fill the field in";

const turns = z.object({ oneTurnAtATime: boolean.default(true), turnTimeoutSeconds: numberBetween(1, 3600, 'seconds').default(60) });

const rules = turns
	.extend({
		quietSeconds: numberBetween(0.5, 60, 'seconds'),
		longestSeconds: numberBetween(0.5, 300, 'seconds'),
		mostMessages: numberBetween(1, 500, 'messages').refine(Number.isInteger, 'has to be a whole number of messages'),
		ignoreOwn: boolean.default(true),
	})
	.superRefine(({ quietSeconds, longestSeconds }, context) => {
		if (longestSeconds < quietSeconds) context.addIssue({ code: 'custom', path: ['longestSeconds'], message: `can't be less than Quiet Time (${quietSeconds} seconds)` });
	});

const incoming = z.object({
	serverUrl: z
		.string({ errorMap: () => ({ message: `is missing. ${fromWebhook}` }) })
		.transform((value, context) => {
			try {
				// EvolutionAPI tells what its SERVER_URL holds, and some leave the scheme out there
				return serverAddress(/^[a-z]+:\/\//i.test(value.trim()) ? value : `http://${value.trim()}`);
			} catch {
				context.addIssue({ code: 'custom', message: value.trim() ? `"${value.trim().slice(0, 100)}" is no address` : 'is empty: EvolutionAPI tells it only where its SERVER_URL is set. Set that, or enter the address here' });
				return z.NEVER;
			}
		}),
	instanceName: name(`is missing. ${fromWebhook}`),
	chat: name(`is missing. ${fromWebhook}`).transform((value, context) => {
		try {
			return toRecipient(value).jid;
		} catch (error) {
			context.addIssue({ code: 'custom', message: (error as Error).message });
			return z.NEVER;
		}
	}),
	messageId: name(`is missing. ${fromWebhook}`),
	text: z
		.union([z.string(), z.number(), z.null(), z.undefined()], { errorMap: () => ({ message: 'has to be a text' }) })
		.transform((value) => String(value ?? ''))
		.refine((value) => value.length <= longestText, `is longer than the ${longestText} characters that WhatsApp takes`),
	messageType: z.string().nullish().transform((value) => value?.trim() ?? ''),
	message: z.unknown().transform(parsed),
});

/** What of EvolutionAPI's `data` is used, where it is there. */
const known = z.object({
	key: z.object({ fromMe: z.boolean().optional().catch(undefined) }).optional().catch(undefined),
	messageTimestamp: z.preprocess(toNumber, z.number().positive().optional()).catch(undefined),
	pushName: z.string().optional().catch(undefined),
});

/** Checks how messages are to be joined. Throws {@link InvalidInputError}. */
export function toJoinRules(input: unknown): JoinRules {
	const { quietSeconds, longestSeconds, mostMessages, oneTurnAtATime, turnTimeoutSeconds } = checked(rules, input);
	return { quietMs: ms(quietSeconds), longestMs: ms(longestSeconds), mostMessages, oneTurnAtATime, turnTimeoutMs: ms(turnTimeoutSeconds) };
}

/** Checks how what was left is taken over. Throws {@link InvalidInputError}. */
export function toTakeOverRules(input: unknown): Pick<JoinRules, 'oneTurnAtATime' | 'turnTimeoutMs'> {
	const { oneTurnAtATime, turnTimeoutSeconds } = checked(turns, input);
	return { oneTurnAtATime, turnTimeoutMs: ms(turnTimeoutSeconds) };
}

/** Checks one message. Throws {@link InvalidInputError}. */
export function toIncomingMessage(input: unknown, { files, executionId }: { files?: Record<string, StoredFile>; executionId?: string } = {}): IncomingMessage {
	const { serverUrl, instanceName, chat, messageId, text, messageType, message: original } = checked(incoming, input);
	const { key, messageTimestamp, pushName } = known.catch({}).parse(original);
	const message: BufferedMessage = {
		id: messageId,
		text,
		type: messageType,
		at: messageTimestamp === undefined ? Date.now() : inMs(messageTimestamp),
		media: mediaTypes.test(messageType),
		fromMe: key?.fromMe ?? false,
		...(pushName ? { pushName } : {}),
		original,
		...(files && Object.keys(files).length > 0 ? { files } : {}),
		...(executionId && /^\d+$/.test(executionId) ? { execution: Number(executionId) } : {}),
	};
	refuseLarge(message);
	return { chat: { server: serverUrl, instance: instanceName, recipient: chat }, message };
}

/** Checks the ID of a turn. Throws {@link InvalidInputError}. */
export function toTurnId(input: unknown): string {
	return checked(z.object({ turnId: name('is empty: enter the turnId of the joined item') }), { turnId: input }).turnId;
}

function refuseLarge(message: BufferedMessage): void {
	const megabytes = Buffer.byteLength(JSON.stringify(message)) / 2 ** 20;
	if (megabytes <= mostMegabytes) return;
	throw invalid('message', `is larger than ${mostMegabytes} MB with its files (${megabytes.toFixed(1)} MB). Switch Webhook Base64 off in EvolutionAPI, and fetch the file behind this node`);
}

function checked<T extends z.ZodTypeAny>(schema: T, input: unknown): z.output<T> {
	const { success, data, error } = schema.safeParse(input);
	if (success) return data as z.output<T>;
	const [issue] = error.issues;
	throw invalid(String(issue?.path[0] ?? ''), issue?.message ?? 'is not valid');
}

function invalid(field: string, problem: string): InvalidInputError {
	return new InvalidInputError(field, bufferLabels[field] ?? field, problem);
}

/** A panel gives JSON as a text, an expression gives the value itself. EvolutionAPI's webhooks hold a key, which is not for the record. */
function parsed(value: unknown): unknown {
	const json = typeof value === 'string' ? value : JSON.stringify(value ?? null);
	try {
		return JSON.parse(json, (name, part: unknown) => (name === 'apikey' ? undefined : part)) as unknown;
	} catch {
		return value;
	}
}

function ms(seconds: number): number {
	return Math.round(seconds * 1000);
}

/** WhatsApp counts seconds; what is too large for that is in ms already. */
function inMs(timestamp: number): number {
	return Math.round(timestamp < 1e11 ? timestamp * 1000 : timestamp);
}
