// A process that works in a lane over Redis: one turn for each execution that it is told, each noted in a shared file.
import { closeSync, appendFileSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { RedisLanes } from '../../../../ordering/lanes/redis/redis';
import { chat, recordIn, type WorkerTask } from './shared';

const { folder, executions, workMs, parallel, stay, ...options } = JSON.parse(process.argv[2] ?? '') as WorkerTask;
const note = (entry: object) => appendFileSync(join(folder, 'log'), `${JSON.stringify(entry)}\n`);
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function work(lanes: RedisLanes, execution: number): Promise<void> {
	const grant = await lanes.take(chat, { priority: 'normal', execution }).turn(30_000);
	// an exclusive file is what tells that somebody else is at work
	const file = join(folder, 'at-work');
	try {
		closeSync(openSync(file, 'wx'));
	} catch {
		note({ intruder: execution, fence: grant.fence });
	}
	note({ execution, fence: grant.fence, late: grant.late });
	if (stay) await new Promise(() => {});
	await sleep(workMs);
	await grant.confirm();
	await sleep(workMs);
	rmSync(file, { force: true });
	grant.release();
}

async function main(): Promise<void> {
	const lanes = RedisLanes.open({ ...options, readRecord: async () => recordIn(folder) });
	await lanes.alive([lanes.owner]); // connected
	process.stdout.write('ready\n');
	await new Promise((resolve) => process.stdin.once('data', resolve));
	const left = [...executions];
	const line = async () => {
		for (let next = left.shift(); next !== undefined; next = left.shift()) await work(lanes, next);
	};
	await Promise.all(Array.from({ length: parallel }, line));
	await lanes.close();
	process.stdin.destroy();
}

main().catch((error: Error) => {
	note({ failed: `${error.name}: ${error.message}` });
	process.exit(1);
});
