// Engines on one PostgreSQL and Redis, as in several workers.
import pg from 'pg';
import type { BufferSettings } from '../../../ordering/buffer/buffer';
import type { StoreAccess } from '../../../ordering/store';
import { TestPostgres } from '../../support/postgres';
import { startRedis, type TestRedis } from '../../support/redis';
import { openedIn, type Place } from './place';

/** Call it at the top of a test file: gives a maker of places on one PostgreSQL and Redis, and that Redis. */
export function useSharedPlaces(): { makePlace: () => Place; redis: () => TestRedis } {
	let postgres: TestPostgres;
	let redis: TestRedis;
	let prefixes = 0;
	beforeAll(async () => {
		[postgres, redis] = await Promise.all([TestPostgres.start(), startRedis()]);
	}, 60_000);
	afterAll(async () => {
		await redis.close();
		await postgres.close();
	});
	const makePlace = () => {
		const store: StoreAccess = { postgresUrl: postgres.url(), redisUrl: redis.url, namePrefix: `buffer_${++prefixes}` };
		return { access: { store }, open: (settings?: Partial<BufferSettings>) => openedIn({ store }, settings), bodies: () => postgresBodies(store) };
	};
	return { makePlace, redis: () => redis };
}

async function postgresBodies({ postgresUrl, namePrefix }: StoreAccess): Promise<string[]> {
	const client = new pg.Client({ connectionString: postgresUrl });
	await client.connect();
	try {
		const { rows } = await client.query<{ body: string }>(`select body from ${namePrefix}_buffer_messages`);
		return rows.map(({ body }) => body);
	} finally {
		await client.end();
	}
}
