// "Verify the Order": compares what the log, EvolutionAPI and the acknowledgements say about a chat.
import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';
import { withEngine } from '../../engine';
import { egressFilter } from '../../shared/egress';
import { readStore } from '../../shared/store';
import { chatFields, readChatRequest } from './chat';
import type { Operation } from './operation';

export const verify: Operation = {
	option: {
		name: 'Verify the Order',
		value: 'verify',
		action: 'Verify the order of a chat',
		description: "Compare this log with EvolutionAPI's own record of a chat. Nothing is sent or changed.",
	},
	fields: [
		{
			displayName: 'Tells whether the messages of the chat went out in order, are missing, were sent by something else, or have no acknowledgement. EvolutionAPI records whole seconds, so it can not tell the order within one second.',
			name: 'verifyNotice',
			type: 'notice',
			default: '',
			displayOptions: { show: { operation: ['verify'] } },
		},
		...chatFields('verify'),
	],
	async prepare(this: IExecuteFunctions, i: number) {
		const [store, request] = [await readStore(this, i), await readChatRequest.call(this, i)];
		const means = { signal: this.getExecutionCancelSignal(), egress: egressFilter(this.helpers) };
		return async () => [{ json: (await withEngine(store, (engine) => engine.verify(request, means))) as unknown as IDataObject }];
	},
};
