// The control endpoint, and the faults of the wire that belong to no trap.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { startSimulator } from '../../simulator';
import { ask, endWithTest, live, next, sendText, started } from './helpers';

describe('rules', () => {
	it('the first that matches serves; used up, the next one does', async () => {
		const simulator = await started();
		simulator.control.addRule({ route: 'sendText', textEquals: 'x', times: 2, answer: { kind: 'http', status: 500, body: {} } });
		simulator.control.addRule({ instance: 'meta1', skip: 1, times: 1, answer: { kind: 'rateLimit', retryAfterSeconds: 3 } });
		const statuses: number[] = [];
		for (const text of ['x', 'xx', 'x', 'x', 'x']) statuses.push((await sendText(simulator, 'meta1', { text })).status);
		// The second rule passes 'xx' (skip), then serves the first 'x' that the other one leaves.
		expect(statuses).toEqual([500, 201, 500, 429, 201]);
		expect(simulator.control.rules().map(({ served }) => served)).toEqual([2, 1]);
		expect(simulator.control.requests().map(({ rule }) => rule)).toEqual(['rule-1', undefined, 'rule-1', 'rule-2', undefined]);
	});

	it('match an instance, a recipient in any spelling, and part of a text', async () => {
		const simulator = await started();
		simulator.control.addRule({ instance: 'meta1', number: '+1 415 555 2671', text: 'boo', answer: { kind: 'http', status: 503, body: {} } });
		const send = async (instance: string, number: string, text: string) => (await sendText(simulator, instance, { number, text })).status;
		expect(await send('meta1', '14155552671@s.whatsapp.net', 'a book')).toBe(503);
		expect(await send('phone1', '14155552671', 'a book')).toBe(201);
		expect(await send('meta1', '14155552672', 'a book')).toBe(201);
		expect(await send('meta1', '14155552671', 'a bok')).toBe(201);
	});

	it('serve look-ups too', async () => {
		const simulator = await started();
		simulator.control.addRule({ route: 'findMessages', messageId: 'm1', answer: { kind: 'http', status: 502, body: 'bad' } });
		const find = async (id: string) => (await ask(simulator, '/chat/findMessages/meta1', { body: { where: { key: { id } } } })).status;
		expect([await find('m1'), await find('m2')]).toEqual([502, 200]);
	});

	it('can be taken away', async () => {
		const simulator = await started();
		const { id } = simulator.control.addRule({ answer: { kind: 'hang' } });
		expect(simulator.control.removeRule(id)).toBe(true);
		expect((await sendText(simulator, 'meta1', {})).status).toBe(201);
	});
});

describe('faults of the wire', () => {
	it.each([
		['invalidJson', '{"key": {"id": ', 'application/json; charset=utf-8'],
		['html', '<html><body>Welcome</body></html>', 'text/html'],
		['empty', '', 'application/json; charset=utf-8'],
		['null', 'null', 'application/json; charset=utf-8'],
		['array', '[]', 'application/json; charset=utf-8'],
	] as const)('nonsense: %s', async (as, text, type) => {
		const simulator = await started();
		simulator.control.addRule({ answer: { kind: 'nonsense', as } });
		const reply = await sendText(simulator, 'meta1', {});
		expect([reply.status, reply.text, reply.headers.get('content-type')]).toEqual([201, text, type]);
		expect(simulator.control.messages()).toEqual([]);
	});

	it('a huge body', async () => {
		const simulator = await started();
		simulator.control.addRule({ sent: true, answer: { kind: 'nonsense', as: 'huge', bytes: 3_000_000 } });
		expect((await sendText(simulator, 'meta1', {})).text.length).toBeGreaterThan(3_000_000);
		expect(simulator.control.messages()).toHaveLength(1);
	});

	it('no answer, ever, although the message went out', async () => {
		const simulator = await started();
		simulator.control.addRule({ sent: true, answer: { kind: 'hang' } });
		await expect(sendText(simulator, 'meta1', {}, { signal: AbortSignal.timeout(80) })).rejects.toThrow('aborted due to timeout');
		expect(simulator.control.messages()).toHaveLength(1);
	});

	it('a body that drips for ever', async () => {
		const simulator = await started();
		simulator.control.addRule({ answer: { kind: 'drip', everyMs: 2 } });
		const controller = new AbortController();
		endWithTest(() => controller.abort());
		const response = await fetch(`${simulator.url}/message/sendText/meta1`, { method: 'POST', signal: controller.signal });
		const reader = response.body!.getReader();
		let received = '';
		while (received.length < 20) received += Buffer.from((await reader.read()).value!).toString();
		expect(received).toMatch(/^\{"key":\{"id":"0+$/);
	});

	it('a late answer: the message is out before, or only then', async () => {
		const simulator = await started();
		simulator.control.addRule({ text: 'answer', answerAfterMs: 80 });
		simulator.control.addRule({ text: 'send', sendAfterMs: 80 });
		for (const text of ['answer', 'send']) await sendText(simulator, 'meta1', { text });
		const out = simulator.control.messages();
		const asked = simulator.control.requests();
		expect(asked[0]!.endedAt! - out[0]!.at).toBeGreaterThan(75);
		expect(out[1]!.at - asked[1]!.arrivedAt).toBeGreaterThan(75);
	});
});

describe('the control over HTTP', () => {
	it('gives the same as in-process', async () => {
		const simulator = await started();
		const control = (path: string, method = 'GET', body?: unknown) => ask(simulator, `/simulator${path}`, { method, body, key: null });
		const rule = await control('/rules', 'POST', { route: 'sendText', hold: true, times: 1 });
		expect(rule.body).toEqual({ id: 'rule-1', route: 'sendText', hold: true, times: 1, matched: 0, served: 0 });
		await control('/instances', 'POST', { name: 'new1', channel: 'EVOLUTION' });
		await control('/instances/meta1', 'PATCH', { acks: [] });
		await control('/numbers/14155552671', 'PUT', { lid: '1@lid' });
		const held = sendText(simulator, 'new1', {});
		await simulator.control.waitUntil(() => simulator.control.held() === 1);
		expect((await control('/held')).body).toEqual({ held: 1 });
		expect((await control('/release', 'POST')).body).toEqual({ released: 1 });
		const { body } = await held;
		await sendText(simulator, 'meta1', {});
		expect((await sendText(simulator, 'phone1', { number: '14155552671' })).body.key.remoteJid).toBe('1@lid');
		const [, second] = simulator.control.messages();
		await control('/acks', 'POST', { messageId: second!.messageId, status: 'READ' });
		expect((await control('/messages')).body).toEqual(JSON.parse(JSON.stringify(simulator.control.messages())));
		expect((await control('/messages')).body).toMatchObject([{ seq: 1, instance: 'new1', messageId: body.key.id, requestId: 'request-5' }, {}, {}]);
		expect((await control('/acks')).body).toMatchObject([{ kind: 'ack', status: 'READ', kept: true }]);
		expect((await control('/counts')).body).toEqual({ sendText: 3 });
		expect((await control('/instances/new1', 'DELETE')).body).toEqual({ ok: true });
		expect((await control('/log', 'DELETE')).body).toEqual({ ok: true });
		expect((await control('/messages')).body).toEqual([]);
		expect((await control('/requests')).body).toEqual([]);
	});

	it.each([
		['POST', '/rules', { answer: { kind: 'metaRefusal' } }, 'answer.code: Required'],
		['POST', '/rules', { tiems: 1 }, "Unrecognized key(s) in object: 'tiems'"],
		['POST', '/rules', { acks: [{ status: 'SEEN', afterMs: 1 }] }, 'acks.0.status'],
		['POST', '/rules', { sent: true, answer: { kind: 'metaRefusal', code: 1 } }, 'sent: a message answered with metaRefusal never reaches WhatsApp'],
		['POST', '/rules', { sent: false }, 'sent: needs an `answer`'],
		['POST', '/rules', undefined, 'rule: Required'],
		['POST', '/instances', { name: 'a', channel: 'SMS' }, 'channel'],
		['PATCH', '/instances/nope', { state: 'close' }, 'there is none named "nope"'],
		['PUT', '/numbers/1', { lid: 'x' }, 'lid: must end in @lid'],
		['PATCH', '/settings', { webhookAttempts: 0 }, 'webhookAttempts'],
		['POST', '/acks', { messageId: 'none', status: 'READ' }, 'no message has the ID "none"'],
		['DELETE', '/rules/rule-9', undefined, 'There is no such rule'],
	])('refuses %s %s %j and names the field', async (method, path, body, message) => {
		const simulator = await started();
		const reply = await ask(simulator, `/simulator${path}`, { method, body });
		expect(reply.status).toBe(400);
		expect(reply.body.error).toContain(message);
	});
});

describe('the process', () => {
	const node = (port: number) => spawn(process.execPath, ['--import', 'tsx', join('simulator', 'main.ts'), '--port', String(port)], { stdio: ['ignore', 'pipe', 'pipe'] });
	const output = (stream: NodeJS.ReadableStream) => {
		let text = '';
		stream.on('data', (chunk) => { text += chunk; });
		return () => text;
	};

	it('tells its address and instances, and ends on Ctrl-C though a request is held', async () => {
		const child = node(0);
		const out = output(child.stdout);
		endWithTest(() => child.kill('SIGKILL'));
		while (!out().includes('Ctrl-C')) await once(child.stdout, 'data');
		const url = /address +(\S+)/.exec(out())![1]!;
		expect(out()).toMatch(/meta1 +WHATSAPP-BUSINESS +open/);
		await fetch(`${url}/simulator/rules`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"hold":true}' });
		const hanging = fetch(url).catch(() => 'closed');
		while ((await (await fetch(`${url}/simulator/held`)).json() as { held: number }).held < 1) { /* until the request is held */ }
		child.kill('SIGINT');
		expect(await hanging).toBe('closed');
		expect(await once(child, 'exit')).toEqual([0, null]);
	});

	it('says that the port is in use', async () => {
		const { app } = await started();
		const { port } = app.server.address() as { port: number };
		await expect(startSimulator({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
		const child = node(port);
		const errors = output(child.stderr);
		const [code] = await once(child, 'close');
		expect([code, errors()]).toEqual([1, `Port ${port} is in use. Give another one: npm run simulator -- --port ${port + 1}\n`]);
	});
});

describe('live connections', () => {
	it('are counted, cut, and get events as they are given: in-process and over HTTP', async () => {
		const simulator = await started();
		const get = async () => (await (await fetch(`${simulator.url}/simulator/live`)).json()) as unknown;
		await ask(simulator, '/simulator/live/events', { body: { instance: 'meta1', event: 'send.message', payload: {} } });
		const socket = live(simulator, '/meta1');
		await next(socket, 'connect');
		expect(await get()).toEqual({ tries: 1, open: { meta1: 1 }, ever: { meta1: 1 } });
		const event = next(socket, 'messages.update');
		simulator.control.emitLive('meta1', 'messages.update', ['anything']);
		expect(await event).toEqual(['anything']);
		const cut = next(socket, 'disconnect');
		await ask(simulator, '/simulator/live/drop', { body: { forgetNamespaces: true } });
		expect(await cut).toMatch(/^transport/);
		await simulator.control.waitUntil(() => simulator.control.live().open.meta1 === 0);
		expect((await next<Error>(live(simulator, '/meta1'), 'connect_error')).message).toBe('Invalid namespace');
		simulator.control.settings({ refuseLive: true });
		await next(live(simulator, '/'), 'connect_error');
		expect(await get()).toEqual({ tries: 3, open: { meta1: 0 }, ever: { meta1: 1 } });
	});
});
