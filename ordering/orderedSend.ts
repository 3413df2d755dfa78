// What a caller asks for: checked by zod, so that bad input is one clear message that names the field.
import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { type Recipient, toRecipient } from '../evolution/recipient';
import { serverAddress, type ServerAccess } from '../evolution/server';
import { InvalidInputError } from './errors';
import type { Chat, Definition } from './transaction';
import { signer } from './signature';

/** Names of the fields as the node's panel shows them; a test compares the two. */
export const labels: Record<string, string> = {
	baseUrl: 'Base URL',
	apiKey: 'API Key',
	instanceName: 'Instance',
	number: 'Phone Number',
	text: 'Text',
	waitFor: 'Wait For',
	delaySeconds: 'Delay (Seconds)',
	ackTimeoutSeconds: 'Ack Timeout (Seconds)',
	onAckTimeout: 'On Ack Timeout',
	callWebhook: 'Call Webhook',
	webhookUrl: 'Webhook URL',
	webhookMethod: 'Webhook Method',
	webhookBody: 'Webhook Body (JSON)',
	webhookHeaders: 'Webhook Headers',
	transactionId: 'Transaction ID',
	onInDoubt: 'If in Doubt',
	priority: 'Priority',
	queueTimeoutSeconds: 'Queue Timeout (Seconds)',
	sequenceNumber: 'Sequence Number',
	sequenceGapSeconds: 'Sequence Gap (Seconds)',
	onFailure: 'On Failure',
	attempts: 'Attempts',
	requestTimeoutSeconds: 'Request Timeout (Seconds)',
	typingMilliseconds: 'Typing (Milliseconds)',
	quotedMessageId: 'Quoted Message ID',
	linkPreview: 'Link Preview',
	mentionEveryone: 'Mention Everyone',
	errorCallbackUrl: 'Error Callback URL',
	storeMessageText: 'Store Message Text',
	minimumGapSeconds: 'Minimum Gap (Seconds)',
	instanceGapSeconds: 'Instance Gap (Seconds)',
	orderKey: 'Order Key',
	afterEarlierMessages: 'After Earlier Messages',
	compensationWebhookUrl: 'Compensation Webhook URL',
	stepsFrom: 'Define Steps',
	steps: 'Steps',
	stepsJson: 'Steps (JSON)',
};

const day = 86_400;
/** The longest text that WhatsApp takes; Meta's Cloud API takes 4,096 and says so itself. */
const longestText = 65_536;

const choice = <T extends string>(...values: [T, ...T[]]) => z.enum(values, { errorMap: () => ({ message: `has to be one of: ${values.join(', ')}` }) });

/** A number as a panel or an expression gives it: "5" is 5, and nothing else is guessed. */
const toNumber = (value: unknown) => (typeof value === 'string' && value.trim() !== '' ? Number(value) : value);

const numberBetween = (min: number, max: number, unit: string) =>
	z.preprocess(
		toNumber,
		z.number({ errorMap: () => ({ message: `has to be a number of ${unit} from ${min} to ${max}` }) }).min(min).max(max),
	);

const wholeBetween = (min: number, max: number, unit: string) => numberBetween(min, max, unit).refine((value) => Number.isInteger(value), `has to be a whole number of ${unit}`);

const boolean = z.boolean({ errorMap: () => ({ message: 'has to be true or false' }) });

const text = z
	.union([z.string(), z.number()], { errorMap: () => ({ message: 'has to be a text' }) })
	.transform(String)
	.refine((value) => value.trim() !== '', 'is empty: enter the message to send')
	.refine((value) => !value.includes('\0'), 'holds a NUL character, which EvolutionAPI sends but can\'t record: remove it')
	.refine((value) => value.isWellFormed(), 'ends or begins in the middle of an emoji (a cut surrogate pair): cut the text by characters, such as [...text].slice(0, 100).join("")')
	.refine((value) => value.length <= longestText, `is longer than the ${longestText} characters that WhatsApp takes`);

const recipient = z
	.union([z.string(), z.number(), z.null(), z.undefined()], { errorMap: () => ({ message: 'has to be a phone number' }) })
	.transform((value, context): Recipient => {
		try {
			return toRecipient(String(value ?? ''));
		} catch (error) {
			context.addIssue({ code: 'custom', message: (error as Error).message });
			return z.NEVER;
		}
	});

const instanceName = z
	.string({ errorMap: () => ({ message: 'is missing: pick one from the list, or enter its name' }) })
	.transform((name) => name.trim())
	.refine((name) => name !== '', 'is missing: pick one from the list, or enter its name')
	.refine((name) => name !== '.' && name !== '..', 'can\'t be "." or "..": no address can reach an instance of that name')
	.refine((name) => name.length <= 255 && name.isWellFormed() && !hasControlCharacters(name), 'holds characters that no instance name has');

const httpUrl = z
	.string({ errorMap: () => ({ message: 'is empty: enter an address that begins with https:// or http://' }) })
	.transform((value) => value.trim())
	.refine((value) => value !== '', 'is empty: enter an address that begins with https:// or http://')
	.refine((value) => /^https?:\/\//i.test(value) && URL.canParse(value), 'has to be an address that begins with https:// or http://');

const optionalUrl = z.preprocess((value) => (typeof value === 'string' && value.trim() === '' ? undefined : value), httpUrl.optional());

/** Names in RFC 9110's alphabet; those that this package or HTTP itself sets are not for the caller. */
const reservedHeaders = /^(webhook-(id|timestamp|signature)|idempotency-key|content-length|host|transfer-encoding|connection|content-type|trailer|te|upgrade|expect|keep-alive|proxy-connection)$/i;
const headersExpected = { errorMap: () => ({ message: 'have to be a list of a name and a value each' }) };
const header = z.object({
	name: z
		.string({ errorMap: () => ({ message: 'has no name' }) })
		.transform((name) => name.trim())
		.refine((name) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name), 'has a name with characters that HTTP forbids, or none')
		.refine((name) => !reservedHeaders.test(name), 'sets a header that this node sets itself (webhook-id, webhook-timestamp, webhook-signature, Idempotency-Key, Content-Type, …)'),
	value: z
		.union([z.string(), z.number(), z.boolean()], { errorMap: () => ({ message: 'has no value: a text, a number, true or false' }) })
		.transform(String)
		.refine((value) => /^[\t\x20-\x7e\x80-\xff]*$/.test(value), 'has a value with a line break or characters that HTTP forbids'),
}, { errorMap: () => ({ message: 'is not a name and a value' }) });

function refuseRepeatedNames(headers: Array<{ name: string }>, context: z.RefinementCtx): void {
	const names = headers.map(({ name }) => name.toLowerCase());
	const repeated = names.findIndex((name, index) => names.indexOf(name) < index);
	if (repeated >= 0) context.addIssue({ code: 'custom', path: [repeated], message: 'sets a name that an earlier header sets already' });
}

/** JSON as a text or, from an expression, as the value itself; kept as the text that is sent. */
const jsonBody = z.unknown().transform((value, context): string | undefined => {
	if (value === undefined || value === null || (typeof value === 'string' && value.trim() === '')) return undefined;
	if (typeof value !== 'string') return JSON.stringify(value);
	try {
		JSON.parse(value);
		return value;
	} catch (error) {
		context.addIssue({ code: 'custom', message: `is not valid JSON (${(error as Error).message}). In an expression, wrap values in JSON.stringify(…)` });
		return z.NEVER;
	}
});

const optionalText = z.preprocess((value) => (value === '' || value === null ? undefined : value), z.string({ errorMap: () => ({ message: 'has to be a text' }) }).max(512, 'is too long').optional());

const transactionId = z.preprocess(
	(value) => (value === '' || value === null ? undefined : typeof value === 'number' ? String(value) : value),
	z
		.string({ errorMap: () => ({ message: 'has to be a text' }) })
		.transform((id) => id.trim())
		.refine((id) => id !== '', 'is empty')
		.refine((id) => id.length <= 255, 'is longer than 255 characters')
		.refine((id) => !hasControlCharacters(id) && id.isWellFormed(), 'holds control characters')
		.optional(),
);

const notACount = { errorMap: () => ({ message: "has to be this message's count in its chat: a whole number from 1 up. Remove the option to send without one" }) };

const sequenceNumber = z.preprocess(toNumber, z.number(notACount).int(notACount.errorMap()).min(1, notACount.errorMap()).max(Number.MAX_SAFE_INTEGER, notACount.errorMap()));

/** An expression that gives nothing must not make a numbered message into one without a number. */
function keepMissingNumber(value: unknown): unknown {
	const given = typeof value === 'object' && value !== null && 'sequenceNumber' in value;
	return given && value.sequenceNumber === undefined ? { ...value, sequenceNumber: null } : value;
}

const optionFields = z.object({
	transactionId,
	onInDoubt: choice('stop', 'sendAgain').default('stop'),
	priority: choice('high', 'normal', 'low').default('normal'),
	queueTimeoutSeconds: numberBetween(0.5, day, 'seconds').default(120),
	sequenceNumber: sequenceNumber.optional(),
	sequenceGapSeconds: numberBetween(0, day, 'seconds').default(10),
	onFailure: choice('release', 'hold').default('release'),
	attempts: wholeBetween(1, 10, 'attempts').default(3),
	requestTimeoutSeconds: numberBetween(0.5, 600, 'seconds').default(30),
	typingMilliseconds: wholeBetween(0, 60_000, 'milliseconds').optional(),
	quotedMessageId: optionalText,
	linkPreview: boolean.optional(),
	mentionEveryone: boolean.optional(),
	errorCallbackUrl: optionalUrl,
	storeMessageText: boolean.default(false),
});

/** Parameters of the public contract, under their names there; seconds stay seconds. */
const orderedSend = z
	.object({
		instanceName,
		number: recipient,
		text,
		waitFor: choice('accepted', 'delay', 'sent', 'delivered', 'read').default('accepted'),
		delaySeconds: numberBetween(0, day, 'seconds').default(1),
		ackTimeoutSeconds: numberBetween(0.5, day, 'seconds').default(30),
		onAckTimeout: choice('stop', 'continue').default('stop'),
		callWebhook: boolean.default(true),
		webhookUrl: z.unknown(),
		webhookMethod: choice('DELETE', 'GET', 'PATCH', 'POST', 'PUT').default('POST'),
		webhookBody: jsonBody,
		webhookHeaders: z.array(header, headersExpected).default([]).superRefine(refuseRepeatedNames),
		options: z.preprocess(keepMissingNumber, optionFields.default({})),
	})
	.superRefine((value, context) => {
		if (!value.callWebhook) return;
		const url = httpUrl.safeParse(value.webhookUrl);
		if (!url.success) context.addIssue({ code: 'custom', path: ['webhookUrl'], message: url.error.issues[0]?.message ?? 'is not an address' });
	});

/** What a webhook call carries besides its body; used, never stored. */
export interface WebhookSecrets {
	/** Names the credential that they come from, such as by its ID in n8n. */
	credential?: string;
	headers: Array<{ name: string; value: string }>;
	signingSecret?: string;
}

/** One checked call. */
export interface OrderedSend {
	access: ServerAccess;
	chat: Chat;
	recipient: Recipient;
	/** Undefined: the caller gives its `origin`, from which the ID is made. */
	transactionId?: string;
	definition: Definition;
	onInDoubt: 'stop' | 'sendAgain';
	priority: 'high' | 'normal' | 'low';
	queueTimeoutMs: number;
	webhookSecrets: WebhookSecrets;
}

/** What goes on record of the secrets: that there are some, and what the credential is called, if it is one alone. */
function needsOf(headers: unknown[], { credential, headers: more = [], signingSecret }: Partial<WebhookSecrets>): Pick<NonNullable<Definition['webhook']>, 'needs' | 'credential'> {
	if (headers.length > 0) return { needs: 'headers' };
	if (more.length === 0 && !signingSecret) return { needs: 'nothing' };
	return { needs: 'credential', ...(credential === undefined ? {} : { credential }) };
}

function hasControlCharacters(value: string): boolean {
	return /\p{Cc}/u.test(value);
}

/** Checks all fields. Throws {@link InvalidInputError} for the first that is wrong; nothing has been sent then. */
export function toOrderedSend(access: ServerAccess, input: unknown, secrets: Partial<WebhookSecrets> = {}): OrderedSend {
	const server = checkedServer(access);
	const parsed = orderedSend.safeParse(input);
	if (!parsed.success) throw invalid(parsed.error.issues[0]);
	const wrongSecret = checkWebhookSecrets(secrets);
	if (wrongSecret) throw new InvalidInputError('webhookTargetApi', 'Webhook credential', wrongSecret);
	const { data } = parsed;
	const seconds = (value: number) => Math.round(value * 1000);
	const { options: given } = data;
	return {
		access,
		chat: { server, instance: data.instanceName, recipient: data.number.jid },
		recipient: data.number,
		transactionId: given.transactionId,
		onInDoubt: given.onInDoubt,
		priority: given.priority,
		queueTimeoutMs: seconds(given.queueTimeoutSeconds),
		webhookSecrets: { credential: secrets.credential, headers: [...data.webhookHeaders, ...(secrets.headers ?? [])], signingSecret: secrets.signingSecret || undefined },
		definition: {
			number: data.number.number,
			text: data.text,
			...(given.typingMilliseconds ? { typingMilliseconds: given.typingMilliseconds } : {}),
			...(given.quotedMessageId ? { quotedMessageId: given.quotedMessageId } : {}),
			...(given.linkPreview === undefined ? {} : { linkPreview: given.linkPreview }),
			...(given.mentionEveryone ? { mentionEveryone: true } : {}),
			waitFor: data.waitFor,
			delayMs: seconds(data.delaySeconds),
			ackTimeoutMs: seconds(data.ackTimeoutSeconds),
			onAckTimeout: data.onAckTimeout,
			...(data.callWebhook ? { webhook: { url: (data.webhookUrl as string).trim(), method: data.webhookMethod, ...(data.webhookBody === undefined ? {} : { body: data.webhookBody }), ...needsOf(data.webhookHeaders, secrets) } } : {}),
			attempts: given.attempts,
			requestTimeoutMs: seconds(given.requestTimeoutSeconds),
			...(given.errorCallbackUrl ? { errorCallbackUrl: given.errorCallbackUrl } : {}),
			...(given.sequenceNumber === undefined ? {} : { sequence: { number: given.sequenceNumber, gapMs: seconds(given.sequenceGapSeconds) } }),
			onFailure: given.onFailure,
			storeMessageText: given.storeMessageText,
		},
	};
}

const recovery = z.object({
	transactionId,
	options: z.object({ onInDoubt: choice('stop', 'sendAgain').default('stop'), queueTimeoutSeconds: numberBetween(0.5, day, 'seconds').default(30) }).default({}),
});

/** What the operations of recovery are asked for; `transactionId` is missing where none was given. */
export interface RecoveryRequest {
	access: ServerAccess;
	transactionId?: string;
	/** What the webhook asks for; never on record, so only the caller has it. */
	webhookSecrets?: WebhookSecrets;
	onInDoubt: OrderedSend['onInDoubt'];
	/** How long each transaction may wait for its chat. */
	queueTimeoutMs: number;
}

/** Checks all fields, under their names in the panel. Throws {@link InvalidInputError} for the first that is wrong. */
export function toRecoveryRequest(access: ServerAccess, input: unknown, webhookSecrets?: WebhookSecrets): RecoveryRequest {
	checkedServer(access);
	const parsed = recovery.safeParse(input);
	if (!parsed.success) throw invalid(parsed.error.issues[0]);
	const { transactionId: id, options: given } = parsed.data;
	return { access, transactionId: id, webhookSecrets, onInDoubt: given.onInDoubt, queueTimeoutMs: Math.round(given.queueTimeoutSeconds * 1000) };
}

function checkedServer(access: ServerAccess): string {
	if (!access.apiKey?.trim()) throw new InvalidInputError('apiKey', 'API Key', 'is empty in the EvolutionAPI credential');
	try {
		return serverAddress(access.baseUrl ?? '');
	} catch (error) {
		throw invalidBaseUrl(error as Error);
	}
}

function invalidBaseUrl({ message }: Error): InvalidInputError {
	return new InvalidInputError('baseUrl', 'Base URL', `${message} (in the EvolutionAPI credential)`);
}

function invalid(issue: z.ZodIssue | undefined): InvalidInputError {
	const path = issue?.path ?? [];
	const field = String((path[0] === 'options' ? path[1] : path[0]) ?? '');
	const problem = issue?.code === 'too_small' || issue?.code === 'too_big' ? limits(issue) : (issue?.message ?? 'is not valid');
	const which = field === 'webhookHeaders' && typeof path[1] === 'number' ? `header ${path[1] + 1} ` : '';
	return new InvalidInputError(field, labels[field] ?? field, which + problem);
}

function limits(issue: z.ZodTooSmallIssue | z.ZodTooBigIssue): string {
	if (issue.type !== 'number') return issue.message ?? 'is not valid';
	return issue.code === 'too_small' ? `can't be less than ${Number(issue.minimum)}` : `can't be more than ${Number(issue.maximum)}`;
}

/** What is wrong with the secrets of a webhook credential, as a sentence; undefined where nothing is. */
export function checkWebhookSecrets({ headers = [], signingSecret }: Partial<WebhookSecrets>): string | undefined {
	const parsed = z.array(header).safeParse(headers);
	if (!parsed.success) return `the header ${parsed.error.issues[0]?.message ?? 'is not valid'}`;
	try {
		if (signingSecret) signer(signingSecret);
		return undefined;
	} catch {
		return 'what stands after whsec_ in the signing secret is not base64';
	}
}

/** What two calls with one ID must have in common; the name of the first part that differs is told to the user. */
export function contentOf(send: OrderedSend): Record<string, string> {
	return {
		server: send.chat.server,
		instance: send.chat.instance,
		recipient: send.chat.recipient,
		message: send.definition.text,
		'webhook address or method': send.definition.webhook ? `${send.definition.webhook.method} ${send.definition.webhook.url}` : '',
	};
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
