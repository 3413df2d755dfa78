// The arrangements of a TypeBot flow that are right are right in 1,000 of 1,000 turns, also where turns of a chat overlap.
import pMap from 'p-map';
import { orderedCall } from '../../support/calls';
import { resultOf, type Scene, scene, sleep } from '../../support/scene';

const chats = 50;
const turns = 1000;
/** Of EvolutionAPI's 1,000 ms and more a bubble, as far as a test has the time. */
const bubbleMs = 10;

const numberOf = (turn: number) => `55119${10_000_000 + (turn % chats)}`;

/** What the HTTP request block gets. */
interface Answered {
	statusCode: number;
	replayed: boolean;
	code?: string;
}

/** As EvolutionAPI's TypeBot integration does it: only when TypeBot has answered, each bubble after a delay, past the engine. */
async function bubble({ simulator }: Scene, number: string, text: string): Promise<void> {
	await sleep(bubbleMs);
	await fetch(`${simulator.url}/message/sendText/meta1`, { method: 'POST', headers: { apikey: simulator.apiKey, 'content-type': 'application/json' }, body: JSON.stringify({ number, text }) });
}

/** The template: sends, waits, calls the webhook, then answers. */
async function template({ engine, simulator, receiver }: Scene, input: { number: string; text: string; id: string; path: string }, options: object = {}): Promise<Answered> {
	const call = orderedCall({ baseUrl: simulator.url, apiKey: simulator.apiKey }, { number: input.number, text: input.text, waitFor: 'sent', ackTimeoutSeconds: 20, webhookUrl: receiver.url + input.path, options: { transactionId: input.id, requestTimeoutSeconds: 10, queueTimeoutSeconds: 60, ...options } });
	const [outcome] = await engine.run([call], { stopOnFailure: false });
	if (!outcome) throw new Error('the engine gave no outcome');
	if (outcome.failure) return { statusCode: 422, replayed: false, code: outcome.failure.code };
	return { statusCode: 200, replayed: resultOf(outcome).replayed };
}

/** When each text reached WhatsApp and each webhook was called. Fails where one did so twice. */
function times({ simulator, receiver }: Scene): Map<string, number> {
	const all = [...simulator.control.messages().map(({ at, text }) => ({ at, what: text })), ...receiver.calls.map(({ at, path }) => ({ at, what: path }))];
	const found = new Map(all.map(({ what, at }) => [what, at]));
	expect(found.size).toBe(all.length);
	return found;
}

/** Which of the turns did not happen in this order; what is missing counts as wrong. */
function wrongTurns(at: Map<string, number>, orders: string[][]): string[][] {
	return orders.filter((order) => order.some((what, index) => !at.has(what) || (index > 0 && (at.get(order[index - 1] as string) as number) >= (at.get(what) as number))));
}

/** All turns, two of each chat at a time. */
async function inBursts<T>(run: (turn: number) => Promise<T>): Promise<T[]> {
	return await pMap(Array.from({ length: turns }, (_, turn) => turn), run, { concurrency: 2 * chats });
}

test('bubble behind the block: text, webhook, bubble, in each of 1,000 turns', async () => {
	const here = await scene();
	const answers = await inBursts(async (turn) => {
		const number = numberOf(turn);
		const answered = await template(here, { number, text: `text ${turn}`, id: `result-${turn}`, path: `/${turn}` });
		await bubble(here, number, `bubble ${turn}`);
		return answered;
	});
	expect(answers.filter(({ statusCode }) => statusCode !== 200)).toEqual([]);
	expect(wrongTurns(times(here), answers.map((_, turn) => [`text ${turn}`, `/${turn}`, `bubble ${turn}`]))).toEqual([]);
});

test('the same block twice at once: nothing twice, the same text gets the same result, another text is refused, in each of 1,000 turns', async () => {
	const here = await scene();
	// of two messages a moment apart, TypeBot runs the block twice: every second pair has one text, every other two
	const answers = await pMap(
		Array.from({ length: turns / 2 }, (_, pair) => pair),
		async (pair) => {
			const number = numberOf(pair);
			const texts = pair % 2 === 0 ? ['a', 'a'] : ['a', 'b'];
			const both = await Promise.all(texts.map((text) => template(here, { number, text: `text ${pair} ${text}`, id: `result-${pair}`, path: `/${pair}` })));
			await bubble(here, number, `bubble ${pair}`);
			return both;
		},
		{ concurrency: chats },
	);
	const outcomes = answers.map((both) => both.map(({ statusCode, replayed, code }) => code ?? `${statusCode}${replayed ? ' replayed' : ''}`).sort().join(', '));
	expect(outcomes.filter((outcome, pair) => outcome !== (pair % 2 === 0 ? '200, 200 replayed' : '200, transactionConflict'))).toEqual([]);
	const at = times(here);
	const textOf = (pair: number) => [`text ${pair} a`, `text ${pair} b`].filter((text) => at.has(text));
	expect(answers.flatMap((_, pair) => (textOf(pair).length === 1 ? [] : [textOf(pair)]))).toEqual([]);
	expect(wrongTurns(at, answers.map((_, pair) => [textOf(pair)[0] ?? '', `/${pair}`, `bubble ${pair}`]))).toEqual([]);
});

test('bubble before the block: bubble, text, webhook, by waiting for it, in each of 1,000 turns', async () => {
	const here = await scene({ earlierEveryMs: 60 });
	const answers = await inBursts(async (turn) => {
		const number = numberOf(turn);
		const since = Date.now();
		// the template has answered before this, so TypeBot's turn ends, and EvolutionAPI sends its bubbles
		const [answered] = await Promise.all([
			template(here, { number, text: `text ${turn}`, id: `result-${turn}`, path: `/${turn}` }, { afterEarlierMessages: { since, until: 'text', text: `bubble ${turn}`, timeoutSeconds: 30 } }),
			bubble(here, number, `bubble ${turn}`),
		]);
		return answered;
	});
	expect(answers.filter(({ statusCode }) => statusCode !== 200)).toEqual([]);
	expect(wrongTurns(times(here), answers.map((_, turn) => [`bubble ${turn}`, `text ${turn}`, `/${turn}`]))).toEqual([]);
});

test('the comparison fails where a turn is wrong: a bubble that does not wait for the block stands before the text', async () => {
	const here = await scene();
	await bubble(here, numberOf(0), 'bubble 0');
	await template(here, { number: numberOf(0), text: 'text 0', id: 'result-0', path: '/0' });
	expect(wrongTurns(times(here), [['text 0', '/0', 'bubble 0']])).toHaveLength(1);
});
