// Verifies a chat: compares the ledger, EvolutionAPI's own record of our messages, and the acknowledgements.
import { EvolutionError, type EvolutionServer, type RecordedMessage } from '../../evolution/server';
import { HttpFailure } from '../../evolution/http';
import { judge, type Receipt } from '../../evolution/receipt';
import { CancelledError, RecordUnavailableError } from '../errors';
import type { Ledger } from '../ledger/ledger';
import { listAll } from '../log/list';
import { type ChatRequest, transactionStatuses } from '../log/request';
import type { Acknowledgement } from '../plan';
import { lookUp, mayGoOutUntil } from '../steps/lookUp';
import type { Run } from '../steps/step';
import type { Chat, Step, Transaction } from '../transaction';
import { compare, type Comparison, inLedgerOrder, type Sent } from './compare';
import { verdictOf } from './verdict';

/** A message as the result names it; times in ISO 8601. */
export interface MessageNote {
	transactionId: string;
	/** The step of the transaction that sent it. */
	step: number;
	messageId: string;
	sentAt: string;
	/** As EvolutionAPI has it, in whole seconds. */
	recordedAt?: string;
}

export interface Verification {
	/** The result in one or two sentences. */
	verdict: string;
	/** Whether nothing was found that should not be. Messages by others and missing acknowledgements are no fault. */
	ok: boolean;
	chat: Chat & { otherNames: string[] };
	from: string;
	to: string;
	counts: { transactions: number; sent: number; onRecord: number; pairsTold: number; pairsUntold: number };
	/** Pairs that stand on EvolutionAPI's record in the other order than in the ledger. */
	inversions: Array<{ sentFirst: MessageNote; sentLater: MessageNote }>;
	/** Whether `inversions` does not hold all of them. */
	moreInversions: boolean;
	/** Sent by the ledger's account, but taken back, or not on EvolutionAPI's record: deleted there, or never saved. */
	missing: Array<MessageNote & { why: 'notOnRecord' | 'takenBack' }>;
	/** Sent by this number, but by no transaction: by the phone, by TypeBot, by another tool. */
	foreign: Array<{ messageId: string; remoteJid: string; recordedAt: string; type: string }>;
	/** Refused by WhatsApp after EvolutionAPI had taken them. */
	failed: MessageNote[];
	/** Without the acknowledgement that was waited for, or without any; `receipt` is the best that is known. */
	unconfirmed: Array<MessageNote & { receipt?: Receipt; waitedFor?: string }>;
	/** Acknowledged only after their transaction had stopped waiting. */
	confirmedLater: Array<MessageNote & { receipt: Receipt; waitedFor: string }>;
	/** In doubt by the ledger's account, and on record after all: resuming the transaction takes them as sent. */
	onRecordAfterAll: Array<{ transactionId: string; step: number; messageId: string; recordedAt: string }>;
	/** In doubt, and not to be found. */
	inDoubt: Array<{ transactionId: string; step: number; why: string }>;
	/** What could not be looked at, as sentences. */
	notes: string[];
}

type Means = Pick<Run, 'server' | 'ledger' | 'settings' | 'signal' | 'egress'>;

const requestMs = 15_000;
/** Of 50 messages: as many as a call lists transactions. */
const mostPages = 200;

/**
 * Throws {@link RecordUnavailableError} where EvolutionAPI does not tell its record, `CancelledError`, and as `listAll`.
 * A transaction counts where it was created within the time, a message by others where it was sent within it.
 */
export async function verifyOrder(means: Means, request: ChatRequest): Promise<Verification> {
	try {
		return await verify(means, request);
	} catch (error) {
		throw toOwnError(error as Error);
	}
}

function toOwnError(error: Error): Error {
	if (error instanceof EvolutionError) return new RecordUnavailableError(error.message, error.hint);
	if (!(error instanceof HttpFailure)) return error;
	return error.kind === 'cancelled' ? new CancelledError() : new RecordUnavailableError(error.message, 'Check that EvolutionAPI runs and can be reached, then run it again: nothing was changed.');
}

async function verify(means: Means, request: ChatRequest): Promise<Verification> {
	const { ledger } = means;
	const { server, instance, recipient, from, to } = request;
	const chat = await ledger.linkedChat({ server, instance, recipient: recipient.jid });
	const transactions = await listAll(ledger, { server, recipient: { instance, jid: chat.recipient }, statuses: transactionStatuses, from, to, order: 'oldestFirst' });
	const names = await namesOf(ledger, chat, request, transactions);
	const record = await readRecord(means, instance, names, from);
	const sent = inLedgerOrder(transactions.flatMap((one) => sentBy(one, record.messages)));
	const order = compare(sent);
	const doubts = await lookUpDoubts(means, transactions);
	const { missing, notes } = await findMissing(means, instance, sent, transactions, record);
	const found = new Set(doubts.onRecordAfterAll.map(({ messageId }) => messageId));
	const { foreign, unjudged } = await findForeign(means, request, record.messages);
	const result: Omit<Verification, 'verdict' | 'ok'> = {
		chat: { ...chat, otherNames: names.filter((name) => name !== chat.recipient && name.includes('@')) },
		from: iso(from),
		to: iso(to),
		counts: { transactions: transactions.length, sent: sent.length, onRecord: sent.filter(({ recordedAt }) => recordedAt !== undefined).length, pairsTold: order.told, pairsUntold: order.untold },
		...inversionNotes(order),
		missing,
		foreign: foreign.filter(({ messageId }) => !found.has(messageId)),
		...acknowledgements(sent, transactions, record.messages),
		...doubts,
		notes: [...notes, ...unjudged],
	};
	return { ...verdictOf(result), ...result };
}

interface ServerRecord {
	messages: Map<string, RecordedMessage>;
	/** Since when it is complete, in ms since 1970. */
	completeSince: number;
}

/** All names under which EvolutionAPI may have the chat's messages; its own channel uses the bare number. */
async function namesOf(ledger: Ledger, chat: Chat, { recipient }: ChatRequest, transactions: Transaction[]): Promise<string[]> {
	const jids = [chat.recipient, recipient.jid, ...(await ledger.linkedJids(chat)), ...transactions.map((one) => one.chat.recipient)];
	const numbers = [recipient.number, ...jids.filter((jid) => jid.endsWith('@s.whatsapp.net')).map((jid) => jid.slice(0, jid.indexOf('@'))), ...transactions.flatMap(({ definition }) => definition?.number ?? [])];
	return [...new Set([...jids, ...numbers])];
}

async function readRecord({ server, settings, ...means }: Means, instance: string, names: string[], from: number): Promise<ServerRecord> {
	const record: ServerRecord = { messages: new Map(), completeSince: -Infinity };
	for (const name of names) {
		const { messages, complete } = await server.ownRecord(instance, name, from - settings.lookBackMs, mostPages, callOf(means));
		for (const message of messages) record.messages.set(message.messageId, message);
		const oldest = messages.at(-1);
		if (!complete && oldest) record.completeSince = Math.max(record.completeSince, (oldest.timestamp + 1) * 1000);
	}
	return record;
}

function callOf({ signal, egress }: Pick<Means, 'signal' | 'egress'>): Parameters<EvolutionServer['ownMessages']>[3] {
	return { timeoutMs: requestMs, signal, egress };
}

function sentBy({ id, chat, queue, steps }: Transaction, record: Map<string, RecordedMessage>): Sent[] {
	return steps.flatMap(({ type, index, messageId, startedAt, finishedAt }) => {
		if (type !== 'send' || !messageId || startedAt === undefined) return [];
		const recordedAt = record.get(messageId)?.timestamp;
		return [{ transactionId: id, step: index, messageId, lane: chat.recipient, fence: queue.fence, startedAt, finishedAt: finishedAt ?? startedAt, ...(recordedAt === undefined ? {} : { recordedAt }) }];
	});
}

function inversionNotes({ inversions, moreInversions }: Comparison): Pick<Verification, 'inversions' | 'moreInversions'> {
	return { inversions: inversions.map(({ sentFirst, sentLater }) => ({ sentFirst: note(sentFirst), sentLater: note(sentLater) })), moreInversions };
}

/** One that stands in no page is asked for by its ID: pages of a record that changes meanwhile can skip one. */
async function findMissing({ server, ...means }: Means, instance: string, sent: Sent[], transactions: Transaction[], { messages, completeSince }: ServerRecord): Promise<Pick<Verification, 'missing' | 'notes'>> {
	const missing: Verification['missing'] = [];
	const compensated = new Set(transactions.flatMap(({ compensation }) => compensation?.deletions.flatMap(({ messageId, status }) => (messageId && status === 'done' ? messageId : [])) ?? []));
	const refused = new Set(transactions.flatMap(({ steps }) => steps.flatMap((step) => (step.receipt === 'failed' && step.messageId ? step.messageId : []))));
	let [notLookedAt, elsewhere] = [0, 0];
	for (const one of sent) {
		if (compensated.has(one.messageId)) continue; // its own transaction has taken it back
		if (messages.get(one.messageId)?.receipts.includes('deleted')) missing.push({ ...note(one), why: 'takenBack' });
		if (one.recordedAt !== undefined || refused.has(one.messageId)) continue;
		if (one.finishedAt < completeSince) notLookedAt += 1;
		else if (await server.isOnRecord(instance, one.messageId, callOf(means))) elsewhere += 1;
		else missing.push({ ...note(one), why: 'notOnRecord' });
	}
	const notes = [
		...(completeSince > 0 ? [`EvolutionAPI's record was read back to ${iso(completeSince)} only, since there are more messages than can be read at once: choose a shorter time. ${notLookedAt} of the sent messages are older.`] : []),
		...(elsewhere > 0 ? [`${elsewhere} of the sent messages are on EvolutionAPI's record, but under a name that is not known to be this chat's: their order was not compared.`] : []),
	];
	return { missing, notes };
}

/** EvolutionAPI may record a message of ours before it has told the ledger its ID: then it is not judged. */
async function findForeign(means: Means, request: ChatRequest, record: Map<string, RecordedMessage>): Promise<Pick<Verification, 'foreign'> & { unjudged: string[] }> {
	const { server, from, to } = request;
	const within = [...record.values()].filter(({ timestamp }) => timestamp >= Math.floor(from / 1000) && timestamp * 1000 < to);
	const underWaySince = await sendingSince(means, request);
	const foreign: Verification['foreign'] = [];
	let count = 0;
	for (const { messageId, remoteJid, timestamp, messageType } of within.sort((a, b) => a.timestamp - b.timestamp)) {
		if (await means.ledger.ownsMessage(server, messageId)) continue;
		if (timestamp + 1 > underWaySince / 1000) count += 1;
		else foreign.push({ messageId, remoteJid, recordedAt: iso(timestamp * 1000), type: messageType });
	}
	return { foreign, unjudged: count === 0 ? [] : [`A message is being sent to this chat just now, so of ${count} of the newest on EvolutionAPI's record it is not known yet whether a transaction sent ${count === 1 ? 'it' : 'them'}: run it again in a minute.`] };
}

/** When the first of the sends began that are under way, in ms since 1970. */
async function sendingSince({ ledger, settings }: Means, { server, instance, recipient }: ChatRequest): Promise<number> {
	const open = await listAll(ledger, { server, recipient: { instance, jid: recipient.jid }, statuses: ['open'], from: 0, to: Number.MAX_SAFE_INTEGER, order: 'oldestFirst' });
	// one that a dead process left is under way no longer than this
	const isUnderWay = (step: Step, { definition }: Transaction) => step.type === 'send' && step.status === 'running' && definition !== undefined && mayGoOutUntil(step, definition, settings) > Date.now();
	return Math.min(Infinity, ...open.flatMap((one) => one.steps.filter((step) => isUnderWay(step, one)).flatMap(({ startedAt }) => startedAt ?? [])));
}

function acknowledgements(sent: Sent[], transactions: Transaction[], record: Map<string, RecordedMessage>): Pick<Verification, 'failed' | 'unconfirmed' | 'confirmedLater'> {
	const lists: Pick<Verification, 'failed' | 'unconfirmed' | 'confirmedLater'> = { failed: [], unconfirmed: [], confirmedLater: [] };
	const byId = new Map(transactions.map((one) => [one.id, one]));
	for (const one of sent) {
		const transaction = byId.get(one.transactionId) as Transaction;
		const waits = stepsAfter(transaction, one.step).filter(({ type }) => type === 'wait');
		const known = [...(record.get(one.messageId)?.receipts ?? []), ...[transaction.steps[one.step], ...waits].flatMap((step) => step?.receipt ?? [])];
		const { end, receipt } = judge(known, 'sent');
		if (end === 'failed') lists.failed.push(note(one));
		if (end === 'failed' || end === 'deleted') continue;
		const stopped = waits.find(({ status }) => status === 'unconfirmed');
		const waitedFor = stopped && targetOf(transaction, stopped);
		if (stopped && waitedFor && receipt && judge(known, waitedFor).end === 'reached') lists.confirmedLater.push({ ...note(one), receipt, waitedFor });
		else if (stopped || end !== 'reached') lists.unconfirmed.push({ ...note(one), ...(receipt ? { receipt } : {}), ...(waitedFor ? { waitedFor } : {}) });
	}
	return lists;
}

/** What follows a send, up to the next one: its waits are for this message. */
function stepsAfter({ steps }: Transaction, index: number): Step[] {
	const later = steps.slice(index + 1);
	const next = later.findIndex(({ type }) => type === 'send');
	return next === -1 ? later : later.slice(0, next);
}

/** What its wait is for, where that is still on record. */
function targetOf({ definition }: Transaction, { index }: Step): Acknowledgement | undefined {
	const planned = definition?.plan[index];
	return planned?.type === 'wait' && planned.until !== 'delay' && planned.until !== 'earlierMessages' ? planned.until : undefined;
}

async function lookUpDoubts(means: Means, transactions: Transaction[]): Promise<Pick<Verification, 'onRecordAfterAll' | 'inDoubt'>> {
	const lists: Pick<Verification, 'onRecordAfterAll' | 'inDoubt'> = { onRecordAfterAll: [], inDoubt: [] };
	for (const transaction of transactions) {
		for (const step of transaction.steps.filter(({ type, status }) => type === 'send' && status === 'inDoubt')) {
			const about = { transactionId: transaction.id, step: step.index };
			const looked = transaction.definition ? await lookUp({ ...means, transaction }, step, transaction.definition, 0) : { found: undefined, why: 'its content is not on record any more' };
			if (looked.found) lists.onRecordAfterAll.push({ ...about, messageId: looked.found.messageId, recordedAt: iso(looked.found.timestamp * 1000) });
			else lists.inDoubt.push({ ...about, why: looked.why });
		}
	}
	if (means.signal?.aborted) throw new CancelledError();
	return lists;
}

function note({ transactionId, step, messageId, startedAt, recordedAt }: Sent): MessageNote {
	return { transactionId, step, messageId, sentAt: iso(startedAt), ...(recordedAt === undefined ? {} : { recordedAt: iso(recordedAt * 1000) }) };
}

function iso(ms: number): string {
	return new Date(ms).toISOString();
}
