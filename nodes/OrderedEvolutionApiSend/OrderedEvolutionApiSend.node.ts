// The node that users drag: parameters in, items out. What it does is in ordering/.
import type { IExecuteFunctions, INodeExecutionData, INodeType, INodeTypeDescription } from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { evolutionServerApiTest, orderedStoreApiTest, webhookTargetApiTest } from '../shared/credentialTest';
import { searchInstances } from '../shared/listSearch';
import { optionsField } from './common/options.fields';
import { recipientFields } from './common/recipient.fields';
import { type ReadCall, runItems } from './run';
import { runSequenceFields } from './runSequence/fields';
import { readRunSequence } from './runSequence/read';
import { sendThenWebhookFields } from './sendThenWebhook/fields';
import { readSendThenWebhook } from './sendThenWebhook/read';

const main = [NodeConnectionTypes.Main];

const readers: Record<'runSequence' | 'sendThenWebhook', ReadCall> = { runSequence: readRunSequence, sendThenWebhook: readSendThenWebhook };

/** As "text → delivered → webhook", or "3 steps: text → image → …": n8n cuts off what is longer than some 28 characters. */
const subtitle = '={{ $parameter.operation === "runSequence" ? ($parameter.stepsFrom === "json" ? "steps from JSON" : (() => { const kinds = (($parameter.steps || {}).step || []).map((step) => step.type || "text"); return kinds.reduce((line, kind, i) => { const longer = line + (i === 0 ? ": " : " → ") + kind; const fits = longer.length <= (i === kinds.length - 1 ? 28 : 24); return line.endsWith("…") ? line : i === 0 || fits ? longer : line + " → …"; }, kinds.length + (kinds.length === 1 ? " step" : " steps")); })()) : "text" + ({ accepted: "", delay: " → " + $parameter.delaySeconds + " s", sent: " → sent", delivered: " → delivered", read: " → read" })[$parameter.waitFor] + ($parameter.callWebhook ? " → webhook" : "") }}';

export class OrderedEvolutionApiSend implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Ordered EvolutionAPI Send',
		name: 'orderedEvolutionApiSend',
		icon: { light: 'file:../../icons/orderedSend.svg', dark: 'file:../../icons/orderedSend.dark.svg' },
		group: ['output'],
		version: 1,
		subtitle,
		description: 'Send WhatsApp messages through EvolutionAPI in order: a text, then a webhook, or a sequence of messages, waits and webhooks. Each step begins only when the one before is done.',
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
						name: 'Run a Sequence of Steps',
						value: 'runSequence',
						action: 'Run a sequence of steps',
						description: 'Send several messages of any kind, with waits and webhooks between them, in the order that you set. Messages of one chat go out one after the other.',
					},
					{
						name: 'Send Text, Then Call Webhook',
						value: 'sendThenWebhook',
						action: 'Send a text then call a webhook',
						description: 'Send one text, wait if asked to, then call a webhook. Messages of one chat go out one after the other.',
					},
				],
				default: 'sendThenWebhook',
			},
			...recipientFields,
			...sendThenWebhookFields,
			...runSequenceFields,
			optionsField,
		],
	};

	methods = {
		credentialTest: { evolutionServerApiTest, orderedStoreApiTest, webhookTargetApiTest },
		listSearch: { searchInstances },
	};

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return [await runItems.call(this, readers[this.getNodeParameter('operation', 0) as keyof typeof readers])];
	}
}
