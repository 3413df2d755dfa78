// The stamp that spares a later run the installation.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { areCurrent, ensureDependencies, stampOf } from '../../scripts/run/dependencies.mjs';
import { temporaryFolder } from './temporary';

const folder = temporaryFolder();

function project(): string {
	const root = mkdtempSync(join(folder, 'project-'));
	writeFileSync(join(root, 'package.json'), '{"name":"empty","version":"1.0.0"}');
	writeFileSync(join(root, 'package-lock.json'), '{"name":"empty","version":"1.0.0","lockfileVersion":3,"requires":true,"packages":{"":{"name":"empty","version":"1.0.0"}}}');
	return root;
}

test('without a stamp the dependencies are not current, even if node_modules is there', () => {
	const root = project();
	mkdirSync(join(root, 'node_modules'));
	expect(areCurrent(root)).toBe(false);
});

test('a stamp of another lock file is not current', () => {
	const root = project();
	mkdirSync(join(root, 'node_modules'));
	writeFileSync(join(root, 'node_modules', '.stamp'), stampOf(root));
	expect(areCurrent(root)).toBe(true);
	writeFileSync(join(root, 'package-lock.json'), '{}');
	expect(areCurrent(root)).toBe(false);
});

test('npm ci runs once, and then no more', async () => {
	const root = project();
	const lines: string[] = [];
	const print = (line: string) => void lines.push(line);
	await ensureDependencies(root, { print });
	await ensureDependencies(root, { print });
	expect(lines).toEqual(['Installing dependencies (npm ci) …', expect.stringMatching(/^Installing dependencies \(npm ci\): done in \d+ s$/)]);
	expect(areCurrent(root)).toBe(true);
});

test('a lock file that does not fit package.json is told with npm\'s reason and leaves no stamp', async () => {
	const root = project();
	writeFileSync(join(root, 'package.json'), '{"name":"empty","version":"1.0.0","dependencies":{"left":"file:./nowhere"}}');
	await expect(ensureDependencies(root, { print: () => {} })).rejects.toThrow(/npm ci\) failed[^]*npm error/);
	expect(areCurrent(root)).toBe(false);
});
