// Whether what would be published is what is committed.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual, promisify } from 'node:util';
import { FILLED_IN } from './manifest';

/** What is changed and not committed below `root`; nothing outside of git. */
export async function treeProblems(root: string): Promise<string[]> {
	if (!existsSync(join(root, '.git'))) return [];
	const changed = (await git(root, 'status', '--porcelain=v1', '--untracked-files=all')).split('\n').filter((line) => line !== '').map((line) => line.slice(3));
	const real = [];
	for (const file of changed) if (file !== 'package.json' || !(await isOnlyFilledIn(root))) real.push(file);
	return real.length === 0 ? [] : [`Not committed: ${real.slice(0, 10).join(', ')}${real.length > 10 ? ` and ${real.length - 10} more` : ''}. A release is what the tag holds: commit these, or put them away (git stash -u).`];
}

/** The publish workflow sets a few fields of package.json before it checks. */
async function isOnlyFilledIn(root: string): Promise<boolean> {
	const committed = await git(root, 'show', 'HEAD:package.json').catch(() => '{}');
	return isDeepStrictEqual(withoutFilledIn(committed), withoutFilledIn(readFileSync(join(root, 'package.json'), 'utf8')));
}

function withoutFilledIn(text: string): object {
	return Object.fromEntries(Object.entries(JSON.parse(text) as object).filter(([field]) => !FILLED_IN.includes(field)));
}

async function git(root: string, ...args: string[]): Promise<string> {
	return (await promisify(execFile)('git', args, { cwd: root })).stdout;
}
