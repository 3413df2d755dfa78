// Stands for the function of this name in ordering/ until that is there; then this file goes, and read.ts imports it.
import { InvalidInputError, type OrderedCall, type ServerAccess, type WebhookSecrets } from '../../../ordering';
import type { SequenceInput } from './read';

export const toOrderedSequence: (access: ServerAccess, input: SequenceInput, secrets: Partial<WebhookSecrets>) => OrderedCall['send'] = () => {
	throw new InvalidInputError('operation', 'Operation', 'this build can\'t run a sequence of steps yet');
};
