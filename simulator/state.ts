// Everything the simulator remembers: instances, database rows, what reached "WhatsApp", and who asked what.

import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { toJid } from './numbers';
import type { AckPlan, AckStatus, Channel, InstanceSeed, NumberFacts, Rows } from './schemas';

export interface WebhookRow {
	id: string;
	url: string;
	headers: Record<string, string> | null;
	enabled: boolean;
	events: string[];
	webhookByEvents: boolean;
	webhookBase64: boolean;
	createdAt: string;
	updatedAt: string;
	instanceId: string;
}

export interface WebsocketRow {
	id: string;
	enabled: boolean;
	events: string[];
	createdAt: string;
	updatedAt: string;
	instanceId: string;
}

export interface Instance {
	name: string;
	channel: Channel;
	token: string;
	id: string;
	state: 'open' | 'connecting' | 'close';
	loaded: boolean;
	saveMessages: boolean;
	saveMessageUpdate: boolean;
	acks: AckPlan | undefined;
	pairGapMs: number;
	createdAt: string;
	settingId: string;
	webhook: WebhookRow | null;
	websocket: WebsocketRow | null;
}

export interface MessageKey {
	id: string;
	fromMe: boolean;
	remoteJid: string;
	[more: string]: unknown;
}

/** A row of EvolutionAPI's table Message. */
export interface MessageRow {
	id: string;
	key: MessageKey;
	pushName: string | null;
	messageType: string;
	message: Record<string, unknown>;
	/** Whole seconds since 1970 (trap 10). */
	messageTimestamp: number;
	instanceId: string;
	source: string;
	contextInfo: unknown;
}

/** A row of EvolutionAPI's table MessageUpdate. */
export interface StatusRow {
	id: string;
	keyId: string;
	remoteJid: string;
	fromMe: boolean;
	participant: string | null;
	pollUpdates: unknown;
	status: AckStatus;
	messageId: string | null;
	instanceId: string;
}

/** A message that reached "WhatsApp". `at`: milliseconds since 1970, with fractions. */
export interface MessageEntry {
	seq: number;
	at: number;
	kind: 'message';
	instance: string;
	channel: Channel;
	/** The route that sent it: `sendText`, … */
	type: string;
	jid: string;
	/** As the caller wrote it. */
	number: string;
	text: string;
	messageId: string;
	requestId: string;
}

/** An acknowledgement that WhatsApp told EvolutionAPI. */
export interface AckEntry {
	seq: number;
	at: number;
	kind: 'ack';
	instance: string;
	messageId: string;
	status: AckStatus;
	/** False: EvolutionAPI had no row of that message yet, and dropped it for ever. */
	kept: boolean;
}

/** A message that was taken back (deleted for everyone). */
export interface DeletionEntry {
	seq: number;
	at: number;
	kind: 'deletion';
	instance: string;
	messageId: string;
	requestId: string;
}

export type LogEntry = MessageEntry | AckEntry | DeletionEntry;

/** A request to EvolutionAPI. */
export interface RequestEntry {
	id: string;
	method: string;
	path: string;
	/** The path's action: `sendText`, `findMessages`, … */
	route: string;
	instance: string | undefined;
	/** What a look-up asks for, or undefined. */
	messageId: string | undefined;
	arrivedAt: number;
	/** Undefined while it runs. */
	endedAt: number | undefined;
	/** The status answered; `reset` or `aborted` when there was no complete answer. */
	status: number | 'reset' | 'aborted' | undefined;
	/** The ID of the rule that served it. */
	rule: string | undefined;
	/** Only with the setting `keepBodies`: files are large. */
	body?: Record<string, unknown>;
}

export interface Settings {
	globalEvents: boolean;
	refuseLive: boolean;
	webhookAttempts: number;
	webhookFirstWaitMs: number;
	keepBodies: boolean;
}

type Entry<T> = T extends LogEntry ? Omit<T, 'seq' | 'at'> : never;

/** Milliseconds since 1970, with fractions. */
export function now(): number {
	return performance.timeOrigin + performance.now();
}

/** A row ID in the form that EvolutionAPI's database gives. */
export function newRowId(): string {
	return `c${BigInt(`0x${randomBytes(16).toString('hex')}`).toString(36).padStart(24, '0').slice(-24)}`;
}

/** Sorts by something that has nothing to do with time: a database without ORDER BY promises no order. */
export function inNoOrder<T extends { id: string }>(rows: T[]): T[] {
	const scrambled = rows.map((row) => ({ row, by: createHash('md5').update(row.id).digest('hex') }));
	return scrambled.sort((a, b) => a.by.localeCompare(b.by)).map(({ row }) => row);
}

export class State {
	readonly instances = new Map<string, Instance>();
	readonly numbers = new Map<string, NumberFacts>();
	readonly log: LogEntry[] = [];
	readonly requests: RequestEntry[] = [];
	readonly settings: Settings = { globalEvents: false, refuseLive: false, webhookAttempts: 10, webhookFirstWaitMs: 5000, keepBodies: false };
	/** The most findStatusMessage requests that ran at once, by message ID. */
	readonly statusPeaks = new Map<string, number>();
	/** The findStatusMessage requests that run now, by message ID. */
	readonly statusRunning = new Map<string, number>();
	readonly messages: MessageRow[] = [];
	readonly statuses: StatusRow[] = [];

	private readonly byKeyId = new Map<string, MessageRow>();
	private readonly watchers = new Set<() => void>();
	private seq = 0;

	constructor(readonly apiKey: string) {}

	addInstance(seed: InstanceSeed): Instance {
		const instance: Instance = {
			name: seed.name,
			channel: seed.channel,
			token: seed.token ?? `token-of-${seed.name}`,
			id: seed.id ?? randomUUID(),
			state: seed.state ?? 'open',
			loaded: seed.loaded ?? true,
			saveMessages: seed.saveMessages ?? true,
			saveMessageUpdate: seed.saveMessageUpdate ?? true,
			acks: seed.acks,
			pairGapMs: seed.pairGapMs ?? 0,
			createdAt: new Date().toISOString(),
			settingId: newRowId(),
			webhook: null,
			websocket: null,
		};
		this.instances.set(instance.name, instance);
		return instance;
	}

	/** Adds rows, as if they had been there before. */
	addRows(instance: Instance, rows: Rows): void {
		for (const row of rows.messages ?? []) {
			this.addMessage({
				id: row.id ?? newRowId(),
				key: row.key,
				pushName: null,
				messageType: row.messageType ?? 'conversation',
				message: row.message ?? { conversation: '' },
				messageTimestamp: row.messageTimestamp ?? Math.round(Date.now() / 1000),
				instanceId: instance.id,
				source: 'unknown',
				contextInfo: null,
			});
		}
		for (const row of rows.statuses ?? []) {
			const message = this.messageByKeyId(instance, row.keyId);
			const remoteJid = row.remoteJid ?? message?.key.remoteJid ?? '';
			this.addStatus(instance, { keyId: row.keyId, remoteJid, status: row.status, messageId: message?.id ?? null });
		}
	}

	addMessage(row: MessageRow): void {
		this.messages.push(row);
		this.byKeyId.set(`${row.instanceId} ${row.key.id}`, row);
	}

	/** Writes a status row. On the Cloud channel `fromMe` is false for one's own message (a fact of 2.3.6). */
	addStatus(instance: Instance, row: Pick<StatusRow, 'keyId' | 'remoteJid' | 'status' | 'messageId'>): void {
		const cloud = instance.channel === 'WHATSAPP-BUSINESS';
		this.statuses.push({
			id: newRowId(),
			...row,
			fromMe: !cloud,
			participant: cloud ? row.remoteJid : null,
			pollUpdates: null,
			instanceId: instance.id,
		});
	}

	messageByKeyId(instance: Instance, keyId: string): MessageRow | undefined {
		return this.byKeyId.get(`${instance.id} ${keyId}`);
	}

	/** What is known of a number. The default: it is on WhatsApp. */
	factsOf(number: string): NumberFacts {
		return this.numbers.get(toJid(number)) ?? {};
	}

	/** Writes a log entry, with its number and time. */
	record<T extends LogEntry>(entry: Entry<T>): T {
		const complete = { seq: ++this.seq, at: now(), ...entry } as unknown as T;
		this.log.push(complete);
		this.changed();
		return complete;
	}

	/** Tells everyone who waits for something to happen. */
	changed(): void {
		for (const watcher of [...this.watchers]) watcher();
	}

	watch(watcher: () => void): () => void {
		this.watchers.add(watcher);
		return () => this.watchers.delete(watcher);
	}
}
