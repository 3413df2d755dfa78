// References from a step to what earlier steps gave: `[[1.messageId]]`, `[[1.receipt]]`, `[[2.statusCode]]`,
// `[[2.webhook.order.id]]`. Steps count from 1, as the caller numbers them.
import { isRecord, parseJson } from '../../evolution/answers';
import type { Message } from '../../evolution/messages/message';
import type { Step, Transaction } from '../transaction';

const reference = /\[\[\s*(\d+)\.(messageId|receipt|statusCode|webhook(?:\.[^[\]\s]+)?)\s*\]\]/g;
/** A text that is one reference and nothing else: in a webhook's body it becomes the value itself, such as a number. */
const whole = new RegExp(`^${reference.source}$`);

/** Whether a text is one reference and nothing else. */
export function isReference(text: string): boolean {
	return whole.test(text.trim());
}

/** The steps that a text, or any text within a value, refers to. */
export function referredTo(value: unknown): number[] {
	if (typeof value === 'string') return [...value.matchAll(reference)].map(([, step]) => Number(step));
	if (Array.isArray(value)) return value.flatMap(referredTo);
	return isRecord(value) ? Object.values(value).flatMap(referredTo) : [];
}

/** With the values in place of the references; what an earlier step did not give is empty. */
export function resolvedText(text: string, transaction: Transaction): string {
	return text.replace(reference, (_, step: string, what: string) => asText(valueOf(transaction, Number(step), what)));
}

/**
 * For a part of an address: what is put in can't change where it leads. Undefined where it would all the same: ".." is a
 * way up, however it is written.
 */
export function resolvedUrl(url: string, transaction: Transaction): string | undefined {
	const resolved = url.replace(reference, (_, step: string, what: string) => encodeURIComponent(asText(valueOf(transaction, Number(step), what))));
	const plain = url.replace(reference, 'x');
	return depthOf(resolved) === depthOf(plain) ? resolved : undefined;
}

function depthOf(url: string): number {
	return new URL(url).pathname.split('/').length;
}

/** The texts of JSON text, and what stands behind those that are names. */
const jsonTexts = /("(?:[^"\\]|\\.)*")(\s*:)?/g;

/** JSON text, with the references within its texts resolved: nothing that is put in can break it, and all else stays as it is. */
export function resolvedJson(json: string, transaction: Transaction): string {
	return json.replace(jsonTexts, (all, text: string, isName?: string) => (isName ? all : JSON.stringify(resolved(parseJson(text), transaction, true))));
}

/** The message as it is sent. A reaction to an earlier step's message is one to a message of our own. */
export function resolvedMessage(message: Message, transaction: Transaction): Message {
	const now = resolved(message, transaction, false) as Message;
	if (message.kind !== 'reaction') return now;
	const [step] = referredTo(message.messageId);
	const sent = step === undefined ? undefined : stepOf(transaction, step, 'send');
	return sent ? { ...message, ...now, fromMe: true, remoteJid: sent.remoteJid ?? transaction.chat.recipient } as Message : now;
}

function resolved(value: unknown, transaction: Transaction, keepsTypes: boolean): unknown {
	if (typeof value === 'string') {
		const only = keepsTypes ? whole.exec(value) : null;
		return only ? (valueOf(transaction, Number(only[1]), only[2] as string) ?? null) : resolvedText(value, transaction);
	}
	if (Array.isArray(value)) return value.map((one) => resolved(one, transaction, keepsTypes));
	return isRecord(value) ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, resolved(one, transaction, keepsTypes)])) : value;
}

function valueOf(transaction: Transaction, step: number, what: string): unknown {
	if (what === 'messageId') return stepOf(transaction, step, 'send')?.messageId;
	if (what === 'receipt') return stepOf(transaction, step, 'wait')?.receipt;
	const webhook = stepOf(transaction, step, 'webhook');
	if (what === 'statusCode') return webhook?.statusCode;
	return what.split('.').slice(1).reduce((value: unknown, name) => (isRecord(value) || Array.isArray(value) ? own(value, name) : undefined), webhook?.answer);
}

function own(value: object, name: string): unknown {
	return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

function stepOf({ steps }: Transaction, step: number, type: Step['type']): Step | undefined {
	return steps.find((one) => one.step === step && one.type === type);
}

function asText(value: unknown): string {
	if (value === undefined || value === null) return '';
	if (typeof value !== 'string') return JSON.stringify(value);
	return value.replaceAll('\0', '').toWellFormed(); // as for what the caller gives: neither can be sent
}
