// What the control endpoint accepts, in-process and over HTTP: instances, rules, numbers, settings, rows.

import { z } from 'zod';

export const channelSchema = z.enum(['WHATSAPP-BUSINESS', 'WHATSAPP-BAILEYS', 'EVOLUTION']);

const ackStatusSchema = z.enum([
	'PENDING', 'SENT', 'DELIVERED', 'READ', 'FAILED', 'SERVER_ACK', 'DELIVERY_ACK', 'PLAYED', 'ERROR', 'DELETED',
]);

const milliseconds = z.number().min(0);

const ackPlanSchema = z.array(z.object({
	status: ackStatusSchema,
	/** Counted from the moment when the message reached WhatsApp. */
	afterMs: milliseconds,
}).strict());

const instanceFields = {
	channel: channelSchema,
	token: z.string().min(1).optional(),
	/** The row ID at EvolutionAPI; a new UUID if left out. */
	id: z.string().optional(),
	/** What `connectionState` says; matters on Baileys only. */
	state: z.enum(['open', 'connecting', 'close']).optional(),
	/** False: in the database, but not in the server's memory ("ghost"). */
	loaded: z.boolean().optional(),
	/** False: no message row is written, as with DATABASE_SAVE_DATA_NEW_MESSAGE=false. */
	saveMessages: z.boolean().optional(),
	/** False: events, but no status rows, as with DATABASE_SAVE_MESSAGE_UPDATE=false. */
	saveMessageUpdate: z.boolean().optional(),
	/** Instead of the channel's own plan. `[]` is: never an acknowledgement. */
	acks: ackPlanSchema.optional(),
	/** Meta refuses (131056) what follows another message of the same chat within this time. 0: never. */
	pairGapMs: milliseconds.optional(),
};

export const instanceSeedSchema = z.object({ name: z.string().min(1), ...instanceFields }).strict();

export const instancePatchSchema = z.object({ ...instanceFields, channel: channelSchema.optional() }).strict();

const answerSchema = z.discriminatedUnion('kind', [
	/** 201 with Meta's error object and without `key` (trap 1). Nothing reaches WhatsApp. */
	z.object({ kind: z.literal('metaRefusal'), code: z.number().int(), message: z.string().optional(), details: z.string().optional() }).strict(),
	/** 400 "TypeError: … (reading 'message')": the connection to Meta was lost. */
	z.object({ kind: z.literal('lostMeta') }).strict(),
	/** 400 "DriverAdapterError …": the insert failed. The message went out and has no row. */
	z.object({ kind: z.literal('databaseError') }).strict(),
	/** 500, as if the instance were not in the server's memory. */
	z.object({ kind: z.literal('notLoaded') }).strict(),
	/** 500 "… (reading 'onWhatsApp')", as if the phone were not connected. */
	z.object({ kind: z.literal('notConnected') }).strict(),
	/** 400 `[{jid, exists: false, number}]`. */
	z.object({ kind: z.literal('noSuchNumber') }).strict(),
	/** Any status, body (a string is sent as it is) and headers: proxies, HTML, Retry-After. */
	z.object({
		kind: z.literal('http'),
		status: z.number().int().min(200).max(599),
		body: z.unknown(),
		headers: z.record(z.string()).optional(),
	}).strict(),
	/** 429 with Retry-After. */
	z.object({ kind: z.literal('rateLimit'), retryAfterSeconds: z.number().min(0).optional() }).strict(),
	/** The TCP connection is reset. */
	z.object({ kind: z.literal('reset') }).strict(),
	/** No answer, ever. */
	z.object({ kind: z.literal('hang') }).strict(),
	/** 201, then one byte of the body at a time, for ever. */
	z.object({ kind: z.literal('drip'), everyMs: z.number().min(1).optional() }).strict(),
	/** 201 with a body that is no answer of EvolutionAPI's. */
	z.object({
		kind: z.literal('nonsense'),
		as: z.enum(['invalidJson', 'html', 'empty', 'huge', 'null', 'array']),
		bytes: z.number().int().min(1).optional(),
	}).strict(),
]);

const NEVER_SENT: ReadonlySet<string | undefined> = new Set(['metaRefusal', 'notLoaded', 'notConnected', 'noSuchNumber']);

export const ruleSchema = z.object({
	/** The path's action: `sendText`, `findMessages`, `fetchInstances`, … Any route if left out. */
	route: z.string().optional(),
	instance: z.string().optional(),
	/** Any spelling: compared as the JID that EvolutionAPI makes of it. */
	number: z.string().optional(),
	/** Part of the text. */
	text: z.string().optional(),
	textEquals: z.string().optional(),
	/** The ID that a look-up asks for. */
	messageId: z.string().optional(),
	/** How many matching requests pass before the rule begins. */
	skip: z.number().int().min(0).optional(),
	/** How many requests it serves; without end if left out. */
	times: z.number().int().min(1).optional(),

	answer: answerSchema.optional(),
	/** With an answer: whether the message reaches WhatsApp all the same. Default: false. */
	sent: z.boolean().optional(),
	/** Whether the row of a message that went out is written. Default: true, but false with `lostMeta`. */
	saved: z.boolean().optional(),
	/** The message goes out only then, whether or not the caller is still there. */
	sendAfterMs: milliseconds.optional(),
	/** The row is written that long after the message went out; acknowledgements that come before are lost. */
	saveAfterMs: milliseconds.optional(),
	/** The answer is that much later. */
	answerAfterMs: milliseconds.optional(),
	/** The answer waits for `release()`. */
	hold: z.boolean().optional(),
	/** The acknowledgements of this message, instead of its channel's. `[]` is: never. */
	acks: ackPlanSchema.optional(),
	/** How the events of this message are delivered, by webhook and live. */
	events: z.object({ delayMs: milliseconds.optional(), times: z.number().int().min(0).optional() }).strict().optional(),
}).strict().superRefine((rule, context) => {
	const impossible = (message: string) => context.addIssue({ code: 'custom', path: ['sent'], message });
	if (rule.sent !== undefined && !rule.answer) impossible('needs an `answer`: a message that is answered well was sent');
	if (rule.sent && NEVER_SENT.has(rule.answer?.kind)) impossible(`a message answered with ${rule.answer?.kind} never reaches WhatsApp`);
	if (rule.sent === false && rule.answer?.kind === 'databaseError') impossible('the database fails only after the message went out');
});

export const numberSchema = z.object({
	/** False: not on WhatsApp. Baileys refuses it, Meta accepts it and then reports FAILED. */
	exists: z.boolean().optional(),
	/** Baileys answers with this JID (`…@lid`) instead of the number's. */
	lid: z.string().regex(/@lid$/, 'must end in @lid').optional(),
}).strict();

export const settingsSchema = z.object({
	/** WEBSOCKET_GLOBAL_EVENTS: every event also reaches the root namespace. */
	globalEvents: z.boolean().optional(),
	/** Live connections are refused, as by a proxy that knows no WebSocket, or for a key that may not. */
	refuseLive: z.boolean().optional(),
	/** How often a webhook is tried, and the first wait between two tries, which doubles each time. */
	webhookAttempts: z.number().int().min(1).max(10).optional(),
	webhookFirstWaitMs: milliseconds.optional(),
	/** Requests are logged with their bodies. */
	keepBodies: z.boolean().optional(),
}).strict();

export const ackSchema = z.object({ messageId: z.string().min(1), status: ackStatusSchema }).strict();

const json = z.record(z.unknown());

export const rowsSchema = z.object({
	instance: z.string().min(1),
	/** Message rows in the shape that `findMessages` answers; only `key` is needed. */
	messages: z.array(z.object({
		id: z.string().optional(),
		key: z.object({ id: z.string(), remoteJid: z.string(), fromMe: z.boolean() }).passthrough(),
		messageType: z.string().optional(),
		message: json.optional(),
		messageTimestamp: z.number().int().optional(),
	}).passthrough()).optional(),
	/** Status rows in the shape that `findStatusMessage` answers. */
	statuses: z.array(z.object({
		keyId: z.string(),
		status: ackStatusSchema,
		remoteJid: z.string().optional(),
	}).passthrough()).optional(),
}).strict();

export type Channel = z.infer<typeof channelSchema>;
export type AckStatus = z.infer<typeof ackStatusSchema>;
export type AckPlan = z.infer<typeof ackPlanSchema>;
export type Answer = z.infer<typeof answerSchema>;
export type InstanceSeed = z.infer<typeof instanceSeedSchema>;
export type InstancePatch = z.infer<typeof instancePatchSchema>;
export type RuleInput = z.infer<typeof ruleSchema>;
export type NumberFacts = z.infer<typeof numberSchema>;
export type SettingsPatch = z.infer<typeof settingsSchema>;
export type Rows = z.infer<typeof rowsSchema>;

/** Control input that was refused. Its message names the field. */
export class ControlInputError extends Error {
	override readonly name = 'ControlInputError';
}

/** Checks `value`, or throws a `ControlInputError` that names each wrong field. */
export function checked<T>(schema: z.ZodType<T, z.ZodTypeDef, unknown>, value: unknown, what: string): T {
	const result = schema.safeParse(value);
	if (result.success) return result.data;
	const problems = result.error.issues.map((issue) => `${issue.path.join('.') || what}: ${issue.message}`);
	throw new ControlInputError(`Not a valid ${what}. ${problems.join('; ')}`);
}
