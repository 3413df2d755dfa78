// Reads the credential of the webhook's target.
import type { WebhookSecrets } from '../../../ordering';

export interface WebhookTarget {
	headerName?: string;
	headerValue?: string;
	signingSecret?: string;
}

export function toWebhookSecrets({ headerName, headerValue, signingSecret }: WebhookTarget): WebhookSecrets {
	return { headers: headerName?.trim() ? [{ name: headerName.trim(), value: headerValue ?? '' }] : [], signingSecret: signingSecret || undefined };
}
