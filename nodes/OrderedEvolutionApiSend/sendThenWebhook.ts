// "Send Text, Then Call Webhook": reads the items, hands them to the engine, makes items of its outcomes.
import type { IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { NodeOperationError } from 'n8n-workflow';
import { CheckFailedError, type Failure, notStarted, type OrderedCall, type Origin, only, type Outcome, OrderedSendError, toOrderedSend, toResult, unexpected, wasSent, type WebhookSecrets, whatWasSent } from '../../ordering';
import { withEngine } from '../engine';
import { egressFilter } from './methods/egress';
import { readServerAccess } from './methods/serverAccess';
import { toWebhookSecrets, type WebhookTarget } from './methods/webhookSecrets';

export async function sendThenWebhook(this: IExecuteFunctions): Promise<INodeExecutionData[]> {
	const signal = this.getExecutionCancelSignal();
	const stopOnFailure = !this.continueOnFail();
	const items = this.getInputData();
	const outcomes: Outcome[] = items.map(() => ({ replayed: false, failure: notStarted }));
	const calls: OrderedCall[] = [];
	const indices: number[] = [];
	for (let i = 0; i < items.length; i++) {
		try {
			calls.push(await readCall.call(this, i));
			indices.push(i);
		} catch (error) {
			if (stopOnFailure) throw toNodeError.call(this, i, { replayed: false, failure: only(error, OrderedSendError).failure });
			outcomes[i] = { replayed: false, failure: failureOf(error, 'notReadable') };
		}
	}
	try {
		const results = await withEngine((engine) => engine.run(calls, { signal, egress: egressFilter(this.helpers), stopOnFailure }));
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

/**
 * With "continue", every error is an item: what is thrown then makes n8n 2.41 pass the input item on as a success. So
 * this takes n8n's own errors too, such as those of a credential that can't be read or of an expression.
 */
function failureOf(error: unknown, code: string): Failure {
	if (error instanceof OrderedSendError) return error.failure;
	const { message, description } = error as Error & { description?: string | null };
	return { code, message, ...(description ? { hint: description } : {}) };
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
	const secrets = parameter('webhookAuthentication', 'none') === 'credential' && input.callWebhook ? await readWebhookSecrets.call(this, i) : {};
	return { send: toOrderedSend(await readServerAccess(this, i), input, secrets), origin: originOf.call(this, i) };
}

async function readWebhookSecrets(this: IExecuteFunctions, i: number): Promise<Partial<WebhookSecrets>> {
	return toWebhookSecrets(await this.getCredentials<WebhookTarget & IDataObject>('webhookTargetApi', i));
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

/** The message of a failure: what happened, and what was sent. The hint is the error's description. */
function sentence({ transaction, failure }: Outcome): string {
	const what = (failure as Failure).message.replace(/[.!]?$/, '.');
	const without = failure?.code === unexpected ? 'Whether anything was sent is not known.' : 'Nothing was sent.';
	return `${what} ${transaction ? whatWasSent(transaction) : without}`;
}

function toNodeError(this: IExecuteFunctions, itemIndex: number, outcome: Outcome): NodeOperationError {
	const failure = outcome.failure as Failure;
	const error = new NodeOperationError(this.getNode(), sentence(outcome), { itemIndex, description: failure.hint });
	error.context.transaction = details(outcome);
	return error;
}

function details({ transaction, replayed, failure }: Outcome): IDataObject {
	const result = transaction ? toResult(transaction, replayed) : { status: 'failed' };
	const sent = transaction ? wasSent(transaction) : failure?.code === unexpected ? 'unknown' : 'no';
	return { ...result, error: { ...failure, sent } } as unknown as IDataObject;
}

/**
 * n8n empties an item that has `error` set, and moves an item to the error output when its JSON holds nothing but
 * `error`, `message` and `details` (n8n-core 2.41): so that is where the transaction stands then.
 */
function toItem(this: IExecuteFunctions, i: number, outcome: Outcome): INodeExecutionData {
	const pairedItem = { item: i };
	if (!outcome.failure) return { json: toResult(outcome.transaction as NonNullable<Outcome['transaction']>, outcome.replayed) as unknown as IDataObject, pairedItem };
	if (this.getNode().onError === 'continueErrorOutput') return { json: { error: sentence(outcome), details: details(outcome) }, pairedItem };
	return { json: details(outcome), pairedItem };
}
