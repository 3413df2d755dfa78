// Carries out a plan against a world, and gives the history of what came of it.
import type { RuleInput } from '../../simulator';
import type { Transaction } from '../../ordering/transaction';
import type { CallInput } from '../support/calls';
import { type Answer, now } from '../support/receiver';
import { storeFailures } from './facts';
import type { Asked, CallKind, CallOutcome, CallRecord, History, Probe, SeenCall } from './history';
import type { Plan, PlannedEvent, PlannedExecution, PlannedTransaction, ReceiverAnswer } from './plan';
import type { EngineProcess } from './processes';
import type { Trap, WorkerItem } from './worker';
import { times, type World } from './world';

/** Executions under way at a time; of a short run a quarter, so that its events find some before and some behind them. */
const mostUnderWay = 110;
/** How long a recovered transaction may wait for its chat, in ms. */
const recoveryWaitsMs = 5_000;

/** What a message to a free chat may take on a machine that is busy with other things. */
const busyMachineMs = 5000;

type OnInDoubt = CallRecord['onInDoubt'];

export interface Counts {
	begun: number;
	deaths: number;
	lost: number;
	repeats: number;
	recoveries: number;
	events: Record<string, number>;
}

export class Driver {
	readonly counts: Counts = { begun: 0, deaths: 0, lost: 0, repeats: 0, recoveries: 0, events: {} };
	private readonly calls: CallRecord[] = [];
	private readonly probes: Probe[] = [];
	/** Transaction by the ID that the engine gave it. */
	private readonly names = new Map<string, string>();
	private readonly planned = new Map<string, PlannedTransaction>();
	private readonly executionOf = new Map<string, PlannedExecution>();
	/** The process that began a transaction last. */
	private readonly processOf = new Map<string, EngineProcess>();
	private readonly background = new Set<Promise<void>>();
	/** Restarts and freezes of one server come one after the other. */
	private outage: Promise<void> = Promise.resolve();
	/** Later than all of the plan. */
	private lastExecution: number;

	constructor(
		private readonly plan: Plan,
		private readonly world: World,
	) {
		this.lastExecution = plan.executions.length;
		for (const execution of plan.executions) {
			for (const item of execution.items) {
				this.planned.set(item.name, item);
				this.executionOf.set(item.name, execution);
			}
		}
	}

	/** `progress` is called whenever an execution has ended with all its repeats. */
	async run(progress: () => void): Promise<History> {
		await Promise.all(this.world.processes.map((one) => one.whenReady()));
		this.killWhereItIsHeld();
		const most = Math.min(mostUnderWay, Math.ceil(this.plan.executions.length / 4));
		const events = [...this.plan.events];
		const underWay = new Set<Promise<void>>();
		for (const [index, execution] of this.plan.executions.entries()) {
			while (events[0] && events[0].atExecution <= index) this.happen(events.shift() as PlannedEvent);
			while (underWay.size >= most) await Promise.race(underWay);
			const ends = this.execute(execution).then(() => {
				underWay.delete(ends);
				progress();
			});
			underWay.add(ends);
			await sleep(1);
		}
		await Promise.all(underWay);
		await Promise.all(this.background);
		await this.outage;
		await this.settleAll();
		await this.probeAfterDeath();
		return await this.history();
	}

	private async execute(execution: PlannedExecution): Promise<void> {
		this.counts.begun += execution.items.length;
		for (const item of execution.items) this.prepare(item);
		await sleep(execution.lateByMs);
		const engine = this.processFor(execution.worker);
		for (const { name } of execution.items) this.processOf.set(name, engine);
		const repeats = execution.items.flatMap((item) => item.repeats.filter(({ from }) => from === 'start').map(async (repeat) => {
			await sleep(repeat.afterMs);
			await this.repeat(item, repeat);
		}));
		await this.call(engine, execution.items.map((item) => ({ item, kind: 'first', onInDoubt: item.onInDoubt })), execution);
		await Promise.all(repeats);
		await Promise.all(execution.items.map((item) => this.follow(item)));
		for (const item of execution.items) this.forget(item);
	}

	/** What its caller does when the first call has ended: comes again, and frees the chat. */
	private async follow(item: PlannedTransaction): Promise<void> {
		for (const repeat of item.repeats.filter(({ from }) => from === 'end')) {
			await sleep(repeat.afterMs);
			await this.repeat(item, repeat);
		}
		for (let tries = 0; tries < 4 && item.whenLost === 'repeat' && this.lastOf(item)?.lostAt !== undefined; tries++) await this.repeat(item, { as: 'newExecution', onInDoubt: 'stop' });
		if (item.onFailure === 'hold') await this.free(item);
	}

	/** Ends the hold of its chat, as the plan says first, then by giving it up. */
	private async free(item: PlannedTransaction): Promise<void> {
		for (let tries = 0; this.mayHold(item); tries++) {
			await sleep(100);
			const how = tries < 2 ? item.whenHeld : 'giveUp';
			if (how === 'repeat') await this.repeat(item, { as: 'newExecution', onInDoubt: 'sendAgain' });
			else await this.control(how, item.name);
			// whether that has freed the chat is for the checker to say
			const { outcome } = this.lastOf(item) as CallRecord;
			if (how === 'giveUp' && outcome?.transaction && !storeFailures.has(outcome.failure?.code ?? '')) return;
			if (tries > 40) throw new Error(`${item.name} can't be given up: ${JSON.stringify(outcome)}`);
		}
	}

	private mayHold(item: PlannedTransaction): boolean {
		const last = this.lastOf(item);
		const transaction = last?.outcome?.transaction;
		if (!last || last.outcome?.failure?.code === 'unknownTransaction') return false;
		if (!transaction || transaction.status === 'open') return last.lostAt !== undefined || transaction !== undefined || last.kind !== 'first';
		return transaction.holds === true || last.outcome?.failure?.code !== transaction.failure?.code;
	}

	private lastOf({ name }: PlannedTransaction): CallRecord | undefined {
		return this.calls.findLast((call) => call.name === name && call.kind !== 'otherContent');
	}

	private async repeat(item: PlannedTransaction, { as, onInDoubt }: { as: 'sameCall' | 'newExecution' | 'otherContent'; onInDoubt: OnInDoubt }): Promise<void> {
		// what was never recorded, a call of other content would only record under its own
		if (as === 'otherContent' && !this.lastOf(item)?.outcome?.transaction) return;
		this.counts.repeats += 1;
		const execution = this.executionOf.get(item.name) as PlannedExecution;
		await this.call(this.processFor(execution.worker + this.counts.repeats), [{ item, kind: as, onInDoubt }], { ...execution, cancelAfterMs: undefined });
	}

	private async call(engine: EngineProcess, items: Array<{ item: PlannedTransaction; kind: Exclude<CallKind, 'recover' | 'resume' | 'giveUp'>; onInDoubt: OnInDoubt }>, { number, stopOnFailure, cancelAfterMs }: PlannedExecution): Promise<void> {
		await engine.whenReady();
		const records = items.map(({ item, kind, onInDoubt }): CallRecord => ({ name: item.name, kind, onInDoubt, begunAt: now() }));
		this.calls.push(...records);
		const asItems = items.map(({ item, kind, onInDoubt }, index) => this.itemFor(item, kind, onInDoubt, number, index));
		const traps = items.filter(({ kind }) => kind === 'first').flatMap(({ item }) => trapsOf(item));
		const answer = await engine.ask({ kind: 'run', items: asItems, stopOnFailure, cancelAfterMs, traps });
		if (answer.lost) {
			this.counts.lost += records.length;
			for (const record of records) record.lostAt = answer.at;
			return;
		}
		const { outcomes, thrown } = answer.reply;
		for (const [index, record] of records.entries()) {
			record.endedAt = answer.at;
			record.outcome = outcomes[index] ?? { replayed: false, failure: thrown };
			const id = record.outcome.transaction?.id;
			if (id !== undefined && record.kind !== 'otherContent') this.names.set(id, record.name);
		}
	}

	private itemFor(item: PlannedTransaction, kind: CallKind, onInDoubt: OnInDoubt, execution: number, index: number): WorkerItem {
		const { instance, number } = this.plan.chats[item.chat] as Plan['chats'][number];
		const { receiver } = this.world;
		const again = kind === 'newExecution' || kind === 'otherContent';
		const input: CallInput = {
			instanceName: instance,
			number,
			text: kind === 'otherContent' ? `${item.name} other` : item.name,
			waitFor: item.waitFor,
			delaySeconds: item.delayMs / 1000,
			ackTimeoutSeconds: item.ackTimeoutMs / 1000,
			onAckTimeout: item.onAckTimeout,
			callWebhook: item.webhook,
			...(item.webhook ? { webhookUrl: `${receiver.url}/w/${item.name}` } : {}),
			options: {
				...(item.ownId ? { transactionId: item.name } : {}),
				...(item.errorCallback ? { errorCallbackUrl: `${receiver.url}/e/${item.name}` } : {}),
				...(item.sequence ? { sequenceNumber: item.sequence.number, sequenceGapSeconds: item.sequence.gapMs / 1000 } : {}),
				onInDoubt,
				priority: item.priority,
				onFailure: item.onFailure,
				attempts: item.attempts,
				queueTimeoutSeconds: item.queueTimeoutMs / 1000,
				requestTimeoutSeconds: times.requestMs / 1000,
			},
		};
		// n8n's Retry button keeps the start of the first execution
		return { input, origin: { executionId: String(again ? ++this.lastExecution : execution), startedAt: execution * 1000, item: kind === 'first' ? index : this.indexOf(item), nodeId: item.name, isRetry: again && !item.ownId } };
	}

	private indexOf(item: PlannedTransaction): number {
		return (this.executionOf.get(item.name) as PlannedExecution).items.indexOf(item);
	}

	private async control(kind: 'resume' | 'giveUp', name: string): Promise<void> {
		const engine = this.processFor(name.length + this.calls.length);
		await engine.whenReady();
		const record: CallRecord = { name, kind, onInDoubt: 'stop', begunAt: now() };
		this.calls.push(record);
		const answer = await engine.ask({ kind, id: name, onInDoubt: 'stop', queueTimeoutMs: recoveryWaitsMs });
		if (answer.lost) record.lostAt = answer.at;
		else Object.assign(record, { endedAt: answer.at, outcome: answer.reply.outcomes[0] ?? { replayed: false, failure: answer.reply.thrown } });
	}

	/** Tells what could not be worked on. */
	private async recover(engine: EngineProcess, onInDoubt: OnInDoubt): Promise<CallOutcome[]> {
		this.counts.recoveries += 1;
		await engine.whenReady();
		const begunAt = now();
		const answer = await engine.ask({ kind: 'recover', onInDoubt, queueTimeoutMs: recoveryWaitsMs });
		if (answer.lost) {
			this.calls.push({ name: '*', kind: 'recover', onInDoubt, begunAt, lostAt: answer.at });
			return [{ replayed: false }];
		}
		const { outcomes, thrown } = answer.reply;
		for (const outcome of outcomes) {
			const id = outcome.transaction?.id ?? '';
			this.calls.push({ name: this.names.get(id) ?? id, kind: 'recover', onInDoubt, begunAt, endedAt: answer.at, outcome });
		}
		return thrown ? [{ replayed: false, failure: thrown }] : outcomes.filter(({ transaction }) => transaction?.status === 'open');
	}

	private processFor(chosen: number): EngineProcess {
		return this.world.processes[chosen % this.world.processes.length] as EngineProcess;
	}

	/** Sets up what its sends and webhooks will meet. */
	private prepare({ name, send, webhookAnswers, errorAnswers }: PlannedTransaction): void {
		if (send) this.rules.set(name, this.world.simulator.control.addRule({ route: 'sendText', textEquals: name, ...send }).id);
		for (const answer of webhookAnswers) this.world.receiver.behave(behaviourOf(answer), { times: 1, path: `/w/${name}` });
		for (const answer of errorAnswers) this.world.receiver.behave(behaviourOf(answer), { times: 1, path: `/e/${name}` });
	}

	private readonly rules = new Map<string, string>();

	/** Each request is matched against all rules. */
	private forget({ name }: PlannedTransaction): void {
		const rule = this.rules.get(name);
		if (rule !== undefined) this.world.simulator.control.removeRule(rule);
	}

	private killWhereItIsHeld(): void {
		const { simulator, receiver } = this.world;
		const killed = new Set<string>();
		const kill = (name: string, where: 'atWhatsApp' | 'atWebhook') => {
			if (this.planned.get(name)?.death !== where || killed.has(name)) return undefined;
			killed.add(name);
			this.processOf.get(name)?.kill();
			return sleep(100);
		};
		simulator.control.onMessage(({ text }) => kill(text, 'atWhatsApp'));
		const webhooks = [...this.planned.values()].filter(({ death }) => death === 'atWebhook');
		for (const { name } of webhooks) {
			receiver.behave(async () => {
				await kill(name, 'atWebhook');
				return {};
			}, { times: 1, path: `/w/${name}` });
		}
	}

	private happen({ what }: PlannedEvent): void {
		this.counts.events[what.kind] = (this.counts.events[what.kind] ?? 0) + 1;
		const { redis, postgres, simulator } = this.world;
		switch (what.kind) {
			case 'kill': return this.processFor(what.worker).kill();
			case 'recover': return this.inBackground(this.recover(this.processFor(what.worker), what.onInDoubt));
			case 'looksFail': return void simulator.control.addRule({ route: what.route, times: what.times, answer: what.answer } as RuleInput);
			case 'redisFreezes': return this.breakDown(async () => {
				redis?.freeze();
				await sleep(what.ms);
				redis?.thaw();
			});
			case 'redisRestarts': return this.breakDown(async () => {
				if (what.data === 'saved') await redis?.save();
				await redis?.kill();
				await sleep(200);
				await redis?.start(what.data);
			});
			case 'postgresRestarts': return this.breakDown(async () => {
				await postgres?.[what.how]();
				await postgres?.startAgain();
			});
		}
	}

	private inBackground(work: Promise<unknown>): void {
		const done = work.then(() => void this.background.delete(done));
		this.background.add(done);
	}

	private breakDown(outage: () => Promise<void>): void {
		this.outage = this.outage.then(outage);
		this.inBackground(this.outage);
	}

	/** All processes live, and recover until nothing is left to recover; then no chat is held. */
	private async settleAll(): Promise<void> {
		await Promise.all(this.world.processes.map((one) => one.whenReady()));
		// one that is recovered may hold its chat, which keeps the others of it from being recovered
		await this.recoverAll();
		const held = [...this.planned.values()].filter((item) => item.onFailure === 'hold' && this.calls.findLast(({ name }) => name === item.name)?.outcome?.transaction?.holds);
		await Promise.all(held.map(({ name }) => this.control('giveUp', name)));
		if (held.length > 0) await this.recoverAll();
	}

	/** A process that died a moment ago counts as alive for one lease. */
	private async recoverAll(): Promise<void> {
		await sleep(this.plan.mode === 'shared' ? times.leaseMs * 2 : 0);
		for (let tries = 0; tries < 3; tries++) {
			const left = await Promise.all(this.world.processes.map((one) => this.recover(one, 'stop')));
			if (left.flat().length === 0) return;
		}
	}

	/** A process dies while it holds chats: these are free again within the lease and the look-up. */
	private async probeAfterDeath(): Promise<void> {
		const chats = this.plan.chats.map((_, chat) => chat).slice(-10);
		this.world.simulator.control.addRule({ route: 'sendText', text: 'held', hold: true });
		const [dying] = this.world.processes as [EngineProcess];
		const other = this.world.processes.at(-1) as EngineProcess;
		const requests = this.requestsHeld();
		const lost = dying.ask({ kind: 'run', items: chats.map((chat) => this.probeItem(chat, 'held')), stopOnFailure: false, traps: [] });
		await this.world.simulator.control.waitUntil(() => this.requestsHeld() - requests >= chats.length, 10_000);
		dying.kill();
		await lost;
		this.world.simulator.control.release();
		this.world.simulator.control.clearRules();
		await other.whenReady();
		await Promise.all(chats.map((chat) => this.probe(other, chat)));
		await this.recoverAll();
	}

	private requestsHeld(): number {
		return this.world.simulator.control.held();
	}

	private async probe(engine: EngineProcess, chat: number): Promise<void> {
		const from = performance.now();
		const answer = await engine.ask({ kind: 'run', items: [this.probeItem(chat, 'probe')], stopOnFailure: false, traps: [] });
		const status = answer.lost ? 'lost' : (answer.reply.outcomes[0]?.transaction?.status ?? answer.reply.outcomes[0]?.failure?.code ?? 'thrown');
		const lease = this.plan.mode === 'shared' ? times.leaseMs * 2 : 0;
		this.probes.push({ chat, tookMs: performance.now() - from, mostMs: lease + times.lookUpMs + times.requestMs + busyMachineMs, status });
	}

	private probeItem(chat: number, what: 'held' | 'probe'): WorkerItem {
		const { instance, number } = this.plan.chats[chat] as Plan['chats'][number];
		const name = `${what}-${chat}`;
		const input: CallInput = { instanceName: instance, number, text: name, waitFor: 'accepted', callWebhook: false, options: { transactionId: name, requestTimeoutSeconds: times.requestMs / 1000, queueTimeoutSeconds: 12, attempts: 5 } };
		return { input, origin: { executionId: String(++this.lastExecution) } };
	}

	private async history(): Promise<History> {
		await Promise.all(this.world.processes.map((one) => one.close()));
		this.counts.deaths = this.world.processes.reduce((sum, { deaths }) => sum + deaths, 0);
		const { ledger, unfinished } = await this.readLedger();
		const { simulator } = this.world;
		const isProbe = (text: string) => /^(held|probe)-/.test(text);
		return {
			mode: this.plan.mode,
			settleMs: this.plan.mode === 'shared' ? times.settleMs : 0,
			asked: this.plan.executions.flatMap(({ number, items }) => items.map((item, index): Asked => ({ ...item, execution: number, item: index }))),
			calls: this.calls,
			messages: simulator.control.messages().filter(({ text }) => !isProbe(text)).map(({ text, messageId, at }) => ({ name: text, messageId, at })),
			acks: simulator.control.acks().map(({ messageId, status, at, kept }) => ({ messageId, status, at, kept })),
			received: this.received(),
			ledger,
			unfinished,
			probes: this.probes,
		};
	}

	private async readLedger(): Promise<Pick<History, 'ledger' | 'unfinished'>> {
		const ledger = await this.world.openLedger();
		try {
			const server = this.world.simulator.url;
			const ids = new Map([...this.planned.values()].filter(({ ownId }) => ownId).map(({ name }) => [name, name]));
			for (const [id, name] of this.names) ids.set(id, name);
			const found: Record<string, Transaction> = {};
			for (const [id, name] of ids) {
				const transaction = await ledger.find(server, id);
				if (transaction) found[name] = transaction;
			}
			const unfinished = await ledger.unfinished(server, Number.MAX_SAFE_INTEGER, 1000);
			return { ledger: found, unfinished: unfinished.map(({ id, status, errorCallback }) => ({ name: this.names.get(id) ?? id, why: `${status}, error callback ${errorCallback?.status ?? 'none'}` })) };
		} finally {
			await ledger.close();
		}
	}

	private received(): SeenCall[] {
		const seen = new Map<string, number>();
		return this.world.receiver.calls.map(({ path, at, answeredAt, headers, json }): SeenCall => {
			const [, letter, name = ''] = path.split('/');
			const kind = letter === 'w' ? 'webhook' : 'error';
			const index = seen.get(path) ?? 0;
			seen.set(path, index + 1);
			const { transactionId } = (json ?? {}) as { transactionId?: string };
			return { name, kind, at, answeredAt, status: this.statusOf(name, kind, index), webhookId: oneHeader(headers['webhook-id']), idempotencyKey: oneHeader(headers['idempotency-key']), ...(kind === 'error' ? { tellsOf: transactionId } : {}) };
		});
	}

	/** The status that the plan had for the call of this index; undefined where it had no answer. */
	private statusOf(name: string, kind: SeenCall['kind'], index: number): number | undefined {
		const item = this.planned.get(name);
		const held: ReceiverAnswer[] = item?.death === 'atWebhook' && kind === 'webhook' ? [{ status: 200 }] : [];
		const answers = kind === 'webhook' ? [...held, ...(item?.webhookAnswers ?? [])] : item?.errorAnswers;
		const answer = answers?.[index] ?? { status: 200 };
		return typeof answer === 'string' ? undefined : answer.status;
	}
}

function trapsOf({ name, death, ledgerFault }: PlannedTransaction): Trap[] {
	return [
		...(typeof death === 'object' ? [{ ...death, id: name, what: 'die' as const }] : []),
		...(ledgerFault ? [{ ...ledgerFault, id: name, what: 'fail' as const }] : []),
	];
}

function behaviourOf(answer: ReceiverAnswer): Exclude<ReceiverAnswer, object> | Answer {
	return typeof answer === 'string' ? answer : { status: answer.status, afterMs: answer.afterMs };
}

function oneHeader(value: string | string[] | undefined): string | undefined {
	return Array.isArray(value) ? value.join() : value;
}

function sleep(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}
