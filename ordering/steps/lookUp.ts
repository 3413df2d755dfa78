// Finds out at EvolutionAPI whether a message that is in doubt went out.
import { EvolutionError, type RecordedMessage } from '../../evolution/server';
import { HttpFailure } from '../../evolution/http';
import { only } from '../../evolution/only';
import { judge } from '../../evolution/receipt';
import { messageFailed } from '../errors';
import { pause } from '../pause';
import type { Settings } from '../settings';
import { type Definition, moveStep, type Step } from '../transaction';
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
			const matches = await look(means, step, definition);
			if (matches.length === 1) return { found: matches[0] as RecordedMessage };
			if (matches.length > 1) return { found: undefined, why: `${matches.length} messages on record could be it` };
			why = 'it is not on record at EvolutionAPI';
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
	return (step.startedAt ?? 0) + definition.requestTimeoutMs + (definition.typingMilliseconds ?? 0) + settings.lookUpMs;
}

async function look(means: Means, step: Step, definition: Definition): Promise<RecordedMessage[]> {
	const { ledger, server, transaction } = means;
	const since = (step.doubtSince ?? step.startedAt ?? transaction.createdAt) - means.settings.lookBackMs;
	const call = { timeoutMs: Math.min(definition.requestTimeoutMs, mostRequestMs), signal: means.signal, egress: means.egress };
	const found = new Map<string, RecordedMessage>();
	for (const jid of await spellings(means, definition)) {
		for (const message of await server.ownMessages(transaction.chat.instance, jid, since, call)) {
			if (message.text?.trim() === definition.text.trim()) found.set(message.messageId, message);
		}
	}
	const free: RecordedMessage[] = [];
	for (const message of found.values()) {
		if (!(await ledger.ownsMessage(transaction.chat.server, message.messageId))) free.push(message);
	}
	return free;
}

/** All JIDs under which EvolutionAPI may have recorded the message; the EVOLUTION channel uses the bare number. */
async function spellings({ ledger, transaction }: Means, definition: Definition): Promise<Set<string>> {
	return new Set([transaction.chat.recipient, definition.number, ...(await ledger.linkedJids(transaction.chat))]);
}
