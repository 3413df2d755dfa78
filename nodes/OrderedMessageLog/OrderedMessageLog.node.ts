// The node for what is on record: shows, verifies and draws it, and finishes, resumes or gives up transactions.
import type { IExecuteFunctions, INodeExecutionData, INodeType, INodeTypeDescription } from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { evolutionServerApiTest, orderedStoreApiTest, webhookTargetApiTest } from '../shared/credentialTest';
import { searchInstances } from '../shared/listSearch';
import { operations } from './operations';
import { sendAgainNotice } from './operations/operation';
import { runOperation } from './runOperation';

const main = [NodeConnectionTypes.Main];

/** Reads nothing but the operation: IDs and numbers mostly are expressions, of which nothing is known before the workflow runs. */
const subtitle =
	'={{ ({ compensate: "compensate a transaction", get: "get a transaction", getAll: "get many transactions", giveUp: "give up a transaction", prune: "delete old transactions", recover: "recover unfinished", resume: "resume a transaction", timeline: "draw a timeline", verify: "verify the order of a chat" })[$parameter.operation] }}';

export class OrderedMessageLog implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Ordered Message Log',
		name: 'orderedMessageLog',
		icon: { light: 'file:../../icons/messageLog.svg', dark: 'file:../../icons/messageLog.dark.svg' },
		group: ['output'],
		version: 1,
		subtitle,
		description: 'See, verify and draw what Ordered EvolutionAPI Send did and when, and finish, resume, give up or take back transactions',
		defaults: { name: 'Ordered Message Log' },
		usableAsTool: true,
		inputs: main,
		outputs: main,
		credentials: [
			{ displayName: 'EvolutionAPI Server', name: 'evolutionServerApi', required: true, testedBy: 'evolutionServerApiTest' },
			{ displayName: 'Shared Store (Only for n8n in Queue Mode)', name: 'orderedStoreApi', required: false, testedBy: 'orderedStoreApiTest' },
			{ displayName: 'Webhook Header or Signature', name: 'webhookTargetApi', required: true, testedBy: 'webhookTargetApiTest', displayOptions: { show: { webhookAuthentication: ['credential'] } } },
		],
		properties: [
			// n8n puts the credential behind the parameters that another credential depends on, unless told its place
			{ displayName: 'Credentials', name: 'credentials', type: 'credentials', default: '' },
			{
				displayName: 'Operation',
				name: 'operation',
				type: 'options',
				noDataExpression: true,
				options: Object.values(operations).map(({ option }) => option),
				default: 'recover',
			},
			...Object.values(operations).flatMap(({ fields }) => fields),
			sendAgainNotice,
		],
	};

	methods = {
		credentialTest: { evolutionServerApiTest, orderedStoreApiTest, webhookTargetApiTest },
		listSearch: { searchInstances },
	};

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return [await runOperation.call(this)];
	}
}
