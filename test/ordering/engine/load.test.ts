// A thousand transactions over fifty chats at once, with random delays at both ends: no inversion, nothing twice.
import { resultOf, scene } from '../../support/scene';

const chats = 50;
const perChat = 20;

test.each([
	['as items of one execution', true],
	['as executions of their own', false],
])('1,000 transactions over 50 chats, %s: 0 inversions within a chat, no message twice, every webhook once', async (_what, together) => {
	const { engine, call, simulator, receiver } = await scene({ chatsAtOnce: chats });
	simulator.control.onMessage(() => new Promise((resolve) => setTimeout(resolve, Math.random() * 20)));
	receiver.behave(() => ({ afterMs: Math.random() * 20 }));
	const calls = Array.from({ length: chats * perChat }, (_, index) => {
		const chat = index % chats;
		const turn = Math.floor(index / chats);
		return call({ number: `5511988880${String(100 + chat)}`, text: `${chat}/${turn}`, webhookUrl: `/${chat}/${turn}`, options: { queueTimeoutSeconds: 120, requestTimeoutSeconds: 10 } }, { origin: together ? { executionId: '1', item: index } : {} });
	});
	const before = performance.now();
	const batches = together ? [calls] : calls.map((one) => [one]);
	const outcomes = (await Promise.all(batches.map((batch) => engine.run(batch, { stopOnFailure: false })))).flat();
	expect(performance.now() - before).toBeLessThan(60_000);
	expect(outcomes.filter((outcome) => resultOf(outcome).status !== 'completed')).toEqual([]);

	const messages = simulator.control.messages();
	expect(new Set(messages.map(({ text }) => text)).size).toBe(calls.length);
	expect(messages).toHaveLength(calls.length);
	expect(new Set(receiver.calls.map(({ path }) => path)).size).toBe(calls.length);
	expect(receiver.calls).toHaveLength(calls.length);

	const sentAt = new Map(messages.map(({ text, at }) => [`/${text}`, at]));
	const hooks = new Map(receiver.calls.map((one) => [one.path, one]));
	let inversions = 0;
	for (let chat = 0; chat < chats; chat++) {
		const tickets = outcomes.map(resultOf).filter(({ chat: { recipient } }) => recipient.startsWith(`5511988880${100 + chat}`)).map(({ queue }) => queue.ticket);
		expect(tickets).toEqual([...tickets].sort((a, b) => a - b)); // asked for in the order of the input
		let previous = 0;
		for (let turn = 0; turn < perChat; turn++) {
			const sent = sentAt.get(`/${chat}/${turn}`) ?? NaN;
			const hook = hooks.get(`/${chat}/${turn}`);
			if (!(sent > previous)) inversions += 1;
			if (!((hook?.at ?? NaN) > sent)) inversions += 1;
			previous = hook?.answeredAt ?? NaN;
		}
	}
	expect(inversions).toBe(0);
	// and it was not simply one after the other
	const most = messages.map(({ at }) => messages.filter((other) => other.at <= at && (hooks.get(`/${other.text}`)?.answeredAt ?? 0) > at).length);
	expect(Math.max(...most)).toBeGreaterThan(10);
});
