// The options that both operations have, and what they make of a definition.
import { z } from 'zod';
import type { Definition, EarlierMessages, PlannedWait } from '../plan';
import { boolean, choice, day, numberBetween, optionalUrl, sequenceNumber, transactionId, wholeBetween } from './fields';

/** An expression that gives nothing must not make a numbered message into one without a number. */
function keepMissingNumber(value: unknown): unknown {
	const given = typeof value === 'object' && value !== null && 'sequenceNumber' in value;
	return given && value.sequenceNumber === undefined ? { ...value, sequenceNumber: null } : value;
}

/** Numbers as they are; a text by the number that it begins with, such as EvolutionAPI's `messageTimestamp` and a message's ID. */
const orderKey = z
	.union([z.number(), z.string()], { errorMap: () => ({ message: notAKey }) })
	.transform((value, context) => {
		const [digits] = /^\d{1,15}(?![\d.e])/.exec(String(value).trim()) ?? [];
		if (digits !== undefined) return Number(digits);
		context.addIssue({ code: 'custom', message: notAKey });
		return z.NEVER;
	});
const notAKey = 'has to be a whole number, or a text that begins with one (at most 15 digits). Remove the option to go by the order of the executions';

/** ISO time, or seconds or milliseconds since 1970; the last two can't be taken for each other. */
const pastTime = z
	.union([z.number(), z.string(), z.date()], { errorMap: () => ({ message: notATime }) })
	.transform((value, context) => {
		const number = Number(value);
		const ms = typeof value === 'object' ? value.getTime() : Number.isNaN(number) || value === '' ? Date.parse(String(value)) : number < 1e11 ? number * 1000 : number;
		if (Number.isNaN(ms)) context.addIssue({ code: 'custom', message: notATime });
		else if (Math.abs(Date.now() - ms) > day * 1000) context.addIssue({ code: 'custom', message: 'is more than a day away from now: give the start of this turn' });
		return ms;
	});
const notATime = "has to be the start of the turn: TypeBot's variable Now, or EvolutionAPI's messageTimestamp";

const afterEarlierMessages = z
	.object(
		{
			until: choice('count', 'text', 'quietTime').default('quietTime'),
			count: wholeBetween(1, 100, 'messages').default(1),
			text: z.string({ errorMap: () => ({ message: 'has to be a text' }) }).default(''),
			quietSeconds: numberBetween(0.5, 60, 'seconds').default(4),
			since: pastTime,
			timeoutSeconds: numberBetween(1, 600, 'seconds').default(20),
			onTimeout: choice('stop', 'continue').default('stop'),
		},
		{ errorMap: () => ({ message: 'has to be a set of fields' }) },
	)
	.refine(({ until, text }) => until !== 'text' || text.trim() !== '', { path: ['text'], message: 'is empty: enter the text of the last bubble before' });

/** Options that both operations have, with their defaults. */
export const optionFields = z.object({
	transactionId,
	onInDoubt: choice('stop', 'sendAgain').default('stop'),
	priority: choice('high', 'normal', 'low').default('normal'),
	queueTimeoutSeconds: numberBetween(0.5, day, 'seconds').default(120),
	sequenceNumber: sequenceNumber.optional(),
	sequenceGapSeconds: numberBetween(0, day, 'seconds').default(10),
	orderKey: orderKey.optional(),
	onFailure: choice('release', 'hold').default('release'),
	minimumGapSeconds: numberBetween(0, 3600, 'seconds').default(0),
	instanceGapSeconds: numberBetween(0, 3600, 'seconds').default(0),
	attempts: wholeBetween(1, 10, 'attempts').default(3),
	requestTimeoutSeconds: numberBetween(0.5, 600, 'seconds').default(30),
	errorCallbackUrl: optionalUrl,
	storeMessageText: boolean.default(false),
	afterEarlierMessages: afterEarlierMessages.optional(),
});

export type Options = z.infer<typeof optionFields>;

/** `fields`: those of one operation. A field that an expression left empty is not taken for one that was not given. */
export function optionsOf<T extends z.AnyZodObject>(fields: T) {
	return z.preprocess(keepMissingNumber, fields.default({}));
}

export const toMs = (seconds: number) => Math.round(seconds * 1000);

/** What stands in the definition of these options. */
export function definitionOf(given: Options): Omit<Definition, 'number' | 'plan'> {
	return {
		attempts: given.attempts,
		requestTimeoutMs: toMs(given.requestTimeoutSeconds),
		...(given.errorCallbackUrl ? { errorCallbackUrl: given.errorCallbackUrl } : {}),
		...(given.sequenceNumber === undefined ? {} : { sequence: { number: given.sequenceNumber, gapMs: toMs(given.sequenceGapSeconds) } }),
		...(given.minimumGapSeconds ? { minimumGapMs: toMs(given.minimumGapSeconds) } : {}),
		...(given.instanceGapSeconds ? { instanceGapMs: toMs(given.instanceGapSeconds) } : {}),
		onFailure: given.onFailure,
		storeMessageText: given.storeMessageText,
	};
}

/** The wait that stands before all steps, where one was asked for. */
export function firstWait({ afterEarlierMessages: given }: Options): PlannedWait[] {
	if (!given) return [];
	const by: EarlierMessages['by'] = given.until === 'count' ? { count: given.count } : given.until === 'text' ? { text: given.text } : { quietMs: toMs(given.quietSeconds) };
	return [{ type: 'wait', until: 'earlierMessages', earlier: { by, since: given.since }, timeoutMs: toMs(given.timeoutSeconds), onTimeout: given.onTimeout, onError: 'stop' }];
}


