// Many calls: order within a chat, chats at the same time, and who goes first.
import { CheckFailedError } from '../../../ordering/engine';
import { effectsOf, resultOf, scene, sleep } from '../../support/scene';

const person = (index: number) => `55119888800${String(index).padStart(2, '0')}`;

describe('several calls at once', () => {
	test('one chat: each message and its webhook before the next message, in the order of the items', async () => {
		const { engine, call, effects } = await scene();
		const items = ['A', 'B', 'C', 'D'];
		const outcomes = await engine.run(items.map((text, item) => call({ text, webhookUrl: `/${text}` }, { origin: { item } })), { stopOnFailure: false });
		expect(effects()).toEqual(items.flatMap((text) => [`message ${text}`, `webhook /${text}`]));
		expect(outcomes.map(({ transaction }) => transaction?.status)).toEqual(Array(4).fill('completed'));
	});

	test('different chats at the same time, as many as the bound says, and outputs in the order of the inputs', async () => {
		const { engine, call, simulator } = await scene({ chatsAtOnce: 3 });
		let now = 0;
		let most = 0;
		simulator.control.onMessage(async () => {
			most = Math.max(most, ++now);
			await sleep(40);
			now -= 1;
		});
		const outcomes = await engine.run(Array.from({ length: 9 }, (_, index) => call({ number: person(index), text: `text ${index}`, options: { transactionId: `t${index}` } })), { stopOnFailure: false });
		expect(most).toBe(3);
		expect(outcomes.map(({ transaction }) => transaction?.id)).toEqual(Array.from({ length: 9 }, (_, index) => `t${index}`));
	});

	test('nobody else comes between the items of one execution', async () => {
		const { engine, call, run, receiver, texts } = await scene();
		receiver.behave({ afterMs: 30 });
		const batch = engine.run(['A', 'B', 'C'].map((text, item) => call({ text, webhookUrl: '/x' }, { origin: { executionId: '500', item } })), { stopOnFailure: false });
		await receiver.waitForCalls(1);
		const other = run({ text: 'Other' }, { origin: { executionId: '501' } });
		await Promise.all([batch, other]);
		expect(texts()).toEqual(['A', 'B', 'C', 'Other']);
	});

	test('without stopOnFailure the others go on after a failure', async () => {
		const { engine, call, simulator, texts } = await scene();
		simulator.control.addRule({ route: 'sendText', text: 'B', answer: { kind: 'metaRefusal', code: 131026 } });
		const outcomes = await engine.run(['A', 'B', 'C'].map((text) => call({ text })), { stopOnFailure: false });
		expect(outcomes.map(({ failure }) => failure?.code)).toEqual([undefined, 'meta131026', undefined]);
		expect(texts()).toEqual(['A', 'C']);
	});

	test('with stopOnFailure nothing begins after a failure, in any chat, and it says so', async () => {
		const { engine, call, simulator, texts } = await scene({ chatsAtOnce: 1 });
		simulator.control.addRule({ route: 'sendText', text: 'B', answer: { kind: 'metaRefusal', code: 131026 } });
		const outcomes = await engine.run([call({ text: 'A' }), call({ text: 'B' }), call({ text: 'C' }), call({ number: person(1), text: 'D' })], { stopOnFailure: true });
		expect(outcomes.map(({ failure }) => failure?.code)).toEqual([undefined, 'meta131026', 'notStarted', 'notStarted']);
		expect(texts()).toEqual(['A']);
	});

	test('with stopOnFailure, one that the check refuses stops all before anything is sent, and tells which', async () => {
		const { engine, call, simulator } = await scene();
		const calls = [call({ text: 'A' }), call({ instanceName: 'evo1', text: 'B', waitFor: 'read' })];
		const error = await engine.run(calls, { stopOnFailure: true }).catch((thrown: unknown) => thrown);
		expect(error).toBeInstanceOf(CheckFailedError);
		expect(error).toMatchObject({ index: 1, reason: { failure: { code: 'impossibleWait' } } });
		expect(simulator.control.counts().sendText).toBeUndefined();
	});

	test('without it, only that one fails', async () => {
		const { engine, call, texts } = await scene();
		const outcomes = await engine.run([call({ text: 'A' }), call({ instanceName: 'evo1', text: 'B', waitFor: 'read' }), call({ text: 'C' })], { stopOnFailure: false });
		expect(outcomes.map(({ failure }) => failure?.code)).toEqual([undefined, 'impossibleWait', undefined]);
		expect(texts()).toEqual(['A', 'C']);
	});

	test('two items with one ID and one content are one message; the second gets the recorded result', async () => {
		const { engine, call, texts, receiver } = await scene();
		const input = { text: 'A', webhookUrl: '/a', options: { transactionId: 't' } };
		const [first, second] = await engine.run([call(input), call(input)], { stopOnFailure: false });
		expect([first?.replayed, second?.replayed]).toEqual([false, true]);
		expect(texts()).toEqual(['A']);
		expect(receiver.calls).toHaveLength(1);
	});

	test('two items with one ID and other contents: the second is refused before anything is sent', async () => {
		const { engine, call, simulator } = await scene();
		const calls = [call({ text: 'A', options: { transactionId: 't' } }), call({ text: 'B', options: { transactionId: 't' } })];
		await expect(engine.run(calls, { stopOnFailure: true })).rejects.toMatchObject({ index: 1, reason: { failure: { code: 'transactionConflict' } } });
		expect(simulator.control.counts().sendText).toBeUndefined();
	});
});

describe('items of which one runs elsewhere already', () => {
	const twin = { text: 'Twin', waitFor: 'delay', delaySeconds: 0.3, options: { transactionId: 'twin' } } as const;

	test('when that one is cancelled, the item goes on, and the items after it do not block it', async () => {
		const { engine, call, run, simulator, texts } = await scene();
		const abort = new AbortController();
		const leader = run(twin, { signal: abort.signal });
		await simulator.control.waitForMessages(1);
		const batch = engine.run([call(twin, { origin: { executionId: '100' } }), call({ text: 'After' }, { origin: { executionId: '100', item: 1 } })], { stopOnFailure: false });
		await sleep(50);
		const before = performance.now();
		abort.abort();
		expect(resultOf(await leader).status).toBe('cancelled');
		expect((await batch).map(({ transaction }) => transaction?.status)).toEqual(['completed', 'completed']);
		expect(performance.now() - before).toBeLessThan(2000);
		expect(texts()).toEqual(['Twin', 'After']);
	});

	test('when that one still waits for its turn, the items after it do not stand in its way', async () => {
		const { engine, call, run, receiver, texts } = await scene();
		receiver.behave('hold', { path: '/running' });
		const running = run({ text: 'Running', webhookUrl: '/running', options: { requestTimeoutSeconds: 10 } }, { origin: { executionId: '1' } });
		await receiver.waitForCalls(1);
		const leader = run(twin, { origin: { executionId: '200' } });
		await sleep(20);
		const batch = engine.run([call(twin, { origin: { executionId: '100' } }), call({ text: 'After' }, { origin: { executionId: '100', item: 1 } })], { stopOnFailure: false });
		await sleep(20);
		receiver.release();
		const before = performance.now();
		expect((await batch).map(({ transaction, replayed }) => [transaction?.status, replayed])).toEqual([['completed', true], ['completed', false]]);
		expect(performance.now() - before).toBeLessThan(2000);
		await Promise.all([running, leader]);
		expect(texts()).toEqual(['Running', 'Twin', 'After']);
	});
});

describe('who goes first', () => {
	test('high before normal before low, whoever came first; the one that runs is not interrupted', async () => {
		const { run, receiver, texts } = await scene();
		receiver.behave('hold', { path: '/running' });
		const all = [run({ text: 'Running', webhookUrl: '/running', options: { priority: 'low', requestTimeoutSeconds: 10 } })];
		await receiver.waitForCalls(1);
		for (const [text, priority] of [['l1', 'low'], ['n1', 'normal'], ['h1', 'high'], ['l2', 'low'], ['n2', 'normal'], ['h2', 'high']]) {
			all.push(run({ text, options: { priority } }));
			await sleep(15);
		}
		receiver.release();
		await Promise.all(all);
		expect(texts()).toEqual(['Running', 'h1', 'h2', 'n1', 'n2', 'l1', 'l2']);
	});

	test("in the order of n8n's execution IDs as numbers, not of their arrival", async () => {
		const { run, receiver, texts } = await scene();
		receiver.behave('hold', { path: '/running' });
		const all = [run({ text: '90', webhookUrl: '/running', options: { requestTimeoutSeconds: 10 } }, { origin: { executionId: '90' } })];
		await receiver.waitForCalls(1);
		for (const executionId of ['101', '99', '1000', '100']) {
			all.push(run({ text: executionId }, { origin: { executionId } }));
			await sleep(15);
		}
		receiver.release();
		const outcomes = await Promise.all(all);
		expect(texts()).toEqual(['90', '99', '100', '101', '1000']);
		expect(outcomes.map((outcome) => resultOf(outcome).queue.late)).toEqual(Array(5).fill(false));
	});

	test('one that comes after a later execution has gone runs, and is marked late', async () => {
		const { run, texts } = await scene();
		await run({ text: '20' }, { origin: { executionId: '20' } });
		const late = await run({ text: '10' }, { origin: { executionId: '10' } });
		const next = await run({ text: '30' }, { origin: { executionId: '30' } });
		expect(resultOf(late)).toMatchObject({ status: 'completed', queue: { late: true } });
		expect(resultOf(next).queue.late).toBe(false);
		expect(texts()).toEqual(['20', '10', '30']);
	});

	test('fences of a chat grow, over a restart too', async () => {
		const on = await scene();
		const fences = [resultOf(await on.run({ text: 'A' })).queue.fence, resultOf(await on.run({ text: 'B' })).queue.fence];
		await on.restart();
		fences.push(resultOf(await on.run({ text: 'C' })).queue.fence);
		expect(fences).toEqual([1, 2, 3]);
	});
});

test('the queue time-out records that nothing was sent; the same ID later sends it', async () => {
	const { run, receiver, texts, effects } = await scene();
	receiver.behave('hold', { path: '/running', times: 1 });
	const running = run({ text: 'Running', webhookUrl: '/running', options: { requestTimeoutSeconds: 10 } });
	await receiver.waitForCalls(1);
	const input = { text: 'Waits', webhookUrl: '/waits', options: { transactionId: 'waits', queueTimeoutSeconds: 0.5 } };
	const outcome = await run(input);
	expect(outcome.failure).toMatchObject({ code: 'queueTimeout', message: 'The chat was busy for 0.5 s: 1 earlier message is not finished' });
	expect(resultOf(outcome)).toMatchObject({ status: 'failed', error: { sent: 'no' } });
	receiver.release();
	await running;
	expect(texts()).toEqual(['Running']);
	expect(resultOf(await run(input)).status).toBe('completed');
	expect(effects()).toEqual(['message Running', 'webhook /running', 'message Waits', 'webhook /waits']);
});

describe('one person, one lane', () => {
	test('spellings of one number wait for each other', async () => {
		const { engine, call, effects } = await scene();
		const numbers = ['+55 (31) 98888-7777', '5531988887777', '553188887777', '5531988887777@s.whatsapp.net'];
		await Promise.all(numbers.map((number, index) => engine.run([call({ number, text: String(index), webhookUrl: `/${index}` })], { stopOnFailure: false })));
		expect(effects()).toEqual(numbers.flatMap((_, index) => [`message ${index}`, `webhook /${index}`]));
	});

	test("once an answer told a person's @lid, number and @lid share one lane, after a restart too", async () => {
		const on = await scene();
		on.simulator.control.setNumber('5511988887777', { lid: '123456789012345@lid' });
		await on.run({ instanceName: 'phone1', text: 'learns it' });
		for (const round of [1, 2]) {
			on.receiver.behave('hold', { path: `/number${round}` });
			const byNumber = on.run({ instanceName: 'phone1', text: `number ${round}`, webhookUrl: `/number${round}`, options: { requestTimeoutSeconds: 10 } });
			await on.receiver.waitUntil(() => on.receiver.callsTo(`/number${round}`).length === 1);
			const byLid = on.run({ instanceName: 'phone1', number: '123456789012345@lid', text: `lid ${round}` });
			await sleep(60);
			expect(on.texts()).not.toContain(`lid ${round}`);
			on.receiver.release();
			expect(resultOf(await byLid).status).toBe('completed');
			await byNumber;
			await on.restart();
		}
		expect(on.texts()).toEqual(['learns it', 'number 1', 'lid 1', 'number 2', 'lid 2']);
	});

	test('a message in doubt is found under the @lid that the chat is known by', async () => {
		const on = await scene();
		on.simulator.control.setNumber('5511988887777', { lid: '123456789012345@lid' });
		await on.run({ instanceName: 'phone1', text: 'learns it' });
		on.simulator.control.addRule({ route: 'sendText', answer: { kind: 'reset' }, sent: true });
		expect(resultOf(await on.run({ instanceName: 'phone1', text: 'in doubt' })).status).toBe('completed');
		expect(on.texts()).toEqual(['learns it', 'in doubt']);
	});

	test('the same number at two instances is two chats', async () => {
		const { run, receiver } = await scene();
		receiver.behave('hold', { path: '/meta' });
		const first = run({ text: 'A', webhookUrl: '/meta', options: { requestTimeoutSeconds: 10 } });
		await receiver.waitForCalls(1);
		expect(resultOf(await run({ instanceName: 'phone1', text: 'B' })).status).toBe('completed');
		receiver.release();
		await first;
	});
});

test('a send that fails, is in doubt, or whose webhook fails leaves the chat free for the next one', async () => {
	const { run, simulator, receiver, effects } = await scene();
	simulator.control.addRule({ route: 'sendText', text: 'refused', answer: { kind: 'metaRefusal', code: 131026 } });
	simulator.control.addRule({ route: 'sendText', text: 'doubt', answer: { kind: 'reset' } });
	receiver.behave({ status: 404 }, { path: '/bad' });
	await Promise.all([run({ text: 'refused' }), run({ text: 'doubt' }), run({ text: 'hook', webhookUrl: '/bad' }), run({ text: 'good', webhookUrl: '/good' })]);
	expect(effects()).toEqual(['message hook', 'webhook /bad', 'message good', 'webhook /good']);
	expect(effectsOf(simulator, receiver)).toHaveLength(4);
});
