// Waits until the bubbles that TypeBot sends in the same turn are out: EvolutionAPI records each when it has sent it.
import { HttpFailure } from '../../evolution/http';
import { only } from '../../evolution/only';
import { EvolutionError, type RecordedMessage } from '../../evolution/server';
import { pause } from '../pause';
import type { EarlierMessages } from '../plan';
import type { WaitEnd } from '../receipts/waits';
import { spellings } from './lookUp';
import type { Run } from './step';

type Means = Pick<Run, 'server' | 'ledger' | 'settings' | 'signal' | 'egress' | 'transaction' | 'definition'>;

const mostRequestMs = 5000;

/** Only messages count that no transaction owns: those are TypeBot's, or somebody's by hand. */
export async function earlierMessages(means: Means, { by, since }: EarlierMessages, timeoutMs: number): Promise<WaitEnd> {
	const { signal, settings } = means;
	const until = Date.now() + timeoutMs;
	let seen = 0;
	// from the first look on: with none there, nobody knows whether they are still to come
	let changedAt = Date.now();
	let lastError: string | undefined;
	for (;;) {
		const lookedAt = Date.now();
		try {
			const messages = await look(means, Math.floor(since / 1000) * 1000); // EvolutionAPI knows whole seconds only
			lastError = undefined;
			if (messages.length !== seen) [seen, changedAt] = [messages.length, lookedAt];
			if (isOver(by, messages, lookedAt - changedAt)) return { end: 'reached', receipt: 'sent', toldBy: 'polling' };
		} catch (error) {
			lastError = only<Error>(error, EvolutionError, HttpFailure).message;
		}
		if (signal?.aborted) return { end: 'cancelled' };
		if (Date.now() >= until) return { end: 'timeout', ...(lastError ? { lastError } : {}) };
		await pause(Math.min(settings.earlierEveryMs, Math.max(0, until - Date.now())), signal);
	}
}

function isOver(by: EarlierMessages['by'], messages: RecordedMessage[], quietMs: number): boolean {
	if ('count' in by) return messages.length >= by.count;
	if ('text' in by) return messages.some(({ text }) => text?.trim() === by.text.trim());
	return quietMs >= by.quietMs;
}

async function look({ definition, ledger, server, transaction, signal, egress }: Means, since: number): Promise<RecordedMessage[]> {
	const call = { timeoutMs: Math.min(definition.requestTimeoutMs, mostRequestMs), signal, egress };
	const found = new Map<string, RecordedMessage>();
	for (const jid of await spellings({ ledger, transaction }, definition)) {
		for (const message of await server.ownMessages(transaction.chat.instance, jid, since, call)) found.set(message.messageId, message);
	}
	const owned = await Promise.all([...found.keys()].map((messageId) => ledger.ownsMessage(transaction.chat.server, messageId)));
	return [...found.values()].filter((_, index) => !owned[index]);
}
