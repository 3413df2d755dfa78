// The ordered node beside the chain that users build today, in one real n8n: speed, and webhooks after a refused message.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pMap from 'p-map';
import { startSimulator, type Simulator } from '../../simulator';
import { type Editor, openEditor, readTemplate, withCredentials } from '../n8n/editor';
import { ensureN8n } from '../n8n/install';
import { installPackage, packPackage, packPublished } from '../n8n/package';
import { cacheFolder, projectRoot } from '../n8n/paths';
import { type Receiver, startReceiver } from '../n8n/receiver';
import { emptyWorkflow, orderedWorkflow, unorderedWorkflow } from './chainWorkflows';
import { median } from './runtime';

/** The most used EvolutionAPI package; of this version it was recorded that it takes Meta's refusal for a success. */
const otherPackage = 'n8n-nodes-evolution-api@1.0.4';

/** The template of the ordered-send API; the sending node alone; the chain that users build today, without a key and, as the API has it, with one; and n8n with none of them. */
const chains = ['api', 'ordered', 'unordered', 'unorderedWithKey', 'empty'] as const;
type Chain = (typeof chains)[number];

/** What comes first has a warmer machine or a colder one: so each comes as often before the others as after them. */
const block: Chain[] = [...chains, ...[...chains].reverse()];

/** What each is compared with. */
const today: Record<Chain, Chain> = { api: 'unorderedWithKey', ordered: 'unordered', unordered: 'unordered', unorderedWithKey: 'unorderedWithKey', empty: 'unordered' };

const sending = ['api', 'ordered', 'unordered'] as const;

const apiKey = { name: 'X-Api-Key', value: 'key-of-the-benchmark' };

export interface ChainFigures {
	perSecond: number;
	p50Ms: number;
	p95Ms: number;
	/** CPU time of n8n's main process for one execution. */
	cpuMs: number;
}

export interface ChainLevel {
	/** How many calls are under way at any time. */
	atOnce: number;
	figures: Record<Chain, ChainFigures>;
	/** Executions a second, each to today's chain, for the API to the one with a key: the median of the blocks. */
	ratios: Record<Chain, number>;
}

/** What came of messages that Meta refused. */
export interface Refused {
	sent: number;
	/** Calls of the workflow that were answered as a success. */
	success: number;
	webhooks: number;
}

export interface ChainResult {
	levels: ChainLevel[];
	refused: Record<(typeof sending)[number], Refused>;
}

export interface ChainOptions {
	levels?: number[];
	/** Executions in a round, and blocks of ten rounds for each level: an odd number, or the median is the better of two. */
	executions?: number;
	blocks?: number;
	warmUp?: number;
	refusals?: number;
	/** More variables for n8n. */
	env?: Record<string, string>;
}

interface Round extends ChainFigures {
	chain: Chain;
}

interface Bench {
	editor: Editor;
	simulator: Simulator;
	receiver: Receiver;
}

/** Linux only: CPU times are read from /proc. */
export async function benchChain(progress: (line: string) => void, { levels = [1, 4, 16], executions = 150, blocks = 3, warmUp = 200, refusals = 50, env }: ChainOptions = {}): Promise<ChainResult> {
	await ensureN8n();
	const userFolder = mkdtempSync(join(tmpdir(), 'bench-chain-'));
	const simulator = await startSimulator();
	const receiver = await startReceiver();
	try {
		await installPackage(await packPublished(otherPackage, join(cacheFolder, 'chain')), userFolder);
		const tarball = await packPackage(join(userFolder, 'pack'));
		const editor = await openEditor({ userFolder, tarball, template: join(projectRoot, 'templates', 'ordered-send.json'), evolution: simulator, env });
		try {
			const bench = { editor, simulator, receiver };
			await publishAll(bench);
			for (const chain of chains) await runRound(bench, chain, 4, warmUp);
			const measured: ChainLevel[] = [];
			for (const atOnce of levels) measured.push(await measureLevel(bench, { atOnce, executions, blocks }, progress));
			return { levels: measured, refused: { api: await refuse(bench, 'api', refusals), ordered: await refuse(bench, 'ordered', refusals), unordered: await refuse(bench, 'unordered', refusals) } };
		} finally {
			await editor.server.stop();
		}
	} finally {
		await receiver.close();
		await simulator.close();
		rmSync(userFolder, { recursive: true, force: true });
	}
}

async function publishAll({ editor: { rest }, simulator, receiver }: Bench): Promise<void> {
	const [ours] = await rest.credentials();
	if (!ours) throw new Error('The editor has no credential.');
	const theirs = await rest.createCredential({ name: 'EvolutionAPI simulator, other package', type: 'evolutionApi', data: { 'server-url': simulator.url, 'apikey': simulator.apiKey } });
	const evolutionServerApi = { id: ours.id, name: ours.name };
	const httpHeaderAuth = await rest.createCredential({ name: 'Key of your API', type: 'httpHeaderAuth', data: apiKey });
	const api = withCredentials(readTemplate(join(projectRoot, 'templates', 'ordered-send-api.json')), { evolutionServerApi, httpHeaderAuth });
	const workflows = [api, orderedWorkflow('ordered', ours, receiver.url), unorderedWorkflow('unordered', theirs, receiver.url), unorderedWorkflow('unorderedWithKey', theirs, receiver.url, { id: httpHeaderAuth.id, name: httpHeaderAuth.name }), emptyWorkflow('empty')];
	for (const workflow of workflows) await rest.publish(await rest.createWorkflow(workflow));
}

async function measureLevel(bench: Bench, { atOnce, executions, blocks }: { atOnce: number; executions: number; blocks: number }, progress: (line: string) => void): Promise<ChainLevel> {
	const rounds: Round[] = [];
	const ratios: Array<Record<Chain, number>> = [];
	for (let i = 0; i < blocks; i++) {
		const ofBlock: Round[] = [];
		for (const chain of block) ofBlock.push(await runRound(bench, chain, atOnce, executions));
		const seconds = (chain: Chain) => ofBlock.filter((round) => round.chain === chain).reduce((sum, { perSecond }) => sum + 1 / perSecond, 0);
		ratios.push(ofEach((chain) => seconds(today[chain]) / seconds(chain)));
		progress(`  ${atOnce} at once, block ${i + 1} of ${blocks}: ${ofBlock.map(({ chain, perSecond }) => `${chain} ${perSecond.toFixed(0)}/s`).join(', ')}`);
		rounds.push(...ofBlock);
	}
	return { atOnce, figures: ofEach((chain) => middle(rounds.filter((round) => round.chain === chain))), ratios: ofEach((chain) => median(ratios.map((ratio) => ratio[chain]))) };
}

function ofEach<T>(make: (chain: Chain) => T): Record<Chain, T> {
	return Object.fromEntries(chains.map((chain) => [chain, make(chain)])) as Record<Chain, T>;
}

function middle(rounds: Round[]): ChainFigures {
	const of = (name: keyof ChainFigures) => median(rounds.map((round) => round[name]));
	return { perSecond: of('perSecond'), p50Ms: of('p50Ms'), p95Ms: of('p95Ms'), cpuMs: of('cpuMs') };
}

/** A fixed number of calls, always `atOnce` under way, each to a chat of its own. Throws unless each did what it is for. */
async function runRound(bench: Bench, chain: Chain, atOnce: number, executions: number): Promise<Round> {
	const { editor: { server }, simulator, receiver } = bench;
	simulator.control.clearLog();
	receiver.calls.length = 0;
	const times: number[] = [];
	const cpuBefore = cpuMsOf(server.pid);
	const began = performance.now();
	await pMap(Array.from({ length: executions }), async () => {
		const calledAt = performance.now();
		const { status, text } = await call(bench, chain, 'Your order is on its way');
		times.push(performance.now() - calledAt);
		if (status !== 200) throw new Error(`${chain}: the workflow answered ${status}: ${text}`);
	}, { concurrency: atOnce });
	const seconds = (performance.now() - began) / 1000;
	await sleep(endsWithinMs); // n8n saves an execution after its answer
	const cpuMs = (cpuMsOf(server.pid) - cpuBefore) / executions;
	const expected = chain === 'empty' ? 0 : executions;
	for (const [what, count] of [['messages', simulator.control.messages().length], ['webhook calls', receiver.calls.length]] as const) {
		if (count !== expected) throw new Error(`${chain}: ${count} ${what} of ${expected}`);
	}
	return { chain, perSecond: executions / seconds, p50Ms: quantile(times, 0.5), p95Ms: quantile(times, 0.95), cpuMs };
}

/** Sends that Meta refuses as it was recorded: EvolutionAPI answers 201, without a message ID. */
async function refuse(bench: Bench, chain: Chain, count: number): Promise<Refused> {
	const { simulator, receiver } = bench;
	simulator.control.clearLog();
	simulator.control.addRule({ route: 'sendText', answer: { kind: 'metaRefusal', code: 131026 } });
	receiver.calls.length = 0;
	const answers = await pMap(Array.from({ length: count }), () => call(bench, chain, 'This one is refused'), { concurrency: 4 });
	await sleep(endsWithinMs);
	simulator.control.clearRules();
	if (simulator.control.messages().length > 0) throw new Error('A message that was to be refused went out.');
	return { sent: simulator.control.counts().sendText ?? 0, success: answers.filter(({ status }) => status === 200).length, webhooks: receiver.calls.length };
}

const endsWithinMs = 500;

async function call({ editor: { rest }, receiver }: Bench, chain: Chain, text: string): Promise<{ status: number; text: string }> {
	const message = { number: nextNumber(), text };
	const key = { [apiKey.name]: apiKey.value };
	if (chain === 'api') return await rest.callWebhook('ordered-send-api', { instanceName: 'meta1', ...message, webhookUrl: `${receiver.url}/api` }, key);
	return await rest.callWebhook(chain, message, key);
}

let numbers = 0;
function nextNumber(): string {
	return `5511${900_000_000 + ++numbers}`;
}

function quantile(values: number[], part: number): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** User and system time; Linux counts it in hundredths of a second (`man 5 proc`). */
function cpuMsOf(pid: number): number {
	const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
	return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** The figures as lines to print. */
export function chainTable({ levels, refused }: ChainResult): string[] {
	const row = (...cells: Array<string | number>) => cells.map((cell, index) => (index === 1 ? String(cell).padEnd(16) : String(cell).padStart(9))).join(' ');
	const lines = [row('at once', 'chain', 'per s', 'p50 ms', 'p95 ms', 'CPU ms', 'ratio')];
	for (const level of levels) {
		for (const chain of chains) {
			const { perSecond, p50Ms, p95Ms, cpuMs } = level.figures[chain];
			lines.push(row(level.atOnce, chain, perSecond.toFixed(1), p50Ms.toFixed(1), p95Ms.toFixed(1), cpuMs.toFixed(1), level.ratios[chain].toFixed(2)));
		}
	}
	for (const chain of sending) {
		const { sent, success, webhooks } = refused[chain];
		lines.push(`${chain}: of ${sent} refused messages, ${success} reported as success, ${webhooks} followed by the webhook`);
	}
	return lines;
}
