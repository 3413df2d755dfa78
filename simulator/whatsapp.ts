// The simulated WhatsApp behind the simulated EvolutionAPI: it takes messages, logs them, and acknowledges.

import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Events } from './events';
import { isGroupOrBroadcast } from './numbers';
import type { Rule } from './rules';
import type { AckPlan, AckStatus, Channel } from './schemas';
import type { Instance, MessageEntry, MessageRow, State } from './state';
import { newRowId } from './state';

/** Called when a message has reached WhatsApp, before anything is answered; the answer waits for a promise. */
export type MessageListener = (message: MessageEntry) => void | Promise<void>;

/** What EvolutionAPI hands over to WhatsApp. */
export interface Outgoing {
	instance: Instance;
	type: string;
	jid: string;
	number: string;
	text: string;
	/** What EvolutionAPI puts into `key.remoteJid`. */
	remoteJid: string;
	message: Record<string, unknown>;
	messageType: string;
	requestId: string;
	/** False: the insert of the row fails. */
	saved: boolean;
	rule: Rule | undefined;
}

/** A message that went out, in the shape that the channel answers and emits. */
export type SentMessage = Record<string, unknown> & Pick<MessageRow, 'key' | 'message' | 'messageType' | 'messageTimestamp'>;

const ACKS: Record<Channel, AckPlan> = {
	// READ comes only when told to. On Baileys no SERVER_ACK is emitted for a good send as a rule (trap 4).
	'WHATSAPP-BUSINESS': [{ status: 'SENT', afterMs: 30 }, { status: 'DELIVERED', afterMs: 60 }],
	'WHATSAPP-BAILEYS': [{ status: 'DELIVERY_ACK', afterMs: 60 }],
	EVOLUTION: [],
};

export class WhatsApp {
	readonly listeners = new Set<MessageListener>();
	private readonly timers = new Set<NodeJS.Timeout>();
	private readonly lastOut = new Map<string, number>();
	private counter = 0;

	constructor(private readonly state: State, private readonly events: Events) {}

	/** Sends: logs it, tells the listeners, plans the acknowledgements, writes the row, emits `send.message`. */
	async send(outgoing: Outgoing): Promise<SentMessage> {
		const { instance, rule, jid } = outgoing;
		if (rule?.sendAfterMs) await sleep(rule.sendAfterMs);
		const sent = this.build(outgoing);
		this.lastOut.set(`${instance.name} ${jid}`, Date.now());
		const entry = this.state.record<MessageEntry>({
			kind: 'message',
			instance: instance.name,
			channel: instance.channel,
			type: outgoing.type,
			jid,
			number: outgoing.number,
			text: outgoing.text,
			messageId: sent.key.id,
			requestId: outgoing.requestId,
		});
		this.planAcks(outgoing, sent);
		await Promise.all([...this.listeners].map((listener) => listener(entry)));
		// Emitted before the insert, and so also when the insert fails.
		this.events.emit(instance, 'send.message', sent, rule?.events);
		if (rule?.saveAfterMs) await sleep(rule.saveAfterMs);
		if (outgoing.saved && instance.saveMessages) this.save(instance, sent);
		return sent;
	}

	/** True if Meta's pair limit refuses a message to this chat now. */
	pairLimited(instance: Instance, jid: string): boolean {
		const last = this.lastOut.get(`${instance.name} ${jid}`);
		return last !== undefined && Date.now() - last < instance.pairGapMs;
	}

	/** An acknowledgement reaches EvolutionAPI. Without the message's row it is dropped: no row, no event (trap 4). */
	acknowledge(instance: Instance, keyId: string, status: AckStatus, remoteJid?: string, delivery?: Rule['events']): void {
		const row = this.state.messageByKeyId(instance, keyId);
		// With unsaved messages there is no row to look for; Baileys then emits the event all the same.
		const unsaved = !instance.saveMessages && instance.channel === 'WHATSAPP-BAILEYS';
		const kept = row !== undefined || unsaved;
		this.state.record({ kind: 'ack', instance: instance.name, messageId: keyId, status, kept });
		if (!kept) return;
		const jid = row?.key.remoteJid ?? remoteJid ?? '';
		if (row && instance.saveMessageUpdate) this.state.addStatus(instance, { keyId, remoteJid: jid, status, messageId: row.id });
		this.events.emit(instance, 'messages.update', {
			...(row && { messageId: row.id }),
			keyId,
			remoteJid: jid,
			fromMe: instance.channel !== 'WHATSAPP-BUSINESS',
			...(instance.channel === 'WHATSAPP-BUSINESS' && { participant: jid }),
			status,
			instanceId: instance.id,
		}, delivery);
	}

	/**
	 * A message is deleted for everyone: its row stays, marked (as with DATABASE_DELETE_MESSAGE=true; else it would go),
	 * and `messages.delete` is emitted. Without a row nothing is told (read in the source).
	 */
	takeBack(instance: Instance, keyId: string): void {
		const row = this.state.messageByKeyId(instance, keyId);
		if (!row) return;
		row.key.deleted = true;
		if (instance.saveMessageUpdate) this.state.addStatus(instance, { keyId, remoteJid: row.key.remoteJid, status: 'DELETED', messageId: row.id });
		const { id, instanceId, key, messageType, source, messageTimestamp, pushName, message } = row;
		this.events.emit(instance, 'messages.delete', { id, instanceId, key, messageType, status: 'DELETED', source, messageTimestamp, pushName, message });
	}

	/** Forgets planned acknowledgements. */
	stop(): void {
		for (const timer of this.timers) clearTimeout(timer);
		this.timers.clear();
	}

	private planAcks(outgoing: Outgoing, sent: SentMessage): void {
		const { instance, rule } = outgoing;
		for (const { status, afterMs } of this.ackPlan(outgoing)) {
			const timer = setTimeout(() => {
				this.timers.delete(timer);
				this.acknowledge(instance, sent.key.id, status, sent.key.remoteJid, rule?.events);
			}, afterMs);
			this.timers.add(timer);
		}
	}

	private ackPlan({ instance, jid, rule }: Outgoing): AckPlan {
		if (rule?.acks) return rule.acks;
		if (instance.channel === 'EVOLUTION') return [];
		if (instance.channel === 'WHATSAPP-BAILEYS' && isGroupOrBroadcast(jid)) return [];
		if (this.state.factsOf(jid).exists === false) return [{ status: 'FAILED', afterMs: 30 }];
		return instance.acks ?? ACKS[instance.channel];
	}

	private save(instance: Instance, sent: SentMessage): void {
		this.state.addMessage({
			id: newRowId(),
			key: sent.key,
			pushName: null,
			messageType: sent.messageType,
			message: sent.message,
			messageTimestamp: sent.messageTimestamp,
			instanceId: instance.id,
			source: 'unknown',
			contextInfo: null,
		});
	}

	private build({ instance, remoteJid, message, messageType }: Outgoing): SentMessage {
		const common = {
			key: { fromMe: true, id: this.newId(instance.channel), remoteJid },
			message,
			messageType,
			// Rounded, not cut: it may lie up to half a second ahead.
			messageTimestamp: Math.round(Date.now() / 1000),
		};
		if (instance.channel === 'EVOLUTION') return { ...common, source: 'unknown', instanceId: instance.id };
		if (instance.channel === 'WHATSAPP-BUSINESS') return { ...common, instanceId: instance.id, status: 'PENDING', source: 'unknown' };
		return { ...common, pushName: '', status: 'PENDING', contextInfo: null, instanceId: instance.id, source: 'unknown' };
	}

	private newId(channel: Channel): string {
		if (channel === 'EVOLUTION') return randomUUID();
		if (channel === 'WHATSAPP-BAILEYS') return `3EB0${randomBytes(9).toString('hex').toUpperCase()}`;
		return `wamid.${Buffer.from(`simulated-${Date.now()}-${++this.counter}-${randomBytes(4).toString('hex')}`).toString('base64')}`;
	}
}
