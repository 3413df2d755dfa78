// What operations on a chat have in common: the chat and a range of time, as parameters.
import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';
import { type ChatRequest, toChatRequest } from '../../../ordering';
import { readServerAccess } from '../../shared/serverAccess';

export const instanceField: INodeProperties = {
	displayName: 'Instance',
	name: 'instanceName',
	type: 'resourceLocator',
	default: { mode: 'list', value: '' },
	description: 'The WhatsApp connection in EvolutionAPI that sent the messages',
	modes: [
		{ displayName: 'From List', name: 'list', type: 'list', placeholder: 'Select an instance…', typeOptions: { searchListMethod: 'searchInstances', searchable: true } },
		{ displayName: 'Name', name: 'name', type: 'string', placeholder: 'e.g. my-whatsapp' },
	],
};

export const numberField: INodeProperties = {
	displayName: 'Phone Number',
	name: 'number',
	type: 'string',
	default: '',
	placeholder: 'e.g. +55 11 98888-7777',
	description: 'The person or group of the chat: a number with country code, or an address such as 5511988887777@s.whatsapp.net. All other names that WhatsApp has told for the chat are looked at, too.',
};

/** The chat's own fields and its times, for one operation. */
export function chatFields(operation: string, more: Record<string, string[]> = {}): INodeProperties[] {
	const displayOptions = { show: { operation: [operation], ...more } };
	return [
		{ ...instanceField, required: true, displayOptions },
		{ ...numberField, required: true, displayOptions },
		{ displayName: 'From', name: 'from', type: 'dateTime', default: '', displayOptions, description: "The earliest time to look at, in the workflow's time zone. Empty: 24 hours before To." },
		{ displayName: 'To', name: 'to', type: 'dateTime', default: '', displayOptions, description: "The time up to which to look, in the workflow's time zone. Empty: now." },
	];
}

/** Throws `InvalidInputError`, which names the field. */
export async function readChatRequest(this: IExecuteFunctions, i: number): Promise<ChatRequest> {
	const input = {
		instanceName: this.getNodeParameter('instanceName', i, '', { extractValue: true }),
		number: this.getNodeParameter('number', i, ''),
		from: this.getNodeParameter('from', i, ''),
		to: this.getNodeParameter('to', i, ''),
	};
	return toChatRequest(await readServerAccess(this, i), input, this.getTimezone());
}
