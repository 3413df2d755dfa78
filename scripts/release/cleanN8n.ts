// Whether a packed package works in an n8n that has nothing else: installed as n8n does it, found, and one workflow run.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSimulator } from '../../simulator';
import { openEditor } from '../n8n/editor';
import { startReceiver } from '../n8n/receiver';
import type { N8nRest } from '../n8n/rest';
import type { Manifest } from './manifest';

/** The simple case: a text, its delivery, a webhook. */
const TEMPLATE = 'templates/ordered-send.json';

export async function cleanN8nProblems(tarball: string, manifest: Manifest, root: string): Promise<string[]> {
	const userFolder = mkdtempSync(join(tmpdir(), 'ordered-release-'));
	const called: string[] = [];
	const receiver = await startReceiver(({ path }) => called.push(path));
	const simulator = await startSimulator();
	try {
		const editor = await openEditor({ userFolder, tarball, template: join(root, TEMPLATE), evolution: simulator });
		try {
			const missing = await missingTypes(editor.rest, manifest);
			const { status, json } = await editor.rest.callWebhook(editor.webhookPaths[0] ?? '', { instanceName: 'meta1', number: '5511999999999', text: 'Release', webhookUrl: `${receiver.url}/done` });
			const done = (json as { status?: string } | null)?.status;
			const ran = status === 200 && done === 'completed' && simulator.control.messages().length === 1 && called.join() === '/done';
			return [...missing, ...(ran ? [] : [`In a clean n8n ${TEMPLATE} gave ${status}, ${JSON.stringify(json)}, with ${simulator.control.messages().length} messages sent and ${called.length} webhooks called, instead of one of each and "completed".`])];
		} finally {
			await editor.server.stop();
		}
	} finally {
		await simulator.close();
		await receiver.close();
		rmSync(userFolder, { recursive: true, force: true });
	}
}

async function missingTypes(rest: N8nRest, { name, n8n }: Manifest): Promise<string[]> {
	const nodes = (await rest.nodeTypes()).map((type) => type.name);
	const credentials = (await rest.request<Array<{ name: string }>>('GET', '/types/credentials.json')).map((type) => type.name);
	const missingNodes = (n8n?.nodes ?? []).map((file) => `${name}.${typeNameOf(file)}`).filter((type) => !nodes.includes(type));
	const missingCredentials = (n8n?.credentials ?? []).map(typeNameOf).filter((type) => !credentials.includes(type));
	return [...missingNodes, ...missingCredentials].map((type) => `A clean n8n does not know ${type} after the install.`);
}

/** `dist/nodes/SomeNode/SomeNode.node.js` is the type `someNode`, and credentials alike. */
function typeNameOf(file: string): string {
	const className = (file.split('/').at(-1) ?? '').split('.')[0] ?? '';
	return `${className.charAt(0).toLowerCase()}${className.slice(1)}`;
}
