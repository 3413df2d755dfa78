// Random faults against the real engine, and a check of the guarantees: `npm run test:faults -- --seed 1 --transactions 300`.
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { check, guarantees, type Violation } from './check';
import { type Counts, Driver } from './driver';
import type { History } from './history';
import { makePlan, type Mode, type Plan } from './plan';
import { startWorld } from './world';

const help = `Usage: npm run test:faults -- [--seed 1] [--transactions 300] [--mode embedded|shared|both] [--results FILE]
The plan (chats, transactions, faults, deaths, repeats) follows from the seed; timing does not, so a run with the same
seed may end differently. On failure the plan, the history and the violations are written to a folder that is named.`;

const mostShown = 20;

async function main(): Promise<number> {
	const { values } = parseArgs({
		options: { seed: { type: 'string', default: '1' }, transactions: { type: 'string', default: '300' }, mode: { type: 'string', default: 'both' }, results: { type: 'string' }, help: { type: 'boolean' } },
	});
	if (values.help) return tell(help);
	const seed = wholeNumber('seed', values.seed);
	const transactions = wholeNumber('transactions', values.transactions);
	const failed = new Set<string>();
	const modes = modesIn(values.mode);
	for (const mode of modes) {
		const violations = await runMode(makePlan(seed, transactions, mode));
		for (const { guarantee } of violations) failed.add(`${guarantee} ${mode}`);
	}
	if (values.results) writeResults(values.results, { passed: modes.length * guarantees.length - failed.size, failed: failed.size, skipped: 0 });
	return failed.size > 0 ? 1 : 0;
}

function tell(text: string): number {
	console.log(text);
	return 0;
}

function wholeNumber(name: string, text: string): number {
	const number = Number(text);
	if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} has to be a whole number from 1 up, got "${text}"`);
	return number;
}

function modesIn(text: string): Mode[] {
	if (text === 'both') return ['embedded', 'shared'];
	if (text === 'embedded' || text === 'shared') return [text];
	throw new Error(`--mode has to be embedded, shared or both, got "${text}"`);
}

async function runMode(plan: Plan): Promise<Violation[]> {
	const begun = performance.now();
	const seconds = () => Math.round((performance.now() - begun) / 1000);
	console.log(`\n── ${plan.mode}: seed ${plan.seed}, ${plan.executions.length} executions in ${plan.chats.length} chats`);
	const world = await startWorld(plan);
	const end = () => {
		process.on('uncaughtException', () => {}); // what the driver still has under way breaks, and must not keep servers from being closed
		void world.close().finally(() => process.exit(130));
	};
	process.once('SIGINT', end).once('SIGTERM', end);
	try {
		const driver = new Driver(plan, world);
		let ended = 0;
		let shownAt = 0;
		const history = await driver.run(() => {
			ended += 1;
			if (seconds() < shownAt + 10) return;
			shownAt = seconds();
			console.log(`   ${ended} of ${plan.executions.length} executions ended after ${shownAt} s`);
		});
		const violations = check(history);
		console.log(summary(history, driver.counts, seconds()));
		for (const guarantee of guarantees) {
			const count = violations.filter((one) => one.guarantee === guarantee).length;
			console.log(`${count === 0 ? '✓' : '✗'} ${guarantee} ${plan.mode}${count === 0 ? '' : `: ${count} violations`}`);
		}
		if (violations.length > 0) tellViolations(plan, history, violations);
		return violations;
	} finally {
		process.off('SIGINT', end).off('SIGTERM', end);
		await world.close();
	}
}

function summary({ asked, calls, messages, received, ledger }: History, { deaths, lost, repeats, recoveries, events }: Counts, seconds: number): string {
	const states = tally(Object.values(ledger).map(({ status, failure }) => (failure ? `${status} ${failure.code}` : status)));
	return [
		`   ${asked.length} transactions, ${calls.length} calls, ${messages.length} texts at WhatsApp, ${received.length} webhook calls, ${seconds} s`,
		`   ${deaths} processes died with ${lost} calls under way; ${repeats} repeats; ${recoveries} recoveries; ${shownTally(events)}`,
		`   in the ledger: ${shownTally(states)}`,
	].join('\n');
}

function tally(names: string[]): Record<string, number> {
	const counts: Record<string, number> = {};
	for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
	return counts;
}

function shownTally(counts: Record<string, number>): string {
	return Object.entries(counts).sort(([, a], [, b]) => b - a).map(([name, count]) => `${count} ${name}`).join(', ');
}

function tellViolations(plan: Plan, history: History, violations: Violation[]): void {
	for (const { guarantee, kind, name, what } of violations.slice(0, mostShown)) console.log(`   ${guarantee} ${kind}: ${name}: ${what}`);
	if (violations.length > mostShown) console.log(`   … and ${violations.length - mostShown} more`);
	const names = new Set(violations.slice(0, mostShown).map(({ name }) => name));
	for (const item of plan.executions.flatMap(({ items }) => items)) if (names.has(item.name)) console.log(`   plan of ${item.name}: ${JSON.stringify(item)}`);
	const folder = join(tmpdir(), `ordered-faults-seed-${plan.seed}-${plan.mode}`);
	mkdirSync(folder, { recursive: true });
	for (const [name, content] of Object.entries({ plan, history, violations })) writeFileSync(join(folder, `${name}.json`), JSON.stringify(content, undefined, '\t'));
	console.log(`   seed ${plan.seed}; plan, history and violations: ${folder}`);
}

function writeResults(file: string, counts: { passed: number; failed: number; skipped: number }): void {
	mkdirSync(dirname(file), { recursive: true });
	writeFileSync(file, `${JSON.stringify(counts)}\n`);
}

main().then(
	(code) => process.exit(code),
	(error: Error) => {
		console.error(error.stack);
		process.exit(2);
	},
);
