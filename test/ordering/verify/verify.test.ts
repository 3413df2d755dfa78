// Verifies chats of the real engine against the simulator's record, in which things were made to go wrong.
import { EvolutionServer } from '../../../evolution/server';
import { SqliteLedger } from '../../../ordering/ledger/sqlite';
import { toChatRequest } from '../../../ordering/log/request';
import { defaultSettings } from '../../../ordering/settings';
import { type Verification, verifyOrder } from '../../../ordering/verify/verify';
import { startSimulator } from '../../../simulator';
import { thrownBy } from '../../evolution/helpers';
import { endWithTest, type Scene, scene, sleep, temporaryFolder } from '../../support/scene';
import type { CallInput } from '../../support/calls';
import { step, transaction } from '../ledger/fixtures';

const number = '5511988887777';
const jid = `${number}@s.whatsapp.net`;

async function verified(s: Scene, more: object = {}, signal?: AbortSignal): Promise<Verification> {
	const access = { baseUrl: s.simulator.url, apiKey: s.simulator.apiKey };
	// EvolutionAPI rounds to whole seconds, so what was sent just now may be on record as of the next one
	return await s.engine.verify(toChatRequest(access, { instanceName: 'meta1', number, to: Date.now() + 5000, ...more }, 'UTC'), { signal });
}

/** Sends texts one after the other, each under its text as the ID; gives their message IDs. */
async function sent(s: Scene, texts: string[], more: CallInput = {}): Promise<string[]> {
	const ids: string[] = [];
	for (const text of texts) {
		const { transaction } = await s.run({ text, ...more, options: { transactionId: text, ...more.options } });
		ids.push(transaction?.steps[0]?.messageId as string);
	}
	return ids;
}

/** Sends without that EvolutionAPI records it, and then records it as of these seconds. */
async function sentAndRecordedAt(s: Scene, seconds: Record<string, number>): Promise<string[]> {
	const rule = s.simulator.control.addRule({ route: 'sendText', saved: false });
	const ids = await sent(s, Object.keys(seconds));
	s.simulator.control.removeRule(rule.id);
	const messages = Object.values(seconds).map((after, index) => ({ key: { id: ids[index] as string, remoteJid: jid, fromMe: true }, message: { conversation: 'x' }, messageTimestamp: Math.floor(Date.now() / 1000) + after }));
	s.simulator.control.addRows({ instance: 'meta1', messages, statuses: ids.map((keyId) => ({ keyId, status: 'DELIVERED' as const })) });
	return ids;
}

test('a chat with nothing is told as such', async () => {
	expect(await verified(await scene())).toMatchObject({ verdict: 'No message was sent to this chat in this time.', ok: true, counts: { transactions: 0, sent: 0 }, inversions: [], missing: [], foreign: [] });
});

test('messages that are on record as they were sent are in order', async () => {
	const s = await scene();
	await sentAndRecordedAt(s, { one: 0, two: 1, three: 1, four: 3 });
	const found = await verified(s);
	expect(found).toMatchObject({ ok: true, counts: { transactions: 4, sent: 4, onRecord: 4, pairsTold: 2, pairsUntold: 1 }, inversions: [], missing: [], foreign: [], failed: [], unconfirmed: [], notes: [] });
	expect(found.verdict).toBe("In order: EvolutionAPI's record has 4 messages as they were sent. Of 1 of 3 neighbouring pairs it can't be told, since EvolutionAPI knows whole seconds only.");
	expect(Object.keys(found)[0]).toBe('verdict');
});

test('messages of one second are told to be untold, not to be in order', async () => {
	const s = await scene();
	await sentAndRecordedAt(s, { one: 0, two: 0 });
	expect(await verified(s)).toMatchObject({ ok: true, verdict: expect.stringContaining("their order can't be told"), counts: { pairsTold: 0, pairsUntold: 1 } });
});

test('messages that are on record in another order than they were sent are inversions, each pair named', async () => {
	const s = await scene();
	const [one, two, three] = await sentAndRecordedAt(s, { one: 5, two: 2, three: 3 });
	const found = await verified(s);
	expect(found.inversions.map(({ sentFirst, sentLater }) => [sentFirst.messageId, sentLater.messageId])).toEqual([[one, two], [one, three]]);
	expect(found.inversions[0]).toMatchObject({ sentFirst: { transactionId: 'one', step: 0 }, sentLater: { transactionId: 'two' } });
	expect(found).toMatchObject({ ok: false, moreInversions: false, verdict: expect.stringMatching(/^NOT in order: 2 pairs of messages stand/) });
});

test('a message that EvolutionAPI did not save, and one that was taken back, are missing', async () => {
	const s = await scene();
	const access = { instanceName: 'phone1' };
	const [kept, takenBack] = await sent(s, ['kept', 'taken back'], access);
	s.simulator.control.addRule({ route: 'sendText', saved: false });
	const [lost] = await sent(s, ['lost'], access);
	const answer = await fetch(`${s.simulator.url}/chat/deleteMessageForEveryone/phone1`, { method: 'DELETE', headers: { apikey: s.simulator.apiKey, 'content-type': 'application/json' }, body: JSON.stringify({ id: takenBack, remoteJid: jid, fromMe: true }) });
	expect(answer.status).toBe(201);
	const found = await verified(s, access);
	expect(found.missing.map(({ messageId, why }) => [messageId, why])).toEqual([[takenBack, 'takenBack'], [lost, 'notOnRecord']]);
	expect(found.counts).toMatchObject({ sent: 3, onRecord: 2 });
	expect(found.ok).toBe(false);
	expect(found.verdict).toContain("1 message is not on EvolutionAPI's record; 1 message was taken back");
	expect(JSON.stringify(found.missing)).not.toContain(kept);
});

test('messages that no transaction sent are foreign, within the time and of this chat only', async () => {
	const s = await scene();
	await sent(s, ['ours']);
	const now = Math.floor(Date.now() / 1000);
	const row = (id: string, seconds: number, key = {}) => ({ key: { id, remoteJid: jid, fromMe: true, ...key }, message: { conversation: 'secret words' }, messageTimestamp: now + seconds });
	s.simulator.control.addRows({ instance: 'meta1', messages: [row('PHONE', 1), row('BOT', 0), row('OLD', -3600), row('THEIRS', 0, { fromMe: false }), row('OTHER', 0, { remoteJid: '5511900000000@s.whatsapp.net' })] });
	const found = await verified(s, { from: Date.now() - 60_000 });
	expect(found.foreign).toEqual([
		{ messageId: 'BOT', remoteJid: jid, recordedAt: new Date(now * 1000).toISOString(), type: 'conversation' },
		{ messageId: 'PHONE', remoteJid: jid, recordedAt: new Date((now + 1) * 1000).toISOString(), type: 'conversation' },
	]);
	expect(found).toMatchObject({ ok: true, verdict: expect.stringContaining('2 messages are by no transaction') });
	expect(JSON.stringify(found)).not.toContain('secret words');
});

test("another transaction's message is not foreign, although that one was created before the time", async () => {
	const s = await scene();
	await sent(s, ['earlier']);
	await sleep(5);
	const from = Date.now();
	await sent(s, ['later']);
	expect(await verified(s, { from })).toMatchObject({ foreign: [], counts: { transactions: 1 } });
});

test('acknowledgements that failed, are missing, or came late are told apart', async () => {
	const s = await scene();
	const { control } = s.simulator;
	control.addRule({ route: 'sendText', textEquals: 'refused', acks: [{ status: 'FAILED', afterMs: 5 }] });
	control.addRule({ route: 'sendText', acks: [] });
	const waiting = { waitFor: 'delivered', ackTimeoutSeconds: 0.5 } as const;
	const [, silent, late, , read] = await sent(s, ['refused', 'silent', 'late', 'accepted', 'read'], waiting);
	control.acknowledge(late as string, 'SENT');
	control.acknowledge(late as string, 'READ');
	control.acknowledge(read as string, 'SENT');
	const found = await verified(s);
	expect(found.failed.map(({ transactionId }) => transactionId)).toEqual(['refused']);
	expect(found.confirmedLater).toMatchObject([{ transactionId: 'late', receipt: 'read', waitedFor: 'delivered' }]);
	expect(found.unconfirmed).toMatchObject([{ messageId: silent, waitedFor: 'delivered' }, { transactionId: 'accepted' }, { messageId: read, receipt: 'sent' }]);
	expect(found.ok).toBe(false);
	expect(found.verdict).toMatch(/1 message was refused by WhatsApp; 3 messages have not been acknowledged; 1 message was acknowledged too late\.$/);
});

test('a message without a wait counts as acknowledged once EvolutionAPI knows so', async () => {
	const s = await scene();
	s.simulator.control.addRule({ route: 'sendText', acks: [] });
	const [id] = await sent(s, ['quick']);
	expect((await verified(s)).unconfirmed).toMatchObject([{ messageId: id }]);
	s.simulator.control.acknowledge(id as string, 'DELIVERED');
	expect(await verified(s)).toMatchObject({ ok: true, unconfirmed: [], confirmedLater: [] });
});

test('a message in doubt that is on record after all is named, and is not foreign; one that is not there stays in doubt', async () => {
	const s = await scene();
	const { control } = s.simulator;
	control.addRule({ route: 'sendText', textEquals: 'went out', answer: { kind: 'hang' }, sent: true, saveAfterMs: 1200 });
	control.addRule({ route: 'sendText', textEquals: 'vanished', answer: { kind: 'hang' } });
	const options = { requestTimeoutSeconds: 0.5 };
	for (const text of ['went out', 'vanished']) expect(await s.run({ text, options: { ...options, transactionId: text } })).toMatchObject({ transaction: { status: 'inDoubt' } });
	await sleep(800);
	const found = await verified(s);
	expect(found.onRecordAfterAll).toMatchObject([{ transactionId: 'went out', step: 0, messageId: control.messages()[0]?.messageId }]);
	expect(found.inDoubt).toEqual([{ transactionId: 'vanished', step: 0, why: 'it is not on record at EvolutionAPI' }]);
	expect(found).toMatchObject({ ok: false, foreign: [], verdict: expect.stringContaining('1 message in doubt is on record after all; 1 message is in doubt') });
});

test.each([['the number', '+55 11 98888-7777'], ['the other name', '4711@lid']])('all names of a chat are looked at, asked by %s', async (_, asked) => {
	const s = await scene();
	s.simulator.control.setNumber(number, { lid: '4711@lid' });
	await sent(s, ['by number'], { instanceName: 'phone1' });
	await sent(s, ['by lid'], { instanceName: 'phone1', number: '4711@lid' });
	s.simulator.control.addRows({ instance: 'phone1', messages: [{ key: { id: 'A', remoteJid: '4711@lid', fromMe: true } }, { key: { id: 'B', remoteJid: jid, fromMe: true } }] });
	const found = await verified(s, { instanceName: 'phone1', number: asked });
	expect(found.counts).toMatchObject({ transactions: 2, sent: 2, onRecord: 2 });
	expect(found.missing).toEqual([]);
	expect(found.foreign.map(({ messageId }) => messageId).sort()).toEqual(['A', 'B']);
	expect([found.chat.recipient, ...found.chat.otherNames].sort()).toEqual(['4711@lid', jid]);
});

test('a record of more pages than one is read to its end', async () => {
	const s = await scene();
	await sent(s, ['ours']);
	const messages = Array.from({ length: 120 }, (_, i) => ({ key: { id: `M${i}`, remoteJid: jid, fromMe: true } }));
	s.simulator.control.addRows({ instance: 'meta1', messages });
	expect(new Set((await verified(s)).foreign.map(({ messageId }) => messageId)).size).toBe(120);
});

test("on EvolutionAPI's own channel, which records bare numbers, messages are found", async () => {
	const s = await scene();
	await sent(s, ['one', 'two'], { instanceName: 'evo1' });
	expect(await verified(s, { instanceName: 'evo1' })).toMatchObject({ counts: { sent: 2, onRecord: 2 }, missing: [], foreign: [] });
});

test('a message that is just being sent is not taken for a foreign one', async () => {
	const s = await scene();
	const { control } = s.simulator;
	await sent(s, ['first']);
	control.addRows({ instance: 'meta1', messages: [{ key: { id: 'PHONE', remoteJid: jid, fromMe: true }, messageTimestamp: Math.floor(Date.now() / 1000) - 60 }] });
	control.addRule({ route: 'sendText', hold: true });
	const sending = s.run({ text: 'second', options: { requestTimeoutSeconds: 10 } });
	await control.waitForMessages(2);
	const found = await verified(s);
	expect(found.foreign.map(({ messageId }) => messageId)).toEqual(['PHONE']);
	expect(found.notes).toEqual([expect.stringMatching(/^A message is being sent to this chat just now, so of 1 of the newest/)]);
	control.release();
	await sending;
	expect(await verified(s)).toMatchObject({ ok: true, notes: [], foreign: [{ messageId: 'PHONE' }], counts: { sent: 2, onRecord: 2 } });
});

test('messages that are on record under a name that nobody knows are not missing, and said not to be compared', async () => {
	const s = await scene();
	s.simulator.control.addRule({ route: 'sendText', saved: false });
	const [id] = await sent(s, ['one']);
	s.simulator.control.addRows({ instance: 'meta1', messages: [{ key: { id: id as string, remoteJid: '999@lid', fromMe: true } }] });
	expect(await verified(s)).toMatchObject({ ok: false, missing: [], notes: [expect.stringMatching(/^1 of the sent messages are on EvolutionAPI's record, but under a name/)] });
});

test('of a record that is too long to be read, it says how far it was read, and calls nothing missing before that', async () => {
	const simulator = await startSimulator();
	endWithTest(() => simulator.close());
	const ledger = SqliteLedger.open(temporaryFolder());
	endWithTest(() => ledger.close());
	const access = { baseUrl: simulator.url, apiKey: simulator.apiKey };
	const chat = { server: simulator.url, instance: 'meta1', recipient: jid };
	const now = Math.floor(Date.now() / 1000);
	const done = (id: string, at: number) => transaction({ id, chat, status: 'completed', createdAt: at * 1000, steps: [step({ status: 'done', messageId: id, startedAt: at * 1000, finishedAt: at * 1000 + 500 })] });
	for (const one of [done('OLD', now - 1000), done('NEW', now - 10), done('GONE', now - 5)]) await ledger.open(one);
	simulator.control.addRows({ instance: 'meta1', messages: [{ key: { id: 'NEW', remoteJid: jid, fromMe: true }, messageTimestamp: now - 10 }] });
	// as if there were more pages than are read
	const server = new (class extends EvolutionServer {
		override ownRecord: EvolutionServer['ownRecord'] = async (...given) => ({ ...(await super.ownRecord(...given)), complete: false });
	})(access);
	endWithTest(() => server.close());
	const found = await verifyOrder({ ledger, server, settings: defaultSettings }, toChatRequest(access, { instanceName: 'meta1', number }, 'UTC'));
	expect(found.missing.map(({ messageId }) => messageId)).toEqual(['GONE']);
	expect(found).toMatchObject({ ok: false, notes: [`EvolutionAPI's record was read back to ${new Date((now - 9) * 1000).toISOString()} only, since there are more messages than can be read at once: choose a shorter time. 1 of the sent messages are older.`] });
});

test('a record that can not be read is an error that says why, and nothing is guessed', async () => {
	const s = await scene();
	await sent(s, ['one']);
	const error = await thrownBy(verified(s, { instanceName: 'nobody' }));
	expect(error).toMatchObject({ failure: { code: 'recordUnavailable', message: expect.stringMatching(/^EvolutionAPI's record can't be read: /) as string } });
	expect(await thrownBy(verified(s, {}, AbortSignal.abort()))).toMatchObject({ failure: { code: 'cancelled' } });
	s.simulator.control.addRule({ route: 'findMessages', answer: { kind: 'reset' } });
	expect(await thrownBy(verified(s))).toMatchObject({ failure: { code: 'recordUnavailable', message: expect.stringContaining('broke (ECONNRESET)') as string, hint: expect.stringContaining('nothing was changed') as string } });
});
