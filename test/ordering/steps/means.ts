// The means of a run for tests of single steps: the simulator, a real ledger, short times.
import { HttpClient } from '../../../evolution/http';
import { EvolutionServer } from '../../../evolution/server';
import { SqliteLedger } from '../../../ordering/ledger/sqlite';
import { type OrderedSend, toOrderedSend } from '../../../ordering/orderedSend';
import { ReceiptWaits } from '../../../ordering/receipts/waits';
import { defaultSettings, type Settings } from '../../../ordering/settings';
import type { Run } from '../../../ordering/steps/step';
import { plannedSteps, type Transaction } from '../../../ordering/transaction';
import type { Simulator } from '../../../simulator';
import { endWithTest, simulated, temporaryFolder } from '../../evolution/helpers';

export const quick: Settings = { ...defaultSettings, lookUpMs: 300, lookUpEveryMs: 40, retryFirstMs: 10, pairLimitFirstMs: 10, poll: { firstMs: 20, factor: 1.5, mostMs: 100, atOnce: 8 } };

export interface Scene {
	simulator: Simulator;
	ledger: SqliteLedger;
	server: EvolutionServer;
	/** A transaction that is recorded, and the means to run it. */
	begin(id: string, input?: Record<string, unknown>, more?: { transaction?: Partial<Transaction>; run?: Partial<Run> }): Promise<Run>;
}

export async function scene(): Promise<Scene> {
	const simulator = await simulated();
	const ledger = SqliteLedger.open(temporaryFolder());
	const server = new EvolutionServer({ baseUrl: simulator.url, apiKey: simulator.apiKey });
	const http = new HttpClient();
	endWithTest(async () => {
		server.close();
		http.close();
		await ledger.close();
	});
	const begin: Scene['begin'] = async (id, input = {}, more = {}) => {
		const send: OrderedSend = toOrderedSend({ baseUrl: simulator.url, apiKey: simulator.apiKey }, { instanceName: 'meta1', number: '5511988887777', text: id, callWebhook: false, ...input, options: { requestTimeoutSeconds: 0.5, ...(input.options ?? {}) } });
		const transaction: Transaction = {
			id, chat: send.chat, status: 'open', content: 'hash', definition: send.definition, steps: plannedSteps(send.definition), failedForGood: false, duplicatePossible: false,
			queue: { ticket: 1, waitedMs: 0, late: false, fence: 1 }, createdAt: Date.now(), ...more.transaction,
		};
		await ledger.open(transaction);
		await ledger.save(transaction);
		return {
			transaction, definition: send.definition, send, server, http, ledger, receipts: new ReceiptWaits(quick.poll), settings: quick,
			pace: async () => 0, othersWaiting: async () => 0, save: () => ledger.save(transaction), saveIntent: () => ledger.saveIntent(transaction), ...more.run,
		};
	};
	return { simulator, ledger, server, begin };
}
