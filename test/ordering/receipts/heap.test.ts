// The heap of waits, against a plain sorted list.
import fc from 'fast-check';
import { Heap } from '../../../ordering/receipts/heap';
import { Rate } from '../../../ordering/receipts/rate';

interface Member {
	key: number;
	place: number;
}

const actions = fc.array(fc.oneof(
	fc.record({ kind: fc.constant('put' as const), key: fc.integer({ min: 0, max: 50 }) }),
	fc.record({ kind: fc.constant('move' as const), which: fc.nat(30), key: fc.integer({ min: 0, max: 50 }) }),
	fc.record({ kind: fc.constant('remove' as const), which: fc.nat(30) }),
), { maxLength: 120 });

test('the first is the smallest, whoever comes, leaves from the middle, or changes its key', () => {
	fc.assert(fc.property(actions, (all) => {
		const heap = new Heap<'key', 'place', Member>('key', 'place');
		const members: Member[] = [];
		for (const action of all) {
			if (action.kind === 'put') members.push({ key: action.key, place: -1 });
			const at = action.kind === 'put' ? members.length - 1 : action.which % Math.max(1, members.length);
			const member = members[at];
			if (!member) continue;
			if (action.kind === 'move') member.key = action.key;
			if (action.kind !== 'remove') heap.put(member);
			else heap.remove(members.splice(at, 1)[0] as Member);
			expect(heap.first?.key).toBe(members.length > 0 ? Math.min(...members.map(({ key }) => key)) : undefined);
		}
		const order: number[] = [];
		for (let first = heap.first; first; first = heap.first) {
			order.push(first.key);
			heap.remove(first);
		}
		expect(order).toEqual(members.map(({ key }) => key).sort((a, b) => a - b));
		expect(members.every(({ place }) => place === -1)).toBe(true);
	}), { numRuns: 500 });
});

test('to remove what is not in does nothing', () => {
	const heap = new Heap<'key', 'place', Member>('key', 'place');
	const [inside, outside] = [{ key: 1, place: -1 }, { key: 0, place: -1 }];
	heap.put(inside);
	heap.remove(outside);
	expect(heap.first).toBe(inside);
});

test('a rate lets its reserve go at once, then so many a second; what is taken beyond is made up for', () => {
	const rate = new Rate(10, 3);
	const starts: number[] = [];
	for (let now = 0; now < 1000; now += 1) {
		while (rate.freeAt(now) <= now) {
			rate.take(now);
			starts.push(now);
		}
	}
	expect(starts.slice(0, 5)).toEqual([0, 0, 0, 100, 200]);
	expect(starts).toHaveLength(12);
	for (let n = 0; n < 4; n++) rate.take(2000);
	expect(rate.freeAt(2000)).toBe(2200);
});
