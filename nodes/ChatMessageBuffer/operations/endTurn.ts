// "End a Turn": behind the answer, so that the chat's next item may come.
import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { toTurnId } from '../../../ordering';
import { withEngine } from '../../engine';
import { readStore } from '../../shared/store';
import { errorItem, toNodeError } from '../failures';
import type { Operation } from './operation';

export const endTurn: Operation = {
	option: {
		name: 'End a Turn',
		value: 'endTurn',
		action: 'End a turn',
		description: 'Put it behind your answer: what the person wrote meanwhile becomes the next item at once',
	},
	fields: [
		{
			displayName: 'Turn ID',
			name: 'turnId',
			type: 'string',
			default: "={{ $('Chat Message Buffer').item.json.turnId }}",
			required: true,
			placeholder: "e.g. {{ $('Chat Message Buffer').item.json.turnId }}",
			displayOptions: { show: { operation: ['endTurn'] } },
			description: 'The turnId of the joined item. Where the node that joins has another name than Chat Message Buffer, write its name instead.',
		},
	],
	async execute(this: IExecuteFunctions) {
		const [ended, failed]: [INodeExecutionData[], INodeExecutionData[]] = [[], []];
		for (let i = 0; i < this.getInputData().length; i++) {
			try {
				const turnId = toTurnId(this.getNodeParameter('turnId', i));
				const store = await readStore(this, i);
				ended.push({ json: { turnId, ended: await withEngine(store, (engine) => engine.buffer.endTurn(turnId)) }, pairedItem: { item: i } });
			} catch (error) {
				if (!this.continueOnFail()) throw toNodeError.call(this, i, error);
				failed.push(errorItem.call(this, i, error));
			}
		}
		return [ended, failed];
	},
};
