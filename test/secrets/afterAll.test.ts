// The check after all suites: it passes for whole evidence alone.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../support/scene';

const clean = { secrets: 5, found: [] };
const ledger = { 'ledger': 100, 'bodies of webhook calls': 100 };
const shared = { 'PostgreSQL': 100, "PostgreSQL's log": 100, 'Redis': 100, 'bodies of webhook calls': 100 };

/** Checks these searches of the suite "faults, embedded", beside good ones of "faults, shared"; tells what it printed of that suite. */
function check(...searches: object[]): { suite: string[]; counts: { passed: number; failed: number } } {
	const evidence = temporaryFolder();
	mkdirSync(join(evidence, 'test-faults'));
	const write = (suite: string, all: object[]) => writeFileSync(join(evidence, 'test-faults', `${suite}.jsonl`), all.map((one) => `${JSON.stringify(one)}\n`).join(''));
	write('faults, shared', [{ ...clean, places: shared }]);
	if (searches.length > 0) write('faults, embedded', searches);
	const results = join(evidence, 'results.json');
	const { stdout, status } = spawnSync(process.execPath, ['--import', 'tsx', join(__dirname, 'afterAll.ts'), '--evidence', evidence, '--results', results], { encoding: 'utf8' });
	expect(status).toBe(1); // the other tasks have left nothing
	const lines = stdout.split('\n');
	const from = lines.findIndex((line) => line.includes('faults, embedded'));
	return { suite: lines.slice(from, lines.findIndex((line) => line.includes('faults, shared'))), counts: JSON.parse(readFileSync(results, 'utf8')) as { passed: number; failed: number } };
}

test('a suite that was searched in all its places, in one search or another, passes', () => {
	const { suite, counts } = check({ ...clean, places: { ledger: 100 } }, { ...clean, places: { 'bodies of webhook calls': 2000 } });
	expect(suite).toEqual(['✓ faults, embedded: 2 searches for up to 5 secrets (ledger 1 kB, bodies of webhook calls 2 kB)']);
	expect(counts).toMatchObject({ passed: 2 });
});

test.each<[string, object[], RegExp]>([
	['left no evidence', [], /no evidence: run "npm run test:faults" first/],
	['was not searched in one of its places', [{ ...clean, places: { ...ledger, ledger: 0 } }], /nothing was searched in: ledger/],
	['was searched for nothing', [{ ...clean, places: ledger }, { secrets: 0, found: [], places: ledger }], /looked for no secret/],
	['left a secret', [{ ...clean, places: ledger }, { secrets: 5, places: ledger, found: [{ place: 'ledger', secret: 'API key', spelling: 'base64', after: 'x' }] }], /ledger: API key \(base64\), after "x"/],
])('a suite that %s fails', (_what, searches, expected) => {
	const { suite, counts } = check(...searches);
	expect(suite[0]).toMatch(/^✗/);
	expect(suite[1]).toMatch(expected);
	expect(counts).toMatchObject({ passed: 1 });
});
