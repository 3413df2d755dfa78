// The checker of the fault harness: it passes a sound history, and names each kind of violation that is planted in one.
import type { Step, Transaction } from '../../ordering/transaction';
import { check, type Kind } from './check';
import type { Asked, CallRecord, History } from './history';

/** Times in ms; the send is accepted 5 ms after the text arrived. */
interface Sound {
	chat?: number;
	execution?: number;
	sentAt: number;
	/** When it is called, asked for the acknowledgement `delivered`. */
	ackAt: number;
	webhookAt: number;
	endedAt: number;
	asked?: Partial<Asked>;
}

/** One that was begun at 0, ran once, and completed. */
function add(history: History, name: string, { chat = 0, execution = 1, sentAt, ackAt, webhookAt, endedAt, asked = {} }: Sound): void {
	const steps: Step[] = [
		{ index: 0, type: 'send', status: 'done', attempts: 1, startedAt: sentAt - 2, finishedAt: sentAt + 5, messageId: `id-${name}` },
		{ index: 1, type: 'wait', status: 'done', attempts: 1, startedAt: sentAt + 6, finishedAt: ackAt + 2, receipt: 'delivered' },
		{ index: 2, type: 'webhook', status: 'done', attempts: 1, startedAt: webhookAt - 2, finishedAt: endedAt, statusCode: 200 },
	];
	const transaction: Transaction = {
		id: name,
		chat: { server: 'http://server', instance: 'meta1', recipient: `${chat}@s.whatsapp.net` },
		status: 'completed',
		content: '',
		steps,
		failedForGood: false,
		duplicatePossible: false,
		queue: { ticket: 1, waitedMs: Math.max(0, sentAt - 10), late: false, fence: 1 },
		createdAt: execution,
		endedAt,
	};
	history.asked.push({ name, chat, ownId: true, waitFor: 'delivered', delayMs: 0, ackTimeoutMs: 1000, onAckTimeout: 'stop', webhook: true, priority: 'normal', onInDoubt: 'stop', onFailure: 'release', execution, item: 0, ...asked });
	history.calls.push({ name, kind: 'first', onInDoubt: 'stop', begunAt: 0, endedAt: endedAt + 5, outcome: { replayed: false, transaction } });
	history.messages.push({ name, messageId: `id-${name}`, at: sentAt });
	history.acks.push({ messageId: `id-${name}`, status: 'DELIVERED', at: ackAt, kept: true });
	history.received.push({ name, kind: 'webhook', at: webhookAt, answeredAt: webhookAt + 5, status: 200, webhookId: `${name}:2`, idempotencyKey: `${name}:2` });
	history.ledger[name] = structuredClone(transaction);
}

/** Three of one chat, one behind the other, and one of another chat beside them. */
function sound(): History {
	const history: History = { mode: 'embedded', settleMs: 0, asked: [], calls: [], messages: [], acks: [], received: [], ledger: {}, unfinished: [], probes: [{ chat: 0, tookMs: 10, mostMs: 1000, status: 'completed' }] };
	add(history, 'a', { execution: 1, sentAt: 100, ackAt: 150, webhookAt: 160, endedAt: 170 });
	add(history, 'b', { execution: 2, sentAt: 300, ackAt: 350, webhookAt: 360, endedAt: 370 });
	add(history, 'c', { execution: 3, sentAt: 500, ackAt: 550, webhookAt: 560, endedAt: 570 });
	add(history, 'd', { chat: 1, execution: 4, sentAt: 310, ackAt: 330, webhookAt: 340, endedAt: 350 });
	return history;
}

function state(history: History, name: string): Transaction[] {
	return [history.ledger[name] as Transaction, ...history.calls.filter((call) => call.name === name).flatMap(({ outcome }) => outcome?.transaction ?? [])];
}

/** Changes what every record says of a transaction. */
function change(history: History, name: string, how: (transaction: Transaction) => void): void {
	state(history, name).forEach(how);
}

function ask(history: History, name: string, changes: Partial<Asked>): void {
	Object.assign(history.asked.find((one) => one.name === name) as Asked, changes);
}

function without(history: History, name: string, ...what: Array<'messages' | 'received'>): void {
	for (const kind of what) history[kind].splice(0, Infinity, ...(history[kind].filter((one) => one.name !== name) as never[]));
}

function again(history: History, name: string, call: Partial<CallRecord>): CallRecord {
	const record: CallRecord = { name, kind: 'newExecution', onInDoubt: 'stop', begunAt: 1000, endedAt: 1010, outcome: { replayed: true, transaction: structuredClone(history.ledger[name]) }, ...call };
	history.calls.push(record);
	return record;
}

function callWebhook(history: History, name: string, at: number, id = `${name}:2`): void {
	history.received.push({ name, kind: 'webhook', at, answeredAt: at + 5, status: 200, webhookId: id, idempotencyKey: id });
}

function fail(transaction: Transaction, step: number, code: string): void {
	transaction.status = 'failed';
	transaction.failure = { code, message: code };
	for (const one of transaction.steps.slice(step)) Object.assign(one, { status: one.index === step ? 'failed' : 'skipped' });
}

/** `a` had ended with a webhook that failed; while its call was not answered yet, `b` and no other went; its process died at 400; a repeat calls its webhook at 712. */
function goOnAfterLoss(history: History): { lost: CallRecord; repeat: CallRecord } {
	const lost = Object.assign(history.calls[0] as CallRecord, { endedAt: undefined, outcome: undefined, lostAt: 400 });
	Object.assign(history.received[0] as object, { status: 500 });
	change(history, 'a', (transaction) => {
		transaction.endedAt = 725;
		Object.assign(transaction.steps[2] as Step, { attempts: 2, finishedAt: 720 });
	});
	callWebhook(history, 'a', 712);
	return { lost, repeat: again(history, 'a', { begunAt: 405, endedAt: 730, outcome: { replayed: false, transaction: structuredClone(history.ledger.a) } }) };
}

/** The wait of `c` ended without its acknowledgement, its text was refused at 530, and its webhook was called at 9000. */
function callWebhookAfterRefusal(history: History, onAckTimeout: Asked['onAckTimeout'], wait: Step['status']): void {
	ask(history, 'c', { onAckTimeout });
	history.acks = history.acks.filter(({ messageId }) => messageId !== 'id-c');
	history.acks.push({ messageId: 'id-c', status: 'FAILED', at: 530, kept: true });
	Object.assign(history.received[2] as object, { at: 9000, answeredAt: 9005 });
	change(history, 'c', (transaction) => {
		Object.assign(transaction, { status: 'unconfirmed', endedAt: 9010 });
		(transaction.steps[1] as Step).status = wait;
		(transaction.steps[2] as Step).finishedAt = 9010;
	});
	Object.assign(history.calls[2] as CallRecord, { endedAt: 9020 });
}

function kindsIn(history: History): Kind[] {
	return [...new Set(check(history).map(({ kind }) => kind))];
}

test('a sound history has no violation', () => {
	expect(check(sound())).toEqual([]);
});

describe('what the guarantees exempt is no violation', () => {
	const exempt: Array<[what: string, plant: (history: History) => void]> = [
		['a webhook that is called again before it answered well', (history) => {
			history.received.splice(1, 0, { name: 'b', kind: 'webhook', at: 355, answeredAt: 357, status: 500, webhookId: 'b:2', idempotencyKey: 'b:2' });
		}],
		['a webhook without its acknowledgement, where its caller chose to continue', (history) => {
			ask(history, 'b', { onAckTimeout: 'continue' });
			history.acks = history.acks.filter(({ messageId }) => messageId !== 'id-b');
			change(history, 'b', (transaction) => {
				transaction.status = 'unconfirmed';
				(transaction.steps[1] as Step).status = 'unconfirmed';
			});
		}],
		['a text that came twice, where its caller chose Send Again and the result says so', (history) => {
			ask(history, 'b', { onInDoubt: 'sendAgain' });
			history.messages.splice(1, 0, { name: 'b', messageId: 'id-lost', at: 290 });
			change(history, 'b', (transaction) => (transaction.duplicatePossible = true));
		}],
		['the webhook of one that was interrupted, behind the texts of others', (history) => {
			const [call] = history.calls;
			Object.assign(call as CallRecord, { endedAt: undefined, outcome: undefined, lostAt: 200 });
			again(history, 'a', { begunAt: 700, endedAt: 730, outcome: { replayed: false, transaction: structuredClone(history.ledger.a) } });
			change(history, 'a', (transaction) => {
				transaction.endedAt = 725;
				Object.assign(transaction.steps[2] as Step, { startedAt: 710, finishedAt: 720 });
			});
			callWebhook(history, 'a', 712);
		}],
		['the webhook of one that had ended before its call was lost, behind the effects of others', (history) => void goOnAfterLoss(history)],
		['the webhook of one that a recovery had ended before it was lost, behind the effects of others', (history) => {
			goOnAfterLoss(history).lost.lostAt = 50;
			history.calls.push({ name: '*', kind: 'recover', onInDoubt: 'stop', begunAt: 60, lostAt: 400 });
		}],
		['a text that arrived after its process had died, behind it the effects of others, and then its webhook by a repeat', (history) => {
			goOnAfterLoss(history).lost.lostAt = 60;
			history.received.splice(0, 1);
			change(history, 'a', ({ steps }) => ((steps[0] as Step).startedAt = 50));
		}],
		['a webhook long after WhatsApp refused the text, where its wait saw nothing and its caller chose to continue', (history) => callWebhookAfterRefusal(history, 'continue', 'unconfirmed')],
		['a lower execution behind a higher one, that came later and is marked late', (history) => {
			ask(history, 'b', { execution: 4 });
			change(history, 'c', ({ queue }) => Object.assign(queue, { late: true, waitedMs: 1 }));
		}],
		['a text that is out though its send failed, where WhatsApp refused it later', (history) => {
			history.acks.push({ messageId: 'id-b', status: 'FAILED', at: 340, kept: true });
			history.acks = history.acks.filter(({ messageId, status }) => messageId !== 'id-b' || status === 'FAILED');
			without(history, 'b', 'received');
			change(history, 'b', (transaction) => {
				fail(transaction, 0, 'messageFailed');
				(transaction.steps[0] as Step).receipt = 'failed';
			});
		}],
		['an outcome that is not on record, where the ledger failed', (history) => {
			const told = structuredClone(history.ledger.b) as Transaction;
			change(history, 'b', (transaction) => fail(transaction, 2, 'webhook.status'));
			Object.assign(history.calls[1] as CallRecord, { outcome: { replayed: false, transaction: told, failure: { code: 'ledgerUnavailable', message: '' } } });
		}],
	];

	test.each(exempt)('%s', (_what, plant) => {
		const history = sound();
		plant(history);
		expect(check(history)).toEqual([]);
	});
});

describe('each planted violation is named, and nothing else', () => {
	const planted: Array<[kind: Kind, what: string, plant: (history: History) => void]> = [
		['webhookWithoutMessage', 'a webhook after a send that was refused', (history) => {
			without(history, 'b', 'messages');
			change(history, 'b', (transaction) => fail(transaction, 0, 'meta190'));
		}],
		['webhookBeforeMessage', 'a webhook before its text', (history) => callWebhook(history, 'b', 290)],
		['webhookBeforeWaitEnded', 'a webhook before its acknowledgement', (history) => callWebhook(history, 'b', 340)],
		['webhookBeforeWaitEnded', 'a webhook before its delay is over', (history) => {
			ask(history, 'b', { waitFor: 'delay', delayMs: 100 });
		}],
		['webhookAfterRefusal', 'a webhook long after WhatsApp refused the text, where its wait saw that', (history) => callWebhookAfterRefusal(history, 'continue', 'failed')],
		['webhookAfterRefusal', 'a webhook long after WhatsApp refused the text, where its caller did not choose to continue', (history) => callWebhookAfterRefusal(history, 'stop', 'unconfirmed')],
		['webhookAfterRefusal', 'a webhook long after WhatsApp refused the text, where its wait ended unseeing first and saw that when it was repeated', (history) => {
			callWebhookAfterRefusal(history, 'continue', 'failed');
			((history.calls[2] as CallRecord).outcome?.transaction?.steps[1] as Step).status = 'unconfirmed';
		}],
		['interleaved', "another's text between a text and its webhook", (history) => {
			add(history, 'e', { execution: 2, sentAt: 355, ackAt: 356, webhookAt: 357, endedAt: 358, asked: { item: 1 } });
			without(history, 'e', 'received');
			ask(history, 'e', { webhook: false });
			change(history, 'e', ({ steps }) => steps.splice(2));
		}],
		['interleaved', 'an effect of another before the loss of a call, where the later own effect may be of a call that began before that', (history) => {
			goOnAfterLoss(history).repeat.begunAt = 395;
		}],
		['interleaved', 'an effect of another where the call was lost behind both own effects', (history) => {
			goOnAfterLoss(history).lost.lostAt = 715;
		}],
		['interleaved', 'an effect of another before the loss of a call, where no call was under way at the later own effect', (history) => {
			goOnAfterLoss(history).repeat.endedAt = 711;
		}],
		['interleaved', 'an effect of another before the loss of a recovery that began after the earlier own effect', (history) => {
			goOnAfterLoss(history).lost.lostAt = 50;
			history.calls.push({ name: '*', kind: 'recover', onInDoubt: 'stop', begunAt: 170, lostAt: 400 });
		}],
		['interleaved', 'an effect of another behind a text whose send began after its process had died', (history) => {
			goOnAfterLoss(history).lost.lostAt = 60;
			history.received.splice(0, 1);
		}],
		['outOfOrder', 'one that waited behind a later execution', (history) => ask(history, 'b', { execution: 9 })],
		['outOfOrder', 'one of high priority that waited behind a normal one', (history) => ask(history, 'c', { priority: 'high' })],
		['outOfOrder', 'one that waited, even if it is marked late', (history) => {
			ask(history, 'b', { execution: 9 });
			change(history, 'c', ({ queue }) => (queue.late = true));
		}],
		['lateNotMarked', 'one that came later than a later execution, and does not say so', (history) => {
			ask(history, 'b', { execution: 9 });
			change(history, 'c', ({ queue }) => (queue.waitedMs = 1));
		}],
		['numberSlippedIn', 'a sequence number behind a higher one', (history) => {
			ask(history, 'b', { sequence: { number: 2, gapMs: 0 } });
			ask(history, 'c', { sequence: { number: 1, gapMs: 0 } });
			change(history, 'c', ({ queue }) => (queue.waitedMs = 1));
		}],
		['sentTwice', 'a text that came twice', (history) => {
			history.messages.splice(1, 0, { name: 'b', messageId: 'id-lost', at: 290 });
		}],
		['sentTwice', 'a text that came twice by choice, and the result does not say so', (history) => {
			ask(history, 'b', { onInDoubt: 'sendAgain' });
			history.messages.splice(1, 0, { name: 'b', messageId: 'id-lost', at: 290 });
		}],
		['sentUnrecorded', 'a text that came, and is on record as not sent', (history) => {
			without(history, 'b', 'received');
			change(history, 'b', (transaction) => fail(transaction, 0, 'meta190'));
		}],
		['otherWebhookId', 'a webhook under another ID', (history) => callWebhook(history, 'b', 362, 'b:other')],
		['otherWebhookId', 'an error callback without an idempotency key', (history) => {
			history.received.push({ name: 'b', kind: 'error', at: 380, status: 200, webhookId: 'b:error' });
		}],
		['calledAfterDone', 'a webhook that was called after it was done', (history) => {
			Object.assign(history.calls[1] as CallRecord, { endedAt: 470 });
			callWebhook(history, 'b', 450);
		}],
		['replayHasEffect', 'an effect after the end for good', (history) => {
			ask(history, 'c', { onInDoubt: 'sendAgain' });
			change(history, 'c', (transaction) => (transaction.duplicatePossible = true));
			again(history, 'c', {});
			history.messages.push({ name: 'c', messageId: 'id-again', at: 1005 });
		}],
		['replayTellsOther', 'a completed one that is run again', (history) => {
			again(history, 'c', { outcome: { replayed: false, transaction: structuredClone(history.ledger.c) } });
		}],
		['replayTellsOther', 'one that failed for good, and gets another error', (history) => {
			without(history, 'c', 'messages', 'received');
			change(history, 'c', (transaction) => fail(transaction, 0, 'noSuchNumber'));
			Object.assign(history.calls[2]?.outcome as object, { failure: { code: 'noSuchNumber', message: '' } });
			again(history, 'c', { outcome: { replayed: true, failure: { code: 'meta190', message: '' }, transaction: structuredClone(history.ledger.c) } });
		}],
		['replayDoesNotGoOn', 'one that could go on, and gets the recorded error', (history) => {
			change(history, 'c', (transaction) => fail(transaction, 2, 'webhook.status'));
			const failure = { code: 'webhook.status', message: '' };
			Object.assign(history.calls[2]?.outcome as object, { failure });
			again(history, 'c', { outcome: { replayed: true, failure, transaction: structuredClone(history.ledger.c) } });
		}],
		['otherContentTaken', 'other content under an ID that is on record', (history) => {
			again(history, 'c', { kind: 'otherContent', outcome: { replayed: false, transaction: structuredClone(history.ledger.c) } });
		}],
		['doneWithoutMessage', 'a completed one whose message WhatsApp does not have', (history) => {
			change(history, 'b', ({ steps }) => ((steps[0] as Step).messageId = 'id-of-nobody'));
			history.acks.push({ messageId: 'id-b', status: 'DELIVERED', at: 350, kept: true });
		}],
		['doneWithoutAck', 'a completed one whose acknowledgement came too late', (history) => {
			without(history, 'b', 'received');
			ask(history, 'b', { webhook: false });
			change(history, 'b', ({ steps }) => steps.splice(2));
			Object.assign(history.acks[1] as object, { at: 450 });
		}],
		['doneWithoutAck', 'a completed one whose acknowledgement EvolutionAPI dropped', (history) => {
			without(history, 'b', 'received');
			ask(history, 'b', { webhook: false });
			change(history, 'b', ({ steps }) => steps.splice(2));
			Object.assign(history.acks[1] as object, { kept: false });
		}],
		['doneWithoutWebhook', 'a completed one whose webhook only ever answered 500', (history) => {
			Object.assign(history.received[1] as object, { status: 500 });
		}],
		['leftOpen', 'one that the ledger calls unfinished', (history) => void history.unfinished.push({ name: 'b', why: 'open' })],
		['stillHeld', 'one that was given up, and holds its chat', (history) => {
			change(history, 'b', (transaction) => fail(transaction, 2, 'webhook.status'));
			const { outcome } = again(history, 'b', { kind: 'giveUp', outcome: { replayed: false, transaction: structuredClone(history.ledger.b), failure: { code: 'givenUp', message: '' } } });
			(history.ledger.b as Transaction).holds = true;
			if (outcome?.transaction?.failure) outcome.transaction.failure.code = 'givenUp';
		}],
		['stepLost', 'a step that was told as done, and is not on record', (history) => {
			((history.ledger.b as Transaction).steps[2] as Step).status = 'pending';
		}],
		['behindLater', 'a text that recovery sent behind a later one', (history) => {
			add(history, 'e', { execution: 0, sentAt: 700, ackAt: 750, webhookAt: 760, endedAt: 770 });
			const call = history.calls.at(-1) as CallRecord;
			history.calls.push({ ...call, kind: 'recover', begunAt: 600 });
			Object.assign(call, { endedAt: undefined, outcome: undefined, lostAt: 50 });
		}],
		['chatNotFree', 'a chat that stays closed', (history) => history.probes.push({ chat: 1, tookMs: 2000, mostMs: 1000, status: 'completed' })],
		['chatNotFree', 'a chat that takes nothing', (history) => history.probes.push({ chat: 1, tookMs: 10, mostMs: 1000, status: 'queueTimeout' })],
		['nobodyAsked', 'a text that nobody asked for', (history) => history.messages.push({ name: 'b other', messageId: 'id', at: 400 })],
	];

	test.each(planted)('%s: %s', (kind, _what, plant) => {
		const history = sound();
		plant(history);
		expect(kindsIn(history)).toEqual([kind]);
	});

	test('every kind is planted', () => {
		const all = new Set(planted.map(([kind]) => kind));
		expect(all.size).toBe(25);
	});
});
