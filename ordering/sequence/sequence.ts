// What a caller asks for with a sequence of steps: checked whole, then planned.
import { z } from 'zod';
import { parseJson } from '../../evolution/answers';
import { markOf, mediaOf, withMedia } from '../../evolution/messages/file';
import type { Message } from '../../evolution/messages/message';
import { isAddress } from '../../evolution/messages/request';
import type { ServerAccess } from '../../evolution/server';
import { InvalidInputError } from '../errors';
import { instanceName, optionalUrl, recipient } from '../input/fields';
import { definitionOf, firstWait, optionFields, optionsOf, toMs } from '../input/options';
import { checkedServer, checkSecrets, commonOf, invalid, needsOf, type OrderedSend, type WebhookSecrets } from '../orderedSend';
import type { PlannedSend, PlannedStep, PlannedWait, PlannedWebhook } from '../plan';
import { stepLabels } from './labels';
import { isReference, type Reference, referencesIn } from './references';
import { largestFile, mostSteps, sequenceStep, type SequenceStep } from './steps';

const options = optionFields.extend({ compensationWebhookUrl: optionalUrl });

/** The names of all options that a sequence can have. */
export const sequenceOptions = Object.keys(options.shape);

const sequence = z.object({
	instanceName,
	number: recipient,
	steps: z.preprocess(
		(value) => (typeof value === 'string' ? (parseJson(value) ?? value) : value),
		z
			.array(sequenceStep, { errorMap: (issue, context) => ({ message: issue.code === 'invalid_type' ? 'have to be a list of steps: [{"type": "text", "text": "Hello"}, …]' : context.defaultError }) })
			.min(1, 'are missing: add at least one')
			.max(mostSteps, `can't be more than ${mostSteps}`)
			.superRefine(checkTogether),
	),
	options: optionsOf(options),
});

/** What can be told only by looking at all steps: what they refer to, what they wait for, and the files' sizes. */
function checkTogether(steps: SequenceStep[], context: z.RefinementCtx): void {
	if (steps.length > mostSteps) return; // refused already, and what follows would take minutes for a hundred thousand
	for (const [index, step] of steps.entries()) {
		for (const asked of referencesIn(step)) {
			const problem = 'headers' in step && referencesIn(step.headers).length > 0 ? 'refers to an earlier step in a header, where that is not possible' : whyNot(asked, steps.slice(0, index));
			if (problem) context.addIssue({ code: 'custom', path: [index], message: problem });
		}
		const acknowledged = step.type === 'wait' && step.waitFor !== 'delay';
		if (acknowledged && !steps.slice(0, index).some(({ type }) => type !== 'wait' && type !== 'webhook')) context.addIssue({ code: 'custom', path: [index, 'waitFor'], message: 'has no message before it whose acknowledgement could come' });
	}
	const bytes = steps.reduce((sum, step) => sum + ('media' in step && !isAddress(step.media) ? step.media.length : 0), 0);
	if (bytes > (largestFile * 4) / 3) context.addIssue({ code: 'custom', path: [], message: `bring files of more than ${largestFile / 1024 / 1024} MB together: give the addresses of the files instead` });
}

function whyNot({ step: number, what }: Reference, before: SequenceStep[]): string | undefined {
	const step = before[number - 1];
	const written = `[[${number}.${what}]]`;
	if (!step) return `refers to step ${number} by ${written}, which does not come before it`;
	if (givesOf(step).includes(what)) return undefined;
	const hint = what === 'receipt' && step.type !== 'webhook' ? ': it waits for no acknowledgement' : '';
	return `refers to step ${number} by ${written}, but that step (${step.type}) gives none${hint}`;
}

function givesOf(step: SequenceStep): Array<Reference['what']> {
	if (step.type === 'webhook') return ['statusCode', 'webhook'];
	const receipt = ['sent', 'delivered', 'read'].includes(step.waitFor) ? ['receipt' as const] : [];
	return step.type === 'wait' ? receipt : ['messageId', ...receipt];
}

/**
 * Checks all fields and all steps. Throws {@link InvalidInputError} for the first that is wrong, which names step and
 * field; nothing has been sent then.
 */
export function toOrderedSequence(access: ServerAccess, input: unknown, secrets: Partial<WebhookSecrets> = {}): OrderedSend {
	const server = checkedServer(access);
	const parsed = sequence.safeParse(input);
	if (!parsed.success) throw invalidStep(parsed.error.issues[0], input) ?? invalid(parsed.error.issues[0]);
	checkSecrets(secrets);
	const { data } = parsed;
	const { options: given } = data;
	const planned = data.steps.flatMap((step, index) => plannedOf(step, index + 1, secrets));
	const messages = planned.filter((step): step is PlannedSend => step.type === 'send');
	const webhooks = data.steps.filter((step) => step.type === 'webhook');
	return {
		...commonOf(access, server, data, secrets),
		webhookHeaders: Object.fromEntries(webhooks.flatMap(({ headers }, place) => (headers.length > 0 ? [[place, headers]] : []))),
		files: Object.fromEntries(messages.flatMap(({ message }, place) => (isFile(message) ? [[place, mediaOf(message) as string]] : []))),
		definition: {
			number: data.number.number,
			plan: [...firstWait(given), ...planned.map(withMark)],
			...definitionOf(given),
			...(given.compensationWebhookUrl ? { compensationWebhookUrl: given.compensationWebhookUrl } : {}),
		},
	};
}

function isFile(message: Message): boolean {
	const media = mediaOf(message);
	return media !== undefined && !isAddress(media) && !isReference(media);
}

function withMark(step: PlannedStep): PlannedStep {
	return step.type === 'send' && isFile(step.message) ? { ...step, message: withMedia(step.message, markOf(mediaOf(step.message) as string)) } : step;
}

/** `Step 2 (image), File: is empty…` */
function invalidStep(issue: z.ZodIssue | undefined, input: unknown): InvalidInputError | undefined {
	const [field, index, ...path] = issue?.path ?? [];
	if (!issue || field !== 'steps' || typeof index !== 'number') return undefined;
	const given = (input as { steps: unknown }).steps;
	const steps = typeof given === 'string' ? parseJson(given) : given;
	const type: unknown = Array.isArray(steps) ? (steps[index] as { type?: unknown } | null)?.type : undefined;
	const step = `Step ${index + 1}${typeof type === 'string' && path[0] !== 'type' ? ` (${type})` : ''}`;
	const { failure } = invalid({ ...issue, path: [path[0] ?? 'steps'] } as z.ZodIssue);
	const problem = issue.code === 'unrecognized_keys' ? `there is no field ${issue.keys.map((key) => `"${key}"`).join(', ')} here: check its spelling` : failure.message.slice(failure.message.indexOf(': ') + 2);
	const where = path.map((part) => (typeof part === 'number' ? `${part + 1}` : (stepLabels[part] ?? part))).join(' ');
	return new InvalidInputError('steps', where ? `${step}, ${where}` : step, problem);
}

/** One step of the caller's as the engine does it: a message with its wait is two. */
function plannedOf(step: SequenceStep, number: number, secrets: Partial<WebhookSecrets>): PlannedStep[] {
	const common = { onError: step.onError, step: number, ...(referencesIn(step).length > 0 ? { refers: true as const } : {}) };
	if (step.type === 'wait') return [waitOf(step.waitFor, step, common)];
	if (step.type === 'webhook') {
		const { url, method, body, headers } = step;
		const webhook: PlannedWebhook = { type: 'webhook', url, method, ...(body === undefined ? {} : { body }), ...needsOf(headers, secrets), ...common };
		return [webhook];
	}
	const send: PlannedSend = { type: 'send', message: messageOf(step), ...common };
	return step.waitFor === 'accepted' ? [send] : [send, waitOf(step.waitFor, step, common)];
}

function waitOf(waitFor: 'delay' | 'sent' | 'delivered' | 'read', { delaySeconds, ackTimeoutSeconds }: { delaySeconds: number; ackTimeoutSeconds: number }, { onError, step }: Pick<PlannedStep, 'onError' | 'step'>): PlannedWait {
	if (waitFor === 'delay') return { type: 'wait', until: 'delay', delayMs: toMs(delaySeconds), onError, step };
	return { type: 'wait', until: waitFor, timeoutMs: toMs(ackTimeoutSeconds), onTimeout: onError, onError, step };
}

/** What a message step has besides its message. */
const ofStep = ['type', 'onError', 'waitFor', 'delaySeconds', 'ackTimeoutSeconds'];

function messageOf(step: Exclude<SequenceStep, { type: 'wait' | 'webhook' }>): Message {
	const fields = Object.fromEntries(Object.entries(step).filter(([name, value]) => !ofStep.includes(name) && value !== undefined));
	const { question, media, ...rest } = fields as Record<string, unknown>;
	switch (step.type) {
		case 'audio':
			return { ...rest, kind: 'audio', audio: media } as Message;
		case 'sticker':
			return { ...rest, kind: 'sticker', sticker: media } as Message;
		case 'poll':
			return { ...rest, kind: 'poll', name: question } as Message;
		case 'list':
			return { ...rest, kind: 'list', sections: step.sections.map(({ title, rows }, section) => ({ title, rows: rows.map((row, index) => ({ id: row.id ?? `${section + 1}.${index + 1}`, title: row.title, description: row.description ?? '' })) })) } as Message;
		case 'buttons':
			return { ...rest, kind: 'buttons', buttons: step.buttons.map((one, index) => (one.type === 'reply' ? { ...one, id: one.id ?? `${index + 1}` } : one)) } as Message;
		default:
			return { ...rest, ...(media === undefined ? {} : { media }), kind: step.type } as Message;
	}
}
