// The wait between the send and what follows: a delay, or an acknowledgement.
import { waitProblem } from '../channels';
import { cancelledFailure, type Failure, messageFailed } from '../errors';
import { pause } from '../pause';
import type { WaitEnd } from '../receipts/waits';
import { moveStep, sentMessageId, type Step } from '../transaction';
import type { Run, StepEnd, StepRunner, Waiting } from './step';

export const runWait: StepRunner = async (run, step) => (step.status === 'running' ? await endWait(run, step) : await beginWait(run, step));

async function beginWait(run: Run, step: Step): Promise<StepEnd | Waiting> {
	moveStep(step, 'running');
	step.attempts += 1;
	step.startedAt ??= Date.now(); // a wait that a crash interrupted goes on, it does not begin anew
	await run.save();
	return run.definition.waitFor === 'delay' ? { over: delay(run, step) } : await acknowledgement(run, step);
}

function delay({ definition, signal }: Run, step: Step): Promise<undefined> {
	return pause(Math.max(0, (step.startedAt ?? 0) + definition.delayMs - Date.now()), signal);
}

async function acknowledgement(run: Run, step: Step): Promise<StepEnd | Waiting> {
	const { definition, server, transaction, signal, egress } = run;
	const waitFor = definition.waitFor as 'sent' | 'delivered' | 'read';
	const problem = await waitProblem(run, waitFor);
	if (problem) return await endUnconfirmed(run, step, { code: 'impossibleWait', message: problem.why, hint: problem.remedy });
	const call = { timeoutMs: definition.requestTimeoutMs, egress };
	const { instance } = transaction.chat;
	const messageId = sentMessageId(transaction) as string;
	return { over: run.receipts.watch({ server, instance, messageId, target: waitFor, timeoutMs: definition.ackTimeoutMs, signal, call }) };
}

/** Whether a receipt came is told by the wait itself, even where the signal has fired since. */
async function endWait(run: Run, step: Step): Promise<StepEnd> {
	const { waited, signal } = run;
	if (waited ? waited.end === 'cancelled' : signal?.aborted) return await finish(run, step, 'cancelled', { status: 'cancelled', failure: cancelledFailure });
	return waited ? await endAcknowledgement(run, step, waited) : await finish(run, step, 'done', undefined);
}

async function endAcknowledgement(run: Run, step: Step, end: WaitEnd): Promise<StepEnd> {
	const { waitFor, ackTimeoutMs } = run.definition;
	if ('receipt' in end) Object.assign(step, { receipt: end.receipt, toldBy: end.toldBy });
	if (end.end === 'reached') return await finish(run, step, 'done', undefined);
	if (end.end === 'failed') return await finish(run, step, 'failed', { status: 'failed', failure: messageFailed, forGood: true });
	return await endUnconfirmed(run, step, whyUnconfirmed(end, waitFor, ackTimeoutMs));
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

async function endUnconfirmed(run: Run, step: Step, failure: Failure): Promise<StepEnd> {
	const stop = run.definition.onAckTimeout === 'stop';
	step.error = failure;
	return await finish(run, step, 'unconfirmed', stop ? { status: 'unconfirmed', failure } : undefined);
}

async function finish(run: Run, step: Step, status: 'done' | 'failed' | 'unconfirmed' | 'cancelled', end: StepEnd): Promise<StepEnd> {
	moveStep(step, status);
	step.finishedAt = Date.now();
	if (end) step.error = end.failure;
	await run.save();
	return end;
}
