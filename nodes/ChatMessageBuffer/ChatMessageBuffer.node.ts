// The node that makes one item of a chat's quick messages. What it does is in ordering/buffer/.
import type { IExecuteFunctions, INodeExecutionData, INodeType, INodeTypeDescription } from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { orderedStoreApiTest } from '../shared/credentialTest';
import { operations } from './operations';
import type { Operation } from './operations/operation';

const main = [NodeConnectionTypes.Main];
const joinedAndHeldBack = [NodeConnectionTypes.Main, NodeConnectionTypes.Main];

export class ChatMessageBuffer implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Chat Message Buffer',
		name: 'chatMessageBuffer',
		icon: { light: 'file:../../icons/messageBuffer.svg', dark: 'file:../../icons/messageBuffer.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle: '={{ ({ endTurn: "end a turn", join: "join quick messages", takeOver: "take over what was left" })[$parameter.operation] }}',
		description: 'Join the WhatsApp messages that a person writes one after the other into one item, so that TypeBot or an AI agent answers once',
		defaults: { name: 'Chat Message Buffer' },
		usableAsTool: true,
		inputs: main,
		outputs: joinedAndHeldBack,
		outputNames: ['Joined', 'Held Back'],
		credentials: [{ displayName: 'Shared Store (Only for n8n in Queue Mode)', name: 'orderedStoreApi', required: false, testedBy: 'orderedStoreApiTest' }],
		properties: [
			{
				displayName: 'Operation',
				name: 'operation',
				type: 'options',
				noDataExpression: true,
				options: Object.values(operations).map(({ option }) => option),
				default: 'join',
			},
			...Object.values(operations).flatMap(({ fields }) => fields),
		],
	};

	methods = {
		credentialTest: { orderedStoreApiTest },
	};

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const operation = operations[this.getNodeParameter('operation', 0) as string] as Operation;
		return await operation.execute.call(this);
	}
}
