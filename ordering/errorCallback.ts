// Tells somebody that a transaction did not complete: at least once, always under its one ID.
import type { EgressFilter } from '../evolution/http';
import { only } from '../evolution/only';
import type { Connections } from './connections';
import { OrderedSendError } from './errors';
import type { Ledger } from './ledger/ledger';
import type { OrderedSend } from './orderedSend';
import { toResult } from './result';
import type { Settings } from './settings';
import { AttemptFailed, retrying } from './steps/retry';
import type { Transaction } from './transaction';
import { callWebhook, webhookId } from './webhookCall';

interface Means {
	ledger: Ledger;
	connections: Connections;
	settings: Settings;
	egress?: EgressFilter;
}

/**
 * Makes the call that is still to be made, after the lane is free. Its own failure is recorded beside the first one and
 * never hides it. It is made even when the execution was cancelled, since that may have been n8n's time-out. `send`
 * tells attempts, time and secret; the secret is used only where it belongs to the same address.
 */
export async function finishErrorCallback({ ledger, connections, settings, egress }: Means, transaction: Transaction, send: Pick<OrderedSend, 'webhookSecrets'> & { definition: Pick<OrderedSend['definition'], 'attempts' | 'requestTimeoutMs' | 'errorCallbackUrl'> }): Promise<void> {
	const callback = transaction.errorCallback;
	if (!callback || callback.status !== 'pending' || !transaction.failure) return;
	const { attempts, requestTimeoutMs, errorCallbackUrl } = send.definition;
	const signs = callback.url === errorCallbackUrl; // one that this call settles may have another receiver, with another secret
	const body = JSON.stringify({ event: 'transaction.failed', ...toResult({ ...transaction, errorCallback: undefined }, false) });
	try {
		const answer = await retrying(attempts, settings, undefined, () => {
			callback.attempts += 1;
			return callWebhook(connections.http, { url: callback.url, method: 'POST', body, id: webhookId(transaction.id, 'error'), headers: [], signingSecret: signs ? send.webhookSecrets.signingSecret : undefined, timeoutMs: requestTimeoutMs, egress });
		});
		Object.assign(callback, { status: 'done', statusCode: answer.statusCode });
	} catch (error) {
		const { statusCode, failure } = only(error, AttemptFailed);
		Object.assign(callback, { status: 'failed', statusCode, error: failure });
	}
	// a replay that has gone on meanwhile records its own end; where the ledger fails, the first failure is still what is told
	await ledger.save(transaction).catch((error: unknown) => only(error, OrderedSendError));
}
