// An error as n8n shows it, in this package's own words.
import { type INode, NodeOperationError } from 'n8n-workflow';

/**
 * n8n 2.41 puts a sentence of its own in place of one that names a system's error anywhere, such as ECONNRESET: that
 * loses whether anything was sent, and says "You can retry the request immediately" where nobody knows.
 */
export function nodeErrorOf(node: INode, message: string, options: { itemIndex?: number; description?: string }): NodeOperationError {
	const error = new NodeOperationError(node, message, options);
	error.message = message;
	error.messages = [];
	return error;
}
