// An error as n8n shows it, in this package's own words.
import { type INode, NodeOperationError } from 'n8n-workflow';

/** n8n's panel is some 40 letters wide, breaks no word, and cuts off a line that sticks out: a message's ID is such a word. */
const tooLongAWord = /[^\s/?-]{37,}/g;

/**
 * n8n 2.41 puts a sentence of its own in place of one that names a system's error anywhere, such as ECONNRESET: that
 * loses whether anything was sent, and says "You can retry the request immediately" where nobody knows.
 */
export function nodeErrorOf(node: INode, message: string, options: { itemIndex?: number; description?: string }): NodeOperationError {
	const shown = message.replaceAll(tooLongAWord, (word) => `${word.slice(0, 16)}…${word.slice(-16)}`);
	const error = new NodeOperationError(node, shown, options);
	error.message = shown;
	error.messages = [];
	return error;
}
