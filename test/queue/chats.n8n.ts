// A real n8n main and two workers, with real PostgreSQL and Redis: the order of 100 chats, whatever dies meanwhile.
import { type Counts, judge, violations } from './history';
import { type Plan, run, type Run } from './load';
import { openTransactions, type QueuePlace, recover, useQueuePlace } from './place';

const place = useQueuePlace();
const withinMs = 15 * 60_000;
/** `RedisLanes` waits so long for those that come later but began earlier. */
const settleMs = 300;
/** What the slowest third of the calls may bring without a worker: half of the 20 slots are left then. */
const windowOfArrivals = 8;

const oneWorkerDies = (): NonNullable<Plan['faults']>[number] => ({
	after: 300,
	name: 'one of two workers killed and started again',
	happens: async () => {
		await place.queue.killWorker(1);
		await place.queue.startWorker(1);
	},
});

const redisRestarts = (which: 'jobsRedis' | 'ownRedis', data: 'saved' | 'lost'): NonNullable<Plan['faults']>[number] => ({
	after: 750,
	name: `Redis restarted, its data ${data}`,
	happens: async () => {
		await place[which].kill();
		await place[which].start(data);
	},
});

/** Tells what happened, then gives what was wrong. */
function verdict(what: string, result: Run): { wrong: string[]; counts: Counts } {
	const findings = judge(result);
	console.log(`${what}: ${result.seconds} s\n${JSON.stringify({ ...findings.counts, executions: result.executions }, null, 2)}`);
	return { wrong: violations(findings), counts: findings.counts };
}

/** All that ended well, however its order was excused. */
const completed = ({ outputs }: Counts): number => outputs.completed ?? 0;

async function openAfterRecovery(store: keyof QueuePlace['stores']): Promise<string[]> {
	await recover(place, store);
	return await openTransactions(place, store);
}

test.each([
	{ redis: 'jobsRedis', data: 'saved' },
	{ redis: 'ownRedis', data: 'lost' },
] as const)('with sequence numbers, 100 chats keep their order while a worker dies and Redis restarts with its data $data', async ({ redis, data }) => {
	const result = await run(place, {
		order: 'sequence',
		store: redis,
		options: { sequenceNumber: '={{ $json.body.number }}', sequenceGapSeconds: 5, queueTimeoutSeconds: 60 },
		chats: 100,
		together: 4,
		window: windowOfArrivals,
		faults: [oneWorkerDies(), redisRestarts(redis, data)],
	});
	const { wrong, counts } = verdict(`Sequence numbers, Redis data ${data}`, result);
	expect(wrong).toEqual([]);
	expect(completed(counts)).toBeGreaterThan(900);
	expect(await openAfterRecovery(redis)).toEqual([]);
}, withinMs);

test('a full shuffle ends in the time-out of the queue, never in a wrong order', async () => {
	const result = await run(place, {
		order: 'sequence',
		store: 'ownRedis',
		options: { sequenceNumber: '={{ $json.body.number }}', sequenceGapSeconds: 120, queueTimeoutSeconds: 4 },
		chats: 20,
		together: 20,
		window: 200,
	});
	const { wrong, counts } = verdict('A full shuffle', result);
	expect(wrong).toEqual([]);
	expect(completed(counts)).toBeGreaterThan(0);
	const others = Object.keys(counts.outputs).filter((outcome) => !['completed', 'failed: queueTimeout', 'failed: sequenceTooLate'].includes(outcome));
	expect(others).toEqual([]);
	expect(counts.outputs['failed: queueTimeout']).toBeGreaterThan(0);
}, withinMs);

test('without sequence numbers, what comes within the settling time keeps the order of its executions, and the rest is marked late', async () => {
	const result = await run(place, {
		order: 'execution',
		settleMs,
		store: 'jobsRedis',
		options: { queueTimeoutSeconds: 60 },
		chats: 100,
		together: 20,
		window: 1,
		faults: [oneWorkerDies(), redisRestarts('jobsRedis', 'saved')],
	});
	const { wrong, counts } = verdict('Execution IDs', result);
	expect(wrong).toEqual([]);
	expect(completed(counts)).toBeGreaterThan(900);
	expect(await openAfterRecovery('jobsRedis')).toEqual([]);
}, withinMs);
