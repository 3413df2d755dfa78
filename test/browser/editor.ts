// n8n's editor as a person uses it: finds nodes, adds them, fills in panels, runs them and reads what comes out.
import { join } from 'node:path';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
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
/** The editor's own code is large, and a busy machine takes its time. */
const LOADS_WITHIN_MS = 90_000;
const ACTIONS: Record<string, string> = { [NODE]: 'Send a text then call a webhook' };

/** What the person did so far: clicks of the mouse, and fields that were typed into. */
export interface Effort {
	clicks: number;
	fields: string[];
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
		context.setDefaultNavigationTimeout(LOADS_WITHIN_MS);
		await context.addInitScript((id) => localStorage.setItem('n8n-browserId', id), BROWSER_ID);
		for (const script of ['effort.js', 'cutOff.js']) await context.addInitScript({ path: join(__dirname, script) });
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
		await this.byId('canvas-add-button').first().waitFor({ timeout: LOADS_WITHIN_MS });
	}

	async openWorkflow(id: string): Promise<void> {
		await this.page.goto(`${this.url}/workflow/${id}`);
		await this.byId('canvas-node').first().waitFor({ timeout: LOADS_WITHIN_MS });
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
		await this.page.waitForTimeout(TAKES_OVER_MS);
		await items.first().waitFor();
		return items;
	}

	/** Moves a node of the canvas with the mouse, by so many px. */
	async dragNode(name: string, right: number, down: number): Promise<void> {
		const { x, y } = await this.middleOf(this.node(name));
		await this.drag({ x, y }, { x: x + right, y: y + down });
	}

	/** Draws an edge with the mouse, from an output's circle to another node's input. */
	async connect(from: string, to: string): Promise<void> {
		const output = this.page.locator(`[data-test-id="canvas-node-output-handle"][data-node-name="${from}"]`).first();
		const input = this.page.locator(`[data-test-id="canvas-node-input-handle"][data-node-name="${to}"]`).first();
		await this.drag(await this.middleOf(output), await this.middleOf(input));
		await this.page.locator(`[data-test-id="edge"][data-source-node-name="${from}"][data-target-node-name="${to}"]`).first().waitFor({ state: 'attached' });
	}

	private async middleOf(what: Locator): Promise<{ x: number; y: number }> {
		const box = await what.boundingBox();
		if (!box) throw new Error('It is not to be seen.');
		return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
	}

	private async drag(from: { x: number; y: number }, to: { x: number; y: number }): Promise<void> {
		await this.page.mouse.move(from.x, from.y);
		await this.page.mouse.down();
		await this.page.mouse.move(to.x, to.y, { steps: 10 });
		await this.page.mouse.up();
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

	/** Types into a parameter in place of what it has. */
	async fill(name: string, text: string, within?: Locator): Promise<void> {
		await this.parameter(name, within).locator('input, textarea').first().fill(text);
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

	/** Opens the instance's list, and gives its lines once they are there. */
	async openInstances(): Promise<Locator> {
		await this.byId('resource-locator-instanceName').locator('[data-test-id="rlc-input"]').click();
		const items = this.byId('rlc-item');
		await items.first().waitFor();
		return items;
	}

	/** Searches in the instance's open list. */
	async searchInstances(text: string): Promise<void> {
		const before = await this.byId('rlc-item').count();
		await this.byId('rlc-search').locator('input').or(this.byId('rlc-search')).last().fill(text);
		await this.page.waitForFunction(({ many }) => (globalThis as unknown as { document: { querySelectorAll(css: string): { length: number } } }).document.querySelectorAll('[data-test-id="rlc-item"]').length < many, { many: before });
		await this.byId('rlc-item').first().waitFor();
	}

	/** Types the instance's name, rather than picking it from the list. */
	async nameInstance(name: string): Promise<void> {
		const locator = this.byId('resource-locator-instanceName');
		await locator.locator('[data-test-id="rlc-mode-selector"]').click();
		await this.page.locator('[role="option"]:visible').filter({ hasText: 'By name' }).first().click();
		await locator.locator('[data-test-id="rlc-input"] input').or(locator.locator('input[data-test-id="rlc-input"]')).first().fill(name);
		await this.page.waitForTimeout(TAKES_OVER_MS);
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

	/** Opens the dialog of the credential that the panel's node has. */
	async editCredential(): Promise<void> {
		await this.byId('credential-edit-button').first().click();
		await this.dialog.waitFor();
	}

	/** Saves, waits until it was tested, and unfolds why that failed; gives the part with the message and the fields. */
	async saveAndUnfold(): Promise<Locator> {
		const tested = this.page.waitForResponse((answer) => answer.url().endsWith('/rest/credentials/test'));
		await this.saveCredential();
		await tested;
		await this.page.waitForTimeout(TAKES_OVER_MS);
		const more = this.dialog.getByText('More details');
		if (await more.isVisible()) await more.click();
		return this.byId('node-credentials-config-container', this.dialog);
	}

	/** Makes it ready for a picture: no pop-ups, no pointer over anything, no cursor that blinks. */
	async tidy(): Promise<void> {
		await this.page.mouse.move(0, 0);
		await this.page.addStyleTag({ content: '*, *::before, *::after { caret-color: transparent !important; transition: none !important; } .el-notification, [role="tooltip"] { visibility: hidden !important; }' });
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

/** Texts within `area` that can't be seen whole, as the box that they are in is too small. */
export async function cutOff(area: Locator): Promise<string[]> {
	return await area.evaluate((root) => (globalThis as unknown as { cutOff(root: unknown): string[] }).cutOff(root));
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
