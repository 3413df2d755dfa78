// The launcher as a process, in a small project whose tools do nothing but pass or fail.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { stampOf } from '../../scripts/run/dependencies.mjs';
import { temporaryFolder } from './temporary';

const folder = temporaryFolder();
const ROOT = resolve(__dirname, '../..');
const PASSES = 'console.log("ran", process.argv.slice(2).join(" "))';
const JEST = `const at = process.argv.find((word) => word.startsWith('--outputFile=')).slice(13);
require('fs').writeFileSync(at, JSON.stringify({ numPassedTests: 7, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, numRuntimeErrorTestSuites: 0 }));
${PASSES}`;

function project(tools: Partial<Record<'gulp' | 'tsc' | 'eslint' | 'jest', string>> = {}): string {
	const root = mkdtempSync(join(folder, 'project-'));
	cpSync(join(ROOT, 'scripts', 'run'), join(root, 'scripts', 'run'), { recursive: true });
	cpSync(join(ROOT, 'scripts', 'run.mjs'), join(root, 'scripts', 'run.mjs'));
	writeFileSync(join(root, 'package.json'), '{"name":"small"}');
	writeFileSync(join(root, 'package-lock.json'), '{}');
	const programs = { gulp: 'gulp/bin/gulp.js', tsc: 'typescript/bin/tsc', eslint: 'eslint/bin/eslint.js', jest: 'jest/bin/jest.js' };
	for (const [tool, path] of Object.entries(programs)) {
		const file = join(root, 'node_modules', path);
		mkdirSync(dirname(file), { recursive: true });
		writeFileSync(file, tools[tool as keyof typeof programs] ?? (tool === 'jest' ? JEST : PASSES));
	}
	writeFileSync(join(root, 'node_modules', '.stamp'), stampOf(root));
	return root;
}

async function run(root: string, ...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
	return await promisify(execFile)(process.execPath, [join(root, 'scripts', 'run.mjs'), ...words]).then(
		(output) => ({ code: 0, ...output }),
		({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ code, stdout, stderr }),
	);
}

test('an unknown task is answered with those there are', async () => {
	const { code, stderr } = await run(project(), 'tset');
	expect(code).toBe(2);
	expect(stderr).toMatch(/^Unknown task tset\. There are: start, .*test:n8n, .*\.\n$/);
});

test('extra words reach the task', async () => {
	expect((await run(project(), 'lint', '--fix', 'nodes')).stdout).toContain('ran . --fix nodes');
});

test('a step\'s exit code is the task\'s', async () => {
	expect((await run(project({ eslint: 'process.exit(7)' }), 'lint')).code).toBe(7);
});

test('test runs each step, tells its result, and leaves the counts', async () => {
	const root = project();
	const { code, stdout } = await run(root, 'test');
	expect(code).toBe(0);
	expect(stdout).toMatch(/✓ build: ok, \d+ s\n✓ types: ok, \d+ s\n✓ lint: ok, \d+ s\n✓ tests: 7 of 7 passed, \d+ s\n$/);
	expect(JSON.parse(readFileSync(join(root, '.cache/results/test.json'), 'utf8'))).toEqual({ passed: 10, failed: 0, skipped: 0 });
});

test('test goes on behind a step that fails, and fails', async () => {
	const root = project({ tsc: 'process.exit(2)' });
	const { code, stdout } = await run(root, 'test');
	expect(code).toBe(1);
	expect(stdout).toMatch(/✗ types: failed \(exit code 2\), \d+ s\n✓ lint: ok, \d+ s\n✓ tests: 7 of 7 passed/);
	expect(JSON.parse(readFileSync(join(root, '.cache/results/test.json'), 'utf8'))).toEqual({ passed: 9, failed: 1, skipped: 0 });
});

test('other tasks stop at the first step that fails', async () => {
	const { code, stdout } = await run(project({ gulp: 'process.exit(1)' }), 'start');
	expect(code).toBe(1);
	expect(stdout).toBe('');
});
