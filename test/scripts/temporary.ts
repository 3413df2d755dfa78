// A folder for one test file, gone when its tests have ended.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Makes the folder; call it at the top of a test file. */
export function temporaryFolder(): string {
	const folder = mkdtempSync(join(tmpdir(), 'ordered-scripts-'));
	afterAll(() => rmSync(folder, { recursive: true, force: true }));
	return folder;
}
