// The kinds of fields that a caller fills in, checked by zod: what is wrong is told in words for the person at the panel.
import { z } from 'zod';
import { type Recipient, toRecipient } from '../../evolution/recipient';

export const day = 86_400;
/** The longest text that WhatsApp takes; Meta's Cloud API takes 4,096 and says so itself. */
export const longestText = 65_536;

export const choice = <T extends string>(...values: [T, ...T[]]) => z.enum(values, { errorMap: () => ({ message: `has to be one of: ${values.join(', ')}` }) });

/** A number as a panel or an expression gives it: "5" is 5, and nothing else is guessed. */
export const toNumber = (value: unknown) => (typeof value === 'string' && value.trim() !== '' ? Number(value) : value);

export const numberBetween = (min: number, max: number, unit: string) =>
	z.preprocess(
		toNumber,
		z.number({ errorMap: () => ({ message: `has to be a number of ${unit} from ${min} to ${max}` }) }).min(min).max(max),
	);

export const wholeBetween = (min: number, max: number, unit: string) => numberBetween(min, max, unit).refine((value) => Number.isInteger(value), `has to be a whole number of ${unit}`);

export const boolean = z.boolean({ errorMap: () => ({ message: 'has to be true or false' }) });

export const text = z
	.union([z.string(), z.number()], { errorMap: () => ({ message: 'has to be a text' }) })
	.transform(String)
	.refine((value) => value.trim() !== '', 'is empty: enter the message to send')
	.refine((value) => !value.includes('\0'), 'holds a NUL character, which EvolutionAPI sends but can\'t record: remove it')
	.refine((value) => value.isWellFormed(), 'ends or begins in the middle of an emoji (a cut surrogate pair): cut the text by characters, such as [...text].slice(0, 100).join("")')
	.refine((value) => value.length <= longestText, `is longer than the ${longestText} characters that WhatsApp takes`);

export const recipient = z
	.union([z.string(), z.number(), z.null(), z.undefined()], { errorMap: () => ({ message: 'has to be a phone number' }) })
	.transform((value, context): Recipient => {
		try {
			return toRecipient(String(value ?? ''));
		} catch (error) {
			context.addIssue({ code: 'custom', message: (error as Error).message });
			return z.NEVER;
		}
	});

export const instanceName = z
	.string({ errorMap: () => ({ message: 'is missing: pick one from the list, or enter its name' }) })
	.transform((name) => name.trim())
	.refine((name) => name !== '', 'is missing: pick one from the list, or enter its name')
	.refine((name) => name !== '.' && name !== '..', 'can\'t be "." or "..": no address can reach an instance of that name')
	.refine((name) => name.length <= 255 && name.isWellFormed() && !hasControlCharacters(name), 'holds characters that no instance name has');

export const httpUrl = z
	.string({ errorMap: () => ({ message: 'is empty: enter an address that begins with https:// or http://' }) })
	.transform((value) => value.trim())
	.refine((value) => value !== '', 'is empty: enter an address that begins with https:// or http://')
	.refine((value) => /^https?:\/\//i.test(value) && URL.canParse(value), 'has to be an address that begins with https:// or http://');

export const optionalUrl = z.preprocess((value) => (typeof value === 'string' && value.trim() === '' ? undefined : value), httpUrl.optional());

/** Names in RFC 9110's alphabet; those that this package or HTTP itself sets are not for the caller. */
const reservedHeaders = /^(webhook-(id|timestamp|signature)|idempotency-key|content-length|host|transfer-encoding|connection|content-type|trailer|te|upgrade|expect|keep-alive|proxy-connection)$/i;
export const headersExpected = { errorMap: () => ({ message: 'have to be a list of a name and a value each' }) };
export const header = z.object({
	name: z
		.string({ errorMap: () => ({ message: 'has no name' }) })
		.transform((name) => name.trim())
		.refine((name) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name), 'has a name with characters that HTTP forbids, or none')
		.refine((name) => !reservedHeaders.test(name), 'sets a header that this node sets itself (webhook-id, webhook-timestamp, webhook-signature, Idempotency-Key, Content-Type, …)'),
	value: z
		.union([z.string(), z.number(), z.boolean()], { errorMap: () => ({ message: 'has no value: a text, a number, true or false' }) })
		.transform(String)
		.refine((value) => /^[\t\x20-\x7e\x80-\xff]*$/.test(value), 'has a value with a line break or characters that HTTP forbids'),
}, { errorMap: () => ({ message: 'is not a name and a value' }) });

export function refuseRepeatedNames(headers: Array<{ name: string }>, context: z.RefinementCtx): void {
	const names = headers.map(({ name }) => name.toLowerCase());
	const repeated = names.findIndex((name, index) => names.indexOf(name) < index);
	if (repeated >= 0) context.addIssue({ code: 'custom', path: [repeated], message: 'sets a name that an earlier header sets already' });
}

/** JSON as a text or, from an expression, as the value itself; kept as the text that is sent. */
export const jsonBody = z.unknown().transform((value, context): string | undefined => {
	if (value === undefined || value === null || (typeof value === 'string' && value.trim() === '')) return undefined;
	if (typeof value !== 'string') return JSON.stringify(value);
	try {
		JSON.parse(value);
		return value;
	} catch (error) {
		context.addIssue({ code: 'custom', message: `is not valid JSON (${(error as Error).message}). In an expression, wrap values in JSON.stringify(…)` });
		return z.NEVER;
	}
});

export const optionalText = z.preprocess((value) => (value === '' || value === null ? undefined : value), z.string({ errorMap: () => ({ message: 'has to be a text' }) }).max(512, 'is too long').optional());

export const transactionId = z.preprocess(
	(value) => (value === '' || value === null ? undefined : typeof value === 'number' ? String(value) : value),
	z
		.string({ errorMap: () => ({ message: 'has to be a text' }) })
		.transform((id) => id.trim())
		.refine((id) => id !== '', 'is empty')
		.refine((id) => id.length <= 255, 'is longer than 255 characters')
		.refine((id) => !hasControlCharacters(id) && id.isWellFormed(), 'holds control characters')
		.optional(),
);

const notACount = { errorMap: () => ({ message: "has to be this message's count in its chat: a whole number from 1 up. Remove the option to send without one" }) };

export const sequenceNumber = z.preprocess(toNumber, z.number(notACount).int(notACount.errorMap()).min(1, notACount.errorMap()).max(Number.MAX_SAFE_INTEGER, notACount.errorMap()));

export function hasControlCharacters(value: string): boolean {
	return /\p{Cc}/u.test(value);
}

/** How long "typing…" is shown. */
export const typing = wholeBetween(0, 60_000, 'milliseconds').optional();
