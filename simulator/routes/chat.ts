// EvolutionAPI's look-ups by chat, number check and deletion.

import type { FastifyInstance } from 'fastify';
import { badRequest, deletionFailed, flatBadRequest, notLoaded, Refusal, schemaError, type Outcome } from '../answers';
import { isGroupOrBroadcast, toJid } from '../numbers';
import { effectiveInstance, guard, isRecord, route, type Call, type Parts } from '../server';
import { inNoOrder, type Instance, type MessageRow, type State } from '../state';
import { methodNotAvailable } from './message';

export function chatRoutes(app: FastifyInstance, parts: Parts): void {
	route(app, parts, 'POST', '/chat/findStatusMessage/:instanceName', findStatusMessage);
	route(app, parts, 'POST', '/chat/findMessages/:instanceName', findMessages);
	route(app, parts, 'DELETE', '/chat/deleteMessageForEveryone/:instanceName', deleteForEveryone);
	route(app, parts, 'POST', '/chat/whatsappNumbers/:instanceName', whatsappNumbers);
}

/** The only filters are `where.id` (the key's ID) and `where.remoteJid`; others are ignored (trap 7). */
function findStatusMessage(call: Call): Outcome {
	const instance = loaded(call, 'fetchStatusMessage');
	const where = isRecord(call.body.where) ? call.body.where : {};
	const rows = call.state.statuses.filter((row) =>
		row.instanceId === instance.id && passes(where.id, row.keyId) && passes(where.remoteJid, row.remoteJid));
	const { page, size } = paging(call.body);
	return { status: 200, body: inNoOrder(rows).slice(size * (page - 1), size * page) };
}

function findMessages(call: Call): Outcome {
	const instance = loaded(call, 'fetchMessages');
	const rows = call.state.messages.filter(messageFilter(call.body, instance));
	// Newest first; messages of one second come in any order (trap 10).
	const sorted = inNoOrder(rows).sort((a, b) => b.messageTimestamp - a.messageTimestamp);
	const { page, size } = paging(call.body);
	const records = sorted.slice(size * (page - 1), size * page).map((row) => record(row, call.state));
	return { status: 200, body: { messages: { total: rows.length, pages: Math.ceil(rows.length / size), currentPage: page, records } } };
}

/**
 * The filters of 2.3.6, from its source: `fromMe` counts only when true; `messageTimestamp` only with both
 * ends, each read as a date (ISO text or milliseconds) and compared in whole seconds.
 */
function messageFilter(body: Record<string, unknown>, instance: Instance): (row: MessageRow) => boolean {
	const where = isRecord(body.where) ? body.where : {};
	const key = isRecord(where.key) ? where.key : {};
	const time = isRecord(where.messageTimestamp) ? where.messageTimestamp : {};
	const within = time.gte && time.lte ? { from: seconds(time.gte), to: seconds(time.lte) } : undefined;
	return (row) =>
		row.instanceId === instance.id &&
		passes(key.id, row.key.id) &&
		passes(key.remoteJid, row.key.remoteJid) &&
		(key.fromMe !== true || row.key.fromMe) &&
		passes(where.messageType, row.messageType) &&
		(!within || (row.messageTimestamp >= within.from && row.messageTimestamp <= within.to));
}

function record(row: MessageRow, state: State): Record<string, unknown> {
	const updates = inNoOrder(state.statuses.filter((status) => status.messageId === row.id));
	return { ...row, MessageUpdate: updates.map(({ status }) => ({ status })) };
}

/** WhatsApp Web can take a message back; the other channels can't. */
function deleteForEveryone(call: Call): Outcome {
	guard(call);
	const { id, remoteJid, fromMe } = call.body;
	const missing = Object.entries({ id, remoteJid, fromMe }).filter(([, value]) => value === undefined);
	if (missing.length > 0) return schemaError(missing.map(([name]) => `instance requires property "${name}"`));
	const instance = loaded(call, 'deleteMessage');
	if (instance.channel !== 'WHATSAPP-BAILEYS') return badRequest(methodNotAvailable(instance));
	if (instance.state !== 'open' || call.rule?.answer?.kind === 'notConnected') return deletionFailed("TypeError: Cannot read properties of undefined (reading 'sendMessage')");
	call.state.record({ kind: 'deletion', instance: instance.name, messageId: String(id), requestId: call.entry.id });
	call.whatsapp.takeBack(instance, String(id));
	return {
		status: 201,
		body: {
			key: { remoteJid, fromMe: true, id: `3EB0${Date.now().toString(16).toUpperCase()}` },
			message: { protocolMessage: { key: { remoteJid, fromMe, id }, type: 'REVOKE' } },
			messageTimestamp: String(Math.floor(Date.now() / 1000)),
			status: 'PENDING',
		},
	};
}

/** Its errors have a shape of their own: `message` at the top, or nothing at all (trap 13). */
function whatsappNumbers(call: Call): Outcome {
	guard(call);
	const numbers = call.body.numbers;
	if (!Array.isArray(numbers)) return schemaError(['instance requires property "numbers"']);
	const instance = effectiveInstance(call);
	if (instance && instance.channel !== 'WHATSAPP-BAILEYS') return flatBadRequest(methodNotAvailable(instance));
	if (!instance || instance.state !== 'open' || call.rule?.answer?.kind === 'notConnected') return { status: 400, body: {} };
	return { status: 200, body: numbers.map((number) => numberOnWhatsApp(String(number), call.state)) };
}

function numberOnWhatsApp(number: string, state: State): Record<string, unknown> {
	const jid = toJid(number);
	const facts = state.factsOf(number);
	const exists = isGroupOrBroadcast(jid) || facts.exists !== false;
	return { jid: (exists && facts.lid) || jid, exists, number };
}

function loaded(call: Call, method: string): Instance {
	guard(call);
	const instance = effectiveInstance(call);
	if (!instance) throw new Refusal(notLoaded(method));
	return instance;
}

function passes(filter: unknown, value: unknown): boolean {
	return !filter || filter === value;
}

/** `offset` is the size of a page, not a place in the list. */
function paging(body: Record<string, unknown>): { page: number; size: number } {
	return { page: Number(body.page) || 1, size: Number(body.offset) || 50 };
}

function seconds(date: unknown): number {
	return Math.floor(new Date(date as string | number).getTime() / 1000);
}
