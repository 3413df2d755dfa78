// The three workflows of the chain benchmark: the ordered node, the chain that users build today, and n8n with neither.
import type { WorkflowData } from '../n8n/rest';

export interface Saved {
	id: string;
	name: string;
}

type Node = Record<string, unknown> & { name: string };

/** Webhook → Ordered EvolutionAPI Send → answer. The body of the webhook's call is the node's own: its summary. */
export function orderedWorkflow(path: string, credential: Saved, receiverUrl: string): WorkflowData {
	return chainOf(path, [
		{
			name: 'Send',
			type: 'n8n-nodes-ordered-evolutionapi.orderedEvolutionApiSend',
			typeVersion: 1,
			credentials: { evolutionServerApi: credential },
			parameters: {
				operation: 'sendThenWebhook',
				instanceName: { __rl: true, mode: 'name', value: 'meta1' },
				number: '={{ $json.body.number }}',
				text: '={{ $json.body.text }}',
				waitFor: 'accepted',
				webhookUrl: `${receiverUrl}/${path}`,
			},
		},
	]);
}

/** Webhook → send node of the most used EvolutionAPI package → HTTP Request → answer; with a key, only for callers that have its header. */
export function unorderedWorkflow(path: string, credential: Saved, receiverUrl: string, key?: Saved): WorkflowData {
	return chainOf(path, [
		{
			name: 'Send',
			type: 'n8n-nodes-evolution-api.evolutionApi',
			typeVersion: 1,
			credentials: { evolutionApi: credential },
			parameters: { resource: 'messages-api', operation: 'send-text', instanceName: 'meta1', remoteJid: '={{ $json.body.number }}', messageText: '={{ $json.body.text }}', options_message: {} },
		},
		{
			name: 'Call',
			type: 'n8n-nodes-base.httpRequest',
			typeVersion: 4.2,
			parameters: { method: 'POST', url: `${receiverUrl}/${path}`, sendBody: true, specifyBody: 'json', jsonBody: '={{ JSON.stringify($json) }}', options: {} },
		},
	], key);
}

/** Webhook → a node that does nothing → answer: what n8n itself takes for an execution with as many nodes as the ordered one. */
export function emptyWorkflow(path: string): WorkflowData {
	return chainOf(path, [{ name: 'Nothing', type: 'n8n-nodes-base.noOp', typeVersion: 1, parameters: {} }]);
}

function chainOf(path: string, between: Node[], key?: Saved): WorkflowData {
	const protection = key && { parameters: { authentication: 'headerAuth' }, credentials: { httpHeaderAuth: key } };
	const webhook: Node = { name: 'Webhook', type: 'n8n-nodes-base.webhook', typeVersion: 2, webhookId: path, ...protection, parameters: { ...protection?.parameters, httpMethod: 'POST', path, responseMode: 'responseNode', options: {} } };
	const answer: Node = { name: 'Answer', type: 'n8n-nodes-base.respondToWebhook', typeVersion: 1.1, parameters: { respondWith: 'firstIncomingItem', options: {} } };
	const nodes = [webhook, ...between, answer].map((node, index) => ({ id: `${path}-${index}`, position: [index * 200, 0], ...node }));
	const links = nodes.slice(1).map(({ name }, index) => [nodes[index]?.name, { main: [[{ node: name, type: 'main', index: 0 }]] }]);
	return { name: path, settings: { executionOrder: 'v1' }, nodes, connections: Object.fromEntries(links) as Record<string, unknown> };
}
