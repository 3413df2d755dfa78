// The templates as a person imports them: from their file, and pasted as JSON.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { projectRoot } from '../../scripts/n8n/paths';
import type { WorkflowData } from '../../scripts/n8n/rest';
import type { EditorPage } from './editor';
import { useStage } from './stage';

const STICKY = 'n8n-nodes-base.stickyNote';

const stage = useStage();

const folder = join(projectRoot, 'templates');
const files = readdirSync(folder).filter((file) => file.endsWith('.json')).map((file) => join(folder, file));
const templates = files.map((file) => ({ file, json: readFileSync(file, 'utf8') })).filter(({ json }) => isWorkflow(json)).map(({ file, json }): [string, string, WorkflowData] => [basename(file), json, JSON.parse(json) as WorkflowData]);

function isWorkflow(json: string): boolean {
	return 'connections' in (JSON.parse(json) as object);
}

beforeAll(async () => {
	await stage.credential();
	await stage.rest.saveCredential({ name: 'Key of your API', type: 'httpHeaderAuth', data: { name: 'X-Api-Key', value: 'a-long-random-value' } });
	await stage.rest.saveCredential({ name: 'OpenAI', type: 'openAiApi', data: { apiKey: 'a-key', url: stage.simulator.url, headerName: '', headerValue: '', header: false } });
});

/** What no credential gives, and the template's note asks for. */
const toChoose: Record<string, string[]> = { 'take-over-messages.json': ['Answer them'] };

async function expectWhole(editor: EditorPage, file: string, nodes: WorkflowData['nodes']): Promise<void> {
	const names = nodes.filter(({ type }) => type !== STICKY).map((node) => String(node.name));
	const notes = nodes.filter(({ type }) => type === STICKY);
	await editor.node(names.at(-1) ?? '').waitFor();
	expect((await editor.nodeNames()).sort()).toEqual([...names].sort());
	const asked = toChoose[file] ?? [];
	expect(await editor.nodesWithIssues()).toEqual(asked);
	const written = notes.map(({ parameters }) => (parameters as { content: string }).content).join('\n');
	for (const node of asked) expect(written).toContain(`In **${node}**, choose`);
	expect(await editor.page.getByText(/not (currently )?installed|unknown node|Install this node/i).count()).toBe(0);
	expect(await editor.stickyNotes()).toEqual(notes.map(() => ({ isCutOff: false })));
}

test.each(templates)('%s comes whole, from its file and pasted, under its name, with notes that can be read, and nothing to choose but the credentials and what they ask for', async (file, json, { name, nodes }) => {
	const editor = await stage.open();
	await editor.newWorkflow();
	await editor.importFile(join(folder, file));
	await expectWhole(editor, file, nodes);
	expect(await editor.workflowName()).toBe(name);
	await editor.newWorkflow();
	await editor.paste(json);
	await expectWhole(editor, file, nodes);
});
