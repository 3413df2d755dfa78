// The comparison of two orders: what is an inversion, and what can't be told.
import { compare, mostInversions, type Sent } from '../../../ordering/verify/compare';

let made = 0;

/** Sent from second to second by the ledger's account. */
function sent(recordedAt: number | undefined, more: Partial<Sent> = {}): Sent {
	const place = ++made;
	return { transactionId: `t${place}`, step: 0, messageId: `M${place}`, lane: 'chat', fence: place, startedAt: place * 1000, finishedAt: place * 1000 + 500, ...(recordedAt === undefined ? {} : { recordedAt }), ...more };
}

test('each pair in the other order is an inversion, also of messages that are no neighbours', () => {
	const all = [sent(10), sent(12), sent(11), sent(9)];
	const pairs = compare(all).inversions.map(({ sentFirst, sentLater }) => [sentFirst.recordedAt, sentLater.recordedAt]);
	expect(pairs).toEqual([[12, 11], [10, 9], [12, 9], [11, 9]]);
});

test('the order in which they are given does not matter', () => {
	const all = [sent(1), sent(2), sent(3)];
	expect(compare([...all].reverse())).toEqual(compare(all));
	expect(compare(all)).toMatchObject({ inversions: [], told: 2, untold: 0 });
});

test('of one second nothing can be told', () => {
	expect(compare([sent(5), sent(5)])).toMatchObject({ inversions: [], told: 0, untold: 1 });
});

test('one that is not on record is compared with none', () => {
	expect(compare([sent(5), sent(undefined), sent(6)])).toMatchObject({ inversions: [], told: 1, untold: 0 });
});

test('two that were under way at once can not be told: one may have gone out at any moment until it was finished', () => {
	const first = sent(9);
	expect(compare([first, sent(7, { startedAt: first.startedAt + 100 })])).toMatchObject({ inversions: [], told: 0, untold: 1 });
});

test('times of two clocks that the fences of one lane contradict can not be told', () => {
	const [first, later] = [sent(9, { fence: 90 }), sent(7, { fence: 80 })];
	expect(compare([first, later])).toMatchObject({ inversions: [], untold: 1 });
	expect(compare([first, { ...later, lane: 'another name' }]).inversions).toHaveLength(1);
});

test('the steps of one transaction are in their order', () => {
	const one = { transactionId: 'same', fence: 1 };
	expect(compare([sent(9, { ...one, step: 0 }), sent(7, { ...one, step: 2 })]).inversions).toHaveLength(1);
});

test('a chat whose whole record is reversed gives a list that ends, and says so', () => {
	const all = Array.from({ length: 5000 }, (_, i) => sent(100_000 - i));
	const began = performance.now();
	expect(compare(all)).toMatchObject({ moreInversions: true, inversions: { length: mostInversions } });
	expect(performance.now() - began).toBeLessThan(2000);
});
