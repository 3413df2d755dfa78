// EvolutionAPI's error answers, in the several shapes they have (trap 13), and Meta's refusals.

/** An answer of EvolutionAPI's: a status and a JSON body. `undefined` is an empty body. */
export interface Outcome {
	status: number;
	body: unknown;
}

/** Thrown by a handler to answer at once. */
export class Refusal extends Error {
	override readonly name = 'Refusal';

	constructor(readonly outcome: Outcome) {
		super(`answered ${outcome.status}`);
	}
}

const NAMES: Record<number, string> = { 400: 'Bad Request', 401: 'Unauthorized', 404: 'Not Found', 500: 'Internal Server Error' };

function errorBody(status: number, message: unknown): Outcome {
	return { status, body: { status, error: NAMES[status], response: { message } } };
}

export const badRequest = (...messages: unknown[]): Outcome => errorBody(400, messages);

/** Schema errors are an array within the array. */
export const schemaError = (messages: string[]): Outcome => errorBody(400, [messages]);

export const unauthorized = (): Outcome => errorBody(401, 'Unauthorized');

export const notFound = (message: string): Outcome => errorBody(404, [message]);

/** An uncaught error of the server: its message is a plain string. */
export const serverError = (message: string): Outcome => errorBody(500, message);

/** What is answered when the server's memory has no such instance: the name of the method tells the route. */
export const notLoaded = (method: string): Outcome =>
	serverError(`Cannot read properties of undefined (reading '${method}')`);

export const notConnected = (): Outcome => notLoaded('onWhatsApp');

/** A lost connection to Meta, and an empty text. */
export const lostMeta = (): Outcome => badRequest("TypeError: Cannot read properties of undefined (reading 'message')");

/** PostgreSQL's refusal of a NUL character, after the message went out. */
export const databaseError = (): Outcome => badRequest('DriverAdapterError: unsupported Unicode escape sequence');

/** Whatever goes wrong in a deletion; its message is a list. */
export const deletionFailed = (cause: string): Outcome => errorBody(500, ['Error while deleting message for everyone', cause]);

/** `whatsappNumbers` has an error handler of its own, which puts `message` at the top. */
export const flatBadRequest = (message: string): Outcome =>
	({ status: 400, body: { status: 400, error: 'Bad Request', message: [message] } });

/** Meta's error codes, https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes */
const META: Record<number, { message: string; details: string }> = {
	131056: {
		message: '(Business Account, Consumer Account) pair rate limit hit',
		details: 'Message failed to send because there were too many messages sent from this phone number to the same phone number in a short period of time.',
	},
	130429: { message: 'Rate limit hit', details: 'Cloud API message throughput has been reached.' },
	80007: { message: 'Rate limit issues', details: 'The WhatsApp Business Account has reached its rate limit.' },
	131016: { message: 'Service unavailable', details: 'A service is temporarily unavailable.' },
	131000: { message: 'Something went wrong', details: 'Message failed to send due to an unknown error.' },
	131026: { message: 'Message undeliverable', details: 'Unable to deliver message.' },
	131047: { message: 'Re-engagement message', details: 'More than 24 hours have passed since the customer last replied to this number.' },
	131009: { message: 'Parameter value is not valid', details: 'Parameter value is not valid.' },
	190: { message: 'Access token has expired', details: 'The access token has expired.' },
};

/** A send that Meta refused: HTTP 201, no `key` (trap 1). */
export function metaRefusal(code: number, message?: string, details?: string): Outcome {
	const known = META[code] ?? { message: 'Message failed to send', details: 'Message failed to send.' };
	return {
		status: 201,
		body: {
			message: message ?? `(#${code}) ${known.message}`,
			type: 'OAuthException',
			code,
			error_data: { messaging_product: 'whatsapp', details: details ?? known.details },
			fbtrace_id: 'simulated',
		},
	};
}
