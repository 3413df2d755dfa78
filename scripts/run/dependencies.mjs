// Keeps node_modules as package-lock.json says: a stamp in it names the lock file it was installed from.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.mjs';
import { npmWithProgress } from './progress.mjs';

/** Installs the dependencies if node_modules is missing, incomplete or of another lock file. */
export async function ensureDependencies(root, { print } = {}) {
	if (areCurrent(root)) return;
	await withLock(join(root, '.cache', 'dependencies.lock'), async () => {
		if (!areCurrent(root)) await install(root, print);
	}, { print });
}

/** Whether node_modules was completely installed from the present package-lock.json. */
export function areCurrent(root) {
	try {
		return readFileSync(stampFile(root), 'utf8').trim() === stampOf(root);
	} catch {
		return false;
	}
}

/** A hash of package-lock.json. */
export function stampOf(root) {
	return createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex');
}

async function install(root, print) {
	rmSync(stampFile(root), { force: true });
	const stamp = stampOf(root);
	await npmWithProgress('Installing dependencies (npm ci)', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: root, print });
	mkdirSync(join(root, 'node_modules'), { recursive: true });
	writeFileSync(stampFile(root), `${stamp}\n`);
}

function stampFile(root) {
	return join(root, 'node_modules', '.stamp');
}
