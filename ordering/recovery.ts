// Recovery: finishes, closes or reports what dead processes left unfinished. It sends nothing behind a later message.
import pMap from 'p-map';
import type { EgressFilter } from '../evolution/http';
import { isMark, mediaOf } from '../evolution/messages/file';
import { only } from '../evolution/only';
import { toRecipient } from '../evolution/recipient';
import { serverAddress } from '../evolution/server';
import { CancelledError, type Failure, failureOf, OrderedSendError, UnknownTransactionError } from './errors';
import { finishCallbacks } from './callbacks';
import type { OrderKey } from './lanes/lanes';
import { compare } from './lanes/order';
import type { Ledger } from './ledger/ledger';
import type { OrderedSend, RecoveryRequest } from './orderedSend';
import { compensate, compensated, planCompensation } from './compensation';
import { type BeforeStep, closeForGood } from './run';
import type { Run } from './steps/step';
import { type Compensation, type Step, type Transaction, wasSent } from './transaction';
import { type Outcome, recordedOutcome, runOf, runToEnd, type Shared } from './turns';

export interface RecoveryCall extends RecoveryRequest {
	signal?: AbortSignal;
	egress?: EgressFilter;
}

/** What became of one unfinished transaction. */
export interface Recovered {
	transaction: Transaction;
	/**
	 * `finished`: it ran to its end, as wished. `failed`: it ran, and failed. `closed`: later messages of its chat have
	 * gone, so it was ended with nothing more sent. `needsCaller`: its webhook needs what is not on record. `told`: its
	 * error callback was made. `left`: it could not be worked on now, see `failure`.
	 */
	action: 'finished' | 'failed' | 'closed' | 'needsCaller' | 'told' | 'left';
	failure?: Failure;
}

/** How many are read from the ledger at a time. */
const pageSize = 200;
const turnsAtOnce = 20;

/** How much the clocks of two processes may differ, at most. */
const clocksDifferMs = 600_000;

/** Why a transaction that stopped can't go on by recovery, or by being resumed. */
const overtaken: Failure = { code: 'overtaken', message: 'The message was not sent in its time, and later messages of this chat have gone since', hint: 'Send it as a new message if it is still wanted.' };
const needsCaller: Failure = { code: 'needsCaller', message: 'The webhook of this transaction needs headers or a credential that are not on record, and that this node does not have', hint: 'Run it again with the same transaction ID from the node that sent it: it goes on where it stopped. Or select the same Webhook Target credential here, if it has one.' };
const needsFile: Failure = { code: 'needsCaller', message: 'This transaction sends a file that is not on record', hint: 'Run it again with the same transaction ID from the node that sent it: it goes on where it stopped.' };

export async function recover(shared: Shared, isRunningHere: (transaction: Transaction) => boolean, call: RecoveryCall): Promise<Recovered[]> {
	const before = Date.now();
	const recovered: Recovered[] = [];
	let after: { createdAt: number; id: string } | undefined;
	for (;;) {
		const page = await shared.ledger.unfinished(serverAddress(call.access.baseUrl), before, pageSize, after);
		const dead = await ofDeadProcesses(shared, page.filter((one) => !isRunningHere(one)));
		const byChat = [...Map.groupBy(dead, ({ chat }) => JSON.stringify([chat.instance, chat.recipient])).values()];
		await pMap(byChat, async (ofChat) => void recovered.push(...(await recoverChat(shared, ofChat, call))), { concurrency: shared.settings.chatsAtOnce });
		const last = page.at(-1);
		if (!last || page.length < pageSize) return recovered.sort((a, b) => a.transaction.createdAt - b.transaction.createdAt);
		after = { createdAt: last.createdAt, id: last.id };
	}
}

async function ofDeadProcesses({ lanes }: Shared, transactions: Transaction[]): Promise<Transaction[]> {
	const alive = await lanes.alive([...new Set(transactions.flatMap(({ owner }) => owner ?? []))]);
	return transactions.filter(({ owner }) => owner === undefined || owner === lanes.owner || !alive.has(owner));
}

/** Where one finds the chat busy or held, so would the others: they are left without waiting as long each. */
async function recoverChat(shared: Shared, transactions: Transaction[], call: RecoveryCall): Promise<Recovered[]> {
	const recovered: Recovered[] = [];
	let closedBy: Failure | undefined;
	for (const transaction of transactions) {
		const one: Recovered = closedBy && transaction.status === 'open' ? { transaction, action: 'left', failure: closedBy } : await recoverOne(shared, transaction, call);
		recovered.push(one);
		if (one.action === 'left' && one.failure && ['queueTimeout', 'chatHeld'].includes(one.failure.code)) closedBy = one.failure;
	}
	return recovered;
}

/** One that fails to be worked on keeps none of the others. */
async function recoverOne(shared: Shared, transaction: Transaction, call: RecoveryCall): Promise<Recovered> {
	try {
		if (call.signal?.aborted) throw new CancelledError();
		if (transaction.status !== 'open') return await tell(shared, transaction, call);
		const { transaction: ended = transaction, failure } = await goOn(shared, transaction, call, true);
		return { transaction: ended, action: actionOf(ended, failure), failure };
	} catch (error) {
		return { transaction, action: 'left', failure: failureOf(only(error, OrderedSendError)) };
	}
}

function actionOf({ status, failure: recorded }: Transaction, failure: Failure | undefined): Recovered['action'] {
	if (!failure) return 'finished';
	if (status === 'open' || failure.code !== recorded?.code) return 'left';
	return [overtaken.code, 'sequenceTooLate'].includes(failure.code) ? 'closed' : failure.code === needsCaller.code ? 'needsCaller' : 'failed';
}

async function tell(shared: Shared, transaction: Transaction, call: RecoveryCall): Promise<Recovered> {
	const urls = { errorCallbackUrl: transaction.errorCallback?.url, compensationWebhookUrl: transaction.compensation?.webhook?.url };
	await finishCallbacks({ ...shared, egress: call.egress }, transaction, { ...sendOf(transaction, call), definition: { attempts: 3, requestTimeoutMs: 30_000, ...urls } });
	return { transaction, action: 'told' };
}

/** Changes `send`: what is in doubt is not sent again behind a later message either. */
function neitherBehindNorWithoutSecrets({ ledger }: Shared, send: OrderedSend, call: RecoveryCall): BeforeStep {
	return async (transaction, step) => {
		if (step.type === 'send' && (await isOvertaken(ledger, transaction))) {
			// one that may be out is looked up first
			if (step.status === 'pending') return { status: 'failed', failure: overtaken };
			send.onInDoubt = 'stop';
		}
		// what is in doubt is looked up, and can't be sent again without its file
		if (step.type === 'send' && lacksFile(transaction, step)) send.onInDoubt = 'stop';
		const goesOn = step.type === 'webhook' || (step.type === 'send' && step.status === 'pending');
		if (!goesOn) return undefined;
		if (lacksSecrets(transaction, step, call)) return { status: 'failed', failure: needsCaller };
		return lacksFile(transaction, step) ? { status: 'failed', failure: needsFile } : undefined;
	};
}

/** Of this step, and of those to come: nothing is begun that could not be ended. Secrets of another credential are none of a webhook's business. */
function lacksSecrets({ definition }: Transaction, { index }: Step, { webhookSecrets }: RecoveryCall): boolean {
	return definition?.plan.slice(index).some((planned) => {
		if (planned.type !== 'webhook') return false;
		const { needs, credential } = planned;
		return needs === 'headers' || (needs === 'credential' && (!webhookSecrets || webhookSecrets.credential !== credential));
	}) ?? false;
}

function lacksFile({ definition }: Transaction, { index }: Step): boolean {
	return definition?.plan.slice(index).some((planned) => planned.type === 'send' && isMark(mediaOf(planned.message) ?? '')) ?? false;
}

/** Whether a message of its chat that belongs behind this one has gone, or may have. */
async function isOvertaken(ledger: Ledger, one: Transaction): Promise<boolean> {
	for (let below = Number.MAX_SAFE_INTEGER; ; ) {
		// whatever fences it had itself: nothing of it went out by them
		const turns = await ledger.turnsOf(one.chat, below, turnsAtOnce);
		if (turns.some((other) => other.id !== one.id && wasSent(other) !== 'no' && belongsBehind(other, one))) return true;
		const last = turns.at(-1);
		if (!last || turns.length < turnsAtOnce || (last.endedAt ?? Infinity) < one.createdAt - clocksDifferMs) return false;
		below = last.queue.fence;
	}
}

/** By the order of lanes; where n8n's execution is not known of both, by the time of recording. */
function belongsBehind(other: Transaction, one: Transaction): boolean {
	const byExecution = [one, other].every(({ order }) => order?.execution !== undefined);
	return compare(placeOf(one, byExecution), placeOf(other, byExecution)) < 0;
}

function placeOf({ order, createdAt }: Transaction, byExecution: boolean): { key: OrderKey; arrival: number } {
	const { priority = 'normal', sequence, execution } = order ?? {};
	return { arrival: createdAt, key: { priority, ...(sequence === undefined ? {} : { sequence: { number: sequence, gapMs: 0, again: false } }), ...(byExecution ? { execution } : {}) } };
}

/** Throws {@link UnknownTransactionError}. A message that is not out is not sent behind a later one. */
export async function resume(shared: Shared, id: string, call: RecoveryCall): Promise<Outcome> {
	const transaction = await findOrThrow(shared, id, call);
	return await goOn(shared, transaction, call, false);
}

const givenUp: Failure = { code: 'givenUp', message: 'The transaction was given up', hint: 'To send it again, use a new transaction ID.' };

/** Throws {@link UnknownTransactionError}. Where its message is in doubt, it is looked up before it is closed. */
export async function giveUp(shared: Shared, id: string, call: RecoveryCall): Promise<Outcome> {
	return await inItsLane(shared, id, call, async (run) => {
		await closeForGood(run, run.transaction, givenUp);
		await run.save();
	});
}

/**
 * Takes back what a transaction has sent, whatever state it is in; one that had not ended has ended for good then. What
 * could not be taken back before is tried again. Throws {@link UnknownTransactionError}.
 */
export async function takeBack(shared: Shared, id: string, call: RecoveryCall): Promise<Outcome> {
	const outcome = await inItsLane(shared, id, call, async (run) => {
		const { transaction } = run;
		const { attempts, requestTimeoutMs, compensationWebhookUrl } = transaction.definition ?? { attempts: 3, requestTimeoutMs: 30_000 };
		await closeForGood(run, transaction, compensated);
		const earlier = transaction.compensation;
		planCompensation(transaction, earlier?.cause, compensationWebhookUrl);
		await run.save();
		await compensate({ ...run, definition: { attempts, requestTimeoutMs } }, planned(transaction, earlier));
		await run.save();
	});
	return { ...outcome, replayed: false, failure: notTakenBack(outcome.transaction as Transaction) };
}

/** What was taken back before stays so, and its webhook is called once. */
function planned(transaction: Transaction, earlier: Compensation | undefined): Compensation {
	const compensation = transaction.compensation as Compensation;
	for (const deletion of compensation.deletions) {
		if (earlier?.deletions.some(({ index, status }) => index === deletion.index && status === 'done')) deletion.status = 'done';
	}
	if (earlier?.webhook) compensation.webhook = earlier.webhook;
	return compensation;
}

function notTakenBack({ compensation }: Transaction): Failure | undefined {
	const { status, deletions } = compensation as Compensation;
	if (status === 'done') return undefined;
	if (status === 'pending') return { code: 'cancelled', message: 'The execution was cancelled before all was taken back', hint: 'Run it again: it goes on where it stopped.' };
	const left = deletions.filter((deletion) => deletion.status !== 'done');
	return { code: 'notTakenBack', message: `${left.length} of ${deletions.length} ${deletions.length === 1 ? 'message' : 'messages'} could not be taken back: ${left[0]?.error?.message}`, hint: left[0]?.error?.hint };
}

/** Works on a transaction as the holder of its lane, and makes its callbacks when the lane is free. */
async function inItsLane(shared: Shared, id: string, call: RecoveryCall, work: (run: Run) => Promise<void>): Promise<Outcome> {
	const transaction = await findOrThrow(shared, id, call);
	const send = sendOf(transaction, call);
	const chat = await shared.ledger.linkedChat(transaction.chat);
	const grant = await shared.lanes.take(chat, { priority: 'high', transactionId: id }).turn(call.queueTimeoutMs, call.signal);
	try {
		const current = (await shared.ledger.find(transaction.chat.server, id)) ?? transaction;
		Object.assign(current.queue, { fence: grant.fence });
		Object.assign(current, { chat, marks: grant.marks });
		await work(runOf(shared, current, send, grant, call));
		grant.release();
		return await recordedOutcome(shared, current, send, call);
	} finally {
		grant.release();
	}
}

async function findOrThrow({ ledger }: Shared, id: string, { access }: RecoveryCall): Promise<Transaction> {
	const server = serverAddress(access.baseUrl);
	const transaction = await ledger.find(server, id);
	if (!transaction) throw new UnknownTransactionError(id, server);
	return transaction;
}

/** `onlyOpen`: what somebody else has ended meanwhile is left as it is. */
async function goOn(shared: Shared, found: Transaction, call: RecoveryCall, onlyOpen: boolean): Promise<Outcome> {
	const chat = await shared.ledger.linkedChat(found.chat);
	const transaction = { ...found, chat };
	const send = sendOf(transaction, call);
	if (!transaction.definition) return await recordedOutcome(shared, transaction, send, call);
	const before = neitherBehindNorWithoutSecrets(shared, send, call);
	const hasBegun = transaction.steps.some(({ status }) => status !== 'pending');
	return await runToEnd(shared, { id: found.id, transaction, chat, endsInQueue: false, interrupted: onlyOpen, unnumbered: hasBegun, send }, { ...call, before });
}

/** The call that would go on with this transaction, made of what is on record. */
function sendOf({ chat, definition, id }: Transaction, { access, webhookSecrets, onInDoubt, queueTimeoutMs }: RecoveryCall): OrderedSend {
	return {
		access,
		chat,
		recipient: toRecipient(chat.recipient),
		transactionId: id,
		definition: definition as OrderedSend['definition'],
		onInDoubt,
		priority: 'normal',
		queueTimeoutMs,
		webhookSecrets: webhookSecrets && definition?.plan.some((planned) => planned.type === 'webhook' && planned.needs === 'credential') ? webhookSecrets : { headers: [] },
		webhookHeaders: {},
		files: {},
	};
}
