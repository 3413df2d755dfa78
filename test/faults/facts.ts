// A history, sorted by transaction and chat for the checker, with the few facts that several guarantees ask for.
import { type Receipt, toReceipt } from '../../evolution/receipt';
import type { Step, StepType, Transaction } from '../../ordering/transaction';
import type { Asked, CallRecord, History, SeenAck, SeenCall, SeenMessage } from './history';

/** Processes read their clocks a little differently, and records hold whole milliseconds. */
export const slackMs = 25;

/** All that is known of one transaction. */
export interface Known {
	asked: Asked;
	/** In the order of their begin; recoveries that died before they told what they worked on are not among them. */
	calls: CallRecord[];
	messages: SeenMessage[];
	webhooks: SeenCall[];
	errors: SeenCall[];
	ledger?: Transaction;
	/** Every state that was told to somebody and is on record, and the last one in the ledger. */
	states: Transaction[];
}

export interface Facts {
	history: History;
	known: Map<string, Known>;
	byChat: Map<number, Known[]>;
	acks: Map<string, SeenAck[]>;
	/** Those that died before they told what they worked on. */
	lostRecoveries: CallRecord[];
}

/** What a caller gets where a store failed: its states are the truth of one process's memory, and not on record. */
export const storeFailures = new Set(['ledgerUnavailable', 'lanesUnavailable', 'laneLost', 'staleFence', 'unexpected']);

export function factsOf(history: History): Facts {
	const known = new Map(history.asked.map((asked) => [asked.name, { asked, calls: [], messages: [], webhooks: [], errors: [], ledger: history.ledger[asked.name], states: [] } as Known]));
	for (const call of history.calls) known.get(call.name)?.calls.push(call);
	for (const message of history.messages) known.get(message.name)?.messages.push(message);
	for (const call of history.received) known.get(call.name)?.[call.kind === 'webhook' ? 'webhooks' : 'errors'].push(call);
	for (const one of known.values()) {
		one.calls.sort((a, b) => a.begunAt - b.begunAt);
		one.states = [...one.calls.flatMap((call) => stateTold(call) ?? []), ...(one.ledger ? [one.ledger] : [])];
	}
	return { history, known, byChat: Map.groupBy(known.values(), ({ asked }) => asked.chat), acks: Map.groupBy(history.acks, ({ messageId }) => messageId), lostRecoveries: history.calls.filter(({ name }) => name === '*') };
}

function stateTold({ outcome }: CallRecord): Transaction | undefined {
	return outcome && !storeFailures.has(outcome.failure?.code ?? '') ? outcome.transaction : undefined;
}

export function stepOf(transaction: Transaction | undefined, type: StepType): Step | undefined {
	return transaction?.steps.find((step) => step.type === type);
}

/** The acknowledgements that EvolutionAPI took for any message of this transaction. */
export function acksOf({ messages }: Known, { acks }: Facts): Array<{ receipt: Receipt; at: number }> {
	return messages.flatMap(({ messageId }) => acks.get(messageId) ?? []).filter(({ kept }) => kept).map(({ status, at }) => ({ receipt: toReceipt(status) as Receipt, at }));
}

const rising: Receipt[] = ['pending', 'sent', 'delivered', 'read', 'played'];

export function reaches(receipt: Receipt, wanted: Receipt): boolean {
	return rising.indexOf(receipt) >= rising.indexOf(wanted);
}

/** The acknowledgement that its wait is for; undefined where it waits for none. */
export function wantedAck({ waitFor }: Asked): Receipt | undefined {
	return waitFor === 'accepted' || waitFor === 'delay' ? undefined : waitFor;
}

export function activeAt(call: CallRecord, at: number): boolean {
	return call.begunAt <= at && at <= (call.endedAt ?? call.lostAt ?? Infinity);
}
