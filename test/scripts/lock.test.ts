// Two runs at once: one works, the other waits.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { holderOf, isAlive, withLock } from '../../scripts/run/lock.mjs';
import { temporaryFolder } from './temporary';

const folder = temporaryFolder();

test('the work of two holders does not overlap', async () => {
	const file = join(folder, 'two.lock');
	const events: string[] = [];
	const work = (name: string) => withLock(file, async () => {
		events.push(`${name} begins`);
		await sleep(50);
		events.push(`${name} ends`);
	}, { print: () => {}, pollMs: 10 });
	await Promise.all([work('a'), work('b')]);
	expect(events).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
	expect(existsSync(file)).toBe(false);
});

test('it waits for another process that lives, and says for which', async () => {
	const file = join(folder, 'alive.lock');
	const other = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 300)']);
	writeFileSync(file, String(other.pid));
	const lines: string[] = [];
	await withLock(file, () => lines.push('worked'), { print: (line) => lines.push(line), pollMs: 20 });
	expect(lines).toEqual([`Waiting for process ${other.pid}, which is doing the same …`, 'worked']);
});

test('a dead process holds nothing', async () => {
	const file = join(folder, 'dead.lock');
	const other = spawn(process.execPath, ['-e', '0']);
	await once(other, 'exit');
	writeFileSync(file, String(other.pid));
	expect(isAlive(other.pid ?? 0)).toBe(false);
	await expect(withLock(file, () => holderOf(file), { print: () => {} })).resolves.toBe(process.pid);
});

test('work that fails lets go', async () => {
	const file = join(folder, 'failing.lock');
	await expect(withLock(file, () => { throw new Error('no'); })).rejects.toThrow('no');
	expect(existsSync(file)).toBe(false);
});
