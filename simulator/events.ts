// EvolutionAPI's push: webhooks (not awaited, retried one by one) and socket.io live events.

import { setTimeout as sleep } from 'node:timers/promises';
import { Server as SocketServer } from 'socket.io';
import type { Server } from 'node:http';
import type { Rule } from './rules';
import type { Instance, State } from './state';

export type EventName = 'send.message' | 'messages.update';

/** How the events of one message are delivered. */
export type Delivery = NonNullable<Rule['events']>;

export class Events {
	private readonly io: SocketServer | undefined;
	private readonly closing = new AbortController();

	constructor(
		private readonly state: State,
		server: Server,
		private readonly serverUrl: () => string,
		/** False is WEBSOCKET_ENABLED=false. */
		readonly websocket: boolean,
	) {
		this.io = websocket ? this.openSocket(server) : undefined;
	}

	/** Sends an event on its ways; returns at once. */
	emit(instance: Instance, event: EventName, data: Record<string, unknown>, delivery: Delivery = {}): void {
		const payload = {
			event,
			instance: instance.name,
			data: structuredClone(data),
			server_url: this.serverUrl(),
			date_time: new Date().toISOString(),
			...(instance.channel === 'WHATSAPP-BAILEYS' && { sender: senderOf(instance) }),
			apikey: instance.token,
		};
		for (let copy = 0; copy < (delivery.times ?? 1); copy++) {
			if (delivery.delayMs) setTimeout(() => this.deliver(instance, payload), delivery.delayMs).unref();
			else this.deliver(instance, payload);
		}
	}

	async close(): Promise<void> {
		this.closing.abort();
		await this.io?.close();
	}

	private deliver(instance: Instance, payload: { event: EventName }): void {
		if (this.closing.signal.aborted) return;
		this.emitLive(instance, payload);
		void this.callWebhook(instance, payload);
	}

	private emitLive(instance: Instance, payload: { event: EventName }): void {
		if (this.state.settings.globalEvents) this.io?.emit(payload.event, payload);
		const wanted = instance.websocket;
		// `of` makes the namespace: it does not exist before the first event (trap 11).
		if (wanted?.enabled && wanted.events.includes(configName(payload.event))) {
			this.io?.of(`/${instance.name}`).emit(payload.event, payload);
		}
	}

	private async callWebhook(instance: Instance, payload: { event: EventName }): Promise<void> {
		const webhook = instance.webhook;
		if (!webhook?.enabled || !webhook.events.includes(configName(payload.event))) return;
		const url = webhook.webhookByEvents ? `${webhook.url}/${payload.event.replace('.', '-')}` : webhook.url;
		const body = JSON.stringify({ ...payload, destination: webhook.url });
		let wait = this.state.settings.webhookFirstWaitMs;
		for (let attempt = 1; attempt <= this.state.settings.webhookAttempts; attempt++) {
			if (await this.delivered(url, body, webhook.headers ?? {})) return;
			await sleep(wait, undefined, { signal: this.closing.signal, ref: false }).catch(() => undefined);
			if (this.closing.signal.aborted) return;
			wait *= 2;
		}
	}

	private async delivered(url: string, body: string, headers: Record<string, string>): Promise<boolean> {
		try {
			const signal = AbortSignal.any([this.closing.signal, AbortSignal.timeout(30_000)]);
			const answer = await fetch(url, { method: 'POST', body, signal, headers: { 'content-type': 'application/json', ...headers } });
			await answer.body?.cancel();
			return answer.ok;
		} catch {
			return false;
		}
	}

	private openSocket(server: Server): SocketServer {
		return new SocketServer(server, {
			cors: { origin: '*' },
			// A real server by default lets its own host in without a key; here the key is always asked for.
			allowRequest: (request, callback) => {
				const query = new URL(request.url ?? '', 'http://localhost').searchParams;
				const key = query.get('apikey') ?? request.headers.apikey;
				const tokens = [...this.state.instances.values()].map(({ token }) => token);
				if (!key) return callback('apiKey is required', false);
				callback('Invalid global token', key === this.state.apiKey || tokens.includes(String(key)));
			},
		});
	}
}

/** The phone's own JID, which Baileys events carry. */
export function senderOf(instance: Instance): string {
	return instance.state === 'open' ? '5511900000001@s.whatsapp.net' : '';
}

function configName(event: EventName): string {
	return event.replace('.', '_').toUpperCase();
}
