// Fields of everything that carries a file: image, video, document, audio, sticker.
import type { INodeProperties } from 'n8n-workflow';
import { forKinds, mediaKinds } from './kinds';

export const mediaFields: INodeProperties[] = [
	{
		displayName: 'Media From',
		name: 'mediaFrom',
		type: 'options',
		default: 'url',
		displayOptions: forKinds(mediaKinds),
		description: 'Where the file is',
		options: [
			{ name: 'URL', value: 'url', description: 'On a web server: EvolutionAPI fetches it there' },
			{ name: 'Binary Data', value: 'binary', description: 'In the input item of this node, such as from HTTP Request. Up to 100 MB.' },
		],
	},
	{
		displayName: 'Media URL',
		name: 'mediaUrl',
		type: 'string',
		default: '',
		required: true,
		placeholder: 'e.g. https://example.com/menu.jpg',
		displayOptions: forKinds(mediaKinds, { mediaFrom: ['url'] }),
		description: 'Address of the file, with a full host name (not localhost), that EvolutionAPI can open without a password. Base64 is taken, too.',
	},
	{
		displayName: 'Binary Property',
		name: 'binaryProperty',
		type: 'string',
		default: 'data',
		required: true,
		placeholder: 'e.g. data',
		displayOptions: forKinds(mediaKinds, { mediaFrom: ['binary'] }),
		description: "Name of the field with the file, as the tab Binary of this node's input shows it",
	},
	{
		displayName: 'File Name',
		name: 'fileName',
		type: 'string',
		default: '',
		required: true,
		placeholder: 'e.g. invoice-123.pdf',
		displayOptions: forKinds(['document'], { mediaFrom: ['url'] }),
		description: 'What the person sees, with its ending such as .pdf',
	},
	{
		displayName: 'File Name',
		name: 'fileName',
		type: 'string',
		default: '',
		placeholder: 'e.g. invoice-123.pdf',
		displayOptions: forKinds(['document'], { mediaFrom: ['binary'] }),
		description: 'What the person sees, with its ending such as .pdf. Left empty: the name that the file has.',
	},
	{
		displayName: 'Caption',
		name: 'caption',
		type: 'string',
		typeOptions: { rows: 2 },
		default: '',
		placeholder: 'e.g. Our menu of today',
		displayOptions: forKinds(['document', 'image', 'video']),
		description: 'Text below the file. Meta Cloud API: up to 1,024 characters.',
	},
];
