// What EvolutionAPI's answer to a send means: sent, surely not sent, or unknown. Status codes alone do not tell.
import { shownUrl, type HttpAnswer, HttpFailure } from './http';

/**
 * When a message that was surely not sent may be tried again: `now`, after a short wait, in the same run; `later`, by a
 * new run, since somebody has to mend something first; `never`, since the answer would be the same.
 */
export type TryAgain = 'now' | 'later' | 'never';

export interface NotSent {
	kind: 'notSent';
	/** Stable name of the cause. */
	code: string;
	/** What happened, as a sentence. */
	message: string;
	/** What the user can do. */
	hint: string;
	tryAgain: TryAgain;
	/** The server's own wish (`Retry-After`), in ms. */
	retryAfterMs?: number;
	statusCode?: number;
}

export interface Unknown {
	kind: 'unknown';
	message: string;
	statusCode?: number;
}

export interface Sent {
	kind: 'sent';
	messageId: string;
	/** The JID that WhatsApp uses for the chat; may be `…@lid`, or on the EVOLUTION channel the bare number. */
	remoteJid?: string;
	statusCode?: number;
}

export type SendOutcome = Sent | NotSent | Unknown;

/** Meta's codes that pass by themselves (its Cloud API error reference): pair limit, throughput, temporary trouble. */
const passingAtMeta = new Set([131056, 130429, 80007, 131016, 131000]);
export const metaPairLimit = 131056;

/** Meta's codes that the account's owner mends: token, permission, policy lock, payment, maintenance (same reference). */
const mendedByOwner = (code: number) =>
	[0, 3, 10, 190, 368, 131005, 131031, 131042, 131057, 133004, 133010].includes(code) || (code >= 200 && code < 300);

export function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

export function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The strings and objects of an error body, whose `message` is a string, an array, an array of arrays, or missing. */
export function errorParts(body: unknown): { texts: string[]; objects: Array<Record<string, unknown>>; nested: boolean } {
	const response = isRecord(body) && isRecord(body.response) ? body.response : isRecord(body) ? body : {};
	const message = Array.isArray(response.message) ? response.message : [response.message];
	const flat = message.flat(2) as unknown[];
	return {
		texts: flat.filter((part): part is string => typeof part === 'string'),
		objects: flat.filter(isRecord),
		nested: message.some(Array.isArray),
	};
}

export function isHtml(answer: HttpAnswer): boolean {
	return /text\/html/i.test(answer.headers['content-type'] ?? '') || /^\s*<(!doctype|html|head|body)/i.test(answer.text);
}

/** `Retry-After` in ms: seconds or a date (RFC 9110). */
export function retryAfterMs(answer: HttpAnswer, now = Date.now()): number | undefined {
	const value = answer.headers['retry-after'];
	if (!value) return undefined;
	const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - now;
	return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

/** Judges a whole answer to `POST /message/send…`. Facts: docs/evolution-api.md, each backed by a capture. */
export function judgeSend(answer: HttpAnswer, url: string): SendOutcome {
	const body = parseJson(answer.text);
	const statusCode = answer.status;
	if (statusCode >= 200 && statusCode < 300) return { ...judgeAccepted(answer, body, url), statusCode };
	return { ...judgeError(answer, body, url), statusCode };
}

function judgeAccepted(answer: HttpAnswer, body: unknown, url: string): SendOutcome {
	if (isRecord(body) && isRecord(body.key) && typeof body.key.id === 'string' && body.key.id) {
		const { id, remoteJid } = body.key;
		return { kind: 'sent', messageId: id, ...(typeof remoteJid === 'string' && remoteJid ? { remoteJid } : {}) };
	}
	if (isRecord(body) && typeof body.code === 'number') return refusedByMeta(body as { code: number; message?: unknown; error_data?: unknown });
	if (isHtml(answer)) return notEvolutionApi(answer, url);
	return { kind: 'unknown', message: `${shownUrl(url)} answered ${answer.status} without a message ID${excerpt(answer)}` };
}

function refusedByMeta(body: { code: number; message?: unknown; error_data?: unknown }): NotSent {
	const details = isRecord(body.error_data) && typeof body.error_data.details === 'string' ? ` ${body.error_data.details}` : '';
	const said = typeof body.message === 'string' ? body.message : 'no reason given';
	const message = `Meta refused the message: ${said}.${details}`.slice(0, 600);
	if (passingAtMeta.has(body.code)) {
		return { kind: 'notSent', code: `meta${body.code}`, message, hint: 'Meta limits how fast messages may follow each other. Run it again in a while, or send fewer messages to this person.', tryAgain: 'now' };
	}
	if (mendedByOwner(body.code)) {
		return { kind: 'notSent', code: `meta${body.code}`, message, hint: 'Check the WhatsApp Business account at Meta (access token, permissions, payment, restrictions), then run it again.', tryAgain: 'later' };
	}
	return { kind: 'notSent', code: `meta${body.code}`, message, hint: `Look up code ${body.code} in Meta's list of WhatsApp error codes. The same message will be refused again.`, tryAgain: 'never' };
}

function judgeError(answer: HttpAnswer, body: unknown, url: string): NotSent | Unknown {
	const { texts, objects, nested } = errorParts(body);
	const said = texts.join('; ').slice(0, 400);
	const { status } = answer;
	const reached = shownUrl(url);
	const wait = retryAfterMs(answer);
	const notSent = (code: string, message: string, hint: string, tryAgain: TryAgain): NotSent => ({ kind: 'notSent', code, message, hint, tryAgain, ...(wait === undefined ? {} : { retryAfterMs: wait }) });

	if (status === 401) return notSent('wrongApiKey', `EvolutionAPI at ${reached} refused the API key`, 'Open the EvolutionAPI credential, enter the right key and test it.', 'later');
	if (status === 404 && /instance does not exist/.test(said)) return notSent('unknownInstance', `EvolutionAPI answers: ${said}`, 'Pick the instance from the list, or create it in EvolutionAPI first.', 'later');
	if (status === 429) return notSent('tooManyRequests', `${reached} answers that too many requests were made (429)`, 'Run it again in a while.', 'now');
	if (status === 413) return notSent('tooLarge', `${reached} answers that the message is too large (413)`, 'Send a shorter message, or raise the limit of the server or its proxy.', 'never');
	if (status === 403) return notSent('forbidden', `${reached} forbids the request (403)${said ? `: ${said}` : ''}`, 'Check the firewall or proxy in front of EvolutionAPI, and the key.', 'later');
	if (status === 404 || status === 405 || (status >= 300 && status < 400)) return notEvolutionApi(answer, url, said);
	if (status === 400 && nested) return notSent('invalidRequest', `EvolutionAPI refused the request: ${said}`, 'Correct the field that EvolutionAPI names.', 'never');
	if (status === 400 && texts.includes('Text is required')) return notSent('emptyText', 'EvolutionAPI refused an empty text', 'Enter a text.', 'never');
	if (status === 400 && objects.some((object) => object.exists === false)) return notSent('noSuchNumber', 'This number is not on WhatsApp', 'Check the number and its country code.', 'never');
	if (status === 400 && /Method not available on/.test(said)) return notSent('notOnThisChannel', `EvolutionAPI answers: ${said}`, "This instance's channel can't send this kind of message.", 'never');
	if (status === 500 && /\(reading 'onWhatsApp'\)/.test(said)) return notSent('notConnected', 'The instance is not connected to WhatsApp', 'Open EvolutionAPI, connect the phone by its QR code, then run it again.', 'now');
	if (status === 500 && /\(reading 'textMessage'\)/.test(said)) return notSent('instanceNotLoaded', 'EvolutionAPI has not loaded the instance yet', 'Wait until EvolutionAPI has started, or restart the instance, then run it again.', 'now');
	return { kind: 'unknown', message: `${reached} answered ${status}${said ? `: ${said}` : excerpt(answer)}` };
}

/** What answered was a web page, a redirect or an unknown route: nothing that passes messages on. */
function notEvolutionApi(answer: HttpAnswer, url: string, said = ''): NotSent {
	const location = answer.headers.location;
	const redirect = location && URL.canParse(location, url) ? `a redirect to ${shownUrl(new URL(location, url).href)}` : undefined;
	const what = redirect ?? (said || (isHtml(answer) ? 'a web page' : 'nothing that EvolutionAPI would answer'));
	const hint = redirect
		? "Enter the address that it redirects to as the credential's Base URL."
		: "Check the Base URL in the EvolutionAPI credential: it is the server's address, such as https://evolution.example.com, without /manager or a path of its own (unless your server has one).";
	return { kind: 'notSent', code: 'notEvolutionApi', message: `${shownUrl(url)} answered ${answer.status} with ${what}`, hint, tryAgain: 'later' };
}

function excerpt(answer: HttpAnswer): string {
	const text = answer.text.replace(/\s+/g, ' ').trim().slice(0, 120);
	return text ? ` (it begins: ${text})` : ' (an empty answer)';
}

/** Judges a send that got no answer at all. */
export function judgeFailure(failure: HttpFailure): NotSent | Unknown {
	if (failure.delivered === 'unknown') return { kind: 'unknown', message: failure.message };
	const mend = failure.kind === 'blocked' || failure.kind === 'untrustedCertificate';
	return { kind: 'notSent', code: failure.kind, message: failure.message, hint: hintFor(failure), tryAgain: mend ? 'later' : 'now' };
}

export function hintFor(failure: HttpFailure): string {
	switch (failure.kind) {
		case 'untrustedCertificate':
			return 'Install a valid certificate, or turn on "Ignore SSL Issues" in the credential if this is your own server.';
		case 'nameNotFound':
			return 'Check the spelling of the address. In Docker, use the name of the service, not localhost.';
		case 'refused':
			return 'Check that the server runs, and its port. From inside Docker, localhost is the container itself: use the name of the service.';
		case 'blocked':
			return "Ask the administrator of your n8n to allow this address in n8n's SSRF protection settings.";
		case 'tls':
			return 'Check whether the address has to begin with http:// instead of https://, and its port.';
		case 'timeout':
			return 'Check that the server is up and not overloaded, or raise the request timeout.';
		default:
			return 'Check that the server runs and can be reached from n8n.';
	}
}
