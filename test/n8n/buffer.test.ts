// The templates of buffered chats in a real n8n: quick messages become one question, and all bubbles of the answer come in order.
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { WorkflowData } from '../../scripts/n8n/rest';
import { startN8n } from '../../scripts/n8n/server';
import { type ChatModel, startChatModel } from './chatModel';
import { usePlace } from './place';

const place = usePlace();

/** One call as TypeBot got it. */
interface TypebotCall {
	path: string;
	body: { message?: { type: string; text: string }; prefilledVariables?: object; textBubbleContentFormat?: string };
}

/** Plays TypeBot's two calls: a session that ends with its third question; `answers` are taken in turn. */
class Typebot {
	readonly calls: TypebotCall[] = [];
	readonly answers: object[] = [];
	private sessions = 0;
	private questions = 0;
	private readonly server = http.createServer((request, response) => void this.serve(request, response));

	async start(): Promise<string> {
		await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
		return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
	}

	close(): void {
		this.server.closeAllConnections();
		this.server.close();
	}

	private async serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
		const chunks: Buffer[] = [];
		for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
		this.calls.push({ path: request.url ?? '', body: JSON.parse(Buffer.concat(chunks).toString()) as TypebotCall['body'] });
		const [status, body] = this.answer(request.url ?? '');
		response.writeHead(status, { 'content-type': 'application/json' });
		response.end(JSON.stringify(body));
	}

	private answer(path: string): [number, object] {
		const starts = path === '/api/v1/typebots/my-typebot/startChat';
		if (starts) {
			this.sessions += 1;
			this.questions = 0;
		} else if (path !== `/api/v1/sessions/session-${this.sessions}/continueChat` || this.questions >= 3) return [404, { message: 'Session not found.', code: 'NOT_FOUND' }];
		this.questions += 1;
		return [200, { ...(starts ? { sessionId: `session-${this.sessions}`, resultId: `result-${this.sessions}`, typebot: { id: 'bot' } } : {}), ...(this.answers.shift() ?? bubbles('…')) }];
	}
}

function bubbles(...texts: string[]): { messages: object[] } {
	return { messages: texts.map((markdown, index) => ({ id: `bubble-${index}`, type: 'text', content: { type: 'markdown', markdown } })) };
}

let messages = 0;

/** A message of a person, as EvolutionAPI's webhook tells it. */
async function writes(path: string, number: string, text: string): Promise<void> {
	const data = { key: { remoteJid: `${number}@s.whatsapp.net`, fromMe: false, id: `IN-${++messages}` }, pushName: 'Ana', message: { conversation: text }, messageType: 'conversation', messageTimestamp: Math.floor(Date.now() / 1000) };
	expect((await place.editor.rest.callWebhook(path, { event: 'messages.upsert', instance: 'meta1', server_url: place.simulator.url, data })).status).toBe(200);
}

/** What a person fills in before the first message, with a shorter quiet time. */
function filledIn(address?: string): (template: WorkflowData) => WorkflowData {
	return (template) => ({
		...template,
		nodes: template.nodes.map((node) => {
			const text = JSON.stringify(node).replace('"quietSeconds":3', '"quietSeconds":1');
			return JSON.parse(address ? text.replace('https://typebot.example.com', address) : text) as typeof node;
		}),
	});
}

describe('with TypeBot', () => {
	const typebot = new Typebot();
	const path = 'whatsapp-typebot';
	let number = '';

	beforeAll(async () => {
		const address = await typebot.start();
		await place.importTemplate('whatsapp-buffer-typebot.json', {}, filledIn(address));
		number = place.number();
	});
	afterAll(() => typebot.close());
	beforeEach(() => void typebot.calls.splice(0));

	test('quick messages are one question, which starts a conversation; its bubbles, a picture and choices come in order', async () => {
		typebot.answers.push({ messages: [...bubbles('one', 'two').messages, { id: 'picture', type: 'image', content: { url: 'https://example.com/a.png' } }, ...bubbles('three').messages], input: { type: 'choice input', items: [{ id: '1', content: 'Yes' }, { id: '2', content: 'No' }] } });
		for (const text of ['Hi', 'I want', 'to book']) await writes(path, number, text);
		await place.simulator.control.waitForMessages(5, 20_000);
		expect(place.simulator.control.messages().map(({ type, text }) => `${type} ${text}`)).toEqual(['sendText one', 'sendText two', expect.stringMatching(/^sendMedia /), 'sendText three', 'sendText • Yes\n• No']);
		expect(typebot.calls.map((call) => call.path)).toEqual(['/api/v1/sessions/none/continueChat', '/api/v1/typebots/my-typebot/startChat']);
		expect(typebot.calls[1]?.body).toEqual({ message: { type: 'text', text: 'Hi\nI want\nto book' }, prefilledVariables: { remoteJid: `${number}@s.whatsapp.net`, pushName: 'Ana', instanceName: 'meta1' }, textBubbleContentFormat: 'markdown' });
	});

	test('the next question goes on in the conversation, and what is written meanwhile is the one after', async () => {
		typebot.answers.push(bubbles('answer 1a', 'answer 1b'), bubbles('answer 2'));
		place.simulator.control.addRule({ route: 'sendText', textEquals: 'answer 1a', answerAfterMs: 2500 });
		await writes(path, number, 'Question 1');
		await place.simulator.control.waitForMessages(1, 20_000);
		await writes(path, number, 'Question 2');
		await place.simulator.control.waitForMessages(3, 20_000);
		expect(place.effects()).toEqual(['message answer 1a', 'message answer 1b', 'message answer 2']);
		expect(typebot.calls.map((call) => `${call.path} ${call.body.message?.text}`)).toEqual(['Question 1', 'Question 2'].map((text) => `/api/v1/sessions/session-1/continueChat ${text}`));
	});

	test('a conversation that has ended is begun anew', async () => {
		typebot.answers.push(bubbles('welcome again'));
		await writes(path, number, 'Hello again');
		await place.simulator.control.waitForMessages(1, 20_000);
		expect(typebot.calls.map((call) => call.path)).toEqual(['/api/v1/sessions/session-1/continueChat', '/api/v1/typebots/my-typebot/startChat']);
		expect(place.effects()).toEqual(['message welcome again']);
	});

	test('an answer without bubbles ends its turn, so that the next question is not held up', async () => {
		typebot.answers.push({ messages: [] }, bubbles('here'));
		await writes(path, number, 'Silent');
		for (let tries = 0; typebot.calls.length < 1 && tries < 100; tries++) await new Promise((resolve) => setTimeout(resolve, 100));
		await writes(path, number, 'And now?');
		await place.simulator.control.waitForMessages(1, 20_000);
		expect(place.effects()).toEqual(['message here']);
	});
});

describe('messages that a killed n8n had collected', () => {
	const typebot = new Typebot();
	afterAll(() => typebot.close());

	test('are answered after its start, by the template that takes over', async () => {
		const address = await typebot.start();
		const answering = await place.importTemplate('whatsapp-buffer-typebot.json', {}, (template) => JSON.parse(JSON.stringify(filledIn(address)(template)).replaceAll('whatsapp-typebot', 'whatsapp-left').replace('"quietSeconds":1', '"quietSeconds":10')) as WorkflowData);
		await place.importTemplate('take-over-messages.json', {}, (template) => ({
			...template,
			nodes: template.nodes.map((node) => {
				if (node.name === 'Every minute') return { ...node, parameters: { rule: { interval: [{ field: 'seconds', secondsInterval: 2 }] } } };
				return node.name === 'Answer them' ? { ...node, parameters: { ...(node.parameters as object), workflowId: { __rl: true, mode: 'id', value: answering.id } } } : node;
			}),
		}));
		typebot.answers.push(bubbles('sorry for the wait'));
		await writes('whatsapp-left', place.number(), 'Anybody there?');
		// EvolutionAPI has its answer before the message is in the buffer
		await new Promise((resolve) => setTimeout(resolve, 2000));
		await place.editor.server.kill();
		const { port } = new URL(place.editor.server.url);
		place.editor.server = await startN8n({ userFolder: place.userFolder, port: Number(port) });
		await place.editor.rest.logIn();
		await place.simulator.control.waitForMessages(1, 60_000);
		expect(place.effects()).toEqual(['message sorry for the wait']);
		expect(typebot.calls.map(({ body }) => body.message?.text)).toEqual(['Anybody there?', 'Anybody there?']);
	}, 240_000);
});

describe('with an AI agent', () => {
	let model: ChatModel;
	beforeAll(async () => {
		model = await startChatModel();
		const openAi = await place.editor.rest.saveCredential({ name: 'OpenAI', type: 'openAiApi', data: { apiKey: 'x', url: model.url, organizationId: '', header: false } });
		await place.importTemplate('whatsapp-buffer-ai-agent.json', { openAiApi: openAi }, filledIn());
	});
	afterAll(() => model.close());

	test('quick messages are one question, and each paragraph of the answer is a message, in order', async () => {
		model.says.push('First part.\n\nSecond part\nin two lines.\n\nThird.');
		const number = place.number();
		for (const text of ['Do you', 'deliver?']) await writes('whatsapp-ai-agent', number, text);
		await place.simulator.control.waitForMessages(3, 20_000);
		expect(place.effects()).toEqual(['message First part.', 'message Second part\nin two lines.', 'message Third.']);
		expect(model.asked).toEqual(['Do you\ndeliver?']);
	});
});
