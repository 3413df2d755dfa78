// The check of a shared store against a real PostgreSQL and Redis, in each way in which they can be wrong.
import { execFileSync } from 'node:child_process';
import { createServer, type AddressInfo, type Server } from 'node:net';
import pg from 'pg';
import { checkedStore, checkStore, openShared, type StoreAccess, type StoreCheck, storeKey } from '../../ordering/store';
import * as certificate from '../nodes/certificate';
import { TestPostgres, testPassword, testUser } from '../support/postgres';
import { startRedis, type TestRedis, type RedisOptions } from '../support/redis';

let postgres: TestPostgres;
let redis: TestRedis;
const ends: Array<() => Promise<unknown> | unknown> = [];

beforeAll(async () => {
	[postgres, redis] = await Promise.all([TestPostgres.start(), startRedis({ password: 'Redis-Pass-5512' })]);
});
afterAll(async () => {
	await postgres?.close();
	await redis?.close();
});
afterEach(async () => {
	for (const end of ends.splice(0)) await end();
});

const access = (more: Partial<StoreAccess> = {}): StoreAccess => ({ postgresUrl: postgres.url(), redisUrl: redis.url, namePrefix: 'ordered_evolutionapi', ...more });

async function check(more: Partial<StoreAccess>, timeoutMs = 3000): Promise<StoreCheck> {
	const result = await checkStore(access(more), timeoutMs);
	for (const secret of [testPassword, 'Redis-Pass-5512', 'wrong-secret', 'p%40ss', 'p@ss']) expect(result.message).not.toContain(secret);
	return result;
}

async function sql(text: string, database = 'postgres'): Promise<Array<Record<string, unknown>>> {
	const client = new pg.Client(postgres.url(database));
	await client.connect();
	try {
		return (await client.query<Record<string, unknown>>(text)).rows;
	} finally {
		await client.end();
	}
}

async function otherRedis(options: RedisOptions): Promise<TestRedis> {
	const other = await startRedis(options);
	ends.push(() => other.close());
	return other;
}

/** Takes connections and never answers. */
async function silentServer(): Promise<number> {
	const sockets: Array<{ destroy(): void }> = [];
	const server: Server = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
	await new Promise((resolve) => server.once('listening', resolve));
	ends.push(() => {
		for (const socket of sockets) socket.destroy();
		server.close();
	});
	return (server.address() as AddressInfo).port;
}

const postgresAt = (user: string, password: string, database = 'postgres', query = '') => `postgresql://${user}${password ? `:${password}` : ''}@127.0.0.1:${postgres.port}/${database}${query}`;

test('passes where both answer, names their versions, and leaves nothing behind', async () => {
	expect(await check({})).toEqual({ ok: true, message: expect.stringMatching(/^Connected to PostgreSQL \d+\.\d+ and Redis \d+\.\d+\.\d+\.$/) as string });
	expect(await sql("select tablename from pg_tables where tablename like 'ordered%'")).toEqual([]);
	expect(await redis.client.keys('*')).toEqual([]);
});

test('passes where the tables are there already, also for a user who may write but not create', async () => {
	await (await openShared(access())).close();
	await sql("create user writer password 'writes'");
	await sql(`grant select, insert, update, delete on all tables in schema public to writer`);
	expect((await check({ postgresUrl: postgresAt('writer', 'writes') })).ok).toBe(true);
	await sql("create user reader password 'reads'");
	await sql(`grant select on all tables in schema public to reader`);
	expect(await check({ postgresUrl: postgresAt('reader', 'reads') })).toEqual({ ok: false, message: expect.stringMatching(/^PostgreSQL: the user "reader" may not create or change tables in "postgres"/) as string });
});

describe('tells of PostgreSQL', () => {
	test.each<[string, () => string, RegExp]>([
		['a wrong password', () => postgresAt(testUser, 'wrong-secret'), /refused the user "ordered" with this password/],
		['a user that does not exist', () => postgresAt('nobody', 'wrong-secret'), /refused the user "nobody"/],
		['a missing password', () => postgresAt(testUser, ''), /asks for a password/],
		['a database that does not exist', () => postgresAt(testUser, testPassword, 'nowhere'), /no database "nowhere"/],
		['a host that does not exist', () => `postgresql://ordered:wrong-secret@nowhere.invalid/x`, /host of nowhere\.invalid:5432 was not found/],
		['a port where nothing listens', () => `postgresql://ordered:wrong-secret@127.0.0.1:9/x`, /nothing listens at 127\.0\.0\.1:9\b/],
		['TLS that it does not offer', () => postgresAt(testUser, testPassword, 'postgres', '?sslmode=verify-full'), /offers no TLS\. Remove sslmode/],
		['a Redis in its place', () => `postgresql://ordered:wrong-secret@127.0.0.1:${redis.port}/x`, /^PostgreSQL: /],
	])('%s', async (_what, postgresUrl, expected) => {
		const { ok, message } = await check({ postgresUrl: postgresUrl() });
		expect([ok, message]).toEqual([false, expect.stringMatching(expected)]);
		expect(message).toMatch(/^PostgreSQL: .*\. Redis is all right\.$/);
	});

	test('a user who may not create tables', async () => {
		await sql('create database locked');
		await sql('revoke create on schema public from public', 'locked');
		await sql("create user guest password 'guest-word'");
		expect(await check({ postgresUrl: postgresAt('guest', 'guest-word', 'locked') })).toEqual({ ok: false, message: expect.stringMatching(/may not create or change tables in "locked".*GRANT CREATE/) as string });
	});

	test('that it takes no connection without TLS, and passes with TLS', async () => {
		const tls = await TestPostgres.start();
		ends.push(() => tls.close());
		withTls(tls);
		await tls.stop();
		await tls.startAgain();
		const url = (query: string) => tls.url() + query;
		expect((await check({ postgresUrl: url('') })).message).toMatch(/takes no connection without TLS\. Add \?sslmode=verify-full/);
		expect((await check({ postgresUrl: url('?sslmode=verify-full') })).message).toMatch(/certificate is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)\. Switch on Ignore SSL Issues/);
		expect((await check({ postgresUrl: url('?sslmode=verify-full'), ignoreSslIssues: true })).ok).toBe(true);
	});

	test('that it does not answer, in time', async () => {
		const port = await silentServer();
		const since = performance.now();
		expect((await check({ postgresUrl: `postgresql://ordered:wrong-secret@127.0.0.1:${port}/x` }, 400)).message).toMatch(/127\.0\.0\.1:\d+ does not answer/);
		expect(performance.now() - since).toBeLessThan(3000);
	});
});

/** TLS with the tests' certificate, and nothing without it. */
function withTls({ folder }: TestPostgres): void {
	const script = `
		printf '%s' "$KEY" > data/server.key && chmod 600 data/server.key && printf '%s' "$CERT" > data/server.crt
		echo "ssl = on" >> data/postgresql.conf
		sed -i 's/^host /hostssl /' data/pg_hba.conf
		if [ "$(id -u)" = 0 ]; then chown postgres data/server.key data/server.crt; fi`;
	execFileSync('bash', ['-ec', script], { cwd: folder, env: { ...process.env, KEY: certificate.key, CERT: certificate.cert } });
}

describe('tells of Redis', () => {
	test.each<[string, () => string, RegExp]>([
		['a wrong password', () => `redis://:wrong-secret@127.0.0.1:${redis.port}`, /refused the password/],
		['a missing password', () => `redis://127.0.0.1:${redis.port}`, /asks for a password/],
		['a host that does not exist', () => 'redis://:wrong-secret@nowhere.invalid', /host of nowhere\.invalid:6379 was not found/],
		['a port where nothing listens', () => 'redis://:wrong-secret@127.0.0.1:9', /nothing listens at 127\.0\.0\.1:9\b/],
		['TLS that it does not offer', () => redis.url.replace('redis:', 'rediss:'), /offers no TLS at this port, begin Redis URL with redis:/],
		['a database that it does not have', () => `${redis.url}/99`, /no database of the number/],
		['a PostgreSQL in its place', () => `redis://127.0.0.1:${postgres.port}`, /closed the connection.*check that it is a Redis/],
	])('%s', async (_what, redisUrl, expected) => {
		const { ok, message } = await check({ redisUrl: redisUrl() });
		expect([ok, message]).toEqual([false, expect.stringMatching(expected)]);
		expect(message).toMatch(/^Redis: .*\. PostgreSQL is all right\.$/);
	});

	test('that it wants TLS, that its certificate is not trusted, and passes when that is to be ignored', async () => {
		const { url } = await otherRedis({ tls: certificate });
		expect((await check({ redisUrl: url.replace('rediss:', 'redis:') })).message).toMatch(/Where it wants TLS, begin Redis URL with rediss:/);
		expect((await check({ redisUrl: url })).message).toMatch(/certificate is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)/);
		expect((await check({ redisUrl: url, ignoreSslIssues: true })).ok).toBe(true);
	});

	test('that it runs in cluster mode', async () => {
		const { url } = await otherRedis({ settings: { 'cluster-enabled': 'yes' } });
		expect(await check({ redisUrl: url })).toEqual({ ok: false, message: expect.stringMatching(/cluster mode, which is not supported/) as string });
	});

	test('that it may forget, as a warning', async () => {
		const { url } = await otherRedis({ settings: { 'maxmemory-policy': 'allkeys-lru' } });
		expect(await check({ redisUrl: url })).toEqual({ ok: true, message: expect.stringMatching(/^Connected .* Warning: .*maxmemory-policy allkeys-lru.*noeviction\.$/) as string });
	});

	test('that it is a replica', async () => {
		const { url } = await otherRedis({ settings: { replicaof: '127.0.0.1 9' } });
		expect((await check({ redisUrl: url })).message).toMatch(/only reads, as a replica does/);
	});

	test('a user who may not do what is needed', async () => {
		const { url, client } = await otherRedis({});
		await client.acl('SETUSER', 'guest', 'on', '>guest-word', '~*', '&*', '+ping', '+info', '+get');
		expect((await check({ redisUrl: url.replace('redis://', 'redis://guest:guest-word@') })).message).toMatch(/user may not do all that is needed.*ACL SETUSER/);
		await client.acl('SETUSER', 'guest', 'resetkeys', 'resetchannels', '~ordered_evolutionapi:*', '&ordered_evolutionapi:*', '+@all');
		expect((await check({ redisUrl: url.replace('redis://', 'redis://guest:guest-word@') })).ok).toBe(true);
	});

	test('that it does not answer, in time', async () => {
		const port = await silentServer();
		const since = performance.now();
		expect((await check({ redisUrl: `redis://127.0.0.1:${port}` }, 400)).message).toMatch(/127\.0\.0\.1:\d+ does not answer/);
		expect(performance.now() - since).toBeLessThan(3000);
	});
});

test('tells of both where both fail', async () => {
	const { ok, message } = await check({ postgresUrl: postgresAt(testUser, 'wrong-secret'), redisUrl: 'redis://127.0.0.1:9' });
	expect([ok, message]).toEqual([false, expect.stringMatching(/^PostgreSQL: it refused .* Redis: nothing listens at 127\.0\.0\.1:9/)]);
});

describe('refuses before it connects', () => {
	test.each<[string, Partial<StoreAccess>, RegExp]>([
		['no PostgreSQL URL', { postgresUrl: ' ' }, /^PostgreSQL URL: is empty/],
		['no Redis URL', { redisUrl: '' }, /^Redis URL: is empty/],
		['another scheme for PostgreSQL', { postgresUrl: 'mysql://u:wrong-secret@h/d' }, /^PostgreSQL URL: has to begin with postgresql:\/\/ or postgres:\/\//],
		['no scheme for PostgreSQL', { postgresUrl: 'localhost:5432' }, /^PostgreSQL URL: has to begin/],
		['another scheme for Redis', { redisUrl: 'http://h:6379' }, /^Redis URL: has to begin with redis:\/\/ or rediss:\/\//],
		['the two exchanged', { postgresUrl: 'redis://h', redisUrl: 'postgresql://h' }, /^PostgreSQL URL: has to begin/],
		['a slash in the password', { postgresUrl: 'postgresql://u:p@ss/w@h/d' }, /^PostgreSQL URL: is no valid address\. In its password/],
		['a hash in the password', { redisUrl: 'redis://:p@ss#w@h' }, /^Redis URL: is no valid address\. In its password/],
		['a percent sign in the password', { redisUrl: 'redis://:p@ss%w@h' }, /^Redis URL: is no valid address\. In its password/],
		['no host', { postgresUrl: 'postgresql:///database' }, /^PostgreSQL URL: names no host/],
		['a path behind Redis', { redisUrl: 'redis://h:6379/queue' }, /^Redis URL: may hold nothing behind the host/],
		['a prefix that no table name can have', { namePrefix: 'My-Prefix' }, /^Name Prefix: has to begin/],
		['no prefix', { namePrefix: '' }, /^Name Prefix: /],
	])('%s', async (_what, more, expected) => {
		expect(await check(more)).toEqual({ ok: false, message: expect.stringMatching(expected) as string });
	});
});

test('a store is the same for the same fields, and another one for each that differs', () => {
	const one = access();
	expect(storeKey({ ...one, postgresUrl: ` ${one.postgresUrl} ` })).toBe(storeKey(one));
	const others = [access({ namePrefix: 'other' }), access({ redisUrl: `${one.redisUrl}/1` }), access({ postgresUrl: postgres.url('other') }), access({ ignoreSslIssues: true })];
	expect(new Set([one, ...others].map(storeKey)).size).toBe(5);
	expect(storeKey(one)).not.toContain(testPassword);
	expect(checkedStore(one)).toEqual({ ...one, ignoreSslIssues: false });
});

test('opening a store with a wrong password fails at once, with what is wrong and no password', async () => {
	const failure = async (more: Partial<StoreAccess>) => await openShared(access(more)).then(() => undefined, (error: { failure: { code: string; message: string } }) => error.failure);
	expect(await failure({ redisUrl: `redis://:wrong-secret@127.0.0.1:${redis.port}` })).toMatchObject({ code: 'lanesUnavailable', message: expect.stringMatching(/refused the password/) as string });
	const refused = await failure({ postgresUrl: postgresAt(testUser, 'wrong-secret') });
	expect(refused).toMatchObject({ code: 'ledgerUnavailable' });
	expect(JSON.stringify(refused)).not.toContain('wrong-secret');
});
