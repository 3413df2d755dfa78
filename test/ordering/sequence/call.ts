// A sequence for the simulator and the receiver of a test's scene.
import type { OrderedCall, RunOptions } from '../../../ordering/engine';
import type { WebhookSecrets } from '../../../ordering/orderedSend';
import { toOrderedSequence } from '../../../ordering/sequence/sequence';
import type { Outcome } from '../../../ordering/turns';
import { origin } from '../../support/calls';
import type { Scene } from '../../support/scene';

export interface SequenceInput {
	instanceName?: string;
	number?: string;
	options?: Record<string, unknown>;
	secrets?: Partial<WebhookSecrets>;
	execution?: Parameters<typeof origin>[0];
}

/** An address that begins with `/` is one of the scene's receiver. */
export function sequenceCall({ simulator, receiver }: Pick<Scene, 'simulator' | 'receiver'>, steps: unknown, { options = {}, secrets, execution, ...more }: SequenceInput = {}): OrderedCall {
	const full = (url: unknown) => (typeof url === 'string' && url.startsWith('/') ? receiver.url + url : url);
	const given = Array.isArray(steps) ? steps.map((step: Record<string, unknown>) => ({ ...step, ...('url' in step ? { url: full(step.url) } : {}) })) : steps;
	const urls = Object.fromEntries(['errorCallbackUrl', 'compensationWebhookUrl'].filter((name) => name in options).map((name) => [name, full(options[name])]));
	const input = { instanceName: 'meta1', number: '5511988887777', ...more, steps: given, options: { requestTimeoutSeconds: 1, queueTimeoutSeconds: 10, attempts: 2, ...options, ...urls } };
	return { send: toOrderedSequence({ baseUrl: simulator.url, apiKey: simulator.apiKey }, input, secrets), origin: origin(execution) };
}

export async function runSequence(here: Scene, steps: unknown, input: SequenceInput = {}, options: Partial<RunOptions> = {}): Promise<Outcome> {
	const [outcome] = await here.engine.run([sequenceCall(here, steps, input)], { stopOnFailure: false, ...options });
	if (!outcome) throw new Error('the engine gave no outcome');
	return outcome;
}

/** What reached WhatsApp, was taken back there, or reached the receiver, in its order. */
export function effectsOf({ simulator, receiver }: Scene): string[] {
	const messages = new Map(simulator.control.messages().map((entry) => [entry.messageId, entry.text]));
	const log = simulator.control.log().flatMap((entry) => {
		if (entry.kind === 'ack') return [];
		return [{ at: entry.at, what: entry.kind === 'message' ? `${entry.type} ${entry.text}` : `delete ${messages.get(entry.messageId)}` }];
	});
	const calls = receiver.calls.map(({ at, path }) => ({ at, what: `call ${path}` }));
	return [...log, ...calls].sort((a, b) => a.at - b.at).map(({ what }) => what);
}
