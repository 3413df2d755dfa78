// A sequence is checked whole before its first step: each message names step and field.
import { InvalidInputError } from '../../../ordering/errors';
import type { Definition, PlannedStep } from '../../../ordering/plan';
import { toOrderedSequence } from '../../../ordering/sequence/sequence';
import { largestFile, mostSteps, stepKinds } from '../../../ordering/sequence/steps';
import { thrownIn } from '../../evolution/helpers';

const access = { baseUrl: 'https://evolution.test/', apiKey: 'top-secret' };
const sequence = (steps: unknown, more: object = {}) => toOrderedSequence(access, { instanceName: 'meta1', number: '+55 11 98888-7777', steps, ...more });
const planOf = (...steps: unknown[]): PlannedStep[] => sequence(steps).definition.plan;
const problemOf = (steps: unknown, more: object = {}): string => {
	const error = thrownIn(() => sequence(steps, more)) as InvalidInputError;
	expect(error).toBeInstanceOf(InvalidInputError);
	return error.message;
};

const text = { type: 'text', text: 'Hello' };
const good: Record<string, object> = {
	text: { text: 'x' }, image: { media: 'YQ==' }, video: { media: 'https://files.example/a.mp4' }, document: { media: 'YQ==', fileName: 'a.pdf' }, audio: { media: 'YQ==' }, sticker: { media: 'YQ==' },
	location: { latitude: '-23.5', longitude: -46.6, name: 'Office', address: 'Rua A, 1' }, contact: { contacts: [{ fullName: 'Ana', phoneNumber: '+5511988887777' }] }, poll: { question: 'Which?', options: ['a', 'b'] },
	list: { title: 't', description: 'd', footer: 'f', buttonText: 'b', sections: [{ title: 's', rows: [{ title: 'r' }, { title: 'q', id: 'Q', description: 'D' }] }] },
	buttons: { title: 't', buttons: [{ type: 'reply', text: 'yes' }, { type: 'url', text: 'Site', url: 'https://x.example' }, { type: 'copy', text: 'Copy', code: '123' }] },
	reaction: { emoji: '👍', messageId: 'ABC' }, template: { name: 'hello', language: 'pt_BR' }, wait: {}, webhook: { url: 'https://hook.test/x' },
};

test('every kind of step has a good example here, and is taken', () => {
	expect(Object.keys(good).sort()).toEqual([...stepKinds].sort());
	for (const type of stepKinds) expect(planOf(text, { type, ...good[type] })).toHaveLength(2);
});

test('a message with a wait of its own is two steps of the engine, of the one number', () => {
	expect(planOf({ ...text, waitFor: 'read', ackTimeoutSeconds: 5, onError: 'compensate', typingMilliseconds: 100 }, { type: 'wait', delaySeconds: '0.5' })).toEqual([
		{ type: 'send', message: { kind: 'text', text: 'Hello', typingMilliseconds: 100 }, onError: 'compensate', step: 1 },
		{ type: 'wait', until: 'read', timeoutMs: 5000, onTimeout: 'compensate', onError: 'compensate', step: 1 },
		{ type: 'wait', until: 'delay', delayMs: 500, onError: 'stop', step: 2 },
	]);
});

test('names of the panel become those of EvolutionAPI, and rows and buttons without an ID get one', () => {
	const messages = planOf(...Object.entries(good).map(([type, fields]) => ({ type, ...fields }))).flatMap((step) => (step.type === 'send' ? [step.message] : []));
	const of = (kind: string) => messages.find((message) => message.kind === kind);
	expect(of('poll')).toEqual({ kind: 'poll', name: 'Which?', options: ['a', 'b'], selectableCount: 1 });
	expect(of('list')).toMatchObject({ sections: [{ title: 's', rows: [{ id: '1.1', title: 'r', description: '' }, { id: 'Q', title: 'q', description: 'D' }] }] });
	expect(of('buttons')).toMatchObject({ buttons: [{ type: 'reply', id: '1', text: 'yes' }, { type: 'url' }, { type: 'copy', code: '123' }] });
	expect(of('location')).toMatchObject({ latitude: -23.5, longitude: -46.6 });
	expect(of('audio')).toMatchObject({ audio: expect.stringMatching(/^sha256:/) });
});

test('steps may come as JSON text', () => {
	expect(sequence(JSON.stringify([text])).definition.plan).toHaveLength(1);
});

test('files, headers and secrets are not in what is stored', () => {
	const send = toOrderedSequence(access, { instanceName: 'i', number: '5511988887777', steps: [text, { type: 'webhook', url: 'https://a.test', headers: [{ name: 'X-Key', value: 'HEADER-SECRET' }] }, { type: 'image', media: 'U0VDUkVULUZJTEU=' }, { type: 'webhook', url: 'https://b.test' }] }, { headers: [{ name: 'Authorization', value: 'CRED-SECRET' }] });
	expect(send.files).toEqual({ 1: 'U0VDUkVULUZJTEU=' });
	expect(send.webhookHeaders).toEqual({ 0: [{ name: 'X-Key', value: 'HEADER-SECRET' }] });
	expect(send.definition.plan.map((step) => ('needs' in step ? step.needs : step.type))).toEqual(['send', 'headers', 'send', 'credential']);
	for (const secret of ['HEADER-SECRET', 'CRED-SECRET', 'U0VDUkVULUZJTEU=']) expect(JSON.stringify(send.definition)).not.toContain(secret);
});

test.each<[string, unknown, RegExp]>([
	['no list', 'hello', /^Steps: have to be a list of steps/],
	['nothing', undefined, /^Steps: have to be a list of steps/],
	['an empty list', [], /^Steps: are missing: add at least one$/],
	['too many', Array.from({ length: mostSteps + 1 }, () => text), /^Steps: can't be more than 50$/],
	['a step that is none', [text, 5], /^Step 2: has to be one of: text, image, .*webhook$/],
	['a type that is none', [text, { type: 'sms' }], /^Step 2, Type: has to be one of: text, image/],
	['an empty text', [text, { type: 'text', text: ' ' }], /^Step 2 \(text\), Text: is empty/],
	['a text that is too long', [{ type: 'text', text: 'x'.repeat(65_537) }], /^Step 1 \(text\), Text: is longer than the 65536 characters/],
	['media that is missing', [{ type: 'image' }], /^Step 1 \(image\), Media URL: is empty/],
	['media that is neither address nor base64', [{ type: 'image', media: 'my picture!' }], /^Step 1 \(image\), Media URL: is neither an address/],
	['media of another scheme', [{ type: 'image', media: 'file:///etc/passwd' }], /^Step 1 \(image\), Media URL: is neither an address/],
	['a document without its name', [{ type: 'document', media: 'YQ==' }], /^Step 1 \(document\), File Name: is empty/],
	['a latitude beyond the pole', [{ type: 'location', latitude: 91, longitude: 0, name: 'x', address: 'x' }], /^Step 1 \(location\), Latitude: can't be more than 90$/],
	['a contact without a number', [{ type: 'contact', contacts: [{ fullName: 'Ana' }] }], /^Step 1 \(contact\), Contacts 1 Phone Number: is empty/],
	['one answer', [{ type: 'poll', question: 'q', options: ['a'] }], /^Step 1 \(poll\), Poll Options: has to have at least 2 answers$/],
	['an answer twice', [{ type: 'poll', question: 'q', options: ['a', 'a'] }], /^Step 1 \(poll\), Poll Options: has the same answer twice$/],
	['eleven answers', [{ type: 'poll', question: 'q', options: Array.from({ length: 11 }, (_, i) => `${i}`) }], /^Step 1 \(poll\), Poll Options: can't have more than 10 answers$/],
	['a row without its title', [{ type: 'list', title: 't', description: 'd', footer: 'f', buttonText: 'b', sections: [{ title: 's', rows: [{}] }] }], /^Step 1 \(list\), Sections 1 Rows 1 Title: is empty/],
	['eleven rows', [{ type: 'list', title: 't', description: 'd', footer: 'f', buttonText: 'b', sections: [{ title: 's', rows: Array.from({ length: 11 }, (_, i) => ({ title: `${i}` })) }] }], /^Step 1 \(list\), Sections: can't have more than 10 rows in all$/],
	['four buttons', [{ type: 'buttons', title: 't', buttons: ['a', 'b', 'c', 'd'].map((one) => ({ type: 'reply', text: one })) }], /^Step 1 \(buttons\), Buttons: can't have more than 3 buttons$/],
	['a button of no type', [{ type: 'buttons', title: 't', buttons: [{ type: 'x', text: 'a' }] }], /^Step 1 \(buttons\), Buttons 1 Type: has to be one of: reply, url, call, copy$/],
	['components that are no JSON', [{ type: 'template', name: 'x', language: 'en', components: '{' }], /^Step 1 \(template\), Components \(JSON\): has to be a JSON list/],
	['a webhook without its address', [text, { type: 'webhook', url: '' }], /^Step 2 \(webhook\), URL: is empty/],
	['a webhook body that is no JSON', [text, { type: 'webhook', url: 'https://a.test', body: '{' }], /^Step 2 \(webhook\), Body \(JSON\): is not valid JSON/],
	['a policy that is none', [{ ...text, onError: 'ignore' }], /^Step 1 \(text\), On Error: has to be one of: stop, continue, compensate$/],
	['a wait for what was not sent', [{ type: 'wait', waitFor: 'read' }, text], /^Step 1 \(wait\), Wait For: has no message before it/],
	['a reference to itself', [{ type: 'text', text: 'x [[1.messageId]]' }], /^Step 1 \(text\): refers to step 1 by \[\[1\.…\]\], which does not come before it$/],
	['a reference to a step behind', [text, { type: 'webhook', url: 'https://a.test', body: { deep: ['[[3.messageId]]'] } }, text], /^Step 2 \(webhook\): refers to step 3/],
	['a reference in the place of a host', [text, { type: 'webhook', url: 'https://[[1.messageId]]/x' }], /^Step 2 \(webhook\), URL: has to be an address/],
])('%s is refused by step and field', (_what, steps, message) => {
	expect(problemOf(steps)).toMatch(message);
});

test('a file that is too large is refused, alone or with others', () => {
	const half = 'A'.repeat(((largestFile / 2 + 3) * 4) / 3);
	expect(problemOf([{ type: 'document', media: half + half, fileName: 'a.bin' }])).toMatch(/^Step 1 \(document\), Media URL: is larger than 100 MB/);
	expect(problemOf([{ type: 'document', media: half, fileName: 'a.bin' }, { type: 'document', media: half, fileName: 'b.bin' }])).toMatch(/^Steps: bring files of more than 100 MB together/);
});

test('a hostile body costs little and names what is wrong', () => {
	let deep: unknown = 'x';
	for (let i = 0; i < 2000; i++) deep = [deep];
	const started = performance.now();
	for (const steps of [deep, [{ type: 'text', text: deep }], [{ type: 'list', sections: deep }], Array.from({ length: 100_000 }, () => ({})), [text, ...Array.from({ length: 30_000 }, () => ({ type: 'wait', waitFor: 'read' }))], { length: 1e9 }, [{ type: 'text', text: 'x'.repeat(5_000_000) }], [{ type: '__proto__' }]]) expect(problemOf(steps)).toMatch(/^Steps?( \d+)?\b/);
	expect(performance.now() - started).toBeLessThan(5000);
});

test('the options of the other operation are taken, and the compensation webhook', () => {
	const { definition } = sequence([text], { options: { compensationWebhookUrl: 'https://undo.test', minimumGapSeconds: 6, storeMessageText: true, onFailure: 'hold' } });
	expect(definition).toMatchObject({ compensationWebhookUrl: 'https://undo.test', minimumGapMs: 6000, storeMessageText: true, onFailure: 'hold' } satisfies Partial<Definition>);
	expect(problemOf([text], { options: { compensationWebhookUrl: 'undo.test' } })).toMatch(/^Compensation URL: has to be an address/);
});
