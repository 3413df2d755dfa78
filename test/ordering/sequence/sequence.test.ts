// A sequence of steps in the engine: order, policies, references, files, and what a restart leaves.
import { kinds } from '../../../evolution/messages/message';
import { resultOf, scene, sleep, stepsOf } from '../../support/scene';
import { effectsOf, runSequence, sequenceCall } from './call';

const base64 = Buffer.from('not really a picture').toString('base64');
const text = (value: string, more: object = {}) => ({ type: 'text', text: value, ...more });
const call = (url: string, more: object = {}) => ({ type: 'webhook', url, ...more });

describe('order', () => {
	test('every step begins only when the one before it is done', async () => {
		const here = await scene();
		here.simulator.control.setInstance('meta1', { acks: [{ status: 'DELIVERED', afterMs: 120 }] });
		const outcome = await runSequence(here, [text('one', { waitFor: 'delivered' }), { type: 'image', media: 'https://files.example/a.png', caption: 'two' }, { type: 'wait', delaySeconds: 0.1 }, call('/between'), text('three'), call('/after')]);
		expect(stepsOf(outcome)).toBe('send done, wait done, send done, wait done, webhook done, send done, webhook done');
		expect(effectsOf(here)).toEqual(['sendText one', 'sendMedia two', 'call /between', 'sendText three', 'call /after']);
		const result = resultOf(outcome);
		expect(result.steps.map(({ step, kind }) => [step, kind])).toEqual([[1, 'text'], [1, 'delivered'], [2, 'image'], [3, 'delay'], [4, undefined], [5, 'text'], [6, undefined]]);
		for (const [i, step] of result.steps.entries()) if (i > 0) expect(Date.parse(step.startedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(result.steps[i - 1]?.finishedAt ?? ''));
		expect(result).toMatchObject({ status: 'completed', webhook: { statusCode: 200 } });
	});

	test.each(kinds.filter((kind) => kind !== 'template'))('on WhatsApp Web, %s is sent', async (kind) => {
		const here = await scene();
		const fields: Record<string, object> = {
			text: { text: 'x' }, image: { media: base64 }, video: { media: 'https://files.example/a.mp4' }, document: { media: base64, fileName: 'a.pdf' }, audio: { media: base64 }, sticker: { media: base64 },
			location: { latitude: '-23.5', longitude: -46.6, name: 'Office', address: 'Rua A, 1' }, contact: { contacts: [{ fullName: 'Ana', phoneNumber: '+5511988887777' }] }, poll: { question: 'Which?', options: ['a', 'b'] },
			list: { title: 't', description: 'd', footer: 'f', buttonText: 'b', sections: [{ title: 's', rows: [{ title: 'r' }] }] }, buttons: { title: 't', buttons: [{ type: 'reply', text: 'yes' }] },
			reaction: { emoji: '👍', messageId: 'ABC' },
		};
		const outcome = await runSequence(here, [{ type: kind, ...fields[kind] }, text('after')], { instanceName: 'phone1' });
		expect(stepsOf(outcome)).toBe('send done, send done');
	});

	test('a template is sent at Meta, past the 24 hours too', async () => {
		const here = await scene();
		expect(stepsOf(await runSequence(here, [{ type: 'template', name: 'hello_world', language: 'en_US', components: '[{"type": "body", "parameters": []}]' }]))).toBe('send done');
	});

	test('sequences of one chat never mix, and those of different chats go side by side', async () => {
		const here = await scene();
		const calls = [1, 2, 3].flatMap((n) => ['5511988887777', '5511988886666'].map((number) => sequenceCall(here, [text(`${n}a`), { type: 'wait', delaySeconds: 0.03 }, text(`${n}b`)], { number })));
		await here.engine.run(calls, { stopOnFailure: false });
		for (const number of ['5511988887777', '5511988886666']) expect(here.simulator.control.messages().filter((one) => one.number === number).map((one) => one.text)).toEqual(['1a', '1b', '2a', '2b', '3a', '3b']);
	});
});

describe('what follows a step that fails', () => {
	const refused = { route: 'sendText', text: 'bad', answer: { kind: 'noSuchNumber' } } as const;

	test('stop: nothing more is done, and the error says how many messages went out', async () => {
		const here = await scene();
		here.simulator.control.addRule(refused);
		const outcome = await runSequence(here, [text('one'), text('bad'), call('/after')]);
		expect(stepsOf(outcome)).toBe('send done, send failed, webhook skipped');
		expect(resultOf(outcome)).toMatchObject({ status: 'failed', error: { sent: 'partly' } });
		expect(effectsOf(here)).toEqual(['sendText one']);
	});

	test('continue: the later steps are done, the result says which step failed, and the same ID gives it again', async () => {
		const here = await scene();
		here.simulator.control.addRule(refused);
		const steps = [text('one'), text('bad', { onError: 'continue', waitFor: 'delivered' }), call('/after')];
		const outcome = await runSequence(here, steps, { options: { transactionId: 't' } });
		expect(stepsOf(outcome)).toBe('send done, send failed, wait skipped, webhook done');
		expect(outcome.failure).toBeUndefined();
		expect(resultOf(outcome)).toMatchObject({ status: 'unconfirmed', steps: [{}, { error: { code: expect.any(String) } }, {}, {}] });
		const again = await runSequence(here, steps, { options: { transactionId: 't' } });
		expect([again.replayed, resultOf(again).status]).toEqual([true, 'unconfirmed']);
		expect(effectsOf(here)).toEqual(['sendText one', 'call /after']);
	});

	test('continue after an acknowledgement that does not come, and after a webhook that fails', async () => {
		const here = await scene();
		here.simulator.control.setInstance('meta1', { acks: [] });
		here.receiver.behave({ status: 404 }, { path: '/broken' });
		const outcome = await runSequence(here, [text('one', { waitFor: 'delivered', ackTimeoutSeconds: 0.5, onError: 'continue' }), call('/broken', { onError: 'continue' }), text('two')]);
		expect(stepsOf(outcome)).toBe('send done, wait unconfirmed, webhook failed, send done');
		expect(resultOf(outcome).status).toBe('unconfirmed');
	});

	test('what stopped goes on at its open step, and a step that was gone on from is not done again', async () => {
		const here = await scene();
		here.simulator.control.addRule({ ...refused, times: 1 });
		here.receiver.behave({ status: 503 }, { path: '/down', times: 1 });
		here.receiver.behave({ status: 503 }, { path: '/down', times: 1 });
		here.receiver.behave({ status: 200 }, { path: '/down', times: 1 });
		const steps = [text('bad', { onError: 'continue' }), text('two'), call('/down'), text('three')];
		const first = await runSequence(here, steps, { options: { transactionId: 't' } });
		expect(stepsOf(first)).toBe('send failed, send done, webhook failed, send skipped');
		const second = await runSequence(here, steps, { options: { transactionId: 't' } });
		expect(stepsOf(second)).toBe('send failed, send done, webhook done, send done');
		expect(here.texts()).toEqual(['two', 'three']);
	});
});

describe('compensate', () => {
	test('what was sent is deleted for everyone, newest first, then the named webhook is called, and the transaction has ended for good', async () => {
		const here = await scene();
		here.receiver.behave({ status: 500 }, { path: '/fails', times: 1 });
		here.receiver.behave({ status: 500 }, { path: '/fails', times: 1 });
		const steps = [text('one'), text('two'), call('/fails', { onError: 'compensate' }), text('three')];
		const options = { transactionId: 't', compensationWebhookUrl: '/undone' };
		const outcome = await runSequence(here, steps, { instanceName: 'phone1', options });
		expect(effectsOf(here)).toEqual(['sendText one', 'sendText two', 'call /fails', 'call /fails', 'delete two', 'delete one', 'call /undone']);
		expect(resultOf(outcome)).toMatchObject({ status: 'failed', error: { code: 'webhook.status' }, compensation: { status: 'done', deletions: [{ step: 2, status: 'done' }, { step: 1, status: 'done' }], webhook: { status: 'done', statusCode: 200 } } });
		expect(JSON.parse(here.receiver.calls.at(-1)?.body ?? '')).toMatchObject({ event: 'transaction.compensated', transactionId: 't', compensation: { status: 'done' } });
		const again = await runSequence(here, steps, { instanceName: 'phone1', options });
		expect([again.replayed, again.failure?.code]).toEqual([true, 'webhook.status']);
		expect(effectsOf(here)).toHaveLength(7);
	});

	test('an acknowledgement that does not come takes the message back', async () => {
		const here = await scene();
		here.simulator.control.setInstance('phone1', { acks: [] });
		const outcome = await runSequence(here, [text('one', { waitFor: 'delivered', ackTimeoutSeconds: 0.5, onError: 'compensate' })], { instanceName: 'phone1' });
		expect(effectsOf(here)).toEqual(['sendText one', 'delete one']);
		expect(resultOf(outcome)).toMatchObject({ status: 'failed', error: { code: 'ackTimeout' }, compensation: { status: 'done' } });
	});

	test('where the channel can not delete, that is reported for each message', async () => {
		const here = await scene();
		here.receiver.behave({ status: 404 }, { path: '/fails' });
		const outcome = await runSequence(here, [text('one'), call('/fails', { onError: 'compensate' })]);
		expect(resultOf(outcome)).toMatchObject({ status: 'failed', compensation: { status: 'failed', deletions: [{ step: 1, status: 'failed', error: { code: 'cannotDelete' } }] } });
		expect(here.simulator.control.counts().deleteMessageForEveryone ?? 0).toBe(0);
	});

	test('a deletion that fails for a moment is tried again', async () => {
		const here = await scene();
		here.receiver.behave({ status: 404 }, { path: '/fails' });
		here.simulator.control.addRule({ route: 'deleteMessageForEveryone', times: 1, answer: { kind: 'reset' } });
		const outcome = await runSequence(here, [text('one'), call('/fails', { onError: 'compensate' })], { instanceName: 'phone1' });
		expect(resultOf(outcome).compensation).toMatchObject({ status: 'done' });
	});

	test('one that a restart interrupted goes on where it stopped, and sends nothing', async () => {
		const here = await scene();
		here.receiver.behave({ status: 404 }, { path: '/fails' });
		const held = here.simulator.control.addRule({ route: 'deleteMessageForEveryone', hold: true });
		const steps = [text('one'), text('two'), call('/fails', { onError: 'compensate' })];
		const options = { transactionId: 't', requestTimeoutSeconds: 30 };
		const cancel = new AbortController();
		const running = runSequence(here, steps, { instanceName: 'phone1', options }, { signal: cancel.signal });
		while (here.simulator.control.held() === 0) await sleep(5);
		cancel.abort();
		const stopped = await running;
		expect(resultOf(stopped)).toMatchObject({ status: 'cancelled', compensation: { status: 'pending' } });
		here.simulator.control.removeRule(held.id);
		await here.restart();
		const again = await runSequence(here, steps, { instanceName: 'phone1', options });
		expect(resultOf(again)).toMatchObject({ status: 'failed', error: { code: 'webhook.status' }, compensation: { status: 'done', deletions: [{ step: 2 }, { step: 1 }] } });
		expect(here.texts()).toEqual(['one', 'two']);
		expect(effectsOf(here).filter((effect) => effect.startsWith('call'))).toEqual(['call /fails']);
	});
});

describe('references to earlier steps', () => {
	test('a message ID, a receipt and a webhook\'s answer are put in where they are named', async () => {
		const here = await scene();
		here.simulator.control.settings({ keepBodies: true });
		here.simulator.control.setInstance('meta1', { acks: [{ status: 'DELIVERED', afterMs: 20 }] });
		here.receiver.behave({ status: 201, body: { order: { id: 17, 'the "name"': 'x' }, 'list': ['a', 'b'] } }, { path: '/order' });
		const outcome = await runSequence(here, [
			text('one', { waitFor: 'delivered' }),
			call('/order', { body: { id: '[[1.messageId]]', told: 'it was [[1.receipt]]' } }),
			text('Order [[2.webhook.order.id]] ([[2.statusCode]]), [[2.webhook.list.1]], [[2.webhook.missing]]!', { quotedMessageId: '[[1.messageId]]' }),
			call('/again/[[2.webhook.order.id]]', { body: '{"number": "[[2.webhook.order.id]]", "all": "[[2.webhook]]", "text": "n [[2.webhook.order.id]]"}' }),
			{ type: 'reaction', emoji: '👍', messageId: '[[3.messageId]]' },
		]);
		expect(resultOf(outcome).status).toBe('completed');
		const [one, two] = here.simulator.control.messages();
		expect(JSON.parse(here.receiver.calls[0]?.body ?? '')).toEqual({ id: one?.messageId, told: 'it was delivered' });
		expect(two?.text).toBe('Order 17 (201), b, !');
		expect(here.receiver.calls[1]?.path).toBe('/again/17');
		expect(JSON.parse(here.receiver.calls[1]?.body ?? '')).toEqual({ number: 17, all: { order: { id: 17, 'the "name"': 'x' }, list: ['a', 'b'] }, text: 'n 17' });
		const requests = here.simulator.control.requests();
		expect(requests.find(({ route, body }) => route === 'sendText' && JSON.stringify(body).includes('quoted'))?.body).toMatchObject({ quoted: { key: { id: one?.messageId } } });
		expect(requests.find(({ route }) => route === 'sendReaction')?.body).toMatchObject({ key: { id: two?.messageId, fromMe: true, remoteJid: expect.stringContaining('5511988887777') } });
	});

	test('what a webhook answers can not break JSON, an address, or become a reference itself', async () => {
		const here = await scene();
		here.receiver.behave({ status: 200, body: { x: '"}, "injected": {"a": "/../?b#[[1.messageId]]' } }, { path: '/evil' });
		await runSequence(here, [text('one'), call('/evil'), call('/next/[[2.webhook.x]]', { body: '{"x": "a [[2.webhook.x]]"}' })]);
		const next = here.receiver.calls[1];
		expect(JSON.parse(next?.body ?? '')).toEqual({ x: 'a "}, "injected": {"a": "/../?b#[[1.messageId]]' });
		expect(next?.path.split('/').slice(1, 2)).toEqual(['next']);
		expect(decodeURIComponent(next?.path ?? '')).toContain('"}, "injected"');
	});

	test.each([
		['an empty text', { type: 'text', text: '[[1.webhook.none]]' }, 'its text is empty'],
		['a file that is none', { type: 'image', media: '[[1.webhook.mark]]' }, 'its file is no address'],
	])('%s that an answer left is not sent, and the error names the step', async (_what, step, why) => {
		const here = await scene();
		here.receiver.behave({ status: 200, body: { mark: 'file:///etc/passwd' } }, { path: '/empty' });
		const outcome = await runSequence(here, [call('/empty'), step]);
		expect(outcome.failure).toMatchObject({ code: 'nothingToRefer', message: expect.stringContaining(`Step 2 (${step.type}): Not sent, since ${why}`) });
		expect(effectsOf(here)).toEqual(['call /empty']);
	});

	test('a reaction to a message that was not sent fails without a request', async () => {
		const here = await scene();
		here.simulator.control.addRule({ route: 'sendText', answer: { kind: 'noSuchNumber' } });
		const outcome = await runSequence(here, [text('one', { onError: 'continue' }), { type: 'reaction', emoji: '👍', messageId: '[[1.messageId]]' }]);
		expect(outcome.failure).toMatchObject({ code: 'nothingToRefer' });
		expect(here.simulator.control.counts().sendReaction ?? 0).toBe(0);
	});
});

describe('files', () => {
	test('a file given as base64 is sent, and never on record', async () => {
		const here = await scene();
		here.simulator.control.settings({ keepBodies: true });
		const secret = Buffer.from('PRIVATE-PICTURE-7391 '.repeat(50)).toString('base64');
		const outcome = await runSequence(here, [text('one'), { type: 'image', media: secret, fileName: 'a.png' }, { type: 'wait', delaySeconds: 0.05 }, { type: 'document', media: `data:text/plain;base64,${base64}`, fileName: 'a.txt' }]);
		expect(resultOf(outcome).status).toBe('completed');
		const sent = here.simulator.control.requests().filter(({ route }) => route === 'sendMedia').map(({ body }) => body?.media);
		expect(sent).toEqual([secret, base64]);
		expect(JSON.stringify(outcome)).not.toContain(secret.slice(0, 40));
	});

	test('one that is in doubt is found by its file', async () => {
		const here = await scene();
		here.simulator.control.addRule({ route: 'sendMedia', times: 1, sent: true, answer: { kind: 'reset' } });
		const outcome = await runSequence(here, [{ type: 'image', media: base64 }, text('after')]);
		expect(stepsOf(outcome)).toBe('send done, send done');
		expect(effectsOf(here)).toHaveLength(2);
	});

	test('recovery says that it needs the caller where a file is still to be sent, and the same call goes on', async () => {
		const here = await scene();
		here.receiver.behave({ status: 503 }, { path: '/down', times: 1 });
		here.receiver.behave({ status: 503 }, { path: '/down', times: 1 });
		const steps = [text('one'), call('/down'), { type: 'image', media: base64 }];
		await runSequence(here, steps, { options: { transactionId: 't' } });
		const access = { baseUrl: here.simulator.url, apiKey: here.simulator.apiKey };
		const resumed = await here.engine.resume('t', { access, onInDoubt: 'stop', queueTimeoutMs: 1000 });
		expect(resumed.failure).toMatchObject({ code: 'needsCaller', message: expect.stringContaining('file') });
		expect(stepsOf(await runSequence(here, steps, { options: { transactionId: 't' } }))).toBe('send done, webhook done, send done');
	});

	test('another file under the same ID is another content', async () => {
		const here = await scene();
		await runSequence(here, [{ type: 'image', media: base64 }], { options: { transactionId: 't' } });
		const other = await runSequence(here, [{ type: 'image', media: Buffer.from('another').toString('base64') }], { options: { transactionId: 't' } });
		expect(other.failure).toMatchObject({ code: 'transactionConflict', message: expect.stringContaining('message') });
	});
});

describe('before the first step', () => {
	test.each([
		['meta1', [text('one'), { type: 'poll', question: 'q', options: ['a', 'b'] }], /^Step 2 \(poll\): .*can't send polls$/],
		['meta1', [text('one'), { type: 'sticker', media: base64 }], /^Step 2 \(sticker\)/],
		['phone1', [text('one'), { type: 'template', name: 'x', language: 'en' }], /^Step 2 \(template\)/],
		['evo1', [text('one', { waitFor: 'read' })], /^Step 1 \(wait\), Wait For: /],
		['meta1', [text('x'.repeat(4097))], /^Step 1 \(text\): Meta's Cloud API takes texts of up to 4096 characters, and this one has 4097$/],
		['meta1', [{ type: 'image', media: 'https://x.example/a.png', caption: 'x'.repeat(1025) }], /captions of up to 1024/],
		['meta1', [{ type: 'image', media: Buffer.alloc(5 * 1024 * 1024 + 3).toString('base64') }], /up to 5 MB, and this one has 5\.0 MB$/],
	])('on %s, what can\'t be done is refused with nothing sent (%#)', async (instanceName, steps, message) => {
		const here = await scene();
		const outcome = await runSequence(here, steps, { instanceName });
		expect(outcome.failure?.message).toMatch(message);
		expect(outcome.transaction).toBeUndefined();
		expect(effectsOf(here)).toEqual([]);
	});
});

describe('gaps', () => {
	test('between two messages of a chat is the minimum gap, across transactions', async () => {
		const here = await scene();
		const options = { minimumGapSeconds: 0.15 };
		const calls = [1, 2].map((n) => sequenceCall(here, [text(`${n}a`), text(`${n}b`)], { options }));
		await here.engine.run(calls, { stopOnFailure: false });
		const times = here.simulator.control.messages().map(({ at }) => at);
		expect(times).toHaveLength(4);
		for (const [i, at] of times.entries()) if (i > 0) expect(at - (times[i - 1] as number)).toBeGreaterThanOrEqual(140);
	});

	test('the instance gap spaces chats from each other, and other instances are free', async () => {
		const here = await scene();
		const options = { instanceGapSeconds: 0.15 };
		const calls = ['5511988887777', '5511988886666', '5511988885555'].map((number) => sequenceCall(here, [text('x')], { number, options }));
		await here.engine.run([...calls, sequenceCall(here, [text('free')], { instanceName: 'phone1', options })], { stopOnFailure: false });
		const times = here.simulator.control.messages().filter(({ text }) => text === 'x').map(({ at }) => at);
		for (const [i, at] of times.entries()) if (i > 0) expect(at - (times[i - 1] as number)).toBeGreaterThanOrEqual(140);
		const free = here.simulator.control.messages().find(({ text }) => text === 'free')?.at as number;
		expect(free - (times[0] as number)).toBeLessThan(140);
	});

	test('a cancel ends the pause, with nothing sent', async () => {
		const here = await scene();
		const cancel = new AbortController();
		void here.simulator.control.waitForMessages(1).then(() => setTimeout(() => cancel.abort(), 100));
		const outcome = await runSequence(here, [text('one'), text('two')], { options: { minimumGapSeconds: 30 } }, { signal: cancel.signal });
		expect(stepsOf(outcome)).toBe('send done, send cancelled');
	});
});

describe('the order key', () => {
	test('sorts what waits for one chat, whatever the order of the executions', async () => {
		const here = await scene();
		const first = runSequence(here, [text('first'), { type: 'wait', delaySeconds: 0.2 }]);
		await sleep(50);
		const others = [3, 1, 2].map((n) => runSequence(here, [text(`${n}`)], { options: { orderKey: `${n}-ABC` } }));
		await Promise.all([first, ...others]);
		expect(here.texts()).toEqual(['first', '1', '2', '3']);
	});
});
