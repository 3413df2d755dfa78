// The node that users drag: parameters in, items out. What it does is in ordering/.
import type { IExecuteFunctions, INodeExecutionData, INodeType, INodeTypeDescription } from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { evolutionServerApiTest, orderedStoreApiTest, webhookTargetApiTest } from '../shared/credentialTest';
import { searchInstances } from '../shared/listSearch';
import { optionNotices, optionsField } from './common/options.fields';
import { recipientFields } from './common/recipient.fields';
import { type ReadCall, runItems } from './run';
import { runSequenceFields } from './runSequence/fields';
import { readRunSequence } from './runSequence/read';
import { sendThenWebhookFields } from './sendThenWebhook/fields';
import { readSendThenWebhook } from './sendThenWebhook/read';

const main = [NodeConnectionTypes.Main];

const readers: Record<'runSequence' | 'sendThenWebhook', ReadCall> = { runSequence: readRunSequence, sendThenWebhook: readSendThenWebhook };

/**
 * As "text → delivered → webhook", or "3 steps: text → image → …": n8n cuts off what is longer than some 28 characters.
 * What an expression gives is not known before the workflow runs, and is left out.
 */
const subtitle =
	'={{ (() => { const read = (name) => { try { return $parameter[name]; } catch (error) { return undefined; } }; if (read("operation") === "runSequence") { if (read("stepsFrom") === "json") return "steps from JSON"; const steps = (read("steps") || {}).step ?? []; if (!Array.isArray(steps)) return "steps"; const kinds = steps.map((step) => step.type || "text"); return kinds.reduce((line, kind, i) => { const longer = line + (i === 0 ? ": " : " → ") + kind; const fits = longer.length <= (i === kinds.length - 1 ? 28 : 24); return line.endsWith("…") ? line : i === 0 || fits ? longer : line + " → …"; }, kinds.length + (kinds.length === 1 ? " step" : " steps")); } const seconds = read("delaySeconds"); const wait = { delay: " → " + (Number(seconds) >= 0 ? seconds + " s" : "delay"), sent: " → sent", delivered: " → delivered", read: " → read" }[read("waitFor")]; return "text" + (wait || "") + (read("callWebhook") ? " → webhook" : ""); })() }}';

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
				options: [
					{
						name: 'Run a Sequence of Steps',
						value: 'runSequence',
						action: 'Run a sequence of steps',
						description: 'Several messages of any kind, with waits and webhooks between them, in your order',
					},
					{
						name: 'Send Text, Then Call Webhook',
						value: 'sendThenWebhook',
						action: 'Send a text then call a webhook',
						description: 'One text, a wait if you want one, then a webhook',
					},
				],
				default: 'sendThenWebhook',
			},
			...recipientFields,
			...sendThenWebhookFields,
			...runSequenceFields,
			optionsField,
			...optionNotices,
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
