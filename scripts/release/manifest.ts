// Whether package.json is what npm and n8n want of a community node that is published with provenance.
import { isSemver } from './semver';

export interface Manifest {
	name: string;
	version: string;
	license?: string;
	keywords?: string[];
	files?: string[];
	scripts?: Record<string, string>;
	repository?: string | { type?: string; url?: string };
	peerDependencies?: Record<string, string>;
	n8n?: { n8nNodesApiVersion?: number; nodes?: string[]; credentials?: string[] };
	[field: string]: unknown;
}

/** What the publish workflow fills in, since only there it is known which repository this is. */
export const FILLED_IN = ['repository', 'homepage', 'bugs'];

/** n8n 2.41 installs no dependencies of a community node, and its lint forbids these fields. */
const FORBIDDEN = ['dependencies', 'optionalDependencies', 'bundledDependencies', 'bundleDependencies', 'overrides'];
const HOOKS = ['preinstall', 'install', 'postinstall', 'prepare'];

export function manifestProblems(manifest: Manifest, lock: { version?: string; packages?: Record<string, { version?: string }> }): string[] {
	const { name, version, n8n = {} } = manifest;
	const problems: string[] = [];
	if (!isSemver(version)) problems.push(`its version is "${version}": write a semantic version such as 1.2.3, see https://semver.org`);
	for (const [where, locked] of [['version', lock.version], ['packages[""].version', lock.packages?.['']?.version]] as const) {
		if (locked !== version) problems.push(`its version is ${version}, and package-lock.json has ${locked} as ${where}: run "npm install --package-lock-only"`);
	}
	if (!/^(@[^/]+\/)?n8n-nodes-/.test(name)) problems.push(`its name is "${name}": n8n takes only names that begin with n8n-nodes-`);
	if (!manifest.keywords?.includes('n8n-community-node-package')) problems.push('its keywords lack "n8n-community-node-package", by which n8n finds community nodes');
	if (manifest.license !== 'MIT') problems.push(`its license is "${manifest.license}": n8n verifies only MIT`);
	if (JSON.stringify(manifest.peerDependencies) !== '{"n8n-workflow":"*"}') problems.push('its peerDependencies have to be {"n8n-workflow": "*"} and nothing else');
	for (const field of FORBIDDEN) if (field in manifest) problems.push(`it has ${field}: n8n installs none, so libraries are bundled (see gulpfile.js) and stand under devDependencies`);
	for (const hook of HOOKS) if (manifest.scripts?.[hook]) problems.push(`it has the script ${hook}, which n8n does not run when it installs`);
	if (n8n.n8nNodesApiVersion !== 1) problems.push('its n8n.n8nNodesApiVersion has to be 1');
	if (!n8n.nodes?.length || !n8n.credentials?.length) problems.push('its n8n.nodes and n8n.credentials have to name the built files');
	if (manifest.private === true) problems.push('it is private, so npm would not publish it');
	return problems.map((problem) => `package.json: ${problem}.`);
}

/**
 * npm accepts provenance only if `repository` is the repository that publishes. `publishing` is GitHub's name for that
 * one, such as `owner/name`; undefined outside of GitHub Actions.
 */
export function repositoryProblems({ repository }: Manifest, publishing: string | undefined): { problems: string[]; notes: string[] } {
	const url = typeof repository === 'string' ? repository : repository?.url;
	if (publishing === undefined) return { problems: [], notes: url ? [] : ['package.json has no repository. That is as it should be here: .github/workflows/publish.yml fills it in from GitHub before it publishes.'] };
	const wanted = `git+https://github.com/${publishing}.git`;
	return { problems: url === wanted ? [] : [`package.json: its repository.url is ${url ? `"${url}"` : 'missing'}: npm refuses provenance unless it is "${wanted}".`], notes: [] };
}
