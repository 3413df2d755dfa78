// The shared store of several n8n processes: one PostgreSQL and one Redis. Tested by the nodes, which connect to both.
import type { Icon, ICredentialType, INodeProperties } from 'n8n-workflow';

export class OrderedStoreApi implements ICredentialType {
	name = 'orderedStoreApi';

	displayName = 'Ordered Store API';

	icon: Icon = { light: 'file:../icons/store.svg', dark: 'file:../icons/store.dark.svg' };

	documentationUrl = 'https://docs.n8n.io/hosting/scaling/queue-mode/';

	properties: INodeProperties[] = [
		{
			displayName: 'One store for all workers of one n8n: it keeps the order of messages across them. The PostgreSQL and the Redis that n8n itself uses in queue mode may serve.',
			name: 'storeNotice',
			type: 'notice',
			default: '',
		},
		{
			displayName: 'PostgreSQL URL',
			name: 'postgresUrl',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			required: true,
			placeholder: 'postgresql://user:password@host:5432/database',
			description: 'Keeps the record of messages. The user has to be allowed to create tables. For TLS, add ?sslmode=verify-full. In the password, write @ : / ? # % as %40 %3A %2F %3F %23 %25.',
		},
		{
			displayName: 'Redis URL',
			name: 'redisUrl',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			required: true,
			placeholder: 'redis://:password@host:6379',
			description: 'Keeps the queue of each chat. For TLS, begin with rediss://. A cluster can not be used. Set its maxmemory-policy to noeviction.',
		},
		{
			displayName: 'Name Prefix',
			name: 'namePrefix',
			type: 'string',
			default: 'ordered_evolutionapi',
			required: true,
			description: 'Begins the name of each table and key. Two n8n that share databases but no chats use two prefixes.',
		},
		{
			displayName: 'Ignore SSL Issues (Insecure)',
			name: 'ignoreSslIssues',
			type: 'boolean',
			default: false,
			description: 'Whether to connect with TLS even if a certificate is not trusted, such as a self-signed one. Only for your own servers in your own network.',
		},
	];
}
