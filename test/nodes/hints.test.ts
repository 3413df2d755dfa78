// Each field of each panel and credential says what it is for, and what is typed in has an example.
import type { INodeProperties } from 'n8n-workflow';
import { EvolutionServerApi } from '../../credentials/EvolutionServerApi.credentials';
import { OrderedStoreApi } from '../../credentials/OrderedStoreApi.credentials';
import { WebhookTargetApi } from '../../credentials/WebhookTargetApi.credentials';
import { ChatMessageBuffer } from '../../nodes/ChatMessageBuffer/ChatMessageBuffer.node';
import { OrderedEvolutionApiSend } from '../../nodes/OrderedEvolutionApiSend/OrderedEvolutionApiSend.node';
import { OrderedMessageLog } from '../../nodes/OrderedMessageLog/OrderedMessageLog.node';
import { allFields } from './fields';

/** What has no room for a description, or says it by what it offers: each operation has one. */
const saysItself = ({ name, type }: INodeProperties) => ['notice', 'credentials', 'collection'].includes(type) || name === 'operation';

/** In the empty field or in the hint; a number, JSON, and a name that is there from the start are examples themselves. */
function hasExample({ name, type, default: given, placeholder, description, hint }: INodeProperties): boolean {
	if (/e\.g\. |@/.test(placeholder ?? '') || /such as/.test(`${description ?? ''} ${hint ?? ''}`)) return true;
	return ['number', 'json'].includes(type) || name === 'namePrefix' ? given !== '' && given !== undefined : type !== 'string';
}

describe.each<[string, INodeProperties[]]>([
	...[new OrderedEvolutionApiSend(), new OrderedMessageLog(), new ChatMessageBuffer()].map(({ description: { displayName, properties } }): [string, INodeProperties[]] => [displayName, properties]),
	...[new EvolutionServerApi(), new OrderedStoreApi(), new WebhookTargetApi()].map(({ displayName, properties }): [string, INodeProperties[]] => [displayName, properties]),
])('of %s every field', (_, properties) => {
	const fields = allFields(properties).filter((one) => !saysItself(one));

	test('says what it is for', () => {
		expect(fields.filter(({ description }) => !description).map(({ name }) => name)).toEqual([]);
	});

	test('has an example', () => {
		expect(fields.filter((one) => !hasExample(one)).map(({ name }) => name)).toEqual([]);
	});
});
