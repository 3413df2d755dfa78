// How the ledger's operations hold up as it grows: each one's time at 1,000 transactions against that at a million.
import { mkdtempSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { Ledger } from '../../ordering/ledger/ledger';
import { PostgresLedger } from '../../ordering/ledger/postgres';
import { SqliteLedger } from '../../ordering/ledger/sqlite';
import type { Chat, Transaction } from '../../ordering/transaction';
import { TestPostgres } from '../../test/support/postgres';
import { median } from './runtime';

export interface Growth {
	smallMs: number;
	largeMs: number;
	ratio: number;
}

export interface LedgerGrowth {
	sqlite: Record<string, Growth>;
	postgres: Record<string, Growth>;
	/** The highest ratio of all. */
	worst: number;
}

const small = 1000;
/** Few, so that each chat's history grows from 2 transactions to thousands. */
const chats = 500;
/** Shorter times are a matter of caches, and nobody feels them: ratios start from here. */
const noiseMs = 0.1;
const rounds = 60;
const server = 'http://evolution.test';
const instance = 'meta1';
/** Fillings and measurements are about transactions from here on, in ms; the newest `open_` of them are still open. */
const began = 1_700_000_000_000;
const open_ = 50;

/** A filled ledger's `i`-th transaction, from 1. */
export function filledId(i: number): string {
	return `filled-${i}`;
}

/** A statement that records transactions $1 to $2 of $3 in all, spread over many chats; the body's pattern is $4. */
export function fillingStatement(prefix: string): string {
	const isOpen = `i > cast($3 as bigint) - ${open_}`;
	return `insert into ${prefix}transactions (server, id, instance, recipient, status, origin, fence, unsettled_until, unfinished, holds, message_ids, created_at, ended_at, body, opened_by)
		with recursive numbers(i) as (select cast($1 as bigint) union all select i + 1 from numbers where i < $2)
		select '${server}', 'filled-' || i, '${instance}', (i % ${chats}) || '@s.whatsapp.net', case when ${isOpen} then 'open' else 'completed' end,
			'origin-' || i, i / ${chats} + 1, case when ${isOpen} and i % 2 = 0 then ${Number.MAX_SAFE_INTEGER} end, case when ${isOpen} then 1 else 0 end, 0,
			'["wamid.' || i || '"]', ${began} + i * 1000, case when ${isOpen} then null else ${began} + i * 1000 + 5000 end,
			replace(replace(replace(replace($4, '@number', cast(i as text)), '@chat', cast(i % ${chats} as text)), '"@fence"', cast(i / ${chats} + 1 as text)), '"@created"', cast(${began} + i * 1000 as text)), ''
		from numbers`;
}

/** As many bytes as a usual transaction with a webhook has. */
export function fillingPattern(): string {
	const at = began;
	const pattern: Omit<Transaction, 'queue' | 'createdAt'> & { queue: object; createdAt: string } = {
		id: 'filled-@number',
		chat: { server, instance, recipient: '@chat@s.whatsapp.net' },
		status: 'completed',
		content: 'x'.repeat(170),
		origin: 'origin-@number',
		steps: [
			{ index: 0, type: 'send', status: 'done', attempts: 1, startedAt: at, finishedAt: at, messageId: 'wamid.@number', statusCode: 201 },
			{ index: 1, type: 'wait', status: 'done', attempts: 1, startedAt: at, finishedAt: at, receipt: 'delivered', toldBy: 'polling' },
			{ index: 2, type: 'webhook', status: 'done', attempts: 1, startedAt: at, finishedAt: at, statusCode: 200, answer: { ok: true, text: 'y'.repeat(200) } },
		],
		failedForGood: false,
		duplicatePossible: false,
		queue: { ticket: 1, waitedMs: 12, late: false, fence: '@fence' },
		marks: { sequences: {}, executions: { normal: 12345 } },
		owner: 'x'.repeat(36),
		createdAt: '@created',
		endedAt: at,
	};
	return JSON.stringify(pattern);
}

/** Compares a ledger of 1,000 transactions with one of `large`, in both databases. Needs PostgreSQL's programs. */
export async function benchLedger({ large = 1_000_000, progress }: { large?: number; progress(message: string): void }): Promise<LedgerGrowth> {
	const sqlite = await benchSqlite(large, progress);
	const postgres = await benchPostgres(large, progress);
	return { sqlite, postgres, worst: Math.max(...[sqlite, postgres].flatMap((one) => Object.values(one).map(({ ratio }) => ratio))) };
}

async function benchSqlite(large: number, progress: (message: string) => void): Promise<Record<string, Growth>> {
	const folder = mkdtempSync(join(tmpdir(), 'ordered-bench-'));
	const open = async (count: number) => {
		const own = join(folder, String(count));
		await SqliteLedger.open(own).close();
		const file = new DatabaseSync(join(own, 'ledger.sqlite'));
		const fill = file.prepare(fillingStatement(''));
		await filling(count, progress, 'SQLite', async ($1, $2) => void fill.run({ $1, $2, $3: count, $4: fillingPattern() }));
		file.close();
		return SqliteLedger.open(own);
	};
	const ledgers: Ledger[] = [];
	try {
		for (const count of [small, large]) ledgers.push(await open(count));
		return await compared(ledgers as [Ledger, Ledger], large, progress);
	} finally {
		for (const ledger of ledgers) await ledger.close();
		rmSync(folder, { recursive: true });
	}
}

async function benchPostgres(large: number, progress: (message: string) => void): Promise<Record<string, Growth>> {
	const database = await TestPostgres.start();
	const ledgers: Ledger[] = [];
	const client = new pg.Client(database.url());
	try {
		await client.connect();
		for (const [prefix, count] of [['small_', small], ['large_', large]] as const) {
			ledgers.push(await PostgresLedger.open({ url: database.url(), prefix }));
			await filling(count, progress, 'PostgreSQL', async (from, to) => void (await client.query(fillingStatement(prefix), [from, to, count, fillingPattern()])));
			await client.query(`vacuum analyze ${prefix}transactions, ${prefix}messages`);
		}
		await client.query('checkpoint');
		return await compared(ledgers as [Ledger, Ledger], large, progress);
	} finally {
		for (const ledger of ledgers) await ledger.close();
		await client.end();
		await database.close();
	}
}

async function filling(count: number, progress: (message: string) => void, name: string, fill: (from: number, to: number) => Promise<void>): Promise<void> {
	const batch = 50_000;
	for (let from = 1; from <= count; from += batch) {
		const to = Math.min(from + batch - 1, count);
		await fill(from, to);
		progress(`${name}: ${to} of ${count} transactions recorded`);
	}
}

/** Medians in ms. Both ledgers are asked in turns, so that what else the machine does hits both. */
async function compared(ledgers: [Ledger, Ledger], large: number, progress: (message: string) => void): Promise<Record<string, Growth>> {
	const counts = [small, large];
	const times: Record<string, [number[], number[]]> = {};
	for (let round = 0; round < rounds; round++) {
		for (const which of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
			for (const [name, ms] of await timed(ledgers[which], counts[which] as number, round)) (times[name] ??= [[], []])[which].push(ms);
		}
		if (round % 20 === 19) progress(`Measured ${round + 1} of ${rounds} rounds`);
	}
	return Object.fromEntries(
		Object.entries(times).map(([name, [ofSmall, ofLarge]]) => {
			const [smallMs, largeMs] = [median(ofSmall), median(ofLarge)];
			return [name, { smallMs, largeMs, ratio: Math.max(largeMs, noiseMs) / Math.max(smallMs, noiseMs) }];
		}),
	);
}

/** Each operation once, about one transaction and its chat, in which another one came later. */
async function timed(ledger: Ledger, count: number, round: number): Promise<Array<[string, number]>> {
	const times: Array<[string, number]> = [];
	const time = async <T>(name: string, operation: () => Promise<T>): Promise<T> => {
		const start = performance.now();
		const result = await operation();
		times.push([name, performance.now() - start]);
		return result;
	};
	const i = 1 + ((round * 7919) % (count - chats));
	const found = await time('find', () => ledger.find(server, filledId(i)));
	if (!found) throw new Error(`The ledger of ${count} transactions lacks ${filledId(i)}`);
	const { chat } = found;
	const { fence } = await time('laneOf', () => ledger.laneOf(chat));
	const old = { ...found, id: `new-${round}`, createdAt: began - 10_000_000 + round, origin: undefined, status: 'open' as const, endedAt: undefined };
	const { transaction } = await time('open', () => ledger.open(old));
	transaction.queue.fence = fence + 1;
	await time('saveIntent', () => ledger.saveIntent(transaction));
	await time('save', () => ledger.save({ ...transaction, status: 'completed', endedAt: transaction.createdAt }));
	await time('findByOrigin', () => ledger.findByOrigin(server, `origin-${i}`));
	await time('unsettled', () => ledger.unsettled(chat, 'x', began));
	await time('unfinished', () => ledger.unfinished(server, Number.MAX_SAFE_INTEGER, 20));
	await time('turnsOf', () => ledger.turnsOf(chat, Number.MAX_SAFE_INTEGER, 20));
	await time('ownsMessage', () => ledger.ownsMessage(server, `wamid.${i}`));
	await time('linkChat', () => ledger.linkChat(chat, `${round}@lid`));
	await time('linkedChat', () => ledger.linkedChat(nameOf(chat, `${round}@lid`)));
	await time('prune', () => ledger.prune(began));
	return times;
}

function nameOf(chat: Chat, recipient: string): Chat {
	return { ...chat, recipient };
}
