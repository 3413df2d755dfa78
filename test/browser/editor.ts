// n8n's editor as a person uses it: finds nodes, adds them, fills in panels, runs them and reads what comes out.
import { join } from 'node:path';
import type { Browser, BrowserContext, ElementHandle, Locator, Page } from 'playwright-core';
import { BROWSER_ID, type N8nRest } from '../../scripts/n8n/rest';

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
/** The editor takes over what is typed only when the typing has paused; no test of ours is as slow as a person. */
const TAKES_OVER_MS = 500;
/** For one thing to appear: the first page of a fresh profile takes half a minute on a machine at work. */
const PATIENCE_MS = 90_000;
/** How often a text that is cut off is looked at again: lists and nodes move a moment when they appear. */
const LOOKS = 4;
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

	/** Opens a window of a fresh profile, with the log-in of `rest`: n8n takes no more than five log-ins a minute. */
	static async open(browser: Browser, { url, cookie }: N8nRest, { theme = 'light', size = { width: 1280, height: 800 }, sharpness = 1 }: EditorPageOptions = {}): Promise<EditorPage> {
		const context = await browser.newContext({ reducedMotion: 'reduce', viewport: size, colorScheme: theme, deviceScaleFactor: sharpness, permissions: ['clipboard-read', 'clipboard-write'] });
		context.setDefaultTimeout(PATIENCE_MS);
		await context.addInitScript((id) => localStorage.setItem('n8n-browserId', id), BROWSER_ID);
		for (const script of ['effort.js', 'cutOff.js']) await context.addInitScript({ path: join(__dirname, script) });
		await answerForNpm(context);
		const [name = '', value = ''] = cookie.split('=');
		await context.addCookies([{ name, value, url }]);
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
		await this.page.goto(`${this.url}/workflow/new`, { waitUntil: 'commit' });
		await this.loaded(this.byId('canvas-add-button'));
	}

	async openWorkflow(id: string): Promise<void> {
		await this.page.goto(`${this.url}/workflow/${id}`, { waitUntil: 'commit' });
		await this.loaded(this.byId('canvas-node'));
	}

	/** Until the canvas is there, and what the editor fetches after it: a person isn't faster. */
	private async loaded(onCanvas: Locator): Promise<void> {
		await onCanvas.first().waitFor();
		await this.page.waitForLoadState('networkidle');
	}

	async workflowName(): Promise<string> {
		return (await this.byId('workflow-name-input').innerText()).trim();
	}

	/** By the workflow's menu: Import, From file. */
	async importFile(path: string): Promise<void> {
		await this.byId('workflow-menu').click();
		await this.page.getByRole('menuitem', { name: 'Import', exact: true }).hover();
		const chooser = this.page.waitForEvent('filechooser');
		await this.page.getByRole('menuitem', { name: 'From file', exact: true }).click();
		await (await chooser).setFiles(path);
	}

	/** Pastes a text, such as a workflow's JSON, onto the canvas. */
	async paste(text: string): Promise<void> {
		await this.page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(text)})`);
		await this.page.keyboard.press('Control+v');
	}

	/** The names of all nodes on the canvas, without sticky notes. */
	async nodeNames(): Promise<string[]> {
		return await this.byId('canvas-node').evaluateAll((nodes) => nodes.filter((node) => !node.querySelector('[data-test-id="sticky"]')).map((node) => String(node.dataset.nodeName)));
	}

	/** The names of the nodes with the red sign of something missing. */
	async nodesWithIssues(): Promise<string[]> {
		return await this.byId('canvas-node').filter({ has: this.byId('node-issues') }).evaluateAll((nodes) => nodes.map((node) => String(node.dataset.nodeName)));
	}

	/** The sticky notes on the canvas, and whether they are too small for their text: they can be scrolled, so {@link cutOff} takes them for readable. */
	async stickyNotes(): Promise<Array<{ isCutOff: boolean }>> {
		return await this.byId('sticky').evaluateAll((notes) => notes.map((note) => {
			const all = [note, ...note.querySelectorAll('*')];
			return { isCutOff: all.some(({ scrollHeight, clientHeight, scrollWidth, clientWidth }) => clientHeight > 0 && (scrollHeight > clientHeight + 2 || scrollWidth > clientWidth + 2)) };
		}));
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

	/** Drags an action of a node from the list to this place of the canvas, in px of the window; its panel is open then. n8n has nobody drag a node itself that has several actions. */
	async dragIn(name: string, to: { x: number; y: number }, action = ACTIONS[name]): Promise<void> {
		await this.openNodesPanel();
		const items = await this.search(name);
		await items.filter({ has: this.page.getByText(name, { exact: true }) }).first().click();
		if (!action) throw new Error(`Which action of ${name}?`);
		const canvas = this.byId('canvas-wrapper');
		const { x, y } = await boxOf(canvas);
		await this.page.getByText(action, { exact: true }).dragTo(canvas, { targetPosition: { x: to.x - x, y: to.y - y } });
		await this.byId('ndv').waitFor();
	}

	/** Draws an edge with the mouse, from an output's circle to another node's input. */
	async connect(from: string, to: string): Promise<void> {
		const output = this.page.locator(`[data-test-id="canvas-node-output-handle"][data-node-name="${from}"]`).first();
		const input = this.page.locator(`[data-test-id="canvas-node-input-handle"][data-node-name="${to}"]`).first();
		await this.drag(await this.middleOf(output), await this.middleOf(input));
		await this.page.locator(`[data-test-id="edge"][data-source-node-name="${from}"][data-target-node-name="${to}"]`).first().waitFor({ state: 'attached' });
	}

	private async middleOf(what: Locator): Promise<{ x: number; y: number }> {
		const box = await boxOf(what);
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

	/** Adds a node as a tool by the plus at the connector Tool of the agent; its panel is open then. */
	async addTool(name: string, { search = name } = {}): Promise<void> {
		const connector = this.byId('canvas-node-input-handle').filter({ hasText: 'Tool' }).last();
		const tools = this.byId('nodes-list-header').getByText('Tools', { exact: true });
		await this.byId('canvas-handle-plus', connector).click();
		try {
			await tools.waitFor({ timeout: PATIENCE_MS / 3 });
		} catch {
			// n8n 2.41 lists other nodes at a plus that is pressed while its nodes panel is still loading: a person presses it again
			await this.page.keyboard.press('Escape');
			await this.byId('canvas-handle-plus', connector).click();
			await tools.waitFor();
		}
		const items = await this.search(search);
		await items.filter({ has: this.page.getByText(`${name} Tool`, { exact: true }) }).first().click();
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

	/** Presses the button that leaves a parameter of a tool to the model. */
	async leaveToModel(name: string): Promise<void> {
		// the parameter's input is gone afterwards, its label stays
		const item = this.byId('parameter-item').filter({ has: this.byId(`${name}-parameter-input-options-container`) });
		await this.byId('from-ai-override-button', item).click();
		await item.getByText('Defined automatically by the').waitFor();
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
		await this.page.locator('[role="option"]:visible').filter({ hasText: 'Name' }).first().click();
		await locator.locator('[data-test-id="rlc-input"] input').or(locator.locator('input[data-test-id="rlc-input"]')).first().fill(name);
		await this.page.waitForTimeout(TAKES_OVER_MS);
	}

	/** Picks from the instance's list the one whose line begins with this name. */
	async pickInstance(name: string): Promise<void> {
		const items = await this.openInstances();
		await items.filter({ hasText: name }).first().click();
	}

	/** The step at this place of a sequence, from 0. */
	step(index: number): Locator {
		return this.byId('fixed-collection-steps').locator('[data-draggable="true"]').nth(index);
	}

	/** Adds a step at the end, and gives it. */
	async addStep(): Promise<Locator> {
		const count = await this.byId('fixed-collection-steps').locator('[data-draggable="true"]').count();
		await this.page.getByText('Add Step', { exact: true }).last().click();
		const added = this.step(count);
		await added.waitFor();
		return added;
	}

	/** Drags a step by its handle above the one before it. */
	async dragStepUp(index: number): Promise<void> {
		const [above, dragged] = [this.step(index - 1), this.step(index)];
		await above.evaluate((element) => element.scrollIntoView({ block: 'start' }));
		await dragged.hover({ position: { x: 200, y: 20 } });
		const handle = dragged.locator('.drag-handle');
		const target = await above.boundingBox();
		const from = await handle.boundingBox();
		if (!target || !from) throw new Error('The steps are not on the screen.');
		await handle.hover();
		await this.page.mouse.down();
		await this.page.mouse.move(from.x + 14, from.y - 10, { steps: 4 });
		await this.page.mouse.move(target.x + 20, target.y + 12, { steps: 8 });
		await this.page.mouse.move(target.x + 22, target.y + 6, { steps: 3 });
		await this.page.mouse.up();
	}

	async removeStep(index: number): Promise<void> {
		await this.step(index).hover({ position: { x: 200, y: 20 } });
		await this.byId('fixed-collection-delete', this.step(index)).first().click();
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

	/** The fields of the open panel with a list behind them, of options or of what may be added. */
	async lists(): Promise<ChoiceList[]> {
		const fields = await this.parameters.locator('.el-select:visible').elementHandles();
		return await Promise.all(
			fields.map(async (field) => ({
				field,
				key: await field.evaluate((select) => (globalThis as unknown as { nameOfField(field: unknown): string }).nameOfField(select)),
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
		const problems = await cutOff(list);
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

	/** Presses Execute workflow on the canvas. */
	async runWorkflow(): Promise<void> {
		await this.byId('execute-workflow-button').click();
	}

	/** Presses Stop in the open panel, while its node runs. */
	async stop(): Promise<void> {
		await this.byId('ndv-stop-execution-button').click();
	}

	/** The panel at the right. */
	get output(): Locator {
		return this.byId('output-panel');
	}

	/** Chooses how the panel at the right shows the items. */
	async showOutputAs(view: 'Table' | 'JSON' | 'Schema' | 'Binary'): Promise<void> {
		await this.byId(`radio-button-${view.toLowerCase()}`, this.output).click();
	}

	/** Waits for the error in the open panel: what stands in bold, the hint below, and whether some of it is out of sight. */
	async errorShown(): Promise<{ message: string; hint: string; cutOff: boolean }> {
		const [bold, below] = [this.byId('node-error-message', this.output), this.byId('node-error-description', this.output)];
		await bold.waitFor();
		const cutOff = await this.byId('node-error-card', this.output).or(bold).first().evaluate((element) => [element, ...element.querySelectorAll('*')].some(({ scrollWidth, clientWidth }) => clientWidth > 0 && scrollWidth > clientWidth + 1));
		return { message: await bold.innerText(), hint: (await below.count()) ? await below.innerText() : '', cutOff };
	}

	/** Opens the first of the files in the panel at the right, and gives its picture once it is there. */
	async viewPicture(): Promise<Locator> {
		await this.showOutputAs('Binary');
		await this.byId('ndv-view-binary-data', this.output).first().click();
		const picture = this.output.locator('img[src*="binary-data"]');
		await picture.waitFor();
		return picture;
	}

	/** The mark of an error at the node of this name on the canvas. */
	errorOnCanvas(name: string): Locator {
		return this.byId('node-issues', this.node(name));
	}

	/** What the person has done in this window so far. */
	async effort(): Promise<Effort> {
		return await this.page.evaluate(() => (globalThis as unknown as { effort: Effort }).effort);
	}
}

export interface Box { x: number; y: number; width: number; height: number }

/** Where it is in the window, once it is there, in px. */
export async function boxOf(what: Locator): Promise<Box> {
	await what.waitFor();
	const box = await what.boundingBox();
	if (!box) throw new Error('It is not to be seen.');
	return box;
}

/** What a person can't read in full in these parts of the page, once what moves has come to rest; fails if there is nothing to read. */
export async function cutOff(where: Locator): Promise<string[]> {
	await where.first().waitFor();
	for (let look = 1; ; look++) {
		const found = await where.evaluateAll((roots) => roots.map((root) => (globalThis as unknown as { textsCutOff(root: unknown): { problems: string[]; seen: number } }).textsCutOff(root)));
		const problems = found.flatMap((one) => one.problems);
		const seen = found.some((one) => one.seen > 0);
		if (seen && problems.length === 0) return [];
		if (look === LOOKS) return seen ? problems : ['There is no text to read.'];
		await where.page().waitForTimeout(TAKES_OVER_MS);
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
