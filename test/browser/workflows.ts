// Workflows as they were made on an earlier day: a start, and nodes of ours behind it.
import type { SavedWorkflow } from '../../scripts/n8n/rest';
import type { Stage } from './stage';

export const START = 'Start';
const PACKAGE = 'n8n-nodes-ordered-evolutionapi';

export interface NodeOfOurs {
	/** Default the sending node. */
	type?: 'orderedEvolutionApiSend' | 'orderedMessageLog';
	parameters: object;
	credential?: { id: string; name: string };
}

/** The parameters of a send that goes well, to the chat of this number. */
export function goodSend({ receiver }: Stage, number: string): object {
	return { operation: 'sendThenWebhook', instanceName: { __rl: true, mode: 'name', value: 'meta1' }, number, text: 'Your order is confirmed', webhookUrl: `${receiver.url}/done` };
}

/** Makes a workflow in which each of these nodes, by name, hangs on the manual trigger; the first at its right, the others below. */
export async function makeWorkflow(stage: Stage, name: string, nodes: Record<string, NodeOfOurs>): Promise<SavedWorkflow> {
	const credential = await stage.credential();
	const ours = Object.entries(nodes).map(([nodeName, { type = 'orderedEvolutionApiSend', parameters, credential: own = credential }], index) => ({
		id: `node-${index}`,
		name: nodeName,
		type: `${PACKAGE}.${type}`,
		typeVersion: 1,
		position: [220 + 220 * (index % 4), 180 * Math.floor(index / 4)],
		credentials: { evolutionServerApi: { id: own.id, name: own.name } },
		parameters,
	}));
	return await stage.rest.createWorkflow({
		name,
		nodes: [{ id: 'start', name: START, type: 'n8n-nodes-base.manualTrigger', typeVersion: 1, position: [0, 0], parameters: {} }, ...ours],
		connections: { [START]: { main: [ours.map((node) => ({ node: node.name, type: 'main', index: 0 }))] } },
	});
}
