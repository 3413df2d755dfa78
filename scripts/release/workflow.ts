// Whether the publish workflow does what npm's provenance and n8n need. (By its lines: no YAML library is among the dependencies.)

/** Each has to stand in the workflow, in this order. */
const IN_ORDER: Array<[line: RegExp, why: string]> = [
	[/^on:/, 'it has no "on:", so it never runs'],
	[/^\s+- 'v\*'$/, 'it does not run for tags: write "tags:" with "- \'v*\'" under "on: push:"'],
	[/^\s+id-token: write$/, 'it lacks the permission "id-token: write", without which npm can attest no provenance'],
	[/^\s+- uses: actions\/checkout@/, 'it checks nothing out'],
	[/^\s+- uses: actions\/setup-node@/, 'it sets up no Node.js'],
	[/\btest "\$GITHUB_REF_NAME" = /, 'it does not compare the tag (GITHUB_REF_NAME) with the version in package.json'],
	[/\bnpm pkg set\b.*\brepository\.url=/, 'it does not fill in package.json\'s repository'],
	[/^\s+(- )?run: npm run release:check$/, 'it does not run "npm run release:check" before it publishes'],
	[/\bnpm publish --provenance --access public$/, 'it does not publish by "npm publish --provenance --access public"'],
];

export function workflowProblems(text: string): string[] {
	const lines = text.split('\n').filter((line) => !/^\s*#/.test(line));
	let from = 0;
	const problems = IN_ORDER.flatMap(([wanted, why]) => {
		const at = lines.findIndex((line, i) => i >= from && wanted.test(line));
		if (at === -1) return [why];
		from = at + 1;
		return [];
	});
	return problems.map((problem) => `.github/workflows/publish.yml: ${problem}.`);
}
