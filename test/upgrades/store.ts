// `npm run release:snapshot`: stores what this version does with saved workflows and its ledger, for upgrades.test.ts.
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compareVersions } from '../../scripts/release/semver';
import type { WorkflowFile } from '../../scripts/engine/workflow';
import { presentDescriptions } from './descriptions';
import { useLedger, writeLedger } from './ledger';
import { readStored, run, storedVersions, storedWorkflows, withPlace, withUserFolder } from './world';

async function main(): Promise<void> {
	const { version } = JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')) as { version: string };
	const folder = join(__dirname, version);
	if (existsSync(join(folder, 'parameters.json')) && !process.argv.includes('--again')) throw new Error(`test/upgrades/${version} is there already. What was released is never changed. If ${version} is not published yet: npm run release:snapshot -- --again`);
	takeWorkflowsOver(version, folder);
	write(join(folder, 'parameters.json'), presentDescriptions());
	await withUserFolder(undefined, async () => {
		for (const name of storedWorkflows(version)) {
			const done = await withPlace((place) => run(place, readStored<WorkflowFile>(version, `workflows/${name}.json`)));
			write(join(folder, 'workflows', `${name}.done.json`), done);
			console.log(`${name}: ${done.error ?? 'done'}`);
		}
	});
	const [writing, reading] = [readStored<WorkflowFile>(version, 'ledger.json'), readStored<WorkflowFile>(version, 'ledger-read.json')];
	await writeLedger(writing, join(folder, 'ledger.sqlite'));
	write(join(folder, 'ledger.done.json'), await useLedger(join(folder, 'ledger.sqlite'), writing, reading));
	console.log(`Stored in test/upgrades/${version}: read its .done.json files before you commit them. What is new in this version needs a workflow there, too.`);
}

/** A new version begins with the workflows of the one before. */
function takeWorkflowsOver(version: string, folder: string): void {
	if (existsSync(join(folder, 'workflows'))) return;
	const [latest] = storedVersions().filter((stored) => stored !== version).sort(compareVersions).reverse();
	if (latest === undefined) throw new Error(`There is no earlier version in test/upgrades, and no test/upgrades/${version}/workflows.`);
	mkdirSync(folder, { recursive: true });
	for (const name of ['workflows', 'ledger.json', 'ledger-read.json']) cpSync(join(__dirname, latest, name), join(folder, name), { recursive: true });
}

function write(file: string, value: object): void {
	writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}

main().then(
	() => process.exit(),
	(error: unknown) => {
		console.error(error instanceof Error ? error.message : error);
		process.exit(1);
	},
);
