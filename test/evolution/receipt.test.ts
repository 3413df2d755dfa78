// Receipts: one scale for all channels, and the verdict on a wait.
import fc from 'fast-check';
import { judge, type Receipt, toReceipt } from '../../evolution/receipt';

const scale: Receipt[] = ['pending', 'sent', 'delivered', 'read', 'played'];
const targets: Receipt[] = ['sent', 'delivered', 'read'];
const anyReceipts = fc.array(fc.constantFrom<Receipt>('failed', 'pending', 'sent', 'delivered', 'read', 'played', 'deleted'), { maxLength: 8 });

test.each([
	['ERROR', 'failed'], ['FAILED', 'failed'], ['PENDING', 'pending'], ['SERVER_ACK', 'sent'], ['SENT', 'sent'], ['DELIVERY_ACK', 'delivered'],
	['DELIVERED', 'delivered'], ['READ', 'read'], ['PLAYED', 'played'], ['DELETED', 'deleted'], ['delivered', 'delivered'],
] as const)('the status %s is the receipt %s', (status, receipt) => {
	expect(toReceipt(status)).toBe(receipt);
});

test.each([undefined, null, 3, '', 'EDITED', {}, ['READ']])('%p is no receipt', (status) => {
	expect(toReceipt(status)).toBeUndefined();
});

test.each([
	{ receipts: [], target: 'sent', expected: { end: undefined, receipt: undefined } },
	{ receipts: ['pending'], target: 'sent', expected: { end: undefined, receipt: 'pending' } },
	{ receipts: ['sent'], target: 'delivered', expected: { end: undefined, receipt: 'sent' } },
	{ receipts: ['read', 'delivered', 'read'], target: 'delivered', expected: { end: 'reached', receipt: 'read' } },
	{ receipts: ['delivered'], target: 'sent', expected: { end: 'reached', receipt: 'delivered' } },
	{ receipts: ['played'], target: 'read', expected: { end: 'reached', receipt: 'played' } },
	{ receipts: ['failed'], target: 'sent', expected: { end: 'failed', receipt: 'failed' } },
	{ receipts: ['failed', 'sent'], target: 'delivered', expected: { end: 'failed', receipt: 'failed' } },
	{ receipts: ['failed', 'sent'], target: 'sent', expected: { end: 'reached', receipt: 'sent' } },
	{ receipts: ['deleted'], target: 'read', expected: { end: 'deleted', receipt: 'deleted' } },
	{ receipts: ['deleted', 'delivered'], target: 'delivered', expected: { end: 'reached', receipt: 'delivered' } },
	{ receipts: ['deleted', 'failed'], target: 'delivered', expected: { end: 'failed', receipt: 'failed' } },
] as Array<{ receipts: Receipt[]; target: Receipt; expected: ReturnType<typeof judge> }>)('$receipts beside a wait for $target is $expected', ({ receipts, target, expected }) => {
	expect(judge(receipts, target)).toEqual(expected);
});

test('the order and the number of receipts make no difference', () => {
	fc.assert(
		fc.property(anyReceipts, fc.constantFrom(...targets), fc.infiniteStream(fc.nat()), (receipts, target, random) => {
			const shuffled = receipts.map((receipt) => ({ receipt, by: random.next().value as number })).sort((a, b) => a.by - b.by).map(({ receipt }) => receipt);
			const once = judge(receipts, target);
			expect(judge(shuffled, target).end).toBe(once.end);
			expect(judge([...receipts, ...shuffled], target).end).toBe(once.end);
		}),
	);
});

test('a wait has succeeded exactly if one receipt is as high as its target', () => {
	fc.assert(
		fc.property(anyReceipts, fc.constantFrom(...targets), (receipts, target) => {
			const reached = receipts.some((receipt) => scale.indexOf(receipt) >= scale.indexOf(target));
			expect(judge(receipts, target).end === 'reached').toBe(reached);
		}),
	);
});
