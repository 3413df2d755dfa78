// A client for the REST interface that n8n's editor uses: owner, credentials, workflows, executions.
import { setTimeout as sleep } from 'node:timers/promises';
import { unflatten } from './unflatten';

/** The account that the scripts and tests make in an n8n of their own, on loopback. */
export const DEMO_OWNER = { email: 'owner@example.com', firstName: 'Demo', lastName: 'Owner', password: 'Ordered-Demo-1' };

export interface CredentialData {
	name: string;
	type: string;
	data: Record<string, unknown>;
}

export interface WorkflowData {
	id?: string;
	name: string;
	nodes: Array<Record<string, unknown>>;
	connections: Record<string, unknown>;
	settings?: Record<string, unknown>;
	[key: string]: unknown;
}

export interface SavedWorkflow extends WorkflowData {
	id: string;
	versionId: string;
}

export interface ExecutionSummary {
	id: string;
	/** new, running, success, error, canceled, crashed or waiting */
	status: string;
	mode: string;
	startedAt: string;
	stoppedAt?: string;
	retryOf?: string | null;
	retrySuccessId?: string | null;
	workflowId: string;
}

export interface TaskData {
	startTime: number;
	executionTime: number;
	executionStatus?: string;
	data?: Record<string, Array<Array<{ json: Record<string, unknown>; error?: unknown }> | null>>;
	error?: { message: string; name?: string; context?: Record<string, unknown>; [key: string]: unknown };
}

export interface Execution extends ExecutionSummary {
	data: { resultData: { runData: Record<string, TaskData[]>; lastNodeExecuted?: string; error?: { message: string; [key: string]: unknown } }; [key: string]: unknown };
}

/** An answer of n8n other than 2xx. */
export class N8nRestError extends Error {
	constructor(readonly what: string, readonly status: number, readonly body: string) {
		super(`${what} gave ${status}: ${body.slice(0, 500)}`);
	}
}

/** n8n binds a log-in to the browser that made it, which names itself by this. */
export const BROWSER_ID = 'ordered-evolutionapi';

const ENDED = ['success', 'error', 'canceled', 'crashed'];

export class N8nRest {
	/** Of the log-in, as in "n8n-auth=…"; empty before it. */
	cookie = '';

	constructor(readonly url: string) {}

	/** One request as the editor makes it; gives the answer's `data` where it has one. */
	async request<T>(method: string, path: string, body?: unknown): Promise<T> {
		const answer = await fetch(this.url + path, {
			method,
			headers: { 'content-type': 'application/json', 'browser-id': BROWSER_ID, ...(this.cookie && { cookie: this.cookie }) },
			body: body === undefined ? undefined : JSON.stringify(body),
		});
		const cookie = answer.headers.getSetCookie().find((one) => one.startsWith('n8n-auth='));
		if (cookie) this.cookie = cookie.split(';')[0] ?? '';
		const text = await answer.text();
		if (!answer.ok) throw new N8nRestError(`${method} ${path}`, answer.status, text);
		const parsed = parse(text);
		return (isRecord(parsed) && 'data' in parsed ? parsed.data : parsed) as T;
	}

	/** Makes the owner account if there is none yet, and logs in. */
	async logIn(owner = DEMO_OWNER): Promise<void> {
		const { userManagement } = await this.request<{ userManagement: { showSetupOnFirstLoad: boolean } }>('GET', '/rest/settings');
		if (userManagement.showSetupOnFirstLoad) await this.request('POST', '/rest/owner/setup', owner);
		await this.request('POST', '/rest/login', { emailOrLdapLoginId: owner.email, password: owner.password });
	}

	/** The descriptions of all installed nodes. */
	async nodeTypes(): Promise<Array<{ name: string; version: number | number[]; [key: string]: unknown }>> {
		return await this.request('GET', '/types/nodes.json');
	}

	async credentials(): Promise<Array<{ id: string; name: string; type: string }>> {
		return await this.request('GET', '/rest/credentials');
	}

	async createCredential(credential: CredentialData): Promise<{ id: string; name: string; type: string }> {
		return await this.request('POST', '/rest/credentials', credential);
	}

	/** Creates the credential, or gives the one of the same name and type these data. */
	async saveCredential(credential: CredentialData): Promise<{ id: string; name: string; type: string }> {
		const present = (await this.credentials()).find(({ name, type }) => name === credential.name && type === credential.type);
		if (!present) return await this.createCredential(credential);
		await this.request('PATCH', `/rest/credentials/${present.id}`, { id: present.id, ...credential });
		return present;
	}

	/** Runs the credential's own test, as its dialog does. */
	async testCredential(credential: CredentialData & { id: string }): Promise<{ status: 'OK' | 'Error'; message: string }> {
		return await this.request('POST', '/rest/credentials/test', { credentials: credential });
	}

	/** What the list of a resource locator shows. */
	async resourceLocatorList(query: {
		nodeType: string;
		version?: number;
		/** The parameter's name. */
		parameter: string;
		methodName: string;
		credentials?: Record<string, { id: string; name: string }>;
		currentNodeParameters?: Record<string, unknown>;
		filter?: string;
	}): Promise<{ results: Array<{ name: string; value: string; [key: string]: unknown }>; paginationToken?: unknown }> {
		return await this.request('POST', '/rest/dynamic-node-parameters/resource-locator-results', {
			path: `parameters.${query.parameter}`,
			nodeTypeAndVersion: { name: query.nodeType, version: query.version ?? 1 },
			currentNodeParameters: query.currentNodeParameters ?? {},
			credentials: query.credentials ?? {},
			methodName: query.methodName,
			...(query.filter !== undefined && { filter: query.filter }),
		});
	}

	async workflows(): Promise<Array<{ id: string; name: string }>> {
		return await this.request('GET', '/rest/workflows');
	}

	async workflow(id: string): Promise<SavedWorkflow> {
		return await this.request('GET', `/rest/workflows/${id}`);
	}

	async createWorkflow(workflow: WorkflowData): Promise<SavedWorkflow> {
		return await this.request('POST', '/rest/workflows', { settings: { executionOrder: 'v1' }, pinData: {}, ...workflow });
	}

	async updateWorkflow(id: string, change: Partial<WorkflowData> & { versionId?: string }): Promise<SavedWorkflow> {
		return await this.request('PATCH', `/rest/workflows/${id}?forceSave=true`, change);
	}

	/** Publishes a workflow and waits until its webhooks answer; n8n says yes before that. */
	async publish({ id, versionId }: { id: string; versionId: string }, withinMs = 30_000): Promise<void> {
		await this.request('POST', `/rest/workflows/${id}/activate`, { versionId });
		const until = Date.now() + withinMs;
		let last: { status?: string } | undefined;
		while (Date.now() < until) {
			last = await this.request<{ status?: string }>('GET', `/rest/workflows/${id}/publication-status`);
			if (last.status === 'published') return;
			await sleep(50);
		}
		throw new Error(`Workflow ${id} was not published within ${withinMs} ms: ${JSON.stringify(last)}`);
	}

	async unpublish(id: string): Promise<void> {
		await this.request('POST', `/rest/workflows/${id}/deactivate`, {});
	}

	/** Calls a published webhook, as a caller from outside does. */
	async callWebhook(path: string, body: unknown, headers: Record<string, string> = {}): Promise<{ status: number; text: string; json: unknown }> {
		const answer = await fetch(`${this.url}/webhook/${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });
		const text = await answer.text();
		return { status: answer.status, text, json: parse(text) };
	}

	/** A workflow's executions, the newest first. */
	async executions(workflowId: string): Promise<ExecutionSummary[]> {
		const filter = encodeURIComponent(JSON.stringify({ workflowId }));
		const { results } = await this.request<{ results: ExecutionSummary[] }>('GET', `/rest/executions?filter=${filter}&limit=100`);
		return results;
	}

	/** One execution with what each node gave. */
	async execution(id: string): Promise<Execution> {
		const { data, ...rest } = await this.request<Omit<Execution, 'data'> & { data: string }>('GET', `/rest/executions/${id}`);
		return { ...rest, data: unflatten(data) as Execution['data'] };
	}

	/** Waits until an execution has ended, and gives it. */
	async executionEnded(id: string, withinMs = 60_000): Promise<Execution> {
		const until = Date.now() + withinMs;
		let last: Execution | undefined;
		while (Date.now() < until) {
			last = await this.execution(id);
			if (ENDED.includes(last.status)) return last;
			await sleep(100);
		}
		throw new Error(`Execution ${id} did not end within ${withinMs} ms: it is ${last?.status}.`);
	}

	/** Waits until a workflow has a running execution, and gives the newest. */
	async executionRunning(workflowId: string, withinMs = 10_000): Promise<ExecutionSummary> {
		const until = Date.now() + withinMs;
		while (Date.now() < until) {
			const running = (await this.executions(workflowId)).find(({ status }) => status === 'running');
			if (running) return running;
			await sleep(50);
		}
		throw new Error(`Workflow ${workflowId} had no running execution within ${withinMs} ms.`);
	}

	/** The editor's Stop button. */
	async stopExecution(id: string): Promise<void> {
		await this.request('POST', `/rest/executions/${id}/stop`, {});
	}

	/** The editor's Retry button, with the workflow as it was or as it is now; waits for the new execution's end. */
	async retryExecution(id: string, { withCurrentWorkflow = false } = {}): Promise<Execution> {
		const { id: newId } = await this.request<{ id: string }>('POST', `/rest/executions/${id}/retry`, { loadWorkflow: withCurrentWorkflow });
		return await this.executionEnded(newId);
	}
}

function parse(text: string): unknown {
	try {
		return JSON.parse(text) as unknown;
	} catch {
		return text;
	}
}

function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
