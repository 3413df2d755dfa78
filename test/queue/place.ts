// What the runs in queue mode share: n8n's main process and two workers, their services, both receiving ends, the workflow.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { ensureN8n } from '../../scripts/n8n/install';
import { packPackage } from '../../scripts/n8n/package';
import { type N8nQueue, startQueue } from '../../scripts/n8n/queue';
import { N8nRest, type SavedWorkflow } from '../../scripts/n8n/rest';
import { startSimulator, type Simulator } from '../../simulator';
import { TestPostgres } from '../support/postgres';
import { Receiver } from '../support/receiver';
import { startRedis, type TestRedis } from '../support/redis';
import { SecretSearch } from '../support/secrets';

export const NODE_NAME = 'Ordered EvolutionAPI Send';
const NODE_TYPE = 'n8n-nodes-ordered-evolutionapi.orderedEvolutionApiSend';
const LOG_TYPE = 'n8n-nodes-ordered-evolutionapi.orderedMessageLog';
const N8N_DATABASE = 'n8n';
const STORE_DATABASE = 'store';
/** The store's tables and keys begin with it. */
const NAME_PREFIX = 'queue_test_';
const startMs = 600_000;
const redisPassword = 'pZ7-queue-81d3f05ac6';

interface Named {
	id: string;
	name: string;
}

export interface QueuePlace {
	queue: N8nQueue;
	rest: N8nRest;
	simulator: Simulator;
	receiver: Receiver;
	postgres: TestPostgres;
	/** n8n keeps its jobs here, and the store may keep its queues here, too. It writes all to the disk. */
	jobsRedis: TestRedis;
	/** For the store's queues alone; it loses its data when it is restarted. */
	ownRedis: TestRedis;
	evolution: Named;
	/** The store's credential with its queues in n8n's Redis, and in its own. */
	stores: Record<'jobsRedis' | 'ownRedis', Named>;
}

/** Call it at the top of a test file: one n8n for all its tests. */
export function useQueuePlace(): QueuePlace {
	const place = {} as QueuePlace;
	const folder = mkdtempSync(join(tmpdir(), 'ordered-queue-'));
	const search = new SecretSearch('queue mode');
	beforeAll(async () => {
		await ensureN8n();
		// not its usual key: that stands in the README, which is installed with the package
		place.simulator = await startSimulator({ apiKey: 'nQ4-queue-e72a15bd0c94' });
		place.receiver = await Receiver.start();
		place.jobsRedis = await startRedis({ password: redisPassword, settings: { appendonly: 'yes' } });
		place.ownRedis = await startRedis({ password: redisPassword });
		place.postgres = await TestPostgres.start();
		await makeDatabases(place.postgres);
		const tarball = await packPackage(join(folder, 'pack'));
		place.queue = await startQueue({ folder, tarball, postgresUrl: place.postgres.url(N8N_DATABASE), redisPort: place.jobsRedis.port, env: { ...QUICK_TO_NOTICE, QUEUE_BULL_REDIS_PASSWORD: redisPassword } });
		place.rest = new N8nRest(place.queue.main.url);
		await place.rest.logIn();
		await saveCredentials(place);
	}, startMs);
	afterAll(async () => {
		await place.queue?.stop();
		if (place.queue) await searchAll(search, place, folder);
		await place.postgres?.close();
		await place.jobsRedis?.close();
		await place.ownRedis?.close();
		await place.receiver?.close();
		await place.simulator?.close();
		rmSync(folder, { recursive: true, force: true });
		search.end();
	}, startMs);
	return place;
}

async function searchAll(search: SecretSearch, { simulator, receiver, postgres, jobsRedis, ownRedis }: QueuePlace, folder: string): Promise<void> {
	search.addSimulator(simulator).addAddress('PostgreSQL', postgres.url()).addAddress('Redis', ownRedis.url);
	await search.postgres('PostgreSQL of n8n', postgres.url(N8N_DATABASE));
	await search.postgres('PostgreSQL', postgres.url(STORE_DATABASE));
	search.file("PostgreSQL's log", join(postgres.folder, 'log'));
	await search.redis('Redis of n8n', jobsRedis.url);
	await search.redis('Redis', ownRedis.url);
	search.folder("n8n's user folders", folder);
	search.bodies(receiver);
}

/** By default n8n takes up to 90 s to see that a worker has died; its callers wait for as long. */
const QUICK_TO_NOTICE = { QUEUE_WORKER_LOCK_DURATION: '15000', QUEUE_WORKER_LOCK_RENEW_TIME: '3000', QUEUE_WORKER_STALLED_INTERVAL: '5000' };

async function makeDatabases(postgres: TestPostgres): Promise<void> {
	for (const name of [N8N_DATABASE, STORE_DATABASE]) await query(postgres, 'postgres', `CREATE DATABASE ${name}`);
}

async function saveCredentials(place: QueuePlace): Promise<void> {
	const { rest, simulator, postgres } = place;
	place.evolution = await rest.saveCredential({ name: 'Simulator', type: 'evolutionServerApi', data: { baseUrl: simulator.url, apiKey: simulator.apiKey, ignoreSslIssues: false } });
	const store = (redis: 'jobsRedis' | 'ownRedis') => rest.saveCredential({ name: `Store in ${redis}`, type: 'orderedStoreApi', data: { postgresUrl: postgres.url(STORE_DATABASE), redisUrl: place[redis].url, namePrefix: NAME_PREFIX + redis.toLowerCase() } });
	place.stores = { jobsRedis: await store('jobsRedis'), ownRedis: await store('ownRedis') };
}

/** Publishes webhook → send → the execution's ID beside the result; gives the webhook's path. */
export async function publishSend(place: QueuePlace, store: keyof QueuePlace['stores'], options: object): Promise<{ workflow: SavedWorkflow; path: string }> {
	const path = `chats-${Math.random().toString(36).slice(2)}`;
	const { id, name } = place.stores[store];
	const workflow = await place.rest.createWorkflow({
		name: path,
		nodes: [
			webhook(path),
			{
				id: 'b',
				name: NODE_NAME,
				type: NODE_TYPE,
				typeVersion: 1,
				position: [200, 0],
				onError: 'continueRegularOutput',
				credentials: { evolutionServerApi: { id: place.evolution.id, name: place.evolution.name }, orderedStoreApi: { id, name } },
				parameters: {
					operation: 'sendThenWebhook',
					instanceName: { __rl: true, mode: 'name', value: 'meta1' },
					number: '={{ $json.body.phone }}',
					text: '={{ $json.body.name }}@{{ $execution.id }}',
					webhookUrl: `=${place.receiver.url}/{{ $json.body.name }}`,
					options,
				},
			},
			{ id: 'c', name: 'Answer', type: 'n8n-nodes-base.set', typeVersion: 3.4, position: [400, 0], parameters: { includeOtherFields: true, options: {}, assignments: { assignments: [{ id: 'execution', name: 'executionId', type: 'string', value: '={{ $execution.id }}' }] } } },
		],
		connections: { Webhook: { main: [[to(NODE_NAME)]] }, [NODE_NAME]: { main: [[to('Answer')]] } },
	});
	await place.rest.publish(workflow);
	return { workflow, path };
}

/** Runs the recovery of the node Ordered Message Log on a worker, and gives its answer. */
export async function recover(place: QueuePlace, store: keyof QueuePlace['stores']): Promise<unknown> {
	const path = `recover-${Math.random().toString(36).slice(2)}`;
	const { id, name } = place.stores[store];
	const workflow = await place.rest.createWorkflow({
		name: path,
		nodes: [
			webhook(path),
			{ id: 'b', name: 'Log', type: LOG_TYPE, typeVersion: 1, position: [200, 0], credentials: { evolutionServerApi: { id: place.evolution.id, name: place.evolution.name }, orderedStoreApi: { id, name } }, parameters: { operation: 'recover' }, alwaysOutputData: true }, // n8n answers with an error where nothing comes out
		],
		connections: { Webhook: { main: [[to('Log')]] } },
	});
	await place.rest.publish(workflow);
	const { status, json, text } = await place.rest.callWebhook(path, {});
	if (status !== 200) throw new Error(`The recovery answered ${status}: ${text}`);
	return json;
}

/** The IDs of the transactions in the store that have no end. */
export async function openTransactions({ postgres }: QueuePlace, store: keyof QueuePlace['stores']): Promise<string[]> {
	const rows = await query<{ id: string }>(postgres, STORE_DATABASE, `SELECT id FROM ${NAME_PREFIX}${store.toLowerCase()}_transactions WHERE status = 'open'`);
	return rows.map(({ id }) => id);
}

/**
 * A workflow's executions, from n8n's own database: its REST interface pages by ID through a list that is sorted by
 * start, and so misses some in queue mode.
 */
export async function executionsOf({ postgres }: QueuePlace, workflowId: string): Promise<Array<{ id: string; status: string }>> {
	return await query(postgres, N8N_DATABASE, 'SELECT id::text, status FROM execution_entity WHERE "workflowId" = $1', [workflowId]);
}

async function query<Row extends object>(postgres: TestPostgres, database: string, text: string, values: unknown[] = []): Promise<Row[]> {
	const client = new Client(postgres.url(database));
	await client.connect();
	try {
		return (await client.query<Row>(text, values)).rows;
	} finally {
		await client.end();
	}
}

function webhook(path: string): Record<string, unknown> {
	return { id: 'a', name: 'Webhook', type: 'n8n-nodes-base.webhook', typeVersion: 2, position: [0, 0], webhookId: path, parameters: { httpMethod: 'POST', path, responseMode: 'lastNode', options: {} } };
}

function to(node: string): { node: string; type: string; index: number } {
	return { node, type: 'main', index: 0 };
}
