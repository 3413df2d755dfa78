// The description of the ordered-send API says what the code does: its steps, fields, choices and limits are compared with it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { optionFields } from '../../ordering/input/options';
import { sequenceOptions, toOrderedSequence } from '../../ordering/sequence/sequence';
import { mostSteps, sequenceStep, stepKinds } from '../../ordering/sequence/steps';
import { resolve, type Schema, violations } from '../support/jsonSchema';

const folder = join(__dirname, '../../templates');
const read = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), 'utf8'));
const document = read('ordered-send-api.openapi.json') as { openapi: string; paths: Record<string, Record<string, { responses: Record<string, { description: string }>; requestBody?: unknown }>>; components: { schemas: Record<string, Schema> } };
const template = read('ordered-send-api.json') as { nodes: Array<{ name: string; type: string; parameters: Record<string, unknown> }> };
const { schemas } = document.components;
const schemaOf = (name: string) => resolve(`#/components/schemas/${name}`, document);
const access = { baseUrl: 'https://evolution.example.com', apiKey: 'a-key' };
const values: Record<string, unknown> = {
	text: 'x', media: 'https://example.com/a.png', fileName: 'a.pdf', latitude: 1, longitude: 1, name: 'x', address: 'x', contacts: [{ fullName: 'Ana', phoneNumber: '+55 11 98888-7777' }],
	question: 'x', options: ['a', 'b'], title: 'x', description: 'x', footer: 'x', buttonText: 'x', sections: [{ title: 'x', rows: [{ title: 'y' }] }], buttons: [{ type: 'reply', text: 'x' }], emoji: '👍', messageId: 'x', language: 'pt_BR', url: 'https://example.com',
};

/** The least step of its kind that the description allows. */
const least = (kind: string) => Object.fromEntries((schemaOf(`Step_${kind}`).required ?? []).map((name) => [name, name === 'type' ? kind : values[name]]));

/** Whether the engine takes it; a wait needs a message before it. */
function taken(steps: object[], options: object = {}): boolean {
	try {
		toOrderedSequence(access, { instanceName: 'meta1', number: '5511988887777', steps, options });
		return true;
	} catch {
		return false;
	}
}

function takesStep(step: object): boolean {
	return taken([least('text'), step]);
}

test('it is OpenAPI 3.1, and every reference in it leads somewhere', () => {
	expect(document.openapi).toMatch(/^3\.1\./);
	const refs = [...JSON.stringify(document).matchAll(/"(#\/components\/[^"]+)"/g)].map(([, ref]) => ref as string);
	expect(refs.length).toBeGreaterThan(30);
	for (const ref of refs) expect(resolve(ref, document)).toBeDefined();
	for (const path of Object.values(document.paths)) for (const { responses } of Object.values(path)) for (const { description } of Object.values(responses)) expect(description).not.toBe('');
});

test('its paths and methods are those of the template, and so are the fields and options that the template lets through', () => {
	const webhooks = template.nodes.filter(({ type }) => type === 'n8n-nodes-base.webhook').map(({ parameters }) => `${String(parameters.httpMethod).toLowerCase()} /${String(parameters.path)}`);
	expect(Object.entries(document.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`)).sort()).toEqual(webhooks.sort());
	for (const { parameters } of template.nodes.filter(({ type }) => type === 'n8n-nodes-base.webhook')) expect(parameters.authentication).toBe('headerAuth');
	const code = String(template.nodes.find(({ name }) => name === 'Read the request')?.parameters.jsonOutput);
	const listed = (name: string) => [...(new RegExp(`const ${name} = \\[(.*)\\];`).exec(code)?.[1] ?? '').matchAll(/'(\w+)'/g)].map(([, field]) => field as string).sort();
	const options = Object.keys(schemaOf('Options').properties ?? {}).sort();
	expect(listed('options')).toEqual(options);
	expect(options.filter((name) => !sequenceOptions.includes(name))).toEqual([]);
	const fields = (name: string) => Object.keys(schemaOf(name).properties ?? {}).filter((field) => field !== 'async').sort();
	expect([...new Set([...listed('fields'), ...listed('shortForm')])].sort()).toEqual([...new Set([...fields('TextThenWebhook'), ...fields('Sequence')])].sort());
	expect(code).toContain(`const most = ${schemaOf('Transactions').properties?.transactions?.maxItems};`);
});

test('it knows the kinds of steps that the code knows, with the same fields', () => {
	expect(Object.keys(schemas).filter((name) => name.startsWith('Step_')).map((name) => name.slice('Step_'.length)).sort()).toEqual([...stepKinds].sort());
	const shapes = sequenceStep.options as unknown as Array<z.AnyZodObject>;
	for (const { shape } of shapes) {
		const kind = (shape as { type: z.ZodLiteral<string> }).type.value;
		expect([kind, Object.keys(schemaOf(`Step_${kind}`).properties ?? {}).sort()]).toEqual([kind, Object.keys(shape as object).sort()]);
	}
	expect(schemaOf('Sequence').properties?.steps?.maxItems).toBe(mostSteps);
	expect(taken(Array(mostSteps).fill(least('text')) as object[])).toBe(true);
	expect(taken(Array(mostSteps + 1).fill(least('text')) as object[])).toBe(false);
});

test.each(stepKinds)('step %s: what it requires is enough, and nothing of that can be left out', (kind) => {
	expect(takesStep(least(kind))).toBe(true);
	expect(violations(least(kind), schemaOf('Step'), document)).toEqual([]);
	for (const name of schemaOf(`Step_${kind}`).required ?? []) expect([name, takesStep({ ...least(kind), [name]: undefined })]).toEqual([name, false]);
});

/** Values at the limits that a schema gives, and just beyond: the code takes the first and refuses the second. */
function limitsOf(name: string, schema: Schema): { within: unknown[]; beyond: unknown[] } {
	const filler = (length: number) => (name === 'phoneNumber' ? '5'.repeat(length) : 'x'.repeat(length));
	const list = (length: number) => Array.from({ length }, (_, index) => entry(name, index));
	const within: unknown[] = [...(schema.enum ?? [])];
	const beyond: unknown[] = schema.enum ? ['something else'] : [];
	const add = (fits: unknown, not: unknown) => void (within.push(fits), beyond.push(not));
	if (schema.minimum !== undefined) add(schema.minimum, schema.minimum - 1);
	if (schema.maximum !== undefined) add(schema.maximum, schema.maximum + 1);
	if (schema.type === 'string' && schema.maxLength !== undefined && !schema.enum) add(filler(schema.maxLength), filler(schema.maxLength + 1));
	if (schema.type === 'array' && schema.minItems !== undefined) add(list(schema.minItems), list(schema.minItems - 1));
	if (schema.type === 'array' && schema.maxItems !== undefined) add(list(schema.maxItems), list(schema.maxItems + 1));
	if (schema.type === 'boolean') beyond.push('yes');
	return { within, beyond };
}

function entry(name: string, index: number): unknown {
	if (name === 'contacts') return { fullName: `Ana ${index}`, phoneNumber: '+55 11 98888-7777' };
	if (name === 'sections') return { title: `x${index}`, rows: [{ title: 'y' }] };
	return name === 'buttons' ? { type: 'reply', text: `x${index}` } : `x${index}`;
}

test.each(stepKinds)('step %s: its choices and limits are those of the code', (kind) => {
	for (const [name, schema] of Object.entries(schemaOf(`Step_${kind}`).properties ?? {})) {
		const { within, beyond } = limitsOf(name, schema);
		for (const value of within) expect([name, value, takesStep({ ...least(kind), [name]: value })]).toEqual([name, value, true]);
		for (const value of beyond) expect([name, value, takesStep({ ...least(kind), [name]: value })]).toEqual([name, value, false]);
	}
});

test('its options are those of the code, with their choices, limits and defaults', () => {
	const parsed = optionFields.parse({}) as Record<string, unknown>;
	let checked = 0;
	for (const [name, schema] of Object.entries(schemaOf('Options').properties ?? {})) {
		const { within, beyond } = limitsOf(name, schema);
		for (const value of within) expect([name, value, taken([least('text')], { [name]: value })]).toEqual([name, value, true]);
		for (const value of beyond) expect([name, value, taken([least('text')], { [name]: value })]).toEqual([name, value, false]);
		if ('default' in schema) expect([name, parsed[name]]).toEqual([name, schema.default]);
		checked += within.length + beyond.length;
	}
	expect(checked).toBeGreaterThan(30);
});
