// The steps of a sequence as a caller describes them, checked by zod. Their names and labels: labels.ts.
import { z } from 'zod';
import { mediaBytes } from '../../evolution/messages/file';
import { maxCounts } from '../../evolution/messages/limits';
import { isAddress } from '../../evolution/messages/request';
import { boolean, choice, day, header, headersExpected, httpUrl, jsonBody, longestText, numberBetween, optionalText, refuseRepeatedNames, text, typing, wholeBetween } from '../input/fields';
import { isReference } from './references';

/** The most steps of a sequence: one that is longer holds its chat for too long. */
export const mostSteps = 50;
/** The largest file, in bytes: as base64 it is about what EvolutionAPI 2.3.6 reads at most (136 MB). */
export const largestFile = 100 * 1024 * 1024;

const required = (what: string, most = 4096) =>
	z
		.union([z.string(), z.number()], { errorMap: () => ({ message: `is empty: enter ${what}` }) })
		.transform((value) => String(value).trim())
		.refine((value) => value !== '', `is empty: enter ${what}`)
		.refine((value) => value.length <= most, `is longer than ${most} characters`)
		.refine((value) => !value.includes('\0') && value.isWellFormed(), "holds a NUL character or half an emoji, which can't be sent");

/** Left out, empty or null is the same. */
const optional = (most = 4096) => z.preprocess((value) => (value === '' || value === null ? undefined : value), required('a text', most).optional());

const media = z
	.string({ errorMap: () => ({ message: 'is empty: enter the address of a file (https://…), or its content as base64' }) })
	.refine((value) => value.trim() !== '', 'is empty: enter the address of a file (https://…), or its content as base64')
	.refine((value) => !/^\s*https?:\/\//i.test(value) || URL.canParse(value.trim()), 'is no address that can be called')
	.refine((value) => isAddress(value) || (mediaBytes(value) ?? 0) <= largestFile, `is larger than ${largestFile / 1024 / 1024} MB: give the address of the file instead`)
	.refine((value) => isAddress(value) || isReference(value) || isBase64(value), 'is neither an address that begins with https:// or http:// nor base64');

/** By parts: one expression over a file of 100 MB would take seconds. */
function isBase64(value: string): boolean {
	const start = /^data:[^,]*;base64,/.exec(value)?.[0].length ?? 0;
	for (let at = start; at < value.length; at += 65_536) if (!/^[\w+/=\s-]*$/.test(value.slice(at, at + 65_536))) return false;
	return value.length > start;
}

const onError = choice('stop', 'continue', 'compensate').default('stop');
const policy = { onError };

const sending = {
	...policy,
	waitFor: choice('accepted', 'delay', 'sent', 'delivered', 'read').default('accepted'),
	delaySeconds: numberBetween(0, day, 'seconds').default(1),
	ackTimeoutSeconds: numberBetween(0.5, day, 'seconds').default(30),
	quotedMessageId: optionalText,
};
const shown = { ...sending, typingMilliseconds: typing, mentionEveryone: boolean.optional() };
const file = { caption: optional(longestText), mimetype: optional(255) };

const latitude = numberBetween(-90, 90, 'degrees');
const longitude = numberBetween(-180, 180, 'degrees');

const contactCard = z.object({
	fullName: required('the name of the contact', 256),
	phoneNumber: required('its phone number with the country code', 64).refine((value) => value.replace(/\D/g, '').length >= 7 && value.length >= 10, 'has to be a whole phone number with its country code, such as +55 11 98888-7777'),
	organization: optional(256),
	email: optional(256),
	url: optional(2048),
}).strict();

function distinct(values: string[]): boolean {
	return new Set(values).size === values.length;
}

const listRow = z.object({ id: optional(200), title: required('the title of the row', 256), description: optional(256) }).strict();
const listSection = z.object({
	title: required('the title of the section', 256),
	rows: z.array(listRow, { errorMap: () => ({ message: 'have to be a list of rows' }) }).min(1, 'is without rows: add one'),
}).strict();

const replyButton = z.object({ type: z.literal('reply'), id: optional(256), text: required('the text of the button', 256) }).strict();
const button = z.discriminatedUnion('type', [
	replyButton,
	z.object({ type: z.literal('url'), text: required('the text of the button', 256), url: httpUrl }).strict(),
	z.object({ type: z.literal('call'), text: required('the text of the button', 256), phoneNumber: required('the phone number', 64) }).strict(),
	z.object({ type: z.literal('copy'), text: required('the text of the button', 256), code: required('the code to copy', 512) }).strict(),
], { errorMap: () => ({ message: 'has to be one of: reply, url, call, copy' }) });

const components = z.preprocess(
	(value) => {
		if (typeof value !== 'string') return value ?? undefined;
		if (value.trim() === '') return undefined;
		try {
			return JSON.parse(value);
		} catch {
			return value;
		}
	},
	z.array(z.unknown(), { errorMap: () => ({ message: "has to be a JSON list in Meta's format, such as [{\"type\": \"body\", \"parameters\": [{\"type\": \"text\", \"text\": \"Ana\"}]}]" }) }).optional(),
);

const list = <T extends z.ZodTypeAny>(one: T, what: string, min: number, max: number) =>
	z.array(one, { errorMap: (issue, context) => ({ message: issue.code === 'invalid_type' ? `have to be a list of ${what}` : context.defaultError }) }).min(min, `has to have at least ${min} ${what}`).max(max, `can't have more than ${max} ${what}`);

const kinds = {
	text: z.object({ type: z.literal('text'), text, linkPreview: boolean.optional(), ...shown }).strict(),
	image: z.object({ type: z.literal('image'), media, fileName: optional(255), ...file, ...shown }).strict(),
	video: z.object({ type: z.literal('video'), media, fileName: optional(255), ...file, ...shown }).strict(),
	document: z.object({ type: z.literal('document'), media, fileName: required('the name that the recipient sees, with its ending, such as offer.pdf', 255), ...file, ...shown }).strict(),
	audio: z.object({ type: z.literal('audio'), media, ...sending, typingMilliseconds: typing }).strict(),
	sticker: z.object({ type: z.literal('sticker'), media, ...shown }).strict(),
	location: z.object({ type: z.literal('location'), latitude, longitude, name: required('the name of the place', 1000), address: required('the address of the place', 1000), ...shown }).strict(),
	contact: z.object({ type: z.literal('contact'), contacts: list(contactCard, 'contacts', 1, 50), ...sending }).strict(),
	poll: z.object({
		type: z.literal('poll'),
		question: required('the question', 1024),
		options: list(required('each answer', 255), 'answers', 2, maxCounts.pollOptions).refine(distinct, 'has the same answer twice'),
		selectableCount: wholeBetween(0, maxCounts.pollOptions, 'answers').default(1),
		...shown,
	}).strict(),
	list: z.object({
		type: z.literal('list'),
		title: required('the title', 1024),
		description: required('the text of the message'),
		footer: required('the small text below', 1024),
		buttonText: required('the text of the button that opens the list', 256),
		sections: list(listSection, 'sections', 1, maxCounts.listSections)
			.refine((sections) => distinct(sections.map(({ title }) => title)), 'has two sections of the same title')
			.refine((sections) => sections.reduce((sum, { rows }) => sum + rows.length, 0) <= maxCounts.listRows, `can't have more than ${maxCounts.listRows} rows in all`),
		...shown,
	}).strict(),
	buttons: z.object({
		type: z.literal('buttons'),
		title: required('the title', 1024),
		description: optional(),
		footer: optional(1024),
		buttons: list(button, 'buttons', 1, maxCounts.replyButtons).refine((buttons) => distinct(buttons.map((one) => one.text)), 'has the same text twice'),
		...shown,
	}).strict(),
	reaction: z.object({
		type: z.literal('reaction'),
		emoji: required('an emoji', 64),
		messageId: required('the ID of the message to react to', 512),
		fromMe: boolean.default(false),
		remoteJid: optional(255),
		participant: optional(255),
		...policy, waitFor: sending.waitFor, delaySeconds: sending.delaySeconds, ackTimeoutSeconds: sending.ackTimeoutSeconds,
	}).strict(),
	template: z.object({ type: z.literal('template'), name: required('the name of the template', 512), language: required("Meta's code of its language, such as pt_BR", 20), components, ...sending }).strict(),
	wait: z.object({ type: z.literal('wait'), waitFor: choice('delay', 'sent', 'delivered', 'read').default('delay'), delaySeconds: sending.delaySeconds, ackTimeoutSeconds: sending.ackTimeoutSeconds, ...policy }).strict(),
	webhook: z.object({
		type: z.literal('webhook'),
		url: httpUrl,
		method: choice('DELETE', 'GET', 'PATCH', 'POST', 'PUT').default('POST'),
		body: jsonBody,
		headers: z.array(header, headersExpected).default([]).superRefine(refuseRepeatedNames),
		...policy,
	}).strict(),
} as const;

export const stepKinds = Object.keys(kinds);

/** One step of a sequence. */
export const sequenceStep = z.discriminatedUnion(
	'type',
	Object.values(kinds) as unknown as [typeof kinds.text, typeof kinds.image, typeof kinds.video, typeof kinds.document, typeof kinds.audio, typeof kinds.sticker, typeof kinds.location, typeof kinds.contact, typeof kinds.poll, typeof kinds.list, typeof kinds.buttons, typeof kinds.reaction, typeof kinds.template, typeof kinds.wait, typeof kinds.webhook],
	{ errorMap: (issue, context) => ({ message: issue.code === 'invalid_union_discriminator' ? `has to be one of: ${stepKinds.join(', ')}` : issue.code === 'invalid_type' && issue.path.length <= 2 ? `has to be one of: ${stepKinds.join(', ')}` : context.defaultError }) },
);

export type SequenceStep = z.infer<typeof sequenceStep>;
