// What all transactions of a process share towards the outside: one client a server and key, one poller a server.
import { HttpClient } from '../evolution/http';
import { EvolutionServer, type ServerAccess, serverAddress } from '../evolution/server';
import { ReceiptPoller } from './receipts/poller';
import type { Settings } from './settings';

export class Connections {
	readonly http = new HttpClient();
	private readonly servers = new Map<string, EvolutionServer>();
	private readonly pollers = new Map<string, ReceiptPoller>();

	constructor(private readonly settings: Settings) {}

	serverOf(access: ServerAccess): EvolutionServer {
		const key = JSON.stringify([serverAddress(access.baseUrl), access.apiKey, access.ignoreSslIssues ?? false]);
		const server = this.servers.get(key) ?? new EvolutionServer(access);
		this.servers.set(key, server);
		return server;
	}

	/** `server` is its address. */
	pollerOf(server: string): ReceiptPoller {
		const poller = this.pollers.get(server) ?? new ReceiptPoller(this.settings.poll);
		this.pollers.set(server, poller);
		return poller;
	}

	close(): void {
		for (const server of this.servers.values()) server.close();
		this.http.close();
	}
}
