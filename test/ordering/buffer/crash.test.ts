// A process that is killed at each boundary, and what the next one makes of it: nothing is lost, what may be answered is marked.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { ChildTask } from './child';
import { itemsOf, leaseMs, oneItem, type Place, reasonsOf, receive, rules, sleep, sqlitePlace, text } from './place';
import { useSharedPlaces } from './shared';

interface Boundary {
	name: string;
	die?: ChildTask['die'];
	/** Killed once it has given its item. */
	afterItem?: boolean;
	endsTurn?: boolean;
	/** What "Take Over" finds. */
	left: 'nothing' | 'message' | 'redelivered';
	/** What the same delivery gives afterwards. */
	again: 'item' | 'duplicate';
}

const boundaries: Boundary[] = [
	{ name: 'before the message is recorded', die: { when: 'before', write: 'add' }, left: 'nothing', again: 'item' },
	{ name: 'after the message is recorded, before anybody collects', die: { when: 'after', write: 'add' }, left: 'message', again: 'duplicate' },
	{ name: 'when it has the right to collect', die: { when: 'after', write: 'claim' }, left: 'message', again: 'duplicate' },
	{ name: 'when the item is due, before its turn begins', die: { when: 'before', write: 'begin' }, left: 'message', again: 'duplicate' },
	{ name: 'after its turn has begun, before messages are taken', die: { when: 'after', write: 'begin' }, left: 'message', again: 'duplicate' },
	{ name: 'after messages are taken', die: { when: 'after', write: 'take' }, left: 'redelivered', again: 'duplicate' },
	{ name: 'after messages are read, before the item is given', die: { when: 'after', write: 'taken' }, left: 'redelivered', again: 'duplicate' },
	{ name: 'after the item is given', afterItem: true, left: 'redelivered', again: 'duplicate' },
	{ name: 'before the end of its turn is recorded', endsTurn: true, die: { when: 'before', write: 'end' }, left: 'redelivered', again: 'duplicate' },
	{ name: 'after the end of its turn is recorded', endsTurn: true, die: { when: 'after', write: 'end' }, left: 'nothing', again: 'duplicate' },
];

/** Starts a process, and resolves when it is dead and others can know it. */
async function dies(task: ChildTask, { afterItem = false }: Partial<Boundary> = {}): Promise<void> {
	const child = spawn(process.execPath, ['--import', 'tsx', join(__dirname, 'child.ts'), JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'inherit'] });
	const gone = once(child, 'exit');
	if (afterItem) child.stdout.once('data', () => child.kill('SIGKILL'));
	const [, signal] = (await gone) as [number | null, string | null];
	expect(signal).toBe('SIGKILL');
	// until then it counts as living
	if ('store' in task.access) await sleep(leaseMs + 200);
}

const { makePlace } = useSharedPlaces();

describe.each<[string, () => Place]>([['SQLite', sqlitePlace], ['PostgreSQL with Redis', makePlace]])('on %s a process dies', (_name, make) => {
	test.each(boundaries)('$name', async (boundary) => {
		const place = make();
		const message = text('dear');
		await dies({ access: place.access, message, die: boundary.die, endsTurn: boundary.endsTurn }, boundary);
		const { buffer } = await place.open();
		const left = await buffer.takeOver(rules);
		expect(left.map(({ text: words, redelivered }) => [words, redelivered])).toEqual(boundary.left === 'nothing' ? [] : [['dear', boundary.left === 'redelivered']]);
		for (const { turnId } of left) await buffer.endTurn(turnId);
		const again = await receive(buffer, message);
		expect('joined' in again ? 'item' : again.held.reason).toBe(boundary.again);
		expect(await buffer.takeOver(rules)).toEqual([]);
	});
});

test.each(boundaries.filter(({ die }) => die?.when === 'after' && die.write !== 'end'))("a worker dies $name, and the chat's next message brings what it left", async (boundary) => {
	const place = makePlace();
	await dies({ access: place.access, message: text('dear'), die: boundary.die, endsTurn: boundary.endsTurn }, boundary);
	const { buffer } = await place.open();
	const item = oneItem([await receive(buffer, text('next'))]);
	expect(item).toMatchObject({ text: 'dear\nnext', redelivered: boundary.left === 'redelivered' });
	expect(await buffer.takeOver(rules)).toEqual([]);
});

test('a worker that dies in its turn: of the calls that come then, the one that collects takes its messages over', async () => {
	const place = makePlace();
	const { buffer } = await place.open();
	await dies({ access: place.access, message: text('dear') }, { afterItem: true });
	const collected = await Promise.all(['a', 'b'].map((words) => receive(buffer, text(words))));
	expect(oneItem(collected)).toMatchObject({ text: 'dear\na\nb', redelivered: true });
	expect(reasonsOf(collected)).toEqual(['joinedLater']);
});

test('a worker that stood still for so long that it counted as dead gives nothing of what another has given', async () => {
	const place = makePlace();
	const { buffer } = await place.open();
	const task: ChildTask = { access: place.access, message: text('dear'), rules: { quietMs: 3_000 } };
	const child = spawn(process.execPath, ['--import', 'tsx', join(__dirname, 'child.ts'), JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'inherit'] });
	try {
		let told = '';
		child.stdout.on('data', (part: Buffer) => (told += part.toString()));
		while ((await place.bodies()).length === 0) await sleep(50);
		await sleep(300);
		child.kill('SIGSTOP');
		await sleep(leaseMs + 500);
		expect(oneItem([await receive(buffer, text('next'))])).toMatchObject({ text: 'dear\nnext', redelivered: false });
		child.kill('SIGCONT');
		while (!told.includes('\n')) await sleep(50);
		expect(JSON.parse(told)).toEqual({ held: { reason: 'joinedLater' } });
	} finally {
		child.kill('SIGKILL');
	}
});

test.each([
	['before it puts back', { when: 'before', write: 'putBack' }],
	['when the turn is its own', { when: 'after', write: 'acquire' }],
	['when the messages wait again', { when: 'after', write: 'returned' }],
] as const)('a worker that dies %s what another left: the third gives it once', async (_name, die) => {
	const place = makePlace();
	await dies({ access: place.access, message: text('dear') }, { afterItem: true });
	await dies({ access: place.access, message: text('next'), die });
	const { buffer } = await place.open();
	const item = oneItem([await receive(buffer, text('last'))]);
	expect(item).toMatchObject({ text: 'dear\nnext\nlast', redelivered: true });
	await buffer.endTurn(item.turnId);
	expect(itemsOf(await Promise.all([receive(buffer, text('other'))]))).toHaveLength(1);
	await sleep(50);
	expect(await buffer.takeOver(rules)).toEqual([]);
});
