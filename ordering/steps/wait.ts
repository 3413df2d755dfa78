// The wait between the send and what follows: a delay, or an acknowledgement.
import { waitProblem } from '../channels';
import { cancelledFailure, type Failure, messageFailed } from '../errors';
import { pause } from '../pause';
import type { WaitEnd } from '../receipts/waits';
import type { Acknowledgement, PlannedWait } from '../plan';
import { moveStep, sendBefore, type Step } from '../transaction';
import { earlierMessages } from './earlierMessages';
import type { Run, StepEnd, StepRunner, Waiting } from './step';

export const runWait: StepRunner = async (run, step) => (step.status === 'running' ? await endWait(run, step) : await beginWait(run, step));

type AcknowledgementWait = Extract<PlannedWait, { until: Acknowledgement }>;

async function beginWait(run: Run, step: Step): Promise<StepEnd | Waiting> {
	const planned = plannedWait(run, step);
	const isAcknowledgement = planned.until !== 'delay' && planned.until !== 'earlierMessages';
	const message = sendBefore(run.transaction, step.index);
	if (isAcknowledgement && message?.status !== 'done') return void moveStep(step, 'skipped'); // the user chose to go on without that message
	moveStep(step, 'running');
	step.attempts += 1;
	step.startedAt ??= Date.now(); // a wait that a crash interrupted goes on, it does not begin anew
	await run.save();
	if (planned.until === 'delay') return { over: pause(Math.max(0, step.startedAt + planned.delayMs - Date.now()), run.signal) };
	if (planned.until === 'earlierMessages') return { over: earlierMessages(run, planned.earlier, planned.timeoutMs) };
	return await acknowledgement(run, step, planned as AcknowledgementWait, message?.messageId as string);
}

function plannedWait({ definition }: Run, { index }: Step): PlannedWait {
	const planned = definition.plan[index];
	if (planned?.type !== 'wait') throw new Error(`Step ${index} is no wait`);
	return planned;
}

async function acknowledgement(run: Run, step: Step, { until, timeoutMs }: AcknowledgementWait, messageId: string): Promise<StepEnd | Waiting> {
	const { definition, server, transaction, signal, egress } = run;
	const problem = await waitProblem(run, until);
	if (problem) return await endUnconfirmed(run, step, { code: 'impossibleWait', message: problem.why, hint: problem.remedy });
	const call = { timeoutMs: definition.requestTimeoutMs, egress };
	const { instance } = transaction.chat;
	return { over: run.receipts.watch({ server, instance, messageId, target: until, timeoutMs, signal, call }) };
}

/** Whether a receipt came is told by the wait itself, even where the signal has fired since. */
async function endWait(run: Run, step: Step): Promise<StepEnd> {
	const { waited, signal } = run;
	if (waited ? waited.end === 'cancelled' : signal?.aborted) return await finish(run, step, 'cancelled', { status: 'cancelled', failure: cancelledFailure });
	return waited ? await endAcknowledgement(run, step, waited) : await finish(run, step, 'done', undefined);
}

async function endAcknowledgement(run: Run, step: Step, end: WaitEnd): Promise<StepEnd> {
	const planned = plannedWait(run, step);
	if ('receipt' in end && planned.until !== 'earlierMessages') Object.assign(step, { receipt: end.receipt, toldBy: end.toldBy });
	if (end.end === 'reached') return await finish(run, step, 'done', undefined);
	if (end.end === 'failed') return await finish(run, step, 'failed', { status: 'failed', failure: messageFailed, forGood: true });
	const { until } = planned;
	const timeoutMs = 'timeoutMs' in planned ? planned.timeoutMs : 0;
	return await endUnconfirmed(run, step, until === 'earlierMessages' ? whyNotEarlier(end, timeoutMs) : whyUnconfirmed(end, until, timeoutMs));
}

function whyUnconfirmed(end: WaitEnd, waitFor: string, timeoutMs: number): Failure {
	if (end.end === 'deleted') return { code: 'messageDeleted', message: `The message was deleted before it was ${waitFor}` };
	if (end.end === 'notRecorded') {
		return { code: 'notRecorded', message: 'EvolutionAPI does not keep this message in its database, so it records no acknowledgement either', hint: 'Set DATABASE_SAVE_DATA_NEW_MESSAGE=true and DATABASE_SAVE_MESSAGE_UPDATE=true in EvolutionAPI, or set Wait For to Accepted or Delay.' };
	}
	const lastError = end.end === 'timeout' && end.lastError ? `; the last look failed: ${end.lastError}` : '';
	return {
		code: 'ackTimeout',
		message: `The message was not acknowledged as ${waitFor} within ${timeoutMs / 1000} s${lastError}`,
		hint: waitFor === 'read' ? 'A person may never open a message, or hide that it was read: Delivered is the surer choice.' : 'The phone may be off, or EvolutionAPI may not record acknowledgements (DATABASE_SAVE_MESSAGE_UPDATE=true). Raise the timeout, or set On Ack Timeout to Continue.',
	};
}

function whyNotEarlier(end: WaitEnd, timeoutMs: number): Failure {
	const lastError = end.end === 'timeout' && end.lastError ? `; the last look failed: ${end.lastError}` : '';
	return {
		code: 'earlierMessagesMissing',
		message: `EvolutionAPI did not show the earlier messages of this turn as sent within ${timeoutMs / 1000} s${lastError}`,
		hint: 'Check the number or text to wait for and the start of the turn, or raise the timeout: TypeBot needs a second and more for each of its bubbles. EvolutionAPI has to keep messages (DATABASE_SAVE_DATA_NEW_MESSAGE=true).',
	};
}

async function endUnconfirmed(run: Run, step: Step, failure: Failure): Promise<StepEnd> {
	step.error = failure;
	return await finish(run, step, 'unconfirmed', { status: 'unconfirmed', failure });
}

async function finish(run: Run, step: Step, status: 'done' | 'failed' | 'unconfirmed' | 'cancelled', end: StepEnd): Promise<StepEnd> {
	moveStep(step, status);
	step.finishedAt = Date.now();
	if (end) step.error = end.failure;
	await run.save();
	return end;
}
