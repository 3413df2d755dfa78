// Holds the simulator to what a real EvolutionAPI 2.3.6 answered: every file in test/captures is a test.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AckStatus, Simulator } from '../../simulator';
import { ask, live, next, sendText, started } from './helpers';

interface Capture {
	request: { method: string; path: string; headers?: Record<string, string>; body?: unknown };
	response: { status: number; body: unknown };
}

interface StatusRow {
	instanceId: string;
	messageId: string;
	keyId: string;
	remoteJid: string;
	status: AckStatus;
}

interface MessageRow {
	instanceId: string;
	key: { id: string; remoteJid: string; fromMe: boolean };
	messageTimestamp: number;
	MessageUpdate: Array<{ status: AckStatus }>;
}

/** A recorded event: its name, and what came with it. */
interface EventRecord {
	event: string;
	data: { instance: string; data: { message: { conversation: string } } };
}

const FOLDER = join(__dirname, '..', 'captures');

const read = (file: string): unknown => JSON.parse(readFileSync(join(FOLDER, file), 'utf8'));

const replayed: Array<[string, Capture]> = readdirSync(FOLDER)
	.filter((file) => file.endsWith('.json'))
	.map((file): [string, Capture] => [file.replace('.json', ''), read(file) as Capture])
	.filter(([, capture]) => capture.request !== undefined);

/** Values that differ from one server and moment to the next; everything else is compared literally. */
const VARYING = new Set([
	'id', 'instanceId', 'messageTimestamp', 'createdAt', 'updatedAt', 'fbtrace_id', 'manager', 'server_url', 'date_time', '_count',
]);

describe('the simulator answers as a real EvolutionAPI 2.3.6 did', () => {
	it('has captures to be held to', () => expect(replayed.length).toBeGreaterThan(40));

	it.each(replayed)('%s', async (_name, capture) => {
		const simulator = await started();
		await prepare(simulator, capture);
		const { method, path, body } = capture.request;
		const reply = await ask(simulator, path, { method, body, key: keyOf(capture, simulator) });
		expect({ status: reply.status, body: comparable(capture, reply.body) })
			.toEqual({ status: capture.response.status, body: comparable(capture, capture.response.body) });
	});

	it('websocket.events', async () => {
		const [recorded] = read('websocket.events.json') as [EventRecord];
		const simulator = await started();
		const name = recorded.data.instance;
		simulator.control.addInstance({ name, channel: 'WHATSAPP-BUSINESS', token: '<instance token>' });
		await ask(simulator, `/websocket/set/${name}`, { body: { websocket: { enabled: true, events: ['SEND_MESSAGE'] } } });
		// The namespace exists from its first event on.
		await sendText(simulator, name, { text: 'first' });
		const socket = live(simulator, `/${name}`);
		await next(socket, 'connect');
		const event = next(socket, recorded.event);
		await sendText(simulator, name, { text: recorded.data.data.message.conversation });
		expect(blurred(await event, VARYING)).toEqual(blurred(recorded.data, VARYING));
	});
});

/** A capture without headers was recorded with the global key; one with empty headers without any. */
function keyOf({ request }: Capture, simulator: Simulator): string | null {
	if (!request.headers) return simulator.apiKey;
	const named: Record<string, string> = { '<global key>': simulator.apiKey, '<wrong key>': 'wrong', '<instance token>': 'instance-token' };
	return named[request.headers.apikey ?? ''] ?? null;
}

/** Brings the simulator into the state in which the capture was recorded. */
async function prepare(simulator: Simulator, { request, response }: Capture): Promise<void> {
	const name = request.path.split('/').at(-1) ?? '';
	const known = simulator.control.instances().some((instance) => instance.name === name);
	if (!known && response.status !== 404 && request.path.split('/').length > 3) {
		simulator.control.addInstance({ name, channel: 'WHATSAPP-BUSINESS' });
	}
	const { code } = (response.body ?? {}) as { code?: number };
	if (response.status === 201 && code) simulator.control.addRule({ route: 'sendText', answer: { kind: 'metaRefusal', code } });
	if (request.path.includes('/chat/findStatusMessage') && response.status === 200) seedStatuses(simulator, name, response.body as StatusRow[]);
	if (request.path.includes('/chat/findMessages') && response.status === 200) seedMessages(simulator, name, (response.body as { messages: { records: MessageRow[]; total: number } }).messages);
	if (request.path.includes('/webhook/find') && response.body) {
		const { url, headers, events, enabled } = response.body as Record<string, unknown>;
		await ask(simulator, `/webhook/set/${name}`, { body: { webhook: { url, headers, events, enabled } } });
	}
}

function seedStatuses(simulator: Simulator, instance: string, rows: StatusRow[]): void {
	if (rows[0]) useId(simulator, instance, rows[0].instanceId);
	const messages = new Map(rows.map((row) => [row.keyId, { id: row.messageId, key: { id: row.keyId, remoteJid: row.remoteJid, fromMe: true } }]));
	simulator.control.addRows({ instance, messages: [...messages.values()], statuses: rows.map(({ keyId, status }) => ({ keyId, status })) });
}

function seedMessages(simulator: Simulator, instance: string, { records, total }: { records: MessageRow[]; total: number }): void {
	const [first] = records;
	const last = records.at(-1);
	if (!first || !last) return;
	useId(simulator, instance, first.instanceId);
	const statuses = records.flatMap(({ key, MessageUpdate }) => MessageUpdate.map(({ status }) => ({ keyId: key.id, status })));
	const older = Array.from({ length: total - records.length }, (_, index) => (
		{ key: { ...first.key, id: `older-${index}` }, messageTimestamp: last.messageTimestamp - 1 - index }));
	simulator.control.addRows({ instance, messages: [...records, ...older], statuses });
}

function useId(simulator: Simulator, name: string, id: string): void {
	simulator.control.addInstance({ name, channel: 'WHATSAPP-BUSINESS', id });
}

/** Seeded rows are compared whole; of status rows the order and the row ID are the database's. */
function comparable({ request }: Capture, body: unknown): unknown {
	if (request.path.includes('/chat/findMessages')) return blurred(body, new Set());
	if (request.path.includes('/chat/findStatusMessage')) return blurred(body, new Set(['id']));
	return blurred(body, VARYING);
}

/** Replaces varying values by their type, and sorts what a database gives in no order. */
function blurred(value: unknown, varying: Set<string>): unknown {
	if (Array.isArray(value)) {
		const items = value.map((item: unknown) => blurred(item, varying));
		return items.every(hasStatus) ? items.sort((a, b) => a.status.localeCompare(b.status)) : items;
	}
	if (value === null || typeof value !== 'object') return value;
	return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, varying.has(name) ? `<${typeof inner}>` : blurred(inner, varying)]));
}

function hasStatus(item: unknown): item is { status: string } {
	return typeof item === 'object' && item !== null && 'status' in item;
}
