// Which tests need Redis and PostgreSQL, and what is said where their programs are missing.
import { basename, join } from 'node:path';
import { missingServices, missingServicesMessage, testsWithServices } from '../../scripts/run/services.mjs';
import { temporaryFolder } from './temporary';

const empty = temporaryFolder();

test('on a machine without them, both programs are named, with the command that brings them', () => {
	const missing = missingServices(empty, join(empty, 'postgresql'));
	expect(missing).toEqual(['redis-server', 'postgres']);
	expect(missingServicesMessage(missing)).toMatch(/missing: redis-server, postgres\.\nInstall with: sudo apt-get update && sudo apt-get install -y redis-server postgresql /);
});

test('tests that start them are found, also through a file that they import, and others are not', () => {
	const found = testsWithServices(join(__dirname, '..')).map((file) => basename(file));
	expect(found).toEqual(expect.arrayContaining(['postgres.test.ts', 'redis.test.ts', 'shared.test.ts', 'store.test.ts']));
	expect(found).not.toContain('services.test.ts');
	expect(found).not.toContain('embedded.test.ts');
});
