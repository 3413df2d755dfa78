// What a channel can't send or acknowledge, told before anything is sent.
import { type CanNot, cannotSend } from '../evolution/messages/channels';
import { mediaBytes, mediaOf } from '../evolution/messages/file';
import { maxLengthsAtMeta, maxMediaBytesAtMeta } from '../evolution/messages/limits';
import type { Message } from '../evolution/messages/message';
import { EvolutionError } from '../evolution/server';
import { HttpFailure } from '../evolution/http';
import { only } from '../evolution/only';
import { ImpossibleMessageError, ImpossibleWaitError, type OrderedSendError } from './errors';
import { type Acknowledgement, type PlannedStep, textOf } from './plan';
import type { Run } from './steps/step';

type Means = Pick<Run, 'server' | 'send' | 'signal' | 'egress'>;

/** EvolutionAPI's name of the instance's channel; undefined where the server does not tell. */
export async function channelOf({ server, signal, egress }: Omit<Means, 'send'>, instance: string, timeoutMs: number): Promise<string | undefined> {
	return await server.channelOf(instance, { timeoutMs, signal, egress }).catch((error: unknown) => {
		if (!signal?.aborted) only<Error>(error, EvolutionError, HttpFailure);
		return undefined;
	});
}

function channelOfSend(means: Means): Promise<string | undefined> {
	const { chat, definition } = means.send;
	return channelOf(means, chat.instance, definition.requestTimeoutMs);
}

/**
 * Why a wait for an acknowledgement can't succeed, and what to choose instead; undefined where it can, or where the
 * server does not tell the channel (then the wait itself will show).
 */
export async function waitProblem(means: Means, waitFor: Acknowledgement): Promise<CanNot | undefined> {
	return waitProblemOn(await channelOfSend(means), means, waitFor);
}

function waitProblemOn(channel: string | undefined, { send: { recipient, chat } }: Means, waitFor: Acknowledgement): CanNot | undefined {
	const remedy = 'Set Wait For to Accepted or Delay.';
	if (channel === 'EVOLUTION') return { why: `the instance "${chat.instance}" uses EvolutionAPI's own channel, which never reports that a message was ${waitFor}`, remedy };
	if (channel === 'WHATSAPP-BAILEYS' && recipient.kind !== 'person') return { why: `WhatsApp Web never reports that a message to a ${recipient.kind} was ${waitFor}`, remedy };
	return undefined;
}

/** The first step of a new transaction that this channel can't do; the channel is asked for only where it matters. */
export async function impossibleStep(means: Means): Promise<OrderedSendError | undefined> {
	const { plan } = means.send.definition;
	if (!plan.some(dependsOnChannel)) return undefined;
	const channel = await channelOfSend(means);
	for (const planned of plan) {
		const where = placeOf(planned);
		if (planned.type === 'wait' && isAcknowledgement(planned.until)) {
			const problem = waitProblemOn(channel, means, planned.until);
			if (problem) return new ImpossibleWaitError(problem.why, problem.remedy, where && `${where}, `);
		}
		if (planned.type === 'send') {
			const problem = cannotSend(channel, planned.message, means.send.recipient.kind) ?? tooLarge(channel, planned.message);
			if (problem) return new ImpossibleMessageError(problem.why, problem.remedy, where && `${where}: `);
		}
	}
	return undefined;
}

function isAcknowledgement(until: string): until is Acknowledgement {
	return ['sent', 'delivered', 'read'].includes(until);
}

/** A short text can go anywhere; whether it can be acknowledged depends. */
function dependsOnChannel(planned: PlannedStep): boolean {
	if (planned.type === 'wait') return isAcknowledgement(planned.until);
	return planned.type === 'send' && (planned.message.kind !== 'text' || planned.message.text.length > maxLengthsAtMeta.text);
}

function placeOf(planned: PlannedStep): string {
	if (planned.step === undefined) return '';
	return `Step ${planned.step} (${planned.type === 'send' ? planned.message.kind : planned.type})`;
}

/** Meta refuses what is larger, some of it only after EvolutionAPI has taken it. */
function tooLarge(channel: string | undefined, message: Message): CanNot | undefined {
	if (channel !== 'WHATSAPP-BUSINESS') return undefined;
	const longest = message.kind === 'text' ? maxLengthsAtMeta.text : maxLengthsAtMeta.caption;
	const text = textOf(message);
	if (text !== undefined && text.length > longest) return { why: `Meta's Cloud API takes ${message.kind === 'text' ? 'texts' : 'captions'} of up to ${longest} characters, and this one has ${text.length}`, remedy: 'Shorten it, or send it in parts.' };
	const bytes = mediaBytes(mediaOf(message) ?? 'https://');
	const most = maxMediaBytesAtMeta[message.kind as keyof typeof maxMediaBytesAtMeta];
	if (bytes === undefined || most === undefined || bytes <= most) return undefined;
	return { why: `Meta's Cloud API takes a file of this kind up to ${most / 1024 / 1024} MB, and this one has ${(bytes / 1024 / 1024).toFixed(1)} MB`, remedy: 'Make it smaller, or send it as a document.' };
}
