// Packs this package, and installs a packed one into an n8n just as n8n's own community install does.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { npmCommand, withProgress } from '../run/progress.mjs';
import { projectRoot } from './paths';

interface Manifest {
	name: string;
	version: string;
	files?: string[];
	devDependencies?: unknown;
	peerDependencies?: unknown;
	optionalDependencies?: unknown;
}

/** Packs the built package (`npm pack`) into `folder` and gives the tarball's path. */
export async function packPackage(folder: string, root = projectRoot): Promise<string> {
	mkdirSync(folder, { recursive: true });
	const { stdout } = await npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root);
	const [packed] = JSON.parse(stdout) as Array<{ filename: string }>;
	if (!packed) throw new Error(`npm pack told no file name: ${stdout}`);
	return join(folder, packed.filename);
}

/** Lies in the installed package, so that it goes with it, and names the contents that it was installed from. */
const STAMP = '.installed-from';

/** Packs and installs the built package, unless just that is installed already. */
export async function installProject(userFolder: string, { root = projectRoot, print = console.log as (line: string) => void } = {}): Promise<void> {
	const contents = hashOfContents(root);
	const { name } = readManifest(root);
	const stamp = join(installedFolder(userFolder, name), STAMP);
	if (existsSync(stamp) && readFileSync(stamp, 'utf8') === contents) return;
	await withProgress('Installing the package into n8n', async () => installPackage(await packPackage(join(userFolder, 'pack'), root), userFolder), { print });
	writeFileSync(stamp, contents);
}

/** Of all that npm packs: what the manifest lists, and the papers that npm always takes. */
function hashOfContents(root: string): string {
	const papers = readdirSync(root).filter((file) => /^(package\.json$|readme|licen[cs]e|changelog)/i.test(file));
	const hash = createHash('sha256');
	for (const file of [...papers, ...(readManifest(root).files ?? [])].flatMap((entry) => filesIn(root, entry)).sort()) hash.update(`${file}\0`).update(readFileSync(join(root, file))).update('\0');
	return hash.digest('hex');
}

/** The entry itself, or all files below it. */
function filesIn(root: string, entry: string): string[] {
	const path = join(root, entry);
	if (!existsSync(path)) return [];
	if (!statSync(path).isDirectory()) return [entry];
	return readdirSync(path, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).map((one) => relative(root, join(one.parentPath, one.name)));
}

function readManifest(folder: string): Manifest {
	return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}

function installedFolder(userFolder: string, name: string): string {
	return join(userFolder, '.n8n', 'nodes', 'node_modules', name);
}

/** Fetches a published package, such as `name@1.2.3`, into `folder` (once) and gives the tarball's path. */
export async function packPublished(spec: string, folder: string): Promise<string> {
	mkdirSync(folder, { recursive: true });
	const file = join(folder, `${spec.replace(/^@/, '').replaceAll(/[/@]/g, '-')}.tgz`);
	if (existsSync(file)) return file;
	const { stdout } = await npm(['pack', spec, '--json', '--ignore-scripts', '--pack-destination', folder], folder);
	const [packed] = JSON.parse(stdout) as Array<{ filename: string }>;
	if (!packed) throw new Error(`npm pack told no file name: ${stdout}`);
	if (join(folder, packed.filename) !== file) throw new Error(`npm pack wrote ${packed.filename} instead of ${file}`);
	return file;
}

/**
 * Installs a tarball below an n8n user folder and gives the package's name. The steps are those of n8n 2.41's
 * CommunityPackagesService.downloadPackage: unpack, drop the dependencies that n8n provides or that are for development,
 * then install the rest without scripts. n8n finds the package by its folder when it starts.
 */
export async function installPackage(tarball: string, userFolder: string): Promise<string> {
	const nodesFolder = join(userFolder, '.n8n', 'nodes');
	mkdirSync(join(nodesFolder, 'node_modules'), { recursive: true });
	const own = join(nodesFolder, 'package.json');
	if (!existsSync(own)) writeFileSync(own, '{"name":"installed-nodes","private":true,"dependencies":{}}');
	const unpacked = mkdtempSync(join(tmpdir(), 'n8n-node-'));
	try {
		await promisify(execFile)('tar', ['-xzf', tarball, '-C', unpacked]);
		const source = join(unpacked, 'package');
		const manifest = readManifest(source);
		for (const dropped of ['devDependencies', 'peerDependencies', 'optionalDependencies'] as const) delete manifest[dropped];
		writeFileSync(join(source, 'package.json'), JSON.stringify(manifest, null, 2));
		const target = installedFolder(userFolder, manifest.name);
		rmSync(target, { recursive: true, force: true });
		cpSync(source, target, { recursive: true });
		await npm(['install', '--audit=false', '--fund=false', '--bin-links=false', '--install-strategy=shallow', '--ignore-scripts=true', '--package-lock=false'], target);
		return manifest.name;
	} finally {
		rmSync(unpacked, { recursive: true, force: true });
	}
}

function npm(args: string[], cwd: string): Promise<{ stdout: string; stderr: string }> {
	const { command, leading } = npmCommand();
	return promisify(execFile)(command, [...leading, ...args], { cwd, shell: command.endsWith('.cmd'), maxBuffer: 50_000_000 });
}
