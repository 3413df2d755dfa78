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

/** What became of the wish to take a message back. `unknown` may be wished again: it is done once. */
export type DeleteOutcome = { kind: 'deleted'; statusCode?: number } | NotDeleted | Unknown;

export interface NotDeleted extends Omit<NotSent, 'kind'> {
	kind: 'notDeleted';
	/** Set where no message of this channel can be taken back. */
	canNot?: 'channel';
}

/** Meta's codes that pass by themselves (its Cloud API error reference): pair limit, throughput, temporary trouble. */
const passingAtMeta = new Set([131056, 130429, 80007, 131016, 131000]);
export const metaPairLimit = 131056;

/** Meta's codes that the account's owner mends: token, permission, policy lock, payment, maintenance (same reference). */
const mendedByOwner = (code: number) =>
	[0, 3, 10, 190, 368, 131005, 131031, 131042, 131057, 133004, 133010].includes(code) || (code >= 200 && code < 300);

/** What helps against the refusals that people meet most, by Meta's code (same reference). */
const remediesAtMeta: Record<number, string> = {
	131026: 'Check the number and its country code, and that the person uses WhatsApp: Meta could not deliver to it.',
	131047: 'The person has not written within 24 hours: Meta takes only approved templates then. Send one (operation Run a Sequence of Steps, a step of the type Template), or wait until the person writes.',
	131049: 'Meta limits how many marketing messages a person gets. Try again in a day or later, not at once.',
	132001: 'Check the name and the language of the template: Meta knows none of both, or it is not approved yet.',
};

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
	const body = answer.truncated ? beginningOf(answer.text) : parseJson(answer.text);
	const statusCode = answer.status;
	if (statusCode >= 200 && statusCode < 300) return { ...judgeAccepted(answer, body, url), statusCode };
	return { ...judgeError(answer, body, url), statusCode };
}

/** Meta's channel repeats a file of base64 in its answer: too much to read, but the key stands before it (`send-media.cloud`). */
function beginningOf(text: string): unknown {
	const key = /^\s*\{\s*"key"\s*:\s*(\{[^{}]*\})/.exec(text)?.[1];
	return key === undefined ? undefined : { key: parseJson(key) };
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
	const remedy = remediesAtMeta[body.code];
	const hint = remedy ? `${remedy} (Meta's code: ${body.code}.)` : `Look up code ${body.code} in Meta's list of WhatsApp error codes. The same message will be refused again.`;
	return { kind: 'notSent', code: `meta${body.code}`, message, hint, tryAgain: 'never' };
}

/**
 * The names of the methods that EvolutionAPI's controllers call on an instance: a 500 that can't read one says that the
 * instance is not in its memory (recorded for `textMessage`; the others are called in the same way).
 */
const instanceMethods = /\(reading '(textMessage|mediaMessage|audioWhatsapp|mediaSticker|locationMessage|contactMessage|reactionMessage|pollMessage|listMessage|buttonMessage|templateMessage|deleteMessage)'\)/;

/** What EvolutionAPI 2.3.6 and its successors refuse before they hand anything over to WhatsApp, as a 400 (read in the source). */
const refusedMedia = /^(Owned media must be a url|File buffer, URL, or base64 audio is required|For base64 the file name must be informed)/;
const refusedContent = /^("reaction" must be an emoji|At least one button is required|Maximum of \d+ (reply|CTA) buttons|(Reply|CTA) buttons cannot be mixed|PIX button cannot be mixed|Only one PIX button|Button texts cannot be repeated|Section tiles cannot be repeated)/;

/**
 * A list on WhatsApp Web in 2.3.6 and 2.3.7: Baileys fails while it encrypts it, before anything goes out
 * (evolution-api #2188 and #2305, with the stack in Baileys #2023).
 */
const listFailed = /this\.isZero is not a function/;

/**
 * EvolutionAPI fetches, converts and uploads a file before the send. A failure of that is a 500 whose message is a list,
 * or the bare text of what failed, then with the status that the file's own server gave: a file that is not there makes
 * a 404. A failure in the send itself is a 400 with a list (read in the source of all three channels).
 */
function isFileTrouble(status: number, body: unknown, url: string): boolean {
	if (!/\/message\/(sendMedia|sendWhatsAppAudio|sendSticker)\//.test(url) || !isRecord(body) || !isRecord(body.response)) return false;
	const { message } = body.response;
	if (Array.isArray(message)) return status === 500 && !message.some((part) => /\(reading 'waUploadToServer'\)/.test(String(part)));
	return typeof message === 'string' && /^(Request failed with status code \d|getaddrinfo |connect E|Input buffer |ffmpeg )/.test(message);
}

const notConnected: NotSent = { kind: 'notSent', code: 'notConnected', message: 'The instance is not connected to WhatsApp', hint: 'Open EvolutionAPI, connect the phone by its QR code, then run it again.', tryAgain: 'now' };

function judgeError(answer: HttpAnswer, body: unknown, url: string): NotSent | Unknown {
	const { texts, objects, nested } = errorParts(body);
	const said = texts.join('; ').slice(0, 400);
	const { status } = answer;
	const reached = shownUrl(url);
	const wait = retryAfterMs(answer);
	const notSent = (code: string, message: string, hint: string, tryAgain: TryAgain): NotSent => ({ kind: 'notSent', code, message, hint, tryAgain, ...(wait === undefined ? {} : { retryAfterMs: wait }) });

	if (isFileTrouble(status, body, url)) return notSent('fileTrouble', `EvolutionAPI could not fetch, convert or upload the file: ${said}`, 'Check that EvolutionAPI can reach the address, and the type and size of the file.', 'later');
	if (status === 401) return notSent('wrongApiKey', `EvolutionAPI at ${reached} refused the API key`, 'Open the EvolutionAPI credential, enter the right key and test it.', 'later');
	if (status === 404 && /instance does not exist/.test(said)) return notSent('unknownInstance', `EvolutionAPI answers: ${said}`, 'Pick the instance from the list, or create it in EvolutionAPI first.', 'later');
	if (status === 429) return notSent('tooManyRequests', `${reached} answers that too many requests were made (429)`, 'Run it again in a while.', 'now');
	if (status === 413) return notSent('tooLarge', `${reached} answers that the message is too large (413)`, 'Send a shorter message, or a file by its address instead of base64, or raise the limit of the server or its proxy.', 'never');
	if (status === 403) return notSent('forbidden', `${reached} forbids the request (403)${said ? `: ${said}` : ''}`, 'Check the firewall or proxy in front of EvolutionAPI, and the key.', 'later');
	if (status === 404 || status === 405 || (status >= 300 && status < 400)) return notEvolutionApi(answer, url, said);
	if (status === 400 && nested) return notSent('invalidRequest', `EvolutionAPI refused the request: ${said}`, 'Correct the field that EvolutionAPI names.', 'never');
	if (status === 400 && texts.includes('Text is required')) return notSent('emptyText', 'EvolutionAPI refused an empty text', 'Enter a text.', 'never');
	if (status === 400 && objects.some((object) => object.exists === false)) return notSent('noSuchNumber', 'This number is not on WhatsApp', 'Check the number and its country code.', 'never');
	if (status === 400 && texts.some((text) => refusedMedia.test(text))) return notSent('invalidMedia', `EvolutionAPI refused the file: ${said}`, 'Give its address with a full host name (EvolutionAPI takes no localhost, and no name without a dot), or plain base64.', 'never');
	if (status === 400 && texts.some((text) => refusedContent.test(text))) return notSent('invalidRequest', `EvolutionAPI refused the message: ${said}`, 'Correct what EvolutionAPI names.', 'never');
	if (status === 400 && listFailed.test(said)) return notSent('listFailed', 'EvolutionAPI could not make the list: its versions 2.3.6 and 2.3.7 fail with lists on WhatsApp Web', 'Send buttons, a poll or a text instead, or use another version of EvolutionAPI.', 'later');
	if ((status === 400 || status === 500) && /Method not available (on|in) |File or buffer is undefined/.test(said)) return notSent('notOnThisChannel', `EvolutionAPI answers: ${said}`, "This instance's channel can't send this kind of message.", 'never');
	if (status === 500 && /\(reading '(onWhatsApp|waUploadToServer)'\)/.test(said)) return notConnected;
	if (status === 500 && instanceMethods.test(said)) return notSent('instanceNotLoaded', 'EvolutionAPI has not loaded the instance yet', 'Wait until EvolutionAPI has started, or restart the instance, then run it again.', 'now');
	return { kind: 'unknown', message: `${reached} answered ${status}${said ? `: ${said}` : excerpt(answer)}` };
}

/**
 * Judges a whole answer to `DELETE /chat/deleteMessageForEveryone`. `deleted` says that WhatsApp took the wish: it drops
 * it in silence when the message is too old (about two days) or not there.
 */
export function judgeDeletion(answer: HttpAnswer, url: string): DeleteOutcome {
	const body = parseJson(answer.text);
	const statusCode = answer.status;
	if (statusCode < 200 || statusCode >= 300) return { ...notDeletedBy(judgeDeletionError(answer, body, url)), statusCode };
	if (isRecord(body) && isRecord(body.key) && typeof body.key.id === 'string' && body.key.id) return { kind: 'deleted', statusCode };
	if (isHtml(answer)) return { ...notDeletedBy(notEvolutionApi(answer, url)), statusCode };
	return { kind: 'unknown', message: `${shownUrl(url)} answered ${statusCode} without the deletion's ID${excerpt(answer)}`, statusCode };
}

/** All failures of a deletion are a 500 with a list; one of them is that the phone is not connected (read in the source). */
function judgeDeletionError(answer: HttpAnswer, body: unknown, url: string): NotSent | Unknown {
	const judged = judgeError(answer, body, url);
	if (judged.kind === 'notSent' || answer.status !== 500 || !/\(reading 'sendMessage'\)/.test(judged.message)) return judged;
	return notConnected;
}

export function notDeletedBy(judged: NotSent | Unknown): NotDeleted | Unknown {
	if (judged.kind === 'unknown') return judged;
	if (judged.code !== 'notOnThisChannel') return { ...judged, kind: 'notDeleted' };
	return { ...judged, kind: 'notDeleted', canNot: 'channel', hint: "No message of this instance's channel can be taken back." };
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
	return { kind: 'notSent', code: failure.kind, message: failure.message, hint: `${hintFor(failure)} The address is from the EvolutionAPI credential.`, tryAgain: mend ? 'later' : 'now' };
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
