// Signs webhook calls as the Standard Webhooks specification has it.
import { Webhook } from 'standardwebhooks';

/** Throws where `whsec_` is not followed by base64; a secret without `whsec_` is taken as it is written. */
export function signer(secret: string): Webhook {
	return secret.startsWith('whsec_') ? new Webhook(secret) : new Webhook(Buffer.from(secret, 'utf8'), { format: 'raw' });
}
