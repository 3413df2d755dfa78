// Finds out at EvolutionAPI whether a message that is in doubt went out.
import { HttpFailure } from '../../evolution/http';
import { looksLike } from '../../evolution/messages/record';
import { EvolutionError, type RecordedMessage } from '../../evolution/server';
import { only } from '../../evolution/only';
import { judge } from '../../evolution/receipt';
import { messageFailed } from '../errors';
import { pause } from '../pause';
import type { Settings } from '../settings';
import type { Definition } from '../plan';
import { moveStep, type Step } from '../transaction';
import { messageOf, plannedSend } from './message';
import type { Run } from './step';

export type LookUp =
	| { found: RecordedMessage }
	/** Not there, or more than one that could be it; `why` is a clause that says so. */
	| { found: undefined; why: string };

type Means = Pick<Run, 'server' | 'ledger' | 'settings' | 'signal' | 'egress' | 'transaction'>;

/** No look-up may hold a chat longer than its own time. */
const mostRequestMs = 5000;

/**
 * Looks from the first attempt's start on, again and again until `until` (ms since 1970), at least once. Takes exactly
 * one match that no other step owns. Ends early when the run is cancelled.
 */
export async function lookUp(means: Means, step: Step, definition: Definition, until: number): Promise<LookUp> {
	let why = 'it is not on record at EvolutionAPI';
	for (;;) {
		try {
			const { sure, possible } = await look(means, step, definition);
			if (sure.length === 1) return { found: sure[0] as RecordedMessage };
			if (sure.length > 1) return { found: undefined, why: `${sure.length} messages on record could be it` };
			why = possible === 0 ? 'it is not on record at EvolutionAPI' : `on record at EvolutionAPI ${possible === 1 ? 'is a message' : `are ${possible} messages`} of its kind, but nothing tells whether it is this one`;
		} catch (error) {
			why = `the look-up failed (${only<Error>(error, EvolutionError, HttpFailure).message})`;
		}
		if (Date.now() >= until || means.signal?.aborted) return { found: undefined, why };
		await pause(Math.min(means.settings.lookUpEveryMs, Math.max(0, until - Date.now())), means.signal);
	}
}

/** Whether WhatsApp refused a message that EvolutionAPI has on record: it did not reach anybody then. */
export function wasRefused({ receipts }: RecordedMessage): boolean {
	return judge(receipts, 'sent').end === 'failed';
}

/** Settles a send in doubt by the message that a look-up found for it. */
export function takeFound(step: Step, found: RecordedMessage): void {
	const refused = wasRefused(found);
	moveStep(step, refused ? 'failed' : 'done');
	step.messageId = found.messageId;
	step.finishedAt = Date.now();
	delete step.doubtSince;
	delete step.doubtUntil;
	delete step.error;
	if (refused) Object.assign(step, { receipt: 'failed', error: messageFailed });
}

/** When a message whose sender died or gave up can't go out any more, in ms since 1970. */
export function mayGoOutUntil(step: Step, definition: Definition, settings: Settings): number {
	const { message } = plannedSend(definition, step);
	const typingMs = 'typingMilliseconds' in message ? (message.typingMilliseconds ?? 0) : 0;
	return (step.startedAt ?? 0) + definition.requestTimeoutMs + typingMs + settings.lookUpMs;
}

/** The messages on record that are it and that no step owns; `possible`: how many are of its kind, and tell no more. */
async function look(means: Means, step: Step, definition: Definition): Promise<{ sure: RecordedMessage[]; possible: number }> {
	const { ledger, server, transaction } = means;
	const message = messageOf({ definition, transaction }, step);
	const since = (step.doubtSince ?? step.startedAt ?? transaction.createdAt) - means.settings.lookBackMs;
	const call = { timeoutMs: Math.min(definition.requestTimeoutMs, mostRequestMs), signal: means.signal, egress: means.egress };
	const found = new Map<string, RecordedMessage>();
	for (const jid of await spellings(means, definition)) {
		for (const recorded of await server.ownMessages(transaction.chat.instance, jid, since, call)) {
			if (looksLike(recorded, message) !== 'no') found.set(recorded.messageId, recorded);
		}
	}
	const free: RecordedMessage[] = [];
	for (const recorded of found.values()) {
		if (!(await ledger.ownsMessage(transaction.chat.server, recorded.messageId))) free.push(recorded);
	}
	const sure = free.filter((recorded) => looksLike(recorded, message) === 'yes');
	return { sure, possible: free.length - sure.length };
}

/** All JIDs under which EvolutionAPI may have recorded the message; the EVOLUTION channel uses the bare number. */
export async function spellings({ ledger, transaction }: Pick<Means, 'ledger' | 'transaction'>, definition: Definition): Promise<Set<string>> {
	return new Set([transaction.chat.recipient, definition.number, ...(await ledger.linkedJids(transaction.chat))]);
}
