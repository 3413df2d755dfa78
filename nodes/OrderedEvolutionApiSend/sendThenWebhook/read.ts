// Reads the parameters of "Send Text, Then Call Webhook".
import type { IExecuteFunctions } from 'n8n-workflow';
import { type OrderedCall, toOrderedSend } from '../../../ordering';
import { readServerAccess } from '../../shared/serverAccess';
import { readWebhookSecrets } from '../../shared/webhookSecrets';
import { entriesOf } from '../common/collections';
import { originOf, readOptions, readRecipient } from '../common/read';

/** Throws `InvalidInputError` for the first field that is wrong. */
export async function readSendThenWebhook(this: IExecuteFunctions, i: number): Promise<OrderedCall> {
	const parameter = (name: string, fallback?: unknown) => this.getNodeParameter(name, i, fallback) as unknown;
	const input = {
		...readRecipient.call(this, i),
		text: parameter('text'),
		waitFor: parameter('waitFor'),
		delaySeconds: parameter('delaySeconds', 1),
		ackTimeoutSeconds: parameter('ackTimeoutSeconds', 30),
		onAckTimeout: parameter('onAckTimeout', 'stop'),
		callWebhook: parameter('callWebhook'),
		webhookUrl: parameter('webhookUrl', ''),
		webhookMethod: parameter('webhookMethod', 'POST'),
		webhookBody: parameter('webhookBody', ''),
		webhookHeaders: entriesOf(parameter('webhookHeaders', {}), 'header'),
		options: readOptions.call(this, i),
	};
	const secrets = parameter('webhookAuthentication', 'none') === 'credential' && input.callWebhook ? await readWebhookSecrets(this, i) : {};
	return { send: toOrderedSend(await readServerAccess(this, i), input, secrets), origin: originOf.call(this, i) };
}
