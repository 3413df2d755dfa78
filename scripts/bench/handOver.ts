// How long a chat takes from one process to the next: through Redis lanes, beside a PING and beside a lock that retries.
import { join } from 'node:path';
import { child, median, nextMessage } from './runtime';
import { startRedis } from '../../test/support/redis';
import type { HandOverAnswer, HandOverTask } from './handOverChild';

export interface HandOver {
	/** Medians, in ms. */
	handOverMs: number;
	pingMs: number;
	redlockMs: number;
	handOverToPing: number;
	handOverToRedlock: number;
	/** Whether grants came in the order of the tickets. */
	inOrder: boolean;
}

/** Two processes work in turns on one chat; a PING is by a client in the same processes, between the rounds. */
export async function benchHandOver({ turns = 400, rounds = 5, lockTurns = 25 } = {}): Promise<HandOver> {
	const redis = await startRedis();
	const task: HandOverTask = { url: redis.url, turns, rounds, lockTurns };
	const processes = [child(join(__dirname, 'handOverChild.ts'), task), child(join(__dirname, 'handOverChild.ts'), task)];
	try {
		const ready = processes.map((one) => nextMessage(one));
		await Promise.all(ready);
		const handOvers: number[] = [];
		const pings: number[] = [];
		let inOrder = true;
		for (let round = 0; round < rounds; round++) {
			const { tells, all } = await both(processes, 'lanes');
			inOrder &&= all.every((turn, i) => i === 0 || turn.number > (all[i - 1]?.number ?? 0));
			handOvers.push(...gaps(all));
			pings.push(...tells.flatMap((tell) => tell.pings ?? []));
		}
		const locks = gaps((await both(processes, 'redlock')).all);
		const [handOverMs, pingMs, redlockMs] = [median(handOvers), median(pings), median(locks)];
		return { handOverMs, pingMs, redlockMs, handOverToPing: handOverMs / pingMs, handOverToRedlock: handOverMs / redlockMs, inOrder };
	} finally {
		for (const one of processes) one.kill('SIGKILL');
		await redis.close();
	}
}

async function both(processes: Array<ReturnType<typeof child>>, what: 'lanes' | 'redlock'): Promise<{ tells: HandOverAnswer[]; all: HandOverAnswer['turns'] }> {
	const answers = processes.map((one) => nextMessage<HandOverAnswer>(one));
	for (const one of processes) one.send(what);
	const tells = await Promise.all(answers);
	return { tells, all: tells.flatMap(({ turns }) => turns).sort((a, b) => a.began - b.began) };
}

/** From each release to the next turn, where that was the other process's. */
function gaps(turns: HandOverAnswer['turns']): number[] {
	return turns.flatMap((turn, i) => {
		const before = turns[i - 1];
		return before && before.pid !== turn.pid ? [turn.began - before.ended] : [];
	});
}
