// The search for secrets itself: it finds what was planted, in each place and spelling, and nothing else.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Client } from 'pg';
import { startSimulator } from '../../simulator';
import { TestPostgres } from '../support/postgres';
import { startRedis } from '../support/redis';
import { endWithTest, temporaryFolder } from '../support/scene';
import { SecretSearch, spellings } from '../support/secrets';

// what is planted here is found on purpose
beforeAll(() => void delete process.env.ORDERED_EVIDENCE_FOLDER);

const secret = 'pL4nt3d-"key"/+?=7c1f~ü%';

const searchFor = (planted: string | Buffer = secret) => new SecretSearch('planted').add('the secret', planted);

/** The places and spellings of what was found. */
function foundBy({ findings }: SecretSearch): string[] {
	return findings.map(({ place, spelling }) => `${place}: ${spelling}`);
}

test.each<[string, string]>([
	['as it is', secret],
	['JSON', JSON.stringify({ apikey: secret })],
	['JSON in JSON', JSON.stringify({ body: JSON.stringify({ apikey: secret }) })],
	['in an address', `http://host/${encodeURI(secret)}`],
	['as a part of an address', `http://host/?apikey=${encodeURIComponent(secret)}&more`],
	['in a form', new URLSearchParams({ apikey: secret }).toString()],
	['hexadecimal', Buffer.from(secret).toString('hex')],
])('a text with the secret %s is found', (spelling, text) => {
	const search = searchFor();
	search.value('text', `before ${text} behind`);
	expect(foundBy(search)).toContain(`text: ${spelling}`);
	expect(() => search.end()).toThrow(/planted.*\n {2}text: the secret/);
	expect(() => search.end()).not.toThrow(secret);
});

test.each(['base64', 'base64url'] as const)('the secret is found in %s, wherever in the text it begins', (encoding) => {
	for (const before of ['', 'a', 'ab', 'abc', 'user:']) {
		for (const behind of ['', 'x', 'xy', 'xyz']) {
			const search = searchFor();
			search.value('text', Buffer.from(before + secret + behind).toString(encoding));
			expect(foundBy(search)).not.toEqual([]);
		}
	}
});

test('other texts, and a part of the secret, are not found', () => {
	const search = searchFor();
	search.value('text', `${secret.slice(1)} ${secret.slice(0, -1)} ${JSON.stringify(secret.toUpperCase())}`);
	search.end();
	expect(search.findings).toEqual([]);
});

test('no two spellings are the same, and what is too short is not looked for', () => {
	expect([...spellings('plain-secret').keys()]).toEqual(['as it is', 'base64, 0 bytes behind', 'base64, 1 bytes behind', 'base64, 2 bytes behind', 'hexadecimal']);
	const search = searchFor('Bearer 12345678');
	search.value('text', 'a Bearer, and the number 1234567');
	expect(search.findings).toEqual([]);
	search.value('text', 'the number 12345678');
	expect(search.findings).toMatchObject([{ secret: 'the secret, word 2', after: 'the number ' }]);
});

test('an error is searched with its message, description, context, cause and stack', () => {
	const planted = {
		message: new Error(secret),
		description: Object.assign(new Error('x'), { description: secret }),
		context: Object.assign(new Error('x'), { context: { transaction: { steps: [{ error: { hint: secret } }] } } }),
		cause: new Error('x', { cause: new Error('y', { cause: { config: { headers: { apikey: secret } } } }) }),
		hidden: Object.defineProperty(new Error('x'), 'request', { value: { apikey: secret }, enumerable: false }),
		stack: Object.assign(new Error('x'), { stack: `Error: at ${secret}` }),
	};
	for (const [place, error] of Object.entries(planted)) {
		const search = searchFor();
		search.value(place, [{ error }]);
		expect(foundBy(search)).toContain(`${place}: as it is`);
	}
});

test('a signing secret is found as it is written, without its prefix, and decoded; a password in what HTTP makes of it', () => {
	const key = Buffer.from('9f3a77c1e5d0426b8a1c', 'hex');
	const search = new SecretSearch('planted').addSigningSecret(`whsec_${key.toString('base64')}`).addAddress('base URL', 'http://me:p%40ssw0rd@host');
	search.value('prefix', `whsec_${key.toString('base64')}`);
	search.value('encoded', key.toString('base64'));
	search.bytes('decoded', Buffer.concat([Buffer.from('x'), key]));
	search.value('basic', `Basic ${btoa('me:p@ssw0rd')}`);
	search.value('address', 'http://me:p%40ssw0rd@host');
	expect(new Set(search.findings.map(({ place, secret: name }) => `${place}: ${name}`))).toEqual(new Set([
		'prefix: signing secret', 'prefix: signing secret without its prefix', 'prefix: decoded signing secret', 'encoded: signing secret without its prefix', 'encoded: decoded signing secret',
		'decoded: decoded signing secret', 'basic: password of base URL', 'basic: user and password of base URL', 'address: password of base URL',
	]));
});

test('the simulator\'s key and the tokens of its instances are looked for', async () => {
	const simulator = await startSimulator();
	endWithTest(() => simulator.close());
	const search = new SecretSearch('planted').addSimulator(simulator);
	for (const text of [simulator.apiKey, ...simulator.control.instances().map(({ token }) => token)]) search.value(text, text);
	expect(new Set(foundBy(search))).toEqual(new Set([simulator.apiKey, ...simulator.control.instances().map(({ token }) => token)].map((text) => `${text}: as it is`)));
});

describe('files', () => {
	test('are searched in all folders, logs and binary data alike', () => {
		const folder = temporaryFolder();
		mkdirSync(join(folder, 'storage', 'binary'), { recursive: true });
		writeFileSync(join(folder, 'n8n.log'), `debug apikey: ${secret}\n`);
		writeFileSync(join(folder, 'storage', 'binary', 'one'), Buffer.concat([Buffer.from([0, 255, 1]), Buffer.from(secret), Buffer.from([0])]));
		const search = searchFor();
		search.folder('files', folder);
		expect(foundBy(search)).toEqual(['files: as it is', 'files: as it is']);
	});

	test('of SQLite are searched with what stands in the write-ahead log alone, and with values that lie in pieces', () => {
		const folder = temporaryFolder();
		const database = new DatabaseSync(join(folder, 'ledger.sqlite'));
		endWithTest(() => database.close());
		database.exec('pragma journal_mode = wal; pragma wal_autocheckpoint = 0; pragma page_size = 512; create table "a table" (value)');
		const clean = searchFor();
		clean.folder('files', folder);
		expect(clean.findings).toEqual([]);
		// over several pages, the secret over the edge of one: only the row holds it in one piece
		for (let fill = 450; fill < 1000; fill += 5) database.prepare('insert into "a table" values (?)').run('x'.repeat(fill) + secret + 'y'.repeat(500));
		const search = searchFor();
		search.folder('files', folder);
		expect(search.findings.filter(({ after }) => /^x+$/.test(after)).length).toBeGreaterThanOrEqual(110);
	});
});

test('rows of PostgreSQL are searched in all schemas and column types', async () => {
	const postgres = await TestPostgres.start();
	endWithTest(() => postgres.close());
	const client = new Client(postgres.url());
	await client.connect();
	await client.query(`create schema other; create table other.texts (value text); create table documents (value jsonb); create table "Bytes" (value bytea)`);
	const clean = searchFor();
	await clean.postgres('rows', postgres.url());
	expect(clean.findings).toEqual([]);
	await client.query('insert into other.texts values ($1)', [secret]);
	await client.query('insert into documents values ($1)', [{ deep: [{ apikey: secret }] }]);
	await client.query('insert into "Bytes" values ($1)', [Buffer.from(secret)]);
	await client.end();
	const search = searchFor();
	await search.postgres('rows', postgres.url());
	expect(foundBy(search).sort()).toEqual(['rows: JSON', 'rows: JSON', 'rows: hexadecimal']);
});

test('Redis is searched in its keys, and in values of each kind', async () => {
	const redis = await startRedis({ password: 'a-password-of-redis' });
	endWithTest(() => redis.close());
	const { client } = redis;
	const plants: Record<string, () => Promise<unknown>> = {
		key: () => client.set(`x:${secret}`, '1'),
		string: () => client.set('string', secret),
		list: () => client.rpush('list', 'x', secret),
		set: () => client.sadd('set', secret),
		zset: () => client.zadd('zset', 1, secret),
		hash: () => client.hset('hash', { field: secret }),
		field: () => client.hset('hash', { [secret]: 'value' }),
		stream: () => client.xadd('stream', '*', 'field', secret),
	};
	for (const [kind, plant] of Object.entries(plants)) {
		await client.flushall();
		await plant();
		const search = searchFor();
		await search.redis(kind, redis.url);
		expect(foundBy(search)).toEqual([`${kind}: as it is`]);
	}
	await client.flushall();
	await client.set('clean', 'value');
	const clean = searchFor();
	await clean.redis('clean', redis.url);
	expect(clean.findings).toEqual([]);
});
