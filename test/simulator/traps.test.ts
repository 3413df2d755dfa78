// Provokes each of the thirteen traps that shared notes on EvolutionAPI 2.3.6 list (simulator/README.md).

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AckPlan } from '../../simulator';
import { acksTold, ask, endWithTest, live, next, sendText, started, statusRows } from './helpers';

const NUMBER = '5511988887777';
const JID = `${NUMBER}@s.whatsapp.net`;

describe('trap 1: a refused send answers 201', () => {
	it.each([131056, 130429, 80007, 131016, 131000, 131026, 999])('with Meta\'s code %i and no key, and nothing goes out', async (code) => {
		const simulator = await started();
		simulator.control.addRule({ answer: { kind: 'metaRefusal', code }, times: 1 });
		const refused = await sendText(simulator, 'meta1', {});
		expect(refused.status).toBe(201);
		expect(refused.body).toMatchObject({ code, type: 'OAuthException', error_data: { messaging_product: 'whatsapp' } });
		expect(refused.body.key).toBeUndefined();
		expect(simulator.control.messages()).toEqual([]);
		expect((await sendText(simulator, 'meta1', {})).body.key.id).toMatch(/^wamid\./);
	});

	it('by Meta\'s pair limit itself, per chat', async () => {
		const simulator = await started();
		simulator.control.setInstance('meta1', { pairGapMs: 150 });
		const first = await sendText(simulator, 'meta1', {});
		const second = await sendText(simulator, 'meta1', {});
		const elsewhere = await sendText(simulator, 'meta1', { number: '14155552671' });
		await new Promise((resolve) => setTimeout(resolve, 160));
		const later = await sendText(simulator, 'meta1', {});
		expect([first, second, elsewhere, later].map(({ body }) => body.code ?? 'sent')).toEqual(['sent', 131056, 'sent', 'sent']);
	});
});

describe('trap 2: status codes do not tell what happened', () => {
	it('a NUL character: 400, and the message went out without a row', async () => {
		const simulator = await started();
		const reply = await sendText(simulator, 'meta1', { text: 'a\u0000b' });
		const [message] = simulator.control.messages();
		const found = await ask(simulator, '/chat/findMessages/meta1', { body: { where: { key: { id: message?.messageId } } } });
		expect([reply.status, reply.body.response.message]).toEqual([400, ['DriverAdapterError: unsupported Unicode escape sequence']]);
		expect(message?.text).toBe('a\u0000b');
		expect(found.body.messages.total).toBe(0);
	});

	it.each([[false, 0, 0], [true, 1, 1]])('a 502 with sent=%s: %i messages out, %i rows', async (sent, out, rows) => {
		const simulator = await started();
		simulator.control.addRule({ route: 'sendText', sent, answer: { kind: 'http', status: 502, body: '<html>Bad Gateway</html>', headers: { 'Retry-After': '2' } } });
		const reply = await sendText(simulator, 'meta1', {});
		expect([reply.status, reply.text, reply.headers.get('retry-after'), reply.headers.get('content-type')]).toEqual([502, '<html>Bad Gateway</html>', '2', 'text/html']);
		expect(simulator.control.messages()).toHaveLength(out);
		expect((await ask(simulator, '/chat/findMessages/meta1', { body: { where: {} } })).body.messages.total).toBe(rows);
	});

	it('a 504 whose message went out, but has no row', async () => {
		const simulator = await started();
		simulator.control.addRule({ route: 'sendText', sent: true, saved: false, answer: { kind: 'http', status: 504, body: { error: 'time-out' } } });
		expect((await sendText(simulator, 'meta1', {})).status).toBe(504);
		expect(simulator.control.messages()).toHaveLength(1);
		expect((await ask(simulator, '/chat/findMessages/meta1', { body: { where: {} } })).body.messages.total).toBe(0);
	});

	it.each([false, true])('a lost connection to Meta is a 400 TypeError, sent=%s', async (sent) => {
		const simulator = await started();
		simulator.control.addRule({ sent, answer: { kind: 'lostMeta' } });
		const reply = await sendText(simulator, 'meta1', {});
		expect([reply.status, reply.body.response.message]).toEqual([400, ["TypeError: Cannot read properties of undefined (reading 'message')"]]);
		expect(simulator.control.messages()).toHaveLength(sent ? 1 : 0);
	});

	it.each([false, true])('a reset, sent=%s', async (sent) => {
		const simulator = await started();
		simulator.control.addRule({ sent, answer: { kind: 'reset' } });
		await expect(sendText(simulator, 'meta1', {})).rejects.toThrow('fetch failed');
		expect(simulator.control.messages()).toHaveLength(sent ? 1 : 0);
		expect(simulator.control.requests()[0]?.status).toBe('reset');
	});

	it('a number that is not on WhatsApp: 400 with an object in `message`', async () => {
		const simulator = await started();
		simulator.control.setNumber(NUMBER, { exists: false });
		const reply = await sendText(simulator, 'phone1', {});
		expect([reply.status, reply.body.response.message]).toEqual([400, [{ jid: JID, exists: false, number: NUMBER }]]);
		expect(simulator.control.messages()).toEqual([]);
	});

	it.each([
		['notLoaded', "Cannot read properties of undefined (reading 'textMessage')"],
		['notConnected', "Cannot read properties of undefined (reading 'onWhatsApp')"],
	] as const)('%s for one request, then well again', async (kind, message) => {
		const simulator = await started();
		simulator.control.addRule({ times: 1, answer: { kind } });
		const reply = await sendText(simulator, 'phone1', {});
		expect([reply.status, reply.body.response.message]).toEqual([500, message]);
		expect((await sendText(simulator, 'phone1', {})).status).toBe(201);
		expect(simulator.control.messages()).toHaveLength(1);
	});
});

describe('trap 3: unknown means look first', () => {
	it.each(['evo1', 'phone1'])('hanging up during `delay` on %s cancels nothing', async (instance) => {
		const simulator = await started();
		const request = sendText(simulator, instance, { delay: 200 }, { signal: AbortSignal.timeout(50) });
		await expect(request).rejects.toThrow();
		expect(simulator.control.messages()).toEqual([]);
		const [message] = await simulator.control.waitForMessages(1, 1000);
		const [entry] = simulator.control.requests();
		expect(entry?.status).toBe('aborted');
		expect(message!.at - entry!.arrivedAt).toBeGreaterThan(190);
	});

	it('`delay` is ignored on Cloud', async () => {
		const simulator = await started();
		await sendText(simulator, 'meta1', { delay: 5000 }, { signal: AbortSignal.timeout(1000) });
		expect(simulator.control.messages()).toHaveLength(1);
	});

	it('a message goes out long after its caller has gone', async () => {
		const simulator = await started();
		simulator.control.addRule({ sendAfterMs: 150, times: 1 });
		await expect(sendText(simulator, 'meta1', {}, { signal: AbortSignal.timeout(30) })).rejects.toThrow();
		const before = await ask(simulator, '/chat/findMessages/meta1', { body: { where: {} } });
		await simulator.control.waitForMessages(1, 1000);
		const after = await ask(simulator, '/chat/findMessages/meta1', { body: { where: {} } });
		expect([before.body.messages.total, after.body.messages.total]).toEqual([0, 1]);
	});

	it('an answer is held between the message and its answer, until released', async () => {
		const simulator = await started();
		simulator.control.addRule({ hold: true });
		let answered = false;
		const request = sendText(simulator, 'meta1', {}).then((reply) => { answered = true; return reply; });
		await simulator.control.waitForMessages(1);
		await simulator.control.waitUntil(() => simulator.control.held() === 1);
		expect(answered).toBe(false);
		expect(simulator.control.release()).toBe(1);
		expect((await request).status).toBe(201);
	});

	it('a listener sees the message before its caller does', async () => {
		const simulator = await started();
		const order: string[] = [];
		simulator.control.onMessage(async ({ text }) => { await Promise.resolve(); order.push(`message ${text}`); });
		await sendText(simulator, 'meta1', { text: 'hello' });
		order.push('answer');
		expect(order).toEqual(['message hello', 'answer']);
	});
});

describe('trap 4: acknowledgements come out of order, twice, or never', () => {
	it.each<[string, AckPlan]>([
		['out of order and twice', [{ status: 'READ', afterMs: 0 }, { status: 'DELIVERED', afterMs: 5 }, { status: 'READ', afterMs: 10 }]],
		['only sent', [{ status: 'SENT', afterMs: 0 }]],
		['failed', [{ status: 'SENT', afterMs: 0 }, { status: 'FAILED', afterMs: 5 }]],
	])('%s', async (_name, acks) => {
		const simulator = await started();
		simulator.control.addRule({ number: '+55 (11) 98888-7777', acks });
		const { body } = await sendText(simulator, 'meta1', {});
		await acksTold(simulator, acks.length);
		expect(simulator.control.acks().map(({ status }) => status)).toEqual(acks.map(({ status }) => status));
		expect((await statusRows(simulator, 'meta1', body.key.id)).sort()).toEqual(acks.map(({ status }) => status).sort());
	});

	it('never', async () => {
		const simulator = await started();
		simulator.control.addRule({ text: 'silent', acks: [] });
		const silent = await sendText(simulator, 'meta1', { text: 'a silent one' });
		await sendText(simulator, 'meta1', { text: 'another' });
		await acksTold(simulator, 2);
		expect(await statusRows(simulator, 'meta1', silent.body.key.id)).toEqual([]);
	});

	it('the rows come in another order than they were written, at least once in fifty messages', async () => {
		const simulator = await started();
		const acks: AckPlan = [{ status: 'SENT', afterMs: 0 }, { status: 'DELIVERED', afterMs: 0 }];
		simulator.control.setInstance('meta1', { acks });
		const replies = await Promise.all(Array.from({ length: 50 }, () => sendText(simulator, 'meta1', {})));
		await acksTold(simulator, 100);
		const firsts = await Promise.all(replies.map(async ({ body }) => (await statusRows(simulator, 'meta1', body.key.id))[0]));
		expect(new Set(firsts)).toEqual(new Set(['SENT', 'DELIVERED']));
	});

	it('one that is there before the row is dropped for ever', async () => {
		const simulator = await started();
		simulator.control.settings({ globalEvents: true });
		simulator.control.addRule({ saveAfterMs: 60, acks: [{ status: 'DELIVERED', afterMs: 0 }] });
		const socket = live(simulator, '/');
		await next(socket, 'connect');
		const firstUpdate = next<LiveUpdate>(socket, 'messages.update');
		const { body } = await sendText(simulator, 'meta1', {});
		expect(simulator.control.acks()).toMatchObject([{ status: 'DELIVERED', kept: false }]);
		expect((await ask(simulator, '/chat/findMessages/meta1', { body: { where: { key: { id: body.key.id } } } })).body.messages.total).toBe(1);
		expect(await statusRows(simulator, 'meta1', body.key.id)).toEqual([]);
		// Nor was there an event: the first one is that of a later acknowledgement.
		simulator.control.acknowledge(body.key.id, 'READ');
		expect((await firstUpdate).data.status).toBe('READ');
	});

	it('Baileys tells DELIVERY_ACK without SERVER_ACK', async () => {
		const simulator = await started();
		const { body } = await sendText(simulator, 'phone1', {});
		await acksTold(simulator, 1);
		expect(await statusRows(simulator, 'phone1', body.key.id)).toEqual(['DELIVERY_ACK']);
	});

	it('a message that is taken back is DELETED', async () => {
		const simulator = await started();
		simulator.control.setInstance('phone1', { acks: [] });
		const { body } = await sendText(simulator, 'phone1', {});
		const reply = await ask(simulator, '/chat/deleteMessageForEveryone/phone1', { method: 'DELETE', body: body.key });
		expect(reply.status).toBe(201);
		expect(await statusRows(simulator, 'phone1', body.key.id)).toEqual(['DELETED']);
	});

	it('one can be told by hand', async () => {
		const simulator = await started();
		simulator.control.setInstance('meta1', { acks: [] });
		const { body } = await sendText(simulator, 'meta1', {});
		simulator.control.acknowledge(body.key.id, 'READ');
		expect(await statusRows(simulator, 'meta1', body.key.id)).toEqual(['READ']);
	});
});

describe('trap 5: some waits can\'t succeed', () => {
	it.each([['phone1', '120363025246125486@g.us'], ['phone1', '123@broadcast'], ['evo1', NUMBER]])('%s never acknowledges %s', async (instance, number) => {
		const simulator = await started();
		simulator.control.setInstance('phone1', { acks: [{ status: 'DELIVERY_ACK', afterMs: 5 }] });
		const silent = await sendText(simulator, instance, { number });
		await sendText(simulator, 'phone1', {});
		await acksTold(simulator, 1);
		expect(simulator.control.acks().map(({ messageId }) => messageId)).not.toContain(silent.body.key.id);
	});

	it('saveMessageUpdate: false gives events, but no rows', async () => {
		const simulator = await started();
		simulator.control.setInstance('meta1', { saveMessageUpdate: false, acks: [{ status: 'DELIVERED', afterMs: 40 }] });
		simulator.control.settings({ globalEvents: true });
		const socket = live(simulator, '/');
		await next(socket, 'connect');
		const event = next<LiveUpdate>(socket, 'messages.update');
		const { body } = await sendText(simulator, 'meta1', {});
		expect((await event).data).toMatchObject({ keyId: body.key.id, status: 'DELIVERED', fromMe: false });
		expect(await statusRows(simulator, 'meta1', body.key.id)).toEqual([]);
	});

	it('saveMessages: false on Baileys: findMessages knows nothing of it', async () => {
		const simulator = await started();
		simulator.control.setInstance('phone1', { saveMessages: false });
		const { body } = await sendText(simulator, 'phone1', {});
		await acksTold(simulator, 1);
		expect((await ask(simulator, '/chat/findMessages/phone1', { body: { where: { key: { id: body.key.id } } } })).body.messages.total).toBe(0);
		expect(await statusRows(simulator, 'phone1', body.key.id)).toEqual([]);
	});
});

describe('trap 6: polling is dear', () => {
	it('look-ups are counted, can be slow, and those at once are seen', async () => {
		const simulator = await started();
		simulator.control.addRule({ route: 'findStatusMessage', answerAfterMs: 60 });
		await Promise.all([statusRows(simulator, 'meta1', 'a'), statusRows(simulator, 'meta1', 'a'), statusRows(simulator, 'meta1', 'b')]);
		await statusRows(simulator, 'meta1', 'b');
		expect(simulator.control.counts()).toEqual({ findStatusMessage: 4 });
		expect(simulator.control.statusPeaks()).toEqual({ a: 2, b: 1 });
	});
});

describe('trap 7: unknown filters are ignored', () => {
	it('`where.keyId` is no filter: other messages\' rows come back', async () => {
		const simulator = await started();
		const replies = [await sendText(simulator, 'meta1', {}), await sendText(simulator, 'meta1', { number: '14155552671' })];
		await acksTold(simulator, 4);
		const { body } = await ask<Array<{ keyId: string }>>(simulator, '/chat/findStatusMessage/meta1', { body: { where: { keyId: replies[0]!.body.key.id } } });
		expect(new Set(body.map(({ keyId }) => keyId))).toEqual(new Set(replies.map((reply) => reply.body.key.id)));
	});

	it('findMessages: `fromMe: false` and a half-open time are no filters', async () => {
		const simulator = await started();
		await sendText(simulator, 'meta1', {});
		const find = async (where: unknown) => (await ask(simulator, '/chat/findMessages/meta1', { body: { where } })).body.messages.total;
		const future = new Date(Date.now() + 60_000).toISOString();
		expect(await find({ key: { fromMe: false }, nonsense: 1, messageTimestamp: { gte: future } })).toBe(1);
		expect(await find({ messageTimestamp: { gte: future, lte: future } })).toBe(0);
	});
});

describe('trap 8: one person, many spellings', () => {
	it.each([
		['+55 (11) 98888-7777', JID], [NUMBER, JID], [JID, JID], [`${NUMBER}:12@s.whatsapp.net`, JID],
		['5531988887777', '553188887777@s.whatsapp.net'], ['5531688887777', '553188887777@s.whatsapp.net'],
		['5531958887777', '5531958887777@s.whatsapp.net'],
		['5215512345678', '525512345678@s.whatsapp.net'], ['5491123456789', '541123456789@s.whatsapp.net'],
		['120363025246125486', '120363025246125486@g.us'], ['12345@lid', '12345@lid'], ['', '@s.whatsapp.net'], ['abc', '@s.whatsapp.net'],
	])('%p reaches %s', async (number, jid) => {
		const simulator = await started();
		const { status, body } = await sendText(simulator, 'meta1', { number });
		expect([status, body.key.remoteJid]).toEqual([201, jid]);
		expect(simulator.control.messages()).toMatchObject([{ jid, number }]);
	});

	it('Baileys answers with a @lid when told to; EVOLUTION with the number as given', async () => {
		const simulator = await started();
		simulator.control.setNumber(NUMBER, { lid: '987@lid' });
		expect((await sendText(simulator, 'phone1', {})).body.key.remoteJid).toBe('987@lid');
		expect((await sendText(simulator, 'evo1', { number: '+55 11 98888-7777' })).body.key.remoteJid).toBe('+55 11 98888-7777');
		expect(simulator.control.messages().map(({ jid }) => jid)).toEqual([JID, JID]);
	});
});

describe('trap 9: EvolutionAPI keeps no order', () => {
	it('of two sends in parallel, the first with `delay`, the second arrives first', async () => {
		const simulator = await started();
		const first = sendText(simulator, 'evo1', { text: 'ONE', delay: 150 });
		await simulator.control.waitUntil(() => simulator.control.requests().length === 1);
		await Promise.all([first, sendText(simulator, 'evo1', { text: 'TWO' })]);
		expect(simulator.control.messages().map(({ text }) => text)).toEqual(['TWO', 'ONE']);
	});

	it('a webhook refused once comes late and twice: ONE, TWO, ONE', async () => {
		const simulator = await started();
		simulator.control.settings({ webhookFirstWaitMs: 60 });
		const target = await webhookTarget((count) => (count === 1 ? 500 : 200));
		const webhook = { enabled: true, url: target.url, events: ['SEND_MESSAGE'], headers: { 'x-secret': 's3' } };
		expect((await ask(simulator, '/webhook/set/meta1', { body: { webhook } })).status).toBe(201);
		await sendText(simulator, 'meta1', { text: 'ONE' });
		await target.until(1);
		await sendText(simulator, 'meta1', { text: 'TWO' });
		await target.until(3);
		expect(target.calls.map(({ body }) => body.data.message.conversation)).toEqual(['ONE', 'TWO', 'ONE']);
		expect(target.calls[0]).toMatchObject({ secret: 's3', body: { event: 'send.message', instance: 'meta1', destination: target.url, apikey: 'instance-token' } });
	});

	it('events can be told to come late and twice', async () => {
		const simulator = await started();
		simulator.control.settings({ globalEvents: true });
		simulator.control.addRule({ text: 'ONE', acks: [], events: { delayMs: 60, times: 2 } });
		const socket = live(simulator, '/');
		await next(socket, 'connect');
		const texts: string[] = [];
		const done = new Promise<void>((resolve) => {
			socket.on('send.message', ({ data }) => { if (texts.push(data.message.conversation) === 3) resolve(); });
		});
		await sendText(simulator, 'meta1', { text: 'ONE' });
		await sendText(simulator, 'meta1', { text: 'TWO' });
		await done;
		expect(texts).toEqual(['TWO', 'ONE', 'ONE']);
	});
});

describe('trap 10: messageTimestamp has whole seconds', () => {
	it('and so can\'t order what the log can', async () => {
		const simulator = await started();
		for (let n = 0; n < 20; n++) await sendText(simulator, 'meta1', { text: String(n) });
		const { records } = (await ask(simulator, '/chat/findMessages/meta1', { body: { where: {} } })).body.messages;
		const times = records.map(({ messageTimestamp }) => messageTimestamp);
		expect(times.every(Number.isInteger)).toBe(true);
		expect(times).toEqual([...times].sort((a, b) => b - a));
		expect(new Set(times).size).toBeLessThan(20);
		expect(simulator.control.messages().map(({ text }) => text)).toEqual(Array.from({ length: 20 }, (_, n) => String(n)));
		expect(records.map(({ message }) => message.conversation)).not.toEqual(Array.from({ length: 20 }, (_, n) => String(19 - n)));
	});
});

describe('trap 11: the live namespace is not there from the start', () => {
	it('"Invalid namespace" before the first event, connected after it', async () => {
		const simulator = await started();
		await sendText(simulator, 'meta1', { text: 'before live events were enabled' });
		await acksTold(simulator, 2);
		await ask(simulator, '/websocket/set/meta1', { body: { websocket: { enabled: true, events: ['MESSAGES_UPDATE', 'SEND_MESSAGE'] } } });
		const early = await next<Error>(live(simulator, '/meta1'), 'connect_error');
		expect(early.message).toBe('Invalid namespace');
		const { body } = await sendText(simulator, 'meta1', {});
		const socket = live(simulator, '/meta1');
		await next(socket, 'connect');
		const update = next<LiveUpdate>(socket, 'messages.update');
		simulator.control.acknowledge(body.key.id, 'READ');
		expect(await update).toMatchObject({ instance: 'meta1', apikey: 'instance-token', data: { fromMe: false } });
	});

	it('a wrong key is refused', async () => {
		const simulator = await started();
		await next<Error>(live(simulator, '/', { apikey: 'wrong' }), 'connect_error');
		await next(live(simulator, '/', { apikey: 'instance-token' }), 'connect');
	});

	it('with WEBSOCKET_ENABLED=false there is nothing', async () => {
		const simulator = await started({ websocket: false });
		const set = await ask(simulator, '/websocket/set/meta1', { body: { websocket: { enabled: true, events: [] } } });
		expect([set.status, set.text]).toEqual([201, '']);
		expect((await ask(simulator, '/socket.io/?EIO=4&transport=polling', { method: 'GET' })).status).toBe(404);
	});

	it('connectionState says `open` on Cloud and EVOLUTION, whatever is set', async () => {
		const simulator = await started();
		for (const name of ['meta1', 'evo1', 'phone1']) simulator.control.setInstance(name, { state: 'close' });
		const states = await Promise.all(['meta1', 'evo1', 'phone1', 'ghost'].map(async (name) =>
			(await ask(simulator, `/instance/connectionState/${name}`, { method: 'GET' })).body.instance.state));
		expect(states).toEqual(['open', 'open', 'close', undefined]);
	});
});

describe('trap 12: keys leak easily', () => {
	it('the global key sees every token, a token only its own', async () => {
		const simulator = await started();
		const list = async (key: string) => (await ask<Array<{ token: string }>>(simulator, '/instance/fetchInstances', { method: 'GET', key })).body.map(({ token }) => token);
		expect(await list(simulator.apiKey)).toHaveLength(5);
		expect(await list('instance-token')).toEqual(['instance-token']);
	});

	it('the query string overrides the path\'s instance after the key was checked', async () => {
		const simulator = await started();
		const { body } = await ask(simulator, '/message/sendText/meta1?instanceName=phone1', { key: 'instance-token', body: { number: NUMBER, text: 'x' } });
		expect(body.key.id).toMatch(/^3EB0/);
		expect(simulator.control.messages()).toMatchObject([{ instance: 'phone1' }]);
		expect((await sendText(simulator, 'phone1', {}, { key: 'instance-token' })).status).toBe(401);
	});

	it('an unknown instance is told before the key is checked', async () => {
		const simulator = await started();
		expect((await sendText(simulator, 'nope', {}, { key: null })).status).toBe(404);
	});
});

describe('trap 13: error bodies differ', () => {
	it('a string, an array of strings, of arrays, of objects; `message` at the top; nothing', async () => {
		const simulator = await started();
		simulator.control.setNumber('14155552671', { exists: false });
		const numbers = (name: string) => ask(simulator, `/chat/whatsappNumbers/${name}`, { body: { numbers: [NUMBER] } });
		const bodies = [
			(await sendText(simulator, 'ghost', {})).body.response.message,
			(await sendText(simulator, 'phone1', { text: ' ' })).body.response.message,
			(await sendText(simulator, 'meta1', { delay: 1.5 })).body.response.message,
			(await sendText(simulator, 'phone1', { number: '14155552671' })).body.response.message,
			(await numbers('evo1')).body.message,
			(await numbers('baileys1')).body,
		];
		expect(bodies).toEqual([
			"Cannot read properties of undefined (reading 'textMessage')",
			['Text is required'],
			[['Enter a value in milliseconds']],
			[{ jid: '14155552671@s.whatsapp.net', exists: false, number: '14155552671' }],
			['Method not available on Evolution Channel'],
			{},
		]);
	});
});

interface LiveUpdate { instance: string; apikey: string; data: { keyId: string; status: string; fromMe: boolean } }

interface WebhookCall { secret: string | undefined; body: { event: string; data: { message: { conversation: string } } } }

/** A server that takes webhooks and answers as told. */
async function webhookTarget(statusOf: (count: number) => number) {
	const calls: WebhookCall[] = [];
	let wake = () => {};
	const server = createServer((request, response) => {
		let text = '';
		request.on('data', (chunk) => { text += chunk; });
		request.on('end', () => {
			calls.push({ secret: request.headers['x-secret'] as string | undefined, body: JSON.parse(text) as WebhookCall['body'] });
			response.writeHead(statusOf(calls.length)).end();
			wake();
		});
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	endWithTest(() => { server.closeAllConnections(); server.close(); });
	const until = async (count: number) => {
		while (calls.length < count) await new Promise<void>((resolve) => { wake = resolve; });
	};
	return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, calls, until };
}
