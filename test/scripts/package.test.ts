// Packing a package, and installing it the way n8n's community install does.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPackage, packPackage } from '../../scripts/n8n/package';
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
