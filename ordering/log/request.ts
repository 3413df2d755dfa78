// What the operations of the log are asked for: checked, so that bad input is one clear message that names the field.
import { type Recipient, toRecipient } from '../../evolution/recipient';
import { serverAddress, type ServerAccess } from '../../evolution/server';
import { InvalidInputError } from '../errors';
import type { Listing } from '../ledger/ledger';
import { mostListed } from './list';
import { toRecoveryRequest } from '../orderedSend';
import type { TransactionStatus } from '../transaction';
import { toTime } from './time';

/** Names of the fields as the panel shows them; a test compares the two. */
export const logLabels = {
	instanceName: 'Instance',
	number: 'Phone Number',
	statuses: 'Statuses',
	createdAfter: 'Created After',
	createdBefore: 'Created Before',
	from: 'From',
	to: 'To',
	limit: 'Limit',
	order: 'Order',
	olderThanDays: 'Older Than (Days)',
} as const;

export type Field = keyof typeof logLabels;

export const transactionStatuses: readonly TransactionStatus[] = ['open', 'completed', 'unconfirmed', 'inDoubt', 'failed', 'cancelled'];

const dayMs = 86_400_000;
/** Later than every time that a ledger can hold. */
const endOfTime = 8_640_000_000_000_000;

export interface ListRequest {
	listing: Listing;
	/** Undefined: all there are. */
	limit?: number;
}

/** A chat and a range of time. */
export interface ChatRequest {
	access: ServerAccess;
	server: string;
	instance: string;
	recipient: Recipient;
	/** Ms since 1970; `to` does not belong to it. */
	from: number;
	to: number;
}

type Input = Partial<Record<Field, unknown>>;

/** `timeZone` is that of times that tell none, such as "America/Sao_Paulo". Throws {@link InvalidInputError}. */
export function toListRequest(access: ServerAccess, input: Input, timeZone: string): ListRequest {
	const server = checkedServer(access);
	const instance = toText(input.instanceName);
	const number = toText(input.number);
	if (number !== '' && instance === '') throw invalid('instanceName', 'is missing: a chat is an instance and a phone number');
	const from = timeOr('createdAfter', input.createdAfter, timeZone, 0);
	const to = timeOr('createdBefore', input.createdBefore, timeZone, endOfTime);
	if (from >= to) throw invalid('createdBefore', 'has to be later than Created After');
	return {
		limit: input.limit === undefined ? undefined : whole('limit', input.limit, 1, mostListed),
		listing: {
			server,
			...(number === '' ? (instance === '' ? {} : { instance }) : { recipient: { instance, jid: recipientOf(number).jid } }),
			statuses: statusesOf(input.statuses),
			from,
			to,
			order: orderOf(input.order),
		},
	};
}

/** Without times, the day before now. Throws {@link InvalidInputError}. */
export function toChatRequest(access: ServerAccess, input: Input, timeZone: string, now = Date.now()): ChatRequest {
	const server = checkedServer(access);
	const instance = toText(input.instanceName);
	if (instance === '') throw invalid('instanceName', 'is missing: pick one from the list, or enter its name');
	const recipient = recipientOf(toText(input.number));
	const to = timeOr('to', input.to, timeZone, now);
	const from = timeOr('from', input.from, timeZone, to - dayMs);
	if (from >= to) throw invalid('to', 'has to be later than From');
	return { access, server, instance, recipient, from, to };
}

/** The moment before which transactions are old, in ms since 1970. Throws {@link InvalidInputError}. */
export function toPruneRequest(access: ServerAccess, input: Input, now = Date.now()): { server: string; before: number } {
	const server = checkedServer(access);
	const days = numberOf(input.olderThanDays);
	if (!(days >= 0)) throw invalid('olderThanDays', 'has to be a number of days, 0 or more');
	return { server, before: now - days * dayMs };
}

function checkedServer(access: ServerAccess): string {
	toRecoveryRequest(access, {});
	return serverAddress(access.baseUrl);
}

function recipientOf(number: string): Recipient {
	try {
		return toRecipient(number);
	} catch (error) {
		throw invalid('number', (error as Error).message);
	}
}

function timeOr(field: Field, value: unknown, timeZone: string, otherwise: number): number {
	if (value === undefined || value === null || value === '') return otherwise;
	const time = toTime(value, timeZone);
	if (time === undefined) throw invalid(field, `"${String(value).slice(0, 80)}" is no time: enter one such as 2026-11-24T15:30:00, or pick it in the calendar`);
	return time;
}

/** None chosen means all. */
function statusesOf(given: unknown): TransactionStatus[] {
	const chosen = Array.isArray(given) ? given : given === undefined || given === null || given === '' ? [] : [given];
	const unknown = chosen.find((one) => !transactionStatuses.includes(one as TransactionStatus));
	if (unknown !== undefined) throw invalid('statuses', `has to be of: ${transactionStatuses.join(', ')}`);
	return chosen.length === 0 ? [...transactionStatuses] : (chosen as TransactionStatus[]);
}

function orderOf(given: unknown): Listing['order'] {
	if (given === undefined || given === 'newestFirst') return 'newestFirst';
	if (given === 'oldestFirst') return given;
	throw invalid('order', 'has to be one of: newestFirst, oldestFirst');
}

function whole(field: Field, value: unknown, least: number, most: number): number {
	const number = numberOf(value);
	if (!Number.isInteger(number) || number < least || number > most) throw invalid(field, `has to be a whole number from ${least} to ${most}`);
	return number;
}

/** "5" is 5, and nothing else is guessed. */
function numberOf(value: unknown): number {
	if (typeof value === 'number') return Number.isFinite(value) ? value : NaN;
	return typeof value === 'string' && value.trim() !== '' ? Number(value) : NaN;
}

function toText(value: unknown): string {
	return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
}

function invalid(field: Field, problem: string): InvalidInputError {
	return new InvalidInputError(field, logLabels[field], problem);
}
