// The test in the credential's dialog: asks the server for its instances, and tells the causes of a failure apart.
import type { ICredentialTestFunctions, ICredentialsDecrypted, INodeCredentialTestResult } from 'n8n-workflow';
import { checkServer, type ServerAccess } from '../../../ordering';
import { egressFilter } from './egress';
import { toServerAccess } from './serverAccess';

/** A person waits for it in a dialog. */
const timeoutMs = 10_000;

export async function evolutionServerApiTest(this: ICredentialTestFunctions, credential: ICredentialsDecrypted): Promise<INodeCredentialTestResult> {
	const { ok, message } = await checkServer(toServerAccess((credential.data ?? {}) as Partial<ServerAccess>), { timeoutMs, egress: egressFilter(this.helpers) });
	return { status: ok ? 'OK' : 'Error', message };
}
