// The send: at most once on our own account; what may have happened is looked up before anything else.
import type { NotSent, Sent } from '../../evolution/answers';
import { HttpFailure } from '../../evolution/http';
import { only } from '../../evolution/only';
import { isMark, mediaOf, withMedia } from '../../evolution/messages/file';
import type { Message } from '../../evolution/messages/message';
import { isAddress } from '../../evolution/messages/request';
import { toRecipient } from '../../evolution/recipient';
import type { RecordedMessage } from '../../evolution/server';
import { cancelledFailure, OrderedSendError } from '../errors';
import { pause } from '../pause';
import { messageOf, plannedSend } from './message';
import { moveStep, ordinalOf, type Step } from '../transaction';
import { lookUp, mayGoOutUntil, takeFound } from './lookUp';
import { AttemptFailed, retrying } from './retry';
import type { Run, StepEnd, StepRunner } from './step';

export const runSend: StepRunner = async (run, step) => {
	if (step.status === 'running' || step.status === 'inDoubt') {
		const end = await settleEarlierAttempt(run, step);
		if (step.status !== 'inDoubt' || end) return end;
	}
	try {
		await retrying(run.definition.attempts, run.settings, run.signal, () => attempt(run, step));
		return endOf(step);
	} catch (error) {
		if (run.signal?.aborted && !(error instanceof OrderedSendError)) return await endCancelled(run, step);
		return await endFailed(run, step, only(error, AttemptFailed));
	}
};

/** A process died in the middle of the send, or its look-up could not tell before. */
async function settleEarlierAttempt(run: Run, step: Step): Promise<StepEnd> {
	const until = Math.min(Date.now() + run.settings.lookUpMs, mayGoOutUntil(step, run.definition, run.settings));
	if (step.status === 'running') moveStep(step, 'inDoubt');
	const result = await lookUp(run, step, run.definition, until);
	if (result.found) return await endFound(run, step, result.found);
	if (run.signal?.aborted) return await endCancelled(run, step);
	return run.send.onInDoubt === 'sendAgain' ? undefined : await endInDoubt(run, step, result.why);
}

async function attempt(run: Run, step: Step): Promise<void> {
	const { definition, transaction } = run;
	const message = messageOf(run, step);
	const problem = emptyBy(message);
	if (problem) throw new AttemptFailed({ code: 'nothingToRefer', message: `Not sent, since ${problem}`, hint: 'Look at what the earlier step gave that stands in [[…]].' }, 'later');
	await keepGaps(run);
	if (step.status === 'inDoubt') transaction.duplicatePossible = true;
	const earlierDoubt = step.doubtSince;
	moveStep(step, 'running');
	step.attempts += 1;
	step.startedAt = Date.now();
	step.doubtSince ??= step.startedAt;
	delete step.error;
	delete step.statusCode;
	await run.saveIntent().catch((error: unknown) => {
		undoIntent(step, earlierDoubt); // what is not on record is not sent
		throw error;
	});

	const call = { timeoutMs: definition.requestTimeoutMs, signal: run.signal, egress: run.egress };
	const outcome = await run.server.send(transaction.chat.instance, definition.number, withFile(run, step, message), call).catch((error: unknown) => {
		if (error instanceof HttpFailure && error.delivered === 'no') undoIntent(step, earlierDoubt);
		throw error;
	});
	step.statusCode = outcome.statusCode;
	if (outcome.kind === 'sent') return await endSent(run, step, outcome);
	if (outcome.kind === 'notSent') return await failAttempt(run, step, outcome, earlierDoubt);
	const result = await lookUp(run, step, definition, Date.now() + run.settings.lookUpMs);
	if (result.found) return void (await endFound(run, step, result.found));
	moveStep(step, 'inDoubt');
	step.error = { code: 'inDoubt', message: `${outcome.message}, and ${result.why}` };
	await run.save();
	throw new AttemptFailed(step.error, run.send.onInDoubt === 'sendAgain' ? 'now' : 'never');
}

/** The least times between two messages, as the caller wants them: of this chat, and of the instance. */
async function keepGaps({ definition, transaction: { chat }, pace, signal }: Run): Promise<void> {
	const { minimumGapMs, instanceGapMs } = definition;
	const key = [chat.server, chat.instance];
	if (minimumGapMs) await pause(await pace(JSON.stringify([...key, chat.recipient]), minimumGapMs), signal);
	if (instanceGapMs && !signal?.aborted) await pause(await pace(JSON.stringify(key), instanceGapMs), signal);
	signal?.throwIfAborted();
}

/** What references may have left of a message. */
function emptyBy(message: Message): string | undefined {
	if ('messageId' in message && !message.messageId.trim()) return 'it reacts to the message of a step that was not sent';
	if (message.kind === 'text' && !message.text.trim()) return 'its text is empty';
	const media = mediaOf(message);
	return media === undefined || isAddress(media) || isMark(media) ? undefined : 'its file is no address that begins with https:// or http://';
}

/** Files are not on record: the call brings them. What references give is never taken for one. */
function withFile(run: Run, step: Step, message: Message): Message {
	if (!isMark(mediaOf(plannedSend(run.definition, step).message) ?? '')) return message;
	return withMedia(message, run.send.files[ordinalOf(run.transaction, step)] as string);
}

async function failAttempt(run: Run, step: Step, outcome: NotSent, earlierDoubt: number | undefined): Promise<never> {
	const { code, message, hint } = outcome;
	step.error = { code, message, hint };
	undoIntent(step, earlierDoubt);
	await run.save();
	throw new AttemptFailed(step.error, outcome.tryAgain, outcome.retryAfterMs);
}

/** This attempt surely did not happen; an earlier one may still be unaccounted for. */
function undoIntent(step: Step, earlierDoubt: number | undefined): void {
	if (earlierDoubt !== undefined) return moveStep(step, 'inDoubt');
	delete step.doubtSince;
	moveStep(step, 'pending');
}

async function endSent(run: Run, step: Step, outcome: Sent): Promise<void> {
	moveStep(step, 'done');
	step.messageId = outcome.messageId;
	step.finishedAt = Date.now();
	delete step.doubtSince;
	delete step.doubtUntil;
	await recordMessage(run, step, outcome.remoteJid);
}

async function endFound(run: Run, step: Step, found: RecordedMessage): Promise<StepEnd> {
	takeFound(step, found);
	await recordMessage(run, step, found.remoteJid);
	return endOf(step);
}

function endOf(step: Step): StepEnd {
	return step.status === 'failed' && step.error ? { status: 'failed', failure: step.error, forGood: true } : undefined;
}

async function recordMessage(run: Run, step: Step, remoteJid?: string): Promise<void> {
	if (remoteJid && remoteJid !== run.transaction.chat.recipient) step.remoteJid = remoteJid;
	await run.save();
	if (remoteJid) await linkOtherName(run, remoteJid);
}

/** WhatsApp may call the chat by another JID (`…@lid`): from now on both are one chat. */
async function linkOtherName(run: Run, remoteJid: string): Promise<void> {
	const { chat } = run.transaction;
	const jid = jidOf(remoteJid);
	if (!jid || jid === chat.recipient) return;
	const named = await run.ledger.linkedChat({ ...chat, recipient: jid });
	if (named.recipient === jid) await run.ledger.linkChat(chat, jid);
	else if (named.recipient !== chat.recipient) await run.ledger.linkChat(named, chat.recipient); // two numbers of one person
}

function jidOf(remoteJid: string): string | undefined {
	try {
		return toRecipient(remoteJid).jid;
	} catch {
		return undefined; // no address that anybody could send to
	}
}

async function endFailed(run: Run, step: Step, { failure, tryAgain }: AttemptFailed): Promise<StepEnd> {
	if (step.status === 'inDoubt') return await endInDoubt(run, step, failure.message);
	moveStep(step, 'failed');
	step.error ??= failure;
	step.finishedAt = Date.now();
	await run.save();
	return { status: 'failed', failure, forGood: tryAgain === 'never' };
}

async function endInDoubt(run: Run, step: Step, why: string): Promise<StepEnd> {
	const failure = {
		code: 'inDoubt',
		message: `It is not known whether the message went out: ${why}`,
		hint: 'Look into the chat. Run it again with the same transaction ID: it is looked up once more, and with If in Doubt set to Send Again it is sent again where it is not found, at the risk of a duplicate.',
	};
	step.error ??= failure;
	step.finishedAt = Date.now();
	delete step.doubtUntil;
	await run.save();
	return { status: 'inDoubt', failure };
}

/** n8n stopped the execution. A request under way may still have its effect, which the chat's next transaction looks up. */
async function endCancelled(run: Run, step: Step): Promise<StepEnd> {
	step.finishedAt = Date.now();
	if (step.status === 'pending') {
		moveStep(step, 'cancelled');
		delete step.doubtSince;
		await run.save();
		return { status: 'cancelled', failure: cancelledFailure };
	}
	if (step.status === 'running') moveStep(step, 'inDoubt');
	step.doubtUntil = mayGoOutUntil(step, run.definition, run.settings);
	const failure = { ...cancelledFailure, code: 'cancelledInDoubt', message: 'The execution was cancelled while the message was being sent: it may still go out' };
	step.error = failure;
	await run.save();
	return { status: 'inDoubt', failure };
}
