// The embedded ledger: one SQLite file of one process, which outlives its death.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { LedgerInUseError, LedgerTooNewError, LedgerUnavailableError, StaleFenceError } from '../../../ordering/errors';
import { queriesFor } from '../../../ordering/ledger/queries';
import { migrations } from '../../../ordering/ledger/schema';
import { SqliteLedger } from '../../../ordering/ledger/sqlite';
import type { Value } from '../../../ordering/ledger/sqlLedger';
import { closeTransaction } from '../../../ordering/run';
import type { Definition, PlannedStep } from '../../../ordering/plan';
import { moveStep, type Transaction } from '../../../ordering/transaction';
import { endWithTest, temporaryFolder, thrownBy, thrownIn } from '../../evolution/helpers';
import { ledgerContract } from './contract';
import { chat, definition, failure, plannedWebhook, step, transaction } from './fixtures';
import { hotQueries } from './hotQueries';

ledgerContract('SqliteLedger', () => {
	const folder = temporaryFolder();
	let ledger = SqliteLedger.open(folder);
	return {
		ledger,
		reopened: async () => {
			await ledger.close();
			return (ledger = SqliteLedger.open(folder));
		},
		close: () => ledger.close(),
	};
});

function opened(folder: string): SqliteLedger {
	const ledger = SqliteLedger.open(folder);
	endWithTest(() => ledger.close());
	return ledger;
}

/** For what only its file can do or tell. */
function databaseOf(ledger: SqliteLedger): DatabaseSync {
	return (ledger as unknown as { file: { database: DatabaseSync } }).file.database;
}

/** Runs code with the ledger in a process of its own; resolves with its first line of output. */
async function inAnotherProcess(code: string): Promise<{ child: ChildProcess; said: string }> {
	const child = spawn(process.execPath, ['--import', 'tsx', '-e', `const { SqliteLedger } = require('./ordering/ledger/sqlite.ts'); ${code}`], { cwd: join(__dirname, '../../..'), stdio: ['ignore', 'pipe', 'inherit'] });
	endWithTest(() => child.kill('SIGKILL'));
	const [said] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
	return { child, said: said.toString().trim() };
}

const staysOpen = 'setInterval(() => {}, 1000);';

test('its files and its folder are for their owner only', async () => {
	const folder = join(temporaryFolder(), 'a', 'b');
	const ledger = opened(folder);
	await ledger.open(transaction());
	const names = readdirSync(folder);
	expect(names).toEqual(expect.arrayContaining(['ledger.sqlite', 'ledger.sqlite-wal', 'ledger.lock']));
	for (const name of names) expect([name, (statSync(join(folder, name)).mode & 0o777).toString(8)]).toEqual([name, '600']);
	expect((statSync(folder).mode & 0o777).toString(8)).toBe('700');
});

test('files that others could read are closed to them', () => {
	const folder = temporaryFolder();
	writeFileSync(join(folder, 'ledger.sqlite'), '', { mode: 0o644 });
	chmodSync(join(folder, 'ledger.sqlite'), 0o644);
	opened(folder);
	expect((statSync(join(folder, 'ledger.sqlite')).mode & 0o777).toString(8)).toBe('600');
});

describe('a second owner', () => {
	test('in this process is refused by its name', () => {
		const folder = temporaryFolder();
		opened(folder);
		const error = thrownIn(() => SqliteLedger.open(folder)) as LedgerInUseError;
		expect(error).toBeInstanceOf(LedgerInUseError);
		expect(error.failure).toMatchObject({ code: 'ledgerInUse', message: `The ledger ${join(folder, 'ledger.sqlite')} is in use by another n8n process`, hint: expect.stringContaining('N8N_USER_FOLDER') });
	});

	test('may open it when the first has closed it', async () => {
		const folder = temporaryFolder();
		await SqliteLedger.open(folder).close();
		expect(opened(folder)).toBeInstanceOf(SqliteLedger);
	});

	test('in another process is refused, and may open it when that process was killed', async () => {
		const folder = temporaryFolder();
		const { child, said } = await inAnotherProcess(`SqliteLedger.open(${JSON.stringify(folder)}); console.log('open'); ${staysOpen}`);
		expect(said).toBe('open');
		expect(thrownIn(() => SqliteLedger.open(folder))).toBeInstanceOf(LedgerInUseError);
		child.kill('SIGKILL');
		await once(child, 'exit');
		expect(opened(folder)).toBeInstanceOf(SqliteLedger);
	});

	test('is refused at once, without waiting', () => {
		const folder = temporaryFolder();
		opened(folder);
		const began = performance.now();
		thrownIn(() => SqliteLedger.open(folder));
		expect(performance.now() - began).toBeLessThan(1000);
	});
});

test('what was told to be recorded is there after the process was killed', async () => {
	const folder = temporaryFolder();
	const { child, said } = await inAnotherProcess(`
		const ledger = SqliteLedger.open(${JSON.stringify(folder)});
		const one = ${JSON.stringify(transaction({ id: 'durable' }))};
		(async () => {
			await ledger.open(one);
			one.steps[0].status = 'running';
			await ledger.save(one);
			process.stdout.write('recorded');
			process.kill(process.pid, 'SIGKILL');
		})();
	`);
	if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
	expect(said).toBe('recorded');
	expect(await opened(folder).find(chat.server, 'durable')).toMatchObject({ id: 'durable', steps: [{ status: 'running' }] });
});

test('a process that ends leaves no log behind, in which deleted content could be read', async () => {
	const folder = temporaryFolder();
	const { child, said } = await inAnotherProcess(`
		const ledger = SqliteLedger.open(${JSON.stringify(folder)});
		void ledger.open(${JSON.stringify(transaction({ id: 'last' }))}).then(() => {
			process.stdout.write('recorded');
			setTimeout(() => process.exit(0), 50);
		});
	`);
	expect(said).toBe('recorded');
	if (child.exitCode === null) await once(child, 'exit');
	expect(readdirSync(folder).sort()).toEqual(['ledger.lock', 'ledger.sqlite']);
	expect(await opened(folder).find(chat.server, 'last')).toMatchObject({ id: 'last' });
});

describe('many writes of one turn', () => {
	test('are one commit', async () => {
		const folder = temporaryFolder();
		const ledger = opened(folder);
		const watcher = new DatabaseSync(join(folder, 'ledger.sqlite'), { readOnly: true });
		endWithTest(() => watcher.close());
		const count = () => Number(watcher.prepare('select count(*) as n from transactions').get()?.n);
		const seen = new Set<number>();
		const opening = Array.from({ length: 100 }, (_, i) => ledger.open(transaction({ id: `t${i}` })).then(() => seen.add(count())));
		expect(count()).toBe(0);
		await Promise.all(opening);
		expect(seen).toEqual(new Set([100]));
	});

	test('of which one fails are recorded but for that one', async () => {
		const ledger = opened(temporaryFolder());
		const fenced = transaction({ id: 'fenced', queue: { ticket: 1, waitedMs: 0, late: false, fence: 5 } });
		await ledger.open(fenced);
		const outcomes = await Promise.allSettled([
			ledger.open(transaction({ id: 'before' })),
			ledger.save({ ...fenced, queue: { ...fenced.queue, fence: 1 } }),
			ledger.open(transaction({ id: 'broken', createdAt: null as never })),
			ledger.open(transaction({ id: 'after' })),
		]);
		expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
		expect((outcomes[1] as PromiseRejectedResult).reason).toBeInstanceOf(StaleFenceError);
		expect((outcomes[2] as PromiseRejectedResult).reason).toBeInstanceOf(LedgerUnavailableError);
		expect(await ledger.find(chat.server, 'before')).toBeDefined();
		expect(await ledger.find(chat.server, 'after')).toBeDefined();
		expect(await ledger.find(chat.server, 'broken')).toBeUndefined();
	});

	test('that are under way when it is closed are recorded', async () => {
		const folder = temporaryFolder();
		const ledger = SqliteLedger.open(folder);
		const writing = ledger.open(transaction({ id: 'last' }));
		await ledger.close();
		await writing;
		expect(await opened(folder).find(chat.server, 'last')).toBeDefined();
	});
});

test('a closed ledger refuses reads and writes, and may be closed again', async () => {
	const ledger = SqliteLedger.open(temporaryFolder());
	await ledger.close();
	await ledger.close();
	expect(await thrownBy(ledger.open(transaction()))).toBeInstanceOf(LedgerUnavailableError);
	expect(await thrownBy(ledger.find(chat.server, 'x'))).toBeInstanceOf(LedgerUnavailableError);
});

test('a disk without room is told, and what was recorded stays', async () => {
	const folder = temporaryFolder();
	const ledger = opened(folder);
	await ledger.open(transaction({ id: 'before' }));
	const database = databaseOf(ledger);
	const pages = Number(database.prepare('pragma page_count').get()?.page_count);
	database.exec(`pragma max_page_count = ${pages}`);
	const outcomes = await Promise.allSettled(Array.from({ length: 50 }, (_, i) => ledger.open(transaction({ id: `big ${i}`, steps: [step({ text: 'x'.repeat(100_000) })] }))));
	const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
	expect(refused.length).toBeGreaterThan(0);
	for (const { reason } of refused as PromiseRejectedResult[]) expect(reason).toMatchObject({ failure: { code: 'ledgerUnavailable', message: expect.stringContaining('full') } });
	database.exec('pragma max_page_count = 1000000');
	await ledger.open(transaction({ id: 'after' }));
	expect(await ledger.find(chat.server, 'before')).toBeDefined();
	expect(await ledger.find(chat.server, 'after')).toBeDefined();
});

describe('the schema', () => {
	test('of a newer version is refused, and left as it is', async () => {
		const folder = temporaryFolder();
		await SqliteLedger.open(folder).close();
		const file = new DatabaseSync(join(folder, 'ledger.sqlite'));
		file.exec(`pragma user_version = ${migrations.length + 1}`);
		file.close();
		const error = thrownIn(() => SqliteLedger.open(folder)) as LedgerTooNewError;
		expect(error).toBeInstanceOf(LedgerTooNewError);
		expect(error.failure).toMatchObject({ code: 'ledgerTooNew', message: expect.stringContaining(`schema ${migrations.length + 1}, this version knows ${migrations.length}`), hint: expect.stringContaining('Update') });
		expect(thrownIn(() => SqliteLedger.open(folder))).toBeInstanceOf(LedgerTooNewError); // and no lock is left behind
	});

	test.each(migrations.map((_, version) => version))('of version %i is brought up to date, with its data', async (version) => {
		const folder = temporaryFolder();
		const old = new DatabaseSync(join(folder, 'ledger.sqlite'));
		for (const migration of migrations.slice(0, version)) old.exec(migration);
		old.exec(`pragma user_version = ${version}`);
		old.close();
		const ledger = SqliteLedger.open(folder);
		await ledger.open(transaction({ id: 'a' }));
		await ledger.close();
		const now = new DatabaseSync(join(folder, 'ledger.sqlite'));
		endWithTest(() => now.close());
		expect(now.prepare('pragma user_version').get()?.user_version).toBe(migrations.length);
		expect(now.prepare('pragma integrity_check').get()?.integrity_check).toBe('ok');
	});

	describe('of version 1', () => {
		type OldTransaction = Omit<Transaction, 'definition'> & { definition?: Record<string, unknown>; webhook?: { statusCode: number; body: unknown }; text?: string };

		const before: OldTransaction[] = [
			{ ...transaction({ id: 'ended', origin: 'o', createdAt: 1, endedAt: 2, status: 'completed', steps: [step({ status: 'done', messageId: 'M1', attempts: 2 }), step({ index: 1, type: 'webhook', status: 'done', statusCode: 200 })], queue: { ticket: 3, waitedMs: 4, late: true, fence: 5 } }), definition: undefined, webhook: { statusCode: 200, body: { deep: [null, 'ü\u0000'] } }, text: 'kept text' },
			{ ...transaction({ id: 'begun', createdAt: 3, steps: [step({ status: 'running' }), step({ index: 1, type: 'webhook' })] }), definition: oldDefinition({ url: 'http://hook.test', method: 'POST' }) },
			{ ...transaction({ id: 'in doubt', createdAt: 4, endedAt: 5, status: 'inDoubt', failure, steps: [step({ status: 'inDoubt', doubtUntil: 1000 })] }), definition: oldDefinition() },
			{ ...transaction({ id: 'to be told', createdAt: 6, endedAt: 7, status: 'failed', failure, errorCallback: { url: 'http://callback.test', status: 'pending', attempts: 0 } }), definition: oldDefinition() },
			{ ...transaction({ id: 'never begun', createdAt: 8, steps: Array.from({ length: 12 }, (_, index) => step({ index })) }), definition: oldDefinition() },
		];

		/** As version 1 recorded it, which knew one text only, and no `onFailure` and no `needs`. */
		function oldDefinition(webhook?: { url: string; method: string }): OldTransaction['definition'] {
			const old: Partial<Definition> = { ...definition };
			delete old.onFailure;
			delete old.plan;
			return { ...old, text: 'Your order is confirmed', linkPreview: false, waitFor: 'delivered', delayMs: 1000, ackTimeoutMs: 30_000, onAckTimeout: 'continue', ...(webhook ? { webhook } : {}) };
		}

		/** The same in today's shape. */
		function today({ definition: wanted, webhook, text, ...rest }: OldTransaction): Transaction {
			const plan: PlannedStep[] = [
				{ type: 'send', message: { kind: 'text', text: 'Your order is confirmed', linkPreview: false }, onError: 'stop' },
				{ type: 'wait', until: 'delivered', timeoutMs: 30_000, onTimeout: 'continue', onError: 'stop' },
				...(wanted?.webhook ? [{ type: 'webhook' as const, ...(wanted.webhook as { url: string; method: string }), needs: 'headers' as const, onError: 'stop' as const }] : []),
			];
			const steps = rest.steps.map((one) => ({ ...one, ...(webhook && one.type === 'webhook' ? { answer: webhook.body } : {}), ...(text !== undefined && one.type === 'send' ? { text } : {}) }));
			return { ...rest, steps, ...(wanted ? { definition: { ...definition, plan } } : {}) };
		}

		function recordedByVersion1(folder: string): void {
			const old = new DatabaseSync(join(folder, 'ledger.sqlite'));
			old.exec(`${migrations[0]}; pragma user_version = 1`);
			for (const { id, status, content, origin, steps, createdAt, endedAt, queue, ...body } of before) {
				old.prepare('insert into transactions values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)').run(chat.server, id, chat.instance, chat.recipient, status, content, origin ?? null, queue.fence, createdAt, endedAt ?? null, JSON.stringify({ ...body, chat: undefined, queue }));
				for (const one of steps.toReversed()) old.prepare('insert into steps values (?, ?, ?, ?, ?, ?, ?, ?)').run(chat.server, id, one.index, one.type, one.status, one.messageId ?? null, one.doubtUntil ?? null, JSON.stringify(one));
			}
			old.prepare('insert into chat_links values (?, ?, ?, ?)').run(chat.server, chat.instance, '123@lid', chat.recipient);
			old.prepare('insert into facts values (?, ?)').run('hashKey', 'the key');
			old.close();
		}

		test('keeps all that was recorded, with what is new as it was before', async () => {
			const folder = temporaryFolder();
			recordedByVersion1(folder);
			const ledger = opened(folder);
			expect(ledger.hashKey).toBe('the key');
			for (const one of before) {
				expect(await ledger.find(chat.server, one.id)).toEqual(today(one));
			}
			expect((await ledger.findByOrigin(chat.server, 'o'))?.id).toBe('ended');
			expect(await ledger.ownsMessage(chat.server, 'M1')).toBe(true);
			expect(await ledger.laneOf(chat)).toEqual({ fence: 5, marks: { sequences: {}, executions: {} } });
			expect((await ledger.unsettled(chat, 'x', 999)).map(({ id }) => id)).toEqual(['begun', 'in doubt']);
			expect((await ledger.unfinished(chat.server, 100, 100)).map(({ id }) => id)).toEqual(['begun', 'to be told', 'never begun']);
			expect(await ledger.linkedJids(chat)).toEqual(['123@lid']);
		});

		test('goes on as a new one does', async () => {
			const folder = temporaryFolder();
			recordedByVersion1(folder);
			const ledger = opened(folder);
			const begun = (await ledger.find(chat.server, 'begun'))!;
			expect((await ledger.open(begun)).created).toBe(false);
			await ledger.save({ ...begun, status: 'completed', endedAt: 9, steps: [step({ status: 'done', messageId: 'M2' })] });
			expect(await ledger.ownsMessage(chat.server, 'M2')).toBe(true);
			expect(await ledger.unsettled(chat, 'x', 5000)).toEqual([]);
			expect(await ledger.prune(100)).toBe(before.length);
			expect(await ledger.ownsMessage(chat.server, 'M1')).toBe(false);
			expect(await ledger.linkedJids(chat)).toEqual(['123@lid']);
		});
	});

	test('of the present version is left as it is', async () => {
		const folder = temporaryFolder();
		const first = SqliteLedger.open(folder);
		await first.open(transaction({ id: 'a' }));
		await first.close();
		expect(await opened(folder).find(chat.server, 'a')).toBeDefined();
	});

	test.each(hotQueries)('finds by an index what is asked all the time: %s', (name, values) => {
		const steps = planOf(opened(temporaryFolder()), queriesFor('')[name], values);
		for (const detail of steps) {
			expect(detail).not.toMatch(/^SCAN (t|further|transactions|messages|l|chat_links)\b/);
			expect(detail).not.toMatch(/\((server=\?|server=\? AND instance=\?)\)/); // all of a server is as good as all
		}
	});

	test('would show in its plans where all is looked at', () => {
		const ledger = opened(temporaryFolder());
		expect(planOf(ledger, 'select body from transactions t where body = $1', ['x'])).toEqual([expect.stringMatching(/^SCAN t\b/)]);
		expect(planOf(ledger, 'select body from transactions where server = $1', ['x'])).toEqual([expect.stringContaining('(server=?)')]);
	});

	function planOf(ledger: SqliteLedger, sql: string, values: Value[]): string[] {
		return databaseOf(ledger)
			.prepare(`explain query plan ${sql}`)
			.all(Object.fromEntries(values.map((value, index) => [`$${index + 1}`, value])))
			.map(({ detail }) => String(detail));
	}
});

describe('a folder that can not be used', () => {
	test('is told by why it can not', () => {
		const file = join(temporaryFolder(), 'file');
		writeFileSync(file, '');
		const error = thrownIn(() => SqliteLedger.open(join(file, 'folder'))) as LedgerUnavailableError;
		expect(error).toBeInstanceOf(LedgerUnavailableError);
		expect(error.failure).toMatchObject({ code: 'ledgerUnavailable', message: expect.stringMatching(/^The ledger of ordered messages can't be used: .*ENOTDIR.*folder/), hint: expect.stringContaining('folder') });
	});

	(process.getuid?.() === 0 ? test.skip : test)('since it can not be read is told', () => {
		const folder = join(temporaryFolder(), 'closed');
		mkdirSync(folder, { mode: 0o500 });
		expect(thrownIn(() => SqliteLedger.open(folder))).toMatchObject({ failure: { code: 'ledgerUnavailable', message: expect.stringContaining('EACCES') } });
	});

	test('since the file is a folder, is told', () => {
		const folder = temporaryFolder();
		mkdirSync(join(folder, 'ledger.sqlite'));
		expect(thrownIn(() => SqliteLedger.open(folder))).toMatchObject({ failure: { code: 'ledgerUnavailable', message: expect.stringContaining('EISDIR') } });
	});

	test('since the file is no database, is told, and the file is not touched', () => {
		const folder = temporaryFolder();
		const garbage = 'this is no database '.repeat(100);
		writeFileSync(join(folder, 'ledger.sqlite'), garbage);
		expect(thrownIn(() => SqliteLedger.open(folder))).toMatchObject({ failure: { code: 'ledgerUnavailable', message: expect.stringContaining('not a database') } });
		expect(readFileSync(join(folder, 'ledger.sqlite'), 'utf8')).toBe(garbage);
	});
});

describe('what is left in the files of a transaction that has ended for good', () => {
	const secrets = { text: 'MESSAGE-TEXT-7391', body: 'WEBHOOK-BODY-7391', callback: 'CALLBACK-TOKEN-7391', quoted: 'QUOTED-ID-7391' };

	function bytesOf(folder: string): string {
		return readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1')).join('');
	}

	async function runOne(ledger: SqliteLedger, id: string, storeMessageText = false): Promise<void> {
		const one = transaction({
			id,
			definition: { ...definition, plan: [{ type: 'send', message: { kind: 'text', text: secrets.text, quotedMessageId: secrets.quoted }, onError: 'stop' }, plannedWebhook({ body: JSON.stringify(secrets.body) })], errorCallbackUrl: `http://callback.test/?${secrets.callback}`, storeMessageText },
			steps: [step()],
		});
		const wishes = one.definition!;
		await ledger.open(one);
		moveStep(one.steps[0]!, 'running');
		await ledger.save(one);
		moveStep(one.steps[0]!, 'done');
		await ledger.save(one);
		closeTransaction(one, wishes, undefined);
		await ledger.save(one);
	}

	test('is no text, body or address of a callback, even in freed pages', async () => {
		const folder = temporaryFolder();
		const ledger = SqliteLedger.open(folder);
		for (let i = 0; i < 20; i++) await runOne(ledger, `t${i}`);
		expect(bytesOf(folder).length).toBeGreaterThan(1000);
		await ledger.close();
		expect(existsSync(join(folder, 'ledger.sqlite-wal'))).toBe(false);
		for (const secret of Object.values(secrets)) expect([secret, bytesOf(folder).includes(secret)]).toEqual([secret, false]);
	});

	test('is the text, where the user asked for it', async () => {
		const folder = temporaryFolder();
		const ledger = SqliteLedger.open(folder);
		await runOne(ledger, 't', true);
		await ledger.close();
		expect(bytesOf(folder)).toContain(secrets.text);
	});

	test('is nothing at all once it was pruned', async () => {
		const folder = temporaryFolder();
		const ledger = SqliteLedger.open(folder);
		for (let i = 0; i < 20; i++) await runOne(ledger, `PRUNED-ID-7391-${i}`, true);
		expect(await ledger.prune(Date.now() + 1)).toBe(20);
		await ledger.close();
		expect(bytesOf(folder)).not.toContain('PRUNED-ID-7391');
		expect(bytesOf(folder)).not.toContain(secrets.text);
	});
});
