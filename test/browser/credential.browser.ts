// The credentials' dialogs: what a person is told who fills them in right or wrong; and the instance's list that they open.
import { type EditorPage, cutOff, NODE } from './editor';
import { useStage } from './stage';
import { makeWorkflow } from './workflows';

const stage = useStage();

const key = 'my-own-secret-key';

async function withPanel(): Promise<EditorPage> {
	const { id } = await stage.rest.createWorkflow({
		name: 'To be filled in',
		nodes: [{ id: 'a', name: NODE, type: 'n8n-nodes-ordered-evolutionapi.orderedEvolutionApiSend', typeVersion: 1, position: [0, 0], parameters: { webhookAuthentication: 'credential' } }],
		connections: {},
	});
	const editor = await stage.open();
	await editor.openWorkflow(id);
	await editor.openNode(NODE);
	return editor;
}

beforeEach(async () => {
	for (const { id } of await stage.rest.credentials()) await stage.rest.request('DELETE', `/rest/credentials/${id}`);
});

/** Saves, and gives why the test failed; what the dialog shows is whole, and none of it a secret. */
async function failureOf(editor: EditorPage, secrets: string[]): Promise<string> {
	const why = await editor.saveAndUnfold();
	expect(await cutOff(why)).toEqual([]);
	for (const secret of secrets) expect(await editor.dialog.innerText()).not.toContain(secret);
	return await why.innerText();
}

/** Of 1, where nothing listens. */
const closed = '127.0.0.1:1';

test('with a wrong address or key the dialog says what is wrong and what to do, and with the right ones it is saved and tested', async () => {
	const editor = await withPanel();
	await editor.newCredential('EvolutionAPI Server');
	const { url } = stage.simulator;
	const server = stage.server.url;
	const wrong: Array<[address: string, why: RegExp]> = [
		[url, /refused the API key\. Enter the key that EvolutionAPI has as AUTHENTICATION_API_KEY, or the token of one instance\./],
		[`http://${closed}`, /Nothing listens at .*\(connection refused\)\. Check that the server runs, and its port\. From inside Docker, localhost is the container itself: use the name of the service\./],
		['http://no-such-host.invalid', /The name no-such-host\.invalid could not be found .*Check the spelling of the address\./],
		[server, /answered 404, but it is not EvolutionAPI that answers there\. Check the Base URL: it is the server's address, such as https:\/\/evolution\.example\.com, without \/manager\./],
		[`${url}/manager`, /Check the Base URL: it is the server's address, such as https:\/\/evolution\.example\.com, without \/manager\./],
		[url.replace('http:', 'https:'), /No secure connection to .*Check whether the address has to begin with http:\/\/ instead of https:\/\/, and its port\./],
		[url.replace('http://', ''), /has to begin with https:\/\/ or http:\/\//],
	];
	await editor.fill('apiKey', key, editor.dialog);
	for (const [address, why] of wrong) {
		await editor.fill('baseUrl', address, editor.dialog);
		expect(await failureOf(editor, [key])).toMatch(why);
	}
	await editor.fill('baseUrl', url, editor.dialog);
	await editor.fill('apiKey', stage.simulator.apiKey, editor.dialog);
	await editor.saveCredential();
	await editor.dialog.waitFor({ state: 'detached' });
	await editor.editCredential();
	await editor.dialog.getByText('Connection tested successfully').waitFor();
});

test("with the key of one instance the credential is good, and the instance's list shows that instance only", async () => {
	const editor = await withPanel();
	await editor.newCredential('EvolutionAPI Server');
	await editor.fill('baseUrl', stage.simulator.url, editor.dialog);
	await editor.fill('apiKey', 'instance-token', editor.dialog);
	await editor.saveCredential();
	await editor.dialog.waitFor({ state: 'detached' });
	expect(await (await editor.openInstances()).allInnerTexts()).toEqual(['meta1 (Meta Cloud API, connected)']);
	await editor.page.keyboard.press('Escape');
	await editor.editCredential();
	await editor.dialog.getByText('Connection tested successfully').waitFor();
	expect(await editor.dialog.innerText()).not.toContain('instance-token');
});

test("the instance's list shows channel and state, can be searched, and a name can be typed instead", async () => {
	const { id } = await makeWorkflow(stage, 'To be filled in', { [NODE]: { parameters: { text: 'Your order is confirmed', number: '+55 11 98888-7777', callWebhook: false } } });
	const editor = await stage.open();
	await editor.openWorkflow(id);
	await editor.openNode(NODE);
	const items = await editor.openInstances();
	expect(await items.allInnerTexts()).toEqual(['baileys1 (WhatsApp Web, not connected)', 'evo1 (EvolutionAPI channel, connected)', 'ghost (Meta Cloud API, connected)', 'meta1 (Meta Cloud API, connected)', 'phone1 (WhatsApp Web, connected)']);
	for (const item of await items.all()) expect(await cutOff(item)).toEqual([]);
	await editor.searchInstances('META');
	expect(await items.allInnerTexts()).toEqual(['meta1 (Meta Cloud API, connected)']);
	await editor.page.keyboard.press('Escape');
	await editor.nameInstance('meta1');
	await editor.executeStep();
	await stage.simulator.control.waitForMessages(1, 20_000);
	expect(stage.simulator.control.messages()).toMatchObject([{ instance: 'meta1' }]);
});

test('the dialog of the shared store says which of its two addresses nothing answers at, and shows no password', async () => {
	const editor = await withPanel();
	await editor.newCredential('Ordered Store');
	await editor.dialog.getByText('One store for all workers of one n8n').waitFor();
	await editor.fill('postgresUrl', `postgresql://n8n:${key}@${closed}/n8n`, editor.dialog);
	await editor.fill('redisUrl', `redis://:${key}@${closed}`, editor.dialog);
	const why = await failureOf(editor, [key]);
	expect(why).toMatch(/PostgreSQL.*127\.0\.0\.1:1/);
	expect(why).toMatch(/Redis.*127\.0\.0\.1:1/);
});

test("the dialog of a webhook's target says what can't be used as a header, and takes what can", async () => {
	const editor = await withPanel();
	await editor.newCredential('Webhook Target');
	await editor.fill('headerName', 'not a header', editor.dialog);
	await editor.fill('headerValue', key, editor.dialog);
	expect(await failureOf(editor, [key])).toContain("This can't be used: the header has a name with characters that HTTP forbids, or none.");
	await editor.fill('headerName', 'Authorization', editor.dialog);
	await editor.saveCredential();
	await editor.dialog.waitFor({ state: 'detached' });
	await editor.editCredential();
	await editor.dialog.getByText('Connection tested successfully').waitFor();
	expect(await cutOff(editor.dialog)).toEqual([]);
});
