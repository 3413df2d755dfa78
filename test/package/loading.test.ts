// Loading the built package as n8n does opens nothing: in a fresh Node that may read its files and those of n8n-workflow, and nothing else.
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(__dirname, '../..');
const { n8n } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { n8n: { nodes: string[]; credentials: string[] } };
let folder: string;

beforeEach(() => {
	folder = realpathSync(mkdtempSync(join(tmpdir(), 'ordered-loading-')));
	cpSync(join(root, 'dist'), join(folder, 'package', 'dist'), { recursive: true });
	mkdirSync(join(folder, 'package', 'node_modules'));
	symlinkSync(realpathSync(join(root, 'node_modules', 'n8n-workflow')), join(folder, 'package', 'node_modules', 'n8n-workflow'), 'junction');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What loading did. */
interface Found {
	/** Of the classes that it made. */
	names: string[];
	/** Asynchronous work that was begun, whether it goes on or not. */
	begun: string[];
	/** What keeps the process alive. */
	active: string[];
	/** Files that are open. */
	files: string[];
	/** What Node's permissions kept it from, also where it went on without. */
	denied: string[];
	/** The parts of Node that were needed. */
	builtins: string[];
	/** When the process had ended by itself; after a second it is ended. */
	endedAfterMs: number;
}

const script = `
	const { createHook } = require('node:async_hooks');
	const { subscribe } = require('node:diagnostics_channel');
	const { readdirSync } = require('node:fs');
	void [process.stdout, process.stderr]; // Node opens them when they are first named
	require(process.env.PACKAGE + '/node_modules/n8n-workflow'); // n8n has loaded it long before
	const found = { names: [], begun: [], denied: [] };
	const lists = { active: () => process.getActiveResourcesInfo(), builtins: () => process.moduleLoadList, files: () => (process.platform === 'linux' ? readdirSync('/proc/self/fd') : []) };
	const before = Object.entries(lists).map(([name, list]) => [name, list().length]);
	for (const kind of ['fs', 'child', 'worker']) subscribe('node:permission-model:' + kind, ({ permission, resource }) => {
		// require looks whether a folder above the package is a link
		if (permission !== 'FileSystemRead' || !process.env.PACKAGE.startsWith(resource)) found.denied.push(permission + ' ' + resource);
	});
	const hook = createHook({ init: (id, type) => void found.begun.push(type) }).enable();
	for (const file of process.env.FILES.split(',')) {
		const exported = require(process.env.PACKAGE + '/' + file);
		const made = new (Object.values(exported)[0])();
		found.names.push(made.description?.name ?? made.name);
	}
	hook.disable();
	for (const [name, length] of before) found[name] = lists[name]().slice(length);
	const loadedAt = performance.now();
	setTimeout(() => process.exit(), 1000).unref();
	process.on('exit', () => console.log(JSON.stringify({ ...found, endedAfterMs: performance.now() - loadedAt })));
`;

/** Node's permissions make an Error of each file that is written, or read elsewhere, and of each process or thread. */
async function load(): Promise<Found> {
	const readable = [folder, realpathSync(join(root, 'node_modules')), '/proc'];
	const { stdout } = await promisify(execFile)(
		process.execPath,
		['--permission', ...readable.map((path) => `--allow-fs-read=${path}`), '-e', script],
		{ env: { PATH: process.env.PATH, PACKAGE: join(folder, 'package'), N8N_USER_FOLDER: join(folder, 'user'), FILES: [...n8n.credentials, ...n8n.nodes].join(',') }, timeout: 20_000 },
	);
	return JSON.parse(stdout) as Found;
}

test('loading all nodes and credentials begins no connection, file, timer, thread or promise, and the process ends by itself', async () => {
	const { names, begun, active, files, denied, endedAfterMs } = await load();
	expect(names.sort()).toEqual(['chatMessageBuffer', 'evolutionServerApi', 'orderedEvolutionApiSend', 'orderedMessageLog', 'orderedStoreApi', 'webhookTargetApi']);
	expect({ begun, active, files, denied }).toEqual({ begun: [], active: [], files: [], denied: [] });
	expect(endedAfterMs).toBeLessThan(1000);
	expect(existsSync(join(folder, 'user'))).toBe(false);
});

test('loading runs none of the big libraries, which are for the first request and for a shared store', async () => {
	const { builtins } = await load();
	expect(builtins).toContain('NativeModule sqlite');
	// each of them requires one of these: axios and socket.io-client http2, ioredis tty, pg dns
	for (const name of ['http2', 'tty', 'dns']) expect(builtins).not.toContain(`NativeModule ${name}`);
});
