// What a run of the fault harness does, as data made from its seed: transactions, faults, deaths, repeats.
import type { RuleInput } from '../../simulator';
import type { OrderedSend } from '../../ordering/orderedSend';
import type { Acknowledgement, Definition } from '../../ordering/plan';
import { Random } from './random';

export type Mode = 'embedded' | 'shared';

/** What the simulator does with the sends of one transaction; applies to the first `times` of them. */
export type SendFault = Pick<RuleInput, 'answer' | 'sent' | 'saved' | 'sendAfterMs' | 'saveAfterMs' | 'answerAfterMs' | 'acks' | 'times'>;

/** What one call of a webhook or error callback meets. */
export type ReceiverAnswer = 'hang' | 'reset' | 'drip' | { status: number; afterMs?: number };

/** A boundary of one transaction: 0 is its recording, then its saves in their order. */
export interface Boundary {
	when: 'before' | 'after';
	save: number;
}

/** Where the process of a transaction is killed: at a boundary, while its send is held, or while its webhook is held. */
export type Death = Boundary | 'atWhatsApp' | 'atWebhook';

export interface Repeat {
	/** In ms: from the first call's start, or from the end of the call before. */
	from: 'start' | 'end';
	afterMs: number;
	as: 'sameCall' | 'newExecution' | 'otherContent';
	onInDoubt: OrderedSend['onInDoubt'];
}

/** Of one transaction: times in ms. */
export interface PlannedTransaction extends Pick<Definition, 'attempts' | 'onFailure'>, Pick<OrderedSend, 'priority' | 'queueTimeoutMs' | 'onInDoubt'> {
	waitFor: 'accepted' | 'delay' | Acknowledgement;
	delayMs: number;
	ackTimeoutMs: number;
	onAckTimeout: 'stop' | 'continue';
	/** Its text, the path of its webhook, and its ID where the caller gives one. */
	name: string;
	chat: number;
	/** Whether the caller gives an ID; else the engine makes it from the execution. */
	ownId: boolean;
	webhook: boolean;
	errorCallback: boolean;
	sequence?: { number: number; gapMs: number };
	send?: SendFault;
	webhookAnswers: ReceiverAnswer[];
	errorAnswers: ReceiverAnswer[];
	death?: Death;
	/** A write of the ledger that fails, before it is durable or after. */
	ledgerFault?: Boundary;
	repeats: Repeat[];
	/** What its caller does when its process died. */
	whenLost: 'repeat' | 'leave';
	/** How its chat is freed where it holds it. */
	whenHeld: 'repeat' | 'resume' | 'giveUp';
}

export interface PlannedExecution {
	number: number;
	items: PlannedTransaction[];
	/** Chooses among the processes that live. */
	worker: number;
	stopOnFailure: boolean;
	cancelAfterMs?: number;
	/** It comes that much later than its number says. */
	lateByMs: number;
}

/** Something that happens to more than one transaction, when so many executions were begun. */
export interface PlannedEvent {
	atExecution: number;
	what:
		| { kind: 'kill'; worker: number }
		| { kind: 'recover'; worker: number; onInDoubt: OrderedSend['onInDoubt'] }
		| { kind: 'looksFail'; route: 'findMessages' | 'findStatusMessage' | 'fetchInstances'; times: number; answer: RuleInput['answer'] }
		| { kind: 'redisFreezes'; ms: number }
		| { kind: 'redisRestarts'; data: 'saved' | 'lost' }
		| { kind: 'postgresRestarts'; how: 'stop' | 'crash' };
}

export interface Plan {
	seed: number;
	mode: Mode;
	chats: PlannedChat[];
	executions: PlannedExecution[];
	events: PlannedEvent[];
}

export interface PlannedChat {
	instance: string;
	number: string;
	/** WhatsApp answers with this name instead of the number. */
	lid?: string;
	/** Whether its callers count their messages. */
	counted: boolean;
}

/** About as many as there are executions for each: a chat is in use while its number lies in a moving window. */
const perChat = 12;
/** Chats in use at a time. */
const window = 40;

/** `transactions` is reached but for the last execution's items. */
export function makePlan(seed: number, transactions: number, mode: Mode): Plan {
	const random = new Random(seed * 2 + (mode === 'shared' ? 1 : 0));
	const chats = Array.from({ length: Math.max(6, Math.ceil(transactions / perChat)) }, (_, index) => planChat(random, index));
	const executions: PlannedExecution[] = [];
	const counts = new Map<string, number>();
	let planned = 0;
	while (planned < transactions) {
		const size = Math.min(transactions - planned, random.weighted([[80, 1], [12, 2], [8, 3]]));
		const start = Math.min(Math.max(0, chats.length - window), Math.floor(planned / perChat));
		const sameChat = random.chance(0.6) ? start + random.between(0, Math.min(window, chats.length) - 1) : undefined;
		const items = Array.from({ length: size }, (_, item) => planTransaction(random, `t${planned + item}`, sameChat ?? start + random.between(0, Math.min(window, chats.length) - 1), chats, counts));
		executions.push({
			number: executions.length + 1,
			items,
			worker: random.between(0, 1000),
			stopOnFailure: random.chance(0.5),
			...(random.chance(0.03) ? { cancelAfterMs: random.between(0, 700) } : {}),
			lateByMs: random.chance(0.08) ? random.between(20, 400) : 0,
		});
		planned += size;
	}
	const events = planEvents(random, executions.length, transactions, mode);
	planDeaths(random, executions, mode);
	return { seed, mode, chats, executions, events };
}

function planChat(random: Random, index: number): PlannedChat {
	const instance = random.weighted([[55, 'meta1'], [10, 'meta2'], [30, 'phone1'], [5, 'evo1']]);
	const digits = String(10_000_000 + index);
	return {
		instance,
		number: `55119${digits}`,
		...(instance === 'phone1' && random.chance(0.3) ? { lid: `77${digits}@lid` } : {}),
		counted: random.chance(0.25),
	};
}

function planTransaction(random: Random, name: string, chat: number, chats: PlannedChat[], counts: Map<string, number>): PlannedTransaction {
	const { instance, counted } = chats[chat] as PlannedChat;
	const priority = random.weighted([[15, 'high'], [70, 'normal'], [15, 'low']] as const);
	const ownId = counted || random.chance(0.85);
	const acks = instance !== 'evo1' || random.chance(0.1);
	const waitFor = random.weighted([[35, 'accepted'], [20, 'delay'], ...(acks ? ([[10, 'sent'], [30, 'delivered'], [5, 'read']] as const) : [])] as const);
	const onFailure = ownId && random.chance(0.06) ? 'hold' : 'release';
	return {
		name,
		chat,
		ownId,
		waitFor,
		delayMs: random.between(30, 200),
		ackTimeoutMs: random.between(500, 900),
		onAckTimeout: random.chance(0.4) ? 'continue' : 'stop',
		webhook: random.chance(0.85),
		errorCallback: random.chance(0.3),
		priority,
		...(counted && random.chance(0.9) ? { sequence: nextNumber(random, `${chat} ${priority}`, counts) } : {}),
		onFailure,
		onInDoubt: random.chance(0.2) ? 'sendAgain' : 'stop',
		attempts: random.between(1, 3),
		queueTimeoutMs: random.chance(0.06) ? random.between(500, 1500) : 15_000,
		...(random.chance(0.4) ? { send: planSendFault(random, waitFor) } : {}),
		webhookAnswers: planAnswers(random, 0.25),
		errorAnswers: planAnswers(random, 0.3),
		...(ownId && random.chance(0.03) ? { ledgerFault: planBoundary(random) } : {}),
		repeats: planRepeats(random, ownId),
		whenLost: onFailure === 'hold' || random.chance(0.6) ? 'repeat' : 'leave',
		whenHeld: random.pick(['repeat', 'resume', 'giveUp']),
	};
}

/** Mostly the next one; some numbers never come, come again, or come behind a higher one. */
function nextNumber(random: Random, key: string, counts: Map<string, number>): PlannedTransaction['sequence'] {
	const last = counts.get(key) ?? 0;
	const number = random.weighted([[85, last + 1], [7, last + 2], [8, Math.max(1, last - random.between(0, 1))]] as const);
	counts.set(key, Math.max(last, number));
	return { number, gapMs: random.between(200, 800) };
}

function planSendFault(random: Random, waitFor: string): SendFault {
	const passing = { times: random.between(1, 2) };
	const unknown = (answer: SendFault['answer']): SendFault => ({ answer, ...(random.chance(0.6) ? { sent: true } : {}), ...passing });
	const acks = (plan: NonNullable<SendFault['acks']>): SendFault => ({ acks: plan });
	const faults: Array<readonly [number, () => SendFault]> = [
		// surely not sent
		[6, () => ({ answer: { kind: 'metaRefusal', code: random.pick([131056, 130429, 131016]) }, ...passing })],
		[3, () => ({ answer: { kind: 'metaRefusal', code: random.pick([131026, 131047]) } })],
		[2, () => ({ answer: { kind: 'metaRefusal', code: 190 }, times: 1 })],
		[3, () => ({ answer: { kind: random.pick(['notConnected', 'notLoaded'] as const) }, ...passing })],
		[2, () => ({ answer: { kind: 'noSuchNumber' } })],
		[3, () => ({ answer: { kind: 'rateLimit', retryAfterSeconds: 0 }, ...passing })],
		[2, () => ({ answer: { kind: 'http', status: 403, body: 'No' }, times: 1 })],
		// nobody can tell from the answer
		[8, () => unknown({ kind: 'reset' })],
		[6, () => unknown({ kind: 'hang' })],
		[8, () => unknown({ kind: 'http', status: random.pick([500, 502, 503, 504]), body: 'Bad Gateway' })],
		[2, () => unknown({ kind: 'drip' })],
		[4, () => unknown({ kind: 'nonsense', as: random.pick(['invalidJson', 'empty', 'null', 'array'] as const) })],
		[3, () => ({ ...unknown({ kind: 'lostMeta' }), saved: random.chance(0.5) })],
		[2, () => ({ answer: { kind: 'databaseError' }, times: 1 })],
		[2, () => ({ answer: { kind: 'reset' }, sent: true, saved: false, times: 1 })],
		// slow
		[6, () => ({ answerAfterMs: random.between(50, 400) })],
		[4, () => ({ sendAfterMs: random.between(50, 300) })],
		[4, () => ({ sendAfterMs: 1100, times: 1 })],
	];
	const ackFaults: Array<readonly [number, () => SendFault]> = [
		[6, () => acks([])],
		[6, () => acks([{ status: 'READ', afterMs: 10 }, { status: 'DELIVERED', afterMs: 40 }, { status: 'SENT', afterMs: 60 }])],
		[4, () => acks([{ status: 'DELIVERED', afterMs: 20 }, { status: 'DELIVERED', afterMs: 25 }])],
		[6, () => acks([{ status: 'SENT', afterMs: 10 }, { status: 'DELIVERED', afterMs: random.between(100, 1300) }])],
		[5, () => acks([{ status: 'SENT', afterMs: 10 }, { status: 'FAILED', afterMs: 80 }])],
		[5, () => acks([{ status: 'FAILED', afterMs: 30 }])],
		[3, () => acks([{ status: 'READ', afterMs: 50 }])],
		[3, () => ({ saveAfterMs: 60, ...acks([{ status: 'DELIVERED', afterMs: 0 }, { status: 'READ', afterMs: 200 }]) })],
	];
	return random.weighted(['accepted', 'delay'].includes(waitFor) ? faults : [...faults, ...ackFaults])();
}

function planAnswers(random: Random, probability: number): ReceiverAnswer[] {
	if (!random.chance(probability)) return [];
	return Array.from({ length: random.between(1, 3) }, () =>
		random.weighted<ReceiverAnswer>([[5, { status: 500 }], [2, { status: 429 }], [2, { status: 404 }], [4, { status: 200, afterMs: random.between(50, 400) }], [2, 'hang'], [4, 'reset'], [1, 'drip'], [1, { status: 503, afterMs: 100 }]]));
}

function planBoundary(random: Random): Boundary {
	return { when: random.pick(['before', 'after']), save: random.between(0, 7) };
}

function planRepeats(random: Random, ownId: boolean): Repeat[] {
	if (!random.chance(0.25)) return [];
	return Array.from({ length: random.between(1, 2) }, () => {
		const from = random.pick(['start', 'end'] as const);
		// without an ID of its own: Retry On Fail within the execution, n8n's Retry button when it has ended
		const inN8n = from === 'start' ? ('sameCall' as const) : ('newExecution' as const);
		return {
			from,
			afterMs: random.between(0, 500),
			as: ownId ? random.weighted([[3, 'sameCall'], [5, 'newExecution'], [1, 'otherContent']] as const) : inN8n,
			onInDoubt: random.chance(0.25) ? ('sendAgain' as const) : ('stop' as const),
		};
	});
}

function planEvents(random: Random, executions: number, transactions: number, mode: Mode): PlannedEvent[] {
	const events: PlannedEvent[] = [];
	const plan = (count: number, what: () => PlannedEvent['what']) => {
		for (let one = 0; one < count; one++) events.push({ atExecution: random.between(5, Math.max(5, executions - 1)), what: what() });
	};
	const each = (every: number) => Math.max(1, Math.round(transactions / every));
	plan(each(mode === 'shared' ? 400 : 900), () => ({ kind: 'kill', worker: random.between(0, 1000) }));
	plan(each(250), () => ({ kind: 'recover', worker: random.between(0, 1000), onInDoubt: random.chance(0.2) ? 'sendAgain' : 'stop' }));
	plan(each(100), () => ({ kind: 'looksFail', route: random.pick(['findMessages', 'findStatusMessage', 'fetchInstances']), times: random.between(1, 5), answer: random.pick([{ kind: 'http', status: 500, body: 'No' }, { kind: 'reset' }, { kind: 'hang' }, { kind: 'http', status: 502, body: '<html>' }] as const) }));
	if (mode === 'shared') {
		plan(each(1500), () => ({ kind: 'redisFreezes', ms: random.between(300, 4000) }));
		plan(each(2000), () => ({ kind: 'redisRestarts', data: random.pick(['saved', 'lost']) }));
		plan(each(2500), () => ({ kind: 'postgresRestarts', how: random.pick(['stop', 'crash']) }));
	}
	return events.sort((a, b) => a.atExecution - b.atExecution);
}

/** Spread evenly, or the deaths would keep all from running: with one process, each takes everything under way along. */
function planDeaths(random: Random, executions: PlannedExecution[], mode: Mode): void {
	const every = mode === 'shared' ? 60 : 150;
	for (let at = random.between(5, 25); at < executions.length; at += random.between(every / 2, every * 1.5)) {
		const [first] = executions[Math.floor(at)]?.items ?? [];
		if (!first?.ownId) continue;
		first.death = random.weighted<Death>([[6, planBoundary(random)], [2, 'atWhatsApp'], [2, 'atWebhook']]);
	}
}
