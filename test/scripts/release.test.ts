// The parts of `npm run release:check`, each with what is right and with what is wrong. The clean n8n is tested by test/n8n.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { formProblems, hasUnreleased, versionProblems } from '../../scripts/release/changelog';
import { treeProblems } from '../../scripts/release/git';
import { type Manifest, manifestProblems, repositoryProblems } from '../../scripts/release/manifest';
import { compareVersions, isSemver } from '../../scripts/release/semver';
import { filesIn, tarballProblems } from '../../scripts/release/tarball';
import { workflowProblems } from '../../scripts/release/workflow';
import { temporaryFolder } from './temporary';

const root = resolve(__dirname, '../..');
const folder = temporaryFolder();
const read = (file: string) => readFileSync(join(root, file), 'utf8');

describe('versions', () => {
	test.each(['0.1.0', '1.0.0-rc.1', '10.20.30', '1.0.0-alpha+build.5'])('%s is a semantic version', (version) => expect(isSemver(version)).toBe(true));
	test.each(['1.2', 'v1.2.3', '01.2.3', '1.2.3.4', '1.2.3-', ''])('"%s" is none', (version) => expect(isSemver(version)).toBe(false));
	test('they are sorted as semver.org has it', () => {
		const sorted = ['1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-beta', '1.0.0-beta.2', '1.0.0-beta.11', '1.0.0-rc.1', '1.0.0', '1.0.10', '1.2.0', '2.0.0'];
		expect([...sorted].reverse().sort(compareVersions)).toEqual(sorted);
	});
});

describe('the changelog', () => {
	const good = '# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n### Fixed\n- A thing.\n\n## [0.1.0] - 2026-11-24\n### Added\n- It.\n\n[0.2.0]: https://a.test/2\n[0.1.0]: https://a.test/1\n';
	const with_ = (from: string, to: string) => formProblems(good.replace(from, to));

	test("the project's own, and a good one, have nothing wrong", () => {
		expect(formProblems(good)).toEqual([]);
		expect(formProblems(read('CHANGELOG.md'))).toEqual([]);
	});

	test.each([
		['# Changelog', '# History', /first line/],
		['## [Unreleased]\n\n', '', /first section/],
		['## [Unreleased]', '## [Unreleased]: 0.3.0', /first section/],
		['## [0.2.0] - 2026-12-01', '## 0.2.0 (December)', /"## 0\.2\.0 \(December\)" has to be/],
		['2026-12-01', '2026-02-30', /no such day/],
		['## [0.2.0]', '## [0.2]', /no semantic version/],
		['2026-12-01', '2026-11-01', /is older than 0\.1\.0/],
		['## [0.2.0] - 2026-12-01', '## [0.1.0] - 2026-12-01', /may not stand below/],
		['### Fixed', '### Bugs', /has to be one of Added/],
		['### Fixed\n', '', /stands under none of/],
		['### Fixed', '### Fixed\n- Another.\n### Fixed', /"### Fixed" twice/],
		['- A thing.\n', '', /tells of no change/],
		['[0.2.0]: https://a.test/2\n', '', /"\[0\.2\.0\]: ADDRESS"/],
	])('%j as %j is told', (from, to, message) => {
		const problems = with_(from, to);
		expect(problems.join('\n')).toMatch(message);
		for (const problem of problems) expect(problem).toMatch(/^CHANGELOG\.md: .*\.$/);
	});

	test('a version that it does not tell of, or without a day, is one sentence that says what to do', () => {
		expect(versionProblems(good, '0.2.0')).toEqual([]);
		for (const text of [good, `${good}## [0.3.0]\n`]) expect(versionProblems(text, '0.3.0')).toEqual([expect.stringMatching(/^CHANGELOG\.md has no section "## \[0\.3\.0\] - YYYY-MM-DD": write it/)]);
	});

	test('what waits under Unreleased is seen', () => {
		expect(hasUnreleased(good)).toBe(false);
		expect(hasUnreleased(good.replace('## [Unreleased]\n', '## [Unreleased]\n### Added\n- New.\n'))).toBe(true);
	});
});

describe('package.json', () => {
	const manifest = JSON.parse(read('package.json')) as Manifest;
	const lock = { version: manifest.version, packages: { '': { version: manifest.version } } };

	test("the project's own has nothing wrong", () => expect(manifestProblems(manifest, JSON.parse(read('package-lock.json')) as object)).toEqual([]));

	test.each<[string, Partial<Manifest>, RegExp]>([
		['a version that is none', { version: '1.0' }, /write a semantic version/],
		['a dependency', { dependencies: { axios: '1' } }, /it has dependencies/],
		['another peer', { peerDependencies: { 'n8n-workflow': '*', 'zod': '*' } }, /peerDependencies/],
		['an install hook', { scripts: { postinstall: 'x' } }, /postinstall/],
		['a name that n8n does not take', { name: 'ordered' }, /begin with n8n-nodes-/],
		['no keyword', { keywords: [] }, /n8n-community-node-package/],
		['another licence', { license: 'GPL-3.0' }, /only MIT/],
		['no nodes', { n8n: { n8nNodesApiVersion: 1, nodes: [], credentials: [] } }, /name the built files/],
		['that it is private', { private: true }, /is private/],
	])('%s is told', (_what, change, message) => expect(manifestProblems({ ...manifest, ...change }, lock).join('\n')).toMatch(message));

	test("a lock file of another version is told, for each of its two places", () => {
		expect(manifestProblems(manifest, { version: '0.0.9', packages: { '': { version: '0.0.9' } } })).toEqual([expect.stringMatching(/0\.0\.9 as version/), expect.stringMatching(/0\.0\.9 as packages/)]);
	});

	test('on GitHub its repository has to be the one that publishes; elsewhere its absence is a note', () => {
		const here = { ...manifest, repository: { type: 'git', url: 'git+https://github.com/own/er.git' } };
		expect(repositoryProblems(here, 'own/er')).toEqual({ problems: [], notes: [] });
		expect(repositoryProblems(here, 'other/er').problems).toEqual([expect.stringMatching(/npm refuses provenance unless it is "git\+https:\/\/github\.com\/other\/er\.git"/)]);
		expect(repositoryProblems({ ...manifest, repository: undefined }, 'own/er').problems).toHaveLength(1);
		expect(repositoryProblems({ ...manifest, repository: undefined }, undefined)).toEqual({ problems: [], notes: [expect.stringContaining('publish.yml fills it in')] });
	});
});

describe('the publish workflow', () => {
	const own = read('.github/workflows/publish.yml');

	test("the project's own has nothing wrong", () => expect(workflowProblems(own)).toEqual([]));

	test.each<[string, (text: string) => string, RegExp]>([
		['no tags', (text) => text.replace("- 'v*'", "- 'x*'"), /does not run for tags/],
		['no id-token', (text) => text.replace('id-token: write', 'id-token: none'), /id-token: write/],
		['the permission in a comment only', (text) => text.replace('id-token: write', '# id-token: write'), /id-token: write/],
		['no comparison with the tag', (text) => text.replace('GITHUB_REF_NAME', 'TAG'), /compare the tag/],
		['no repository', (text) => text.replace('repository.url', 'repository.link'), /repository/],
		['no check', (text) => text.replace('npm run release:check', 'npm test'), /release:check/],
		['no provenance', (text) => text.replace('--provenance ', ''), /does not publish by/],
		['the check behind it', (text) => `${text.replace('run: npm run release:check', 'run: true')}      - name: Check\n        run: npm run release:check\n`, /does not publish by/],
	])('%s is told', (_what, change, message) => expect(workflowProblems(change(own)).join('\n')).toMatch(message));
});

describe('the git tree', () => {
	function repository(): string {
		const at = mkdtempSync(join(folder, 'git-'));
		const git = (...args: string[]) => execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', ...args], { cwd: at });
		git('init', '-q');
		writeFileSync(join(at, 'package.json'), JSON.stringify({ name: 'x', version: '1.0.0' }));
		writeFileSync(join(at, 'file.txt'), 'one');
		git('add', '-A');
		git('commit', '-qm', 'First');
		return at;
	}

	test('a clean one, and a folder without git, have nothing wrong', async () => {
		expect(await treeProblems(repository())).toEqual([]);
		expect(await treeProblems(mkdtempSync(join(folder, 'plain-')))).toEqual([]);
	});

	test('what is changed and what is new is named', async () => {
		const at = repository();
		writeFileSync(join(at, 'file.txt'), 'two');
		writeFileSync(join(at, 'new.txt'), 'new');
		expect(await treeProblems(at)).toEqual([expect.stringMatching(/^Not committed: file\.txt, new\.txt\./)]);
	});

	test('what the publish workflow fills into package.json is no change, anything else there is', async () => {
		const at = repository();
		writeFileSync(join(at, 'package.json'), JSON.stringify({ name: 'x', version: '1.0.0', repository: { type: 'git', url: 'y' }, homepage: 'z', bugs: { url: 'b' } }));
		expect(await treeProblems(at)).toEqual([]);
		writeFileSync(join(at, 'package.json'), JSON.stringify({ name: 'x', version: '1.0.1', repository: { type: 'git', url: 'y' } }));
		expect(await treeProblems(at)).toEqual([expect.stringMatching(/^Not committed: package\.json\./)]);
	});
});

describe('the tarball', () => {
	const manifest: Manifest = { name: 'n8n-nodes-x', version: '1.0.0', files: ['dist', 'CHANGELOG.md'], n8n: { nodes: ['dist/nodes/X.node.js'], credentials: [] } };

	/** A package's folder with these files, and a tarball of those that are to be in it. */
	async function packed(files: string[], inTarball = files): Promise<string[]> {
		const at = mkdtempSync(join(folder, 'pack-'));
		for (const file of new Set([...files, ...inTarball])) {
			mkdirSync(join(at, 'package', dirname(file)), { recursive: true });
			writeFileSync(join(at, 'package', file), file);
		}
		execFileSync('tar', ['-czf', join(at, 'x.tgz'), '-C', at, ...inTarball.map((file) => `package/${file}`)]);
		return tarballProblems(await filesIn(join(at, 'x.tgz')), manifest, join(at, 'package'));
	}

	const all = ['package.json', 'README.md', 'LICENSE.md', 'CHANGELOG.md', 'dist/nodes/X.node.js', 'dist/icons/x.svg'];

	test('one with all that package.json names has nothing wrong', async () => expect(await packed(all)).toEqual([]));

	test('what is missing is told, and what is in it besides', async () => {
		expect(await packed(all, all.filter((file) => file !== 'dist/icons/x.svg'))).toEqual(['The packed package: dist/icons/x.svg is not in it.']);
		expect(await packed(all.slice(0, 4))).toEqual(expect.arrayContaining(['The packed package: dist is not in it.', 'The packed package: dist/nodes/X.node.js is not in it, which "n8n" in package.json names.']));
		expect(await packed(all, [...all, 'test/secret.ts'])).toEqual(['The packed package: test/secret.ts is in it, which "files" in package.json does not name.']);
		expect(await packed(all.filter((file) => file !== 'LICENSE.md'))).toEqual(['The packed package: LICENSE.md is not in it.']);
	});
});
