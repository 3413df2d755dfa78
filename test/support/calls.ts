// Builds what the engine is called with.
import type { OrderedCall, Origin } from '../../ordering/engine';
import { toOrderedSend, type WebhookSecrets } from '../../ordering/orderedSend';
import type { ServerAccess } from '../../evolution/server';

/** Parameters under their names in the public contract; `options` merged into the defaults. */
export interface CallInput {
	instanceName?: string;
	number?: string;
	text?: string;
	waitFor?: 'accepted' | 'delay' | 'sent' | 'delivered' | 'read';
	delaySeconds?: number;
	ackTimeoutSeconds?: number;
	onAckTimeout?: 'stop' | 'continue';
	callWebhook?: boolean;
	webhookUrl?: string;
	webhookMethod?: 'DELETE' | 'GET' | 'PATCH' | 'POST' | 'PUT';
	webhookBody?: unknown;
	webhookHeaders?: Array<{ name: string; value: string }>;
	options?: Record<string, unknown>;
}

let executions = 0;

/** The next execution of one workflow, as if n8n had started it. */
export function origin(given: Partial<Origin> = {}): Origin {
	return { instanceId: 'n8n-1', workflowId: 'workflow-1', nodeId: 'node-1', executionId: String(++executions), startedAt: 1_700_000_000_000 + executions, runIndex: 0, item: 0, isRetry: false, ...given };
}

/** One call; times are short, so that a failing test does not take minutes. */
export function orderedCall(access: ServerAccess, input: CallInput = {}, more: { origin?: Partial<Origin>; secrets?: Partial<WebhookSecrets> } = {}): OrderedCall {
	const { options, ...parameters } = input;
	const send = toOrderedSend(
		access,
		{ instanceName: 'meta1', number: '5511988887777', text: 'Hello', ackTimeoutSeconds: 2, callWebhook: input.webhookUrl !== undefined, ...parameters, options: { requestTimeoutSeconds: 1, queueTimeoutSeconds: 10, ...options } },
		more.secrets,
	);
	return { send, origin: origin(more.origin) };
}
