// HTTP for everything this package calls: one deadline, a reading limit, keep-alive, proxies, n8n's egress filter.
import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import type { AxiosRequestConfig } from 'axios';

/** n8n's guard against requests to private addresses (`helpers.getSecureEgressFilter()` of n8n 2.41). */
export interface EgressFilter {
	validateUrl(url: string): Promise<{ ok: true } | { ok: false; error: Error }>;
	createSecureLookup(): LookupFunction;
	validateRedirectSync(url: string): void;
}

export interface HttpRequest {
	method: string;
	url: string;
	headers?: Record<string, string>;
	/** Sent as it is. */
	body?: string;
	/** For the whole exchange, from the first packet to the answer's last byte. */
	timeoutMs: number;
	signal?: AbortSignal;
	/** Follow redirects that keep host and method; default: follow none. */
	followRedirects?: boolean;
	/** Reads no more of the answer; default {@link maxAnswerBytes}. */
	readAtMost?: number;
}

export interface HttpAnswer {
	status: number;
	headers: Record<string, string>;
	/** At most `readAtMost`; `truncated` tells that there was more. */
	text: string;
	truncated: boolean;
}

export type HttpFailureKind =
	| 'cancelled'
	| 'timeout'
	| 'refused'
	| 'nameNotFound'
	| 'unreachable'
	| 'tls'
	| 'untrustedCertificate'
	| 'blocked'
	| 'redirect'
	| 'reset';

/** A request without an answer. `delivered` is false only where the request surely never left. */
export class HttpFailure extends Error {
	constructor(
		readonly kind: HttpFailureKind,
		message: string,
		readonly delivered: 'no' | 'unknown',
	) {
		super(message);
		this.name = 'HttpFailure';
	}
}

/** Answers beyond this are cut off: without files in it, EvolutionAPI's longest page of 50 messages stays far below it. */
export const maxAnswerBytes = 4 * 1024 * 1024;

/**
 * Idle connections are dropped before any common server does (Node's own closes after 5 s): a request on a
 * connection that the server is just closing would be a reset, and a reset after a send is a doubt.
 */
const idleSocketMs = 1500;

const namesOfUnreachable = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'EHOSTDOWN', 'ENETDOWN']);
const untrusted = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(GET_ISSUER|VERIFY)|ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH|INVALID_CA)/;

/** Host and path of a URL, without user, query and fragment: these may hold secrets. */
export function shownUrl(url: string): string {
	const { protocol, host, pathname } = new URL(url);
	return `${protocol}//${host}${pathname}`;
}

export class HttpClient {
	private readonly agents: { httpAgent: http.Agent; httpsAgent: https.Agent };

	constructor(options: { ignoreSslIssues?: boolean } = {}) {
		// HTTP_PROXY, HTTPS_PROXY and NO_PROXY: by Node where it can, else by axios (whose `proxy: false` would forbid both)
		const shared = { keepAlive: true, timeout: idleSocketMs, proxyEnv: process.env };
		this.agents = {
			httpAgent: new http.Agent(shared),
			httpsAgent: new https.Agent({ ...shared, rejectUnauthorized: !options.ignoreSslIssues }),
		};
	}

	/** Returns the answer whatever its status; throws only {@link HttpFailure}. */
	async request(request: HttpRequest, egress?: EgressFilter): Promise<HttpAnswer> {
		const deadline = AbortSignal.timeout(request.timeoutMs);
		const signal = request.signal ? AbortSignal.any([deadline, request.signal]) : deadline;
		const connection = { open: false };
		try {
			signal.throwIfAborted();
			await checkEgress(request.url, egress);
			const { default: axios } = await import('axios');
			const answer = await axios.request({
				...this.agents,
				method: request.method,
				url: request.url,
				headers: request.headers,
				data: request.body,
				transformRequest: (data: unknown) => data,
				responseType: 'stream',
				validateStatus: () => true,
				signal,
				lookup: guardedLookup(request.url, egress) as AxiosRequestConfig['lookup'],
				...(request.followRedirects ? followSafely(request, connection, egress) : watchConnection(connection)),
			});
			const { text, truncated } = await readUpTo(answer.data as AsyncIterable<Buffer>, request.readAtMost ?? maxAnswerBytes, signal);
			return { status: answer.status, headers: lowerCased(answer.headers), text, truncated };
		} catch (error) {
			throw toFailure(error, request, deadline, connection.open);
		}
	}

	close(): void {
		this.agents.httpAgent.destroy();
		this.agents.httpsAgent.destroy();
	}
}

/** n8n's filter answers what it forbids, and throws when a name can't be found. */
async function checkEgress(url: string, egress?: EgressFilter): Promise<void> {
	const verdict = await egress?.validateUrl(url);
	if (verdict && !verdict.ok) throw blocked(url, verdict.error);
}

/** The filter's look-up, with what it forbids told apart from what the name service could not find. */
function guardedLookup(url: string, egress?: EgressFilter): LookupFunction | undefined {
	const lookup = egress?.createSecureLookup();
	if (!lookup) return undefined;
	return (hostname, options, done) => lookup(hostname, options, (error, address, family) => done(error && !error.code ? blocked(url, error) : error, address, family));
}

/** Notes when a connection stands, so that a time-out before that is known as "not sent". */
function watchConnection(connection: { open: boolean }): AxiosRequestConfig {
	const request = (options: http.RequestOptions, onAnswer: (answer: http.IncomingMessage) => void) => {
		const tls = options.protocol === 'https:';
		const started = (tls ? https : http).request(options, onAnswer);
		started.once('socket', (socket) => {
			if (!socket.connecting) connection.open = started.reusedSocket || !socket.destroyed;
			else socket.once(tls ? 'secureConnect' : 'connect', () => (connection.open = true));
		});
		return started;
	};
	return { maxRedirects: 0, transport: { request } } as AxiosRequestConfig;
}

/** A redirect to another host would leak headers, and one that turns POST into GET would lose the body. */
function followSafely(request: HttpRequest, connection: { open: boolean }, egress?: EgressFilter): AxiosRequestConfig {
	const start = new URL(request.url);
	return {
		maxRedirects: 5,
		beforeRedirect: (options) => {
			connection.open = true; // the first address has answered
			const target = String(options.href);
			if (new URL(target).host !== start.host || options.method !== request.method) {
				throw new HttpFailure('redirect', `${shownUrl(request.url)} redirects to ${shownUrl(target)}, which is not followed`, 'unknown');
			}
			try {
				egress?.validateRedirectSync(target);
			} catch (error) {
				throw blocked(target, error as Error, 'unknown');
			}
		},
	};
}

function blocked(url: string, cause: Error, delivered: 'no' | 'unknown' = 'no'): HttpFailure {
	return new HttpFailure('blocked', `n8n's own protection forbids requests to ${shownUrl(url)} (${cause.message})`, delivered);
}

async function readUpTo(stream: AsyncIterable<Buffer>, limit: number, signal: AbortSignal): Promise<{ text: string; truncated: boolean }> {
	const chunks: Buffer[] = [];
	let size = 0;
	for await (const chunk of stream) {
		signal.throwIfAborted();
		chunks.push(chunk);
		size += chunk.length;
		if (size > limit) break; // leaving the loop destroys the stream
	}
	return { text: Buffer.concat(chunks).subarray(0, limit).toString('utf8'), truncated: size > limit };
}

function lowerCased(headers: object): Record<string, string> {
	return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
}

/** axios and follow-redirects wrap what went wrong; the innermost own error is the one that tells. */
function causesOf(error: unknown): Array<Error & { code?: string; syscall?: string }> {
	const causes = [];
	for (let cause = error; cause instanceof Error && causes.length < 5; cause = cause.cause) causes.push(cause);
	return causes;
}

function toFailure(error: unknown, request: HttpRequest, deadline: AbortSignal, connected: boolean): HttpFailure {
	const where = shownUrl(request.url);
	const delivered = connected || request.followRedirects ? 'unknown' : 'no';
	const causes = causesOf(error);
	const own = causes.find((cause) => cause instanceof HttpFailure);
	if (own) return own as HttpFailure;
	if (request.signal?.aborted) return new HttpFailure('cancelled', `The request to ${where} was cancelled`, delivered);
	if (deadline.aborted) return new HttpFailure('timeout', `${where} did not answer within ${request.timeoutMs / 1000} s`, delivered);
	const code = causes.map((cause) => cause.code ?? '').find((name) => name && !name.startsWith('ERR_FR_') && name !== 'ERR_NETWORK') ?? '';
	const early = connected ? 'unknown' : 'no'; // these come before the request leaves, unless it was redirected
	if (code === 'ECONNREFUSED') return new HttpFailure('refused', `Nothing listens at ${where} (connection refused)`, early);
	if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return new HttpFailure('nameNotFound', `The name ${new URL(request.url).hostname} could not be found (${code})`, early);
	if (untrusted.test(code)) return new HttpFailure('untrustedCertificate', `The certificate of ${where} is not trusted (${code})`, early);
	if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) return new HttpFailure('tls', `No secure connection to ${where} could be made (${code})`, early);
	if (namesOfUnreachable.has(code) || (code === 'ETIMEDOUT' && !connected)) return new HttpFailure('unreachable', `${where} can't be reached (${code})`, early);
	return new HttpFailure('reset', `The connection to ${where} broke (${code || causes.at(-1)?.message || 'unknown'})`, delivered);
}
