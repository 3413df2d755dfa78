// What a caller asks for with one text: checked by zod, so that bad input is one clear message that names the field.
import { z } from 'zod';
import type { Text } from '../evolution/messages/message';
import type { Recipient } from '../evolution/recipient';
import { serverAddress, type ServerAccess } from '../evolution/server';
import { InvalidInputError } from './errors';
import { boolean, choice, day, header, headersExpected, httpUrl, instanceName, jsonBody, numberBetween, optionalText, recipient, refuseRepeatedNames, text, transactionId, typing } from './input/fields';
import { definitionOf, firstWait, optionFields, type Options, optionsOf, toMs } from './input/options';
import type { Definition, PlannedStep, PlannedWait, PlannedWebhook } from './plan';
import { earlierMessagesLabels } from './sequence/labels';
import { signer } from './signature';
import type { Chat } from './transaction';

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
	compensationWebhookUrl: 'Compensation URL',
	stepsFrom: 'Define Steps',
	steps: 'Steps',
	stepsJson: 'Steps (JSON)',
};

const textOptions = optionFields.extend({
	typingMilliseconds: typing,
	quotedMessageId: optionalText,
	linkPreview: boolean.optional(),
	mentionEveryone: boolean.optional(),
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
		options: optionsOf(textOptions),
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
	/** Of the credential; for all webhooks of the transaction. */
	webhookSecrets: WebhookSecrets;
	/** Each webhook's own headers, by its place among the webhooks, from 0. Used, never stored. */
	webhookHeaders: Record<number, WebhookSecrets['headers']>;
	/** Files as base64, by the place of their message among the messages, from 0. Never stored: they are large, and private. */
	files: Record<number, string>;
	/** Sorts it in its lane in place of n8n's execution. */
	orderKey?: number;
}

/** What goes on record of the secrets: that there are some, and what the credential is called, if it is one alone. */
export function needsOf(headers: unknown[], { credential, headers: more = [], signingSecret }: Partial<WebhookSecrets>): Pick<PlannedWebhook, 'needs' | 'credential'> {
	if (headers.length > 0) return { needs: 'headers' };
	if (more.length === 0 && !signingSecret) return { needs: 'nothing' };
	return { needs: 'credential', ...(credential === undefined ? {} : { credential }) };
}

/** Checks all fields. Throws {@link InvalidInputError} for the first that is wrong; nothing has been sent then. */
export function toOrderedSend(access: ServerAccess, input: unknown, secrets: Partial<WebhookSecrets> = {}): OrderedSend {
	const server = checkedServer(access);
	const parsed = orderedSend.safeParse(input);
	if (!parsed.success) throw invalid(parsed.error.issues[0]);
	checkSecrets(secrets);
	const { data } = parsed;
	const { options: given } = data;
	const plan: PlannedStep[] = [...firstWait(given), { type: 'send', message: textMessage(data.text, given), onError: 'stop' }, ...waitsOf(data)];
	if (data.callWebhook) {
		const body = data.webhookBody === undefined ? {} : { body: data.webhookBody };
		plan.push({ type: 'webhook', url: (data.webhookUrl as string).trim(), method: data.webhookMethod, ...body, ...needsOf(data.webhookHeaders, secrets), onError: 'stop' });
	}
	return {
		...commonOf(access, server, data, secrets),
		webhookHeaders: data.webhookHeaders.length > 0 ? { 0: data.webhookHeaders } : {},
		files: {},
		definition: { number: data.number.number, plan, ...definitionOf(given) },
	};
}

/** What both operations have in common, but the definition. */
export function commonOf(access: ServerAccess, server: string, data: { instanceName: string; number: Recipient; options: Options }, secrets: Partial<WebhookSecrets>): Omit<OrderedSend, 'definition' | 'webhookHeaders' | 'files'> {
	const { options: given } = data;
	return {
		access,
		chat: { server, instance: data.instanceName, recipient: data.number.jid },
		recipient: data.number,
		transactionId: given.transactionId,
		onInDoubt: given.onInDoubt,
		priority: given.priority,
		queueTimeoutMs: toMs(given.queueTimeoutSeconds),
		...(given.orderKey === undefined ? {} : { orderKey: given.orderKey }),
		webhookSecrets: { credential: secrets.credential, headers: secrets.headers ?? [], signingSecret: secrets.signingSecret || undefined },
	};
}

function textMessage(text: string, given: z.infer<typeof textOptions>): Text {
	return {
		kind: 'text',
		text,
		...(given.typingMilliseconds ? { typingMilliseconds: given.typingMilliseconds } : {}),
		...(given.quotedMessageId ? { quotedMessageId: given.quotedMessageId } : {}),
		...(given.linkPreview === undefined ? {} : { linkPreview: given.linkPreview }),
		...(given.mentionEveryone ? { mentionEveryone: true } : {}),
	};
}

/** A refused message is never followed by its webhook: only an acknowledgement that does not come can be gone on without. */
function waitsOf({ waitFor, delaySeconds, ackTimeoutSeconds, onAckTimeout }: z.infer<typeof orderedSend>): PlannedWait[] {
	if (waitFor === 'accepted') return [];
	if (waitFor === 'delay') return [{ type: 'wait', until: 'delay', delayMs: toMs(delaySeconds), onError: 'stop' }];
	return [{ type: 'wait', until: waitFor, timeoutMs: toMs(ackTimeoutSeconds), onTimeout: onAckTimeout, onError: 'stop' }];
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

export function checkedServer(access: ServerAccess): string {
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

export function invalid(issue: z.ZodIssue | undefined): InvalidInputError {
	const path = issue?.path ?? [];
	const field = String((path[0] === 'options' ? path[1] : path[0]) ?? '');
	const problem = issue?.code === 'too_small' || issue?.code === 'too_big' ? limits(issue) : (issue?.message ?? 'is not valid');
	const part = field === 'afterEarlierMessages' && path[2] !== undefined ? `${earlierMessagesLabels[path[2]]} ` : '';
	const which = field === 'webhookHeaders' && typeof path[1] === 'number' ? `header ${path[1] + 1} ` : part;
	return new InvalidInputError(field, labels[field] ?? field, which + problem);
}

function limits(issue: z.ZodTooSmallIssue | z.ZodTooBigIssue): string {
	if (issue.type !== 'number') return issue.message ?? 'is not valid';
	return issue.code === 'too_small' ? `can't be less than ${Number(issue.minimum)}` : `can't be more than ${Number(issue.maximum)}`;
}

/** Throws {@link InvalidInputError} where the secrets of a webhook credential can't be used. */
export function checkSecrets(secrets: Partial<WebhookSecrets>): void {
	const problem = checkWebhookSecrets(secrets);
	if (problem) throw new InvalidInputError('webhookTargetApi', 'Webhook credential', problem);
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
