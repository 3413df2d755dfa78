// How long a later `npm run n8n` takes until it is up, beside n8n itself in the same user folder, by turns.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureN8n } from '../n8n/install';
import { projectRoot } from '../n8n/paths';
import { freePort } from '../n8n/ports';
import { startN8n } from '../n8n/server';
import { median } from './runtime';

/** Medians in ms, from the command to the address that answers. */
export interface StartTimes {
	launcherMs: number;
	n8nMs: number;
	ratio: number;
}

export async function benchStart(progress: (line: string) => void, rounds = 3): Promise<StartTimes> {
	await ensureN8n();
	const userFolder = mkdtempSync(join(tmpdir(), 'bench-start-'));
	const times = { launcher: [] as number[], n8n: [] as number[] };
	try {
		for (let round = 0; round <= rounds; round++) {
			const launcher = await timed(() => launch(userFolder));
			const n8n = await timed(() => startN8n({ userFolder }));
			progress(`${round === 0 ? 'The first start' : `Start ${round} of ${rounds}`}: npm run n8n ${Math.round(launcher)} ms, n8n itself ${Math.round(n8n)} ms`);
			if (round === 0) continue; // installs the package and makes the database
			times.launcher.push(launcher);
			times.n8n.push(n8n);
		}
	} finally {
		rmSync(userFolder, { recursive: true, force: true });
	}
	const [launcherMs, n8nMs] = [median(times.launcher), median(times.n8n)];
	return { launcherMs, n8nMs, ratio: launcherMs / n8nMs };
}

/** Ends what was started when the time is taken. */
async function timed(start: () => Promise<{ stop(): Promise<void> }>): Promise<number> {
	const begun = performance.now();
	const started = await start();
	const ms = performance.now() - begun;
	await started.stop();
	return ms;
}

/** As `npm run n8n` does, once npm has started it; up when it says so. */
async function launch(userFolder: string): Promise<{ stop(): Promise<void> }> {
	const env = { ...process.env, N8N_PORT: String(await freePort()), ORDERED_N8N_USER_FOLDER: userFolder };
	const child = spawn(process.execPath, ['scripts/run.mjs', 'n8n'], { cwd: projectRoot, env, stdio: ['ignore', 'pipe', 'inherit'] });
	const ended = once(child, 'close');
	let output = '';
	await new Promise<void>((resolve, reject) => {
		child.stdout.on('data', (chunk) => {
			output += chunk;
			if (output.includes('Ctrl-C ends everything.')) resolve();
		});
		void ended.then(() => reject(new Error(`npm run n8n ended before it was up:\n${output}`)));
	});
	return {
		stop: async () => {
			child.kill('SIGTERM');
			await ended;
		},
	};
}
