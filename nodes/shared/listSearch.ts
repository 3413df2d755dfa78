// The list of instances: name, channel and state. Tokens never leave ordering/.
import type { ILoadOptionsFunctions, INodeListSearchResult, NodeOperationError } from 'n8n-workflow';
import { EvolutionError, EvolutionServer, HttpFailure } from '../../ordering';
import { egressFilter } from './egress';
import { nodeErrorOf } from './nodeError';
import { readServerAccess } from './serverAccess';

const timeoutMs = 10_000;

const channelNames: Record<string, string> = {
	'WHATSAPP-BAILEYS': 'WhatsApp Web',
	'WHATSAPP-BUSINESS': 'Meta Cloud API',
	EVOLUTION: 'EvolutionAPI channel',
};

const stateNames: Record<string, string> = { open: 'connected', connecting: 'connecting', close: 'not connected' };

export async function searchInstances(this: ILoadOptionsFunctions, filter?: string): Promise<INodeListSearchResult> {
	let server: EvolutionServer | undefined;
	try {
		server = new EvolutionServer(await readServerAccess(this));
		const instances = await server.instances({ timeoutMs, egress: egressFilter(this.helpers) });
		const wanted = filter?.trim().toLowerCase() ?? '';
		return {
			results: instances
				.filter(({ name }) => name.toLowerCase().includes(wanted))
				.sort((a, b) => a.name.localeCompare(b.name))
				.map(({ name, channel, state }) => ({ name: `${name} (${channelNames[channel] ?? channel}, ${stateNames[state] ?? state})`, value: name })),
		};
	} catch (error) {
		if (error instanceof EvolutionError || error instanceof HttpFailure) throw listError(this, error);
		throw listError(this, new Error(`Base URL: ${(error as Error).message}`));
	} finally {
		server?.close();
	}
}

function listError(context: ILoadOptionsFunctions, error: Error): NodeOperationError {
	const hint = error instanceof EvolutionError ? error.hint : 'Open the EvolutionAPI credential and test it.';
	return nodeErrorOf(context.getNode(), `The instances could not be listed: ${error.message}`, { description: hint });
}
