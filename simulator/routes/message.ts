// EvolutionAPI's sends: the checks, the channel's ways, the answer.

import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { badRequest, databaseError, lostMeta, metaRefusal, notConnected, notLoaded, Refusal, schemaError, serverError, type Outcome } from '../answers';
import { controllerProblem, schemaProblems } from '../bodies';
import { content, KINDS, type Kind } from '../content';
import { digitsOf, isGroupOrBroadcast, toJid } from '../numbers';
import { effectiveInstance, guard, isRecord, route, textIn, type Call, type Parts } from '../server';
import type { Instance } from '../state';

export function messageRoutes(app: FastifyInstance, parts: Parts): void {
	for (const kind of Object.keys(KINDS) as Kind[]) {
		route(app, parts, 'POST', `/message/${kind}/:instanceName`, (call) => send(kind, call));
	}
}

async function send(kind: Kind, call: Call): Promise<Outcome> {
	guard(call);
	checkBody(kind, call.body);
	const instance = effectiveInstance(call);
	if (!instance) return notLoaded(KINDS[kind].method);
	checkAvailable(kind, instance);
	const number = recipient(call.body);
	const jid = toJid(number);
	checkBeforeSend(call, instance, jid, number);
	// Cloud ignores `delay`. Elsewhere it blocks, and a caller who hangs up cancels nothing (trap 3).
	const waits = instance.channel !== 'WHATSAPP-BUSINESS' && !KINDS[kind].ignoresDelay;
	if (waits && typeof call.body.delay === 'number') await sleep(call.body.delay);
	return transmit(kind, call, instance, jid, number);
}

async function transmit(kind: Kind, call: Call, instance: Instance, jid: string, number: string): Promise<Outcome> {
	const text = textIn(call.body) ?? '';
	// A NUL character can't be stored: WhatsApp has the message, the insert fails (trap 2).
	const insertFails = hasNul(call.body) || call.rule?.answer?.kind === 'databaseError';
	const lost = call.rule?.answer?.kind === 'lostMeta';
	if (lost && !call.rule?.sent) return lostMeta();
	const saved = !insertFails && (call.rule?.saved ?? !lost);
	const sent = await call.whatsapp.send({
		instance,
		type: kind,
		jid,
		number,
		text,
		remoteJid: answeredJid(call, instance, jid, number),
		...content(kind, instance.channel, call.body),
		requestId: call.entry.id,
		saved,
		rule: call.rule,
	});
	if (lost) return lostMeta();
	return insertFails ? databaseError() : { status: 201, body: sent };
}

function checkBody(kind: Kind, body: Record<string, unknown>): void {
	const problems = schemaProblems(kind, body);
	if (problems.length > 0) throw new Refusal(schemaError(problems));
	const refused = controllerProblem(kind, body);
	if (refused) throw new Refusal(badRequest(refused));
}

function checkAvailable(kind: Kind, instance: Instance): void {
	if (KINDS[kind].missingOn.includes(instance.channel)) {
		// Baileys lacks templates alone, and throws a plain error there
		throw new Refusal(instance.channel === 'WHATSAPP-BAILEYS' ? serverError(methodNotAvailable(instance)) : badRequest(methodNotAvailable(instance)));
	}
	// the own channel takes audio only as an uploaded file
	if (kind === 'sendWhatsAppAudio' && instance.channel === 'EVOLUTION') throw new Refusal(serverError('File or buffer is undefined.'));
}

/** The text of a refusal that a channel gives for what it can't do. */
export function methodNotAvailable({ channel }: Instance): string {
	if (channel === 'WHATSAPP-BAILEYS') return 'Method not available in the Baileys service';
	return `Method not available on ${channel === 'EVOLUTION' ? 'Evolution Channel' : 'WhatsApp Business API'}`;
}

function hasNul(value: unknown): boolean {
	if (typeof value === 'string') return value.includes('\u0000');
	return typeof value === 'object' && value !== null && Object.values(value).some(hasNul);
}

/** What the channel or WhatsApp refuses before anything goes out. */
function checkBeforeSend(call: Call, instance: Instance, jid: string, number: string): void {
	const fault = call.rule?.answer;
	if (fault?.kind === 'notConnected') throw new Refusal(notConnected());
	if (fault?.kind === 'noSuchNumber') throw new Refusal(noSuchNumber(jid, number));
	if (fault?.kind === 'metaRefusal') throw new Refusal(metaRefusal(fault.code, fault.message, fault.details));
	if (instance.channel === 'WHATSAPP-BUSINESS') {
		if (call.body.text === '') throw new Refusal(lostMeta());
		if (call.whatsapp.pairLimited(instance, jid)) throw new Refusal(metaRefusal(131056));
	}
	if (instance.channel === 'WHATSAPP-BAILEYS') {
		if (typeof call.body.text === 'string' && call.body.text.trim() === '') throw new Refusal(badRequest('Text is required'));
		if (instance.state !== 'open') throw new Refusal(notConnected());
		if (!isGroupOrBroadcast(jid) && call.state.factsOf(jid).exists === false) throw new Refusal(noSuchNumber(jid, number));
	}
}

/** `message` holds an object. */
function noSuchNumber(jid: string, number: string): Outcome {
	return badRequest({ jid, exists: false, number: number.includes('@') ? digitsOf(number) : number });
}

/** The caller of sendReaction names the chat in `key`. */
function recipient(body: Record<string, unknown>): string {
	if (typeof body.number === 'string') return body.number;
	return isRecord(body.key) && typeof body.key.remoteJid === 'string' ? body.key.remoteJid : '';
}

/** EVOLUTION answers the number as given; Baileys may answer a `…@lid`. */
function answeredJid(call: Call, instance: Instance, jid: string, number: string): string {
	if (instance.channel === 'EVOLUTION') return number;
	return (instance.channel === 'WHATSAPP-BAILEYS' && call.state.factsOf(jid).lid) || jid;
}
