// A process that is killed at each save of a sequence; the same ID again goes on where it stopped.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { endWithTest, openEngine, resultOf, type Scene, scene } from '../../support/scene';
import { effectsOf, runSequence } from '../sequence/call';
import type { ChildTask } from './child';

const file = Buffer.from('a picture').toString('base64');
const options = { transactionId: 'dead', attempts: 2, requestTimeoutSeconds: 1, queueTimeoutSeconds: 10 };

function stepsOf(last: 'stop' | 'compensate'): Array<Record<string, unknown>> {
	return [
		{ type: 'text', text: 'a', onError: last },
		{ type: 'webhook', url: '/one', onError: last },
		{ type: 'image', media: file, caption: 'b [[1.messageId]]', onError: last },
		{ type: 'wait', delaySeconds: 0.01 },
		{ type: 'webhook', url: last === 'stop' ? '/two' : '/refuses', onError: last },
	];
}

/** Runs it in a process that dies at a save; false where it came to its end before. */
async function dies(on: Scene, steps: Array<Record<string, unknown>>, die: ChildTask['die']): Promise<boolean> {
	await on.engine.close(); // one process owns a ledger
	const full = steps.map((step) => ('url' in step ? { ...step, url: `${on.receiver.url}${String(step.url)}` } : step));
	const task: ChildTask = { folder: on.folder, access: { baseUrl: on.simulator.url, apiKey: on.simulator.apiKey }, input: { instanceName: 'phone1', number: '5511988887777', options }, steps: full, die };
	const child = spawn(process.execPath, ['--import', 'tsx', join(__dirname, 'child.ts'), JSON.stringify(task)], { stdio: ['ignore', 'ignore', 'inherit'] });
	endWithTest(() => void child.kill('SIGKILL'));
	const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
	on.engine = await openEngine(on.folder);
	return signal === 'SIGKILL';
}

/** An effect of a step, without what differs from run to run. */
function effects(on: Scene): string[] {
	return effectsOf(on).map((effect) => effect.replace(/(b) .*/, '$1'));
}

/** Steps that may be done twice after a death, once each and in the order of their first time. */
function firstTimes(all: string[]): string[] {
	return [...new Set(all)];
}

describe.each(['before', 'after'] as const)('killed %s each save of a sequence', (when) => {
	test('the same ID again does the rest: no message twice, each webhook under its one ID, in the one order', async () => {
		const seen: number[] = [];
		for (let save = 1; ; save++) {
			const on = await scene();
			if (!(await dies(on, stepsOf('stop'), { when, save }))) break;
			seen.push(save);
			const atDeath = effects(on).length;
			const again = await runSequence(on, stepsOf('stop'), { instanceName: 'phone1', options: { ...options, onInDoubt: 'sendAgain' } });
			expect([save, resultOf(again).status]).toEqual([save, 'completed']);
			const all = effects(on);
			expect([save, firstTimes(all)]).toEqual([save, ['sendText a', 'call /one', 'sendMedia b', 'call /two']]);
			for (const message of ['sendText a', 'sendMedia b']) expect([save, all.filter((one) => one === message)]).toEqual([save, [message]]);
			for (const path of ['/one', '/two']) expect(new Set(on.receiver.callsTo(path).map(({ headers }) => headers['webhook-id'])).size).toBe(1);
			expect(all.length).toBeGreaterThanOrEqual(atDeath);
			expect(JSON.stringify(on.simulator.control.messages()[1])).toContain(on.simulator.control.messages()[0]?.messageId);
		}
		expect(seen.length).toBeGreaterThanOrEqual(11);
	}, 240_000);

	test('of one that is being taken back, all is taken back, newest first, and nothing is sent after', async () => {
		const seen: number[] = [];
		for (let save = 9; ; save++) {
			const on = await scene();
			on.receiver.behave({ status: 404 }, { path: '/refuses' });
			if (!(await dies(on, stepsOf('compensate'), { when, save }))) break;
			seen.push(save);
			const again = await runSequence(on, stepsOf('compensate'), { instanceName: 'phone1', options });
			expect([save, resultOf(again)]).toMatchObject([save, { status: 'failed', compensation: { status: 'done', deletions: [{ step: 3, status: 'done' }, { step: 1, status: 'done' }] } }]);
			expect([save, firstTimes(effects(on))]).toEqual([save, ['sendText a', 'call /one', 'sendMedia b', 'call /refuses', 'delete b', 'delete a']]);
			expect(on.simulator.control.messages()).toHaveLength(2);
		}
		expect(seen.length).toBeGreaterThanOrEqual(4);
	}, 240_000);
});
