// What the packed package holds, and what n8n finds in it.
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { PackageDirectoryLoader } from 'n8n-core';
import type { ICredentialType, INodeProperties, INodeType } from 'n8n-workflow';
import { npmCommand } from '../../scripts/run/progress.mjs';

const root = join(__dirname, '../..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { name: string; n8n: { nodes: string[]; credentials: string[] }; dependencies?: object; optionalDependencies?: object; peerDependencies: object; scripts: Record<string, string> };

interface Packed {
	size: number;
	files: Array<{ path: string; size: number }>;
}

let packed: Packed;
beforeAll(async () => {
	const { command, leading } = npmCommand();
	const { stdout } = await promisify(execFile)(command, [...leading, 'pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root, shell: command.endsWith('.cmd') });
	packed = (JSON.parse(stdout) as Packed[])[0] as Packed;
});

/** What draws timelines as PNG: most of the size, and read only when the first is drawn. */
const pngFiles = ['DejaVuSansCondensed-Bold.ttf', 'DejaVuSansCondensed.ttf', 'DejaVuSansMono.ttf', 'index_bg.wasm', 'png.worker.mjs'].map((name) => `dist/ordering/timeline/${name}`);

test('it is under 3 MB, under 6 MB unpacked, and needs no other package at run time', () => {
	expect(packed.size).toBeLessThan(3_000_000);
	expect(packed.files.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(6_000_000);
	expect(packed.files.filter(({ path }) => !pngFiles.includes(path)).reduce((sum, { size }) => sum + size, 0)).toBeLessThan(2_000_000);
	expect([manifest.dependencies, manifest.optionalDependencies]).toEqual([undefined, undefined]);
	expect(manifest.peerDependencies).toEqual({ 'n8n-workflow': '*' });
	for (const hook of ['preinstall', 'install', 'postinstall', 'prepare']) expect(manifest.scripts).not.toHaveProperty(hook);
});

test('it holds what is built, the templates and the papers, and nothing else', () => {
	const others = packed.files.map(({ path }) => path).filter((path) => !/^dist\/(nodes|credentials)\/.*\.js$|^dist\/nodes\/.*\.node\.json$|^dist\/icons\/.*\.svg$|^templates\/(.*\.json|README\.md)$/.test(path));
	const papers = ['README.md', 'CHANGELOG.md'];
	expect(others.filter((path) => !papers.includes(path)).sort()).toEqual(['LICENSE.md', 'dist/THIRD-PARTY-LICENSES.txt', 'dist/ordering/index.js', ...pngFiles, 'package.json']);
});

test('what draws pictures is not in the engine', () => {
	expect(packed.files.find(({ path }) => path === 'dist/ordering/index.js')?.size).toBeLessThan(1_500_000);
	expect(readFileSync(join(root, 'dist/ordering/index.js'), 'utf8')).not.toContain('resvg_render');
	expect(readFileSync(join(root, 'dist/ordering/timeline/png.worker.mjs'), 'utf8')).toContain('resvg_render');
});

test('the engine is ASCII alone: Node reads it faster, and keeps it in half the memory', () => {
	const engine = readFileSync(join(root, 'dist/ordering/index.js'));
	expect(engine.toString('utf8')).toHaveLength(engine.length);
});

test('it holds one copy of the engine, which all nodes require', () => {
	const files = packed.files.filter(({ path }) => path.endsWith('.js'));
	const withEngine = files.filter(({ path }) => readFileSync(join(root, path), 'utf8').includes('ledger.sqlite'));
	expect(withEngine.map(({ path }) => path)).toEqual(['dist/ordering/index.js']);
	for (const { path, size } of files) if (path !== 'dist/ordering/index.js') expect(size).toBeLessThan(50_000);
});

test('it requires nothing but n8n-workflow, its own files and what comes with Node', () => {
	const required = packed.files.filter(({ path }) => path.endsWith('.js')).flatMap(({ path }) => [...readFileSync(join(root, path), 'utf8').matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name]) => name as string));
	const { builtinModules } = jest.requireActual<typeof import('node:module')>('node:module');
	const foreign = required.filter((name) => !name.startsWith('.') && !name.startsWith('node:') && !builtinModules.includes(name) && name !== 'n8n-workflow');
	// ws and pg ask for these in a try, and go on without them: in test/package/oneEngine.test.ts nothing but n8n-workflow is there
	expect(foreign.sort()).toEqual(['bufferutil', 'pg-native', 'utf-8-validate']);
	const imported = packed.files.filter(({ path }) => path.endsWith('.mjs')).flatMap(({ path }) => [...readFileSync(join(root, path), 'utf8').matchAll(/\b(?:from|import)\s*\(?\s*["']([^"']+)["']/g)].map(([, name]) => name as string));
	expect(imported.length).toBeGreaterThan(0);
	expect(imported.filter((name) => !name.startsWith('node:'))).toEqual([]);
});

test('every library in the bundle has its licence in it', () => {
	const licences = readFileSync(join(root, 'dist/THIRD-PARTY-LICENSES.txt'), 'utf8');
	for (const library of ['axios', 'zod', 'p-retry', 'p-map', 'pg', 'ioredis', 'socket.io-client']) expect(licences).toMatch(new RegExp(`^${library} \\d`, 'm'));
	expect(licences).toMatch(/MIT/);
	expect(licences).toMatch(/^@resvg\/resvg-wasm \d\S* \(MPL-2\.0\)$[^]{1,200}^Source code: https:\/\//m);
	expect(licences).toMatch(/^dejavu-fonts-ttf \d[^]{1,400}Bitstream Vera Fonts Copyright/m);
	expect(licences.match(/^@resvg\/resvg-wasm \d/gm)).toHaveLength(1);
});

test("no key of the simulator and no developer's folder is in its code or templates", () => {
	const secrets = ['simulator-key', 'instance-token', root];
	const found = packed.files.filter(({ path }) => !path.endsWith('.md')).flatMap(({ path }) => secrets.filter((secret) => readFileSync(join(root, path), 'utf8').includes(secret)).map((secret) => `${secret} in ${path}`));
	expect(found).toEqual([]);
});

test('every node and credential that the manifest names is there, loads, and has its icons', () => {
	for (const file of [...manifest.n8n.nodes, ...manifest.n8n.credentials]) {
		expect(packed.files.map(({ path }) => path)).toContain(file);
		const loaded = load(file);
		const { icon } = 'description' in loaded ? loaded.description : loaded;
		if (typeof icon !== 'object') throw new Error(`${file} has no icon for each theme.`);
		for (const one of [icon.light, icon.dark]) expect(existsSync(join(root, dirname(file), one.replace(/^file:/, '')))).toBe(true);
	}
	for (const folder of ['nodes', 'credentials']) {
		const built = readdirSync(join(root, 'dist', folder), { recursive: true }).map(String).filter((file) => /\.(node|credentials)\.js$/.test(file));
		expect(built.map((file) => `dist/${folder}/${file.replaceAll('\\', '/')}`).sort()).toEqual([...manifest.n8n[folder as 'nodes']].sort());
	}
});

test('n8n learns under which words to find each node', async () => {
	const loader = new PackageDirectoryLoader(root);
	await loader.loadAll();
	const codices = Object.fromEntries(loader.types.nodes.map(({ name, codex }) => [name, codex]));
	expect(codices).toEqual({
		chatMessageBuffer: expect.objectContaining({ categories: ['Communication'], alias: expect.arrayContaining(['ordered', 'whatsapp buffer', 'typebot buffer']) }),
		orderedEvolutionApiSend: expect.objectContaining({ categories: ['Communication'], alias: expect.arrayContaining(['evolution', 'whatsapp', 'typebot', 'ordered']) }),
		orderedMessageLog: expect.objectContaining({ categories: ['Communication'], alias: expect.arrayContaining(['log', 'whatsapp log', 'typebot log']) }),
	});
});

test('every credential that a node asks for is in the package, and its test exists', () => {
	const names = manifest.n8n.credentials.map((file) => (load(file) as ICredentialType).name);
	for (const node of manifest.n8n.nodes.map((file) => load(file) as INodeType)) {
		for (const { name, testedBy } of node.description.credentials ?? []) {
			expect(names).toContain(name);
			if (typeof testedBy === 'string') expect(node.methods?.credentialTest).toHaveProperty(testedBy);
		}
	}
});

/** Those for n8n: the export for TypeBot and the API's description have tests of their own. */
const templates = readdirSync(join(root, 'templates')).filter((file) => file.endsWith('.json') && !/^typebot-|\.openapi\.json$/.test(file));
const othersNodes = /^n8n-nodes-base\.(code|dataTable|executeWorkflow|executeWorkflowTrigger|httpRequest|if|manualTrigger|noOp|respondToWebhook|scheduleTrigger|set|splitOut|stickyNote|switch|webhook)$|^@n8n\/n8n-nodes-langchain\.(agent|lmChatOpenAi|memoryBufferWindow)$/;

test.each(templates)('the template %s sets only parameters that its nodes have, to values that they take', (file) => {
	const { nodes, connections } = JSON.parse(readFileSync(join(root, 'templates', file), 'utf8')) as { nodes: TemplateNode[]; connections: Record<string, Record<string, Array<Array<{ node: string }>>>> };
	for (const node of nodes) {
		const own = node.type.startsWith(`${manifest.name}.`);
		expect(own ? '' : node.type).toMatch(own ? '' : othersNodes);
		if (own) checkParameters(node.parameters, nodeOfType(node.type).description.properties, node.parameters.operation);
	}
	const names = nodes.map(({ name }) => name);
	expect(new Set(names).size).toBe(names.length);
	for (const [from, links] of Object.entries(connections)) expect(names).toEqual(expect.arrayContaining([from, ...Object.values(links).flat(2).map(({ node }) => node)]));
	for (const { credentials = {} } of nodes) for (const { id } of Object.values(credentials)) expect(id).toBe('');
	expect(nodes.filter(({ type }) => type.startsWith(manifest.name)).length).toBeGreaterThan(0);
});

interface TemplateNode {
	name: string;
	type: string;
	parameters: Record<string, unknown>;
	credentials?: Record<string, { id: string }>;
}

function checkParameters(parameters: Record<string, unknown>, properties: INodeProperties[], operation: unknown): void {
	for (const [name, value] of Object.entries(parameters)) {
		const property = properties.find((one) => one.name === name && isShown(one, operation));
		if (!property) throw new Error(`There is no parameter ${name}.`);
		if (property.type === 'collection') checkParameters(value as Record<string, unknown>, property.options as INodeProperties[], operation);
		if (property.type === 'options' && !String(value).startsWith('=')) expect((property.options as Array<{ value: unknown }>).map((option) => option.value)).toContain(value);
		if ((property.type === 'boolean' || property.type === 'number') && !String(value).startsWith('=')) expect(typeof value).toBe(property.type);
	}
}

/** Operations have parameters of one name, such as their options. */
function isShown({ displayOptions }: INodeProperties, operation: unknown): boolean {
	const operations = displayOptions?.show?.operation ?? displayOptions?.show?.['/operation'];
	return !operations || operation === undefined || operations.includes(operation as string);
}

function nodeOfType(type: string): INodeType {
	const node = manifest.n8n.nodes.map((file) => load(file) as INodeType).find(({ description }) => `${manifest.name}.${description.name}` === type);
	if (!node) throw new Error(`The package has no node of the type ${type}.`);
	return node;
}

function load(file: string): INodeType | ICredentialType {
	return builtClass(join(root, file));
}

function builtClass(file: string): INodeType | ICredentialType {
	const exported = jest.requireActual<Record<string, new () => INodeType | ICredentialType>>(file);
	const BuiltClass = Object.values(exported)[0];
	if (!BuiltClass) throw new Error(`${file} exports nothing.`);
	return new BuiltClass();
}
