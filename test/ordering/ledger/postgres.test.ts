// The shared ledger in a real PostgreSQL, which many processes use at once, and which is restarted, or crashes, meanwhile.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { LedgerTooNewError, LedgerUnavailableError, StaleFenceError } from '../../../ordering/errors';
import { PostgresLedger, type PostgresOptions } from '../../../ordering/ledger/postgres';
import { queriesFor } from '../../../ordering/ledger/queries';
import { postgresMigrations } from '../../../ordering/ledger/schema';
import type { Value } from '../../../ordering/ledger/sqlLedger';
import type { Transaction } from '../../../ordering/transaction';
import { fillingPattern, fillingStatement } from '../../../scripts/bench/ledger';
import { closedPort, endWithTest, listen, thrownBy } from '../../evolution/helpers';
import { cert, key } from '../../nodes/certificate';
import { TestPostgres, testPassword } from '../../support/postgres';
import { ledgerContract } from './contract';
import { chat, step, transaction } from './fixtures';
import { hotQueries } from './hotQueries';

let server: TestPostgres;
let prefixes = 0;

beforeAll(async () => {
	server = await TestPostgres.start();
});

afterAll(() => server?.close());

const newPrefix = () => `t${++prefixes}_`;

ledgerContract('PostgresLedger', async () => {
	const options = { url: server.url(), prefix: newPrefix() };
	let ledger = await PostgresLedger.open(options);
	return {
		ledger,
		reopened: async () => {
			await ledger.close();
			return (ledger = await PostgresLedger.open(options));
		},
		close: () => ledger.close(),
	};
});

async function opened(more: Partial<PostgresOptions> = {}): Promise<PostgresLedger> {
	const ledger = await PostgresLedger.open({ url: server.url(), prefix: newPrefix(), ...more });
	endWithTest(() => ledger.close());
	return ledger;
}

async function connected(): Promise<pg.Client> {
	const client = new pg.Client(server.url());
	client.on('error', () => {});
	await client.connect();
	endWithTest(() => client.end());
	return client;
}

function under(one: Transaction, fence: number): Transaction {
	return { ...one, queue: { ...one.queue, fence } };
}

/** Resolves with all that a process with this code says. */
async function saidBy(code: string): Promise<string> {
	const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', '-e', `const { PostgresLedger } = require('./ordering/ledger/postgres.ts'); ${code}`], { cwd: join(__dirname, '../../..'), stdio: ['ignore', 'pipe', 'inherit'] });
	endWithTest(() => child.kill('SIGKILL'));
	let said = '';
	child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
	await once(child, 'close');
	return said.trim();
}

describe('many at once', () => {
	test('open a new ledger as one: with one hash key', async () => {
		const prefix = newPrefix();
		const ledgers = await Promise.all(Array.from({ length: 8 }, () => opened({ prefix })));
		expect(new Set(ledgers.map(({ hashKey }) => hashKey)).size).toBe(1);
		await Promise.all(ledgers.map((ledger, i) => ledger.open(transaction({ id: `of ${i}` }))));
		for (let i = 0; i < 8; i++) expect(await ledgers[(i + 1) % 8]?.find(chat.server, `of ${i}`)).toBeDefined();
	});

	test('open a new ledger as one, from processes of their own', async () => {
		const code = `void PostgresLedger.open({ url: '${server.url()}', prefix: '${newPrefix()}' }).then((ledger) => { console.log(ledger.hashKey); return ledger.close(); })`;
		const keys = await Promise.all(Array.from({ length: 4 }, () => saidBy(code)));
		expect(keys[0]).toMatch(/^.{43}$/);
		expect(new Set(keys).size).toBe(1);
	});

	test('open one ID: one creates it, all get it', async () => {
		const prefix = newPrefix();
		const ledgers = await Promise.all(Array.from({ length: 4 }, () => opened({ prefix })));
		for (let turn = 0; turn < 10; turn++) {
			const outcomes = await Promise.all(Array.from({ length: 20 }, (_, i) => ledgers[i % 4]!.open(transaction({ id: `same ${turn}`, content: `content ${i}` }))));
			expect(outcomes.filter(({ created }) => created)).toHaveLength(1);
			expect(new Set(outcomes.map((one) => one.transaction.content)).size).toBe(1);
		}
	});

	test('save one transaction: none after a higher fence, whoever is faster', async () => {
		const prefix = newPrefix();
		const [first, second] = [await opened({ prefix }), await opened({ prefix })];
		for (let turn = 0; turn < 20; turn++) {
			const one = transaction({ id: `t${turn}`, chat: { ...chat, recipient: `r${turn}` } });
			await first.open(one);
			const saves = [5, 9, 6, 8, 7].map((fence, i) => (i % 2 ? first : second)[i < 3 ? 'save' : 'saveIntent'](under(one, fence)));
			const outcomes = await Promise.allSettled(saves);
			expect(outcomes[1]).toMatchObject({ status: 'fulfilled' });
			for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(StaleFenceError);
			expect((await first.find(chat.server, one.id))?.queue.fence).toBe(9);
		}
	});

	test('wait for few connections, and none is forgotten when it is closed', async () => {
		const prefix = newPrefix();
		const ledger = await opened({ prefix, connections: 2 });
		const writing = Array.from({ length: 100 }, (_, i) => ledger.open(transaction({ id: `t${i}` })));
		await ledger.close();
		expect(await Promise.all(writing)).toHaveLength(100);
		expect(await (await opened({ prefix })).find(chat.server, 't99')).toBeDefined();
	});
});

test('a holder whose lane went to another process can begin nothing any more', async () => {
	const prefix = newPrefix();
	const [old, next] = [await opened({ prefix }), await opened({ prefix })];
	await old.open(transaction({ id: 'old' }));
	await old.saveIntent(under(transaction({ id: 'old' }), 5));
	await next.open(transaction({ id: 'next' }));
	await next.save(under(transaction({ id: 'next' }), 6));
	expect(await thrownBy(old.saveIntent(under(transaction({ id: 'old' }), 5)))).toBeInstanceOf(StaleFenceError);
});

test('two prefixes in one database are two ledgers', async () => {
	const [a, b] = [await opened(), await opened()];
	await a.open(transaction({ id: 'same', steps: [step({ status: 'done', messageId: 'M' })] }));
	await a.linkChat(chat, '123@lid');
	expect(a.hashKey).not.toBe(b.hashKey);
	expect(await b.find(chat.server, 'same')).toBeUndefined();
	expect(await b.ownsMessage(chat.server, 'M')).toBe(false);
	expect(await b.linkedJids(chat)).toEqual([]);
	expect(await b.prune(Date.now())).toBe(0);
	expect(await a.find(chat.server, 'same')).toBeDefined();
});

test.each(['', 'Upper_', '1st_', 'a-b', 'a"; drop table x', 'a'.repeat(32)])('a prefix that is no identifier is refused: "%s"', async (prefix) => {
	expect(await thrownBy(PostgresLedger.open({ url: server.url(), prefix }))).toMatchObject({ failure: { code: 'ledgerUnavailable', message: expect.stringContaining('prefix') } });
});

test('the longest prefix does', async () => {
	const ledger = await opened({ prefix: 'a'.repeat(31) });
	expect((await ledger.open(transaction())).created).toBe(true);
});

describe('a schema', () => {
	test('of a newer version is refused, and left as it is', async () => {
		const prefix = newPrefix();
		const { hashKey } = await opened({ prefix });
		const client = await connected();
		await client.query(`update ${prefix}schema_version set version = version + 1`);
		const error = (await thrownBy(PostgresLedger.open({ url: server.url(), prefix }))) as LedgerTooNewError;
		expect(error).toBeInstanceOf(LedgerTooNewError);
		expect(error.failure.message).toContain(`schema ${postgresMigrations(prefix).length + 1}, this version knows ${postgresMigrations(prefix).length}`);
		await client.query(`update ${prefix}schema_version set version = version - 1`);
		expect((await opened({ prefix })).hashKey).toBe(hashKey);
	});

	test('that is there is enough for a user who may not create tables', async () => {
		const prefix = newPrefix();
		await opened({ prefix });
		const client = await connected();
		const user = `${prefix}user`;
		await client.query(`create role ${user} login password '${testPassword}'; grant select, insert, update, delete on all tables in schema public to ${user}`);
		endWithTest(() => client.query(`drop owned by ${user}; drop role ${user}`));
		const ledger = await opened({ prefix, url: server.url().replace('//ordered:', `//${user}:`) });
		await ledger.open(transaction({ steps: [step({ status: 'done', messageId: 'M' })] }));
		expect(await ledger.ownsMessage(chat.server, 'M')).toBe(true);
	});

	test('that could not be made whole is not made at all', async () => {
		const prefix = newPrefix();
		const client = await connected();
		await client.query(`create table ${prefix}facts (other text)`); // in the way of the last table
		expect(await thrownBy(PostgresLedger.open({ url: server.url(), prefix }))).toMatchObject({ failure: { message: expect.stringContaining('already exists') } });
		await client.query(`drop table ${prefix}facts`);
		await opened({ prefix });
	});
});

describe('a restart of PostgreSQL in the middle of work', () => {
	test.each(['stop', 'crash'] as const)('costs time only, and loses nothing that was promised: %s', async (end) => {
		const ledger = await opened();
		const promised: string[] = [];
		let ended = false;
		const work = Array.from({ length: 8 }, async (_, worker) => {
			for (let i = 0; !ended; i++) {
				const one = transaction({ id: `${worker}/${i}`, chat: { ...chat, recipient: `r${worker}` } });
				expect((await ledger.open(one)).created).toBe(true);
				await ledger.saveIntent({ ...under(one, i + 1), steps: [step({ status: 'running' })] });
				promised.push(one.id);
			}
		});
		const enough = async () => {
			for (const goal = promised.length + 50; promised.length < goal; ) await Promise.race([new Promise((resolve) => setTimeout(resolve, 20)), ...work]);
		};
		await enough();
		await server[end]();
		await server.startAgain();
		await enough();
		ended = true;
		await Promise.all(work);
		for (const id of promised) expect(await ledger.find(chat.server, id)).toMatchObject({ id, steps: [{ status: 'running' }] });
	});

	test('does not end a process whose connections are idle', async () => {
		const ledger = await opened();
		await Promise.all(Array.from({ length: 5 }, () => ledger.find(chat.server, 'x')));
		await server.stop();
		await new Promise((resolve) => setTimeout(resolve, 100));
		await server.startAgain();
		expect(await ledger.find(chat.server, 'x')).toBeUndefined();
	});

	test('that takes too long is told, with a hint, and without the password', async () => {
		const ledger = await opened({ retryMs: 300 });
		await server.stop();
		try {
			const error = (await thrownBy(ledger.open(transaction()))) as LedgerUnavailableError;
			expect(error.failure).toMatchObject({ code: 'ledgerUnavailable', message: expect.stringContaining('ECONNREFUSED'), hint: expect.stringContaining('PostgreSQL') });
			expect(JSON.stringify(error.failure)).not.toContain(testPassword);
		} finally {
			await server.startAgain();
		}
		expect((await ledger.open(transaction())).created).toBe(true);
	});
});

describe('a PostgreSQL that can not be used is told by its cause, without secrets', () => {
	const at = (change: (url: URL) => void) => {
		const url = new URL(server.url());
		change(url);
		return url.href;
	};
	test.each([
		['a wrong password', () => at((url) => (url.password = 'Wrong-Pass-7391')), /password authentication failed/],
		['an unknown user', () => at((url) => (url.username = 'nobody')), /authentication failed for user "nobody"/],
		['an unknown database', () => server.url('missing'), /database "missing" does not exist/],
		['no server', async () => server.url().replace(/:\d+\//, `:${await closedPort()}/`), /ECONNREFUSED/],
		['no server at a name with several addresses', async () => server.url().replace(/127\.0\.0\.1:\d+/, `localhost:${await closedPort()}`), /ECONNREFUSED/],
		['an unknown host', () => server.url().replace('127.0.0.1', 'no-such-host.invalid'), /no-such-host.invalid/],
		['TLS that the server has not', () => `${server.url()}?sslmode=verify-full`, /does not support SSL/],
		['a password that is not encoded', () => server.url().replace(testPassword, `${testPassword}/#?`), /percent-encoded/],
		['a password with a slash', () => server.url().replace(testPassword, `123/${testPassword}`), /percent-encoded/],
		['no URL at all', () => `host=x password=${testPassword}`, /has to begin with postgres:\/\//],
	])('%s', async (_, url, message) => {
		const error = (await thrownBy(PostgresLedger.open({ url: await url(), prefix: newPrefix(), retryMs: 300 }))) as LedgerUnavailableError;
		expect(error).toBeInstanceOf(LedgerUnavailableError);
		expect(error.failure.message).toMatch(message);
		expect(error.failure.hint).toContain('PostgreSQL');
		for (const secret of [testPassword, 'Wrong-Pass-7391', 'postgres://ordered']) expect(JSON.stringify(error.failure) + error.message).not.toContain(secret);
	});
});

test('a closed ledger refuses reads and writes, and may be closed again', async () => {
	const ledger = await opened();
	await ledger.close();
	await ledger.close();
	for (const asked of [ledger.open(transaction()), ledger.find(chat.server, 'x')]) expect(await thrownBy(asked)).toMatchObject({ failure: { code: 'ledgerUnavailable', message: expect.stringContaining('closed') } });
});

describe('a PostgreSQL that offers TLS by a certificate that nobody knows', () => {
	let tls: TestPostgres;

	beforeAll(async () => {
		tls = await TestPostgres.start({ key, cert });
	});

	afterAll(() => tls?.close());

	const encrypted = async (prefix: string) => {
		const client = new pg.Client(tls.url());
		await client.connect();
		const { rows } = await client.query(`select ssl from pg_stat_ssl join pg_stat_activity using (pid) where application_name = $1`, [prefix]);
		await client.end();
		return rows.map(({ ssl }: { ssl: boolean }) => ssl);
	};

	test('is refused, where the URL asks for TLS', async () => {
		expect(await thrownBy(PostgresLedger.open({ url: `${tls.url()}?sslmode=verify-full`, prefix: newPrefix() }))).toMatchObject({ failure: { code: 'ledgerUnavailable', message: expect.stringMatching(/certificate/) } });
	});

	test.each([
		['sslmode=verify-full', true],
		['sslmode=require&uselibpqcompat=true', true],
		['ssl=true', true],
		['sslmode=disable', false],
		['', false],
	])('is used without a check where SSL issues are ignored, encrypted where the URL asks for that: "%s"', async (asked, isEncrypted) => {
		const prefix = newPrefix();
		const ledger = await opened({ url: `${tls.url()}?${asked}&application_name=${prefix}`, prefix, ignoreSslIssues: true });
		await ledger.open(transaction());
		expect(await encrypted(prefix)).toEqual([isEncrypted]);
	});
});

test('each write and each search of a transaction is one round trip', async () => {
	let asked = 0;
	const proxy = createServer((from) => {
		const to = connect(server.port, '127.0.0.1');
		from.on('data', () => asked++);
		from.pipe(to).pipe(from);
		for (const socket of [from, to]) socket.on('error', () => {}).on('close', () => [from, to].forEach((one) => one.destroy()));
	});
	const port = await listen(proxy);
	endWithTest(() => new Promise((resolve) => proxy.close(resolve)));
	const ledger = await opened({ url: server.url().replace(String(server.port), String(port)), connections: 1 });
	const roundTrips = async (operation: () => Promise<unknown>) => {
		asked = 0;
		await operation();
		return asked;
	};
	const one = transaction();
	expect(await roundTrips(() => ledger.open(one))).toBe(1);
	expect(await roundTrips(() => ledger.saveIntent({ ...one, steps: [step({ status: 'running' })] }))).toBe(1);
	expect(await roundTrips(() => ledger.save({ ...one, steps: [step({ status: 'done', messageId: 'M' })] }))).toBe(1);
	expect(await roundTrips(() => ledger.find(chat.server, one.id))).toBe(1);
	expect(await roundTrips(() => ledger.laneOf(chat))).toBe(1);
	expect(await ledger.ownsMessage(chat.server, 'M')).toBe(true);
});

describe('with many transactions', () => {
	let client: pg.Client;
	const prefix = newPrefix();

	beforeAll(async () => {
		await (await PostgresLedger.open({ url: server.url(), prefix })).close();
		client = new pg.Client(server.url());
		await client.connect();
		await client.query(fillingStatement(prefix), [1, 20_000, 20_000, fillingPattern()]);
		await client.query(`analyze ${prefix}transactions, ${prefix}messages`);
	});

	afterAll(() => client?.end());

	/** How the large tables are looked at. */
	const searches = async (sql: string, values: Value[]): Promise<string[]> => {
		const { rows } = await client.query(`explain (format json) ${sql}`, values);
		return nodesOf(rows[0]['QUERY PLAN'][0].Plan)
			.filter((node) => /(transactions|messages)(_\w+)?$/.test(node['Relation Name'] ?? node['Index Name'] ?? '') && node['Node Type'] !== 'ModifyTable')
			.filter((node) => node['Node Type'] !== 'Bitmap Heap Scan')
			.map((node) => `${node['Node Type']} ${node['Index Cond'] ?? ''}`);
	};
	/** By more than the server and the instance: all of those is as good as all. */
	const isNarrow = (search: string) => /^(Bitmap )?Index .*(\bid|recipient|origin|created_at|message_id|COALESCE)\b/.test(search);

	test.each(hotQueries)('what is asked all the time is found by an index: %s', async (name, values) => {
		const found = await searches(queriesFor(prefix)[name], values);
		expect(found.filter((search) => !isNarrow(search))).toEqual([]);
		if (!['open', 'linkChat', 'linkedChat', 'linkedJids'].includes(name)) expect(found).not.toEqual([]);
	});

	test.each(['body = $1', 'server = $1', 'status = $1'])('what is found by no index would show: by %s', async (condition) => {
		const found = await searches(`select body from ${prefix}transactions where ${condition}`, ['x']);
		expect(found.filter((search) => !isNarrow(search))).not.toEqual([]);
	});
});

type PlanNode = Partial<Record<string, string>> & { Plans?: PlanNode[] };

function nodesOf(node: PlanNode): PlanNode[] {
	return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}
