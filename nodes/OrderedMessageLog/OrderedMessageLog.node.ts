// The node for what is on record: shows, verifies and draws it, and finishes, resumes or gives up transactions.
import type { IExecuteFunctions, INodeExecutionData, INodeType, INodeTypeDescription } from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { evolutionServerApiTest, orderedStoreApiTest, webhookTargetApiTest } from '../shared/credentialTest';
import { searchInstances } from '../shared/listSearch';
import { operations } from './operations';
import { sendAgainNotice } from './operations/operation';
import { runOperation } from './runOperation';

const main = [NodeConnectionTypes.Main];

/**
 * As "verify 5511988887777", or "resume 3f2a91…": n8n cuts off more. What is given by an expression can't be read before the
 * workflow runs (n8n throws then), and is left out.
 */
const subtitle =
	'={{ (() => { const read = (name) => { try { return $parameter[name]; } catch (error) { return undefined; } }; const operation = read("operation"); const about = operation === "verify" || (operation === "timeline" && read("timelineOf") !== "transaction") ? "number" : ["compensate", "get", "giveUp", "resume", "timeline"].includes(operation) ? "transactionId" : ""; const short = String((about && read(about)) || ""); return ({ compensate: "compensate", get: "get", getAll: "get many", giveUp: "give up", prune: "delete old", recover: "recover unfinished", resume: "resume", timeline: "timeline", verify: "verify" })[operation] + (short && " " + (short.length > 17 ? short.slice(0, 12) + "…" : short)); })() }}';

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
