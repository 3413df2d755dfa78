// Judges a history by the guarantees G1 to G6: each violation names the guarantee, its kind and the transaction.
import type { Transaction } from '../../ordering/transaction';
import { arrivedAfterDeath, cameOnce, choseToGoOn, choseToSendAgain, didNotGetThere, endedByItsStore, hadEnded, longestLookMs, surelyWaited, wasRefusedLater, wentOnAfterLoss, wentOnUnseeing } from './exemptions';
import { activeAt, acksOf, type Facts, factsOf, type Known, reaches, slackMs, stepOf, storeFailures, wantedAck } from './facts';
import type { CallRecord, History } from './history';

export const guarantees = ['G1', 'G2', 'G3', 'G4', 'G5', 'G6'] as const;
export type Guarantee = (typeof guarantees)[number];

const kinds = {
	webhookWithoutMessage: 'G1',
	webhookBeforeMessage: 'G1',
	webhookBeforeWaitEnded: 'G1',
	webhookAfterRefusal: 'G1',
	interleaved: 'G2',
	outOfOrder: 'G2',
	lateNotMarked: 'G2',
	numberSlippedIn: 'G2',
	sentTwice: 'G3',
	sentUnrecorded: 'G3',
	otherWebhookId: 'G3',
	calledAfterDone: 'G3',
	replayHasEffect: 'G4',
	replayTellsOther: 'G4',
	replayDoesNotGoOn: 'G4',
	otherContentTaken: 'G4',
	doneWithoutMessage: 'G5',
	doneWithoutAck: 'G5',
	doneWithoutWebhook: 'G5',
	leftOpen: 'G6',
	stillHeld: 'G6',
	stepLost: 'G6',
	behindLater: 'G6',
	chatNotFree: 'G6',
	nobodyAsked: 'G6',
} as const satisfies Record<string, Guarantee>;

export type Kind = keyof typeof kinds;

export interface Violation {
	guarantee: Guarantee;
	kind: Kind;
	/** The transaction, or the chat. */
	name: string;
	/** What happened, with times in ms since the history's begin. */
	what: string;
}

/** All violations; none for a run that kept every guarantee. */
export function check(history: History): Violation[] {
	const facts = factsOf(history);
	const begin = Math.min(...history.calls.map(({ begunAt }) => begunAt), ...history.messages.map(({ at }) => at));
	const found: Violation[] = [];
	const tell = (kind: Kind, name: string, what: string) => found.push({ guarantee: kinds[kind], kind, name, what });
	const on: Judge = { facts, tell, shown: (at) => `${Math.round(at - begin)} ms` };
	for (const one of facts.known.values()) {
		judgeOrderWithin(on, one);
		judgeRepetition(on, one);
		judgeReplays(on, one);
		judgeSuccess(on, one);
		judgeRecord(on, one);
	}
	for (const chat of facts.byChat.values()) {
		judgeInterleaving(on, chat);
		judgeTurns(on, chat);
		judgeNumbers(on, chat);
		judgeRecovery(on, chat);
	}
	judgeRest(on, history);
	return found;
}

interface Judge {
	facts: Facts;
	tell(kind: Kind, name: string, what: string): void;
	shown(at: number): string;
}

/** G1. */
function judgeOrderWithin({ facts, tell, shown }: Judge, one: Known): void {
	const { asked, messages, webhooks } = one;
	const [message] = messages;
	for (const { at } of webhooks) {
		if (!message) tell('webhookWithoutMessage', asked.name, `its webhook was called at ${shown(at)}, and its text never came`);
		else if (at < message.at) tell('webhookBeforeMessage', asked.name, `its webhook was called at ${shown(at)}, its text came at ${shown(message.at)}`);
		else judgeWait({ facts, tell, shown }, one, message.at, at);
	}
}

function judgeWait({ facts, tell, shown }: Judge, one: Known, sentAt: number, calledAt: number): void {
	const { asked } = one;
	const wanted = wantedAck(asked);
	// timers may fire a millisecond early
	if (asked.waitFor === 'delay' && calledAt - sentAt < asked.delayMs - 2) tell('webhookBeforeWaitEnded', asked.name, `its webhook was called ${Math.round(calledAt - sentAt)} ms after its text, and its delay is ${asked.delayMs} ms`);
	if (!wanted) return;
	const told = acksOf(one, facts).filter(({ at }) => at <= calledAt);
	if (told.some(({ receipt }) => reaches(receipt, wanted))) return;
	const sent = told.some(({ receipt }) => reaches(receipt, 'sent'));
	const refused = told.find(({ receipt }) => receipt === 'failed');
	if (refused && !sent && refused.at < calledAt - longestLookMs && !wentOnUnseeing(one)) tell('webhookAfterRefusal', asked.name, `its text was refused at ${shown(refused.at)}, and its webhook was called at ${shown(calledAt)}`);
	else if (!choseToGoOn(one)) tell('webhookBeforeWaitEnded', asked.name, `its webhook was called at ${shown(calledAt)} without the acknowledgement ${wanted}`);
}

/** What a transaction does to its chat, in the order of time: its texts, its webhook's calls and their answers. */
function effectsOf({ messages, webhooks }: Known): number[] {
	return [...messages.map(({ at }) => at), ...webhooks.flatMap(({ at, answeredAt }) => (answeredAt === undefined ? [at] : [at, answeredAt]))].sort((a, b) => a - b);
}

/** G2: between two effects of one transaction there is none of another, unless it had ended in between. */
function judgeInterleaving({ facts, tell, shown }: Judge, chat: Known[]): void {
	for (const one of chat) {
		if (endedByItsStore(one)) continue;
		const own = effectsOf(one);
		for (const other of chat) {
			if (other === one) continue;
			const between = [...other.messages, ...other.webhooks].map(({ at }) => at);
			for (const [index, from] of own.slice(0, -1).entries()) {
				const to = own[index + 1] as number;
				if (wentOnAfterLoss(one, [from, to], facts) || arrivedAfterDeath(one, [from, to])) continue;
				const wrong = between.find((at) => at > from && at < to && !hadEnded(one, [from, to], at));
				if (wrong !== undefined) tell('interleaved', one.asked.name, `an effect of ${other.asked.name} at ${shown(wrong)} lies between its own at ${shown(from)} and ${shown(to)}`);
			}
		}
	}
}

/** G2: who surely waited when another of the chat was let go went before it, if its key says so. */
function judgeTurns({ facts, tell, shown }: Judge, chat: Known[]): void {
	const compared = chat.filter((one) => one.messages.length > 0 && cameOnce(one));
	const begins = new Map(compared.map((one) => [one, grantedAtEarliest(one, chat)]));
	for (const one of compared) {
		for (const other of compared) {
			const behind = at(one) > at(other) && goesBefore(one, other);
			if (!behind) continue;
			const { send, queue } = turnOf(one);
			const takenAtLatest = (send?.startedAt ?? Infinity) - queue.waitedMs;
			const granted = begins.get(other) as number;
			const shownKeys = `${keyOf(one)} came behind ${keyOf(other)}`;
			if (surelyWaited(takenAtLatest, granted, facts)) tell('outOfOrder', one.asked.name, `${shownKeys} of ${other.asked.name}, though it waited since ${shown(takenAtLatest)}, and that one began after ${shown(granted)}`);
			else if (isByExecutionOnly(one, other) && !queue.late) tell('lateNotMarked', one.asked.name, `${shownKeys} of ${other.asked.name}, and is not marked late`);
		}
	}
}

function at({ messages }: Known): number {
	return messages[0]?.at ?? NaN;
}

function turnOf({ calls }: Known): { send: ReturnType<typeof stepOf>; queue: Transaction['queue'] } {
	const transaction = calls[0]?.outcome?.transaction as Transaction;
	return { send: stepOf(transaction, 'send'), queue: transaction.queue };
}

/** Its turn can't have begun before it was asked for, nor before the last effect of whoever was before it. */
function grantedAtEarliest(one: Known, chat: Known[]): number {
	const before = chat.filter((other) => other !== one).flatMap(effectsOf).filter((effect) => effect < at(one));
	return Math.max(one.calls[0]?.begunAt ?? 0, ...before);
}

const ranks = { high: 0, normal: 1, low: 2 } as const;

function goesBefore({ asked: a }: Known, { asked: b }: Known): boolean {
	const noNumber = Number.MAX_SAFE_INTEGER;
	const compared = [ranks[a.priority] - ranks[b.priority], (a.sequence?.number ?? noNumber) - (b.sequence?.number ?? noNumber), a.execution - b.execution, a.item - b.item];
	return (compared.find((difference) => difference !== 0) ?? 0) < 0;
}

function isByExecutionOnly({ asked: a }: Known, { asked: b }: Known): boolean {
	return a.priority === b.priority && !a.sequence && !b.sequence && a.execution !== b.execution;
}

function keyOf({ asked: { priority, sequence, execution } }: Known): string {
	return `${priority}${sequence ? ` number ${sequence.number}` : ''} execution ${execution}`;
}

/** G2: the caller's numbers only ever rise. */
function judgeNumbers({ tell }: Judge, chat: Known[]): void {
	const counted = chat.filter(({ asked, messages }) => asked.sequence && messages.length > 0).sort((a, b) => at(a) - at(b));
	for (const ofPriority of Map.groupBy(counted, ({ asked }) => asked.priority).values()) {
		let last = 0;
		for (const { asked } of ofPriority) {
			const number = asked.sequence?.number ?? 0;
			if (number <= last) tell('numberSlippedIn', asked.name, `number ${number} came after number ${last}`);
			last = Math.max(last, number);
		}
	}
}

/** G3. */
function judgeRepetition({ tell, shown }: Judge, one: Known): void {
	const { asked, messages, webhooks, errors, ledger, states } = one;
	if (messages.length > 1 && !choseToSendAgain(one)) tell('sentTwice', asked.name, `its text came ${messages.length} times, at ${messages.map((message) => shown(message.at)).join(' and ')}`);
	const send = stepOf(ledger, 'send');
	if (ledger && send && messages.length > 0 && ['pending', 'failed', 'cancelled', 'skipped'].includes(send.status) && !wasRefusedLater(ledger)) tell('sentUnrecorded', asked.name, `its text came, and its send is on record as ${send.status}`);
	for (const calls of [webhooks, errors]) {
		const ids = new Set(calls.flatMap(({ webhookId, idempotencyKey }) => [webhookId, idempotencyKey]));
		if (ids.size > 1 || ids.has(undefined)) tell('otherWebhookId', asked.name, `its ${calls[0]?.kind} was called as ${[...ids].join(' and ')}`);
	}
	const done = Math.min(...states.map((state) => stepOf(state, 'webhook')).flatMap((step) => (step?.status === 'done' ? (step.finishedAt ?? []) : [])));
	const again = webhooks.find((call) => call.at > done + slackMs);
	if (again) tell('calledAfterDone', asked.name, `its webhook was done at ${shown(done)}, and was called again at ${shown(again.at)}`);
}

/** Codes of failures after which the same call only ever gets the recorded error: the table of docs/guarantees.md. */
const finalCodes = /^(noSuchNumber|messageFailed|invalidRequest|emptyText|notOnThisChannel|tooLarge|sequenceTooLate|givenUp|meta1310(26|47|09))$/;

function hasEndedForGood({ status, failure }: Transaction): boolean {
	if (status === 'completed' || (status === 'unconfirmed' && !failure)) return true;
	return status === 'failed' && failure !== undefined && finalCodes.test(failure.code);
}

/** G4. */
function judgeReplays(on: Judge, one: Known): void {
	const told = one.calls.filter((call) => call.outcome?.transaction && call.endedAt !== undefined);
	for (const call of one.calls) {
		if (!call.outcome || didNotGetThere(call.outcome.failure?.code)) continue;
		const before = told.filter(({ endedAt }) => (endedAt as number) <= call.begunAt);
		if (call.kind === 'otherContent') judgeOtherContent(on, one, call, before);
		if (call.kind !== 'sameCall' && call.kind !== 'newExecution') continue;
		const ended = before.find(({ outcome }) => hasEndedForGood(outcome?.transaction as Transaction));
		if (ended) judgeRecorded(on, one, call, ended);
		else if (before.length > 0) judgeGoingOn(on, one, call, before.at(-1) as CallRecord);
	}
	const end = Math.min(...told.filter(({ outcome }) => hasEndedForGood(outcome?.transaction as Transaction)).map(({ endedAt }) => endedAt as number));
	const effect = [...one.messages, ...one.webhooks].find((seen) => seen.at > end + slackMs);
	if (effect) on.tell('replayHasEffect', one.asked.name, `it had ended for good by ${on.shown(end)}, and had an effect at ${on.shown(effect.at)}`);
}

function judgeOtherContent({ tell }: Judge, { asked }: Known, call: CallRecord, before: CallRecord[]): void {
	if (before.length > 0 && call.outcome?.failure?.code !== 'transactionConflict') tell('otherContentTaken', asked.name, `a call of other content under its ID ended as ${shownOutcome(call)}`);
}

function judgeRecorded({ tell }: Judge, { asked }: Known, call: CallRecord, ended: CallRecord): void {
	const same = call.outcome?.replayed && shownOutcome(call) === shownOutcome(ended);
	if (!same) tell('replayTellsOther', asked.name, `it had ended as ${shownOutcome(ended)}, and the same call again got ${shownOutcome(call)}${call.outcome?.replayed ? '' : ', not replayed'}`);
}

function shownOutcome({ outcome }: CallRecord): string {
	const { status, steps = [] } = outcome?.transaction ?? {};
	return [status, outcome?.failure?.code, steps.find(({ messageId }) => messageId)?.messageId].filter((part) => part !== undefined).join(' ');
}

/** Where nobody else worked on it meanwhile, what stopped goes on, and is no replay. */
function judgeGoingOn({ tell }: Judge, { asked, calls }: Known, call: CallRecord, before: CallRecord): void {
	const { outcome } = before;
	const stopped = outcome?.transaction?.status !== 'inDoubt' && outcome?.transaction?.status !== 'open' && outcome?.failure?.code === outcome?.transaction?.failure?.code;
	const alone = calls.every((other) => other === call || (other.endedAt ?? other.lostAt ?? Infinity) <= (before.endedAt ?? 0) || other.begunAt > (call.endedAt ?? 0));
	if (stopped && alone && call.outcome?.replayed) tell('replayDoesNotGoOn', asked.name, `it had stopped as ${shownOutcome(before)}, and the same call again got ${shownOutcome(call)}, replayed`);
}

/** G5: what is called done was done. */
function judgeSuccess({ facts, tell, shown }: Judge, one: Known): void {
	const { asked, messages, webhooks, states } = one;
	for (const state of uniqueBy(states, ({ status, steps }) => JSON.stringify([status, steps]))) {
		const send = stepOf(state, 'send');
		const wait = stepOf(state, 'wait');
		const webhook = stepOf(state, 'webhook');
		const wanted = wantedAck(asked);
		const complete = state.status === 'completed';
		if ((complete || send?.status === 'done') && !messages.some(({ messageId }) => messageId === send?.messageId)) tell('doneWithoutMessage', asked.name, `its send is called done as ${send?.messageId}, and WhatsApp has no such message`);
		if (wanted && (complete || wait?.status === 'done')) {
			const given = acksOf(one, facts).filter(({ receipt }) => reaches(receipt, wanted));
			if (!given.some((ack) => ack.at <= (wait?.finishedAt ?? 0) + slackMs)) tell('doneWithoutAck', asked.name, `its wait is called done at ${shown(wait?.finishedAt ?? NaN)}, and it was not ${wanted} then`);
		}
		if (asked.webhook && (complete || webhook?.status === 'done') && !webhooks.some(({ status = 0, answeredAt }) => status >= 200 && status < 300 && answeredAt !== undefined)) tell('doneWithoutWebhook', asked.name, 'its webhook is called done, and never answered so');
	}
}

function uniqueBy<T>(all: T[], key: (one: T) => string): T[] {
	return [...new Map(all.map((one) => [key(one), one])).values()];
}

/** G6: what was told to somebody is on record, and nothing is left open. */
function judgeRecord({ tell }: Judge, { asked, calls, ledger, states }: Known): void {
	const givenUp = calls.some(({ kind, outcome }) => kind === 'giveUp' && outcome?.transaction && !storeFailures.has(outcome.failure?.code ?? ''));
	if (ledger?.holds && givenUp) tell('stillHeld', asked.name, `it was given up, and holds its chat by the ledger (${ledger.failure?.code})`);
	for (const step of states.flatMap(({ steps }) => steps)) {
		if (step.status !== 'done') continue;
		const recorded = ledger?.steps[step.index];
		if (recorded?.status === 'done' && recorded.messageId === step.messageId) continue;
		return tell('stepLost', asked.name, `its ${step.type} was told as done${step.messageId ? ` (${step.messageId})` : ''}, and is on record as ${recorded?.status ?? 'nothing'}`);
	}
}

/** G6: recovery sends no text behind that of a transaction which was made later and belongs behind it. */
function judgeRecovery({ tell, shown }: Judge, chat: Known[]): void {
	for (const one of chat) {
		for (const message of one.messages) {
			const active = one.calls.filter((call) => activeAt(call, message.at));
			const byRecovery = active.length > 0 && active.every(({ kind }) => kind === 'recover' || kind === 'resume');
			// one that had been begun before had its turn in its order; an attempt more tells that
			if (!byRecovery || stepOf(one.ledger, 'send')?.attempts !== 1) continue;
			const later = chat.find((other) => other.ledger && one.ledger && other.ledger.createdAt > one.ledger.createdAt && goesBefore(one, other) && at(other) < message.at);
			if (later) tell('behindLater', one.asked.name, `recovery sent its text at ${shown(message.at)}, behind that of the later ${later.asked.name} at ${shown(at(later))}`);
		}
	}
}

function judgeRest({ facts, tell }: Judge, { messages, received, unfinished, probes }: History): void {
	for (const { name } of [...messages, ...received]) if (!facts.known.has(name)) tell('nobodyAsked', name, 'an effect that nobody asked for');
	for (const { name, why } of unfinished) {
		const told = facts.known.get(name)?.calls.findLast(({ kind }) => kind === 'recover')?.outcome?.failure?.code;
		tell('leftOpen', name, `it is unfinished after recovery: ${why}${told ? `; recovery told ${told}` : ''}`);
	}
	for (const { chat, tookMs, mostMs, status } of probes) {
		if (status !== 'completed' || tookMs > mostMs) tell('chatNotFree', `chat ${chat}`, `a message to it ended as ${status} after ${Math.round(tookMs)} ms, and ${mostMs} ms are the most`);
	}
}
