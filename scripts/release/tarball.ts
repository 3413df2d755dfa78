// Whether a packed package holds what package.json names, and nothing else.
import { execFile } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Manifest } from './manifest';

/** npm packs these whatever `files` says. */
const ALWAYS = /^(package\.json|readme(\.\w+)?|licen[cs]e(\.\w+)?)$/i;

/** The paths in a tarball as npm packs it, seen from the package's folder. */
export async function filesIn(tarball: string): Promise<string[]> {
	const { stdout } = await promisify(execFile)('tar', ['-tzf', tarball], { maxBuffer: 50_000_000 });
	return stdout.split('\n').filter((path) => path !== '' && !path.endsWith('/')).map((path) => path.replace(/^package\//, ''));
}

export function tarballProblems(packed: string[], manifest: Manifest, root: string): string[] {
	const wanted = filesWanted(manifest, root);
	const missing = wanted.filter((path) => !packed.includes(path)).map((path) => `${path} is not in it`);
	const foreign = packed.filter((path) => !wanted.includes(path)).map((path) => `${path} is in it, which "files" in package.json does not name`);
	const loaded = [...(manifest.n8n?.nodes ?? []), ...(manifest.n8n?.credentials ?? [])].filter((path) => !packed.includes(path)).map((path) => `${path} is not in it, which "n8n" in package.json names`);
	const needed = ['README.md', 'LICENSE.md', 'CHANGELOG.md'].filter((path) => !packed.includes(path)).map((path) => `${path} is not in it`);
	return [...new Set([...missing, ...foreign, ...loaded, ...needed])].map((problem) => `The packed package: ${problem}.`);
}

function filesWanted({ files = [] }: Manifest, root: string): string[] {
	const always = readdirSync(root).filter((name) => ALWAYS.test(name));
	return [...new Set([...always, ...files.flatMap((path) => filesBelow(root, path))])];
}

/** The file itself, or all in the folder; a name without either gives itself, so that it is told as missing. */
function filesBelow(root: string, path: string): string[] {
	const stats = statSync(join(root, path), { throwIfNoEntry: false });
	if (!stats?.isDirectory()) return [path];
	return readdirSync(join(root, path), { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1).replaceAll('\\', '/'));
}
