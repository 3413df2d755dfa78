// What all transactions of a process share towards the outside: one client a server and key, one schedule of receipts a server.
import { HttpClient } from '../evolution/http';
import { EvolutionServer, type ServerAccess, serverAddress } from '../evolution/server';
import { ReceiptWaits } from './receipts/waits';
import type { Settings } from './settings';

export class Connections {
	readonly http = new HttpClient();
	private readonly servers = new Map<string, EvolutionServer>();
	private readonly receipts = new Map<string, ReceiptWaits>();

	constructor(private readonly settings: Settings) {}

	serverOf(access: ServerAccess): EvolutionServer {
		const key = JSON.stringify([serverAddress(access.baseUrl), access.apiKey, access.ignoreSslIssues ?? false]);
		const server = this.servers.get(key) ?? new EvolutionServer(access);
		this.servers.set(key, server);
		return server;
	}

	/** `server` is its address. */
	receiptsOf(server: string): ReceiptWaits {
		const waits = this.receipts.get(server) ?? new ReceiptWaits(this.settings.poll);
		this.receipts.set(server, waits);
		return waits;
	}

	close(): void {
		for (const server of this.servers.values()) server.close();
		this.http.close();
	}
}
