// One transaction from its turn in the lane to its end. There is one way through, for new ones and for replays.
import { cancelledFailure, type Failure, messageFailed } from './errors';
import { lookUp, mayGoOutUntil, takeFound } from './steps/lookUp';
import { messageOf } from './steps/message';
import { runSend } from './steps/send';
import { isWaiting, type Run, type StepEnd, type StepRunner, type Waiting } from './steps/step';
import { runWait } from './steps/wait';
import { runWebhook } from './steps/webhook';
import { beginCompensation, compensate, planCompensation } from './compensation';
import { type Definition, type OnError, type PlannedStep, textOf } from './plan';
import { hasEndedForGood, isPassed, lastBegun, moveStep, moveTransaction, sendInDoubt, sendsOf, type Step, type StepType, type Transaction } from './transaction';

const runners: Record<StepType, StepRunner> = { send: runSend, wait: runWait, webhook: runWebhook };

/** Asked before a step runs: an end that it gives is the transaction's, and the step does not run. */
export type BeforeStep = (transaction: Transaction, step: Step) => Promise<StepEnd>;

/**
 * Runs what is not done yet, step after step. The transaction is ended and recorded when this returns, unless it waits:
 * then this is called again when the wait is over, with `run.waited`.
 */
export async function runSteps(run: Run, before?: BeforeStep): Promise<Waiting | undefined> {
	const { transaction, definition } = run;
	for (const step of transaction.compensation ? [] : transaction.steps) {
		const planned = definition.plan[step.index] as PlannedStep;
		if (step.status === 'skipped' || isPassed(transaction, step, planned)) continue;
		const stop = await beforeStep(run, step, before);
		if (stop) return void (await endTransaction(run, stop));
		const end = await runners[step.type](run, step);
		if (isWaiting(end)) return end;
		if (!end) continue;
		const next = wasCancelled(run, end) ? 'stop' : policyOf(planned, end);
		if (next === 'stop') return void (await endTransaction(run, end));
		if (next === 'compensate') await beginCompensation(run, end.failure);
		if (next === 'compensate') break;
	}
	return void (await endTransaction(run, transaction.compensation ? await compensate(run, transaction.compensation) : undefined));
}

/** What failed by itself leads to what it was to lead to, cancelled or not: the same call again would not decide it anew. */
function wasCancelled({ signal }: Run, { status }: NonNullable<StepEnd>): boolean {
	return status === 'cancelled' || (status === 'inDoubt' && (signal?.aborted ?? false));
}

function policyOf(planned: PlannedStep, { status }: NonNullable<StepEnd>): OnError {
	return status === 'unconfirmed' && 'onTimeout' in planned ? planned.onTimeout : planned.onError;
}

/** An end that keeps the step from being run, whatever its policy. */
async function beforeStep({ signal, transaction }: Run, step: Step, before?: BeforeStep): Promise<StepEnd> {
	if (signal?.aborted && step.status === 'pending') return cancelStep(step);
	const isBegun = step.type === 'wait' && step.status === 'running';
	return isBegun ? undefined : await before?.(transaction, step);
}

/** n8n stopped the execution between two steps. */
function cancelStep(step: Step): StepEnd {
	moveStep(step, 'cancelled');
	return { status: 'cancelled', failure: cancelledFailure };
}

async function endTransaction(run: Pick<Run, 'transaction' | 'definition' | 'save'>, end?: StepEnd): Promise<void> {
	closeTransaction(run.transaction, run.definition, end);
	await run.save();
}

/** Sets a transaction's end state; the caller records it. */
export function closeTransaction(transaction: Transaction, definition: Run['definition'], end: StepEnd): void {
	for (const step of transaction.steps) if (step.status === 'pending') moveStep(step, 'skipped');
	const unconfirmed = transaction.steps.some(({ status }) => status !== 'done');
	moveTransaction(transaction, end?.status ?? (unconfirmed ? 'unconfirmed' : 'completed'));
	transaction.endedAt = Date.now();
	transaction.failedForGood = end?.forGood ?? false;
	if (end) transaction.failure = end.failure;
	if (end && definition.onFailure === 'hold') transaction.holds = true;
	// one that is settled later has told of its failure already
	if (end && definition.errorCallbackUrl && !transaction.errorCallback) transaction.errorCallback = { url: definition.errorCallbackUrl, status: 'pending', attempts: 0 };
	if (definition.storeMessageText) keepTexts(transaction, definition);
	if (hasEndedForGood(transaction)) delete transaction.definition;
}

function keepTexts(transaction: Transaction, definition: Definition): void {
	for (const step of sendsOf(transaction)) {
		const text = textOf(messageOf({ definition, transaction }, step));
		if (text !== undefined) step.text = text;
	}
}

type SettleMeans = Omit<Run, 'transaction' | 'definition' | 'save'>;

/**
 * Settles what a dead or cancelled holder of this lane left at its head, before anything else is sent to the chat:
 * looks its message up, then closes it. Nothing of it is sent or called any more by this. Returns what was closed.
 */
export async function settleEarlier(means: SettleMeans, transaction: Transaction): Promise<Transaction[]> {
	const closed: Transaction[] = [];
	for (const left of await means.ledger.unsettled(transaction.chat, transaction.id, Date.now())) {
		await settle(means, left);
		if (means.signal?.aborted) break; // what could not be looked up is left to the lane's next holder
		left.queue.fence = transaction.queue.fence;
		await means.ledger.save(left);
		closed.push(left);
	}
	return closed;
}

async function settle(means: SettleMeans, left: Transaction): Promise<void> {
	const { definition, failure: earlierFailure } = left;
	if (!definition) throw new Error(`Transaction ${left.id} is not ended, yet without its definition`);
	const found = await settleSend(means, left, definition);
	for (const step of left.steps) if (step.status === 'running') moveStep(step, 'failed');
	const refused = refusedStep(left);
	const policy = refused && (definition.plan[refused.index] as PlannedStep).onError;
	// what it led to in its own run, it leads to when it goes on
	if (refused && policy === 'compensate' && !left.compensation) planCompensation(left, messageFailed, definition.compensationWebhookUrl);
	const refusedEnd: StepEnd = policy === 'stop' ? { status: 'failed', failure: messageFailed, forGood: true } : undefined;
	if (left.status === 'open') return closeTransaction(left, definition, refusedEnd ?? interruptedEnd(left));
	moveTransaction(left, 'open');
	const end: StepEnd = found || !earlierFailure ? { status: 'cancelled', failure: cancelledFailure } : { status: 'inDoubt', failure: earlierFailure };
	closeTransaction(left, definition, refusedEnd ?? end);
}

/** The last step that was begun, where WhatsApp refused its message: as where a look-up of its own run finds that out. */
function refusedStep(transaction: Transaction): Step | undefined {
	const last = lastBegun(transaction);
	return last?.status === 'failed' && last.error?.code === messageFailed.code ? last : undefined;
}

/** Whether it is known now what became of the message that was in doubt. */
async function settleSend(means: SettleMeans, left: Transaction, definition: Definition): Promise<boolean> {
	const send = sendInDoubt(left);
	if (!send) return false;
	const until = send.doubtUntil ?? mayGoOutUntil(send, definition, means.settings);
	if (send.status === 'running') moveStep(send, 'inDoubt');
	const { found } = await lookUp({ ...means, transaction: left }, send, definition, Math.min(until, Date.now() + means.settings.lookUpMs));
	delete send.doubtUntil;
	if (!found) return false;
	takeFound(send, found);
	return true;
}

/** How a transaction ends whose process died; all its steps may have been done already. */
export function interruptedEnd(transaction: Transaction): StepEnd {
	const { compensation, definition, steps } = transaction;
	const last = lastBegun(transaction);
	if (last?.status === 'inDoubt') {
		return { status: 'inDoubt', failure: { code: 'inDoubt', message: 'n8n stopped while the message was being sent, and EvolutionAPI has no record of it', hint: 'Look into the chat, then run it again with the same transaction ID.' } };
	}
	const planned = last && definition?.plan[last.index];
	if (last?.status === 'unconfirmed' && last.error && planned && !isPassed(transaction, last, planned)) return { status: 'unconfirmed', failure: last.error };
	if (!compensation && definition && steps.every((step) => step.status === 'skipped' || isPassed(transaction, step, definition.plan[step.index] as PlannedStep))) return undefined;
	return { status: 'failed', failure: { code: 'interrupted', message: 'n8n stopped or was restarted in the middle of this transaction', hint: 'Run it again with the same transaction ID: it goes on where it stopped.' } };
}

/** Ends a transaction for good, whatever state it is in, unless it has ended as wished; the caller records it. */
export async function closeForGood(means: SettleMeans, transaction: Transaction, failure: Failure): Promise<void> {
	const { definition } = transaction;
	delete transaction.holds;
	if (!definition) return;
	if (transaction.status !== 'open') moveTransaction(transaction, 'open');
	await settleSend(means, transaction, definition);
	for (const step of transaction.steps) if (step.status === 'running') moveStep(step, 'failed');
	closeTransaction(transaction, { ...definition, onFailure: 'release' }, { status: 'failed', failure, forGood: true });
}
