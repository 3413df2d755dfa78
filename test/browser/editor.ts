// n8n's editor as a person uses it: finds nodes, adds them, fills in panels, runs them and reads what comes out.
import { join } from 'node:path';
import type { Browser, BrowserContext, ElementHandle, Locator, Page } from 'playwright-core';
import { DEMO_OWNER } from '../../scripts/n8n/rest';

export interface EditorPageOptions {
	theme?: 'light' | 'dark';
	/** Of the window, in px. Default 1280×800. */
	size?: { width: number; height: number };
	/** Device pixels per px, for sharp pictures. Default 1. */
	sharpness?: number;
}

export const NODE = 'Ordered EvolutionAPI Send';
export const BUFFER = 'Chat Message Buffer';
export const LOG = 'Ordered Message Log';

const PACKAGE = 'n8n-nodes-ordered-evolutionapi';
/** n8n binds a log-in to the browser that made it, which names itself by this in its local storage. */
const BROWSER_ID = 'ordered-evolutionapi-tests';
/** The editor takes over what is typed only when the typing has paused; no test of ours is as slow as a person. */
const TAKES_OVER_MS = 500;
const ACTIONS: Record<string, string> = { [NODE]: 'Send a text then call a webhook' };

/** What the person did so far: clicks of the mouse, and fields that were typed into. */
export interface Effort {
	clicks: number;
	fields: string[];
}

/** A field of the open panel from which a list of choices opens. */
export interface ChoiceList {
	/** Name of its parameter, and of the one that has it, where it's in a step or a row. */
	key: string;
	field: ElementHandle;
}

export class EditorPage {
	/** Errors of the console and of scripts, and requests to other hosts. */
	readonly problems: string[] = [];

	private constructor(
		private readonly context: BrowserContext,
		readonly page: Page,
		private readonly url: string,
	) {}

	/** Opens a window of a fresh profile and logs in. */
	static async open(browser: Browser, url: string, { theme = 'light', size = { width: 1280, height: 800 }, sharpness = 1 }: EditorPageOptions = {}): Promise<EditorPage> {
		const context = await browser.newContext({ viewport: size, colorScheme: theme, deviceScaleFactor: sharpness, permissions: ['clipboard-read', 'clipboard-write'] });
		context.setDefaultTimeout(30_000);
		await context.addInitScript((id) => localStorage.setItem('n8n-browserId', id), BROWSER_ID);
		await context.addInitScript({ path: join(__dirname, 'effort.js') });
		await context.addInitScript({ path: join(__dirname, 'cutOff.js') });
		await answerForNpm(context);
		const login = await context.request.post(`${url}/rest/login`, { headers: { 'browser-id': BROWSER_ID }, data: { emailOrLdapLoginId: DEMO_OWNER.email, password: DEMO_OWNER.password } });
		if (!login.ok()) throw new Error(`The log-in was answered ${login.status()}.`);
		const editor = new EditorPage(context, await context.newPage(), url);
		editor.watch();
		return editor;
	}

	private watch(): void {
		const { host } = new URL(this.url);
		this.page.on('console', (message) => {
			if (message.type() === 'error') this.problems.push(`console: ${message.text()} (${message.location().url})`);
		});
		this.page.on('pageerror', (error) => this.problems.push(`script: ${error.message}`));
		this.page.on('request', (request) => {
			const asked = new URL(request.url());
			if (asked.protocol.startsWith('http') && asked.host !== host && !isNpm(asked)) this.problems.push(`asked another host: ${request.url()}`);
		});
	}

	async close(): Promise<void> {
		await this.context.close();
	}

	async picture(path: string): Promise<void> {
		await this.page.screenshot({ path });
	}

	/** By the name that n8n's editor gives it for its own tests. */
	byId(id: string, within: Locator | Page = this.page): Locator {
		return within.locator(`[data-test-id="${id}"]`);
	}

	// -- canvas

	async newWorkflow(): Promise<void> {
		await this.page.goto(`${this.url}/workflow/new`);
		await this.byId('canvas-add-button').first().waitFor();
	}

	async openWorkflow(id: string): Promise<void> {
		await this.page.goto(`${this.url}/workflow/${id}`);
		await this.byId('canvas-node').first().waitFor();
	}

	/** The node of this name on the canvas. */
	node(name: string): Locator {
		return this.page.locator(`[data-test-id="canvas-node"][data-node-name="${name}"]`);
	}

	async openNode(name: string): Promise<void> {
		await this.node(name).dblclick();
		await this.byId('ndv').waitFor();
	}

	/** Opens the nodes panel by the key N, as the README says. */
	async openNodesPanel(): Promise<void> {
		await this.page.keyboard.press('n');
		await this.byId('node-creator-search-bar').waitFor();
	}

	/** Types into the nodes panel's search, and gives the items that it lists then. */
	async search(text: string): Promise<Locator> {
		const bar = this.byId('node-creator-search-bar');
		const input = bar.locator('input').or(bar).last();
		await input.fill('');
		await input.pressSequentially(text);
		const items = this.byId('node-creator-action-item').or(this.byId('node-creator-node-item'));
		await items.first().waitFor();
		return items;
	}

	/** Searches for a node, chooses it and its action; its panel is open then. */
	async addNode(name: string, { search = name, action = ACTIONS[name] }: { search?: string; action?: string } = {}): Promise<void> {
		await this.openNodesPanel();
		const items = await this.search(search);
		await items.filter({ has: this.page.getByText(name, { exact: true }) }).first().click();
		if (!action) throw new Error(`Which action of ${name}?`);
		await this.page.getByText(action, { exact: true }).click();
		await this.byId('ndv').waitFor();
	}

	// -- panel

	/** The parameter of this name in the open panel; `within` where several have the name. */
	parameter(name: string, within: Locator | Page = this.page): Locator {
		return this.byId(`parameter-input-${name}`, within);
	}

	/** Types into a parameter. */
	async type(name: string, text: string, within?: Locator): Promise<void> {
		const field = this.parameter(name, within).locator('input, textarea').first();
		await field.click();
		await field.pressSequentially(text);
		await this.page.waitForTimeout(TAKES_OVER_MS);
	}

	/** Chooses an option of a parameter by what it is called. */
	async choose(name: string, option: string, within?: Locator): Promise<void> {
		await this.parameter(name, within).locator('input').first().click();
		await this.page.locator('[role="option"]:visible').filter({ has: this.page.getByText(option, { exact: true }) }).first().click();
	}

	async toggle(name: string): Promise<void> {
		await this.parameter(name).locator('.el-switch').click();
	}

	/** Picks from the instance's list the one whose line begins with this name. */
	async pickInstance(name: string): Promise<void> {
		await this.byId('resource-locator-instanceName').locator('[data-test-id="rlc-input"]').click();
		await this.byId('rlc-item').filter({ hasText: name }).first().click();
	}

	async closePanel(): Promise<void> {
		await this.byId('ndv-close-button').click();
		await this.byId('ndv').waitFor({ state: 'detached' });
	}

	/** All that the open panel shows of the node's own. */
	get parameters(): Locator {
		return this.byId('ndv').locator('.node-parameters-wrapper');
	}

	/** What stands below the names of the nodes on the canvas. */
	get subtitles(): Locator {
		return this.byId('canvas-node').locator('[class*="_subtitle_"]');
	}

	/** What a person can't read in full there; fails if there is nothing to read. */
	async cutOff(where: Locator): Promise<string[]> {
		await where.first().waitFor();
		const found = await where.evaluateAll((roots) => roots.map((root) => (globalThis as unknown as { textsCutOff(root: unknown): { problems: string[]; seen: number } }).textsCutOff(root)));
		if (!found.some(({ seen }) => seen > 0)) throw new Error('There is no text to read.');
		return found.flatMap(({ problems }) => problems);
	}

	/** The fields of the open panel with a list behind them, of options or of what may be added. */
	async lists(): Promise<ChoiceList[]> {
		const fields = await this.parameters.locator('.el-select:visible input').elementHandles();
		return await Promise.all(
			fields.map(async (field) => ({
				field,
				key: await field.evaluate((input) => (globalThis as unknown as { nameOfField(field: unknown): string }).nameOfField(input)),
			})),
		);
	}

	/** The fields of the open credential's dialog. */
	get credentialFields(): Locator {
		return this.byId('credential-connection-parameter', this.dialog);
	}

	/** Opens the list, and tells what of it can't be read in full. */
	async cutOffInList({ field }: ChoiceList): Promise<string[]> {
		const list = this.page.locator('.el-popper:has(.el-select-dropdown):visible');
		await field.scrollIntoViewIfNeeded();
		await field.click();
		const problems = await this.cutOff(list);
		await field.click();
		await list.waitFor({ state: 'hidden' });
		return problems;
	}

	// -- credential

	/** The credential's dialog, once it is open. */
	get dialog(): Locator {
		return this.byId('editCredential-modal');
	}

	/** Opens the dialog of a new credential; `label` is on the panel's button, such as "EvolutionAPI Server". */
	async newCredential(label: string): Promise<void> {
		await this.page.getByText(`Connect to ${label}`, { exact: true }).click();
		await this.dialog.waitFor();
	}

	async saveCredential(): Promise<void> {
		await this.byId('credential-save-button', this.dialog).click();
	}

	// -- running

	/** Presses Execute step. */
	async executeStep(): Promise<void> {
		await this.byId('node-execute-button').click();
	}

	/** The panel at the right. */
	get output(): Locator {
		return this.byId('output-panel');
	}

	/** What the person has done in this window so far. */
	async effort(): Promise<Effort> {
		return await this.page.evaluate(() => (globalThis as unknown as { effort: Effort }).effort);
	}
}

/** For each community node the editor asks npm for its author and downloads; the tests' network is loopback only. */
async function answerForNpm(context: BrowserContext): Promise<void> {
	await context.route(isNpm, async (route) => {
		const downloads = new URL(route.request().url()).hostname.startsWith('api.');
		await route.fulfill({ json: downloads ? { downloads: [], package: PACKAGE } : { name: PACKAGE, maintainers: [{ name: 'maintainers' }], 'dist-tags': { latest: '0.1.0' } } });
	});
}

function isNpm({ hostname }: URL): boolean {
	return hostname === 'registry.npmjs.org' || hostname === 'api.npmjs.org';
}
