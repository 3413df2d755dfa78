// The parts of the scripts for a real n8n that need no n8n.
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { withCredentials } from '../../scripts/n8n/editor';
import { buildEnvironment } from '../../scripts/n8n/environment';
import { isInstalled } from '../../scripts/n8n/install';
import { freePort, freePortFrom, isFree } from '../../scripts/n8n/ports';
import { startReceiver } from '../../scripts/n8n/receiver';
import { claimRunning, tellAddress } from '../../scripts/n8n/running';
import { missingTools, missingToolsMessage } from '../../scripts/n8n/tools';
import { unflatten } from '../../scripts/n8n/unflatten';
import { temporaryFolder } from './temporary';

const folder = temporaryFolder();

async function listening(): Promise<{ port: number; close: () => void }> {
	const server = createServer();
	await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
	return { port: (server.address() as { port: number }).port, close: () => server.close() };
}

describe('the compiler that n8n needs', () => {
	const tools = join(folder, 'tools');
	mkdirSync(tools);
	writeFileSync(join(tools, 'make'), '#!/bin/sh\n');
	chmodSync(join(tools, 'make'), 0o755);
	writeFileSync(join(tools, 'python3'), 'not a program');

	test('what is not on the PATH, or can\'t be run, is missing', () => {
		expect(missingTools(`${join(folder, 'nowhere')}:${tools}`)).toEqual(['g++', 'python3']);
	});

	test('the message names what is missing and how to get it', () => {
		expect(missingToolsMessage(['g++', 'python3'], 'linux')).toMatch(/that needs: g\+\+, python3\.\nInstall with: sudo apt-get update && sudo apt-get install -y g\+\+ python3/);
		expect(missingToolsMessage(['g++', 'python3'], 'darwin')).toContain('xcode-select --install && brew install python');
		expect(missingToolsMessage(['python3'], 'darwin')).toMatch(/: brew install python$/);
	});
});

describe('an installed n8n', () => {
	test('is one with a stamp of this version and of this Node\'s modules', () => {
		const place = join(folder, 'n8n');
		mkdirSync(place);
		expect(isInstalled(place, '2.41.0')).toBe(false);
		writeFileSync(join(place, '.installed'), `n8n 2.41.0, modules ${process.versions.modules}\n`);
		expect(isInstalled(place, '2.41.0')).toBe(true);
		expect(isInstalled(place, '2.42.0')).toBe(false);
		writeFileSync(join(place, '.installed'), 'n8n 2.41.0, modules 1\n');
		expect(isInstalled(place, '2.41.0')).toBe(false);
	});
});

describe('ports', () => {
	test('a port in use gives way to the next free one', async () => {
		const { port, close } = await listening();
		expect(await isFree(port)).toBe(false);
		expect(await freePortFrom(port)).toBeGreaterThan(port);
		close();
	});

	test('a free port is free', async () => {
		expect(await isFree(await freePort())).toBe(true);
	});

	test('a range with no free port is an error that names it', async () => {
		const { port, close } = await listening();
		await expect(freePortFrom(port, 1)).rejects.toThrow(`No port from ${port} to ${port} is free.`);
		close();
	});
});

describe('the environment of an n8n of ours', () => {
	const options = { userFolder: '/data', port: 5678, brokerPort: 5679 };

	test('has nothing of the shell\'s own n8n, of jest or of npm, but its PATH', () => {
		const env = buildEnvironment(options, { PATH: '/usr/bin', HOME: '/home/me', N8N_ENCRYPTION_KEY: 'k', DB_TYPE: 'postgresdb', EXECUTIONS_MODE: 'queue', NODE_ENV: 'test', JEST_WORKER_ID: '1', npm_config_ignore_scripts: 'true', NODE_OPTIONS: '--x' });
		expect(env).toMatchObject({ HOME: '/home/me', DB_TYPE: 'sqlite', NODE_ENV: 'production', N8N_USER_FOLDER: '/data', N8N_PORT: '5678', N8N_RUNNERS_BROKER_PORT: '5679', N8N_LISTEN_ADDRESS: '127.0.0.1' });
		expect(Object.keys(env).filter((name) => /ENCRYPTION|EXECUTIONS_MODE|JEST|npm_|NODE_OPTIONS/.test(name))).toEqual([]);
		expect(env.PATH).toMatch(/.+:\/usr\/bin$/);
	});

	test('takes what a test asks for', () => {
		expect(buildEnvironment({ ...options, env: { EXECUTIONS_TIMEOUT: '2', N8N_DIAGNOSTICS_ENABLED: 'true' } }, {})).toMatchObject({ EXECUTIONS_TIMEOUT: '2', N8N_DIAGNOSTICS_ENABLED: 'true' });
	});
});

describe('which process runs the demo', () => {
	const file = join(folder, 'running', 'running.json');
	const said = () => JSON.parse(readFileSync(file, 'utf8')) as unknown;

	test('the first one names itself, and later its address', () => {
		expect(claimRunning(file)).toBeUndefined();
		expect(said()).toEqual({ pid: process.pid });
		tellAddress(file, 'http://127.0.0.1:5678');
		expect(said()).toEqual({ pid: process.pid, url: 'http://127.0.0.1:5678' });
	});

	test('another one that runs is told, and stays named', () => {
		const other = { pid: process.ppid, url: 'http://127.0.0.1:5678' };
		writeFileSync(file, JSON.stringify(other));
		expect(claimRunning(file)).toEqual(other);
		expect(said()).toEqual(other);
	});

	test.each([['a dead process', JSON.stringify({ pid: 2 ** 30 })], ['nonsense', 'x']])('%s in the file is nobody', (_what, text) => {
		writeFileSync(file, text);
		expect(claimRunning(file)).toBeUndefined();
		expect(said()).toEqual({ pid: process.pid });
	});
});

test('a template gets the credentials that are given for it, each by its type; one that is missing is named', () => {
	const nodes = [{ name: 'Webhook' }, { name: 'Send', credentials: { evolutionServerApi: { id: '', name: '' }, webhookTargetApi: { id: '', name: 'target' } } }];
	const server = { id: '7', name: 'server', type: 'evolutionServerApi' };
	const target = { id: '8', name: 'mine' };
	const workflow = withCredentials({ name: 'w', nodes, connections: {} }, { evolutionServerApi: server, webhookTargetApi: target });
	expect(workflow.nodes).toEqual([{ name: 'Webhook' }, { name: 'Send', credentials: { evolutionServerApi: { id: '7', name: 'server' }, webhookTargetApi: target } }]);
	expect(() => withCredentials({ name: 'w', nodes, connections: {} }, { evolutionServerApi: server })).toThrow('The credential webhookTargetApi of "Send" has an ID, or none was given for it.');
});

test('stored executions are read, with what occurs twice and what points back', () => {
	const value = unflatten('[{"a":"1","same":"2","list":"3","n":4,"none":null},"text",{"text":"1"},["2","0","1",5,true]]') as Record<string, unknown>;
	expect(value).toMatchObject({ a: 'text', same: { text: 'text' }, n: 4, none: null });
	expect(value.list).toEqual([value.same, value, 'text', 5, true]);
});

test('the receiver answers 200 and keeps what came', async () => {
	const receiver = await startReceiver();
	const answer = await fetch(`${receiver.url}/done?x=1`, { method: 'PUT', body: '{"a":1}', headers: { 'webhook-id': 'w1' } });
	expect(answer.status).toBe(200);
	expect(receiver.calls).toMatchObject([{ method: 'PUT', path: '/done?x=1', body: '{"a":1}', headers: { 'webhook-id': 'w1' } }]);
	await receiver.close();
});
