// The judge of the runs in queue mode finds each violation that is planted, and nothing in a good run.
import { type History, judge, type Output, type Trigger, violations } from './history';

const trigger = (number: number, output: Partial<Output> = {}): Trigger => ({ chat: 'c1', number, httpStatus: 200, output: { status: 'completed', ...output } });

/** One chat whose texts `c1-1@101` to `c1-3@103` came in order, each with its webhook 1 ms later. */
function goodRun(order: History['order'] = 'sequence'): History {
	const numbers = [1, 2, 3];
	return {
		order,
		settleMs: 300,
		triggers: numbers.map((number) => trigger(number, { takenAt: number * 100 })),
		messages: numbers.map((number) => ({ text: `c1-${number}@${100 + number}`, at: number * 10 })),
		calls: numbers.map((number) => ({ path: `/c1-${number}`, webhookId: `id-${number}`, at: number * 10 + 1 })),
	};
}

/** What is found after `change`. */
function found(change: (run: History) => void, order?: History['order']): string[] {
	const run = goodRun(order);
	change(run);
	return violations(judge(run));
}

/** Puts the last text in front of all others, in its chat and in time. */
function lastFirst({ messages, calls }: History): void {
	messages.unshift({ ...messages.pop()!, at: 1 });
	calls.unshift({ ...calls.pop()!, at: 2 });
}

test.each(['sequence', 'execution'] as const)('a good run in the order of its %ss has no violations', (order) => {
	expect(found(() => {}, order)).toEqual([]);
});

test('texts of two chats may come in any order between the chats', () => {
	expect(
		found(({ triggers, messages, calls }) => {
			triggers.push({ ...trigger(1), chat: 'c2' });
			messages.splice(2, 0, { text: 'c2-1@104', at: 25 });
			calls.push({ path: '/c2-1', webhookId: 'id-4', at: 40 });
		}),
	).toEqual([]);
});

test('a text behind one with a higher sequence number is an inversion, even if it is marked late', () => {
	const planted = (run: History) => {
		lastFirst(run);
		for (const { output } of run.triggers) output!.late = true;
	};
	expect(found(planted)).toEqual(['inversions: c1-1 (1) came after c1-3 (3)', 'inversions: c1-2 (2) came after c1-3 (3)']);
});

test('a text behind a later execution is an inversion unless it is marked late', () => {
	expect(found(lastFirst, 'execution')).toEqual(['inversions: c1-1 (101) came after c1-3 (103)', 'inversions: c1-2 (102) came after c1-3 (103)']);
	const marked = (run: History) => {
		lastFirst(run);
		for (const { output } of run.triggers) Object.assign(output!, { late: true, takenAt: undefined });
	};
	expect(found(marked, 'execution')).toEqual([]);
});

test('a mark excuses only one that came later than the settling time', () => {
	const comingAfter = (ms: number) => (run: History) => {
		lastFirst(run);
		Object.assign(run.triggers[0]!.output!, { late: true, takenAt: 300 + ms });
		Object.assign(run.triggers[1]!.output!, { late: true, takenAt: 1000 });
	};
	expect(found(comingAfter(299), 'execution')).toEqual(['inversions: c1-1 (101) came after c1-3 (103)']);
	expect(found(comingAfter(300), 'execution')).toEqual([]);
});

test('the order of the executions, not of the numbers, counts where there are no sequence numbers', () => {
	expect(found(({ messages }) => messages.forEach((message, index) => (message.text = `c1-${index + 1}@${200 - index}`)), 'execution')).toHaveLength(2);
});

test('a text that came twice is a duplicate, also from another execution', () => {
	expect(found(({ messages }) => messages.push({ text: 'c1-3@109', at: 99 }))).toEqual(['duplicates: c1-3@103 came again as c1-3@109']);
});

test('a webhook called again under its ID is counted; under another ID it is a violation', () => {
	const again = (webhookId: string) => (run: History) => void run.calls.push({ path: '/c1-2', webhookId, at: 99 });
	const run = goodRun();
	again('id-2')(run);
	expect([violations(judge(run)), judge(run).counts.webhooksRepeated]).toEqual([[], 1]);
	expect(found(again('id-9'))).toEqual(['otherIds: the webhook of c1-2 was called under 2 IDs']);
});

test('a webhook before its text, or without it, is a violation', () => {
	expect(found(({ calls }) => (calls[1]!.at = 15))).toEqual(['earlyWebhooks: the webhook of c1-2 was called 5 ms before its text']);
	expect(found(({ messages }) => messages.splice(2, 1))).toEqual(['earlyWebhooks: the webhook of c1-3 was called, and its text never came', 'notDone: c1-3 is called complete, and its text never came']);
});

test('a refused text that came all the same is a violation; one that stayed out is counted', () => {
	const refused = (run: History) => {
		run.triggers[1] = trigger(2, { status: 'failed', code: 'sequenceTooLate', sent: 'no' });
		run.calls.splice(1, 1);
	};
	expect(found(refused)).toEqual(['slippedIn: c1-2 came, though it ended as sequenceTooLate with nothing sent']);
	const run = goodRun();
	refused(run);
	run.messages.splice(1, 1);
	expect([violations(judge(run)), judge(run).counts.outputs]).toEqual([[], { 'completed': 2, 'failed: sequenceTooLate': 1 }]);
});

test('a completed transaction whose webhook nobody saw is a violation', () => {
	expect(found(({ calls }) => calls.pop())).toEqual(['notDone: c1-3 is called complete, and its webhook was never called']);
});

test('texts and webhooks that nobody asked for are violations', () => {
	const strange = (run: History) => {
		run.messages.push({ text: 'c7-1@120', at: 50 });
		run.calls.push({ path: '/c8-1', webhookId: 'id-8', at: 51 });
	};
	expect(found(strange)).toEqual(['earlyWebhooks: the webhook of c8-1 was called, and its text never came', 'unknown: text c7-1@120', 'unknown: webhook /c8-1']);
});

test('an execution that n8n lost is counted by the status of its answer, and its text may be there or not', () => {
	const run = goodRun();
	run.triggers[1] = { chat: 'c1', number: 2, httpStatus: 500 };
	run.triggers.push({ chat: 'c1', number: 4, httpStatus: 0 });
	expect([violations(judge(run)), judge(run).counts.lost]).toEqual([[], { 0: 1, 500: 1 }]);
});
