// The buffer over several processes, on PostgreSQL and Redis: as on SQLite, and what several engines do at once.
import pg from 'pg';
import type { Engine } from '../../../ordering/engine';
import { postgresMigrations } from '../../../ordering/ledger/schema';
import type { Value } from '../../../ordering/ledger/sqlLedger';
import type { StoreAccess } from '../../../ordering/store';
import { bufferContract } from './contract';
import type { Collected } from '../../../ordering/buffer/buffer';
import { BufferStore } from '../../../ordering/buffer/store';
import { frequent } from './frequent';
import { itemsOf, leaseMs, oneItem, picture, type Place, reasonsOf, receive, rules, sleep, text } from './place';
import { useSharedPlaces } from './shared';

const { makePlace, redis } = useSharedPlaces();

bufferContract('PostgreSQL with Redis', makePlace);

test('a store of before gets the tables of the buffer', async () => {
	const place = makePlace();
	const { store } = place.access as { store: StoreAccess };
	const prefix = `${store.namePrefix}_`;
	await query(store, `${postgresMigrations(prefix)[0]}; create table ${prefix}schema_version (version integer not null); insert into ${prefix}schema_version values (1)`);
	const { buffer } = await place.open();
	expect(oneItem([await receive(buffer, text('a'))]).text).toBe('a');
});

test('what is asked all the time is found by an index', async () => {
	const place = makePlace();
	await place.open();
	const { store } = place.access as { store: StoreAccess };
	for (const [name, sql, values] of frequent(`${store.namePrefix}_`)) {
		const rows = await query(store, `explain ${sql}`, values);
		expect([name, rows.map((row) => row['QUERY PLAN']).join('\n')]).toEqual([name, expect.not.stringMatching(/Seq Scan/)]);
	}
});

async function query({ postgresUrl }: StoreAccess, sql: string, values?: Value[]): Promise<Array<Record<string, string>>> {
	const client = new pg.Client({ connectionString: postgresUrl, options: '-c enable_seqscan=off' });
	await client.connect();
	try {
		return (await client.query<Record<string, string>>(sql, values)).rows;
	} finally {
		await client.end();
	}
}

describe('several engines on one store', () => {
	let place: Place;
	let engines: Engine[];
	const on = (index: number) => (engines[index % engines.length] as Engine).buffer;

	beforeEach(async () => {
		place = makePlace();
		engines = await Promise.all([1, 2, 3].map(() => place.open()));
	});

	test('messages that come to different engines become one item', async () => {
		const collected = await Promise.all(Array.from({ length: 9 }, (_, i) => receive(on(i), text(`${i}`), { quietMs: 400 })));
		expect(oneItem(collected).text).toBe('0\n1\n2\n3\n4\n5\n6\n7\n8');
		expect(reasonsOf(collected)).toEqual(Array.from({ length: 8 }, () => 'joinedLater'));
	});

	test("a message on another engine begins the quiet time anew, and a picture ends it", async () => {
		const since = performance.now();
		const calls = [receive(on(0), text('a'), { quietMs: 600 })];
		for (const [i, words] of ['b', 'c'].entries()) {
			await sleep(400);
			calls.push(receive(on(i + 1), text(words)));
		}
		await sleep(400);
		calls.push(receive(on(1), picture()));
		expect(oneItem(await Promise.all(calls))).toMatchObject({ text: 'a\nb\nc', because: 'media' });
		expect(performance.now() - since).toBeGreaterThan(1190);
	});

	test('a turn that one engine gave is ended on any, and the next item comes from a third', async () => {
		const { turnId } = oneItem([await receive(on(0), text('first'))]);
		const next = receive(on(1), text('second'));
		await sleep(500);
		expect(await on(2).endTurn(turnId)).toBe(true);
		expect(oneItem([await next]).text).toBe('second');
		expect(await on(0).endTurn(turnId)).toBe(false);
	});

	test('the same message on all engines at once is in one item once', async () => {
		for (let round = 0; round < 10; round++) {
			const one = text(`round ${round}`);
			const collected = await Promise.all(Array.from({ length: 9 }, (_, i) => receive(on(i), one, { oneTurnAtATime: false })));
			expect(oneItem(collected).messages).toHaveLength(1);
		}
	});

	test('of items that are taken while messages come, each message is in exactly one', async () => {
		const instant = { quietMs: 0, longestMs: 0, mostMessages: 1, oneTurnAtATime: false };
		const collected = await Promise.all(Array.from({ length: 300 }, (_, i) => sleep(i % 50).then(() => receive(on(i), text(`${i}`), instant))));
		const all = itemsOf(collected).flatMap(({ messages }) => messages.map((message) => Number(message.text)));
		expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, i) => i));
	});

	test('a message whose call is sent away by a collector that has nothing left to take is not forgotten', async () => {
		const { take, dropClaim } = BufferStore.prototype;
		const gate = Promise.withResolvers<void>();
		let sentAway: Collected[] = [];
		jest.spyOn(BufferStore.prototype, 'take').mockImplementationOnce(async function (this: BufferStore, ...args) {
			await gate.promise;
			await take.apply(this, args);
		});
		jest.spyOn(BufferStore.prototype, 'dropClaim').mockImplementationOnce(async function (this: BufferStore, ...args) {
			sentAway = [await receive(on(2), text('third'))];
			await dropClaim.apply(this, args);
		});
		const first = receive(on(0), text('first'), { quietMs: 50, oneTurnAtATime: false });
		await sleep(400); // its turn has begun, and has taken nothing yet
		const second = receive(on(1), text('second'), { quietMs: 1_000, oneTurnAtATime: false });
		await sleep(200); // collects
		gate.resolve();
		expect(oneItem([await first]).text).toBe('first\nsecond');
		expect(oneItem([await second]).text).toBe('third');
		expect(reasonsOf(sentAway)).toEqual(['joinedLater']);
		jest.restoreAllMocks();
	});

	test('what one took over no other takes over', async () => {
		for (let i = 0; i < 30; i++) {
			const cancel = new AbortController();
			const going = receive(on(0), text('left', {}, { instance: `instance-${i}` }), {}, cancel.signal);
			setTimeout(() => cancel.abort(), 30);
			await expect(going).rejects.toThrow();
		}
		const taken = (await Promise.all([0, 1, 2].map((i) => on(i).takeOver(rules)))).flat();
		expect(taken.map((item) => item.chat.instance).sort()).toEqual(Array.from({ length: 30 }, (_, i) => `instance-${i}`).sort());
	});

	test('while Redis is away it can not be told who lives: nothing is taken from anybody, and nothing is lost', async () => {
		const { turnId } = oneItem([await receive(on(0), text('first'))]);
		const next = receive(on(1), text('second'));
		await sleep(200);
		redis().freeze();
		try {
			expect(reasonsOf([await receive(on(2), text('third'))])).toEqual(['joinedLater']);
			await sleep(2 * leaseMs);
		} finally {
			redis().thaw();
		}
		expect(await on(0).endTurn(turnId)).toBe(true);
		expect(oneItem([await next])).toMatchObject({ text: 'second\nthird', redelivered: false });
	});
});
