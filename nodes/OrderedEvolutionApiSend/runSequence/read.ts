// Reads the parameters of "Run a Sequence of Steps".
import type { IExecuteFunctions } from 'n8n-workflow';
import { InvalidInputError, type OrderedCall, sequenceOptions, toOrderedSequence } from '../../../ordering';
import { readServerAccess } from '../../shared/serverAccess';
import { readWebhookSecrets } from '../../shared/webhookSecrets';
import { isRecord } from '../common/collections';
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

/** Reads, and loads the files; checks nothing else. Throws `InvalidInputError` for binary data that can't be had, and for names in JSON that there are not. */
export async function readSequence(this: IExecuteFunctions, i: number): Promise<SequenceInput> {
	const inJson = this.getNodeParameter('stepsFrom', i, 'panel') === 'json';
	const panelOptions = readOptions.call(this, i);
	const { steps, options } = inJson ? ofJson(parsed(this.getNodeParameter('stepsJson', i, '')), panelOptions) : { steps: stepsOfPanel(this.getNodeParameter('steps', i, {})), options: panelOptions };
	return {
		...readRecipient.call(this, i),
		steps: Array.isArray(steps) ? await withBinaryData.call(this, i, steps) : steps,
		options,
	};
}

/** JSON is a list of steps, or has them as `steps` beside `options`, which go before those of the panel. */
function ofJson(given: unknown, panelOptions: Record<string, unknown>): Pick<SequenceInput, 'steps' | 'options'> {
	if (!isRecord(given) || !('steps' in given)) return { steps: given, options: panelOptions };
	const { steps, options = {}, ...others } = given;
	const [strange] = Object.keys(others);
	if (strange !== undefined) throw new InvalidInputError('stepsJson', 'Steps (JSON)', `there is no field "${strange}" beside "steps" and "options"`);
	if (!isRecord(options)) throw new InvalidInputError('stepsJson', 'Steps (JSON), options', 'have to be an object: {"transactionId": "order-17"}');
	const unknown = Object.keys(options).find((name) => !sequenceOptions.includes(name));
	if (unknown !== undefined) throw new InvalidInputError('stepsJson', 'Steps (JSON), options', `there is no option "${unknown}". Known are: ${sequenceOptions.join(', ')}`);
	return { steps, options: { ...panelOptions, ...options } };
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
