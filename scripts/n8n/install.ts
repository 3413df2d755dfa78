// Installs the real n8n, once, into a cache folder that git ignores.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from '../run/lock.mjs';
import { npmWithProgress } from '../run/progress.mjs';
import { n8nFolder, nodeFolder } from './paths';
import { missingTools, missingToolsMessage } from './tools';

/** The version everything here was tried with; 2.41.3 depends on a package version that the registry does not have. */
export const N8N_VERSION = '2.41.0';

const STAMP = '.installed';

/** Whether this version of n8n is completely installed in `folder`. */
export function isInstalled(folder = n8nFolder, version = N8N_VERSION): boolean {
	try {
		return readFileSync(join(folder, STAMP), 'utf8').trim() === stampText(version);
	} catch {
		return false;
	}
}

/**
 * Installs n8n if it isn't there: about 2.5 GB and 5 minutes. It grows in a folder beside the real one, which gets its
 * name only when complete, so that an interrupted install is never taken for a whole one.
 */
export async function ensureN8n(folder = n8nFolder, print: (line: string) => void = console.log): Promise<void> {
	if (isInstalled(folder)) return;
	checkNode();
	const missing = missingTools();
	if (missing.length > 0) throw new Error(missingToolsMessage(missing));
	await withLock(`${folder}.lock`, async () => {
		if (!isInstalled(folder)) await install(folder, print);
	}, { print });
}

async function install(folder: string, print: (line: string) => void): Promise<void> {
	print(`n8n ${N8N_VERSION} is installed once into ${folder}: about 2.5 GB and 5 minutes.`);
	const partial = `${folder}.partial`;
	rmSync(partial, { recursive: true, force: true });
	mkdirSync(partial, { recursive: true });
	writeFileSync(join(partial, 'package.json'), '{"private":true}\n');
	const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}`, npm_config_nodedir: nodeFolder };
	const step = (name: string) => ({ cwd: partial, env, print, everyMs: 10_000, logFile: join(partial, `${name}.log`) });
	await npmWithProgress(`Installing n8n ${N8N_VERSION}`, ['install', `n8n@${N8N_VERSION}`, '--ignore-scripts', '--omit=optional', '--omit=dev', '--no-audit', '--no-fund'], { ...step('install'), measure: () => sizeOf(partial) });
	await npmWithProgress('Compiling sqlite3 for it (about 80 s)', ['rebuild', 'sqlite3', '--ignore-scripts=false'], step('sqlite3'));
	writeFileSync(join(partial, STAMP), `${stampText(N8N_VERSION)}\n`);
	rmSync(folder, { recursive: true, force: true });
	renameSync(partial, folder);
}

/** sqlite3 is compiled against one version of Node's module interface, so the stamp holds both. */
function stampText(version: string): string {
	return `n8n ${version}, modules ${process.versions.modules}`;
}

function checkNode(): void {
	if (!process.version.startsWith('v24.')) throw new Error(`n8n ${N8N_VERSION} runs on Node 24, and this is ${process.version}: start it by 'npm run n8n'.`);
	if (!existsSync(join(nodeFolder, 'include', 'node', 'node.h'))) throw new Error(`Node's headers are not in ${join(nodeFolder, 'include', 'node')}: start it by 'npm run n8n', which fetches a Node that has them.`);
}

async function sizeOf(folder: string): Promise<string> {
	if (process.platform === 'win32') return '';
	// du's code is 1 when npm moves a folder while it counts; what it printed is good all the same.
	const { stdout } = await promisify(execFile)('du', ['-sm', folder]).catch((error: { stdout: string }) => error);
	const megabytes = Number.parseInt(stdout, 10);
	// npm asks about two thousand packages first, for two minutes, and writes nothing meanwhile.
	return Number.isNaN(megabytes) ? '' : megabytes < 20 ? 'looking up packages' : `${megabytes} of about 2500 MB`;
}
