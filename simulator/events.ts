// EvolutionAPI's push: webhooks (not awaited, retried one by one) and socket.io live events.

import { setTimeout as sleep } from 'node:timers/promises';
import { type Namespace, Server as SocketServer } from 'socket.io';
import type { Server } from 'node:http';
import type { Rule } from './rules';
import type { Instance, State } from './state';

export type EventName = 'send.message' | 'messages.update' | 'messages.delete';

/** How the events of one message are delivered. */
export type Delivery = NonNullable<Rule['events']>;

/** Live connections, by instance (`/` is the root namespace): how many stand, and how many ever did. */
export interface LiveCounts {
	/** Every try of a client, refused ones included. */
	tries: number;
	open: Record<string, number>;
	ever: Record<string, number>;
}

export class Events {
	private readonly io: SocketServer | undefined;
	private readonly counts: LiveCounts = { tries: 0, open: {}, ever: {} };
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

	/** Live only: an event as it is given, to the namespace of the instance, which is made if need be. */
	emitLiveAsIs(instance: string, event: string, payload: unknown): void {
		this.io?.of(`/${instance}`).emit(event, payload);
	}

	live(): LiveCounts {
		return structuredClone(this.counts);
	}

	/** Cuts all live connections without a farewell. As after a restart, namespaces are gone where asked for. */
	dropLive(forgetNamespaces: boolean): void {
		// protected in the types, but the one place that holds all of them
		const { clients } = (this.io?.engine ?? { clients: {} }) as unknown as { clients: Record<string, { close(discard: boolean): void }> };
		for (const client of Object.values(clients)) client.close(true);
		if (!forgetNamespaces) return;
		for (const name of [...(this.io?._nsps.keys() ?? [])]) if (name !== '/') this.io?._nsps.delete(name);
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
		const io = new SocketServer(server, {
			cors: { origin: '*' },
			// A real server by default lets its own host in without a key; here the key is always asked for.
			allowRequest: (request, callback) => {
				this.counts.tries += 1;
				this.state.changed();
				if (this.state.settings.refuseLive) return callback('Bad request', false);
				const query = new URL(request.url ?? '', 'http://localhost').searchParams;
				const key = query.get('apikey') ?? request.headers.apikey;
				const tokens = [...this.state.instances.values()].map(({ token }) => token);
				if (!key) return callback('apiKey is required', false);
				callback('Invalid global token', key === this.state.apiKey || tokens.includes(String(key)));
			},
		});
		this.count(io.of('/'));
		io.on('new_namespace', (namespace) => this.count(namespace));
		return io;
	}

	private count(namespace: Namespace): void {
		const name = namespace.name === '/' ? '/' : namespace.name.slice(1);
		namespace.on('connection', (socket) => {
			this.counts.open[name] = (this.counts.open[name] ?? 0) + 1;
			this.counts.ever[name] = (this.counts.ever[name] ?? 0) + 1;
			this.state.changed();
			socket.once('disconnect', () => {
				this.counts.open[name] = (this.counts.open[name] ?? 1) - 1;
				this.state.changed();
			});
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
