// What the called webhook asks for: a header, a signature, or both.
import type { Icon, ICredentialType, INodeProperties } from 'n8n-workflow';

export class WebhookTargetApi implements ICredentialType {
	name = 'webhookTargetApi';

	displayName = 'Webhook Target API';

	icon: Icon = { light: 'file:../icons/webhook.svg', dark: 'file:../icons/webhook.dark.svg' };

	documentationUrl = 'https://www.standardwebhooks.com';

	properties: INodeProperties[] = [
		{
			displayName: 'Header Name',
			name: 'headerName',
			type: 'string',
			default: '',
			placeholder: 'e.g. Authorization',
			description: 'Name of the header that the webhook asks for. Leave empty for none.',
		},
		{
			displayName: 'Header Value',
			name: 'headerValue',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			placeholder: 'e.g. Bearer 123abc',
			description: 'Value of that header',
		},
		{
			displayName: 'Signing Secret',
			name: 'signingSecret',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			placeholder: 'e.g. whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
			description: 'Signs each call as the Standard Webhooks specification has it (header webhook-signature), so that the receiver can tell that it comes from you. Base64 after whsec_, anything else as it is written. Leave empty for none.',
		},
	];
}
