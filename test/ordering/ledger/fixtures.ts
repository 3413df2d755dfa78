// Transactions for tests: whole ones, of which a test names only what it is about.
import type { Failure } from '../../../ordering/errors';
import type { Definition, PlannedStep } from '../../../ordering/plan';
import type { Chat, Step, Transaction } from '../../../ordering/transaction';

export const chat: Chat = { server: 'http://evolution.test', instance: 'meta1', recipient: '5511988887777@s.whatsapp.net' };
export const failure: Failure = { code: 'someCode', message: 'Something happened', hint: 'Do something' };

export const definition: Definition = {
	number: '5511988887777',
	plan: [{ type: 'send', message: { kind: 'text', text: 'Your order is confirmed' }, onError: 'stop' }],
	attempts: 3,
	requestTimeoutMs: 30_000,
	onFailure: 'release',
	storeMessageText: false,
};

/** A wait for an acknowledgement, and a webhook, as they are planned. */
export const plannedWait = (more: object = {}): PlannedStep => ({ type: 'wait', until: 'delivered', timeoutMs: 30_000, onTimeout: 'stop', onError: 'stop', ...more });
export const plannedWebhook = (more: object = {}): PlannedStep => ({ type: 'webhook', url: 'http://hook.test', method: 'POST', needs: 'nothing', onError: 'stop', ...more });

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
