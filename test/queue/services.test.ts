// What the tests in queue mode say where their programs are missing.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missingServices, missingServicesMessage } from '../../scripts/services/install';

test('on a machine without them, both programs are named, with the command that brings them', () => {
	const empty = mkdtempSync(join(tmpdir(), 'no-services-'));
	try {
		const missing = missingServices(empty, join(empty, 'postgresql'));
		expect(missing).toEqual(['redis-server', 'postgres']);
		expect(missingServicesMessage(missing)).toMatch(/missing: redis-server, postgres\.\nInstall with: sudo apt-get update && sudo apt-get install -y redis-server postgresql /);
	} finally {
		rmSync(empty, { recursive: true, force: true });
	}
});
