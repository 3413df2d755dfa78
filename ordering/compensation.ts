// Takes back what a transaction has sent: deletes it for everyone, newest first, where the channel can. What is to be
// done is on record before the first deletion; a deletion that is tried twice does no harm.
import { cannotDelete } from '../evolution/messages/channels';
import { only } from '../evolution/only';
import { channelOf } from './channels';
import { cancelledFailure, type Failure, OrderedSendError } from './errors';
import { AttemptFailed, retrying } from './steps/retry';
import type { Run, StepEnd } from './steps/step';
import { type Compensation, sendsInDoubt, sentSteps, type Transaction } from './transaction';

type Deletion = Compensation['deletions'][number];

const mayBeOut: Failure = { code: 'inDoubt', message: 'It is not known whether this message went out, so it could not be taken back', hint: 'Look into the chat, and delete it by hand if it is there.' };

/** Plans what is to be taken back; nothing is done by this. The caller records it. */
export function planCompensation(transaction: Transaction, cause: Failure | undefined, webhookUrl: string | undefined): Compensation {
	const deletions = sentSteps(transaction).map(({ index, messageId }): Deletion => ({ index, messageId, status: 'pending' }));
	for (const { index } of sendsInDoubt(transaction)) deletions.push({ index, status: 'failed', error: mayBeOut });
	transaction.compensation = {
		status: 'pending',
		deletions: deletions.sort((a, b) => b.index - a.index),
		...(cause ? { cause } : {}),
		...(webhookUrl ? { webhook: { url: webhookUrl, status: 'pending' as const, attempts: 0 } } : {}),
	};
	return transaction.compensation;
}

export async function beginCompensation(run: Run, cause: Failure): Promise<void> {
	planCompensation(run.transaction, cause, run.definition.compensationWebhookUrl);
	await run.save();
}

/** Means of a compensation; `attempts` and the time of each request come from the definition, where there is one. */
type Means = Pick<Run, 'server' | 'settings' | 'signal' | 'egress' | 'transaction' | 'save'> & { definition: Pick<Run['definition'], 'attempts' | 'requestTimeoutMs'> };

/** Does what is still to be done; a transaction that a failure of its own has brought here has ended for good then. */
export async function compensate(means: Means, compensation: Compensation): Promise<StepEnd> {
	const impossible = await whyNot(means);
	for (const deletion of compensation.deletions) {
		if (deletion.status !== 'pending') continue;
		if (means.signal?.aborted) return { status: 'cancelled', failure: cancelledFailure };
		if (!(await takeBack(means, deletion, impossible))) return { status: 'cancelled', failure: cancelledFailure };
		await means.save();
	}
	compensation.status = compensation.deletions.every(({ status }) => status === 'done') ? 'done' : 'failed';
	return { status: 'failed', failure: compensation.cause ?? compensated, forGood: true };
}

export const compensated: Failure = { code: 'compensated', message: 'The transaction was taken back', hint: 'To send it again, use a new transaction ID.' };

async function whyNot(means: Means): Promise<Failure | undefined> {
	const channel = await channelOf(means, means.transaction.chat.instance, means.definition.requestTimeoutMs);
	const problem = cannotDelete(channel);
	return problem && { code: 'cannotDelete', message: problem.why, hint: problem.remedy };
}

/** False where the execution was cancelled meanwhile. */
async function takeBack(means: Means, deletion: Deletion, impossible: Failure | undefined): Promise<boolean> {
	try {
		if (impossible) throw new AttemptFailed(impossible, 'never');
		await retrying(means.definition.attempts, means.settings, means.signal, () => attempt(means, deletion));
		deletion.status = 'done';
		delete deletion.error;
		return true;
	} catch (error) {
		if (means.signal?.aborted && !(error instanceof OrderedSendError)) return false;
		deletion.status = 'failed';
		deletion.error = only(error, AttemptFailed).failure;
		return true;
	}
}

async function attempt({ server, transaction, definition, signal, egress }: Means, { index, messageId }: Deletion): Promise<void> {
	const remoteJid = transaction.steps[index]?.remoteJid ?? transaction.chat.recipient;
	const call = { timeoutMs: definition.requestTimeoutMs, signal, egress };
	const outcome = await server.deleteForEveryone(transaction.chat.instance, { id: messageId as string, remoteJid }, call);
	if (outcome.kind === 'deleted') return;
	if (outcome.kind === 'unknown') throw new AttemptFailed({ code: 'deletionUnknown', message: `It is not known whether the message was deleted: ${outcome.message}`, hint: 'Look into the chat.' }, 'now');
	const { code, message, hint } = outcome;
	throw new AttemptFailed({ code, message, hint }, outcome.tryAgain, outcome.retryAfterMs);
}
