// The lanes within one process.
import { EmbeddedLanes } from '../../../ordering/lanes/embedded';
import type { LaneRecord } from '../../../ordering/lanes/lanes';
import type { Chat } from '../../../ordering/transaction';
import { lanesContract, recordsOf } from './contract';

const chat: Chat = { server: 'http://evolution.test', instance: 'meta1', recipient: '5511988887777@s.whatsapp.net' };

const noRecord = async (): Promise<LaneRecord> => ({ fence: 0, marks: { sequences: {}, executions: {} } });

lanesContract('EmbeddedLanes', () => {
	const ledger = recordsOf();
	return { lanes: new EmbeddedLanes(ledger.read), ...ledger, close: () => {} };
});

test('chats that nobody waits for take no memory', async () => {
	const lanes = new EmbeddedLanes(noRecord);
	const grants = await Promise.all(Array.from({ length: 50 }, (_, i) => lanes.take({ ...chat, recipient: String(i) }, { priority: 'normal', execution: i }).turn(1000)));
	expect(lanes.busy).toBe(50);
	for (const grant of grants) grant.release();
	expect(lanes.busy).toBe(0);
});

test('tickets are numbered in the order of their taking, over all chats', async () => {
	const lanes = new EmbeddedLanes(noRecord);
	const first = lanes.take(chat, { priority: 'normal' });
	const second = lanes.take({ ...chat, instance: 'other' }, { priority: 'high' });
	expect((await second.turn(1000)).ticket).toBe(2);
	expect((await first.turn(1000)).ticket).toBe(1);
});
