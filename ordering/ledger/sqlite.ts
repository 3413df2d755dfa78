// The embedded ledger: one SQLite file that one process owns.
import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { BufferStore } from '../buffer/store';
import { LedgerInUseError, LedgerTooNewError, LedgerUnavailableError, OrderedSendError } from '../errors';
import { queriesFor } from './queries';
import { migrations } from './schema';
import { type Database, type Row, SqlLedger, type Value } from './sqlLedger';

interface Write {
	sql: string;
	values: Value[];
	resolve: (rows: Row[]) => void;
	reject: (error: unknown) => void;
}

const sqliteBusy = 5;
const queries = queriesFor('');

export class SqliteLedger extends SqlLedger {
	private constructor(
		private readonly file: SqliteDatabase,
		hashKey: string,
	) {
		super(file, queries, hashKey, new BufferStore(file, '', false));
	}

	/**
	 * Opens or creates `ledger.sqlite` in `folder`, for the process's owner only. Throws `LedgerInUseError`,
	 * `LedgerTooNewError` or `LedgerUnavailableError`.
	 */
	static open(folder: string): SqliteLedger {
		let lock: DatabaseSync | undefined;
		let database: DatabaseSync | undefined;
		try {
			mkdirSync(folder, { recursive: true, mode: 0o700 });
			const file = privateFile(join(folder, 'ledger.sqlite'));
			lock = lockFor(privateFile(join(folder, 'ledger.lock')), file);
			database = new DatabaseSync(file, { enableForeignKeyConstraints: true, timeout: 5000 });
			// FULL: what was told to be recorded outlives a power cut, too
			// secure_delete: what is deleted is overwritten, not only forgotten
			database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma secure_delete = on;');
			migrate(database);
			return new SqliteLedger(new SqliteDatabase(database, lock), hashKeyOf(database));
		} catch (error) {
			database?.close();
			lock?.close();
			throw toLedgerError(error);
		}
	}

	override async prune(before: number): Promise<number> {
		return await this.emptyingLog(super.prune(before));
	}

	override async pruneEnded(server: string, before: number, now: number): Promise<number> {
		return await this.emptyingLog(super.pruneEnded(server, before, now));
	}

	/** The write-ahead log holds what was deleted, too. */
	private async emptyingLog(pruning: Promise<number>): Promise<number> {
		const pruned = await pruning;
		await this.file.read('pragma wal_checkpoint(truncate)', []);
		return pruned;
	}
}

class SqliteDatabase implements Database {
	private readonly statements = new Map<string, StatementSync>();
	private writes: Write[] = [];
	private closed = false;

	constructor(
		private readonly database: DatabaseSync,
		private readonly lock: DatabaseSync,
	) {
		process.on('exit', this.closeNow);
	}

	async read(sql: string, values: Value[]): Promise<Row[]> {
		try {
			return this.run(sql, values);
		} catch (error) {
			throw toLedgerError(error);
		}
	}

	/** All writes of one turn of the event loop are one commit: single commits cost most of the throughput. */
	write(_key: string, sql: string, values: Value[]): Promise<Row[]> {
		return new Promise((resolve, reject) => {
			if (this.writes.length === 0) setImmediate(() => this.commit());
			this.writes.push({ sql, values, resolve, reject });
		});
	}

	async close(): Promise<void> {
		this.closeNow();
	}

	/** Also when the process ends: SQLite then empties and deletes its write-ahead log, which holds what was deleted. */
	private readonly closeNow = (): void => {
		if (this.closed) return;
		process.off('exit', this.closeNow);
		this.commit();
		this.closed = true;
		this.database.close();
		this.lock.close();
	};

	private commit(): void {
		const writes = this.writes;
		this.writes = [];
		if (writes.length === 0) return;
		try {
			if (this.closed) throw new Error('it has been closed');
			this.database.exec('begin immediate');
			const settle = writes.map((write) => this.runOne(write));
			this.database.exec('commit');
			for (const settled of settle) settled();
		} catch (error) {
			if (!this.closed && this.database.isTransaction) this.database.exec('rollback');
			for (const { reject } of writes) reject(toLedgerError(error));
		}
	}

	/** A statement that fails undoes nothing of the others; tells afterwards how to settle its promise. */
	private runOne({ sql, values, resolve, reject }: Write): () => void {
		try {
			const rows = this.run(sql, values);
			return () => resolve(rows);
		} catch (error) {
			// a full disk may have ended the whole transaction already
			if (!this.database.isTransaction) throw toLedgerError(error);
			return () => reject(toLedgerError(error));
		}
	}

	private run(sql: string, values: Value[]): Row[] {
		const statement = this.statements.get(sql) ?? this.database.prepare(sql);
		this.statements.set(sql, statement);
		// $1 is a name to SQLite
		return statement.all(Object.fromEntries(values.map((value, index) => [`$${index + 1}`, value])));
	}
}

function toLedgerError(error: unknown): OrderedSendError {
	return error instanceof OrderedSendError ? error : new LedgerUnavailableError((error as Error).message);
}

/** SQLite gives its -wal and -shm files the rights of the file itself. */
function privateFile(file: string): string {
	closeSync(openSync(file, 'a', 0o600));
	chmodSync(file, 0o600);
	return file;
}

/** A lock that the operating system takes back when the process dies: an open exclusive transaction on a file of its own. */
function lockFor(lockFile: string, ledgerFile: string): DatabaseSync {
	const lock = new DatabaseSync(lockFile, { timeout: 0 });
	try {
		lock.exec('begin exclusive');
		return lock;
	} catch (error) {
		lock.close();
		throw (error as { errcode?: number }).errcode === sqliteBusy ? new LedgerInUseError(ledgerFile) : toLedgerError(error);
	}
}

function migrate(database: DatabaseSync): void {
	const version = Number(database.prepare('pragma user_version').get()?.user_version ?? 0);
	if (version > migrations.length) throw new LedgerTooNewError(version, migrations.length);
	for (const [index, migration] of migrations.entries()) {
		if (index < version) continue;
		database.exec(`begin immediate; ${migration}; pragma user_version = ${index + 1}; commit;`);
	}
}

function hashKeyOf(database: DatabaseSync): string {
	database.prepare(queries.makeFact).run({ $1: 'hashKey', $2: randomBytes(32).toString('base64url') });
	return database.prepare(queries.fact).get({ $1: 'hashKey' })?.value as string;
}
