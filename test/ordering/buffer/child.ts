// A process that receives one message through the real engine, and dies by SIGKILL at an exact write of its buffer.
import { BufferStore } from '../../../ordering/buffer/store';
import type { IncomingMessage, JoinRules } from '../../../ordering/buffer/message';
import { type Access, openPlace, rules } from './open';

/** Methods of the store; the last two are steps of `putBack`. */
export type Write = 'add' | 'claim' | 'begin' | 'take' | 'taken' | 'end' | 'putBack' | 'acquire' | 'returned';

/** Handed over as JSON in the first argument. */
export interface ChildTask {
	access: Access;
	message: IncomingMessage;
	rules?: Partial<JoinRules>;
	die?: { when: 'before' | 'after'; write: Write };
	/** Ends its turn when it has the item. */
	endsTurn?: boolean;
}

interface Inside {
	database: { write(key: string, sql: string, values: unknown[]): Promise<unknown> };
	queries: Record<string, string>;
}

/** Dies in the midst of putting a turn back: after its first step, or before its last. */
function dieInPutBack(write: 'acquire' | 'returned'): void {
	BufferStore.prototype.putBack = async function (this: BufferStore, { id, owner }, by) {
		const { database, queries } = this as unknown as Inside;
		await database.write(id, queries.acquire as string, [id, owner, by]);
		if (write === 'returned') await database.write(id, queries.putBack as string, [id, by, 1]);
		process.kill(process.pid, 'SIGKILL');
		return undefined;
	};
}

function dieAt({ when, write }: NonNullable<ChildTask['die']>): void {
	if (write === 'acquire' || write === 'returned') return dieInPutBack(write);
	const methods = BufferStore.prototype as unknown as Record<Write, (...args: unknown[]) => Promise<unknown>>;
	const real = methods[write];
	methods[write] = async function (this: BufferStore, ...args: unknown[]) {
		if (when === 'before') process.kill(process.pid, 'SIGKILL');
		const result = await real.apply(this, args);
		process.kill(process.pid, 'SIGKILL');
		return result;
	};
}

async function main(): Promise<void> {
	const { access, message, die, endsTurn, rules: more } = JSON.parse(process.argv[2] ?? '') as ChildTask;
	const engine = await openPlace(access);
	if (die) dieAt(die);
	const [collected] = await engine.buffer.receive([{ ...message, rules: { ...rules, ...more } }]);
	process.stdout.write(`${JSON.stringify(collected)}\n`);
	if (endsTurn && collected && 'joined' in collected) await engine.buffer.endTurn(collected.joined.turnId);
	// the turn goes on until the process is killed
	setInterval(() => {}, 1000);
}

void main();
