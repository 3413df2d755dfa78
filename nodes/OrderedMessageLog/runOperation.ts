// Runs the chosen operation for each item, one after the other; failures as in Ordered EvolutionAPI Send.
import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { only, OrderedSendError, type Outcome, unexpected } from '../../ordering';
import { failureOf, NotDoneError, toItem, toNodeError } from '../shared/outcomes';
import { operations } from './operations';
import type { Operation, Work } from './operations/operation';

export async function runOperation(this: IExecuteFunctions): Promise<INodeExecutionData[]> {
	const operation = operations[this.getNodeParameter('operation', 0) as string] as Operation;
	const given: INodeExecutionData[] = [];
	for (let i = 0; i < this.getInputData().length; i++) {
		let work: Work | undefined;
		try {
			work = await operation.prepare.call(this, i);
			for (const one of await work()) given.push({ ...one, pairedItem: { item: i } });
		} catch (error) {
			if (!this.continueOnFail()) throw toNodeError.call(this, i, notDone(only<Error>(error, OrderedSendError, NotDoneError), unexpected));
			given.push(toItem.call(this, i, notDone(error, work ? unexpected : 'notReadable')));
		}
	}
	return given;
}

/** `code` is that of an error which is none of this package. */
function notDone(error: unknown, code: string): Outcome {
	return error instanceof NotDoneError ? error.outcome : { replayed: false, failure: failureOf(error, code) };
}
