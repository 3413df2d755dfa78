// Reads the credential of the webhook's target.
import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';
import type { WebhookSecrets } from '../../ordering';

export interface WebhookTarget {
	headerName?: string;
	headerValue?: string;
	signingSecret?: string;
}

export async function readWebhookSecrets(context: IExecuteFunctions, itemIndex: number): Promise<WebhookSecrets> {
	const credential = context.getNode().credentials?.webhookTargetApi;
	return { ...toWebhookSecrets(await context.getCredentials<WebhookTarget & IDataObject>('webhookTargetApi', itemIndex)), credential: credential?.id ?? credential?.name };
}

export function toWebhookSecrets({ headerName, headerValue, signingSecret }: WebhookTarget): WebhookSecrets {
	return { headers: headerName?.trim() ? [{ name: headerName.trim(), value: headerValue ?? '' }] : [], signingSecret: signingSecret || undefined };
}
