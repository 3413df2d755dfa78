// Packing a package, and installing it the way n8n's community install does.
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPackage, installProject, packPackage } from '../../scripts/n8n/package';
import { temporaryFolder } from './temporary';

const folder = temporaryFolder();

function sample(version: string, files: Record<string, string>): string {
	const root = join(folder, `source-${version}`);
	mkdirSync(root);
	const manifest = { name: 'n8n-nodes-sample', version, files: ['dist'], devDependencies: { nowhere: '1.0.0' }, peerDependencies: { 'n8n-workflow': '*' }, n8n: { nodes: [] } };
	for (const [path, text] of Object.entries({ 'package.json': JSON.stringify(manifest), ...files })) {
		mkdirSync(join(root, path, '..'), { recursive: true });
		writeFileSync(join(root, path), text);
	}
	return root;
}

test('it arrives without what n8n provides, and a later version leaves nothing of the earlier', async () => {
	const user = join(folder, 'user');
	const installed = join(user, '.n8n', 'nodes', 'node_modules', 'n8n-nodes-sample');

	const first = await packPackage(join(folder, 'packed'), sample('1.0.0', { 'dist/old.js': '1', 'source.ts': 'not packed' }));
	expect(await installPackage(first, user)).toBe('n8n-nodes-sample');
	const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Record<string, unknown>;
	expect(manifest).toMatchObject({ version: '1.0.0', n8n: { nodes: [] } });
	expect(manifest).not.toHaveProperty('devDependencies');
	expect(manifest).not.toHaveProperty('peerDependencies');
	expect([existsSync(join(installed, 'dist/old.js')), existsSync(join(installed, 'source.ts')), existsSync(join(installed, 'node_modules'))]).toEqual([true, false, false]);

	await installPackage(await packPackage(join(folder, 'packed'), sample('1.1.0', { 'dist/new.js': '1' })), user);
	expect([existsSync(join(installed, 'dist/old.js')), existsSync(join(installed, 'dist/new.js'))]).toEqual([false, true]);
});

test('what is installed already is not installed again, until the package or what is installed changes', async () => {
	const user = join(folder, 'user-of-project');
	const root = sample('2.0.0', { 'dist/a.js': '1', 'README.md': 'read' });
	const installed = join(user, '.n8n', 'nodes', 'node_modules', 'n8n-nodes-sample');
	const installs = async () => {
		const lines: string[] = [];
		await installProject(user, { root, print: (line) => lines.push(line) });
		expect(readFileSync(join(installed, 'dist/a.js'), 'utf8')).toBe(readFileSync(join(root, 'dist/a.js'), 'utf8'));
		return lines.length > 0;
	};
	expect([await installs(), await installs()]).toEqual([true, false]);
	for (const file of ['dist/a.js', 'README.md']) {
		appendFileSync(join(root, file), '2');
		expect([await installs(), await installs()]).toEqual([true, false]);
	}
	writeFileSync(join(root, 'source.ts'), 'not packed');
	expect(await installs()).toBe(false);
	// as n8n itself removes a package, or puts another version there
	rmSync(installed, { recursive: true });
	expect([await installs(), await installs()]).toEqual([true, false]);
});
