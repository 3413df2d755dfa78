// What an answer to a send means, for every recorded one and every one that the facts list.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorParts, hintFor, isHtml, judgeFailure, judgeSend, retryAfterMs, type SendOutcome } from '../../evolution/answers';
import { type HttpAnswer, HttpFailure, type HttpFailureKind } from '../../evolution/http';

const url = 'http://evolution.test/message/sendText/meta1';
const captures = join(__dirname, '../captures');

interface Capture {
	response: { status: number; headers?: Record<string, string>; body: unknown };
}

function answer(status: number, body: unknown, headers: Record<string, string> = { 'content-type': 'application/json' }): HttpAnswer {
	return { status, headers, text: typeof body === 'string' ? body : JSON.stringify(body), truncated: false };
}

function judged(status: number, body: unknown, headers?: Record<string, string>): SendOutcome {
	return judgeSend(answer(status, body, headers), url);
}

function evolutionError(status: number, message: unknown): unknown {
	return { status, error: 'Bad Request', response: { message } };
}

const expectedOfCaptures: Record<string, Partial<SendOutcome> | { code: string; tryAgain: string }> = {
	'baileys.empty-text': { kind: 'notSent', code: 'emptyText', tryAgain: 'never' },
	'baileys.not-connected': { kind: 'notSent', code: 'notConnected', tryAgain: 'now' },
	'cloud.ok': { kind: 'sent', messageId: 'wamid.bGFiLTE3OTU0NzM0NjA2NjQtMTU4NA==', remoteJid: '5511988887777@s.whatsapp.net' },
	'cloud.rejected-by-meta': { kind: 'notSent', code: 'meta131056', tryAgain: 'now' },
	'cloud.sent-but-answered-400': { kind: 'unknown' },
	'delay-not-integer': { kind: 'notSent', code: 'invalidRequest', tryAgain: 'never' },
	'empty-text': { kind: 'unknown' },
	'evolution-channel.ok': { kind: 'sent', messageId: '5951f56c-233b-4e19-9c48-94c4fca3ff2d', remoteJid: '5511988887777' },
	'instance-not-loaded': { kind: 'notSent', code: 'instanceNotLoaded', tryAgain: 'now' },
	'missing-text': { kind: 'notSent', code: 'invalidRequest', tryAgain: 'never' },
	'no-key': { kind: 'notSent', code: 'wrongApiKey', tryAgain: 'later' },
	'number.brazil-ninth-digit-dropped': { kind: 'sent', remoteJid: '553188887777@s.whatsapp.net' },
	'number.empty': { kind: 'sent', remoteJid: '@s.whatsapp.net' },
	'number.formatted': { kind: 'sent', remoteJid: '14155552671@s.whatsapp.net' },
	'number.group': { kind: 'sent', remoteJid: '120363025246125486@g.us' },
	'number.mexico-digit-dropped': { kind: 'sent', remoteJid: '525512345678@s.whatsapp.net' },
	'number.not-a-number': { kind: 'sent', remoteJid: '@s.whatsapp.net' },
	'unknown-instance': { kind: 'notSent', code: 'unknownInstance', tryAgain: 'later' },
	'wrong-key': { kind: 'notSent', code: 'wrongApiKey', tryAgain: 'later' },
};
const recorded = readdirSync(captures).filter((name) => name.startsWith('send-text.')).map((name) => name.slice('send-text.'.length, -'.json'.length));

test('every recorded answer to sendText stands in this table, and nothing else does', () => {
	expect(recorded.sort()).toEqual(Object.keys(expectedOfCaptures).sort());
});

test.each(recorded)('the recorded answer send-text.%s is judged rightly', (name) => {
	const { response } = JSON.parse(readFileSync(join(captures, `send-text.${name}.json`), 'utf8')) as Capture;
	expect(judged(response.status, response.body, response.headers)).toMatchObject({ ...expectedOfCaptures[name], statusCode: response.status });
});

test('the recorded answer to a base URL that ends in a slash is surely not sent', () => {
	const { response } = JSON.parse(readFileSync(join(captures, 'url.double-slash.json'), 'utf8')) as Capture;
	expect(judged(response.status, response.body, response.headers)).toMatchObject({ kind: 'notSent', code: 'notEvolutionApi', message: expect.stringContaining('Cannot POST //message/sendText') });
});

describe("Meta's refusals with status 201", () => {
	test.each([131056, 130429, 80007, 131016, 131000])('%i passes by itself: try again', (code) => {
		expect(judged(201, { message: 'x', type: 'OAuthException', code })).toMatchObject({ kind: 'notSent', code: `meta${code}`, tryAgain: 'now' });
	});

	test.each([0, 3, 10, 190, 200, 299, 368, 131005, 131031, 131042, 131057, 133004, 133010])("%i is the account owner's to mend", (code) => {
		expect(judged(201, { message: 'x', code })).toMatchObject({ kind: 'notSent', code: `meta${code}`, tryAgain: 'later', hint: expect.stringContaining('account at Meta') });
	});

	test.each([131026, 131047, 131051, 131008, 100, 1, 300])('%i stays: the same message is refused again', (code) => {
		expect(judged(201, { message: 'x', code })).toMatchObject({ kind: 'notSent', code: `meta${code}`, tryAgain: 'never', hint: expect.stringContaining(String(code)) });
	});

	test('outside the 24 hours after the last message of the person, the hint is to send a template', () => {
		expect(judged(201, { message: 'Re-engagement message', code: 131047 })).toMatchObject({ hint: expect.stringMatching(/approved templates.*Run a Sequence of Steps.*131047/) });
	});

	test("say Meta's own reason and details, or that there is none", () => {
		expect(judged(201, { message: 'said', code: 131026, error_data: { details: 'in detail' } })).toMatchObject({ message: 'Meta refused the message: said. in detail' });
		expect(judged(201, { code: 131026 })).toMatchObject({ message: 'Meta refused the message: no reason given.' });
		expect(judged(201, { message: 'x'.repeat(5000), code: 131026 })).toMatchObject({ message: expect.stringMatching(/^.{600}$/) });
	});
});

describe('success is a message ID, not a status code', () => {
	test.each([
		['nothing', ''], ['null', 'null'], ['an array', '[]'], ['a text that is no JSON', '{"key":'], ['a number', '3'], ['no key', {}], ['a key without an ID', { key: { remoteJid: 'x' } }],
		['an empty ID', { key: { id: '' } }], ['an ID that is no text', { key: { id: 5 } }], ['a key that is a list', { key: ['id'] }], ['a code that is a text', { code: '131056', message: 'x' }],
	])('a 201 with %s is unknown', (_what, body) => {
		expect(judged(201, body)).toMatchObject({ kind: 'unknown', statusCode: 201 });
	});

	test('any 2xx with a message ID is sent, and an odd remoteJid is left out', () => {
		expect(judged(200, { key: { id: 'A', remoteJid: 5 } })).toEqual({ kind: 'sent', messageId: 'A', statusCode: 200 });
		expect(judged(202, { key: { id: 'A', remoteJid: '' } })).toEqual({ kind: 'sent', messageId: 'A', statusCode: 202 });
	});

	test('a web page with status 200 is no EvolutionAPI, whatever its content type', () => {
		expect(judged(200, '<!doctype html><p>hi', { 'content-type': 'text/html; charset=utf-8' })).toMatchObject({ kind: 'notSent', code: 'notEvolutionApi' });
		expect(judged(200, '  <HTML><body>hi', {})).toMatchObject({ kind: 'notSent', code: 'notEvolutionApi' });
	});
});

describe('surely not sent', () => {
	test.each([
		['a schema error', 400, evolutionError(400, [['instance requires property "number"', 'too']]), { code: 'invalidRequest', tryAgain: 'never', message: 'EvolutionAPI refused the request: instance requires property "number"; too' }],
		['an empty text', 400, evolutionError(400, ['Text is required']), { code: 'emptyText', tryAgain: 'never' }],
		['no such number', 400, evolutionError(400, [{ jid: '1@s.whatsapp.net', exists: false, number: '1' }]), { code: 'noSuchNumber', tryAgain: 'never' }],
		['a kind that the channel has not', 400, evolutionError(400, 'Method not available on WhatsApp Business API'), { code: 'notOnThisChannel', tryAgain: 'never' }],
		['a wrong key', 401, evolutionError(401, 'Unauthorized'), { code: 'wrongApiKey', tryAgain: 'later' }],
		['an unknown instance', 404, evolutionError(404, ['The "x" instance does not exist']), { code: 'unknownInstance', tryAgain: 'later' }],
		['a wrong path', 404, evolutionError(404, ['Cannot POST /x']), { code: 'notEvolutionApi', tryAgain: 'later' }],
		['405', 405, '', { code: 'notEvolutionApi', tryAgain: 'later' }],
		['403 of a firewall', 403, 'Forbidden', { code: 'forbidden', tryAgain: 'later' }],
		['413 of a proxy', 413, '<html>', { code: 'tooLarge', tryAgain: 'never' }],
		['429', 429, '', { code: 'tooManyRequests', tryAgain: 'now' }],
		['a phone that is not connected', 500, evolutionError(500, "Cannot read properties of undefined (reading 'onWhatsApp')"), { code: 'notConnected', tryAgain: 'now' }],
		['an instance that is not loaded', 500, evolutionError(500, "Cannot read properties of undefined (reading 'textMessage')"), { code: 'instanceNotLoaded', tryAgain: 'now' }],
		['an instance that is not loaded, asked for a poll', 500, evolutionError(500, "Cannot read properties of undefined (reading 'pollMessage')"), { code: 'instanceNotLoaded', tryAgain: 'now' }],
		['a template on WhatsApp Web', 500, evolutionError(500, 'Method not available in the Baileys service'), { code: 'notOnThisChannel', tryAgain: 'never' }],
		["audio on EvolutionAPI's own channel", 500, evolutionError(500, 'File or buffer is undefined.'), { code: 'notOnThisChannel', tryAgain: 'never' }],
		['a file that is none', 400, evolutionError(400, ['Owned media must be a url or base64']), { code: 'invalidMedia', tryAgain: 'never' }],
		['a document of base64 without a name', 400, evolutionError(400, ['For base64 the file name must be informed.']), { code: 'invalidMedia', tryAgain: 'never' }],
		['an empty reaction', 400, evolutionError(400, ['"reaction" must be an emoji']), { code: 'invalidRequest', tryAgain: 'never' }],
		['too many buttons', 400, evolutionError(400, ['Maximum of 3 reply buttons allowed']), { code: 'invalidRequest', tryAgain: 'never' }],
		['sections of one title', 400, evolutionError(400, ['Section tiles cannot be repeated']), { code: 'invalidRequest', tryAgain: 'never' }],
		['a list that 2.3.6 fails to make', 400, evolutionError(400, ['TypeError: this.isZero is not a function']), { code: 'listFailed', tryAgain: 'later' }],
	])('is %s (%i)', (_what, status, body, expected) => {
		const outcome = judged(status, body);
		expect(outcome).toMatchObject({ kind: 'notSent', statusCode: status, ...expected });
		expect((outcome as { hint: string }).hint).toMatch(/\.$/);
	});

	const files = ['sendMedia', 'sendWhatsAppAudio', 'sendSticker'].map((route) => `http://evolution.test/api/message/${route}/meta1`);

	test.each([
		['was not there', 500, ['AxiosError: Request failed with status code 404']],
		['could not be uploaded to Meta', 500, ['[object Object]']],
		["was not there, told with its own server's status", 404, 'Request failed with status code 404'],
		["was forbidden, told with its own server's status", 401, 'Request failed with status code 401'],
		['has a server without a name', 500, 'getaddrinfo ENOTFOUND files.example'],
		['is no picture', 500, 'Input buffer contains unsupported image format'],
	])('is a file that %s (%i)', (_what, status, message) => {
		for (const file of files) expect(judgeSend(answer(status, evolutionError(status, message)), file)).toMatchObject({ kind: 'notSent', code: 'fileTrouble', tryAgain: 'later', statusCode: status });
	});

	test('is a phone that is not connected when a file is to be uploaded', () => {
		for (const file of files) expect(judgeSend(answer(500, evolutionError(500, ["TypeError: Cannot read properties of undefined (reading 'waUploadToServer')"])), file)).toMatchObject({ kind: 'notSent', code: 'notConnected' });
	});

	test('is not a failure of the send itself, nor one on a route without files', () => {
		for (const file of files) {
			expect(judgeSend(answer(400, evolutionError(400, ['AxiosError: Request failed with status code 404'])), file).kind).toBe('unknown');
			expect(judgeSend(answer(500, evolutionError(500, 'Internal')), file).kind).toBe('unknown');
			expect(judgeSend(answer(500, ''), file).kind).toBe('unknown');
		}
		expect(judged(500, evolutionError(500, ['AxiosError: Request failed with status code 404'])).kind).toBe('unknown');
	});

	test('is a redirect, whose target is named without its secrets', () => {
		expect(judged(302, '', { location: 'https://user:secret@other.test/manager?token=secret' })).toMatchObject({ code: 'notEvolutionApi', message: expect.stringContaining('a redirect to https://other.test/manager'), hint: expect.stringContaining('redirects to') });
		expect(JSON.stringify(judged(302, '', { location: 'https://user:secret@other.test/?token=secret' }))).not.toContain('secret');
		expect(judged(301, '', { location: 'http://' })).toMatchObject({ code: 'notEvolutionApi' });
	});
});

test.each([
	['{"key":{"fromMe":true,"id":"A","remoteJid":"1@g.us"},"message":{"imageMessage":{"media":"AAAA', { kind: 'sent', messageId: 'A', remoteJid: '1@g.us' }],
	['{"key":{"fromMe":true},"message":{"imageMessage":{"media":"AAAA', { kind: 'unknown' }],
	['{"message":{"imageMessage":{"media":"AAAA","key":{"id":"A"}}', { kind: 'unknown' }],
	['{"key":{"id":"A', { kind: 'unknown' }],
])('an answer too long to be read is judged by its beginning: %s', (text, expected) => {
	expect(judgeSend({ ...answer(201, text), truncated: true }, url)).toMatchObject(expected);
	expect(judgeSend({ ...answer(500, text), truncated: true }, url).kind).toBe('unknown');
});

describe('unknown, since the message may be out', () => {
	test.each([
		['a lost connection to Meta', 400, evolutionError(400, ["TypeError: Cannot read properties of undefined (reading 'message')"])],
		['a database error after the send', 400, evolutionError(400, ['DriverAdapterError: unsupported Unicode escape sequence'])],
		['any other 400', 400, evolutionError(400, ['Something else'])],
		['a number that exists, named in a 400', 400, evolutionError(400, [{ exists: true }])],
		['an empty 400', 400, ''],
		['a 400 that is no JSON', 400, 'Bad Request'],
		['a 400 with a null response', 400, { response: null }],
		['a 408', 408, ''],
		['a 409', 409, {}],
		['another 500', 500, evolutionError(500, 'Internal')],
		['an empty 500', 500, ''],
		['502 of a proxy', 502, '<html><h1>Bad Gateway'],
		['503 of a proxy', 503, 'Service Unavailable'],
		['504 of a proxy', 504, '<!DOCTYPE html>'],
	])('is %s (%i)', (_what, status, body) => {
		expect(judged(status, body)).toMatchObject({ kind: 'unknown', statusCode: status, message: expect.stringContaining(`http://evolution.test/message/sendText/meta1 answered ${status}`) });
	});

	test("the status of another request's error text is not enough: a 400 that reads 'onWhatsApp' is unknown", () => {
		expect(judged(400, evolutionError(400, "Cannot read properties of undefined (reading 'onWhatsApp')")).kind).toBe('unknown');
	});

	test('quotes how a long odd answer begins, and no more', () => {
		const { message } = judged(500, 'x'.repeat(10_000), {}) as { message: string };
		expect(message).toContain(`(it begins: ${'x'.repeat(120)})`);
		expect(judged(500, '', {})).toMatchObject({ message: expect.stringContaining('(an empty answer)') });
	});
});

describe('Retry-After', () => {
	const now = Date.parse('2026-11-23T22:39:25Z');
	test.each([
		['7', 7000],
		[' 0 ', 0],
		['Mon, 23 Nov 2026 22:39:35 GMT', 10_000],
		['Mon, 23 Nov 2026 22:39:00 GMT', 0],
		['soon', undefined],
		['', undefined],
	] as Array<[string, number | undefined]>)('"%s" is a pause of %p ms', (value, expected) => {
		expect(retryAfterMs(answer(429, '', { 'retry-after': value }), now)).toBe(expected);
	});

	test('is undefined without the header', () => {
		expect(retryAfterMs(answer(429, '', {}))).toBeUndefined();
	});

	test('goes with the outcome', () => {
		expect(judged(429, '', { 'retry-after': '3' })).toMatchObject({ retryAfterMs: 3000 });
		expect(judged(429, '')).not.toHaveProperty('retryAfterMs');
	});
});

describe('the parts of an error body', () => {
	test.each([
		['a text', { response: { message: 'a' } }, { texts: ['a'], objects: [], nested: false }],
		['a list', { response: { message: ['a', 'b'] } }, { texts: ['a', 'b'], objects: [], nested: false }],
		['a list of lists', { response: { message: [['a'], ['b']] } }, { texts: ['a', 'b'], objects: [], nested: true }],
		['a list of objects', { response: { message: [{ exists: false }] } }, { texts: [], objects: [{ exists: false }], nested: false }],
		['a message at the top', { message: 'a' }, { texts: ['a'], objects: [], nested: false }],
		['nothing', {}, { texts: [], objects: [], nested: false }],
		['no object', 'x', { texts: [], objects: [], nested: false }],
		['undefined', undefined, { texts: [], objects: [], nested: false }],
	])('are found in %s', (_what, body, parts) => {
		expect(errorParts(body)).toEqual(parts);
	});
});

test.each([
	['text/html', 'x', true], ['TEXT/HTML; charset=utf-8', '', true], ['application/json', '{}', false], ['', '\n<!DOCTYPE html>', true], ['', '<body>', true], ['application/json', '"<html>"', false],
])('content type "%s" with the body %j is a web page: %p', (type, text, html) => {
	expect(isHtml({ status: 200, headers: { 'content-type': type }, text, truncated: false })).toBe(html);
});

describe('a send without an answer', () => {
	const kinds: HttpFailureKind[] = ['timeout', 'refused', 'nameNotFound', 'unreachable', 'tls', 'untrustedCertificate', 'blocked', 'redirect', 'reset'];

	test.each(kinds)('is unknown after %s, if it may have reached the server', (kind) => {
		expect(judgeFailure(new HttpFailure(kind, 'what happened', 'unknown'))).toEqual({ kind: 'unknown', message: 'what happened' });
	});

	test.each(kinds)('is not sent after %s, if it never left, with a hint', (kind) => {
		const mend = kind === 'blocked' || kind === 'untrustedCertificate';
		expect(judgeFailure(new HttpFailure(kind, 'what happened', 'no'))).toEqual({ kind: 'notSent', code: kind, message: 'what happened', hint: expect.stringMatching(/\.$/), tryAgain: mend ? 'later' : 'now' });
	});

	test('gets a hint of its own for each cause that a user can mend', () => {
		const hints = (['untrustedCertificate', 'nameNotFound', 'refused', 'blocked', 'tls', 'timeout', 'reset'] as HttpFailureKind[]).map((kind) => hintFor(new HttpFailure(kind, '', 'no')));
		expect(new Set(hints).size).toBe(hints.length);
	});
});
