// One call of a webhook or error callback: the same ID each time, signed where there is a secret.
import { hintFor, isRecord, parseJson, retryAfterMs } from '../evolution/answers';
import { type EgressFilter, type HttpAnswer, type HttpClient, HttpFailure, shownUrl } from '../evolution/http';
import { signer } from './signature';
import { AttemptFailed } from './steps/retry';

export interface WebhookCall {
	url: string;
	method: string;
	/** JSON text. */
	body?: string;
	/** Sent as `webhook-id` and `Idempotency-Key`. */
	id: string;
	headers: Array<{ name: string; value: string }>;
	signingSecret?: string;
	timeoutMs: number;
	signal?: AbortSignal;
	egress?: EgressFilter;
}

/** The ID of one step's call, for ever: a header can't hold every character of a transaction ID. */
export function webhookId(transactionId: string, step: number | 'error' | 'compensation'): string {
	return `${encodeURIComponent(transactionId)}:${step}`;
}

/**
 * Calls once. Returns the answer where its status says success; throws {@link AttemptFailed}, or {@link HttpFailure}
 * `cancelled`. Headers follow the Standard Webhooks specification.
 */
export async function callWebhook(http: HttpClient, call: WebhookCall): Promise<{ statusCode: number; body: unknown }> {
	const body = bodyAllowed(call.method) ? call.body : undefined;
	const headers = { 'user-agent': 'n8n-nodes-ordered-evolutionapi', ...callersHeaders(call), ...standardHeaders(call, body ?? '') };
	const answer = await http
		.request(
			{
				method: call.method,
				url: call.url,
				headers,
				body,
				timeoutMs: call.timeoutMs,
				signal: call.signal,
				followRedirects: true,
			},
			call.egress,
		)
		.catch((error: unknown) => {
			throw error instanceof HttpFailure && error.kind !== 'cancelled' ? unanswered(error) : error;
		});
	if (answer.status < 200 || answer.status > 299) throw refused(answer, call);
	const secrets = secretsOf([...Object.values(callersHeaders(call)), call.signingSecret, headers['webhook-signature']]);
	// in the text, before it is cut, and in what JSON makes of it: it may spell a character in several ways
	return { statusCode: answer.status, body: withoutSecrets(toBody({ ...answer, text: masked(answer.text, secrets) }), secrets) };
}

/** Names in lower case, so that a caller's `User-Agent` takes the place of ours. */
function callersHeaders({ headers }: WebhookCall): Record<string, string> {
	return Object.fromEntries(headers.map(({ name, value }) => [name.toLowerCase(), value]));
}

/** Each whole and word by word (`Bearer` may be left off), as it is and as JSON has it; HTTP drops the spaces around a value. */
function secretsOf(values: Array<string | undefined>): string[] {
	const words = values.flatMap((value = '') => [value.trim(), ...value.split(/\s+/)]);
	const secrets = words.filter((word) => word.length >= shortestSecret);
	return [...new Set(secrets.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]))];
}

/** A webhook may answer with the request that it got, and its answer goes into ledger and output. */
function withoutSecrets(shown: unknown, secrets: string[]): unknown {
	if (typeof shown === 'string') return masked(shown, secrets);
	if (Array.isArray(shown)) return shown.map((one) => withoutSecrets(one, secrets));
	if (!isRecord(shown)) return shown;
	return Object.fromEntries(Object.entries(shown).map(([name, value]) => [masked(name, secrets), withoutSecrets(value, secrets)]));
}

function masked(text: string, secrets: string[]): string {
	return secrets.reduce((shown, secret) => shown.replaceAll(secret, '***'), text);
}

/** What is shorter is no secret, and would be found in any text. */
const shortestSecret = 8;

function bodyAllowed(method: string): boolean {
	return !['GET', 'DELETE'].includes(method);
}

function standardHeaders({ id, signingSecret }: WebhookCall, body: string): Record<string, string> & { 'webhook-signature'?: string } {
	const now = new Date();
	return {
		'content-type': 'application/json',
		'webhook-id': id,
		'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
		'idempotency-key': id,
		...(signingSecret ? { 'webhook-signature': signer(signingSecret).sign(id, now, body) } : {}),
	};
}

function unanswered(failure: HttpFailure): AttemptFailed {
	const final = ['redirect', 'blocked', 'untrustedCertificate'].includes(failure.kind);
	const hint = failure.kind === 'redirect' ? 'Enter the address that it redirects to.' : hintFor(failure);
	return new AttemptFailed({ code: `webhook.${failure.kind}`, message: `The webhook was not answered: ${failure.message}`, hint }, final ? 'later' : 'now', undefined, undefined, failure.delivered);
}

function refused(answer: HttpAnswer, call: WebhookCall): AttemptFailed {
	const passing = answer.status >= 500 || [408, 425, 429].includes(answer.status);
	const hint = answer.status === 404 ? 'Check the address, and that the workflow behind it is published (a test address works only while its editor listens).' : 'See the log of what the webhook calls, mend it, then run it again: the message is not sent a second time.';
	return new AttemptFailed({ code: 'webhook.status', message: `The webhook ${shownUrl(call.url)} answered ${answer.status}`, hint }, passing ? 'now' : 'later', retryAfterMs(answer), answer.status);
}

/** What nests deeper is kept as its text: nothing that anybody means, and too deep for what writes it down. */
const deepest = 500;

function nesting(text: string): number {
	let depth = 0;
	let most = 0;
	for (const character of text) {
		if (character === '[' || character === '{') most = Math.max(most, ++depth);
		else if (character === ']' || character === '}') depth -= 1;
	}
	return most;
}

/** JSON where it is JSON, else its text; long answers are cut, since they go into the ledger and the output. */
const longestBody = 256 * 1024;

function toBody(answer: HttpAnswer): unknown {
	const json = nesting(answer.text) > deepest ? undefined : parseJson(answer.text);
	if (!answer.truncated && answer.text.length <= longestBody) return json === undefined ? answer.text : json;
	return `${answer.text.slice(0, longestBody)}… (cut)`;
}
