// The way of a request: counted, matched against the rules, handled, held or delayed, answered.

import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Refusal, unauthorized, notFound, type Outcome } from './answers';
import type { Events } from './events';
import type { Rule, RuleBook } from './rules';
import type { Answer } from './schemas';
import type { Instance, RequestEntry, State } from './state';
import { now } from './state';
import type { WhatsApp } from './whatsapp';

/** The parts that handlers work with. */
export interface Parts {
	state: State;
	rules: RuleBook;
	events: Events;
	whatsapp: WhatsApp;
	/** Resolves when held answers are let go. */
	held: Set<() => void>;
}

/** A request on its way through a handler. */
export interface Call extends Parts {
	request: FastifyRequest;
	entry: RequestEntry;
	rule: Rule | undefined;
	body: Record<string, unknown>;
	query: Record<string, string>;
	key: string | undefined;
}

export type Handler = (call: Call) => Outcome | Promise<Outcome>;

/** Faults that happen within EvolutionAPI, after its own checks; the others are those of the wire. */
const INSIDE: ReadonlySet<Answer['kind']> = new Set([
	'metaRefusal', 'lostMeta', 'databaseError', 'notLoaded', 'notConnected', 'noSuchNumber',
]);

/** Registers a route. Its last fixed path segment is its name in rules and counts. */
export function route(app: FastifyInstance, parts: Parts, method: 'GET' | 'POST' | 'DELETE', path: string, handler: Handler): void {
	const name = path.replace('/:instanceName', '').split('/').at(-1) || 'root';
	app.route({ method, url: path, exposeHeadRoute: false, handler: (request, reply) => serve(parts, name, handler, request, reply) });
}

/** The instance that the path names, after EvolutionAPI's checks: first that it exists, then the key. */
export function guard(call: Call): void {
	const name = call.entry.instance ?? '';
	const instance = call.state.instances.get(name);
	if (!instance) throw new Refusal(notFound(`The "${name}" instance does not exist`));
	if (!call.key || (call.key !== call.state.apiKey && call.key !== instance.token)) throw new Refusal(unauthorized());
}

/** The instance that is used: the query string overrides the path, after the check of the key (trap 12). */
export function effectiveInstance(call: Call): Instance | undefined {
	const instance = call.state.instances.get(call.query.instanceName ?? call.entry.instance ?? '');
	return instance?.loaded && call.rule?.answer?.kind !== 'notLoaded' ? instance : undefined;
}

async function serve(parts: Parts, name: string, handler: Handler, request: FastifyRequest, reply: FastifyReply): Promise<void> {
	reply.hijack();
	const call = startCall(parts, name, request);
	const ended = (status: RequestEntry['status']) => endCall(call, status);
	reply.raw.once('finish', () => ended(reply.raw.statusCode));
	reply.raw.once('close', () => ended('aborted'));
	const outcome = await handled(call, handler);
	if (call.rule?.hold) await new Promise<void>((release) => { parts.held.add(release); parts.state.changed(); });
	if (call.rule?.answerAfterMs) await sleep(call.rule.answerAfterMs);
	const answer = call.rule?.answer;
	if (answer && !INSIDE.has(answer.kind)) writeFault(answer, reply, ended);
	else if (outcome) writeOutcome(outcome, reply);
}

function startCall(parts: Parts, name: string, request: FastifyRequest): Call {
	const body = isRecord(request.body) ? request.body : {};
	const path = request.url.split('?')[0] ?? '';
	const entry: RequestEntry = {
		id: request.id,
		method: request.method,
		path,
		route: name,
		instance: (request.params as { instanceName?: string }).instanceName,
		messageId: lookedUpId(body),
		arrivedAt: now(),
		endedAt: undefined,
		status: undefined,
		rule: undefined,
		...(parts.state.settings.keepBodies ? { body } : {}),
	};
	parts.state.requests.push(entry);
	countLookup(parts.state, entry, 1);
	const rule = parts.rules.take({ route: name, instance: entry.instance, messageId: entry.messageId, number: numberIn(body), text: textIn(body) });
	entry.rule = rule?.id;
	parts.state.changed();
	const key = request.headers.apikey;
	return { ...parts, request, entry, rule, body, query: request.query as Record<string, string>, key: typeof key === 'string' ? key : undefined };
}

function endCall({ entry, state }: Call, status: RequestEntry['status']): void {
	if (entry.endedAt !== undefined) return;
	entry.endedAt = now();
	countLookup(state, entry, -1);
	entry.status = status;
	state.changed();
}

/** Undefined if a fault of the wire kept the request from EvolutionAPI. */
async function handled(call: Call, handler: Handler): Promise<Outcome | undefined> {
	const answer = call.rule?.answer;
	if (answer && !INSIDE.has(answer.kind) && !call.rule?.sent) return undefined;
	try {
		return await handler(call);
	} catch (error) {
		if (error instanceof Refusal) return error.outcome;
		return { status: 500, body: { simulator: 'The simulator itself failed', error: error instanceof Error ? error.stack : String(error) } };
	}
}

/** Counts how many look-ups of one message's status run at once. */
function countLookup(state: State, { route, messageId }: RequestEntry, change: 1 | -1): void {
	if (route !== 'findStatusMessage' || !messageId) return;
	const running = (state.statusRunning.get(messageId) ?? 0) + change;
	state.statusRunning.set(messageId, running);
	state.statusPeaks.set(messageId, Math.max(state.statusPeaks.get(messageId) ?? 0, running));
}

/** Writes an answer as EvolutionAPI does. */
export function writeOutcome({ status, body }: Outcome, reply: FastifyReply): void {
	write(reply, status, body === undefined ? '' : JSON.stringify(body), { 'content-type': 'application/json; charset=utf-8' });
}

function write(reply: FastifyReply, status: number, body: string, headers: Record<string, string>): void {
	if (reply.raw.destroyed) return;
	reply.raw.writeHead(status, { 'content-length': String(Buffer.byteLength(body)), ...headers });
	reply.raw.end(body);
}

function writeFault(answer: Answer, reply: FastifyReply, ended: (status: RequestEntry['status']) => void): void {
	switch (answer.kind) {
		case 'http': {
			const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {});
			const type = typeof answer.body === 'string' ? 'text/html' : 'application/json; charset=utf-8';
			return write(reply, answer.status, text, { 'content-type': type, ...lowerCased(answer.headers) });
		}
		case 'rateLimit':
			return write(reply, 429, '{"message":"Too many requests"}', {
				'content-type': 'application/json; charset=utf-8',
				'retry-after': String(answer.retryAfterSeconds ?? 1),
			});
		case 'reset':
			ended('reset');
			reply.raw.socket?.resetAndDestroy();
			return;
		case 'drip':
			return drip(reply, answer.everyMs ?? 20);
		case 'nonsense':
			return writeNonsense(answer, reply);
		default:
			// `hang`: the connection stays open and silent.
	}
}

/** Starts a JSON body that never ends: a client's time-out between two bytes never fires. */
function drip(reply: FastifyReply, everyMs: number): void {
	reply.raw.writeHead(201, { 'content-type': 'application/json; charset=utf-8' });
	reply.raw.write('{"key":{"id":"');
	const timer = setInterval(() => reply.raw.write('0'), everyMs);
	timer.unref();
	reply.raw.once('close', () => clearInterval(timer));
}

function writeNonsense(answer: Extract<Answer, { kind: 'nonsense' }>, reply: FastifyReply): void {
	const json = { 'content-type': 'application/json; charset=utf-8' };
	switch (answer.as) {
		case 'invalidJson': return write(reply, 201, '{"key": {"id": ', json);
		case 'html': return write(reply, 201, '<html><body>Welcome</body></html>', { 'content-type': 'text/html' });
		case 'empty': return write(reply, 201, '', json);
		case 'null': return write(reply, 201, 'null', json);
		case 'array': return write(reply, 201, '[]', json);
		case 'huge': return write(reply, 201, `{"padding":"${'x'.repeat(answer.bytes ?? 50_000_000)}"}`, json);
	}
}

function lowerCased(headers: Record<string, string> = {}): Record<string, string> {
	return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

export function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function lookedUpId(body: Record<string, unknown>): string | undefined {
	const where = isRecord(body.where) ? body.where : {};
	const key = isRecord(where.key) ? where.key : {};
	return firstString(key.id, where.id, body.id);
}

function numberIn(body: Record<string, unknown>): string | undefined {
	const where = isRecord(body.where) ? body.where : {};
	const key = isRecord(where.key) ? where.key : isRecord(body.key) ? body.key : {};
	return firstString(body.number, key.remoteJid, where.remoteJid, body.remoteJid);
}

/** What stands for the text of a message of any kind, in the log and in rules. */
export function textIn(body: Record<string, unknown>): string | undefined {
	return firstString(body.text, body.caption, body.reaction, body.name, body.title, body.media, body.audio, body.sticker);
}

function firstString(...values: unknown[]): string | undefined {
	return values.find((value): value is string => typeof value === 'string');
}
