// The real parts of a test: simulator, webhook receiver, engine on SQLite in a folder of its own; all end with the test.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Engine, type OrderedCall, type Origin, type RunOptions } from '../../ordering/engine';
import type { Outcome } from '../../ordering/turns';
import type { Settings } from '../../ordering/settings';
import { toResult, type TransactionResult } from '../../ordering/result';
import type { WebhookSecrets } from '../../ordering/orderedSend';
import { startSimulator, type Simulator, type SimulatorOptions } from '../../simulator';
import { type CallInput, orderedCall } from './calls';
import { Receiver } from './receiver';
import { SecretSearch } from './secrets';
import { shortSettings } from './settings';

export { shortSettings };

const ends: Array<() => Promise<unknown> | unknown> = [];

/** Runs `end` after the test, in reverse order. */
export function endWithTest(end: () => Promise<unknown> | unknown): void {
	ends.push(end);
}

afterEach(async () => {
	for (const end of ends.splice(0).reverse()) await end();
});

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
	const folder = mkdtempSync(join(tmpdir(), 'ordered-evolution-'));
	endWithTest(() => rmSync(folder, { recursive: true, force: true }));
	return folder;
}

/** The real engine with its ledger in `folder`, with short durations; closed after the test. */
export async function openEngine(folder = temporaryFolder(), settings: Partial<Settings> = {}): Promise<Engine> {
	const engine = await Engine.open(folder, { ...shortSettings, ...settings });
	endWithTest(() => engine.close());
	return engine;
}

/** An effect as a receiving end saw it. */
export interface Effect {
	at: number;
	kind: 'message' | 'ack' | 'webhook';
	/** The message's text, the acknowledgement's status, or the webhook's path. */
	what: string;
}

export interface Scene {
	simulator: Simulator;
	receiver: Receiver;
	folder: string;
	engine: Engine;
	/** Builds a call to this scene's simulator; `webhookUrl: '/path'` is an address of its receiver. */
	call(input?: CallInput, more?: { origin?: Partial<Origin>; secrets?: Partial<WebhookSecrets> }): OrderedCall;
	/** Runs one call and gives its outcome; throws nothing that the engine does not throw. */
	run(input?: CallInput, more?: Partial<RunOptions> & { origin?: Partial<Origin>; secrets?: Partial<WebhookSecrets> }): Promise<Outcome>;
	/** What reached WhatsApp and the receiver, in the order in which it did; acknowledgements where asked for. */
	effects(withAcks?: boolean): string[];
	/** Texts that reached WhatsApp, in their order. */
	texts(): string[];
	/** Closes the engine and opens another one on the same ledger, as after a restart of n8n. */
	restart(settings?: Partial<Settings>): Promise<Engine>;
}

export async function scene(settings: Partial<Settings> = {}, simulatorOptions: SimulatorOptions = {}): Promise<Scene> {
	const simulator = await startSimulator(simulatorOptions);
	endWithTest(() => simulator.close());
	const receiver = await Receiver.start();
	endWithTest(() => receiver.close());
	const folder = temporaryFolder();
	const access = { baseUrl: simulator.url, apiKey: simulator.apiKey };
	const search = new SecretSearch('engine').addSimulator(simulator);
	const built: Scene = {
		simulator,
		receiver,
		folder,
		engine: await openEngine(folder, settings),
		call(input = {}, more = {}) {
			const full = (url: string) => (url.startsWith('/') ? receiver.url + url : url);
			const errorCallbackUrl = input.options?.errorCallbackUrl;
			search.addWebhook(more.secrets);
			return orderedCall(
				access,
				{
					...input,
					...(input.webhookUrl === undefined ? {} : { webhookUrl: full(input.webhookUrl) }),
					...(typeof errorCallbackUrl === 'string' ? { options: { ...input.options, errorCallbackUrl: full(errorCallbackUrl) } } : {}),
				},
				more,
			);
		},
		async run(input = {}, { origin, secrets, ...options } = {}) {
			const [outcome] = await built.engine.run([built.call(input, { origin, secrets })], { stopOnFailure: false, ...options });
			if (!outcome) throw new Error('the engine gave no outcome');
			const { transaction, replayed, failure } = outcome;
			search.value('outcomes', { transaction, replayed, failure });
			return outcome;
		},
		effects: (withAcks = false) => effectsOf(simulator, receiver, withAcks).map(({ kind, what }) => `${kind} ${what}`),
		texts: () => simulator.control.messages().map(({ text }) => text),
		async restart(again = settings) {
			await built.engine.close();
			built.engine = await openEngine(folder, again);
			return built.engine;
		},
	};
	endWithTest(() => {
		search.folder('ledger', folder);
		search.bodies(receiver);
		search.end();
	});
	return built;
}

/** Messages, webhook calls and, where asked for, acknowledgements, by the time of their arrival. */
export function effectsOf(simulator: Simulator, receiver: Receiver, withAcks = false): Effect[] {
	const messages = simulator.control.messages().map(({ at, text }): Effect => ({ at, kind: 'message', what: text }));
	const acks = withAcks ? simulator.control.acks().map(({ at, status }): Effect => ({ at, kind: 'ack', what: status })) : [];
	const webhooks = receiver.calls.map(({ at, path }): Effect => ({ at, kind: 'webhook', what: path }));
	return [...messages, ...acks, ...webhooks].sort((a, b) => a.at - b.at);
}

/** What a caller would be shown; throws where nothing was recorded. */
export function resultOf({ transaction, replayed, failure }: Outcome): TransactionResult {
	if (!transaction) throw new Error(`there is no transaction, only: ${failure?.message}`);
	return toResult(transaction, replayed);
}

/** The statuses of a transaction's steps: `send done, webhook failed`. */
export function stepsOf({ transaction }: Outcome): string {
	return (transaction?.steps ?? []).map(({ type, status }) => `${type} ${status}`).join(', ');
}

/** Resolves after `ms`. */
export function sleep(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}
