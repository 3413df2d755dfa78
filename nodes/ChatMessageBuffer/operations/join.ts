// "Join Quick Messages": reads the items, hands them to the buffer, makes items of what it gives.
import type { IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { type Collected, type Delivery, type StoreAccess, type StoredFile, toIncomingMessage, toJoinRules } from '../../../ordering';
import { withEngine } from '../../engine';
import { readStore } from '../../shared/store';
import { errorItem, toNodeError } from '../failures';
import { toItems } from '../joinedItem';
import { joinFields } from './join.fields';
import type { Operation } from './operation';

export const join: Operation = {
	option: {
		name: 'Join Quick Messages',
		value: 'join',
		action: 'Join quick messages',
		description: 'Put it behind the Webhook node that EvolutionAPI calls: one item for what a person writes in a row',
	},
	fields: joinFields,
	async execute(this: IExecuteFunctions) {
		const [held, deliveries, indices]: [INodeExecutionData[], Delivery[], number[]] = [[], [], []];
		let joined: INodeExecutionData[] = [];
		let store: StoreAccess | undefined;
		for (let i = 0; i < this.getInputData().length; i++) {
			try {
				store ??= await readStore(this, i);
				const given = await readItem.call(this, i);
				if ('reason' in given) held.push(heldItem(i, given));
				else {
					deliveries.push(given);
					indices.push(i);
				}
			} catch (error) {
				if (!this.continueOnFail()) throw toNodeError.call(this, i, error);
				held.push(errorItem.call(this, i, error));
			}
		}
		try {
			if (deliveries.length > 0) {
				const collected = await withEngine(store, async ({ buffer }) => {
					const all = await buffer.receive(deliveries, this.getExecutionCancelSignal());
					joined = await toItems.call(this, buffer, all.flatMap((one, at) => ('joined' in one ? { item: one.joined, i: indices[at] as number } : [])));
					return all;
				});
				held.push(...collected.flatMap((one, at) => heldBack(one, deliveries[at] as Delivery, indices[at] as number)));
				explainRepeats.call(this, collected);
			}
		} catch (error) {
			if (!this.continueOnFail()) throw toNodeError.call(this, indices[0] ?? 0, error);
			held.push(...indices.map((i) => errorItem.call(this, i, error)));
		}
		return [joined, held.sort((a, b) => itemOf(a) - itemOf(b))];
	},
};

/** The message of an item, or why it is none that is to be joined. Nothing is taken by this. */
async function readItem(this: IExecuteFunctions, i: number): Promise<Delivery | { reason: string }> {
	const item = this.getInputData()[i] as INodeExecutionData;
	const event = eventOf(item.json);
	if (event !== undefined && event !== 'messages.upsert') return { reason: 'otherEvent', event } as { reason: string };
	const options = this.getNodeParameter('options', i, {}) as IDataObject;
	const parameter = (name: string) => this.getNodeParameter(name, i, undefined) as unknown;
	const rules = toJoinRules({ quietSeconds: parameter('quietSeconds'), longestSeconds: parameter('longestSeconds'), mostMessages: parameter('mostMessages'), ...options });
	const input = Object.fromEntries(['serverUrl', 'instanceName', 'chat', 'messageId', 'text', 'messageType', 'message'].map((name) => [name, parameter(name)]));
	const incoming = toIncomingMessage(input, { files: await filesOf.call(this, i, item), executionId: this.getExecutionId() });
	const { chat, message } = incoming;
	if (message.fromMe && options.ignoreOwn !== false) return { reason: 'fromMe', messageId: message.id, chat } as { reason: string };
	return { ...incoming, rules };
}

/** The event of an item that comes from EvolutionAPI's webhook, as `messages.upsert`; some versions write MESSAGES_UPSERT. */
function eventOf({ body }: IDataObject): string | undefined {
	const event = (body as IDataObject | undefined)?.event;
	return typeof event === 'string' ? event.toLowerCase().replaceAll('_', '.') : undefined;
}

async function filesOf(this: IExecuteFunctions, i: number, { binary = {} }: INodeExecutionData): Promise<Record<string, StoredFile>> {
	const files: Record<string, StoredFile> = {};
	for (const [name, { mimeType, fileName }] of Object.entries(binary)) {
		const data = (await this.helpers.getBinaryDataBuffer(i, name)).toString('base64');
		files[name] = { data, mimeType, ...(fileName ? { fileName } : {}) };
	}
	return files;
}

function heldBack(collected: Collected, { chat, message }: Delivery, i: number): INodeExecutionData[] {
	return 'held' in collected ? [heldItem(i, { ...collected.held, messageId: message.id, chat: { ...chat } })] : [];
}

/** Who tries a workflow out runs it with the same message again and again. (An n8n without hints must not make it fail.) */
function explainRepeats(this: IExecuteFunctions, collected: Collected[]): void {
	if (this.getMode() !== 'manual' || !collected.some((one) => 'held' in one && one.held.reason === 'duplicate')) return;
	this.addExecutionHints?.({ message: 'This message came before, so it is at the output Held Back. To try again, write a new message on WhatsApp, or change Message ID.', location: 'outputPane' });
}

function heldItem(i: number, json: IDataObject): INodeExecutionData {
	return { json, pairedItem: { item: i } };
}

function itemOf({ pairedItem }: INodeExecutionData): number {
	return (pairedItem as { item: number }).item;
}
