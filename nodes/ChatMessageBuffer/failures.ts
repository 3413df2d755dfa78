// Failures as n8n shows them. Messages that are in the buffer stay there, whatever fails.
import type { IDataObject, IExecuteFunctions, INodeExecutionData, NodeOperationError } from 'n8n-workflow';
import { unexpected } from '../../ordering';
import { nodeErrorOf } from '../shared/nodeError';
import { failureOf } from '../shared/outcomes';

export function toNodeError(this: IExecuteFunctions, itemIndex: number, error: unknown): NodeOperationError {
	const { message, hint, code } = failureOf(error, unexpected);
	const nodeError = nodeErrorOf(this.getNode(), message, { itemIndex, description: hint });
	nodeError.context.code = code;
	return nodeError;
}

/** With "continue", at the output "Held Back"; n8n moves it to the error output where there is one (see nodes/shared/outcomes.ts). */
export function errorItem(this: IExecuteFunctions, i: number, error: unknown): INodeExecutionData {
	const failure = failureOf(error, unexpected) as unknown as IDataObject;
	const pairedItem = { item: i };
	if (this.getNode().onError === 'continueErrorOutput') return { json: { error: failure.message, details: { reason: 'error', error: failure } }, pairedItem };
	return { json: { reason: 'error', error: failure }, pairedItem };
}
