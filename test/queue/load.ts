// Calls n8n's webhook for each text of many chats, lets things go wrong meanwhile, and gathers what is needed to judge it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Execution } from '../../scripts/n8n/rest';
import { type History, nameOf, type Output, type Trigger } from './history';
import { executionsOf, NODE_NAME, publishSend, type QueuePlace } from './place';

export interface Plan {
	order: History['order'];
	store: keyof QueuePlace['stores'];
	/** The node's options. */
	options: object;
	chats: number;
	/** So many chats are under way at a time, and their texts come by turns. */
	together: number;
	/** No text is called for earlier or later than that many places off its own; 1 is the right order. */
	window: number;
	settleMs?: number;
	/** What goes wrong, and after how many calls. */
	faults?: Array<{ after: number; name: string; happens(): Promise<void> }>;
}

export interface Run extends History {
	/** How many executions n8n has in each status. */
	executions: Record<string, number>;
	seconds: number;
}

interface Call {
	chat: string;
	number: number;
}

const TEXTS_PER_CHAT = 10;
/** n8n 2.41 leaves a call without an answer now and then, although its execution has ended. */
const ANSWER_WITHIN_MS = 150_000;
/** Twice the 20 slots: they are always full, whatever the machine's speed. */
const MOST_UNANSWERED = 40;
/** Closer ones would reach n8n in an order that the plan does not know of. */
const BETWEEN_CALLS_MS = 15;

interface Answered extends Trigger {
	executionId?: string;
}

let runs = 0;

/** Resolves when every call has its answer, or its time is over, and each fault has happened. */
export async function run(place: QueuePlace, plan: Plan): Promise<Run> {
	const { simulator, receiver, rest } = place;
	simulator.control.clearLog();
	receiver.calls.length = 0;
	const chatOffset = 1000 * ++runs;
	const { workflow, path } = await publishSend(place, plan.store, plan.options);
	const started = performance.now();
	const calls = shuffledWithin(plan.window, callsByTurns(plan));
	const answers: Array<Promise<Answered>> = [];
	const unanswered = new Set<Promise<Answered>>();
	const faults: Array<Promise<void>> = [];
	for (const call of calls) {
		while (unanswered.size >= MOST_UNANSWERED) await Promise.race(unanswered);
		const answer = trigger(`${rest.url}/webhook/${path}`, call, chatOffset);
		answers.push(answer);
		unanswered.add(answer);
		void answer.then(() => unanswered.delete(answer));
		for (const fault of plan.faults ?? []) if (fault.after === answers.length) faults.push(happen(fault));
		await sleep(BETWEEN_CALLS_MS);
	}
	const triggers = await Promise.all(answers);
	await Promise.all(faults);
	await takeFromExecutions(place, workflow.id, triggers);
	return {
		order: plan.order,
		settleMs: plan.settleMs,
		triggers,
		messages: simulator.control.messages().map(({ text, at }) => ({ text, at })),
		calls: receiver.calls.map(({ path: called, headers, at }) => ({ path: called, webhookId: String(headers['webhook-id']), at })),
		executions: await statuses(place, workflow.id),
		seconds: Math.round((performance.now() - started) / 1000),
	};
}

/** `together` chats at a time, each with its texts 1 to 10 in order. */
function callsByTurns({ chats, together }: Plan): Call[] {
	const all: Call[] = [];
	for (let first = 1; first <= chats; first += together) {
		const group = Array.from({ length: Math.min(together, chats - first + 1) }, (_, index) => `c${first + index}`);
		for (let number = 1; number <= TEXTS_PER_CHAT; number++) all.push(...group.map((chat) => ({ chat, number })));
	}
	return all;
}

/** Shuffles blocks of `window`, so nothing waits for what comes behind its block. The same each time. */
function shuffledWithin<T>(window: number, list: T[]): T[] {
	const random = randomNumbers(20_261_124);
	const shuffled: T[] = [];
	for (let start = 0; start < list.length; start += window) {
		const block = list.slice(start, start + window);
		while (block.length > 0) shuffled.push(...block.splice(Math.floor(random() * block.length), 1));
	}
	return shuffled;
}

/** From 0 to below 1 (mulberry32). */
function randomNumbers(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

async function trigger(url: string, { chat, number }: Call, chatOffset: number): Promise<Answered> {
	const phone = `55119${String(10_000_000 + chatOffset + Number(chat.slice(1)))}`;
	try {
		const answer = await fetch(url, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({ name: nameOf({ chat, number }), chat, number, phone }),
			signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
		});
		const json = (await answer.json()) as Record<string, unknown>;
		return { chat, number, httpStatus: answer.status, output: outputOf(json), executionId: json.executionId as string | undefined };
	} catch {
		return { chat, number, httpStatus: 0 };
	}
}

/** The part of the node's output item that counts; undefined where it is none. */
function outputOf(json: Record<string, unknown> | undefined): Output | undefined {
	if (typeof json?.status !== 'string') return undefined;
	const { status, queue, steps, error } = json as { status: string; queue?: { late: boolean; waitedMs: number }; steps?: Array<{ startedAt?: string }>; error?: { code?: string; sent?: string } };
	const startedAt = steps?.[0]?.startedAt;
	return { status, late: queue?.late, code: error?.code, sent: error?.sent, ...(startedAt && queue ? { takenAt: Date.parse(startedAt) - queue.waitedMs } : {}) };
}

async function happen({ name, happens }: NonNullable<Plan['faults']>[number]): Promise<void> {
	const since = performance.now();
	await happens();
	console.log(`${name}: took ${((performance.now() - since) / 1000).toFixed(1)} s`);
}

/** Where n8n's answer was lost and its execution was not, the output stands in the execution. */
async function takeFromExecutions(place: QueuePlace, workflowId: string, triggers: Answered[]): Promise<void> {
	const without = new Map(triggers.filter(({ output }) => !output).map((one) => [nameOf(one), one]));
	if (without.size === 0) return;
	const known = new Set(triggers.map(({ executionId }) => executionId));
	for (const { id } of await executionsOf(place, workflowId)) {
		if (known.has(id)) continue;
		const execution = await place.rest.execution(id);
		const asked = without.get(String((firstItem(execution, 'Webhook')?.body as { name?: string } | undefined)?.name));
		if (asked) asked.output = outputOf(firstItem(execution, NODE_NAME));
	}
}

function firstItem(execution: Execution, node: string): Record<string, unknown> | undefined {
	return execution.data?.resultData?.runData?.[node]?.at(-1)?.data?.main?.[0]?.[0]?.json;
}

async function statuses(place: QueuePlace, workflowId: string): Promise<Record<string, number>> {
	const counts: Record<string, number> = {};
	for (const { status } of await executionsOf(place, workflowId)) counts[status] = (counts[status] ?? 0) + 1;
	return counts;
}
