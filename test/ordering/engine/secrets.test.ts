// No key, header value or signing secret, and no more of the message than is needed, in the ledger, a result or an error.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Outcome } from '../../../ordering/turns';
import type { RuleInput } from '../../../simulator';
import type { CallInput } from '../../support/calls';
import { resultOf, type Scene, scene } from '../../support/scene';

const apiKey = 'api-key-7f3c9e-secret';
const headerValue = 'Bearer header-value-51ab-secret';
const signingSecret = 'signing-58cd-secret';
const queryToken = 'callback-token-aa17-secret';
const secrets = { headers: [{ name: 'Authorization', value: headerValue }], signingSecret };
const text = 'A private message, number 4711';
const body = '{"private":"webhook body 4712"}';

const scenarios: Array<[string, CallInput, RuleInput | undefined, number]> = [
	['completed', {}, undefined, 200],
	['refused', {}, { route: 'sendText', answer: { kind: 'metaRefusal', code: 131026 } }, 200],
	['in doubt', {}, { route: 'sendText', answer: { kind: 'reset' } }, 200],
	['wrong key', {}, { route: 'sendText', answer: { kind: 'http', status: 401, body: { error: 'Unauthorized' } } }, 200],
	['an error page that repeats the request', {}, { route: 'sendText', answer: { kind: 'http', status: 500, body: `<html>apikey: ${apiKey}</html>` } }, 200],
	['an answer that repeats the request', {}, { route: 'sendText', answer: { kind: 'http', status: 400, body: { status: 400, response: { message: [`no such route for ${apiKey}`] } } } }, 200],
	['a look-up that repeats the key', {}, { route: 'findMessages', answer: { kind: 'http', status: 500, body: { response: { message: apiKey } } } }, 200],
	['a wait that ran out', { waitFor: 'read', ackTimeoutSeconds: 0.5 }, undefined, 200],
	['a webhook that failed', {}, undefined, 404],
];

async function play(on: Scene): Promise<Outcome[]> {
	const outcomes: Outcome[] = [];
	for (const [name, input, rule, status] of scenarios) {
		on.simulator.control.clearRules();
		on.receiver.behaveWell();
		if (rule) on.simulator.control.addRule(rule);
		if (rule?.route === 'findMessages') on.simulator.control.addRule({ route: 'sendText', answer: { kind: 'reset' } });
		on.receiver.behave({ status, body: 'answer' }, { path: '/after' });
		on.receiver.behave({ status: 500 });
		outcomes.push(await on.run({ text, webhookUrl: '/after', webhookBody: body, ...input, options: { transactionId: name, attempts: 1, errorCallbackUrl: `/failed?token=${queryToken}` } }, { secrets }));
	}
	return outcomes;
}

function filesOf(folder: string): string {
	return readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1')).join('\n');
}

test('after every kind of end, no file of the ledger, result or error has a secret', async () => {
	const on = await scene({}, { apiKey });
	const outcomes = await play(on);
	expect(new Set(outcomes.map(({ transaction }) => transaction?.status))).toEqual(new Set(['completed', 'failed', 'inDoubt', 'unconfirmed']));
	// the secrets were really used
	expect(on.receiver.callsTo('/after')[0]?.headers).toMatchObject({ authorization: headerValue, 'webhook-signature': expect.stringMatching(/^v1,/) });
	const shown = JSON.stringify(outcomes.map((outcome) => [resultOf(outcome), outcome.failure]));
	for (const secret of [apiKey, headerValue, signingSecret]) {
		expect(filesOf(on.folder)).not.toContain(secret);
		expect(shown).not.toContain(secret);
	}
	expect(shown).not.toContain(queryToken);
	const told = on.receiver.calls.map((call) => call.body).join('\n');
	for (const secret of [apiKey, headerValue, signingSecret]) expect(told).not.toContain(secret);
});

test('message and webhook body are on record while the transaction may go on, and gone once it has ended for good', async () => {
	const on = await scene();
	const record = (id: string) => {
		const database = new DatabaseSync(join(on.folder, 'ledger.sqlite'), { readOnly: true });
		const rows = database.prepare('select body from transactions where id = ?').get(id);
		database.close();
		return String(rows?.body);
	};
	await on.run({ text, webhookUrl: '/after', webhookBody: body, options: { transactionId: 'ended' } });
	expect(record('ended')).not.toContain('4711');
	expect(record('ended')).not.toContain('4712');
	on.receiver.behave({ status: 404 }, { times: 1 });
	const open = { text, webhookUrl: '/after', webhookBody: body, options: { transactionId: 'open' } };
	await on.run(open);
	expect(record('open')).toContain('4711');
	expect(record('open')).toContain('4712');
	await on.run(open);
	expect(record('open')).not.toContain('4711');
	expect(record('open')).not.toContain('4712');
	await on.run({ text, options: { transactionId: 'kept', storeMessageText: true } });
	expect(record('kept')).toContain('4711');
});

test('once every transaction has ended for good and the ledger is closed, its files hold no byte of the message', async () => {
	const on = await scene();
	for (let index = 0; index < 20; index++) await on.run({ text: `${text} ${index}`, webhookUrl: '/after', webhookBody: body });
	await on.engine.close();
	expect(filesOf(on.folder)).not.toContain('A private message');
	expect(filesOf(on.folder)).not.toContain('webhook body 4712');
});

test('the ledger can be read by its owner only', async () => {
	const on = await scene();
	await on.run();
	expect(readdirSync(on.folder)).toEqual(expect.arrayContaining(['ledger.sqlite', 'ledger.sqlite-wal', 'ledger.lock']));
	for (const name of readdirSync(on.folder)) expect([name, (statSync(join(on.folder, name)).mode & 0o077)]).toEqual([name, 0]);
});
