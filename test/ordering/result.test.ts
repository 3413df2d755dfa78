// What a caller gets of a transaction, and the sentence on what was sent.
import { summaryOf, toResult, whatWasSent } from '../../ordering/result';
import type { Step, StepStatus, Transaction } from '../../ordering/transaction';
import { chat, definition, failure, plannedWebhook, step, transaction } from './ledger/fixtures';

const secretive: Transaction = transaction({
	id: 't1',
	status: 'failed',
	content: 'HIDDEN content hash',
	origin: 'HIDDEN origin hash',
	definition: { ...definition, plan: [{ type: 'send', message: { kind: 'text', text: 'HIDDEN text' }, onError: 'stop' }, plannedWebhook({ url: 'http://hook.test/?HIDDEN', body: 'HIDDEN' })] },
	steps: [
		step({ status: 'done', attempts: 1, messageId: 'M1', remoteJid: 'HIDDEN@lid', text: 'HIDDEN text', statusCode: 201, startedAt: 0, finishedAt: 1500, doubtSince: 1, doubtUntil: 2 }),
		step({ index: 1, type: 'webhook', status: 'done', attempts: 1, statusCode: 200, answer: 'x', mayHaveRun: true }),
		step({ index: 2, type: 'webhook', status: 'failed', attempts: 3, error: failure }),
	],
	failure,
	queue: { ticket: 1, waitedMs: 2, late: true, fence: 3 },
	errorCallback: { url: 'http://callback.test/?HIDDEN', status: 'done', attempts: 1, statusCode: 200 },
});

test('a result is the public contract, its times in ISO 8601', () => {
	expect(toResult(secretive, true)).toEqual({
		transactionId: 't1',
		status: 'failed',
		replayed: true,
		duplicatePossible: false,
		chat,
		queue: { ticket: 1, waitedMs: 2, late: true, fence: 3 },
		steps: [
			{ index: 0, type: 'send', status: 'done', attempts: 1, messageId: 'M1', statusCode: 201, startedAt: '1970-01-01T00:00:00.000Z', finishedAt: '1970-01-01T00:00:01.500Z' },
			{ index: 1, type: 'webhook', status: 'done', attempts: 1, statusCode: 200, body: 'x' },
			{ index: 2, type: 'webhook', status: 'failed', attempts: 3, error: failure },
		],
		webhook: { statusCode: 200, body: 'x' },
		errorCallback: { status: 'done', attempts: 1, statusCode: 200 },
		error: { ...failure, sent: 'yes' },
	});
});

test('a result begins with what a person looks for: its status, its ID, the error, and the message ID of its first step', () => {
	const result = toResult(secretive, true);
	expect(Object.keys(result).slice(0, 4)).toEqual(['status', 'transactionId', 'error', 'steps']);
	expect(Object.keys(result.steps[0] ?? {}).slice(0, 4)).toEqual(['index', 'type', 'status', 'messageId']);
});

test("a result shows the error of this call, where it is not the one on record", () => {
	const now = { code: 'cancelled', message: 'The execution was cancelled' };
	expect(toResult(secretive, false, now).error).toEqual({ ...now, sent: 'yes' });
});

test('a result shows no text, hash, body or address', () => {
	expect(JSON.stringify([toResult(secretive, false), summaryOf(secretive, 2)])).not.toContain('HIDDEN');
});

test('a result of a success has no error and no callback', () => {
	const result = toResult(transaction({ status: 'completed', steps: [step({ status: 'done' })] }), false);
	expect(result).not.toHaveProperty('error');
	expect(result).not.toHaveProperty('errorCallback');
	expect(result).not.toHaveProperty('webhook');
});

test('a result is a copy of its own', () => {
	const one = transaction();
	toResult(one, false).queue.fence = 99;
	expect(one.queue.fence).toBe(0);
});

test.each([
	[['done', 'done'], true],
	[['done', 'unconfirmed'], false],
] as Array<[StepStatus[], boolean]>)('the summary for the webhook after %j says confirmed: %p, and leaves out the webhook itself', ([send, wait], confirmed) => {
	const one = transaction({ id: 't1', steps: [step({ status: send, messageId: 'M1' }), step({ index: 1, type: 'wait', status: wait }), step({ index: 2, type: 'webhook', status: 'running' })] });
	expect(summaryOf(one, 2)).toMatchObject({ transactionId: 't1', messageId: 'M1', confirmed, duplicatePossible: false, chat });
	expect((summaryOf(one, 2).steps as Step[]).map(({ type }) => type)).toEqual(['send', 'wait']);
});

test('the summary is the same at each attempt of the webhook', () => {
	const at = (attempts: number) => JSON.stringify(summaryOf(transaction({ id: 't1', steps: [step({ status: 'done', messageId: 'M1' }), step({ index: 1, type: 'webhook', status: 'running', attempts, startedAt: attempts })] }), 1));
	expect(at(1)).toBe(at(3));
});

test.each([
	['failed', undefined, 'Nothing was sent.'],
	['failed', { status: 'skipped', attempts: 0 }, 'Nothing was sent. The webhook was not called.'],
	['inDoubt', { status: 'skipped', attempts: 0 }, 'The message may have been sent. The webhook was not called.'],
	['running', undefined, 'The message may have been sent.'],
	['done', undefined, 'The message was sent (ID M1).'],
	['done', { status: 'done', attempts: 1 }, 'The message was sent (ID M1). The webhook was called.'],
	['done', { status: 'failed', attempts: 2, mayHaveRun: true }, 'The message was sent (ID M1). Whether the webhook ran is not known.'],
	['done', { status: 'failed', attempts: 2 }, 'The message was sent (ID M1). The webhook was not reached.'],
	['done', { status: 'failed', attempts: 1, statusCode: 404, mayHaveRun: true }, 'The message was sent (ID M1). The webhook was called and answered 404.'],
	['done', { status: 'skipped', attempts: 0 }, 'The message was sent (ID M1). The webhook was not called.'],
] as Array<[StepStatus, Partial<Step> | undefined, string]>)('with the send %s and the webhook %j: %s', (send, webhook, sentence) => {
	const steps = [step({ status: send, ...(send === 'done' ? { messageId: 'M1' } : {}) }), ...(webhook ? [step({ index: 1, type: 'webhook', ...webhook })] : [])];
	expect(whatWasSent(transaction({ steps }))).toBe(sentence);
});
