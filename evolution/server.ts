// One EvolutionAPI server: its requests, with answers already judged. It never retries; the caller does.
import { type DeleteOutcome, errorParts, hintFor, isHtml, isRecord, judgeDeletion, judgeFailure, judgeSend, notDeletedBy, parseJson, type SendOutcome } from './answers';
import { type EgressFilter, type HttpAnswer, HttpClient, HttpFailure, shownUrl } from './http';
import { LiveReceipts, type LiveTimes } from './live';
import type { Message } from './messages/message';
import { type Content, contentOf } from './messages/record';
import { requestOf } from './messages/request';
import { only } from './only';
import { orAborted } from './orAborted';
import { type Receipt, toReceipt } from './receipt';

/** What a user fills in once, in the credential `evolutionServerApi`. */
export interface ServerAccess {
	baseUrl: string;
	apiKey: string;
	ignoreSslIssues?: boolean;
}

export interface Instance {
	name: string;
	/** EvolutionAPI's `integration`: `WHATSAPP-BAILEYS`, `WHATSAPP-BUSINESS` or `EVOLUTION`. */
	channel: string;
	/** `open`, `connecting` or `close`; Cloud and EVOLUTION instances are always `open`. */
	state: string;
}

/** A message of our own that EvolutionAPI has on record. */
export interface RecordedMessage {
	messageId: string;
	remoteJid: string;
	/** As EvolutionAPI names it, such as `conversation` or `imageMessage`; on Meta's channel `conversation` for most kinds. */
	messageType: string;
	/** Of a text, and of what Meta's channel keeps as one. */
	text?: string;
	/** What can be compared with a message that is in doubt: `looksLike` in messages/record.ts. */
	content: Content;
	/** Seconds since 1970: EvolutionAPI knows no finer time. */
	timestamp: number;
	receipts: Receipt[];
}

export interface Call {
	timeoutMs: number;
	signal?: AbortSignal;
	egress?: EgressFilter;
}

/** A look at the server that failed: it changed nothing, and may be tried again. */
export class EvolutionError extends Error {
	constructor(
		readonly code: string,
		message: string,
		readonly hint: string,
	) {
		super(message);
		this.name = 'EvolutionError';
	}
}

/**
 * The address that stands for a server in the ledger and in lanes: a trailing slash, the letters' case of the host, or
 * user and query make no other server. Throws an Error with a sentence for a user when it is no http address.
 */
export function serverAddress(baseUrl: string): string {
	const spelling = baseUrl.trim();
	const url = URL.canParse(spelling) ? new URL(spelling) : undefined;
	if (!url || !['http:', 'https:'].includes(url.protocol)) throw new Error(`"${shorten(spelling)}" is no address: it has to begin with https:// or http://`);
	return `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`;
}

/** How long the channels of a server's instances are remembered: they change by hand, and seldom. */
const channelsKnownMs = 5 * 60_000;
/** After this it is asked again for an instance that was not known, or after a failure. */
const askAgainMs = 5_000;
const channelsWithinMs = 10_000;

/** EvolutionAPI's name for the event of receipts in its settings. */
const receiptEvent = 'MESSAGES_UPDATE';
const liveSettingsWithinMs = 10_000;

/** What an instance emits by its settings (`null` where it has none yet): nothing unless they are enabled. */
function liveEventsOf(settings: unknown): string[] {
	if (!isRecord(settings) || settings.enabled !== true || !Array.isArray(settings.events)) return [];
	return settings.events.filter((event) => typeof event === 'string');
}

/** Messages a page. On Meta's channel a record holds a file that was given as base64: then a page is asked for in parts. */
const pageSizes = [50, 5, 1];
/** Room for the largest of Meta's videos, 16 MB, as base64; beyond that a look-up can't tell. */
const mostPageBytes = 32 * 1024 * 1024;

function withUserOf(baseUrl: string, address: string): string {
	const { username, password } = new URL(baseUrl.trim());
	return username || password ? address.replace('//', `//${username}:${password}@`) : address;
}

function shorten(text: string): string {
	return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

export class EvolutionServer {
	readonly address: string;
	private readonly http: HttpClient;
	/** Where requests go: the address, with the user and password that a proxy in front may ask for. */
	private readonly base: string;
	private readonly secrets: string[];
	private readonly lives = new Map<string, LiveReceipts>();
	private channels?: { byName: Promise<Map<string, string>>; askedAt: number };

	constructor(private readonly access: ServerAccess) {
		this.address = serverAddress(access.baseUrl);
		this.base = withUserOf(access.baseUrl, this.address);
		this.secrets = secretsOf(access);
		this.http = new HttpClient(access);
	}

	/**
	 * Sends one message of any kind to `number` (as {@link Recipient.number}). Never throws for what the server or the
	 * network did; throws {@link HttpFailure} `cancelled` only. A request with base64 may have 136 MB: messages/limits.ts.
	 */
	async send(instance: string, number: string, message: Message, call: Call): Promise<SendOutcome> {
		const { path: route, body } = requestOf(message, number);
		const path = `${route}/${encodeURIComponent(instance)}`;
		// the answer comes only after the typing is over
		const timeoutMs = call.timeoutMs + (body.delay ?? 0);
		try {
			return this.judged(await this.request('POST', path, { ...call, timeoutMs }, body), (answer) => judgeSend(answer, this.address + path));
		} catch (error) {
			return judgeFailure(unlessCancelled(error));
		}
	}

	/**
	 * Takes one of our own messages back from everyone's chat. `remoteJid` is the JID under which it was sent, as its
	 * answer told. Throws {@link HttpFailure} `cancelled` only.
	 */
	async deleteForEveryone(instance: string, { id, remoteJid }: { id: string; remoteJid: string }, call: Call): Promise<DeleteOutcome> {
		const path = `/chat/deleteMessageForEveryone/${encodeURIComponent(instance)}`;
		try {
			return this.judged(await this.request('DELETE', path, call, { id, remoteJid, fromMe: true }), (answer) => judgeDeletion(answer, this.address + path));
		} catch (error) {
			return notDeletedBy(judgeFailure(unlessCancelled(error)));
		}
	}

	/** The receipts on record for one message, in no order. Throws {@link EvolutionError} or {@link HttpFailure}. */
	async receiptsOf(instance: string, messageId: string, call: Call): Promise<Receipt[]> {
		const rows = await this.read('POST', `/chat/findStatusMessage/${encodeURIComponent(instance)}`, call, { where: { id: messageId } });
		if (!Array.isArray(rows)) throw this.unexpected(`/chat/findStatusMessage`);
		// an unknown filter is ignored and other messages' rows come back: check each row's own ID
		return rows.filter((row) => isRecord(row) && row.keyId === messageId).flatMap((row) => toReceipt((row as { status: unknown }).status) ?? []);
	}

	/** Whether EvolutionAPI has the message in its database; where not, it records no receipts for it either. */
	async isOnRecord(instance: string, messageId: string, call: Call): Promise<boolean> {
		const answer = await this.askForMessages(instance, { id: messageId }, { page: 1, size: 50 }, call);
		// a large file may stand in it, behind the key
		if (answer.truncated) return answer.text.includes(JSON.stringify(messageId));
		return this.messagesOf(answer, instance).records.some((record) => record.messageId === messageId);
	}

	/** Our own messages to one JID since `since` (ms since 1970), newest first: what a look-up needs, at most 1,000. */
	async ownMessages(instance: string, remoteJid: string, since: number, call: Call): Promise<RecordedMessage[]> {
		return (await this.ownRecord(instance, remoteJid, since, 20, call)).messages;
	}

	/**
	 * As {@link ownMessages}, at most `mostPages` of 50 or less; `complete` tells whether that was all. One that comes
	 * while it is read may push another into the next page, so that it stands there twice.
	 */
	async ownRecord(instance: string, remoteJid: string, since: number, mostPages: number, call: Call): Promise<{ messages: RecordedMessage[]; complete: boolean }> {
		for (const size of pageSizes) {
			const found = await this.ownMessagesBy(size, instance, remoteJid, since, mostPages, call);
			if (found) return found;
		}
		throw new EvolutionError('answerTooLarge', `${this.address} has a message on record that is too large to be looked at`, "Send files by their address: on Meta's channel EvolutionAPI keeps base64 whole.");
	}

	/** Undefined where a page is too large. */
	private async ownMessagesBy(size: number, instance: string, remoteJid: string, since: number, mostPages: number, call: Call): Promise<{ messages: RecordedMessage[]; complete: boolean } | undefined> {
		const found: RecordedMessage[] = [];
		for (let page = 1; page <= mostPages; page++) {
			const answer = await this.askForMessages(instance, { remoteJid, fromMe: true }, { page, size }, call, mostPageBytes);
			if (answer.truncated) return undefined;
			const { records, pages } = this.messagesOf(answer, instance);
			const recent = records.filter((record) => record.timestamp * 1000 >= since && record.remoteJid === remoteJid);
			found.push(...recent);
			const older = records.some((record) => record.timestamp * 1000 < since);
			if (older || page >= pages) return { messages: found, complete: true };
		}
		return { messages: found, complete: false };
	}

	/** Names, channels and states; tokens and everything else that the server tells stay out. */
	async instances(call: Call): Promise<Instance[]> {
		const rows = await this.read('GET', '/instance/fetchInstances', call);
		if (!Array.isArray(rows)) throw this.unexpected('/instance/fetchInstances');
		return rows.filter((row) => isRecord(row) && typeof row.name === 'string').map((row) => ({ name: row.name, channel: String(row.integration ?? ''), state: String(row.connectionStatus ?? '') }));
	}

	/**
	 * The instance's channel; undefined where this key does not see the instance. All callers share one request, which
	 * no caller's cancelling ends, and its answer for five minutes; a failure, or an unknown name, for five seconds.
	 */
	async channelOf(instance: string, { signal, ...call }: Call): Promise<string | undefined> {
		if (!(await this.mayRecall(instance))) this.askForChannels(call);
		return (await orAborted((this.channels as NonNullable<typeof this.channels>).byName, signal)).get(instance);
	}

	/** Whether what was asked last still answers for this instance. */
	private async mayRecall(instance: string): Promise<boolean> {
		if (!this.channels) return false;
		const age = Date.now() - this.channels.askedAt;
		if (age < askAgainMs) return true;
		return age < channelsKnownMs && (await this.channels.byName.then((names) => names.has(instance), () => false));
	}

	private askForChannels({ timeoutMs, ...call }: Call): void {
		const instances = this.instances({ ...call, timeoutMs: Math.min(timeoutMs, channelsWithinMs) });
		const byName = instances.then((all) => new Map(all.map(({ name, channel }) => [name, channel])));
		byName.catch(() => {}); // told to those who wait for it
		this.channels = { byName, askedAt: Date.now() };
	}

	/** The live receipts of an instance: one connection for all who use this key. The first caller's times count. */
	live(instance: string, times?: Partial<LiveTimes>): LiveReceipts {
		const known = this.lives.get(instance);
		if (known) return known;
		const { apiKey, ignoreSslIssues } = this.access;
		const { username, password } = new URL(this.base);
		const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
		const headers = { apikey: apiKey, ...(user === ':' ? {} : { authorization: `Basic ${Buffer.from(user).toString('base64')}` }) };
		const prepare = (egress?: EgressFilter) => this.enableLiveReceipts(instance, { timeoutMs: liveSettingsWithinMs, egress });
		const live = new LiveReceipts({ address: this.address, instance, headers, ignoreSslIssues, prepare }, times);
		this.lives.set(instance, live);
		return live;
	}

	/**
	 * Adds the one event that tells receipts to those that the instance emits; the user's own stay. False where the server
	 * has no live events (WEBSOCKET_ENABLED=false: its answers are empty), or does not tell.
	 */
	private async enableLiveReceipts(instance: string, call: Call): Promise<boolean> {
		const name = encodeURIComponent(instance);
		try {
			const now = liveEventsOf(await this.read('GET', `/websocket/find/${name}`, call));
			if (now.includes(receiptEvent)) return true;
			const set = await this.read('POST', `/websocket/set/${name}`, call, { websocket: { enabled: true, events: [...now, receiptEvent] } });
			return liveEventsOf(set).includes(receiptEvent);
		} catch (error) {
			only<Error>(error, EvolutionError, HttpFailure);
			return false;
		}
	}

	close(): void {
		for (const live of this.lives.values()) live.close();
		this.http.close();
	}

	private async askForMessages(instance: string, key: Record<string, unknown>, { page, size }: { page: number; size: number }, call: Call, readAtMost?: number): Promise<HttpAnswer> {
		return await this.request('POST', `/chat/findMessages/${encodeURIComponent(instance)}`, call, { where: { key }, page, offset: size }, readAtMost);
	}

	private messagesOf(answer: HttpAnswer, instance: string): { records: RecordedMessage[]; pages: number } {
		const body = this.judgeRead(answer, `/chat/findMessages/${encodeURIComponent(instance)}`);
		if (!isRecord(body) || !isRecord(body.messages) || !Array.isArray(body.messages.records)) throw this.unexpected('/chat/findMessages');
		return { records: body.messages.records.flatMap(toRecordedMessage), pages: Number(body.messages.pages) || 1 };
	}

	private async request(method: string, path: string, call: Call, body?: unknown, readAtMost?: number): Promise<HttpAnswer> {
		return await this.http.request(
			{
				method,
				url: this.base + path,
				headers: { apikey: this.access.apiKey, accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
				body: body === undefined ? undefined : JSON.stringify(body),
				timeoutMs: call.timeoutMs,
				signal: call.signal,
				readAtMost,
			},
			call.egress,
		);
	}

	private async read(method: string, path: string, call: Call, body?: unknown): Promise<unknown> {
		return this.judgeRead(await this.request(method, path, call, body), path);
	}

	private judgeRead(answer: HttpAnswer, path: string): unknown {
		const where = shownUrl(this.address + path);
		const json = parseJson(answer.status >= 400 ? this.withoutSecrets(answer.text) : answer.text);
		if (answer.status === 401) throw new EvolutionError('wrongApiKey', `EvolutionAPI at ${this.address} refused the API key`, 'Enter the key that EvolutionAPI has as AUTHENTICATION_API_KEY, or the token of one instance.');
		if (answer.status >= 300 && answer.status < 400) throw new EvolutionError('notEvolutionApi', `${where} redirects to another address`, 'Enter the address that your browser ends up at, without /manager.');
		if (isHtml(answer) || json === undefined || answer.status === 404 || answer.status === 405) {
			if (answer.status >= 500) throw new EvolutionError('serverError', `${where} answered ${answer.status} with no answer of EvolutionAPI: it is down, and a proxy answers for it`, 'Check that EvolutionAPI runs.');
			const { texts } = errorParts(json);
			if (texts.some((text) => /instance does not exist/.test(text))) throw new EvolutionError('unknownInstance', this.withoutSecrets(`EvolutionAPI answers: ${texts.join('; ')}`), 'Pick the instance from the list.');
			throw new EvolutionError('notEvolutionApi', `${where} answered ${answer.status}, but it is not EvolutionAPI that answers there`, "Check the Base URL: it is the server's address, such as https://evolution.example.com, without /manager.");
		}
		if (answer.status >= 400) throw new EvolutionError('serverError', this.withoutSecrets(`${where} answered ${answer.status}: ${errorParts(json).texts.join('; ').slice(0, 300)}`), 'Check that EvolutionAPI and its database run.');
		return json;
	}

	private unexpected(path: string): EvolutionError {
		return new EvolutionError('notEvolutionApi', `${this.address}${path} answered with something that EvolutionAPI 2 would not answer`, 'Check the Base URL, and that the server is EvolutionAPI 2.');
	}

	/** Judges what the server answered. What it says of a failure is judged again without the secrets, before anything is cut off. */
	private judged<T extends SendOutcome | DeleteOutcome>(answer: HttpAnswer, judge: (answer: HttpAnswer) => T): T {
		const judged = judge(answer);
		if (!('message' in judged)) return judged;
		const outcome = judge({ ...answer, text: this.withoutSecrets(answer.text) });
		return 'message' in outcome ? { ...outcome, message: this.withoutSecrets(outcome.message) } : outcome;
	}

	/** A server, or a proxy before it, may repeat the request in its error page. */
	private withoutSecrets(text: string): string {
		return this.secrets.reduce((masked, secret) => masked.replaceAll(secret, '***'), text);
	}
}

/** What must be in no message: the key, and user and password of the address as they are sent. */
function secretsOf({ baseUrl, apiKey }: ServerAccess): string[] {
	const { username, password } = new URL(baseUrl.trim());
	const [user, secret] = [username, password].map(decodeURIComponent) as [string, string];
	const basic = username || password ? [Buffer.from(`${user}:${secret}`).toString('base64')] : [];
	return [apiKey, ...basic, secret, password].filter((one) => one !== '');
}

function unlessCancelled(error: unknown): HttpFailure {
	const failure = only(error, HttpFailure);
	if (failure.kind === 'cancelled') throw failure;
	return failure;
}

function toRecordedMessage(row: unknown): RecordedMessage[] {
	if (!isRecord(row) || !isRecord(row.key) || typeof row.key.id !== 'string' || row.key.fromMe === false) return [];
	const updates = Array.isArray(row.MessageUpdate) ? row.MessageUpdate : [];
	const message = isRecord(row.message) ? row.message : {};
	const extended = isRecord(message.extendedTextMessage) ? message.extendedTextMessage.text : undefined;
	const text = message.conversation ?? extended;
	return [
		{
			messageId: row.key.id,
			remoteJid: String(row.key.remoteJid ?? ''),
			messageType: String(row.messageType ?? ''),
			content: contentOf(row.messageType, row.message),
			timestamp: Number(row.messageTimestamp) || 0,
			receipts: updates.flatMap((update) => (isRecord(update) ? (toReceipt(update.status) ?? []) : [])),
			...(typeof text === 'string' ? { text } : {}),
		},
	];
}

/** What a credential test tells: one message for each cause that a user can mend. */
export async function checkServer(access: ServerAccess, call: Call): Promise<{ ok: boolean; message: string }> {
	let server: EvolutionServer | undefined;
	try {
		if (!access.apiKey.trim()) return { ok: false, message: 'API Key is empty.' };
		server = new EvolutionServer(access);
		const instances = await server.instances(call);
		const names = instances.map(({ name }) => name);
		return { ok: true, message: `Connected. ${names.length === 0 ? 'The server has no instance yet: create one in EvolutionAPI.' : `${names.length === 1 ? 'Instance' : `${names.length} instances`}: ${names.slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''}`}` };
	} catch (error) {
		if (error instanceof EvolutionError) return { ok: false, message: `${error.message}. ${error.hint}` };
		if (error instanceof HttpFailure) return { ok: false, message: `${error.message}. ${hintFor(error)}` };
		return { ok: false, message: `Base URL: ${(error as Error).message}.` };
	} finally {
		server?.close();
	}
}
