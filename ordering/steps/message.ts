// The message of a send, as it was planned and as it goes out.
import type { Message } from '../../evolution/messages/message';
import type { Definition, PlannedSend } from '../plan';
import { resolvedMessage } from '../sequence/references';
import type { Step, Transaction } from '../transaction';

export function plannedSend({ plan }: Definition, { index }: Step): PlannedSend {
	const planned = plan[index];
	if (planned?.type !== 'send') throw new Error(`Step ${index} is no send`);
	return planned;
}

/** With what it takes from earlier steps; a file stands in it by its mark. */
export function messageOf({ definition, transaction }: { definition: Definition; transaction: Transaction }, step: Step): Message {
	const { message, refers } = plannedSend(definition, step);
	return refers ? resolvedMessage(message, transaction) : message;
}
