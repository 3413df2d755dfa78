// 1,000 chats busy at once: transactions a second through Redis lanes beside embedded ones, on the same kind of ledger.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerAccess } from '../../evolution/server';
import { Engine, type OrderedCall } from '../../ordering/engine';
import type { Lanes, ReadLaneRecord } from '../../ordering/lanes/lanes';
import { RedisLanes } from '../../ordering/lanes/redis/redis';
import { SqliteLedger } from '../../ordering/ledger/sqlite';
import { toOrderedSend } from '../../ordering/orderedSend';
import { startRedis } from '../../test/support/redis';
import { freePort } from '../n8n/ports';
import { median } from './runtime';

export interface Throughput {
	/** Transactions a second, medians of the rounds. */
	embedded: number;
	redis: number;
	redisToEmbedded: number;
}

/** The two kinds run in turns, so that both see the same machine; the simulator answers after 50 ms, in its own process. */
export async function benchThroughput(progress: (line: string) => void, { chats = 1000, each = 5, rounds = 3 } = {}): Promise<Throughput> {
	const redis = await startRedis();
	const simulator = await startSimulatorProcess(50);
	let round = 0;
	const throughRedis = (readRecord: ReadLaneRecord) => RedisLanes.open({ url: redis.url, prefix: `bench${round}`, readRecord });
	try {
		const embedded: number[] = [];
		const shared: number[] = [];
		for (round = 0; round <= rounds; round++) {
			const pair = [await perSecond(simulator.access, chats, each), await perSecond(simulator.access, chats, each, throughRedis)] as const;
			if (round === 0) continue; // the first of each kind warms up
			embedded.push(pair[0]);
			shared.push(pair[1]);
			progress(`${chats} chats, round ${round} of ${rounds}: embedded ${Math.round(pair[0])}, Redis ${Math.round(pair[1])} a second`);
		}
		return { embedded: median(embedded), redis: median(shared), redisToEmbedded: median(shared.map((value, i) => value / (embedded[i] as number))) };
	} finally {
		simulator.process.kill('SIGKILL');
		await redis.close();
	}
}

async function perSecond(access: ServerAccess, chats: number, each: number, makeLanes?: (read: ReadLaneRecord) => Lanes): Promise<number> {
	const folder = mkdtempSync(join(tmpdir(), 'bench-'));
	const engine = await Engine.on(SqliteLedger.open(folder), { chatsAtOnce: chats }, makeLanes);
	try {
		const calls = Array.from({ length: chats * each }, (_, i) => callOf(access, i % chats, i));
		const began = performance.now();
		const outcomes = await engine.run(calls, { stopOnFailure: false });
		const seconds = (performance.now() - began) / 1000;
		const failed = outcomes.find(({ failure }) => failure);
		if (failed) throw new Error(`the benchmark's transactions fail: ${failed.failure?.message}`);
		return calls.length / seconds;
	} finally {
		await engine.close();
		rmSync(folder, { recursive: true, force: true });
	}
}

export function callOf(access: ServerAccess, chat: number, item: number, more: Record<string, unknown> = {}): OrderedCall {
	const send = toOrderedSend(access, { instanceName: 'meta1', number: `5511${900_000_000 + chat}`, text: `message ${item}`, callWebhook: false, ...more, options: { queueTimeoutSeconds: 600 } });
	return { send, origin: { instanceId: 'bench', workflowId: 'bench', nodeId: 'bench', executionId: String(item + 1), startedAt: 1, runIndex: 0, item, isRetry: false } };
}

/** Answers each send after `answerAfterMs`. */
export async function startSimulatorProcess(answerAfterMs: number): Promise<{ process: ChildProcess; access: ServerAccess }> {
	const port = await freePort();
	const access = { baseUrl: `http://127.0.0.1:${port}`, apiKey: 'bench-key' };
	const started = spawn(process.execPath, ['--import', 'tsx', join(__dirname, '../../simulator/main.ts'), '--port', String(port), '--key', access.apiKey], { stdio: ['ignore', 'pipe', 'inherit'] });
	await new Promise<void>((resolve, reject) => {
		started.stdout.once('data', () => resolve());
		started.once('exit', () => reject(new Error('the simulator did not start')));
	});
	const rule = await fetch(`${access.baseUrl}/simulator/rules`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ route: 'sendText', answerAfterMs }) });
	if (!rule.ok) throw new Error(`the simulator took no rule: ${await rule.text()}`);
	return { process: started, access };
}
