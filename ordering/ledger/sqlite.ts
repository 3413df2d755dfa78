// The embedded ledger: one SQLite file that one process owns.
import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { LedgerInUseError, LedgerTooNewError, LedgerUnavailableError, OrderedSendError, StaleFenceError } from '../errors';
import type { Chat, Step, Transaction } from '../transaction';
import type { Ledger } from './ledger';
import { migrations } from './schema';

type Row = Record<string, unknown>;
interface Write {
	run: () => unknown;
	resolve: (value: unknown) => void;
	reject: (error: unknown) => void;
}

const sqliteBusy = 5;

export class SqliteLedger implements Ledger {
	readonly hashKey: string;
	private readonly statements = new Map<string, StatementSync>();
	private writes: Write[] = [];
	private closed = false;

	private constructor(
		private readonly database: DatabaseSync,
		private readonly lock: DatabaseSync,
	) {
		process.on('exit', this.closeNow);
		this.hashKey = this.factOrNew('hashKey', () => randomBytes(32).toString('base64url'));
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
			return new SqliteLedger(database, lock);
		} catch (error) {
			database?.close();
			lock?.close();
			throw toLedgerError(error);
		}
	}

	async open(transaction: Transaction): Promise<{ transaction: Transaction; created: boolean }> {
		return await this.write(() => {
			const existing = this.load(transaction.chat.server, transaction.id);
			if (existing) return { transaction: existing, created: false };
			const { chat } = transaction;
			this.prepared(
				`insert into transactions (server, id, instance, recipient, status, content, origin, fence, created_at, ended_at, body)
				values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			).run(chat.server, transaction.id, chat.instance, chat.recipient, transaction.status, transaction.content, transaction.origin ?? null, transaction.queue.fence, transaction.createdAt, null, bodyOf(transaction));
			for (const step of transaction.steps) this.saveStep(transaction, step);
			return { transaction: structuredClone(transaction), created: true };
		});
	}

	async find(server: string, id: string): Promise<Transaction | undefined> {
		return this.read(() => this.load(server, id));
	}

	async findByOrigin(server: string, origin: string): Promise<Transaction | undefined> {
		return this.read(() => {
			const row = this.prepared('select id from transactions where server = ? and origin = ? order by created_at desc, rowid desc limit 1').get(server, origin);
			return row && this.load(server, row.id as string);
		});
	}

	async save(transaction: Transaction): Promise<void> {
		const copy = structuredClone(transaction);
		await this.write(() => {
			const { chat, queue } = copy;
			const { changes } = this.prepared('update transactions set status = ?, recipient = ?, fence = ?, ended_at = ?, body = ? where server = ? and id = ? and fence <= ?').run(
				copy.status, chat.recipient, queue.fence, copy.endedAt ?? null, bodyOf(copy), chat.server, copy.id, queue.fence,
			);
			if (changes === 0) throw new StaleFenceError();
			for (const step of copy.steps) this.saveStep(copy, step);
		});
	}

	async highestFence(chat: Chat): Promise<number> {
		return this.read(() => Number(this.prepared('select max(fence) as fence from transactions where server = ? and instance = ? and (recipient = ? or recipient in (select jid from chat_links where server = ? and instance = ? and recipient = ?))').get(...keyOf(chat), ...keyOf(chat))?.fence ?? 0));
	}

	async unsettled(chat: Chat, exceptId: string, now: number): Promise<Transaction[]> {
		return this.read(() =>
			this.loadAll(
				`select distinct t.server, t.id, t.created_at from transactions t join steps s on s.server = t.server and s.transaction_id = t.id
				where t.server = ? and t.instance = ? and t.id <> ?
				and (t.recipient = ? or t.recipient in (select jid from chat_links where server = ? and instance = ? and recipient = ?))
				and ((t.status = 'open' and s.status <> 'pending') or (s.status = 'inDoubt' and s.doubt_until > ?))
				order by t.created_at`,
				chat.server, chat.instance, exceptId, chat.recipient, ...keyOf(chat), now,
			),
		);
	}

	async neverBegun(createdBefore: number): Promise<Transaction[]> {
		return this.read(() =>
			this.loadAll(
				`select t.server, t.id from transactions t where t.status = 'open' and t.created_at < ?
				and not exists (select 1 from steps s where s.server = t.server and s.transaction_id = t.id and s.status <> 'pending')`,
				createdBefore,
			),
		);
	}

	async ownsMessage(server: string, messageId: string): Promise<boolean> {
		return this.read(() => this.prepared('select 1 from steps where server = ? and message_id = ? limit 1').get(server, messageId) !== undefined);
	}

	async linkChat(chat: Chat, jid: string): Promise<void> {
		await this.write(() => {
			this.prepared('insert into chat_links (server, instance, jid, recipient) values (?, ?, ?, ?) on conflict (server, instance, jid) do update set recipient = excluded.recipient').run(chat.server, chat.instance, jid, chat.recipient);
		});
	}

	async linkedChat(chat: Chat): Promise<Chat> {
		return this.read(() => {
			const next = this.prepared('select recipient from chat_links where server = ? and instance = ? and jid = ?');
			const seen = new Set([chat.recipient]);
			let linked = chat;
			for (let row = next.get(...keyOf(linked)); row && !seen.has(row.recipient as string); row = next.get(...keyOf(linked))) {
				linked = { ...chat, recipient: row.recipient as string };
				seen.add(linked.recipient);
			}
			return linked;
		});
	}

	async linkedJids(chat: Chat): Promise<string[]> {
		return this.read(() => this.prepared('select jid from chat_links where server = ? and instance = ? and recipient = ?').all(...keyOf(chat)).map((row) => row.jid as string));
	}

	async prune(endedBefore: number): Promise<number> {
		const pruned = await this.write(() => Number(this.prepared('delete from transactions where ended_at < ?').run(endedBefore).changes));
		this.read(() => this.database.exec('pragma wal_checkpoint(truncate)')); // the log holds what was deleted, too
		return pruned;
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

	/** All writes of one turn of the event loop are one commit: single commits cost most of the throughput. */
	private write<T>(run: () => T): Promise<T> {
		return new Promise<T>((resolve, reject) => {
			if (this.writes.length === 0) setImmediate(() => this.commit());
			this.writes.push({ run, resolve: resolve as (value: unknown) => void, reject });
		});
	}

	private commit(): void {
		const writes = this.writes;
		this.writes = [];
		if (writes.length === 0) return;
		try {
			if (this.closed) throw new Error('it has been closed');
			this.database.exec('begin immediate');
			const settle = writes.map((write) => this.runInSavepoint(write));
			this.database.exec('commit');
			for (const settled of settle) settled();
		} catch (error) {
			if (!this.closed && this.database.isTransaction) this.database.exec('rollback');
			for (const { reject } of writes) reject(toLedgerError(error));
		}
	}

	/** Runs one write so that its failure undoes nothing of the others; tells afterwards how to settle its promise. */
	private runInSavepoint({ run, resolve, reject }: Write): () => void {
		this.database.exec('savepoint one');
		try {
			const value = run();
			this.database.exec('release one');
			return () => resolve(value);
		} catch (error) {
			// a full disk may have ended the whole transaction already
			if (!this.database.isTransaction) throw toLedgerError(error);
			this.database.exec('rollback to one; release one');
			return () => reject(toLedgerError(error));
		}
	}

	private read<T>(run: () => T): T {
		try {
			return run();
		} catch (error) {
			throw toLedgerError(error);
		}
	}

	private saveStep(transaction: Transaction, step: Step): void {
		this.prepared(
			`insert into steps (server, transaction_id, step_index, type, status, message_id, doubt_until, body) values (?, ?, ?, ?, ?, ?, ?, ?)
			on conflict (server, transaction_id, step_index) do update set status = excluded.status, message_id = excluded.message_id, doubt_until = excluded.doubt_until, body = excluded.body`,
		).run(transaction.chat.server, transaction.id, step.index, step.type, step.status, step.messageId ?? null, step.doubtUntil ?? null, JSON.stringify(step));
	}

	private load(server: string, id: string): Transaction | undefined {
		const row = this.prepared('select * from transactions where server = ? and id = ?').get(server, id);
		if (!row) return undefined;
		const steps = this.prepared('select body from steps where server = ? and transaction_id = ? order by step_index').all(server, id);
		return {
			...(JSON.parse(row.body as string) as Transaction),
			id,
			chat: { server, instance: row.instance as string, recipient: row.recipient as string },
			status: row.status as Transaction['status'],
			content: row.content as string,
			...(row.origin === null ? {} : { origin: row.origin as string }),
			steps: steps.map((step) => JSON.parse(step.body as string) as Step),
			createdAt: row.created_at as number,
			...(row.ended_at === null ? {} : { endedAt: row.ended_at as number }),
		};
	}

	private loadAll(sql: string, ...values: SQLInputValue[]): Transaction[] {
		return this.prepared(sql).all(...values).flatMap((row: Row) => this.load(row.server as string, row.id as string) ?? []);
	}

	private prepared(sql: string): StatementSync {
		const known = this.statements.get(sql) ?? this.database.prepare(sql);
		this.statements.set(sql, known);
		return known;
	}

	private factOrNew(name: string, make: () => string): string {
		this.prepared('insert into facts (name, value) values (?, ?) on conflict (name) do nothing').run(name, make());
		return this.prepared('select value from facts where name = ?').get(name)?.value as string;
	}
}

function toLedgerError(error: unknown): OrderedSendError {
	return error instanceof OrderedSendError ? error : new LedgerUnavailableError((error as Error).message);
}

/** What stands in no column of its own. */
function bodyOf({ definition, failure, failedForGood, duplicatePossible, queue, errorCallback, webhook, text }: Transaction): string {
	return JSON.stringify({ definition, failure, failedForGood, duplicatePossible, queue, errorCallback, webhook, text });
}

function keyOf(chat: Chat): [string, string, string] {
	return [chat.server, chat.instance, chat.recipient];
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
