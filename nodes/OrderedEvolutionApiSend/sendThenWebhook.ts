// "Send Text, Then Call Webhook": reads the items, hands them to the engine, makes items of its outcomes.
import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { CheckFailedError, notStarted, only, type OrderedCall, OrderedSendError, type Origin, type Outcome, type StoreAccess, toOrderedSend, unexpected } from '../../ordering';
import { withEngine } from '../engine';
import { egressFilter } from '../shared/egress';
import { failureOf, toItem, toNodeError } from '../shared/outcomes';
import { readServerAccess } from '../shared/serverAccess';
import { readStore } from '../shared/store';
import { readWebhookSecrets } from '../shared/webhookSecrets';

export async function sendThenWebhook(this: IExecuteFunctions): Promise<INodeExecutionData[]> {
	const signal = this.getExecutionCancelSignal();
	const stopOnFailure = !this.continueOnFail();
	const items = this.getInputData();
	const outcomes: Outcome[] = items.map(() => ({ replayed: false, failure: notStarted }));
	const calls: OrderedCall[] = [];
	const indices: number[] = [];
	let store: StoreAccess | undefined;
	for (let i = 0; i < items.length; i++) {
		try {
			store ??= await readStore(this, i);
			calls.push(await readCall.call(this, i));
			indices.push(i);
		} catch (error) {
			if (stopOnFailure) throw toNodeError.call(this, i, { replayed: false, failure: only(error, OrderedSendError).failure });
			outcomes[i] = { replayed: false, failure: failureOf(error, 'notReadable') };
		}
	}
	try {
		const results = await withEngine(store, (engine) => engine.run(calls, { signal, egress: egressFilter(this.helpers), stopOnFailure }));
		for (const [position, outcome] of results.entries()) outcomes[indices[position] as number] = outcome;
	} catch (error) {
		const [reason, position] = error instanceof CheckFailedError ? [error.reason, error.index] : [error, 0];
		if (stopOnFailure) throw toNodeError.call(this, indices[position] ?? 0, { replayed: false, failure: only(reason, OrderedSendError).failure });
		for (const i of indices) outcomes[i] = { replayed: false, failure: failureOf(reason, unexpected) };
	}
	const failed = outcomes.filter(({ failure }) => failure);
	// an item that was not begun is not the cause, unless the execution was cancelled before any was
	const cause = failed.find(({ failure }) => failure !== notStarted) ?? failed[0];
	if (stopOnFailure && cause) throw toNodeError.call(this, outcomes.indexOf(cause), cause);
	return outcomes.map((outcome, i) => toItem.call(this, i, outcome));
}

async function readCall(this: IExecuteFunctions, i: number): Promise<OrderedCall> {
	const parameter = (name: string, fallback?: unknown) => this.getNodeParameter(name, i, fallback) as unknown;
	const headers = (parameter('webhookHeaders', {}) ?? {}) as { header?: unknown };
	const input = {
		instanceName: this.getNodeParameter('instanceName', i, '', { extractValue: true }),
		number: parameter('number'),
		text: parameter('text'),
		waitFor: parameter('waitFor'),
		delaySeconds: parameter('delaySeconds', 1),
		ackTimeoutSeconds: parameter('ackTimeoutSeconds', 30),
		onAckTimeout: parameter('onAckTimeout', 'stop'),
		callWebhook: parameter('callWebhook'),
		webhookUrl: parameter('webhookUrl', ''),
		webhookMethod: parameter('webhookMethod', 'POST'),
		webhookBody: parameter('webhookBody', ''),
		webhookHeaders: headers.header ?? [],
		options: parameter('options', {}),
	};
	const secrets = parameter('webhookAuthentication', 'none') === 'credential' && input.callWebhook ? await readWebhookSecrets(this, i) : {};
	return { send: toOrderedSend(await readServerAccess(this, i), input, secrets), origin: originOf.call(this, i) };
}

/**
 * What makes the default transaction ID. A tool call by an older agent has another run index at each try of "Retry On
 * Fail", so there the index can't be part of it.
 */
function originOf(this: IExecuteFunctions, i: number): Origin {
	const { id: nodeId } = this.getNode();
	return {
		instanceId: this.getInstanceId(),
		workflowId: this.getWorkflow().id ?? '',
		nodeId,
		executionId: this.getExecutionId(),
		startedAt: this.getExecutionContext?.()?.establishedAt,
		runIndex: this.isToolExecution() ? 0 : Number(this.getWorkflowDataProxy(i).$runIndex),
		item: i,
		isRetry: this.getMode() === 'retry',
	};
}
