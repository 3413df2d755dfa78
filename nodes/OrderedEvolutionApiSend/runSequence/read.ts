// Reads the parameters of "Run a Sequence of Steps".
import type { IExecuteFunctions } from 'n8n-workflow';
import { type OrderedCall, toOrderedSequence } from '../../../ordering';
import { readServerAccess } from '../../shared/serverAccess';
import { readWebhookSecrets } from '../../shared/webhookSecrets';
import { originOf, readOptions, readRecipient } from '../common/read';
import { withBinaryData } from './binaryData';
import { stepsOfPanel } from './panelSteps';

/** What the parameters say, still to be checked: an expression may have given anything. */
export interface SequenceInput {
	instanceName: unknown;
	number: unknown;
	/** A list of steps, or what was given in its place, such as a text that is no JSON. */
	steps: unknown;
	options: Record<string, unknown>;
}

/** Reads, and loads the files; checks nothing else. Throws `InvalidInputError` for binary data that can't be had. */
export async function readSequence(this: IExecuteFunctions, i: number): Promise<SequenceInput> {
	const inJson = this.getNodeParameter('stepsFrom', i, 'panel') === 'json';
	const steps = inJson ? parsed(this.getNodeParameter('stepsJson', i, '')) : stepsOfPanel(this.getNodeParameter('steps', i, {}));
	return {
		...readRecipient.call(this, i),
		steps: Array.isArray(steps) ? await withBinaryData.call(this, i, steps) : steps,
		options: readOptions.call(this, i),
	};
}

/** Throws `InvalidInputError` for the first field that is wrong. */
export async function readRunSequence(this: IExecuteFunctions, i: number): Promise<OrderedCall> {
	const input = await readSequence.call(this, i);
	const secrets = this.getNodeParameter('webhookAuthentication', i, 'none') === 'credential' ? await readWebhookSecrets(this, i) : {};
	return { send: toOrderedSequence(await readServerAccess(this, i), input, secrets), origin: originOf.call(this, i) };
}

/** A text that is no JSON is passed on, so that the check can tell what is wrong with it. */
function parsed(steps: unknown): unknown {
	try {
		return typeof steps === 'string' ? (JSON.parse(steps) as unknown) : steps;
	} catch {
		return steps;
	}
}
