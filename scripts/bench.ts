// All benchmarks: `npm run bench`, or `npm run bench -- lane ledger` for some. Figures are ratios within one run.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchChain, chainTable } from './bench/chain';
import { benchHandOver } from './bench/handOver';
import { benchLedger } from './bench/ledger';
import { benchLoad } from './bench/load';
import { benchLiveReceipt, benchWaiting } from './bench/receipts';
import { benchWaitingInN8n } from './bench/n8n';
import { benchStart } from './bench/start';
import { benchThroughput } from './bench/throughput';
import { benchHeapOfWaiting, benchPunctuality } from './bench/waiting';
import { cacheFolder } from './n8n/paths';

const help = `Usage: npm run bench -- [lane] [receipt] [waiting] [ledger] [load] [start] [n8n] [chain] [--ledger-size 1000000] [--executions 150] [--out FILE]
Without a name, all but start, n8n and chain, which need a real n8n (npm run test:n8n brings it). --executions is the size of a round of chain. The result is printed, and written as JSON (.cache/bench.json).`;

interface Goal {
	/** As in the JSON. */
	name: string;
	value: number;
	/** The most, or the least, that it may be. */
	most?: number;
	least?: number;
}

type Figures = Record<string, unknown>;

const progress = (line: string): void => console.error(line);

async function lane(): Promise<[Figures, Goal[]]> {
	progress('Hand-over of a chat between two processes');
	const handOver = await benchHandOver();
	progress('1,000 chats busy at once');
	const throughput = await benchThroughput(progress);
	if (!handOver.inOrder) throw new Error('Turns were not given in the order of the tickets');
	return [{ ...handOver, throughput, redisToEmbedded: throughput.redisToEmbedded }, [
		{ name: 'lane.handOverToPing', value: handOver.handOverToPing, most: 3 },
		{ name: 'lane.handOverToRedlock', value: handOver.handOverToRedlock, most: 0.1 },
		{ name: 'lane.redisToEmbedded', value: throughput.redisToEmbedded, least: 0.8 },
	]];
}

async function receipt(): Promise<[Figures, Goal[]]> {
	progress('Live receipts beside bare events');
	const live = await benchLiveReceipt();
	return [{ ...live, liveToBare: live.ratio }, [{ name: 'receipt.liveToBare', value: live.ratio, most: 2 }]];
}

async function waiting(): Promise<[Figures, Goal[]]> {
	progress('10,000 chains that wait for a delay');
	const delay = await benchHeapOfWaiting('delay');
	progress('10,000 chains that wait for a receipt');
	const acknowledgement = await benchHeapOfWaiting('delivered');
	progress('How punctual 10,000 delays end');
	const punctuality = await benchPunctuality();
	progress('Requests a second for 10,000 waits');
	const { pollsPerSecondLive, pollsPerSecondPolling } = await benchWaiting();
	// clocks show whole milliseconds
	const lateness = Math.max(punctuality.chainLateMs, 1) / Math.max(punctuality.timerLateMs, 1);
	return [{ bytesPerChain: Math.max(delay, acknowledgement), delayBytes: delay, acknowledgementBytes: acknowledgement, ...punctuality, lateness, pollsPerSecondLive, pollsPerSecondPolling }, [
		{ name: 'waiting.bytesPerChain', value: Math.max(delay, acknowledgement), most: 2048 },
		{ name: 'waiting.lateness', value: lateness, most: 2 },
		{ name: 'waiting.pollsPerSecond', value: Math.max(pollsPerSecondLive, pollsPerSecondPolling), most: 31 },
	]];
}

async function ledger(size: number): Promise<[Figures, Goal[]]> {
	const growth = await benchLedger({ large: size, progress });
	return [{ ...growth, growth: growth.worst, size }, [{ name: 'ledger.growth', value: growth.worst, most: 1.5 }]];
}

async function load(): Promise<[Figures, Goal[]]> {
	progress('Loading the package beside loading the libraries in it');
	const times = await benchLoad();
	return [{ ...times }, [{ name: 'load.toLibraries', value: times.ratio, most: 1 }]];
}

async function start(): Promise<[Figures, Goal[]]> {
	progress('npm run n8n beside n8n itself');
	const times = await benchStart(progress);
	return [{ ...times }, [{ name: 'start.launcherToN8n', value: times.ratio, most: 1.5 }]];
}

async function n8n(): Promise<[Figures, Goal[]]> {
	return [{ ...(await benchWaitingInN8n(progress)) }, []];
}

/** The ordered-send API and the ordered node beside the chain that users build today. */
async function chain(executions: number): Promise<[Figures, Goal[]]> {
	progress('Calls of one n8n: the ordered-send API, the ordered node, the unordered chain, and an empty workflow');
	const result = await benchChain(progress, { executions });
	for (const line of chainTable(result)) progress(line);
	return [{ ...result }, [
		...(['api', 'ordered'] as const).flatMap((of) => [
			...result.levels.map(({ atOnce, ratios }): Goal => ({ name: `chain.${of}ToUnordered, ${atOnce} at once`, value: ratios[of], least: 1.3 })),
			{ name: `chain.${of}.webhooksAfterRefusal`, value: result.refused[of].webhooks, most: 0 },
		]),
	]];
}

async function main(): Promise<void> {
	const { values, positionals } = parseArgs({ allowPositionals: true, options: { 'ledger-size': { type: 'string', default: '1000000' }, 'executions': { type: 'string', default: '150' }, 'out': { type: 'string', default: join(cacheFolder, 'bench.json') }, 'help': { type: 'boolean' } } });
	if (values.help) return console.log(help);
	const all: Record<string, () => Promise<[Figures, Goal[]]>> = { lane, receipt, waiting, ledger: () => ledger(Number(values['ledger-size'])), load, start, n8n, chain: () => chain(Number(values.executions)) };
	const unknown = positionals.find((name) => !(name in all));
	if (unknown) throw new Error(`There is no benchmark "${unknown}". ${help}`);
	const results: Record<string, Figures> = {};
	const goals: Goal[] = [];
	for (const name of positionals.length > 0 ? positionals : ['lane', 'receipt', 'waiting', 'ledger', 'load']) {
		const [figures, reached] = await (all[name] as () => Promise<[Figures, Goal[]]>)();
		results[name] = figures;
		goals.push(...reached);
	}
	mkdirSync(dirname(values.out), { recursive: true });
	writeFileSync(values.out, `${JSON.stringify(results, null, 2)}\n`);
	console.log(JSON.stringify(results, null, 2));
	for (const goal of goals) console.log(sentence(goal));
}

function sentence({ name, value, most, least }: Goal): string {
	const reached = most === undefined ? value >= (least as number) : value <= most;
	const shown = value >= 100 ? String(Math.round(value)) : value.toFixed(3);
	return `${reached ? '✓' : '✗'} ${name} ${shown} (goal: ${most === undefined ? `at least ${least}` : `at most ${most}`})`;
}

main().catch((error: Error) => {
	console.error(error.message);
	process.exitCode = 1;
});
