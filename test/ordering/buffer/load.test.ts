// 10,000 messages over many chats, in bursts, with repeated deliveries, on several engines at once: each is in one item, once.
import type { Joined } from '../../../ordering/buffer/joined';
import type { IncomingMessage, JoinRules } from '../../../ordering/buffer/message';
import { BufferStore } from '../../../ordering/buffer/store';
import { chat, itemsOf, receive, sleep, text } from './place';
import { useSharedPlaces } from './shared';

const engineCount = 3;
const chatCount = 250;
const burstCount = 8;
const burstSize = 5;
const pictureEvery = 7;
const repeatEvery = 4;
const rules: Partial<JoinRules> = { quietMs: 250, longestMs: 2_000, turnTimeoutMs: 60_000 };

const { makePlace } = useSharedPlaces();

const realAdd = BufferStore.prototype.add;
/** When each message was on its way into the buffer, by instance, chat and ID: the first delivery of each. */
const added = new Map<string, { from: number; to: number }>();
const nameOf = (where: object, id: string) => JSON.stringify([where, id]);
const add = jest.spyOn(BufferStore.prototype, 'add');
add.mockImplementation(async function (this: BufferStore, where, message) {
	const from = performance.now();
	const result = await realAdd.call(this, where, message);
	if (result.isNew) added.set(nameOf(where, message.id), { from, to: performance.now() });
	return result;
});

/** No message is in an earlier item than one that was in the buffer before it came. */
function expectOrder(items: Joined[]): void {
	let latest = 0;
	const times = items.map((item) => item.messages.map(({ id }) => added.get(nameOf(item.chat, id)) as { from: number; to: number }));
	for (const [index, ofItem] of times.entries()) {
		const firstIn = Math.min(...ofItem.map(({ to }) => to));
		if (index > 0) expect(firstIn).toBeGreaterThan(latest);
		latest = Math.max(latest, ...ofItem.map(({ from }) => from));
	}
}

test('10,000 messages over 250 chats: none lost, none twice, none in another chat, each chat in its order', async () => {
	const place = makePlace();
	const engines = await Promise.all(Array.from({ length: engineCount }, () => place.open({ pollMs: 500 })));
	const buffers = engines.map(({ buffer }) => buffer);
	const items: Joined[] = [];
	const perChat = new Map<string, Joined[]>();
	let calls = 0;
	let repeated = 0;

	/** One webhook: its item, where it gets one, is answered, and then its turn is ended. */
	const deliver = async (one: IncomingMessage): Promise<void> => {
		const collected = await receive(buffers[calls++ % engineCount] as never, one, rules);
		for (const item of itemsOf([collected])) {
			items.push(item);
			const ofChat = perChat.get(JSON.stringify(item.chat)) ?? [];
			perChat.set(JSON.stringify(item.chat), [...ofChat, item]);
			await sleep(20);
			await buffers[calls % engineCount]?.endTurn(item.turnId);
		}
	};

	const person = async (index: number): Promise<void> => {
		const where = { server: `http://evolution-${index % 2}.test`, instance: `instance-${index % 5}`, recipient: `55119888${10_000 + Math.floor(index / 10)}@s.whatsapp.net` };
		const under: Array<Promise<void>> = [];
		let number = 0;
		await sleep(index * 20);
		for (let burst = 0; burst < burstCount; burst++) {
			for (let i = 0; i < burstSize; i++) {
				number += 1;
				const one = text(`${index}: ${number}`, { id: `message-${number}`, at: 1_795_473_500_000 + number * 1000, media: number % pictureEvery === 0 }, { ...chat, ...where });
				under.push(deliver(one));
				if (number % repeatEvery === 0) {
					repeated += 1;
					under.push(deliver(one), sleep(300).then(() => deliver(one)));
				}
				await sleep(15);
			}
			await sleep(700);
		}
		await Promise.all(under);
	};

	const since = performance.now();
	await Promise.all(Array.from({ length: chatCount }, (_, index) => person(index)));
	const seconds = (performance.now() - since) / 1000;
	expect([calls, repeated]).toEqual([15_000, 2_500]);
	expect(perChat.size).toBe(chatCount);
	for (const ofChat of perChat.values()) {
		const index = ofChat[0]?.messages[0]?.text.split(':')[0] ?? '';
		const numbers = ofChat.flatMap(({ messages }) => messages.map((message) => Number(message.text.replace(`${index}: `, ''))));
		expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: burstCount * burstSize }, (_, i) => i + 1));
		for (const { messages } of ofChat) expect(messages).toEqual(messages.toSorted((a, b) => a.at - b.at));
		expectOrder(ofChat);
	}
	expect(items.every(({ redelivered }) => !redelivered)).toBe(true);
	// joining is the purpose: far fewer items than messages
	expect(items.length).toBeLessThan((chatCount * burstCount * burstSize) / 2);
	process.stdout.write(`${calls} deliveries of 10,000 messages in ${seconds.toFixed(1)} s: ${items.length} items\n`);
	expect(await Promise.all(buffers.map((buffer) => buffer.takeOver({ oneTurnAtATime: true, turnTimeoutMs: 1000 })))).toEqual(buffers.map(() => []));
}, 120_000);
