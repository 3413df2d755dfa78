// One way for both operations: reads the items, hands them to the engine, makes items of its outcomes.
import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { CheckFailedError, notStarted, only, type OrderedCall, OrderedSendError, type Outcome, type StoreAccess, unexpected } from '../../ordering';
import { withEngine } from '../engine';
import { egressFilter } from '../shared/egress';
import { failureOf, toItem, toNodeError } from '../shared/outcomes';
import { readStore } from '../shared/store';

/** Reads and checks the parameters of one item; nothing is sent by this. */
export type ReadCall = (this: IExecuteFunctions, i: number) => Promise<OrderedCall>;

export async function runItems(this: IExecuteFunctions, readCall: ReadCall): Promise<INodeExecutionData[]> {
	const signal = this.getExecutionCancelSignal();
	const stopOnFailure = !this.continueOnFail();
	const items = this.getInputData();
	const outcomes: Outcome[] = items.map(() => ({ replayed: false, failure: notStarted }));
	const calls: OrderedCall[] = [];
	const indices: number[] = [];
	let store: StoreAccess | undefined;
	for (let i = 0; i < items.length; i++) {
		try {
			store ??= await readStore(this, i);
			calls.push(await readCall.call(this, i));
			indices.push(i);
		} catch (error) {
			if (stopOnFailure) throw toNodeError.call(this, i, { replayed: false, failure: only(error, OrderedSendError).failure });
			outcomes[i] = { replayed: false, failure: failureOf(error, 'notReadable') };
		}
	}
	try {
		const results = await withEngine(store, (engine) => engine.run(calls, { signal, egress: egressFilter(this.helpers), stopOnFailure }));
		for (const [position, outcome] of results.entries()) outcomes[indices[position] as number] = outcome;
	} catch (error) {
		const [reason, position] = error instanceof CheckFailedError ? [error.reason, error.index] : [error, 0];
		if (stopOnFailure) throw toNodeError.call(this, indices[position] ?? 0, { replayed: false, failure: only(reason, OrderedSendError).failure });
		for (const i of indices) outcomes[i] = { replayed: false, failure: failureOf(reason, unexpected) };
	}
	const failed = outcomes.filter(({ failure }) => failure);
	// an item that was not begun is not the cause, unless the execution was cancelled before any was
	const cause = failed.find(({ failure }) => failure !== notStarted) ?? failed[0];
	if (stopOnFailure && cause) throw toNodeError.call(this, outcomes.indexOf(cause), cause);
	return outcomes.map((outcome, i) => toItem.call(this, i, outcome));
}
