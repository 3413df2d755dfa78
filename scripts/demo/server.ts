// Where the demo sends to: the simulator, or the real EvolutionAPI server that the environment names.
import { toRecipient } from '../../evolution/recipient';
import { EvolutionServer } from '../../evolution/server';
import { startSimulator } from '../../simulator';
import type { TimelineEvent } from './timeline';

export interface DemoServer {
	description: string;
	instance: string;
	number: string;
	/** A number to which no message can be delivered. */
	refusedNumber: string;
	credential: { baseUrl: string; apiKey: string; ignoreSslIssues: boolean };
	/** Makes WhatsApp refuse the next text, where that can be told. */
	refuseNext(): void;
	/** What reached WhatsApp since `since` (ms since 1970), as WhatsApp's end tells it. */
	events(since: number, number: string): Promise<TimelineEvent[]>;
	close(): Promise<void>;
}

/** EVOLUTION_URL, EVOLUTION_KEY, EVOLUTION_INSTANCE and WHATSAPP_NUMBER together name a real server; none: the simulator. */
export async function evolutionFromEnvironment(): Promise<DemoServer> {
	const names = ['EVOLUTION_URL', 'EVOLUTION_KEY', 'EVOLUTION_INSTANCE', 'WHATSAPP_NUMBER'];
	const missing = names.filter((name) => !process.env[name]);
	if (missing.length === names.length) return await simulated();
	if (missing.length > 0) throw new Error(`To use a real EvolutionAPI server, set ${missing.join(' and ')}, too`);
	const [baseUrl = '', apiKey = '', instance = '', number = ''] = names.map((name) => process.env[name]);
	return real(baseUrl, apiKey, instance, number);
}

async function simulated(): Promise<DemoServer> {
	const simulator = await startSimulator();
	return {
		description: 'the EvolutionAPI simulator',
		instance: 'meta1',
		number: '5511988887777',
		refusedNumber: '5511977776666',
		credential: { baseUrl: simulator.url, apiKey: simulator.apiKey, ignoreSslIssues: false },
		refuseNext: () => void simulator.control.addRule({ route: 'sendText', times: 1, answer: { kind: 'metaRefusal', code: 131026, message: '(#131026) Message undeliverable' } }),
		events: async (since) => [
			...simulator.control.messages().map(({ at, text }) => ({ at, who: 'WhatsApp' as const, what: `the text arrived: "${text}"` })),
			...simulator.control.acks().map(({ at, status }) => ({ at, who: 'WhatsApp' as const, what: `acknowledged: ${status}` })),
		].filter(({ at }) => at >= since),
		close: () => simulator.close(),
	};
}

/** A number from the range that the US keep for fiction: it is on no phone, so nobody gets the text that is to be refused. */
const nobodysNumber = '12025550123';

function real(baseUrl: string, apiKey: string, instance: string, number: string): DemoServer {
	const credential = { baseUrl, apiKey, ignoreSslIssues: false };
	const server = new EvolutionServer(credential);
	const shown = new Set<string>();
	return {
		description: `EvolutionAPI at ${server.address}, instance ${instance}`,
		instance,
		number,
		refusedNumber: process.env.WHATSAPP_REFUSED_NUMBER ?? nobodysNumber,
		credential,
		refuseNext: () => {},
		events: async (since, to) => {
			// EvolutionAPI records whole seconds, so a message may seem up to a second early, and be found once more by the next run
			const messages = await server.ownMessages(instance, toRecipient(to).jid, Math.floor(since / 1000) * 1000, { timeoutMs: 10_000 });
			const fresh = messages.filter(({ messageId }) => !shown.has(messageId));
			for (const { messageId } of fresh) shown.add(messageId);
			return fresh.map(({ timestamp, text, receipts }) => ({
				at: timestamp * 1000,
				who: 'WhatsApp' as const,
				what: `EvolutionAPI has on record: "${text ?? ''}"${receipts.length > 0 ? ` (${receipts.join(', ')})` : ''}`,
			}));
		},
		close: async () => server.close(),
	};
}
