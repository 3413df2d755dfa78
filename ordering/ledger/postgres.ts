// The shared ledger: a PostgreSQL database that many processes work on at once.
import { randomBytes } from 'node:crypto';
import pRetry from 'p-retry';
import pg from 'pg';
import { BufferStore } from '../buffer/store';
import { LedgerTooNewError, LedgerUnavailableError, OrderedSendError } from '../errors';
import { queriesFor } from './queries';
import { postgresMigrations } from './schema';
import { type Database, type Row, SqlLedger, type Value } from './sqlLedger';

export interface PostgresOptions {
	/** As in `postgres://user:password@host:5432/database?sslmode=verify-full`. */
	url: string;
	/** Goes before the name of each table, so that several ledgers fit into one database. */
	prefix: string;
	/** Takes any certificate, where the URL asks for TLS. */
	ignoreSslIssues?: boolean;
	/** Most connections of this process; 10. */
	connections?: number;
	/** For how long what may pass (a restart, a lost connection) is tried again; 10 s. */
	retryMs?: number;
}

const connectMs = 5000;
const queryMs = 15_000;
/** A migration may have to wait for another process's. */
const migrationMs = 600_000;

export class PostgresLedger extends SqlLedger {
	/** Connects, and makes or updates the tables. Throws `LedgerUnavailableError` or `LedgerTooNewError`. */
	static async open(options: PostgresOptions): Promise<PostgresLedger> {
		const prefix = checkedPrefix(options.prefix);
		const database = new PostgresDatabase(options);
		const queries = queriesFor(prefix);
		try {
			await database.migrate(prefix);
			await database.write('facts', queries.makeFact, ['hashKey', randomBytes(32).toString('base64url')]);
			const [fact] = await database.read(queries.fact, ['hashKey']);
			return new PostgresLedger(database, queries, fact?.value as string, new BufferStore(database, prefix, true));
		} catch (error) {
			await database.close();
			throw database.toLedgerError(error);
		}
	}
}

class PostgresDatabase implements Database {
	private readonly pool: pg.Pool;
	private readonly secrets: string[];
	private readonly retryMs: number;
	private readonly underWay = new Set<Promise<unknown>>();
	/** The last write of each key that has writes under way. */
	private readonly lastWrites = new Map<string, Promise<unknown>>();
	private closed = false;

	constructor({ url, ignoreSslIssues, connections = 10, retryMs = 10_000 }: PostgresOptions) {
		this.secrets = secretsIn(url);
		this.retryMs = retryMs;
		this.pool = new pg.Pool({
			connectionString: ignoreSslIssues ? withoutVerification(checkedUrl(url)) : checkedUrl(url),
			max: connections,
			connectionTimeoutMillis: connectMs,
			query_timeout: queryMs,
			keepAlive: true,
			application_name: 'n8n-nodes-ordered-evolutionapi',
			types: { getTypeParser: parserOf },
		});
		// of an idle connection: the pool drops it by itself
		this.pool.on('error', () => {});
	}

	async read(sql: string, values: Value[]): Promise<Row[]> {
		return await this.tracked(() => this.query(sql, values));
	}

	async write(key: string, sql: string, values: Value[]): Promise<Row[]> {
		const before = this.lastWrites.get(key);
		const writing = this.tracked(async () => {
			await before?.catch(() => {});
			return await this.query(sql, values);
		});
		this.lastWrites.set(key, writing);
		try {
			return await writing;
		} finally {
			if (this.lastWrites.get(key) === writing) this.lastWrites.delete(key);
		}
	}

	/** Brings the tables up to date; of many processes that start at once, one does it and the others wait. */
	async migrate(prefix: string): Promise<void> {
		await this.retrying(async () => {
			const client = await this.pool.connect();
			client.on('error', () => {}); // the query that runs into it tells it
			let done = false;
			try {
				await migrateWith(client, prefix);
				done = true;
			} finally {
				client.release(!done); // closing it rolls back
			}
		});
	}

	async close(): Promise<void> {
		if (this.closed) return;
		this.closed = true;
		// the pool forgets queries that still wait for a connection
		await Promise.allSettled(this.underWay);
		await this.pool.end();
	}

	toLedgerError(error: unknown): OrderedSendError {
		if (error instanceof OrderedSendError) return error;
		return unavailable(this.secrets.reduce((message, secret) => message.replaceAll(secret, '***'), messageOf(error as Error)));
	}

	private async tracked<T>(run: () => Promise<T>): Promise<T> {
		if (this.closed) throw unavailable('it has been closed');
		const running = run();
		this.underWay.add(running);
		try {
			return await running;
		} finally {
			this.underWay.delete(running);
		}
	}

	private async query(sql: string, values: Value[]): Promise<Row[]> {
		return await this.retrying(async () => (await this.pool.query<Row>(sql, values)).rows);
	}

	/** Runs what may be run twice until it succeeds, fails for a reason that stays, or the time for it is over. */
	private async retrying<T>(run: () => Promise<T>): Promise<T> {
		try {
			return await pRetry(() => run().catch((error: unknown) => Promise.reject(new Failed(error))), {
				retries: Infinity,
				maxRetryTime: this.retryMs,
				minTimeout: 50,
				maxTimeout: 1000,
				randomize: true,
				shouldRetry: ({ error }) => error instanceof Failed && mayPass(error.reason),
			});
		} catch (error) {
			throw this.toLedgerError(error instanceof Failed ? error.reason : error);
		}
	}
}

/** Carries whatever was thrown through p-retry, which takes only `Error`s of its own realm. */
class Failed extends Error {
	constructor(readonly reason: unknown) {
		super('a query failed');
	}
}

function unavailable(what: string): LedgerUnavailableError {
	return new LedgerUnavailableError(what, 'Check that PostgreSQL runs, and its address, user and password in the credential Ordered Store API. Run it again with the same transaction ID.');
}

/** All of it or nothing. */
async function migrateWith(client: pg.PoolClient, prefix: string): Promise<void> {
	const query = async (text: string, values: Value[] = []) => {
		const patient = { text, values, query_timeout: migrationMs };
		return (await client.query<Row>(patient)).rows;
	};
	const versions = `${prefix}schema_version`;
	const migrations = postgresMigrations(prefix);
	await query('begin');
	// held by the transaction, not the session: so it works behind a pooler that lends connections by transaction, too
	await query('select pg_advisory_xact_lock(hashtext($1))', [versions]);
	// asked first: "create … if not exists" wants the right to create even where it exists
	const [found] = await query('select to_regclass($1) as found', [versions]);
	if (found?.found === null) await query(`create table ${versions} (version integer not null)`);
	const [row] = await query(`select version from ${versions}`);
	const version = Number(row?.version ?? 0);
	if (version > migrations.length) throw new LedgerTooNewError(version, migrations.length);
	if (version < migrations.length) {
		for (const migration of migrations.slice(version)) await query(migration);
		await query(row ? `update ${versions} set version = $1` : `insert into ${versions} (version) values ($1)`, [migrations.length]);
	}
	await query('commit');
}

/** 64-bit integers as numbers: all that are in the ledger are small enough. */
function parserOf(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
	return oid === pg.types.builtins.INT8 ? Number : (pg.types.getTypeParser(oid, format as 'text') as (value: string) => unknown);
}

const passing = new Set([
	...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'],
	...['ENOTFOUND', 'EAI_AGAIN'], // a container that is restarted has no name meanwhile
	'25006', // read-only: a standby that is becoming the primary
	'40001', // serialization failure
	'40P01', // deadlock
	'53300', // too many connections
	...['57P01', '57P02', '57P03'], // shut down, crashed, not ready yet
]);

/** Whether a failure is of the connection or the moment, not of the query. */
function mayPass(error: unknown): boolean {
	const { code = '', message } = error as { code?: string; message: string };
	return passing.has(code) || code.startsWith('08') || /^(Connection terminated|timeout e|Client has encountered)/.test(message);
}

/** Of a name with several addresses, Node tells the failure of each, and no message. */
function messageOf(error: Error): string {
	const { errors } = error as Partial<AggregateError>;
	return errors ? errors.map(({ message }: Error) => message).join(', ') : error.message;
}

function checkedPrefix(prefix: string): string {
	if (!/^[a-z_][a-z0-9_]{0,30}$/.test(prefix)) throw unavailable('the prefix of its tables may hold small letters, digits and underscores, and has at most 31 of them');
	return prefix;
}

/** Tells what is wrong with a URL without telling the URL. */
function checkedUrl(url: string): string {
	if (!/^postgres(ql)?:\/\//.test(url)) throw unavailable('the address of PostgreSQL has to begin with postgres://');
	const encoded = 'the address of PostgreSQL is not valid; in its password, each of @ : / ? # % has to be percent-encoded';
	if (!URL.canParse(url) || new URL(url).pathname.includes('@')) throw unavailable(encoded);
	return url;
}

/** The address with certificates not checked, where it asks for TLS at all. */
export function withoutVerification(url: string): string {
	const changed = new URL(url);
	const { searchParams } = changed;
	const asksForTls = !['disable', null].includes(searchParams.get('sslmode')) || ['true', '1'].includes(searchParams.get('ssl') ?? '');
	if (asksForTls) searchParams.set('sslmode', 'no-verify');
	searchParams.delete('uselibpqcompat'); // it knows no such mode
	return changed.href;
}

/** What must be in no message: the password, as it stands in the URL and as it is meant. */
function secretsIn(url: string): string[] {
	const raw = /^[^:]*:\/\/[^:@/]*:(.*)@/.exec(url)?.[1] ?? '';
	return [url, raw, decoded(raw)].filter((secret) => secret !== '');
}

function decoded(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}
