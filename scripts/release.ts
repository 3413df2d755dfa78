// The last step of `npm run release:check`: whether this version can be published as it stands here. Changes nothing.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Descriptions, missingIn, presentDescriptions } from '../test/upgrades/descriptions';
import { packPackage } from './n8n/package';
import { projectRoot } from './n8n/paths';
import { cleanN8nProblems } from './release/cleanN8n';
import { formProblems, hasUnreleased, versionProblems } from './release/changelog';
import { treeProblems } from './release/git';
import { type Manifest, manifestProblems, repositoryProblems } from './release/manifest';
import { filesIn, tarballProblems } from './release/tarball';
import { workflowProblems } from './release/workflow';

interface Check {
	what: string;
	/** What is wrong, a sentence each; nothing where all is well. */
	problems(): string[] | Promise<string[]>;
}

const read = (file: string) => readFileSync(join(projectRoot, file), 'utf8');

async function main(): Promise<number> {
	const { values } = parseArgs({ options: { results: { type: 'string' } } });
	const folder = mkdtempSync(join(tmpdir(), 'ordered-pack-'));
	try {
		const manifest = JSON.parse(read('package.json')) as Manifest;
		const checks = checksOf(manifest, folder);
		let failed = 0;
		for (const { what, problems } of checks) {
			const found = await problemsOf(problems);
			if (found.length > 0) failed += 1;
			console.log(`${found.length === 0 ? '✓' : '✗'} ${what}`);
			for (const problem of found) console.log(`   ${problem}`);
		}
		for (const note of notesOf(manifest)) console.log(`· ${note}`);
		if (values.results) writeResults(values.results, { passed: checks.length - failed, failed, skipped: 0 });
		return failed > 0 ? 1 : 0;
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

/** In the order in which they cost time; the tarball is packed once. */
function checksOf(manifest: Manifest, folder: string): Check[] {
	let tarball: Promise<string> | undefined;
	const pack = () => (tarball ??= packPackage(folder));
	return [
		{ what: 'package.json is as npm and n8n want it', problems: () => manifestProblems(manifest, JSON.parse(read('package-lock.json')) as object) },
		{ what: 'its repository is the one that publishes', problems: () => repositoryProblems(manifest, process.env.GITHUB_REPOSITORY).problems },
		{ what: 'CHANGELOG.md has the form of Keep a Changelog', problems: () => formProblems(read('CHANGELOG.md')) },
		{ what: `CHANGELOG.md tells of ${manifest.version}`, problems: () => versionProblems(read('CHANGELOG.md'), manifest.version) },
		{ what: 'what saved workflows count on is stored, for upgrades', problems: () => snapshotProblems(manifest.version) },
		{ what: 'the publish workflow attests provenance, after this check', problems: () => workflowProblems(read('.github/workflows/publish.yml')) },
		{ what: 'everything is committed', problems: () => treeProblems(projectRoot) },
		{ what: 'the packed package holds what it should and nothing else', problems: async () => tarballProblems(await filesIn(await pack()), manifest, projectRoot) },
		{ what: 'a clean n8n installs it, knows all of it and runs a workflow', problems: async () => cleanN8nProblems(await pack(), manifest, projectRoot) },
	];
}

/** test/upgrades/upgrades.test.ts holds later versions to what is stored of this one. */
function snapshotProblems(version: string): string[] {
	const file = join(projectRoot, 'test', 'upgrades', version, 'parameters.json');
	if (!existsSync(file)) return [`Nothing of ${version} is stored in test/upgrades: run "npm run release:snapshot" and commit what it writes.`];
	const unknown = missingIn(JSON.parse(readFileSync(file, 'utf8')) as Descriptions, presentDescriptions());
	return unknown.length === 0 ? [] : [`What is stored in test/upgrades/${version} is older than the nodes, which differ in ${unknown.length} ${unknown.length === 1 ? 'place' : 'places'}: run "npm run release:snapshot -- --again" and commit what it writes.`];
}

function notesOf(manifest: Manifest): string[] {
	const unreleased = hasUnreleased(read('CHANGELOG.md')) ? [`CHANGELOG.md has entries under Unreleased. What is in this release belongs under [${manifest.version}].`] : [];
	return [...repositoryProblems(manifest, process.env.GITHUB_REPOSITORY).notes, ...unreleased];
}

async function problemsOf(find: Check['problems']): Promise<string[]> {
	try {
		return await find();
	} catch (error) {
		return [error instanceof Error ? error.message : String(error)];
	}
}

function writeResults(file: string, counts: object): void {
	mkdirSync(dirname(file), { recursive: true });
	writeFileSync(file, `${JSON.stringify(counts)}\n`);
}

main().then(
	(code) => (process.exitCode = code),
	(error: unknown) => {
		console.error(error instanceof Error ? error.message : error);
		process.exitCode = 1;
	},
);
