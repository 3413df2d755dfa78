// After all suites: each was searched for secrets, in each of its places, and none was found. `npm run test:secrets`.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Search } from '../support/secrets';

/** What each suite has to have searched, by the task of npm that runs it. */
const expected: Record<string, Record<string, string[]>> = {
	'test': {
		'engine': ['ledger', 'outcomes', 'bodies of webhook calls'],
		'shared store': ['PostgreSQL', "PostgreSQL's log", 'Redis', 'outcomes', 'bodies of webhook calls'],
		'nodes': ["n8n's user folder", 'outputs and errors', 'bodies of webhook calls'],
		'nodes with a store': ['PostgreSQL', "PostgreSQL's log", 'Redis', "workers' outputs"],
		'secrets': ['ledger', 'ledger of a killed process', 'PostgreSQL', "PostgreSQL's log", 'Redis', 'commands of Redis', 'outputs and errors', 'bodies of webhook calls', "credentials' tests", 'list of instances'],
	},
	'test:n8n': { n8n: ["n8n's user folder", "n8n's log", 'bodies of webhook calls'] },
	'test:queue': { 'queue mode': ['PostgreSQL of n8n', 'PostgreSQL', "PostgreSQL's log", 'Redis of n8n', 'Redis', "n8n's user folders", 'bodies of webhook calls'] },
	'test:faults': { 'faults, embedded': ['ledger', 'bodies of webhook calls'], 'faults, shared': ['PostgreSQL', "PostgreSQL's log", 'Redis', 'bodies of webhook calls'] },
};

/** What is wrong with a suite's evidence; nothing where all is well. */
function problemsOf(task: string, searches: Search[], places: string[]): string[] {
	if (searches.length === 0) return [`it left no evidence: run "npm run ${task}" first`];
	const bytes = bytesOf(searches);
	const missing = places.filter((place) => !bytes[place]).map((place) => `nothing was searched in: ${place}`);
	const idle = searches.some(({ secrets }) => secrets === 0) ? ['a search looked for no secret'] : [];
	const found = searches.flatMap((search) => search.found).map(({ place, secret, spelling, after }) => `${place}: ${secret} (${spelling}), after ${JSON.stringify(after)}`);
	return [...missing, ...idle, ...new Set(found)];
}

function bytesOf(searches: Search[]): Record<string, number> {
	const sum: Record<string, number> = {};
	for (const { places } of searches) for (const [place, bytes] of Object.entries(places)) sum[place] = (sum[place] ?? 0) + bytes;
	return sum;
}

function searchesIn(file: string): Search[] {
	if (!existsSync(file)) return [];
	return readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Search);
}

/** Windows allows no colon in a file's name. */
function folderOf(evidence: string, task: string): string {
	return join(evidence, task.replaceAll(':', '-'));
}

function main(): number {
	const { values } = parseArgs({ options: { evidence: { type: 'string', default: '.cache/evidence' }, results: { type: 'string' } } });
	const suites = Object.entries(expected).flatMap(([task, own]) => {
		const folder = folderOf(values.evidence, task);
		const unknown = existsSync(folder) ? readdirSync(folder).map((file) => file.replace('.jsonl', '')).filter((suite) => !own[suite]) : [];
		return [...Object.entries(own), ...unknown.map((suite): [string, string[]] => [suite, []])].map(([suite, places]) => ({ task, suite, places, searches: searchesIn(join(folder, `${suite}.jsonl`)) }));
	});
	let failed = 0;
	for (const { task, suite, places, searches } of suites) {
		const problems = problemsOf(task, searches, places);
		if (problems.length > 0) failed += 1;
		const all = Object.entries(bytesOf(searches)).map(([place, bytes]) => `${place} ${Math.ceil(bytes / 1000)} kB`).join(', ');
		const most = Math.max(0, ...searches.map(({ secrets }) => secrets));
		console.log(`${problems.length === 0 ? '✓' : '✗'} ${suite}: ${searches.length} searches for up to ${most} secrets (${all})`);
		for (const problem of problems) console.log(`   ${problem}`);
	}
	if (values.results) {
		mkdirSync(dirname(values.results), { recursive: true });
		writeFileSync(values.results, `${JSON.stringify({ passed: suites.length - failed, failed, skipped: 0 })}\n`);
	}
	return failed > 0 ? 1 : 0;
}

process.exitCode = main();
