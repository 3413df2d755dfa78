// The shared store of several n8n processes: one PostgreSQL and one Redis. Its fields are checked, tried, and opened here.
import { createHash } from 'node:crypto';
import { Socket } from 'node:net';
import type { Redis } from 'ioredis';
import type pg from 'pg';
import { Engine } from './engine';
import { InvalidInputError, LanesUnavailableError } from './errors';
import type { ReadLaneRecord } from './lanes/lanes';
import { pause } from './pause';
import type { Settings } from './settings';

/** What a user fills in once, in the credential `orderedStoreApi`. */
export interface StoreAccess {
	postgresUrl: string;
	redisUrl: string;
	/** Begins the name of each table and key. */
	namePrefix: string;
	ignoreSslIssues?: boolean;
}

/** How the lanes of this process behave towards those of others; times in ms. */
export interface SharedLanesTimes {
	/** How long a free chat waits for messages that should go first. */
	settleMs?: number;
	/** After how long a process that Redis does not hear of loses its chats. */
	leaseMs?: number;
}

export interface StoreCheck {
	ok: boolean;
	/** For a person; holds no password. */
	message: string;
}

const redisWithinMs = 10_000;
/** The code of a check whose time is over. */
const slow = 'noAnswer';

/** Names of the fields as the credential shows them. */
export const storeLabels = { postgresUrl: 'PostgreSQL URL', redisUrl: 'Redis URL', namePrefix: 'Name Prefix' } as const;

/** Trims and checks all fields. Throws {@link InvalidInputError}, never with the value of an address. */
export function checkedStore({ postgresUrl, redisUrl, namePrefix, ignoreSslIssues = false }: StoreAccess): Required<StoreAccess> {
	const prefix = namePrefix.trim();
	if (!/^[a-z_][a-z0-9_]{0,29}$/.test(prefix)) throw invalid('namePrefix', 'has to begin with a small letter or _ and may go on with small letters, digits and _, 30 in all');
	return {
		postgresUrl: checkedUrl('postgresUrl', postgresUrl, ['postgresql', 'postgres'], 'postgresql://user:password@host:5432/database'),
		redisUrl: checkedRedisUrl(redisUrl),
		namePrefix: prefix,
		ignoreSslIssues,
	};
}

/** Tells stores apart without telling their passwords: equal for equal fields. */
export function storeKey(access: StoreAccess): string {
	const { postgresUrl, redisUrl, namePrefix, ignoreSslIssues } = checkedStore(access);
	return createHash('sha256').update(JSON.stringify([postgresUrl, redisUrl, namePrefix, ignoreSslIssues])).digest('hex');
}

/** An engine on the store. Throws `InvalidInputError`, or why PostgreSQL or Redis can't be used. */
export async function openShared(access: StoreAccess, settings: Partial<Settings> = {}, times: SharedLanesTimes = {}): Promise<Engine> {
	const store = checkedStore(access);
	// lanes wait for a Redis that is away: right in the midst of work, but a wrong password would be told too late
	const redis = await checkRedis(store, redisWithinMs);
	if (!redis.ok) throw new LanesUnavailableError(redis.message.replace(/^Redis: (.*)\.$/, '$1'));
	const { PostgresLedger } = await import('./ledger/postgres');
	const { RedisLanes } = await import('./lanes/redis/redis');
	const ledger = await PostgresLedger.open({ url: store.postgresUrl, prefix: tablePrefix(store), ignoreSslIssues: store.ignoreSslIssues });
	const makeLanes = (readRecord: ReadLaneRecord) => RedisLanes.open({ url: store.redisUrl, prefix: store.namePrefix, tls: redisTls(store), readRecord, ...times });
	return await Engine.on(ledger, settings, makeLanes).catch(async (error: unknown) => {
		await ledger.close();
		throw error;
	});
}

/** Connects to both and tries what will be needed; leaves nothing behind. Ends within about `timeoutMs`. */
export async function checkStore(access: StoreAccess, timeoutMs: number): Promise<StoreCheck> {
	let store: Required<StoreAccess>;
	try {
		store = checkedStore(access);
	} catch (error) {
		return { ok: false, message: `${(error as Error).message}.` };
	}
	const [postgres, redis] = await Promise.all([checkPostgres(store, timeoutMs), checkRedis(store, timeoutMs)]);
	if (postgres.ok && redis.ok) return { ok: true, message: `Connected to ${postgres.message} and ${redis.message}` };
	const failed = [postgres, redis].filter(({ ok }) => !ok).map(({ message }) => message);
	const alright = postgres.ok ? ' PostgreSQL is all right.' : redis.ok ? ' Redis is all right.' : '';
	return { ok: false, message: failed.join(' ') + alright };
}

/** Table names are prefix, underscore, name. */
function tablePrefix({ namePrefix }: StoreAccess): string {
	return `${namePrefix}_`;
}

function redisTls({ ignoreSslIssues }: StoreAccess): { rejectUnauthorized: false } | undefined {
	return ignoreSslIssues ? { rejectUnauthorized: false } : undefined;
}

function invalid(field: keyof typeof storeLabels, problem: string): InvalidInputError {
	return new InvalidInputError(field, storeLabels[field], `${problem} (in the credential Ordered Store API)`);
}

function checkedUrl(field: 'postgresUrl' | 'redisUrl', value: string, schemes: string[], example: string): string {
	const spelling = value.trim();
	if (spelling === '') throw invalid(field, `is empty: enter an address such as ${example}`);
	const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(spelling)?.[1]?.toLowerCase();
	if (!scheme || !schemes.includes(scheme)) throw invalid(field, `has to begin with ${schemes.map((one) => `${one}://`).join(' or ')}, as in ${example}`);
	const url = URL.canParse(spelling) ? new URL(spelling) : undefined;
	const encoded = 'is no valid address. In its password, write each of @ : / ? # % as %40 %3A %2F %3F %23 %25';
	// a sign that ends the host part too early puts the rest of the password, with its @, behind it
	if (!url || url.pathname.includes('@') || url.search.includes('@') || url.hash !== '' || !decodes(url)) throw invalid(field, encoded);
	if (url.hostname === '') throw invalid(field, `names no host, as in ${example}`);
	return spelling;
}

function checkedRedisUrl(value: string): string {
	const spelling = checkedUrl('redisUrl', value, ['redis', 'rediss'], 'redis://:password@host:6379');
	if (!/^\/?\d*$/.test(new URL(spelling).pathname)) throw invalid('redisUrl', 'may hold nothing behind the host but the number of a database, as in redis://host:6379/0');
	return spelling;
}

function decodes({ username, password, pathname }: URL): boolean {
	try {
		return [username, password, pathname].map(decodeURIComponent).length > 0;
	} catch {
		return false;
	}
}

async function checkPostgres(store: Required<StoreAccess>, timeoutMs: number): Promise<StoreCheck> {
	const { hostname, port } = new URL(store.postgresUrl);
	const { default: pg } = await import('pg');
	const { withoutVerification } = await import('./ledger/postgres');
	// a socket of our own can be closed even where the server is silent
	const socket = new Socket();
	const client = new pg.Client({ connectionString: store.ignoreSslIssues ? withoutVerification(store.postgresUrl) : store.postgresUrl, stream: () => socket, application_name: 'n8n-nodes-ordered-evolutionapi' });
	client.on('error', () => {}); // the query that runs into it tells it
	try {
		return { ok: true, message: `PostgreSQL ${await inTime(tryPostgres(client, tablePrefix(store)), timeoutMs)}` };
	} catch (error) {
		return failed('PostgreSQL', postgresProblem(error as Problem, store) ?? networkProblem(error as Problem, `${hostname}:${port || 5432}`), store.postgresUrl);
	} finally {
		client.end().catch(() => {});
		socket.destroy();
	}
}

/** Gives the server's version. */
async function tryPostgres(client: pg.Client, prefix: string): Promise<string> {
	await client.connect();
	const { rows: [server] } = await client.query<{ version: string; readonly: string; there: string | null }>("select current_setting('server_version') as version, current_setting('transaction_read_only') as readonly, to_regclass($1)::text as there", [`${prefix}transactions`]);
	if (server?.readonly === 'on') throw Object.assign(new Error('read-only'), { code: '25006' });
	await client.query('begin');
	await client.query(server?.there ? `select 1 from ${prefix}transactions for update limit 0` : `create table ${prefix}check (one integer)`);
	await client.query('rollback');
	return server?.version.split(' ')[0] ?? '';
}

interface Problem extends Error {
	code?: string;
}

/** PostgreSQL's own codes: https://www.postgresql.org/docs/current/errcodes-appendix.html */
function postgresProblem({ code, message }: Problem, { postgresUrl }: StoreAccess): string | undefined {
	const url = new URL(postgresUrl);
	const user = decodeURIComponent(url.username);
	const database = decodeURIComponent(url.pathname.slice(1)) || user;
	if (code === '28P01') return `it refused the user "${user}" with this password. Check both in PostgreSQL URL`;
	if (/client password must be a string/.test(message)) return 'it asks for a password, and PostgreSQL URL has none: postgresql://user:password@…';
	if (code === '28000' && /no encryption|SSL off/.test(message)) return 'it takes no connection without TLS. Add ?sslmode=verify-full to PostgreSQL URL';
	if (code === '28000') return `it lets the user "${user}" not in: there is no such user, or its pg_hba.conf has no line for this host`;
	if (code === '3D000') return `it has no database "${database}". Create it, or correct the name at the end of PostgreSQL URL`;
	if (code === '42501') return `the user "${user}" may not create or change tables in "${database}". An administrator can allow it there: GRANT CREATE, USAGE ON SCHEMA public TO "${user}"`;
	if (code === '3F000') return `the user "${user}" has no schema to create tables in. Create one, or set its search_path`;
	if (code === '25006') return 'it only reads, as a standby does. Enter the address of the primary server';
	if (code === '53300') return 'it has no connection left. Raise its max_connections, or let fewer programs use it';
	if (code === '57P03') return 'it is just starting or stopping. Try again in a moment';
	if (/does not support SSL/.test(message)) return 'it offers no TLS. Remove sslmode from PostgreSQL URL, or switch TLS on in PostgreSQL';
	return undefined;
}

async function checkRedis(store: Required<StoreAccess>, timeoutMs: number): Promise<StoreCheck> {
	const { hostname, port } = new URL(store.redisUrl);
	const { Redis } = await import('ioredis');
	const client = new Redis(store.redisUrl, { lazyConnect: true, enableReadyCheck: false, retryStrategy: () => null, maxRetriesPerRequest: 0, disableClientInfo: true, ...(store.redisUrl.startsWith('rediss:') ? { tls: redisTls(store) ?? {} } : {}) });
	let told: Problem | undefined;
	client.on('error', (error: Problem) => void (told ??= error));
	try {
		return { ok: true, message: await inTime(tryRedis(client, store.namePrefix), timeoutMs) };
	} catch (error) {
		const problem = told ?? (error as Problem);
		return failed('Redis', redisProblem(problem, store) ?? networkProblem(problem, `${hostname}:${port || 6379}`), store.redisUrl);
	} finally {
		client.disconnect();
	}
}

/** Gives name and version, and a warning where it may forget. */
async function tryRedis(client: Redis, prefix: string): Promise<string> {
	await client.connect();
	await client.select(client.options.db ?? 0); // it says nothing of its own try
	const info = await client.info().catch((error: Error) => {
		if (!error.message.startsWith('NOPERM')) throw error;
		return '';
	});
	const fact = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
	if (fact('cluster_enabled') === '1') throw new Error('MOVED');
	const key = `${prefix}:check`;
	await client.eval("redis.call('set', KEYS[1], '1', 'PX', 1000) redis.call('publish', KEYS[1], '1') return redis.call('del', KEYS[1])", 1, key);
	await client.subscribe(key);
	const policy = fact('maxmemory_policy') ?? 'noeviction';
	const warning = policy === 'noeviction' ? '' : ` Warning: this Redis deletes keys when its memory is full (maxmemory-policy ${policy}), and with them places in the queue. Set maxmemory-policy noeviction.`;
	return `Redis ${fact('redis_version') ?? '(version not told)'}.${warning}`;
}

function redisProblem({ message, code }: Problem, { redisUrl, namePrefix }: StoreAccess): string | undefined {
	const tls = redisUrl.startsWith('rediss:');
	if (/^NOAUTH/.test(message)) return 'it asks for a password, and Redis URL has none: redis://:password@host:6379';
	if (/^WRONGPASS|invalid password/.test(message)) return 'it refused the password, or the user. Check both in Redis URL';
	if (/^MOVED/.test(message)) return 'it runs in cluster mode, which is not supported. Use a single Redis, or one with Sentinel behind one address';
	if (/^READONLY/.test(message)) return 'it only reads, as a replica does. Enter the address of the primary server';
	if (/^NOPERM/.test(message)) return `its user may not do all that is needed. An administrator can allow it: ACL SETUSER … ~${namePrefix}:* &${namePrefix}:* +@all`;
	if (/^LOADING/.test(message)) return 'it is still loading its data. Try again in a moment';
	if (/DB index is out of range/.test(message)) return 'it has no database of the number at the end of Redis URL. Use 0';
	if (tls && (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG' || /wrong version number|packet length too long|before secure TLS connection/.test(message))) return 'it offers no TLS at this port. Begin Redis URL with redis:// instead of rediss://';
	// Redis 7.0 takes the beginning of TLS for a command that goes on, and waits
	if (tls && code === slow) return 'it does not answer. Where it offers no TLS at this port, begin Redis URL with redis:// instead of rediss://; else check host and port';
	if (!tls && (code === 'ECONNRESET' || code === 'EPIPE' || /Connection is closed|Protocol error/.test(message))) return 'it closed the connection. Where it wants TLS, begin Redis URL with rediss://; else check that it is a Redis';
	return undefined;
}

const untrusted = /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|CERT_\w+|ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)$/;

function networkProblem({ code = '', message }: Problem, at: string): string {
	if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `the host of ${at} was not found. Check its name; in Docker, use the service's name`;
	if (code === 'ECONNREFUSED') return `nothing listens at ${at}. Check host and port, and that it runs; in Docker, use the service's name, not localhost`;
	if (['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', slow].includes(code)) return `${at} does not answer. Check host and port, and whether a firewall stands between`;
	if (untrusted.test(code)) return `its certificate is not trusted (${code}). Switch on Ignore SSL Issues for a server of your own, or give n8n its authority by NODE_EXTRA_CA_CERTS`;
	return `${message.replace(/[.!]?$/, '')} (${at})`;
}

/** `problem` is a sentence without its full stop; the password of `url` is taken out of it, however it is spelt. */
function failed(what: string, problem: string, url: string): StoreCheck {
	const { password } = new URL(url);
	const secrets = [password, decodeURIComponent(password)].filter((one) => one !== '');
	return { ok: false, message: `${what}: ${secrets.reduce((text, secret) => text.replaceAll(secret, '***'), problem)}.` };
}

/** Throws an error with the code {@link slow} after `timeoutMs`. */
async function inTime<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
	const over = new AbortController();
	work.catch(() => {}); // it may fail after its time
	try {
		const late = pause(timeoutMs, over.signal).then((): never => {
			throw Object.assign(new Error('no answer'), { code: slow });
		});
		late.catch(() => {});
		return await Promise.race([work, late]);
	} finally {
		over.abort();
	}
}
