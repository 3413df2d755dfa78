// The EvolutionAPI server: address and key. Tested by the node, whose test tells the causes of a failure apart.
import type { Icon, ICredentialType, INodeProperties } from 'n8n-workflow';

export class EvolutionServerApi implements ICredentialType {
	name = 'evolutionServerApi';

	displayName = 'EvolutionAPI Server API';

	icon: Icon = { light: 'file:../icons/evolution.svg', dark: 'file:../icons/evolution.dark.svg' };

	documentationUrl = 'https://doc.evolution-api.com';

	properties: INodeProperties[] = [
		{
			displayName: 'Base URL',
			name: 'baseUrl',
			type: 'string',
			default: '',
			required: true,
			placeholder: 'e.g. https://evolution.example.com',
			description: "The server's address, without /manager. When n8n and EvolutionAPI run in Docker together, use the service's name, such as http://evolution-api:8080.",
		},
		{
			displayName: 'API Key',
			name: 'apiKey',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			required: true,
			placeholder: 'e.g. 429683C4C977415CAAFC',
			description: "The server's AUTHENTICATION_API_KEY, or the token of one instance (then only that instance can be used)",
			hint: 'It stands as AUTHENTICATION_API_KEY in the settings (.env) of EvolutionAPI',
		},
		{
			displayName: 'Ignore SSL Issues (Insecure)',
			name: 'ignoreSslIssues',
			type: 'boolean',
			default: false,
			description: 'Whether to connect even if the certificate of the server is not trusted. Only for your own server in your own network.',
		},
	];
}
