// The lanes over a real Redis, as all lanes promise.
import { randomUUID } from 'node:crypto';
import { RedisLanes } from '../../../ordering/lanes/redis/redis';
import { startRedis, type TestRedis } from '../../support/redis';
import { lanesContract, recordsOf } from './contract';

let redis: TestRedis;
const leaseMs = 600;

beforeAll(async () => {
	redis = await startRedis();
	await new Promise((resolve) => setTimeout(resolve, leaseMs + 1000)); // a new Redis gives no turns for one lease, and tells whole seconds
});

afterAll(() => redis.close());

lanesContract('RedisLanes', async () => {
	const { read, ...records } = recordsOf();
	const lanes = RedisLanes.open({ url: redis.url, prefix: randomUUID(), readRecord: read, settleMs: 0, leaseMs });
	await lanes.alive([lanes.owner]); // connected
	return { lanes, ...records, close: () => lanes.close() };
});
