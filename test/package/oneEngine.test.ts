// One engine for all nodes of a process, opened at its first use; each test in a Node of its own.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startSimulator, type Simulator } from '../../simulator';
import { TestPostgres } from '../support/postgres';
import { Receiver } from '../support/receiver';
import { startRedis } from '../support/redis';

const root = join(__dirname, '../..');
let folder: string;
let simulator: Simulator;
let receiver: Receiver;

beforeEach(async () => {
	folder = realpathSync(mkdtempSync(join(tmpdir(), 'ordered-package-')));
	simulator = await startSimulator();
	receiver = await Receiver.start();
	installInto('package');
});

afterEach(async () => {
	await simulator.close();
	await receiver.close();
	rmSync(folder, { recursive: true, force: true });
});

/** The built package in a folder of its own, with a second node beside the first. */
function installInto(name: string): string {
	const target = join(folder, name);
	cpSync(join(root, 'dist'), join(target, 'dist'), { recursive: true });
	mkdirSync(join(target, 'node_modules'), { recursive: true });
	symlinkSync(join(root, 'node_modules', 'n8n-workflow'), join(target, 'node_modules', 'n8n-workflow'), 'junction');
	const first = join(target, 'dist', 'nodes', 'OrderedEvolutionApiSend');
	const second = join(target, 'dist', 'nodes', 'Other');
	mkdirSync(second);
	writeFileSync(join(second, 'Other.node.js'), `
		const { withEngine } = require('../engine');
		const { toOrderedSend } = require('../../ordering');
		exports.Other = class { async execute() {
			const send = toOrderedSend(this.access, { instanceName: 'meta1', number: '5511988887777', text: this.text, waitFor: 'delay', delaySeconds: 0.3, webhookUrl: this.webhookUrl });
			const origin = { instanceId: 'i', workflowId: 'w', nodeId: 'other', executionId: '1', runIndex: 0, item: 0, isRetry: false };
			const [{ failure }] = await withEngine(undefined, (engine) => engine.run([{ send, origin }], { stopOnFailure: false }));
			if (failure) throw new Error(failure.message);
		} };`);
	return first;
}

/** The helpers that the scripts below use: `node(file)` makes one as n8n does, `context(text)` is what it is run with. */
const preamble = `
	const join = require('node:path').join;
	const node = (file) => { const exported = require(join(process.env.PACKAGE, 'dist/nodes', file)); return new (Object.values(exported)[0])(); };
	const access = { baseUrl: process.env.EVOLUTION_URL, apiKey: process.env.EVOLUTION_KEY };
	const context = (text, more = {}) => {
		const parameters = { operation: 'sendThenWebhook', instanceName: 'meta1', number: '5511988887777', text, waitFor: 'delay', delaySeconds: 0.3, callWebhook: true, webhookUrl: process.env.WEBHOOK_URL + '/' + text, ...more };
		return {
			access, text, webhookUrl: process.env.WEBHOOK_URL + '/' + text,
			getExecutionCancelSignal: () => undefined, continueOnFail: () => false, getInputData: () => [{ json: {} }],
			getNodeParameter: (name, i, fallback) => parameters[name] ?? fallback, getCredentials: async (type) => (type === 'orderedStoreApi' ? JSON.parse(process.env.STORE) : access),
			getNode: () => ({ id: 'n', name: 'Send', type: 't', credentials: process.env.STORE ? { orderedStoreApi: { id: '1', name: 'Store' } } : undefined }), getInstanceId: () => 'i', getWorkflow: () => ({ id: 'w' }), getExecutionId: () => text,
			isToolExecution: () => false, getWorkflowDataProxy: () => ({ $runIndex: 0 }), getMode: () => 'webhook', helpers: {},
		};
	};
	const run = (one, text, more) => one.execute.call(context(text, more));
`;

async function runScript(script: string, more: Record<string, string> = {}): Promise<string> {
	const env = { PATH: process.env.PATH, PACKAGE: join(folder, 'package'), N8N_USER_FOLDER: join(folder, 'user'), EVOLUTION_URL: simulator.url, EVOLUTION_KEY: simulator.apiKey, WEBHOOK_URL: receiver.url, ...more };
	const { stdout } = await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', '-e', `${preamble};(async () => { ${script} })().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });`], { env, timeout: 20_000 });
	return stdout;
}

const effects = () => [...simulator.control.messages().map(({ at, text }) => ({ at, what: `message ${text}` })), ...receiver.calls.map(({ at, path }) => ({ at, what: `webhook ${path}` }))].sort((a, b) => a.at - b.at).map(({ what }) => what);

test('two nodes share one lane and one ledger', async () => {
	await runScript(`
		const [first, second] = [node('OrderedEvolutionApiSend/OrderedEvolutionApiSend.node.js'), node('Other/Other.node.js')];
		await Promise.all([run(first, 'a1'), run(second, 'b1'), run(first, 'a2'), run(second, 'b2')]);
	`);
	const order = effects();
	expect(order).toHaveLength(8);
	for (let i = 0; i < 8; i += 2) expect(order[i + 1]).toBe(order[i]?.replace('message ', 'webhook /'));
});

test('the same node loaded for two node types is one engine', async () => {
	await runScript(`
		const file = 'OrderedEvolutionApiSend/OrderedEvolutionApiSend.node.js';
		await Promise.all([run(node(file), 'a'), run(node(file), 'b')]);
	`);
	expect(effects()).toEqual(['message a', 'webhook /a', 'message b', 'webhook /b']);
});

test('an update of the package in a running n8n takes the ledger over, once what runs has ended', async () => {
	installInto('updated');
	await runScript(`
		const file = 'OrderedEvolutionApiSend/OrderedEvolutionApiSend.node.js';
		const before = run(node(file), 'old');
		await new Promise((resolve) => setTimeout(resolve, 150));
		for (const loaded of Object.keys(require.cache)) if (loaded.startsWith(process.env.PACKAGE)) delete require.cache[loaded];
		process.env.PACKAGE = process.env.UPDATED;
		await Promise.all([before, run(node(file), 'new1'), run(node(file), 'new2')]);
		await run(node(file), 'new3');
	`, { UPDATED: join(folder, 'updated') });
	expect(effects()).toEqual(['old', 'new1', 'new2', 'new3'].flatMap((text) => [`message ${text}`, `webhook /${text}`]));
});

test('with a shared store the updated package works beside the one before until that has ended, in one order', async () => {
	const [postgres, redis] = await Promise.all([TestPostgres.start(), startRedis()]);
	try {
		installInto('updated');
		const engines = await runScript(`
			const file = 'OrderedEvolutionApiSend/OrderedEvolutionApiSend.node.js';
			await run(node(file), '1');
			const before = run(node(file), '2', { delaySeconds: 4 });
			await new Promise((resolve) => setTimeout(resolve, 500));
			for (const loaded of Object.keys(require.cache)) if (loaded.startsWith(process.env.PACKAGE)) delete require.cache[loaded];
			process.env.PACKAGE = process.env.UPDATED;
			const other = { number: '5511977776666', delaySeconds: 0 };
			await Promise.all([before, run(node(file), '3'), run(node(file), 'other', other)]);
			await new Promise((resolve) => setTimeout(resolve, 500));
			const redis = require('net').connect(${redis.port}, '127.0.0.1', () => redis.write('PUBSUB CHANNELS *:turns:*\\r\\n'));
			const reply = await new Promise((resolve) => redis.once('data', (data) => resolve(data.toString())));
			console.log(/^\\*(\\d+)/.exec(reply)[1]);
		`, { UPDATED: join(folder, 'updated'), STORE: JSON.stringify({ postgresUrl: postgres.url(), redisUrl: redis.url, namePrefix: 'updated' }) });
		expect(effects().filter((effect) => !effect.endsWith('other'))).toEqual(['1', '2', '3'].flatMap((text) => [`message ${text}`, `webhook /${text}`]));
		// another chat does not wait for what the old copy still does
		expect(effects().indexOf('message other')).toBeLessThan(effects().indexOf('webhook /2'));
		expect(engines.trim()).toBe('1');
	} finally {
		await redis.close();
		await postgres.close();
	}
});

test('a second n8n process with the same user folder is refused with what to do, and sends nothing', async () => {
	receiver.behave('hold', { times: 1 });
	const held = runScript(`await run(node('OrderedEvolutionApiSend/OrderedEvolutionApiSend.node.js'), 'first');`);
	await receiver.waitForCalls(1, 20_000);
	await expect(runScript(`await run(node('OrderedEvolutionApiSend/OrderedEvolutionApiSend.node.js'), 'second');`)).rejects.toThrow(/in use by another n8n process/);
	receiver.release();
	await held;
	expect(effects()).toEqual(['message first', 'webhook /first']);
});
