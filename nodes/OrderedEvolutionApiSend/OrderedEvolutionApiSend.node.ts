// The node that users drag: parameters in, items out. What it does is in ordering/.
import type { IExecuteFunctions, INodeExecutionData, INodeType, INodeTypeDescription } from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { evolutionServerApiTest, orderedStoreApiTest, webhookTargetApiTest } from '../shared/credentialTest';
import { searchInstances } from '../shared/listSearch';
import { sendThenWebhook } from './sendThenWebhook';
import { sendThenWebhookFields } from './sendThenWebhook.fields';

const main = [NodeConnectionTypes.Main];

export class OrderedEvolutionApiSend implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Ordered EvolutionAPI Send',
		name: 'orderedEvolutionApiSend',
		icon: { light: 'file:../../icons/orderedSend.svg', dark: 'file:../../icons/orderedSend.dark.svg' },
		group: ['output'],
		version: 1,
		subtitle: '={{ "text" + ({ accepted: "", delay: " → " + $parameter.delaySeconds + " s", sent: " → sent", delivered: " → delivered", read: " → read" })[$parameter.waitFor] + ($parameter.callWebhook ? " → webhook" : "") }}',
		description: 'Send a WhatsApp text through EvolutionAPI, wait, then call a webhook: always in this order, and never the webhook after a text that was not sent',
		defaults: { name: 'Ordered EvolutionAPI Send' },
		usableAsTool: true,
		inputs: main,
		outputs: main,
		credentials: [
			{ name: 'evolutionServerApi', required: true, testedBy: 'evolutionServerApiTest' },
			{ name: 'orderedStoreApi', required: false, testedBy: 'orderedStoreApiTest' },
			{ name: 'webhookTargetApi', required: true, testedBy: 'webhookTargetApiTest', displayOptions: { show: { webhookAuthentication: ['credential'] } } },
		],
		properties: [
			// n8n puts the credential behind the parameters that another credential depends on, unless told its place
			{ displayName: 'Credentials', name: 'credentials', type: 'credentials', default: '' },
			{
				displayName: 'Operation',
				name: 'operation',
				type: 'options',
				noDataExpression: true,
				options: [
					{
						name: 'Send Text, Then Call Webhook',
						value: 'sendThenWebhook',
						action: 'Send a text then call a webhook',
						description: 'Send one text, wait if asked to, then call a webhook. Messages of one chat go out one after the other.',
					},
				],
				default: 'sendThenWebhook',
			},
			...sendThenWebhookFields,
		],
	};

	methods = {
		credentialTest: { evolutionServerApiTest, orderedStoreApiTest, webhookTargetApiTest },
		listSearch: { searchInstances },
	};

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return [await sendThenWebhook.call(this)];
	}
}
