// The top of the panel: through which instance, and to whom. The same for both operations.
import type { INodeProperties } from 'n8n-workflow';

export const recipientFields: INodeProperties[] = [
	{
		displayName: 'Instance',
		name: 'instanceName',
		type: 'resourceLocator',
		default: { mode: 'list', value: '' },
		required: true,
		displayOptions: { show: { operation: ['runSequence', 'sendThenWebhook'] } },
		description: 'The WhatsApp connection in EvolutionAPI that sends the message',
		modes: [
			{ displayName: 'From List', name: 'list', type: 'list', placeholder: 'Select an instance…', typeOptions: { searchListMethod: 'searchInstances', searchable: true } },
			{ displayName: 'Name', name: 'name', type: 'string', placeholder: 'e.g. my-whatsapp' },
		],
	},
	{
		displayName: 'Phone Number',
		name: 'number',
		type: 'string',
		default: '',
		required: true,
		placeholder: 'e.g. +55 11 98888-7777',
		displayOptions: { show: { operation: ['runSequence', 'sendThenWebhook'] } },
		description: 'Who gets the message: a number, or an address such as 5511988887777@s.whatsapp.net or, for a group, 120363025246125486@g.us. From TypeBot: the variable remoteJid.',
		hint: 'With country code, such as 55 for Brazil, 34 for Spain or 91 for India',
	},
];
