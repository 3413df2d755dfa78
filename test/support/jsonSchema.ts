// Checks a value against a JSON schema, as far as the API's description uses it; a keyword that it does not know is an Error.

export interface Schema {
	$ref?: string;
	type?: string | string[];
	enum?: unknown[];
	const?: unknown;
	required?: string[];
	properties?: Record<string, Schema>;
	additionalProperties?: boolean;
	items?: Schema;
	minItems?: number;
	maxItems?: number;
	minLength?: number;
	maxLength?: number;
	minimum?: number;
	maximum?: number;
	pattern?: string;
	oneOf?: Schema[];
	anyOf?: Schema[];
	allOf?: Schema[];
	[annotation: string]: unknown;
}

const known = ['$ref', 'type', 'enum', 'const', 'required', 'properties', 'additionalProperties', 'items', 'minItems', 'maxItems', 'minLength', 'maxLength', 'minimum', 'maximum', 'pattern', 'oneOf', 'anyOf', 'allOf', 'description', 'default', 'format', 'discriminator'];

/** What is wrong with the value, each with its place; empty where it fits. `document`: where `$ref` points into. */
export function violations(value: unknown, schema: Schema, document: object, at = '$'): string[] {
	const strange = Object.keys(schema).find((keyword) => !known.includes(keyword));
	if (strange) throw new Error(`${at}: the keyword ${strange} is not known here`);
	if (schema.$ref) return violations(value, resolve(schema.$ref, document), document, at);
	const found: string[] = [];
	if (schema.type !== undefined && ![schema.type].flat().some((type) => isOf(type, value))) return [`${at} is no ${[schema.type].flat().join(' or ')}`];
	if (schema.enum && !schema.enum.includes(value)) found.push(`${at} is none of ${schema.enum.join(', ')}`);
	if ('const' in schema && schema.const !== value) found.push(`${at} is not ${JSON.stringify(schema.const)}`);
	if (typeof value === 'string') found.push(...ofText(value, schema, at));
	if (typeof value === 'number' && (value < (schema.minimum ?? value) || value > (schema.maximum ?? value))) found.push(`${at} is out of range`);
	if (Array.isArray(value)) found.push(...ofList(value, schema, document, at));
	else if (typeof value === 'object' && value !== null) found.push(...ofObject(value as Record<string, unknown>, schema, document, at));
	for (const part of schema.allOf ?? []) found.push(...violations(value, part, document, at));
	const fitting = (schemas: Schema[]) => schemas.filter((one) => violations(value, one, document, at).length === 0).length;
	if (schema.anyOf && fitting(schema.anyOf) === 0) found.push(`${at} fits none of anyOf`);
	if (schema.oneOf && fitting(schema.oneOf) !== 1) found.push(`${at} does not fit exactly one of oneOf`);
	return found;
}

/** What a `$ref` points to; an Error where there is nothing. */
export function resolve(ref: string, document: object): Schema {
	const target = ref.replace(/^#\//, '').split('/').reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], document);
	if (!ref.startsWith('#/') || typeof target !== 'object' || target === null) throw new Error(`${ref} points nowhere`);
	return target as Schema;
}

function isOf(type: string, value: unknown): boolean {
	if (type === 'array') return Array.isArray(value);
	if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
	return type === 'integer' ? Number.isInteger(value) : type === typeof value;
}

function ofText(value: string, { minLength = 0, maxLength = Infinity, pattern }: Schema, at: string): string[] {
	return value.length < minLength || value.length > maxLength || (pattern !== undefined && !new RegExp(pattern, 'u').test(value)) ? [`${at} is a text that does not fit`] : [];
}

function ofList(value: unknown[], { items, minItems = 0, maxItems = Infinity }: Schema, document: object, at: string): string[] {
	const count = value.length < minItems || value.length > maxItems ? [`${at} has ${value.length} entries`] : [];
	return [...count, ...(items ? value.flatMap((one, index) => violations(one, items, document, `${at}[${index}]`)) : [])];
}

function ofObject(value: Record<string, unknown>, { required = [], properties = {}, additionalProperties }: Schema, document: object, at: string): string[] {
	const missing = required.filter((name) => value[name] === undefined).map((name) => `${at}.${name} is missing`);
	const strange = additionalProperties === false ? Object.keys(value).filter((name) => !(name in properties)).map((name) => `${at}.${name} is not known`) : [];
	return [...missing, ...strange, ...Object.entries(properties).flatMap(([name, schema]) => (value[name] === undefined ? [] : violations(value[name], schema, document, `${at}.${name}`)))];
}
