// Looking up a message in doubt: exactly one match that no other step owns, or no answer.
import { lookUp, mayGoOutUntil } from '../../../ordering/steps/lookUp';
import type { Run } from '../../../ordering/steps/step';
import type { Step } from '../../../ordering/transaction';
import { thrownBy } from '../../evolution/helpers';
import { definition, step, transaction } from '../ledger/fixtures';
import { quick, scene, type Scene } from './means';

const call = { timeoutMs: 2000 };

/** A transaction whose send is in doubt since now. */
async function inDoubt({ begin }: Scene, text: string, input: Record<string, unknown> = {}, run: Partial<Run> = {}): Promise<{ run: Run; step: Step }> {
	const one = await begin(`doubt ${text}`, { text, ...input }, { run });
	const send = one.transaction.steps[0] as Step;
	Object.assign(send, { status: 'inDoubt', startedAt: Date.now(), doubtSince: Date.now(), attempts: 1 });
	await one.save();
	return { run: one, step: send };
}

async function sendText({ server }: Scene, text: string, number = '5511988887777', instance = 'meta1'): Promise<string> {
	return ((await server.send(instance, number, { kind: 'text', text }, call)) as { messageId: string }).messageId;
}

test('the one message of this content is found', async () => {
	const here = await scene();
	const messageId = await sendText(here, 'Hello');
	await sendText(here, 'Another');
	const { run, step: send } = await inDoubt(here, 'Hello');
	expect(await lookUp(run, send, run.definition, 0)).toMatchObject({ found: { messageId, text: 'Hello' } });
});

test.each([['meta1', '5531988887777'], ['evo1', '5511988887777'], ['phone1', '5511988887777']])('it is found on %s, however its chat is recorded there', async (instance, number) => {
	const here = await scene();
	const messageId = await sendText(here, 'Hello', number, instance);
	const { run, step: send } = await inDoubt(here, 'Hello', { instanceName: instance, number });
	expect(await lookUp(run, send, run.definition, 0)).toMatchObject({ found: { messageId } });
});

test('it is found under another JID that the chat was linked to', async () => {
	const here = await scene();
	here.simulator.control.setNumber('5511988887777', { lid: '777@lid' });
	const messageId = await sendText(here, 'Hello', '5511988887777', 'phone1');
	const { run, step: send } = await inDoubt(here, 'Hello', { instanceName: 'phone1' });
	const before = await lookUp(run, send, run.definition, 0);
	await here.ledger.linkChat(run.transaction.chat, '777@lid');
	const after = await lookUp(run, send, run.definition, 0);
	expect([before, after]).toMatchObject([{ found: undefined }, { found: { messageId } }]);
});

test('white space around the text makes no other message', async () => {
	const here = await scene();
	await sendText(here, ' Hello\n');
	const { run, step: send } = await inDoubt(here, 'Hello');
	expect((await lookUp(run, send, run.definition, 0)).found).toBeDefined();
});

test('of two that could be it none is taken', async () => {
	const here = await scene();
	await sendText(here, 'Hello');
	await sendText(here, 'Hello');
	const { run, step: send } = await inDoubt(here, 'Hello');
	expect(await lookUp(run, send, run.definition, Date.now() + 5000)).toEqual({ found: undefined, why: '2 messages on record could be it' });
});

test('one that another step owns is not taken', async () => {
	const here = await scene();
	const messageId = await sendText(here, 'Hello');
	const { run, step: send } = await inDoubt(here, 'Hello');
	await here.ledger.open(transaction({ id: 'owner', chat: run.transaction.chat, steps: [step({ status: 'done', messageId })] }));
	expect(await lookUp(run, send, run.definition, 0)).toEqual({ found: undefined, why: 'it is not on record at EvolutionAPI' });
	const second = await sendText(here, 'Hello');
	expect(await lookUp(run, send, run.definition, 0)).toMatchObject({ found: { messageId: second } });
});

test('one of long before, of another chat, of another instance, or of another text is not taken', async () => {
	const here = await scene();
	const row = (id: string, secondsAgo: number) => ({ key: { id, fromMe: true, remoteJid: '5511988887777@s.whatsapp.net' }, message: { conversation: 'Hello' }, messageType: 'conversation', messageTimestamp: Math.floor(Date.now() / 1000) - secondsAgo });
	here.simulator.control.addRows({ instance: 'meta1', messages: [row('OLD', 120)] });
	await sendText(here, 'Hello', '5511988886666');
	await sendText(here, 'Hello', '5511988887777', 'phone1');
	await sendText(here, 'Hello!');
	const { run, step: send } = await inDoubt(here, 'Hello');
	expect((await lookUp(run, send, run.definition, 0)).found).toBeUndefined();
	here.simulator.control.addRows({ instance: 'meta1', messages: [row('CLOCKS DIFFER', 50)] });
	expect(await lookUp(run, send, run.definition, 0)).toMatchObject({ found: { messageId: 'CLOCKS DIFFER' } });
});

test('it is looked for again and again, since it may still go out', async () => {
	const here = await scene();
	const { run, step: send } = await inDoubt(here, 'Hello');
	setTimeout(() => void sendText(here, 'Hello'), 200);
	expect((await lookUp(run, send, run.definition, Date.now() + 3000)).found).toBeDefined();
});

test('the look ends at its time, after at least one', async () => {
	const here = await scene();
	const { run, step: send } = await inDoubt(here, 'Hello');
	const began = Date.now();
	expect(await lookUp(run, send, run.definition, Date.now() + 250)).toEqual({ found: undefined, why: 'it is not on record at EvolutionAPI' });
	expect(Date.now() - began).toBeGreaterThanOrEqual(240);
	expect(Date.now() - began).toBeLessThan(1500);
	here.simulator.control.clearLog();
	await lookUp(run, send, run.definition, 0);
	expect(here.simulator.control.counts().findMessages).toBeGreaterThan(0);
});

test('looks that fail are told, and one that succeeds later is taken', async () => {
	const here = await scene();
	const messageId = await sendText(here, 'Hello');
	const { run, step: send } = await inDoubt(here, 'Hello');
	here.simulator.control.addRule({ route: 'findMessages', times: 3, answer: { kind: 'reset' } });
	expect(await lookUp(run, send, run.definition, 0)).toMatchObject({ found: undefined, why: expect.stringMatching(/^the look-up failed \(.*broke/) });
	expect(await lookUp(run, send, run.definition, Date.now() + 3000)).toMatchObject({ found: { messageId } });
});

test('a cancelled look ends at once', async () => {
	const here = await scene();
	const cancel = new AbortController();
	const { run, step: send } = await inDoubt(here, 'Hello', {}, { signal: cancel.signal, settings: { ...quick, lookUpEveryMs: 30_000 } });
	setTimeout(() => cancel.abort(), 100);
	const began = Date.now();
	expect((await lookUp(run, send, run.definition, Date.now() + 30_000)).found).toBeUndefined();
	expect(Date.now() - began).toBeLessThan(1000);
});

test('a ledger that fails is no failed look', async () => {
	const here = await scene();
	await sendText(here, 'Hello');
	const { run, step: send } = await inDoubt(here, 'Hello');
	await here.ledger.close();
	expect(await thrownBy(lookUp(run, send, run.definition, 0))).toMatchObject({ failure: { code: 'ledgerUnavailable' } });
});

test('a message may go out as long as its request, its typing and a look-up last', () => {
	expect(mayGoOutUntil(step({ startedAt: 1000 }), { ...definition, requestTimeoutMs: 500, plan: [{ type: 'send', message: { kind: 'text', text: 'x', typingMilliseconds: 50 }, onError: 'stop' }] }, { ...quick, lookUpMs: 300 })).toBe(1850);
});
