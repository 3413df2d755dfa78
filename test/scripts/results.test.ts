// The counts that .ci/run adds up.
import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { add, clearResult, countCheck, countJest, readResults, writeResult } from '../../scripts/run/results.mjs';
import { temporaryFolder } from './temporary';

const folder = temporaryFolder();
const TOTAL = resolve(__dirname, '../../scripts/run/total.mjs');

function jestReport(report: object): string {
	const file = join(mkdtempSync(join(folder, 'jest-')), 'report.json');
	writeFileSync(file, JSON.stringify({ numPassedTests: 5, numFailedTests: 0, numPendingTests: 1, numTodoTests: 1, numRuntimeErrorTestSuites: 0, ...report }));
	return file;
}

/** Runs total.mjs as .ci/run does. */
async function total(results: string, ...suites: string[]): Promise<{ line: string; code: number }> {
	return await promisify(execFile)(process.execPath, [TOTAL, results, ...suites]).then(
		({ stdout }) => ({ line: stdout, code: 0 }),
		({ stdout, code }: { stdout: string; code: number }) => ({ line: stdout, code }),
	);
}

test('jest\'s counts are taken as they are', () => {
	expect(countJest(jestReport({ numFailedTests: 2 }), 1)).toEqual({ passed: 5, failed: 2, skipped: 2 });
});

test('a test file that can\'t be loaded is a failure, though it counts no test', () => {
	expect(countJest(jestReport({ numRuntimeErrorTestSuites: 1 }), 1).failed).toBe(1);
});

test('too little coverage is a failure, though each test passed', () => {
	expect(countJest(jestReport({}), 1).failed).toBe(1);
});

test('a jest that wrote nothing is a failure', () => {
	expect(countJest(join(folder, 'none.json'), 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

test('a suite\'s counts are kept until they are cleared', () => {
	const results = mkdtempSync(join(folder, 'results-'));
	writeResult(results, 'test:n8n', countCheck(0));
	expect(add(readResults(results))).toEqual({ passed: 1, failed: 0, skipped: 0 });
	clearResult(results, 'test:n8n');
	expect(readResults(results)).toEqual([]);
});

test('the total is one line, and the exit code is 0 if nothing failed', async () => {
	const results = mkdtempSync(join(folder, 'results-'));
	writeResult(results, 'test', { passed: 10, failed: 0, skipped: 0 });
	writeResult(results, 'test:n8n', { passed: 3, failed: 0, skipped: 0 });
	await expect(total(results, 'test=0', 'test:n8n=0')).resolves.toEqual({ line: '13 passed, 0 failed\n', code: 0 });
});

test('failures make the exit code non-zero', async () => {
	const results = mkdtempSync(join(folder, 'results-'));
	writeResult(results, 'test', { passed: 10, failed: 1, skipped: 2 });
	await expect(total(results, 'test=1')).resolves.toEqual({ line: '10 passed, 1 failed, 2 skipped\n', code: 1 });
});

test('a suite that died without counts is one failure', async () => {
	const results = mkdtempSync(join(folder, 'results-'));
	writeResult(results, 'test', { passed: 10, failed: 0, skipped: 0 });
	await expect(total(results, 'test=0', 'test:n8n=124')).resolves.toEqual({ line: '10 passed, 1 failed\n', code: 1 });
});

test('a suite that says all passed but ended badly is one failure', async () => {
	const results = mkdtempSync(join(folder, 'results-'));
	writeResult(results, 'test', { passed: 10, failed: 0, skipped: 0 });
	await expect(total(results, 'test=137')).resolves.toEqual({ line: '10 passed, 1 failed\n', code: 1 });
});

test('a run without any suite fails', async () => {
	await expect(total(join(folder, 'nowhere'))).resolves.toEqual({ line: '0 passed, 0 failed\n', code: 1 });
});
