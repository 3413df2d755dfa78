// Transactions for tests: whole ones, of which a test names only what it is about.
import type { Failure } from '../../../ordering/errors';
import type { Chat, Definition, Step, Transaction } from '../../../ordering/transaction';

export const chat: Chat = { server: 'http://evolution.test', instance: 'meta1', recipient: '5511988887777@s.whatsapp.net' };
export const failure: Failure = { code: 'someCode', message: 'Something happened', hint: 'Do something' };

export const definition: Definition = {
	number: '5511988887777',
	text: 'Your order is confirmed',
	waitFor: 'accepted',
	delayMs: 1000,
	ackTimeoutMs: 30_000,
	onAckTimeout: 'stop',
	attempts: 3,
	requestTimeoutMs: 30_000,
	onFailure: 'release',
	storeMessageText: false,
};

export function step(more: Partial<Step> = {}): Step {
	return { index: 0, type: 'send', status: 'pending', attempts: 0, ...more };
}

let made = 0;

export function transaction(more: Partial<Transaction> = {}): Transaction {
	return {
		id: `t${++made}`,
		chat,
		status: 'open',
		content: 'content-hash',
		definition,
		steps: [step()],
		failedForGood: false,
		duplicatePossible: false,
		queue: { ticket: 1, waitedMs: 0, late: false, fence: 0 },
		createdAt: 1_000,
		...more,
	};
}
