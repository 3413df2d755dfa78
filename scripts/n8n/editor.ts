// Everything that the demo editor needs, ready to use: n8n with this package, an account, the credential, the template.
import { readFileSync } from 'node:fs';
import { installPackage } from './package';
import { DEMO_OWNER, N8nRest, N8nRestError, type SavedWorkflow, type WorkflowData } from './rest';
import { startN8n, type N8nServer } from './server';

const CREDENTIAL_TYPE = 'evolutionServerApi';
const CREDENTIAL_NAME = 'EvolutionAPI simulator';

export interface EditorOptions {
	userFolder: string;
	port?: number;
	env?: Record<string, string>;
	/** The packed package, which is installed first; without it, the one that is installed stays. */
	tarball?: string;
	/** The workflow file to import. */
	template: string;
	/** The EvolutionAPI that the credential points to. */
	evolution: { url: string; apiKey: string };
}

export interface Editor {
	server: N8nServer;
	rest: N8nRest;
	/** The imported workflow, as saved; it is published. */
	workflow: SavedWorkflow;
	/** The paths of the webhooks it starts with. */
	webhookPaths: string[];
}

/** Starts n8n and sees to all of it; what an earlier run left in the user folder stays, but for the credential's data. */
export async function openEditor(options: EditorOptions): Promise<Editor> {
	if (options.tarball !== undefined) await installPackage(options.tarball, options.userFolder);
	const server = await startN8n({ userFolder: options.userFolder, port: options.port, env: options.env });
	try {
		const rest = new N8nRest(server.url);
		await logIn(rest, options.userFolder);
		const { url: baseUrl, apiKey } = options.evolution;
		const credential = await rest.saveCredential({ name: CREDENTIAL_NAME, type: CREDENTIAL_TYPE, data: { baseUrl, apiKey, ignoreSslIssues: false } });
		const workflow = await importTemplate(rest, withCredentials(readTemplate(options.template), { [CREDENTIAL_TYPE]: credential }));
		return { server, rest, workflow, webhookPaths: webhookPaths(workflow) };
	} catch (error) {
		await server.stop();
		throw error;
	}
}

/** A workflow file as n8n's own export writes it. */
export function readTemplate(file: string): WorkflowData {
	return JSON.parse(readFileSync(file, 'utf8')) as WorkflowData;
}

/** The workflow with credentials by their type, as somebody chooses them in the editor after an import; one that is not given is an Error. */
export function withCredentials(workflow: WorkflowData, given: Record<string, { id: string; name: string }>): WorkflowData {
	const nodes = workflow.nodes.map((node) => {
		if (!node.credentials) return node;
		const chosen = Object.entries(node.credentials as Record<string, { id: string }>).map(([type, { id }]) => {
			if (id !== '' || !given[type]) throw new Error(`The credential ${type} of "${String(node.name)}" has an ID, or none was given for it.`);
			return [type, { id: given[type].id, name: given[type].name }];
		});
		return { ...node, credentials: Object.fromEntries(chosen) as object };
	});
	return { ...workflow, nodes };
}

async function logIn(rest: N8nRest, userFolder: string): Promise<void> {
	try {
		await rest.logIn();
	} catch (error) {
		if (!(error instanceof N8nRestError) || error.status !== 401) throw error;
		throw new Error(`The account ${DEMO_OWNER.email} has another password by now. Set it back, or delete ${userFolder} to start afresh.`, { cause: error });
	}
}

/** A workflow of the template's name from an earlier run is kept as its user left it. */
async function importTemplate(rest: N8nRest, template: WorkflowData): Promise<SavedWorkflow> {
	const present = (await rest.workflows()).find(({ name }) => name === template.name);
	if (present) return await rest.workflow(present.id);
	const saved = await rest.createWorkflow({ ...template, id: undefined, active: false });
	await rest.publish(saved);
	return saved;
}

function webhookPaths(workflow: WorkflowData): string[] {
	const webhooks = workflow.nodes.filter(({ type }) => type === 'n8n-nodes-base.webhook');
	return webhooks.map(({ parameters }) => String((parameters as { path?: unknown }).path ?? ''));
}
