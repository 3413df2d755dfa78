// What a test holds in its hand: the log, the instances, and the rules that make the simulator misbehave.

import type { LiveCounts } from './events';
import type { Parts } from './server';
import {
	ackSchema, checked, ControlInputError, instancePatchSchema, instanceSeedSchema, numberSchema, rowsSchema, ruleSchema, settingsSchema,
	type AckStatus, type InstancePatch, type InstanceSeed, type NumberFacts, type Rows, type RuleInput, type SettingsPatch,
} from './schemas';
import { toJid } from './numbers';
import type { Rule } from './rules';
import type { AckEntry, Instance, LogEntry, MessageEntry, RequestEntry, Settings } from './state';
import type { MessageListener } from './whatsapp';

/** The control of a simulator. Wrong input throws a `ControlInputError` that names the field. */
export class Control {
	constructor(private readonly parts: Parts) {}

	/** Everything that happened at "WhatsApp", in its order: messages, acknowledgements, deletions. */
	log(): LogEntry[] {
		return [...this.parts.state.log];
	}

	/** The messages that reached "WhatsApp", in the order in which they did. */
	messages(): MessageEntry[] {
		return this.parts.state.log.filter((entry) => entry.kind === 'message');
	}

	/** The acknowledgements that WhatsApp told EvolutionAPI, dropped ones included (`kept: false`). */
	acks(): AckEntry[] {
		return this.parts.state.log.filter((entry) => entry.kind === 'ack');
	}

	/** Every request, in the order of arrival; `endedAt` is undefined while it runs. */
	requests(): RequestEntry[] {
		return this.parts.state.requests.map((entry) => ({ ...entry }));
	}

	/** How many requests came, by route: `{ sendText: 3, findStatusMessage: 7 }`. */
	counts(): Record<string, number> {
		const counts: Record<string, number> = {};
		for (const { route } of this.parts.state.requests) counts[route] = (counts[route] ?? 0) + 1;
		return counts;
	}

	/** The most findStatusMessage requests that ran at once, by message ID. */
	statusPeaks(): Record<string, number> {
		return Object.fromEntries(this.parts.state.statusPeaks);
	}

	/** Forgets the log, the requests and the peaks. Rows, rules and instances stay. */
	clearLog(): void {
		this.parts.state.log.length = 0;
		this.parts.state.requests.length = 0;
		this.parts.state.statusPeaks.clear();
	}

	/** Adds a rule behind the others; the first that matches a request serves it. */
	addRule(rule: RuleInput): Rule {
		return { ...this.parts.rules.add(checked(ruleSchema, rule, 'rule')) };
	}

	rules(): Rule[] {
		return this.parts.rules.all();
	}

	/** False if there is no such rule. */
	removeRule(id: string): boolean {
		return this.parts.rules.remove(id);
	}

	clearRules(): void {
		this.parts.rules.clear();
	}

	/** Lets all held answers go; tells how many. */
	release(): number {
		const held = [...this.parts.held];
		this.parts.held.clear();
		for (const release of held) release();
		return held.length;
	}

	/** How many answers are held now. */
	held(): number {
		return this.parts.held.size;
	}

	instances(): Instance[] {
		return structuredClone([...this.parts.state.instances.values()]);
	}

	/** Adds an instance, or replaces the one of that name. */
	addInstance(seed: InstanceSeed): Instance {
		return structuredClone(this.parts.state.addInstance(checked(instanceSeedSchema, seed, 'instance')));
	}

	/** Changes an instance: `{ state: 'close' }`, `{ loaded: false }`, `{ saveMessageUpdate: false }`, … */
	setInstance(name: string, patch: InstancePatch): Instance {
		const given = checked(instancePatchSchema, patch, 'instance');
		return structuredClone(Object.assign(this.instance(name), given));
	}

	/** False if there is no such instance. */
	removeInstance(name: string): boolean {
		return this.parts.state.instances.delete(name);
	}

	/** What is true of a number: `{ exists: false }`, `{ lid: '123@lid' }`. Any spelling. */
	setNumber(number: string, facts: NumberFacts): void {
		this.parts.state.numbers.set(toJid(number), checked(numberSchema, facts, 'number'));
	}

	settings(patch: SettingsPatch = {}): Settings {
		return { ...Object.assign(this.parts.state.settings, checked(settingsSchema, patch, 'settings')) };
	}

	/** An acknowledgement reaches EvolutionAPI now. */
	acknowledge(messageId: string, status: AckStatus): void {
		const ack = checked(ackSchema, { messageId, status }, 'acknowledgement');
		const entry = this.messages().find((message) => message.messageId === messageId);
		const row = this.parts.state.messages.find((message) => message.key.id === messageId);
		const instance = [...this.parts.state.instances.values()].find(({ id, name }) => name === entry?.instance || id === row?.instanceId);
		if (!instance) throw new ControlInputError(`messageId: no message has the ID "${messageId}"`);
		this.parts.whatsapp.acknowledge(instance, ack.messageId, ack.status, entry?.jid);
	}

	/** Live connections: tries, those that stand, and those that ever did, by instance. */
	live(): LiveCounts {
		return this.parts.events.live();
	}

	/** Cuts all live connections; with `forgetNamespaces` as a restart of EvolutionAPI does. */
	dropLive({ forgetNamespaces = false } = {}): void {
		this.parts.events.dropLive(forgetNamespaces);
	}

	/** A live event goes out as it is given, whatever is set. */
	emitLive(instance: string, event: string, payload: unknown): void {
		this.parts.events.emitLiveAsIs(instance, event, payload);
	}

	/** Writes database rows, as if they had been there before; nothing is logged. */
	addRows(rows: Rows): void {
		const given = checked(rowsSchema, rows, 'rows');
		this.parts.state.addRows(this.instance(given.instance), given);
	}

	/** Calls `listener` when a message has reached WhatsApp, before its answer; returns how to stop. In-process only. */
	onMessage(listener: MessageListener): () => void {
		this.parts.whatsapp.listeners.add(listener);
		return () => this.parts.whatsapp.listeners.delete(listener);
	}

	/** Resolves with the messages once there are at least `count`; rejects after `timeoutMs`. In-process only. */
	async waitForMessages(count: number, timeoutMs = 5000): Promise<MessageEntry[]> {
		await this.waitUntil(() => this.messages().length >= count, timeoutMs, `${count} messages`);
		return this.messages();
	}

	/** Resolves once `condition` holds, asked anew whenever something happens; rejects after `timeoutMs`. In-process only. */
	waitUntil(condition: () => boolean, timeoutMs = 5000, what = 'the condition'): Promise<void> {
		if (condition()) return Promise.resolve();
		return new Promise((resolve, reject) => {
			const end = (settle: () => void) => { clearTimeout(timer); unwatch(); settle(); };
			const unwatch = this.parts.state.watch(() => { if (condition()) end(resolve); });
			const timer = setTimeout(() => end(() => reject(new Error(`The simulator waited ${timeoutMs} ms in vain for ${what}; ${this.messages().length} messages reached WhatsApp`))), timeoutMs);
		});
	}

	private instance(name: string): Instance {
		const instance = this.parts.state.instances.get(name);
		if (!instance) throw new ControlInputError(`instance: there is none named "${name}"`);
		return instance;
	}
}
