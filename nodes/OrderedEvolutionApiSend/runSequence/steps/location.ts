// Fields of a location. Its degrees are text fields, since a number field begins with 0, which is a place off Africa.
import type { INodeProperties } from 'n8n-workflow';
import { forKinds } from './kinds';

export const locationFields: INodeProperties[] = [
	{
		displayName: 'Latitude',
		name: 'latitude',
		type: 'string',
		default: '',
		required: true,
		placeholder: 'e.g. -23.5613',
		displayOptions: forKinds(['location']),
		description: 'Degrees north, with a point; south is negative',
	},
	{
		displayName: 'Longitude',
		name: 'longitude',
		type: 'string',
		default: '',
		required: true,
		placeholder: 'e.g. -46.6565',
		displayOptions: forKinds(['location']),
		description: 'Degrees east, with a point; west is negative',
	},
	{
		displayName: 'Name',
		name: 'name',
		type: 'string',
		default: '',
		required: true,
		placeholder: 'e.g. Our shop',
		displayOptions: forKinds(['location']),
		description: 'Name of the place, shown below the map',
	},
	{
		displayName: 'Address',
		name: 'address',
		type: 'string',
		default: '',
		required: true,
		placeholder: 'e.g. Avenida Paulista 1578, São Paulo',
		displayOptions: forKinds(['location']),
		description: 'Address of the place, shown below its name',
	},
];
