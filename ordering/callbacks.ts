// The calls that are no steps: they tell somebody that a transaction did not complete, or that it was taken back. Each is
// made at least once, always under its one ID.
import type { EgressFilter } from '../evolution/http';
import { only } from '../evolution/only';
import type { Connections } from './connections';
import { OrderedSendError } from './errors';
import type { Ledger } from './ledger/ledger';
import type { OrderedSend } from './orderedSend';
import type { Definition } from './plan';
import { toResult } from './result';
import type { Settings } from './settings';
import { AttemptFailed, retrying } from './steps/retry';
import type { OwnCall, Transaction } from './transaction';
import { callWebhook, webhookId } from './webhookCall';

interface Means {
	ledger: Ledger;
	connections: Connections;
	settings: Settings;
	egress?: EgressFilter;
}

/** `send` tells attempts, time and secret; the secret is used only where it belongs to the same address. */
type Wishes = Pick<OrderedSend, 'webhookSecrets'> & { definition: Pick<Definition, 'attempts' | 'requestTimeoutMs' | 'errorCallbackUrl' | 'compensationWebhookUrl'> };

/**
 * Makes the calls that are still to be made, after the lane is free. Their own failures are recorded beside the first one
 * and never hide it. They are made even when the execution was cancelled, since that may have been n8n's time-out.
 */
export async function finishCallbacks(means: Means, transaction: Transaction, send: Wishes): Promise<void> {
	const { compensation, errorCallback, failure } = transaction;
	if (errorCallback?.status !== 'pending' && compensation?.webhook?.status !== 'pending') return;
	const { errorCallbackUrl, compensationWebhookUrl } = send.definition;
	if (compensation?.webhook && compensation.status !== 'pending') await finish(means, transaction, send, compensation.webhook, 'compensation', compensationWebhookUrl);
	if (errorCallback && failure) await finish(means, transaction, send, errorCallback, 'error', errorCallbackUrl);
}

const events = { error: 'transaction.failed', compensation: 'transaction.compensated' };

async function finish({ ledger, connections, settings, egress }: Means, transaction: Transaction, send: Wishes, call: OwnCall, name: 'error' | 'compensation', ownUrl: string | undefined): Promise<void> {
	if (call.status !== 'pending') return;
	const { attempts, requestTimeoutMs } = send.definition;
	const signs = call.url === ownUrl; // one that this call settles may have another receiver, with another secret
	const body = JSON.stringify({ event: events[name], ...toResult({ ...transaction, errorCallback: undefined }, false) });
	try {
		const answer = await retrying(attempts, settings, undefined, () => {
			call.attempts += 1;
			return callWebhook(connections.http, { url: call.url, method: 'POST', body, id: webhookId(transaction.id, name), headers: [], signingSecret: signs ? send.webhookSecrets.signingSecret : undefined, timeoutMs: requestTimeoutMs, egress });
		});
		Object.assign(call, { status: 'done', statusCode: answer.statusCode });
	} catch (error) {
		const { statusCode, failure } = only(error, AttemptFailed);
		Object.assign(call, { status: 'failed', statusCode, error: failure });
	}
	// a replay that has gone on meanwhile records its own end; where the ledger fails, the first failure is still what is told
	await ledger.save(transaction).catch((error: unknown) => only(error, OrderedSendError));
}
