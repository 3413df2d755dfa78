// The tests in the credentials' dialogs: each tries what it can, and tells the causes of a failure apart.
import type { ICredentialTestFunctions, ICredentialsDecrypted, INodeCredentialTestResult } from 'n8n-workflow';
import { checkServer, checkStore, checkWebhookSecrets, type ServerAccess, type StoreAccess } from '../../ordering';
import { egressFilter } from './egress';
import { toServerAccess } from './serverAccess';
import { toStoreAccess } from './store';
import { toWebhookSecrets, type WebhookTarget } from './webhookSecrets';

/** A person waits for it in a dialog. */
const timeoutMs = 10_000;

export async function evolutionServerApiTest(this: ICredentialTestFunctions, credential: ICredentialsDecrypted): Promise<INodeCredentialTestResult> {
	const { ok, message } = await checkServer(toServerAccess((credential.data ?? {}) as Partial<ServerAccess>), { timeoutMs, egress: egressFilter(this.helpers) });
	return { status: ok ? 'OK' : 'Error', message };
}

export async function orderedStoreApiTest(this: ICredentialTestFunctions, credential: ICredentialsDecrypted): Promise<INodeCredentialTestResult> {
	const { ok, message } = await checkStore(toStoreAccess((credential.data ?? {}) as Partial<StoreAccess>), timeoutMs);
	return { status: ok ? 'OK' : 'Error', message };
}

/** There is no address to try: what can be told is whether header and secret can be used at all. */
export async function webhookTargetApiTest(this: ICredentialTestFunctions, credential: ICredentialsDecrypted): Promise<INodeCredentialTestResult> {
	const target = (credential.data ?? {}) as WebhookTarget;
	const secrets = toWebhookSecrets(target);
	const problem = checkWebhookSecrets(secrets);
	if (problem) return { status: 'Error', message: `This can't be used: ${problem}.` };
	if (secrets.headers.length === 0 && !secrets.signingSecret) return { status: 'Error', message: 'Fill in a header name and its value, a signing secret, or both.' };
	return { status: 'OK', message: 'Header and secret are well-formed. Whether the webhook accepts them shows when it is called.' };
}
