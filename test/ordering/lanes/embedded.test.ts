// The lanes within one process.
import { EmbeddedLanes } from '../../../ordering/lanes/embedded';
import type { Chat } from '../../../ordering/transaction';
import { thrownBy } from '../../evolution/helpers';
import { lanesContract } from './contract';

const chat: Chat = { server: 'http://evolution.test', instance: 'meta1', recipient: '5511988887777@s.whatsapp.net' };

lanesContract('EmbeddedLanes', () => {
	const fences = new Map<string, number>();
	const name = (one: Chat) => JSON.stringify([one.server, one.instance, one.recipient]);
	return {
		lanes: new EmbeddedLanes(async (one) => fences.get(name(one)) ?? 0),
		recordFence: (one, fence) => void fences.set(name(one), fence),
		close: () => {},
	};
});

test('chats that nobody waits for take no memory', async () => {
	const lanes = new EmbeddedLanes(async () => 0);
	const grants = await Promise.all(Array.from({ length: 50 }, (_, i) => lanes.take({ ...chat, recipient: String(i) }, { priority: 'normal', execution: i }).turn(1000)));
	expect(lanes.busy).toBe(50);
	for (const grant of grants) grant.release();
	expect(lanes.busy).toBe(0);
});

test('tickets are numbered in the order of their taking, over all chats', async () => {
	const lanes = new EmbeddedLanes(async () => 0);
	const first = lanes.take(chat, { priority: 'normal' });
	const second = lanes.take({ ...chat, instance: 'other' }, { priority: 'high' });
	expect((await second.turn(1000)).ticket).toBe(2);
	expect((await first.turn(1000)).ticket).toBe(1);
});

test('a ledger that fails gives the place up and tells', async () => {
	let broken = true;
	const lanes = new EmbeddedLanes(async () => {
		if (broken) throw new Error('disk is full');
		return 7;
	});
	expect(await thrownBy(lanes.take(chat, { priority: 'normal' }).turn(1000))).toMatchObject({ message: 'disk is full' });
	broken = false;
	expect((await lanes.take(chat, { priority: 'normal' }).turn(1000)).fence).toBe(8);
});

test('for more than 10,000 idle chats only the newest are remembered as done', async () => {
	const lanes = new EmbeddedLanes(async () => 0);
	const once = async (recipient: string, execution: number) => {
		const grant = await lanes.take({ ...chat, recipient }, { priority: 'normal', execution }).turn(1000);
		grant.release();
		return grant.late;
	};
	await once('old', 5);
	for (let i = 0; i < 10_000; i++) await once(`other ${i}`, 5);
	expect(await once('old', 1)).toBe(false);
	expect(await once('other 9999', 1)).toBe(true);
});
