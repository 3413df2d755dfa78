// Which programs the tests need, and what is said where one is missing.
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { chromiumPath, missingPrograms, missingProgramsMessage, services, testsWithServices } from '../../scripts/run/programs.mjs';
import { temporaryFolder } from './temporary';

const empty = temporaryFolder();
const folder = temporaryFolder();

test('on a machine without them, the programs are named, with the command that brings them', () => {
	const missing = missingPrograms([...services, 'chromium'], empty, join(empty, 'postgresql'));
	expect(missing).toEqual(['redis-server', 'postgres', 'chromium']);
	expect(missingProgramsMessage(missing)).toMatch(/missing: redis-server, postgres, chromium\.\nInstall with: sudo apt-get update && sudo apt-get install -y redis-server postgresql chromium /);
});

test('Chromium is the one that is named, else the first on the path', () => {
	const chrome = join(folder, 'google-chrome');
	const chromium = join(folder, 'chromium');
	writeFileSync(chrome, '', { mode: 0o755 });
	expect(chromiumPath(folder, '')).toBe(chrome);
	writeFileSync(chromium, '', { mode: 0o755 });
	expect(chromiumPath(folder, '')).toBe(chromium);
	expect(chromiumPath(folder, chrome)).toBe(chrome);
	expect(chromiumPath(folder, join(folder, 'other'))).toBeUndefined();
});

test('tests that start them are found, also through a file that they import, and others are not', () => {
	const found = testsWithServices(join(__dirname, '..')).map((file) => basename(file));
	expect(found).toEqual(expect.arrayContaining(['postgres.test.ts', 'redis.test.ts', 'shared.test.ts', 'store.test.ts']));
	expect(found).not.toContain('programs.test.ts');
	expect(found).not.toContain('embedded.test.ts');
});
