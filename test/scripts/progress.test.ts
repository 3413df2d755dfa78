// Long commands: what a person sees meanwhile, and when they fail.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { npmCommand, runWithProgress, withProgress } from '../../scripts/run/progress.mjs';
import { temporaryFolder } from './temporary';

const folder = temporaryFolder();
const node = (code: string): [string, string[]] => [process.execPath, ['-e', code]];

test('it prints how long it has been at it, and how far it is', async () => {
	const lines: string[] = [];
	await runWithProgress('Working', ...node('setTimeout(() => {}, 250)'), { everyMs: 100, measure: async () => '5 MB', print: (line) => lines.push(line) });
	expect(lines[0]).toBe('Working …');
	expect(lines[1]).toMatch(/^Working … \d+ s, 5 MB$/);
	expect(lines.at(-1)).toMatch(/^Working: done in \d+ s$/);
});

test('work that is no command shows its progress too, and gives its result or its failure', async () => {
	const lines: string[] = [];
	const options = { everyMs: 50, print: (line: string) => void lines.push(line) };
	expect(await withProgress('Working', () => sleep(200, 7), options)).toBe(7);
	expect(lines[0]).toBe('Working …');
	expect(lines[1]).toMatch(/^Working … \d+ s$/);
	expect(lines.at(-1)).toMatch(/^Working: done in \d+ s$/);
	lines.length = 0;
	await expect(withProgress('Working', () => Promise.reject(new Error('no')), options)).rejects.toThrow('no');
	expect(lines).toEqual(['Working …']);
});

test('a failure shows the end of what the command said, and where all of it is', async () => {
	const logFile = join(folder, 'logs', 'work.log');
	const failing = runWithProgress('Working', ...node('console.error("the reason"); process.exit(3)'), { print: () => {}, logFile });
	await expect(failing).rejects.toThrow(/^Working failed after \d+ s\.\nthe reason\n\(ended with code 3\)\nThe whole log: .*work\.log$/);
	expect(readFileSync(logFile, 'utf8')).toBe('the reason\n');
});

test('npm\'s manual behind its errors is left out', async () => {
	const failing = runWithProgress('npm', ...node('console.error("npm error code EUSAGE\\nnpm error\\nnpm error the cause\\nUsage: …"); process.exit(1)'), { print: () => {} });
	await expect(failing).rejects.toThrow('npm error code EUSAGE\nnpm error the cause\n(ended with code 1)');
});

test('a registry that can\'t be reached is named as the cause', async () => {
	const failing = runWithProgress('npm', ...node('console.error("npm error code ENOTFOUND"); process.exit(1)'), { print: () => {} });
	await expect(failing).rejects.toThrow('The npm registry could not be reached (ENOTFOUND)');
});

test('a missing npm is told with where to get it', async () => {
	await expect(runWithProgress('Installing', join(folder, 'npm'), [], { print: () => {} })).rejects.toThrow(/was not found\. npm comes with Node\.js/);
});

test('the npm that runs the task is the npm that installs', () => {
	expect(npmCommand({ npm_execpath: '/lib/npm/bin/npm-cli.js' })).toEqual({ command: process.execPath, leading: ['/lib/npm/bin/npm-cli.js'] });
	expect(npmCommand({}).leading).toEqual([]);
});
