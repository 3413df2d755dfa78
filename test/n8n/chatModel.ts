// A chat model on loopback that speaks OpenAI's protocol: it asks for the planned calls of its first tool, then ends.
import http from 'node:http';
import type { AddressInfo } from 'node:net';

interface ChatRequest {
	tools?: Array<{ function: { name: string } }>;
	messages: Array<{ role: string; content: unknown }>;
}

export interface ChatModel {
	url: string;
	/** What each answer asks for: the arguments of its calls. */
	plan: object[][];
	/** What it says at the end of each answer without calls; then "finished". */
	says: string[];
	/** What people asked, each question once. */
	asked: string[];
	/** What the model was told that the tool gave. */
	told: string[];
	close(): void;
}

export async function startChatModel(): Promise<ChatModel> {
	const model = { plan: [] as object[][], says: [] as string[], asked: [] as string[], told: [] as string[] };
	let answers = 0;
	const server = http.createServer((request, response) => {
		const parts: Buffer[] = [];
		request.on('data', (part: Buffer) => parts.push(part));
		request.on('end', () => {
			const { tools, messages } = JSON.parse(Buffer.concat(parts).toString()) as ChatRequest;
			const last = messages.at(-1);
			if (last?.role === 'tool') model.told.push(typeof last.content === 'string' ? last.content : JSON.stringify(last.content));
			if (last?.role === 'user') model.asked.push(typeof last.content === 'string' ? last.content : JSON.stringify(last.content));
			const calls = model.plan.shift();
			const id = `answer-${++answers}`;
			const name = tools?.[0]?.function.name;
			const message = calls ? { role: 'assistant', content: null, tool_calls: calls.map((args, index) => ({ id: `call_${id}_${index}`, type: 'function', function: { name, arguments: JSON.stringify(args) } })) } : { role: 'assistant', content: model.says.shift() ?? 'finished' };
			response.writeHead(200, { 'content-type': 'application/json' });
			response.end(JSON.stringify({ id, object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, finish_reason: calls ? 'tool_calls' : 'stop', message }], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } }));
		});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const close = () => {
		server.closeAllConnections();
		server.close();
	};
	return { ...model, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, close };
}
