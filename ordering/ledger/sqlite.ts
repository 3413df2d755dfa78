// The embedded ledger: one SQLite file that one process owns.
import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, fdatasync, fdatasyncSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { promisify } from 'node:util';
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

/** Told why its commit is not on the disk; undefined where it is. */
type Settle = (notOnDisk: unknown) => void;

const sqliteBusy = 5;
const syncToDisk = promisify(fdatasync);
const nextTurn = promisify(setImmediate);
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
			// NORMAL: SQLite writes its log without waiting for the disk, which would stop the whole process; SqliteDatabase waits
			// secure_delete: what is deleted is overwritten, not only forgotten
			database.exec('pragma journal_mode = wal; pragma synchronous = normal; pragma secure_delete = on;');
			migrate(database);
			const hashKey = hashKeyOf(database);
			return new SqliteLedger(new SqliteDatabase(database, lock, openSync(`${file}-wal`, 'r+')), hashKey);
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
	/** Committed, and not yet known to be on the disk; tell how to settle their promises. */
	private syncing: Settle[] = [];
	private closed = false;

	/** `log`: SQLite's write-ahead log, which stays the same file as long as the database is open. */
	constructor(
		private readonly database: DatabaseSync,
		private readonly lock: DatabaseSync,
		private readonly log: number,
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

	/** All writes of one turn of the event loop, and those that come while the disk is at work, are one commit. */
	write(_key: string, sql: string, values: Value[]): Promise<Row[]> {
		return new Promise((resolve, reject) => {
			if (this.writes.length === 0 && this.syncing.length === 0) setImmediate(() => void this.commitAll());
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
		this.settle(errorOf(() => fdatasyncSync(this.log)));
		this.closed = true;
		closeSync(this.log);
		this.database.close();
		this.lock.close();
	};

	/**
	 * The disk is waited for beside the event loop, not in it: with SQLite's own waiting (`synchronous = full`) that was
	 * four fifths of the time that a send cost an n8n process. A killed process loses nothing even before that.
	 */
	private async commitAll(): Promise<void> {
		while (this.writes.length > 0) {
			this.commit();
			if (this.syncing.length === 0) continue;
			this.settle(await syncToDisk(this.log).then(() => undefined, (error: unknown) => error));
			if (this.writes.length > 0) await nextTurn(); // what those that were told write next goes with it
		}
	}

	private settle(error: unknown): void {
		const settling = this.syncing;
		this.syncing = [];
		for (const settle of settling) settle(error);
	}

	private commit(): void {
		const writes = this.writes;
		this.writes = [];
		if (writes.length === 0) return;
		try {
			if (this.closed) throw new Error('it has been closed');
			this.database.exec('begin immediate');
			const settle = writes.map((write) => this.runOne(write));
			this.database.exec('commit');
			this.syncing.push(...settle);
		} catch (error) {
			if (!this.closed && this.database.isTransaction) this.database.exec('rollback');
			for (const { reject } of writes) reject(toLedgerError(error));
		}
	}

	/** A statement that fails undoes nothing of the others; tells how to settle its promise. */
	private runOne({ sql, values, resolve, reject }: Write): Settle {
		try {
			const rows = this.run(sql, values);
			return (notOnDisk) => (notOnDisk ? reject(toLedgerError(notOnDisk)) : resolve(rows));
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

function errorOf(act: () => void): unknown {
	try {
		act();
		return undefined;
	} catch (error) {
		return error;
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
