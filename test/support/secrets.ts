// Searches what a test leaves behind for the keys and secrets that it used: files, databases, Redis, outputs, errors.
import { appendFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { inspect } from 'node:util';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import type { WebhookSecrets } from '../../ordering/orderedSend';
import type { Simulator } from '../../simulator';
import type { Receiver } from './receiver';

/** Where it was found, and by its name: the secret itself is not shown. */
export interface Finding {
	place: string;
	secret: string;
	spelling: string;
	/** What stands before it. */
	after: string;
}

/** One line of a suite's evidence: what was searched for how many secrets, in bytes by place, and what was found. */
export interface Search {
	places: Record<string, number>;
	secrets: number;
	found: Finding[];
}

/** What is shorter would be found in any text. */
const shortestSecret = 8;

/**
 * A search over everything that one test, or one file of tests, leaves. Name the secrets before what may hold them: each
 * thing is searched as it is handed over. `end` tells.
 */
export class SecretSearch {
	private readonly secrets = new Map<string, Map<string, Buffer>>();
	private readonly places: Record<string, number> = {};
	private readonly found: Finding[] = [];

	constructor(private readonly suite: string) {}

	/** `name` may be shown. A secret with spaces, such as `Bearer abc`, is looked for as a whole and word by word. */
	add(name: string, secret: string | Buffer | undefined): this {
		const words = typeof secret === 'string' ? new Set([secret.trim(), ...secret.split(/\s+/)]) : secret ? [secret] : [];
		for (const [index, word] of [...words].entries()) {
			if (word.length < shortestSecret || this.knows(word)) continue;
			this.secrets.set(index === 0 ? name : `${name}, word ${index}`, spellings(word));
		}
		return this;
	}

	/** The key of the server and of each instance. */
	addSimulator({ apiKey, control }: Simulator): this {
		this.add('API key', apiKey);
		for (const { name, token } of control.instances()) this.add(`token of ${name}`, token);
		return this;
	}

	/** The secret as it is written, and the key that `whsec_` and base64 stand for. */
	addSigningSecret(secret: string | undefined): this {
		const encoded = secret?.startsWith('whsec_') ? secret.slice('whsec_'.length) : undefined;
		return this.add('signing secret', secret).add('signing secret without its prefix', encoded).add('decoded signing secret', encoded === undefined ? undefined : Buffer.from(encoded, 'base64'));
	}

	/** What a webhook is called with. */
	addWebhook({ headers = [], signingSecret }: Partial<WebhookSecrets> = {}): this {
		for (const { name, value } of headers) this.add(`value of the header ${name}`, value);
		return this.addSigningSecret(signingSecret);
	}

	/** All fields of n8n's credentials that hold a secret, by the names of their types. */
	addCredentials({ evolutionServerApi: server = {}, webhookTargetApi: target = {}, orderedStoreApi: store = {} }: Record<string, Record<string, unknown>>): this {
		const text = (value: unknown) => (typeof value === 'string' ? value : '');
		this.add('API key of the credential', text(server.apiKey)).addAddress('Base URL', text(server.baseUrl));
		this.add('header value of the credential', text(target.headerValue)).addSigningSecret(text(target.signingSecret));
		return this.addAddress('PostgreSQL URL', text(store.postgresUrl)).addAddress('Redis URL', text(store.redisUrl));
	}

	/** The password in an address, and what HTTP's Basic scheme makes of it. */
	addAddress(name: string, url: string): this {
		if (!URL.canParse(url)) return this;
		const { username, password } = new URL(url);
		const [user, plain] = [username, password].map(decodeURIComponent) as [string, string];
		return this.add(`password of ${name}`, plain).add(`user and password of ${name}`, plain && `${user}:${plain}`);
	}

	bytes(place: string, bytes: Buffer): void {
		this.places[place] = (this.places[place] ?? 0) + bytes.length;
		for (const [secret, spelled] of this.secrets) {
			for (const [spelling, wanted] of spelled) {
				const at = bytes.indexOf(wanted);
				if (at >= 0) this.found.push({ place, secret, spelling, after: bytes.subarray(Math.max(0, at - 60), at).toString('latin1') });
			}
		}
	}

	/** Any value, with all that hangs on it: an error with its cause, context and stack, too. */
	value(place: string, value: unknown): void {
		const text = typeof value === 'string' ? value : inspect(value, { depth: 40, showHidden: true, maxArrayLength: null, maxStringLength: null, breakLength: Infinity });
		this.bytes(place, Buffer.from(text));
	}

	/** All files below a folder; SQLite databases also row by row, since a long value lies in pieces in the file. */
	folder(place: string, folder: string): void {
		for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
			const file = join(entry.parentPath, entry.name);
			if (entry.isFile()) this.bytes(place, readIfThere(file));
			if (entry.isFile() && file.endsWith('.sqlite')) this.sqlite(place, file);
		}
	}

	/** The bodies that a receiver was sent: these come from us, while its headers rightly hold secrets. */
	bodies(receiver: Receiver): void {
		this.value('bodies of webhook calls', receiver.calls.map(({ body }) => body).join('\n'));
	}

	file(place: string, file: string): void {
		this.bytes(place, readIfThere(file));
	}

	/** All rows of all tables of one database. */
	async postgres(place: string, url: string): Promise<void> {
		const client = new Client(url);
		await client.connect();
		try {
			const { rows: tables } = await client.query<{ name: string }>("select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')");
			for (const { name } of tables) {
				const { rows } = await client.query<{ row: string }>(`select row_to_json(t)::text as row from ${name} t`);
				this.bytes(place, Buffer.from(rows.map(({ row }) => row).join('\n')));
			}
		} finally {
			await client.end();
		}
	}

	/** All keys of all kinds with their values, of the database that the address names. */
	async redis(place: string, url: string): Promise<void> {
		const client = new Redis(url, { maxRetriesPerRequest: 1, retryStrategy: () => null, connectTimeout: 5000 });
		client.on('error', () => {}); // the command that runs into it tells it
		try {
			for (let cursor = ''; cursor !== '0'; ) {
				const [next, keys] = await client.scan(cursor || '0', 'COUNT', 1000);
				cursor = next;
				for (const key of keys) this.bytes(place, Buffer.concat([Buffer.from(key), ...(await redisValues(client, key))]));
			}
		} finally {
			client.disconnect();
		}
	}

	/** Adds the search to the suite's evidence, and throws where a secret was found. */
	end(): void {
		const { places, found } = this;
		// scripts/run.mjs sets it, so that the search can be checked after all suites; else nothing is written
		const folder = process.env.ORDERED_EVIDENCE_FOLDER;
		if (folder) writeSearch(join(folder, `${this.suite}.jsonl`), { places, secrets: this.secrets.size, found });
		if (found.length > 0) throw new Error(`Secrets were found in what ${this.suite} left:\n${[...new Set(found.map(shown))].join('\n')}`);
	}

	/** The same secret may come from several places. */
	private knows(secret: string | Buffer): boolean {
		return [...this.secrets.values()].some((spelled) => spelled.get('as it is')?.equals(Buffer.from(secret)));
	}

	/** In the order in which they were found. */
	get findings(): readonly Finding[] {
		return this.found;
	}

	private sqlite(place: string, file: string): void {
		const database = new DatabaseSync(file, { readOnly: true });
		try {
			for (const { name } of database.prepare("select name from sqlite_master where type = 'table'").all()) {
				for (const row of database.prepare(`select * from "${String(name)}"`).iterate()) {
					this.bytes(place, Buffer.concat(Object.values(row).map((value) => (value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(`${String(value)}\n`)))));
				}
			}
		} finally {
			database.close();
		}
	}
}

/** How a secret may be written: as it is, and as JSON, addresses, forms, base64 and hexadecimal digits have it. */
export function spellings(secret: string | Buffer): Map<string, Buffer> {
	const bytes = Buffer.from(secret);
	const all = new Map<string, Buffer>();
	const add = (name: string, text: string | Buffer) => {
		const spelled = Buffer.from(text);
		if (![...all.values()].some((one) => one.equals(spelled))) all.set(name, spelled);
	};
	add('as it is', bytes);
	if (typeof secret === 'string') {
		const json = JSON.stringify(secret).slice(1, -1);
		add('JSON', json);
		add('JSON in JSON', JSON.stringify(json).slice(1, -1));
		add('in an address', encodeURI(secret));
		add('as a part of an address', encodeURIComponent(secret));
		add('in a form', new URLSearchParams({ '': secret }).toString().slice(1));
	}
	for (const before of [0, 1, 2]) add(`base64, ${before} bytes behind`, base64Behind(bytes, before, 'base64'));
	for (const before of [0, 1, 2]) add(`base64url, ${before} bytes behind`, base64Behind(bytes, before, 'base64url'));
	add('hexadecimal', bytes.toString('hex'));
	return all;
}

/** The characters that this secret alone decides, with so many bytes before it in a group of three and any behind it. */
function base64Behind(bytes: Buffer, before: number, encoding: 'base64' | 'base64url'): string {
	const text = Buffer.concat([Buffer.alloc(before), bytes]).toString(encoding);
	return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
}

async function redisValues(client: Redis, key: string): Promise<Buffer[]> {
	const type = await client.type(key);
	if (type === 'string') return [Buffer.from((await client.getBuffer(key)) ?? '')];
	if (type === 'list') return await client.lrangeBuffer(key, 0, -1);
	if (type === 'set') return await client.smembersBuffer(key);
	if (type === 'zset') return await client.zrangeBuffer(key, 0, -1, 'WITHSCORES');
	if (type === 'hash') return Object.entries(await client.hgetallBuffer(key)).flatMap(([field, value]) => [Buffer.from(`${field}\n`), value]);
	if (type === 'stream') return (await client.xrangeBuffer(key, '-', '+')).flatMap(([id, fields]) => [id, ...fields]);
	if (type === 'none') return []; // gone since it was listed
	throw new Error(`Redis has a ${type} at ${key}, which this search can't read.`);
}

/** Databases drop files of theirs while they run. */
function readIfThere(file: string): Buffer {
	try {
		return readFileSync(file);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
		throw error;
	}
}

/** In one piece, since several processes of jest write to it. */
function writeSearch(file: string, search: Search): void {
	mkdirSync(dirname(file), { recursive: true });
	appendFileSync(file, `${JSON.stringify(search)}\n`);
}

function shown({ place, secret, spelling, after }: Finding): string {
	return `  ${place}: ${secret} (${spelling}), after ${JSON.stringify(after)}`;
}
