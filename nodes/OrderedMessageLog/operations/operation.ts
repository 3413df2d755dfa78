// What an operation is, and what those have in common that go on with a transaction.
import type { IExecuteFunctions, INodeExecutionData, INodeProperties, INodePropertyOptions } from 'n8n-workflow';
import { InvalidInputError, type RecoveryCall, toRecoveryRequest } from '../../../ordering';
import { egressFilter } from '../../shared/egress';
import { readServerAccess } from '../../shared/serverAccess';
import { readWebhookSecrets } from '../../shared/webhookSecrets';

/** What an output item holds. */
export type Given = Pick<INodeExecutionData, 'json' | 'binary'>;

/** Does the work for one item, and gives its output items. Throws `NotDoneError` where that is no success. */
export type Work = () => Promise<Given[]>;

export interface Operation {
	/** Its entry in the list of operations. */
	option: INodePropertyOptions;
	/** Its own part of the panel. */
	fields: INodeProperties[];
	/** Reads and checks the parameters of one item; nothing is done by this. */
	prepare(this: IExecuteFunctions, item: number): Promise<Work>;
}

export const transactionIdField = (operation: string, more: Record<string, string[]> = {}): INodeProperties => ({
	displayName: 'Transaction ID',
	name: 'transactionId',
	type: 'string',
	default: '',
	required: true,
	placeholder: 'e.g. {{ $json.transactionId }}',
	displayOptions: { show: { operation: [operation], ...more } },
	description: 'As the output or the error of Ordered EvolutionAPI Send tells it',
});

export const webhookAuthenticationField = (operation: string): INodeProperties => ({
	displayName: 'Webhook Authentication',
	name: 'webhookAuthentication',
	type: 'options',
	default: 'none',
	displayOptions: { show: { operation: [operation] } },
	description: 'Choose the credential that the sending node uses for its webhook. It is not on record, so a webhook that needs it can not be called without.',
	options: [
		{ name: 'None', value: 'none' },
		{ name: 'Credential', value: 'credential', description: 'A header, a signature, or both, from a Webhook Target credential' },
	],
});

const onInDoubtOption: INodeProperties = {
	displayName: 'If in Doubt',
	name: 'onInDoubt',
	type: 'options',
	default: 'stop',
	description: 'What to do when it can not be told whether the text went out, even after looking it up',
	options: [
		{ name: 'Stop', value: 'stop', description: 'Nothing is sent twice. You decide after a look into the chat.' },
		{ name: 'Send Again', value: 'sendAgain', description: 'The person may get the text twice. The result then says duplicatePossible.' },
	],
};

const queueTimeoutOption: INodeProperties = { displayName: 'Queue Timeout (Seconds)', name: 'queueTimeoutSeconds', type: 'number', typeOptions: { minValue: 0.5 }, default: 30, description: 'How long each transaction may wait for other messages to its chat' };

export const optionsField = (operation: string, maySend: boolean): INodeProperties => ({
	displayName: 'Options',
	name: 'options',
	type: 'collection',
	placeholder: 'Add option',
	default: {},
	displayOptions: { show: { operation: [operation] } },
	options: maySend ? [onInDoubtOption, queueTimeoutOption] : [queueTimeoutOption],
});

/** A collection itself can't hold a notice. */
export const sendAgainNotice: INodeProperties = {
	displayName: 'With Send Again in If in Doubt, the person may get a message twice',
	name: 'sendAgainNotice',
	type: 'notice',
	default: '',
	displayOptions: { show: { operation: ['recover', 'resume'], '/options.onInDoubt': ['sendAgain'] } },
};

/** Reads what all of them need. Throws `InvalidInputError`, which names the field. */
export async function readRecoveryCall(this: IExecuteFunctions, i: number): Promise<RecoveryCall> {
	const input = { transactionId: this.getNodeParameter('transactionId', i, ''), options: this.getNodeParameter('options', i, {}) };
	const hasSecrets = this.getNodeParameter('webhookAuthentication', i, 'none') === 'credential';
	const request = toRecoveryRequest(await readServerAccess(this, i), input, hasSecrets ? await readWebhookSecrets(this, i) : undefined);
	return { ...request, signal: this.getExecutionCancelSignal(), egress: egressFilter(this.helpers) };
}

/** The one that an operation is about. */
export function transactionIdOf({ transactionId }: RecoveryCall): string {
	if (transactionId === undefined) throw new InvalidInputError('transactionId', 'Transaction ID', 'is empty: enter the one that the sending node told');
	return transactionId;
}
