// All that the checker lets pass, in one place, each with the sentence of docs/guarantees.md or the design that allows it.
import type { Transaction } from '../../ordering/transaction';
import { activeAt, type Facts, type Known, slackMs, stepOf, storeFailures } from './facts';

/** G1: "On Ack Timeout set to Continue calls the webhook after a wait that ended without its acknowledgement." */
export function choseToGoOn({ asked, states }: Known): boolean {
	return asked.onAckTimeout === 'continue' && states.some((state) => stepOf(state, 'wait')?.status === 'unconfirmed');
}

/**
 * G1: where no look was answered in time (EvolutionAPI or the machine was too busy), the wait ends `unconfirmed` though the
 * refusal is there to be seen; Continue then calls the webhook. A wait that saw the refusal is `failed`, and has none.
 */
export function wentOnUnseeing(one: Known): boolean {
	return choseToGoOn(one) && one.states.every((state) => stepOf(state, 'wait')?.status !== 'failed');
}

/** G1: a refusal that arrives within one look of the wait's end can't be known yet; looks are at most so far apart, in ms. */
export const longestLookMs = 2000;

/**
 * G2: what was interrupted (its process died, it was cancelled, it failed or stopped) leaves the chat to others, and its
 * webhook comes when somebody goes on with it ("it goes on at its first open step"). So an effect of
 * another may lie between two of its own where it had ended before that one.
 */
export function hadEnded(one: Known, [from, to]: [number, number], other: number): boolean {
	const within = (at: number | undefined) => at !== undefined && at >= from - slackMs && at <= Math.min(other + slackMs, to);
	return one.states.some(({ endedAt }) => within(endedAt)) || one.calls.some(({ lostAt }) => within(lostAt));
}

/**
 * G2: a run that had ended leaves the chat to others, and "it goes on at its first open step" when somebody repeats it. Where
 * its process died before its caller got the outcome, no record tells of that end: the repeat has written over it. So
 * an effect of another may lie between two of its own where the call of the first one was lost between them, and only
 * calls that began after that loss can have had the later one.
 */
export function wentOnAfterLoss({ calls }: Known, [from, to]: [number, number], { lostRecoveries }: Facts): boolean {
	const wentOn = calls.filter((call) => activeAt(call, to));
	return [...calls, ...lostRecoveries].some(({ begunAt, lostAt }) => {
		const lostBetween = lostAt !== undefined && begunAt <= from && from <= lostAt && lostAt <= to;
		return lostBetween && wentOn.length > 0 && wentOn.every((call) => call.begunAt > lostAt);
	});
}

/**
 * G2: "A request that is under way" when its process dies may still have its effect: the text arrives while the chat is
 * others' already, and whoever goes on with the transaction calls its webhook behind theirs.
 */
export function arrivedAfterDeath({ calls, messages, states }: Known, [from, to]: [number, number]): boolean {
	const isText = messages.some(({ at }) => at === from);
	const wentOn = calls.filter((call) => activeAt(call, to));
	return isText && calls.some(({ lostAt = Infinity }) => lostAt < from && states.some((state) => (stepOf(state, 'send')?.startedAt ?? Infinity) <= lostAt) && wentOn.every((call) => call.begunAt > lostAt));
}

/** G2: where the ledger or Redis failed, the run ends when that is noticed, and no record tells when that was. */
export function endedByItsStore({ calls }: Known): boolean {
	return calls.some(({ outcome }) => storeFailures.has(outcome?.failure?.code ?? ''));
}

/**
 * G2: the order is promised to those that wait at the same time, by their keys. A replay, a recovery and a resumed holder
 * have another key or place, so only transactions with one call are compared.
 */
export function cameOnce({ calls }: Known): boolean {
	return calls.length === 1 && calls[0]?.kind === 'first' && calls[0].outcome?.transaction !== undefined;
}

/** G2: "as far as they arrive within the settling time of each other; one that comes later runs and is marked `late`." */
export function surelyWaited(takenAtLatest: number, grantedAtEarliest: number, { history }: Facts): boolean {
	return takenAtLatest + history.settleMs + 2 * slackMs <= grantedAtEarliest;
}

/** G3: "It is sent again only if you set If in Doubt to Send Again; the result then says `duplicatePossible: true`." */
export function choseToSendAgain({ asked, calls, states }: Known): boolean {
	const chosen = asked.onInDoubt === 'sendAgain' || calls.some(({ onInDoubt }) => onInDoubt === 'sendAgain');
	return chosen && states.some(({ duplicatePossible }) => duplicatePossible);
}

/** G4: a call that did not get as far as the record (a store that is away, its own time in the queue, a cancel). */
export function didNotGetThere(code: string | undefined): boolean {
	return code !== undefined && (storeFailures.has(code) || ['cancelled', 'notStarted', 'queueTimeout', 'chatHeld', 'stillRunning'].includes(code));
}

/** G3, G5: "A text that WhatsApp refused after EvolutionAPI had taken it counts as not sent." */
export function wasRefusedLater(transaction: Transaction): boolean {
	return transaction.steps.some(({ receipt }) => receipt === 'failed');
}
