// Bad input: one clear message that names the panel's label, before anything is sent for any item.
import type { INodeProperties } from 'n8n-workflow';
import { builtNode } from '../../scripts/engine/workflow';
import { errorOf, useBench } from './bench';

const bench = useBench();

interface Row {
	/** The parameter; one with a dot is in a collection. */
	parameter: string;
	bad: unknown;
	/** What the good item has. */
	good: unknown;
	/** What else the panel has set. */
	others?: object;
	/** After the label and its colon. */
	problem: RegExp;
}

const url = 'http://127.0.0.1:9/done';
const rows: Row[] = [
	{ parameter: 'instanceName', bad: '', good: 'meta1', problem: /^is missing: pick one from the list/ },
	{ parameter: 'instanceName', bad: '..', good: 'meta1', problem: /^can't be/ },
	{ parameter: 'number', bad: '', good: '5511988887777', problem: /./ },
	{ parameter: 'number', bad: '123', good: '5511988887777', problem: /./ },
	{ parameter: 'number', bad: 'my friend', good: '5511988887777', problem: /./ },
	{ parameter: 'number', bad: null, good: '5511988887777', problem: /./ },
	{ parameter: 'number', bad: { a: 1 }, good: '5511988887777', problem: /^has to be a phone number/ },
	{ parameter: 'text', bad: '', good: 'x', problem: /^is empty/ },
	{ parameter: 'text', bad: ' \n', good: 'x', problem: /^is empty/ },
	{ parameter: 'text', bad: 'a\0b', good: 'x', problem: /NUL character/ },
	{ parameter: 'text', bad: 'cut \ud83d', good: 'x', problem: /emoji/ },
	{ parameter: 'text', bad: 'x'.repeat(65_537), good: 'x', problem: /longer than/ },
	{ parameter: 'waitFor', bad: 'soon', good: 'accepted', problem: /^has to be one of: accepted, delay/ },
	{ parameter: 'delaySeconds', bad: -1, good: 0, others: { waitFor: 'delay' }, problem: /^can't be less than 0/ },
	{ parameter: 'delaySeconds', bad: 1e9, good: 0, others: { waitFor: 'delay' }, problem: /^can't be more than 86400/ },
	{ parameter: 'delaySeconds', bad: 'soon', good: 0, others: { waitFor: 'delay' }, problem: /^has to be a number of seconds/ },
	{ parameter: 'ackTimeoutSeconds', bad: 0, good: 1, others: { waitFor: 'delivered' }, problem: /^can't be less than 0.5/ },
	{ parameter: 'onAckTimeout', bad: 'x', good: 'stop', others: { waitFor: 'delivered' }, problem: /^has to be one of/ },
	{ parameter: 'webhookUrl', bad: '', good: url, problem: /^is empty/ },
	{ parameter: 'webhookUrl', bad: 'example.com/x', good: url, problem: /begins with https/ },
	{ parameter: 'webhookUrl', bad: 'ftp://example.com', good: url, problem: /begins with https/ },
	{ parameter: 'webhookMethod', bad: 'HEAD', good: 'POST', problem: /^has to be one of/ },
	{ parameter: 'webhookBody', bad: '{"a": ', good: '{}', problem: /^is not valid JSON/ },
	{ parameter: 'webhookHeaders.header', bad: 'a b', good: 'X-A', problem: /^header 1 has a name with characters that HTTP forbids/ },
	{ parameter: 'webhookHeaders.header', bad: 'webhook-id', good: 'X-A', problem: /^header 1 sets a header that this node sets itself/ },
	{ parameter: 'options.transactionId', bad: 'a\nb', good: undefined, problem: /control characters/ },
	{ parameter: 'options.transactionId', bad: 'x'.repeat(256), good: undefined, problem: /longer than 255/ },
	{ parameter: 'options.attempts', bad: 0, good: 1, problem: /^can't be less than 1/ },
	{ parameter: 'options.attempts', bad: 1.5, good: 1, problem: /whole number/ },
	{ parameter: 'options.priority', bad: 'urgent', good: 'low', problem: /^has to be one of/ },
	{ parameter: 'options.onInDoubt', bad: 'hope', good: 'stop', problem: /^has to be one of/ },
	{ parameter: 'options.queueTimeoutSeconds', bad: 0, good: 1, problem: /^can't be less than 0.5/ },
	{ parameter: 'options.requestTimeoutSeconds', bad: 0.1, good: 1, problem: /^can't be less than 0.5/ },
	{ parameter: 'options.typingMilliseconds', bad: -5, good: 0, problem: /^can't be less than 0/ },
	{ parameter: 'options.errorCallbackUrl', bad: 'mailto:a@b.c', good: '', problem: /begins with https/ },
	{ parameter: 'options.linkPreview', bad: 'maybe', good: true, problem: /^has to be true or false/ },
];

test.each(rows)('$parameter $bad', async ({ parameter, bad, good, others, problem }) => {
	const [first = '', second] = parameter.split('.');
	const value = '={{ $json.value }}';
	const given = first === 'instanceName' ? { __rl: true, mode: 'name', value } : second === 'header' ? { header: [{ name: value, value: 'v' }] } : second ? { [second]: value } : value;
	const run = await bench.run({ webhookUrl: `${bench.receiver.url}/done`, ...others, [first]: given }, { input: [{ value: good }, { value: bad }] });
	const error = errorOf(run);
	const label = labelOf(second === 'header' ? first : (second ?? first));
	expect(error.message.slice(0, label.length + 2)).toBe(`${label}: `);
	expect(error.message.slice(label.length + 2)).toMatch(problem);
	expect(error.message).toMatch(/\. Nothing was sent\.$/);
	expect(error.context.itemIndex).toBe(1);
	expect(bench.effects()).toEqual([]);
});

test.each([
	['Base URL', { baseUrl: 'evolution.example.com' }],
	['Base URL', { baseUrl: '' }],
	['API Key', { apiKey: ' ' }],
])('%s of the credential: %j', async (label, bad) => {
	const run = await bench.run({}, { credentials: { evolutionServerApi: { ...bench.access(), ...bad } } });
	expect(errorOf(run).message).toMatch(new RegExp(`^${label}: .*in the EvolutionAPI credential.*Nothing was sent\\.$`));
	expect(bench.effects()).toEqual([]);
});

test('a header of the webhook credential that HTTP forbids', async () => {
	const run = await bench.run({ webhookAuthentication: 'credential' }, { credentials: { evolutionServerApi: bench.access(), webhookTargetApi: { headerName: 'X-Key', headerValue: 'secret\nX-Other: 1' } } });
	expect(errorOf(run).message).toMatch(/^Webhook credential: the header has a value with a line break/);
	expect(errorOf(run).message).not.toContain('secret');
	expect(bench.effects()).toEqual([]);
});

test('one transaction ID for two items of other content', async () => {
	const run = await bench.run({ text: '={{ $json.text }}', options: { transactionId: 'twice' } }, { input: [{ text: 'one' }, { text: 'two' }] });
	expect(errorOf(run).message).toMatch(/^Transaction ID: "twice" was used before for another message/);
	expect(errorOf(run).context.itemIndex).toBe(1);
	expect(bench.effects()).toEqual([]);
});

test.each([
	['a group', 'phone1', '120363025246125486@g.us'],
	["EvolutionAPI's own channel", 'evo1', '5511988887777'],
])('a wait that %s can never acknowledge', async (_what, instance, number) => {
	const run = await bench.run({ instanceName: { __rl: true, mode: 'name', value: instance }, number, waitFor: 'delivered' });
	expect(errorOf(run).message).toMatch(/^Wait For: .*Nothing was sent\.$/);
	expect(errorOf(run).description).toMatch(/Accepted|Delay/);
	expect(bench.effects()).toEqual([]);
});

test("every label that a message can name is the panel's own, word for word", () => {
	const shown = allProperties(builtNode().description.properties).map(({ name }) => name);
	for (const { parameter } of rows) expect(shown).toContain(parameter.split('.').at(-1));
});

function labelOf(name: string): string {
	const found = allProperties(builtNode().description.properties).find((property) => property.name === name);
	if (!found) throw new Error(`The panel has no parameter ${name}.`);
	return found.displayName;
}

function allProperties(properties: INodeProperties[]): INodeProperties[] {
	return properties.flatMap((property) => [property, ...(property.type === 'collection' ? allProperties(property.options as INodeProperties[]) : []), ...(property.type === 'fixedCollection' ? (property.options as Array<{ name: string; values: INodeProperties[] }>).flatMap(({ name, values }) => [{ ...property, name }, ...values]) : [])]);
}
