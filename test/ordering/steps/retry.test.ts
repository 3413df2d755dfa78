// Retries of one step: what is tried again, how often, and after which pauses.
import type { TryAgain } from '../../../evolution/answers';
import { defaultSettings, type Settings } from '../../../ordering/settings';
import { AttemptFailed, retrying } from '../../../ordering/steps/retry';
import { thrownBy } from '../../evolution/helpers';

const quick: Settings = { ...defaultSettings, retryFirstMs: 20, pairLimitFirstMs: 60, mostRetryAfterMs: 300 };

function failed(tryAgain: TryAgain, code = 'x', retryAfterMs?: number): AttemptFailed {
	return new AttemptFailed({ code, message: 'failed' }, tryAgain, retryAfterMs);
}

/** Runs attempts that fail with these errors one after the other, then succeed; tells the times of the attempts in ms. */
async function run(attempts: number, errors: unknown[], signal?: AbortSignal): Promise<{ times: number[]; end: unknown }> {
	const times: number[] = [];
	const left = [...errors];
	const end = await retrying(attempts, quick, signal, async () => {
		times.push(performance.now());
		if (left.length > 0) throw left.shift();
		return 'done';
	}).catch((error: unknown) => error);
	return { times, end };
}

function pausesOf(times: number[]): number[] {
	return times.slice(1).map((time, i) => time - (times[i] as number));
}

test('what succeeds is done once', async () => {
	expect(await run(3, [])).toMatchObject({ end: 'done', times: [expect.any(Number)] });
});

test('what may be tried again is, until it succeeds', async () => {
	const { times, end } = await run(3, [failed('now'), failed('now')]);
	expect([times.length, end]).toEqual([3, 'done']);
});

test('attempts have their number, and the last error is told', async () => {
	const last = failed('now', 'last');
	const { times, end } = await run(3, [failed('now'), failed('now'), last, failed('now')]);
	expect([times.length, end]).toEqual([3, last]);
});

test.each(['later', 'never'] as const)('what is to be tried again %s is not', async (tryAgain) => {
	const error = failed(tryAgain);
	expect(await run(5, [error])).toMatchObject({ times: [expect.any(Number)], end: error });
});

test('with one attempt there is no second', async () => {
	expect((await run(1, [failed('now')])).times).toHaveLength(1);
});

test('a bug is not tried again', async () => {
	const bug = new RangeError('bug');
	expect(await run(5, [bug])).toMatchObject({ times: [expect.any(Number)], end: bug });
});

test('the pauses begin short and double, with a random part', async () => {
	const [first, second, third] = pausesOf((await run(4, [failed('now'), failed('now'), failed('now')])).times) as [number, number, number];
	expect(first).toBeGreaterThanOrEqual(19);
	expect(first).toBeLessThan(150);
	expect(second).toBeGreaterThanOrEqual(39);
	expect(third).toBeGreaterThanOrEqual(79);
});

test("the first retry comes within Stripe's and our 2 s by default", () => {
	expect(defaultSettings.retryFirstMs * 2).toBeLessThanOrEqual(2000);
});

test("a server's Retry-After is honoured, to a limit", async () => {
	const [asked] = pausesOf((await run(2, [failed('now', 'x', 250)])).times);
	expect(asked).toBeGreaterThanOrEqual(245);
	const [absurd] = pausesOf((await run(2, [failed('now', 'x', 3_600_000)])).times);
	expect(absurd).toBeGreaterThanOrEqual(295);
	expect(absurd).toBeLessThan(1500);
});

test("Meta's pair limit gets pauses that grow fourfold", async () => {
	const pair = () => failed('now', 'meta131056');
	const [first, second, third] = pausesOf((await run(4, [pair(), pair(), pair()])).times) as [number, number, number];
	for (const [pause, least] of [[first, 60], [second, 240], [third, 960]] as const) {
		expect(pause).toBeGreaterThanOrEqual(least - 5);
		expect(pause).toBeLessThan(least + 400);
	}
});

test.each([['an ordinary pause', 'x', undefined], ['a long pause that was asked for', 'x', 300], ["the pair limit's pause", 'meta131056', undefined]])('a cancellation ends %s at once, and nothing is tried again', async (_what, code, after) => {
	const cancel = new AbortController();
	const slow: Settings = { ...quick, retryFirstMs: 30_000, pairLimitFirstMs: 30_000, mostRetryAfterMs: 30_000 };
	let attempts = 0;
	setTimeout(() => cancel.abort(), 50);
	const began = performance.now();
	await thrownBy(retrying(3, slow, cancel.signal, async () => {
		attempts += 1;
		throw failed('now', code, after && 30_000);
	}));
	expect(performance.now() - began).toBeLessThan(1000);
	expect(attempts).toBe(1);
});
