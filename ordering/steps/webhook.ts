// The webhook call: at least once, always under its one ID.
import { only } from '../../evolution/only';
import { cancelledFailure, type Failure, OrderedSendError } from '../errors';
import { summaryOf } from '../result';
import { resolvedJson, resolvedUrl } from '../sequence/references';
import { moveStep, ordinalOf, type Step } from '../transaction';
import { callWebhook, webhookId } from '../webhookCall';
import { AttemptFailed, retrying } from './retry';
import type { Run, StepEnd, StepRunner } from './step';

export const runWebhook: StepRunner = async (run, step) => {
	try {
		await retrying(run.definition.attempts, run.settings, run.signal, () => attempt(run, step));
		return undefined;
	} catch (error) {
		if (run.signal?.aborted && !(error instanceof OrderedSendError)) return await end(run, step, 'cancelled', { status: 'cancelled', failure: cancelledFailure });
		return await end(run, step, 'failed', { status: 'failed', failure: await withHintOnSelfWait(run, only(error, AttemptFailed).failure) });
	}
};

const leadsElsewhere: Failure = { code: 'webhook.address', message: 'The webhook was not called: with what an earlier step gave, its address would lead elsewhere', hint: 'A part of its path would be "." or "..". Check what the [[…]] in the URL stands for.' };

/** With what it takes from earlier steps. Throws `AttemptFailed` where its address can't be used with that. */
function plannedWebhook({ definition, transaction }: Run, { index }: Step): { url: string; method: string; body?: string } {
	const planned = definition.plan[index];
	if (planned?.type !== 'webhook') throw new Error(`Step ${index} is no webhook`);
	const { url, method, body, refers } = planned;
	if (!refers) return { url, method, body };
	const resolved = resolvedUrl(url, transaction);
	if (resolved === undefined) throw new AttemptFailed(leadsElsewhere, 'later');
	return { url: resolved, method, body: body === undefined ? undefined : resolvedJson(body, transaction) };
}

async function attempt(run: Run, step: Step): Promise<void> {
	const webhook = plannedWebhook(run, step);
	moveStep(step, 'running');
	step.attempts += 1;
	step.startedAt ??= Date.now();
	delete step.error;
	delete step.statusCode;
	const mightHaveRun = step.mayHaveRun;
	step.mayHaveRun = true;
	await run.saveIntent().catch((error: unknown) => {
		moveStep(step, 'pending'); // what is not on record is not called
		step.attempts -= 1;
		step.mayHaveRun = mightHaveRun;
		throw error;
	});
	const answer = await callWebhook(run.http, {
		...webhook,
		body: webhook.body ?? JSON.stringify(summaryOf(run.transaction, step.index)),
		id: webhookId(run.transaction.id, step.index),
		headers: [...(run.send.webhookHeaders[ordinalOf(run.transaction, step)] ?? []), ...run.send.webhookSecrets.headers],
		signingSecret: run.send.webhookSecrets.signingSecret,
		timeoutMs: run.definition.requestTimeoutMs,
		signal: run.signal,
		egress: run.egress,
	}).catch((error: unknown) => {
		const failed = only(error, AttemptFailed);
		if (failed.delivered === 'no') step.mayHaveRun = mightHaveRun;
		return recordFailedAttempt(run, step, failed);
	});
	step.statusCode = answer.statusCode;
	step.answer = answer.body;
	moveStep(step, 'done');
	step.finishedAt = Date.now();
	await run.save();
}

async function recordFailedAttempt(run: Run, step: Step, failed: AttemptFailed): Promise<never> {
	moveStep(step, 'pending');
	step.error = failed.failure;
	step.statusCode = failed.statusCode;
	await run.save();
	throw failed;
}

async function end(run: Run, step: Step, status: 'failed' | 'cancelled', stepEnd: NonNullable<StepEnd>): Promise<StepEnd> {
	moveStep(step, status);
	step.error = stepEnd.failure;
	step.finishedAt = Date.now();
	await run.save();
	return stepEnd;
}

/** A webhook that does not answer while others wait for the same chat may be waiting for this very transaction. */
async function withHintOnSelfWait(run: Run, failure: Failure): Promise<Failure> {
	if (failure.code !== 'webhook.timeout' || (await run.othersWaiting()) === 0) return failure;
	return { ...failure, hint: 'Other messages wait for this chat meanwhile. If the webhook starts a workflow that sends to the same chat before it answers, it waits for itself: let it answer at once (Respond: Immediately).' };
}
