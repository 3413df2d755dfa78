// How long n8n takes to load the built package, beside loading the libraries in it: each time in a Node of its own, by turns.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../n8n/paths';
import { median } from './runtime';

const LIBRARIES = ['axios', 'ioredis', 'pg', 'socket.io-client'];

/** Medians in ms. */
export interface LoadTimes {
	packageMs: number;
	librariesMs: number;
	ratio: number;
}

/** The clock starts when n8n-workflow is there, in both: n8n has loaded it long before. */
export async function benchLoad(rounds = 20): Promise<LoadTimes> {
	const files = builtFiles();
	const times = { ours: [] as number[], libraries: [] as number[] };
	for (let round = 0; round <= rounds; round++) {
		const ours = await timed(`for (const file of ${JSON.stringify(files)}) new (Object.values(require(file))[0])();`);
		const libraries = await timed(`for (const name of ${JSON.stringify(LIBRARIES)}) require(name);`);
		if (round === 0) continue; // reads the files from the disk
		times.ours.push(ours);
		times.libraries.push(libraries);
	}
	const [packageMs, librariesMs] = [median(times.ours), median(times.libraries)];
	return { packageMs, librariesMs, ratio: packageMs / librariesMs };
}

/** What n8n requires, and makes one of each. */
function builtFiles(): string[] {
	const { n8n } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { n8n: { nodes: string[]; credentials: string[] } };
	const files = [...n8n.credentials, ...n8n.nodes].map((file) => join(projectRoot, file));
	const missing = files.find((file) => !existsSync(file));
	if (missing) throw new Error(`${missing} is not there: build the package first, by 'npm run build'.`);
	return files;
}

async function timed(work: string): Promise<number> {
	const script = `require('n8n-workflow'); const begun = performance.now(); ${work} console.log(performance.now() - begun)`;
	const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { cwd: projectRoot });
	return Number(stdout);
}
