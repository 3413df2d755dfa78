// Fields of contact cards.
import type { INodeProperties } from 'n8n-workflow';
import { forKinds } from './kinds';

const cardFields: INodeProperties[] = [
	{ displayName: 'Full Name', name: 'fullName', type: 'string', default: '', required: true, placeholder: 'e.g. Ana Souza', description: 'Name on the card' },
	{ displayName: 'Phone Number', name: 'phoneNumber', type: 'string', default: '', required: true, placeholder: 'e.g. +55 11 98888-7777', description: 'Number on the card, with country code' },
	{ displayName: 'Organization', name: 'organization', type: 'string', default: '', placeholder: 'e.g. Our Shop Ltda', description: 'Company on the card' },
	{ displayName: 'Email', name: 'email', type: 'string', default: '', placeholder: 'name@email.com', description: 'Email address on the card' },
	{ displayName: 'URL', name: 'url', type: 'string', default: '', placeholder: 'e.g. https://example.com', description: 'Website on the card' },
];

export const contactFields: INodeProperties[] = [
	{
		displayName: 'Contacts',
		name: 'contacts',
		type: 'fixedCollection',
		typeOptions: { multipleValues: true },
		placeholder: 'Add Contact',
		default: {},
		displayOptions: forKinds(['contact']),
		description: 'Cards that the person can save. At least one.',
		options: [{ displayName: 'Contact', name: 'contact', values: cardFields }],
	},
];
