// Reads what both operations have in common.
import type { IExecuteFunctions } from 'n8n-workflow';
import type { Origin } from '../../../ordering';
import { entryOf } from './collections';

export function readRecipient(this: IExecuteFunctions, i: number): { instanceName: unknown; number: unknown } {
	return { instanceName: this.getNodeParameter('instanceName', i, '', { extractValue: true }), number: this.getNodeParameter('number', i) as unknown };
}

/** An option that was added and not filled in stays there, empty: the check tells of it, and nothing is left out silently. */
export function readOptions(this: IExecuteFunctions, i: number): Record<string, unknown> {
	const options = (this.getNodeParameter('options', i, {}) ?? {}) as Record<string, unknown>;
	if (options.afterEarlierMessages === undefined) return options;
	return { ...options, afterEarlierMessages: entryOf(options.afterEarlierMessages, 'rule') ?? {} };
}

/**
 * What makes the default transaction ID. A tool call by an older agent has another run index at each try of "Retry On
 * Fail", so there the index can't be part of it.
 */
export function originOf(this: IExecuteFunctions, i: number): Origin {
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
