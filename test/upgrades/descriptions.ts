// What saved workflows count on in the descriptions of nodes and credentials: names, types, option values and defaults.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { NodeHelpers, type ICredentialType, type INodeProperties, type INodeType, type INodeTypeDescription, type IVersionedNodeType } from 'n8n-workflow';

interface Variant {
	type: string;
	default: unknown;
	/** Values of its options, or the modes of a resource locator. */
	values?: unknown[];
	/** Whether it takes several entries. */
	several?: true;
}

/** By operation and path, such as `sendThenWebhook: options.attempts`; `*` is any operation. A name may stand for several fields. */
type Parameters = Record<string, Variant[]>;

export interface Descriptions {
	nodes: Record<string, { outputs: number; usableAsTool: boolean; credentials: string[]; parameters: Parameters }>;
	credentials: Record<string, Parameters>;
}

const root = join(__dirname, '../..');
const newVersion = 'A saved workflow counts on it, so such a change needs a new node version: leave this one as it is (CONTRIBUTING.md, "What a saved workflow counts on").';

/** Those of the built package; each node once for each of its versions, as `name 1`. */
export function presentDescriptions(): Descriptions {
	const { n8n } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { n8n: { nodes: string[]; credentials: string[] } };
	const nodes = n8n.nodes.flatMap((file) => versionsOf(load<INodeType | IVersionedNodeType>(file)));
	const credentials = n8n.credentials.map((file) => load<ICredentialType>(file)).map(({ name, properties }) => [name, parametersOf(properties)] as const);
	return { nodes: Object.fromEntries(nodes), credentials: Object.fromEntries(credentials) };
}

/** What `stored` has and `present` has not, or otherwise. What is new is no problem. */
export function missingIn(present: Descriptions, stored: Descriptions): string[] {
	const nodes = Object.entries(stored.nodes).flatMap(([name, then]) => {
		const now = present.nodes[name];
		if (!now) return [`${name} is gone. ${newVersion}`];
		return [
			...(now.outputs < then.outputs ? [`${name} has ${now.outputs} outputs instead of ${then.outputs}. ${newVersion}`] : []),
			...(then.usableAsTool && !now.usableAsTool ? [`${name} is not usable as a tool any more. ${newVersion}`] : []),
			...then.credentials.filter((credential) => !now.credentials.includes(credential)).map((credential) => `${name} does not take the credential ${credential} any more. ${newVersion}`),
			...missingParameters(name, now.parameters, then.parameters),
		];
	});
	const credentials = Object.entries(stored.credentials).flatMap(([name, then]) => {
		const now = present.credentials[name];
		return now ? missingParameters(name, now, then) : [`The credential ${name} is gone. ${newVersion}`];
	});
	return [...nodes, ...credentials];
}

function missingParameters(owner: string, now: Parameters, then: Parameters): string[] {
	return Object.entries(then).flatMap(([path, variants]) => {
		// a field that is shown with every operation by now is still there
		const found = now[path] ?? now[path.replace(/^[^:]+/, '*')];
		if (!found) return [`${owner} has no parameter "${path}" any more. ${newVersion}`];
		return variants.filter((variant) => !found.some((one) => covers(one, variant))).map((variant) => `${owner}: "${path}" was ${JSON.stringify(variant)} and is ${found.map((one) => JSON.stringify(one)).join(' or ')}. ${newVersion}`);
	});
}

function covers(now: Variant, then: Variant): boolean {
	const values = then.values ?? [];
	return now.type === then.type && isDeepStrictEqual(now.default, then.default) && (then.several ?? false) === (now.several ?? false) && values.every((value) => (now.values ?? []).includes(value));
}

function versionsOf(node: INodeType | IVersionedNodeType): Array<[string, Descriptions['nodes'][string]]> {
	const versions = 'nodeVersions' in node ? Object.keys(node.nodeVersions).map(Number) : [node.description.version].flat();
	return versions.map((version) => {
		const { description } = NodeHelpers.getVersionedNodeType(node, version);
		const { name, outputs, credentials = [], usableAsTool } = description;
		return [`${name} ${version}`, { outputs: outputs.length, usableAsTool: usableAsTool === true, credentials: credentials.map((credential) => credential.name), parameters: parametersOf(description.properties.filter((property) => isOf(version, property, description))) }];
	});
}

/** Whether a version has this field; what else it hangs on does not matter here. */
function isOf(version: number, property: INodeProperties, description: INodeTypeDescription): boolean {
	const { show, hide } = property.displayOptions ?? {};
	const displayOptions = { ...(show?.['@version'] && { show: { '@version': show['@version'] } }), ...(hide?.['@version'] && { hide: { '@version': hide['@version'] } }) };
	return NodeHelpers.displayParameter({}, { ...property, displayOptions }, { typeVersion: version }, description);
}

function parametersOf(properties: INodeProperties[]): Parameters {
	const parameters: Parameters = {};
	const add = (path: string, variant: Variant) => {
		const known = (parameters[path] ??= []);
		if (!known.some((one) => isDeepStrictEqual(one, variant))) known.push(variant);
	};
	const walk = (property: INodeProperties, operation: string, before: string) => {
		if (property.type === 'notice' || property.type === 'credentials') return;
		const path = `${before}${property.name}`;
		add(`${operation}: ${path}`, variantOf(property));
		for (const option of property.options ?? []) {
			if ('values' in option) for (const value of option.values) walk(value, operation, `${path}.${option.name}.`);
			else if ('type' in option) walk(option as INodeProperties, operation, `${path}.`);
		}
	};
	for (const property of properties) for (const operation of operationsOf(property)) walk(property, operation, '');
	return parameters;
}

function operationsOf({ displayOptions }: INodeProperties): string[] {
	const operations = displayOptions?.show?.operation;
	return operations ? operations.map(String) : ['*'];
}

function variantOf(property: INodeProperties): Variant {
	const values = property.type === 'resourceLocator' ? (property.modes ?? []).map(({ name }) => name) : (property.options ?? []).flatMap((option) => ('value' in option ? [option.value] : []));
	return { type: property.type, default: property.default, ...(values.length > 0 && { values }), ...(property.typeOptions?.multipleValues && { several: true as const }) };
}

function load<T>(file: string): T {
	const exported = createRequire(__filename)(join(root, file)) as Record<string, new () => T>;
	const Class = exported[(file.split('/').at(-1) ?? '').split('.')[0] ?? ''];
	if (!Class) throw new Error(`${file} exports no class of its name.`);
	return new Class();
}
