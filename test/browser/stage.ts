// What the browser tests share: a real n8n with the packed package, the simulator, a webhook's receiver, and Chromium.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { ensureN8n } from '../../scripts/n8n/install';
import { installPackage, packPackage } from '../../scripts/n8n/package';
import { cacheFolder } from '../../scripts/n8n/paths';
import { N8nRest } from '../../scripts/n8n/rest';
import { startN8n, type N8nServer } from '../../scripts/n8n/server';
import { chromiumPath } from '../../scripts/run/programs.mjs';
import { startSimulator, type Simulator } from '../../simulator';
import { Receiver } from '../support/receiver';
import { EditorPage, type EditorPageOptions } from './editor';

const startMs = 240_000;
/** n8n's editor takes its time to load on a busy machine. */
const testMs = 300_000;

/** Chromium's own calls to the outside off; a root's Chromium has no sandbox. */
const chromiumArguments = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--force-color-profile=srgb'];

/** What n8n writes into its log when something is wrong. */
const wrongInLog = /\b(error|exception|unhandled|warn(ing)?|deprecat\w*)\b/i;

/** Lines of n8n 2.41 itself, whatever nodes it has. */
const ownLinesOfN8n = [/There are deprecations related to your n8n setup/, / -> .*deprecated/];

export interface Stage {
	simulator: Simulator;
	receiver: Receiver;
	server: N8nServer;
	rest: N8nRest;
	userFolder: string;
	/** Opens a browser window with a fresh profile, logged in. It ends with the test. */
	open(options?: EditorPageOptions): Promise<EditorPage>;
	/** Makes the EvolutionAPI credential, as from an earlier day. */
	credential(): Promise<{ id: string; name: string }>;
}

/**
 * Call it at the top of a test file: one n8n for all its tests, with an account but no workflow and no credential. Each
 * test fails if the browser's console has an error, or a page asks a host other than n8n; the file's last test if n8n's log has one.
 */
export function useStage(options: { /** More of n8n's environment. */ env?: Record<string, string>; /** Lines of n8n's log that this file's tests bring about on purpose. */ allowedInLog?: RegExp[] } = {}): Stage {
	const stage = { userFolder: mkdtempSync(join(tmpdir(), 'ordered-browser-')) } as Stage;
	const pages: EditorPage[] = [];
	jest.setTimeout(testMs);
	// n8n's editor loads in its own time: what passes when tried again was only late
	jest.retryTimes(1, { logErrorsBeforeRetry: true });
	let browser: Browser | undefined;

	beforeAll(async () => {
		await ensureN8n();
		stage.simulator = await startSimulator();
		stage.receiver = await Receiver.start();
		await installPackage(await packPackage(join(stage.userFolder, 'pack')), stage.userFolder);
		stage.server = await startN8n({ userFolder: stage.userFolder, env: options.env });
		stage.rest = new N8nRest(stage.server.url);
		await stage.rest.logIn();
		browser = await chromium.launch({ executablePath: chromiumPath(), args: chromiumArguments });
	}, startMs);

	beforeEach(() => {
		stage.simulator.control.clearRules();
		stage.simulator.control.clearLog();
		stage.receiver.behaveWell();
		stage.receiver.calls.length = 0;
	});

	afterEach(async () => {
		const problems: string[] = [];
		for (const page of pages.splice(0)) {
			await page.picture(lastPicture(expect.getState().currentTestName ?? 'test')).catch(() => {});
			problems.push(...page.problems);
			await page.close();
		}
		expect(problems).toEqual([]);
	});

	afterAll(async () => {
		await browser?.close();
		await stage.server?.stop();
		await stage.simulator?.close();
		await stage.receiver?.close();
		rmSync(stage.userFolder, { recursive: true, force: true });
		const lines = stage.server?.log().split('\n') ?? [];
		const known = [...ownLinesOfN8n, ...(options.allowedInLog ?? [])];
		expect(lines.filter((line) => wrongInLog.test(line) && !known.some((one) => one.test(line)))).toEqual([]);
	}, startMs);

	stage.open = async (more) => {
		if (!browser) throw new Error('There is no browser yet.');
		const page = await EditorPage.open(browser, stage.rest, more);
		pages.push(page);
		return page;
	};
	stage.credential = async () => {
		const { url: baseUrl, apiKey } = stage.simulator;
		return await stage.rest.saveCredential({ name: 'EvolutionAPI Server account', type: 'evolutionServerApi', data: { baseUrl, apiKey, ignoreSslIssues: false } });
	};
	return stage;
}

/** How the window looked when the test ended, to look at after a failure. */
function lastPicture(test: string): string {
	const folder = join(cacheFolder, 'browser');
	mkdirSync(folder, { recursive: true });
	return join(folder, `${test.replaceAll(/[^\w-]+/g, '-').slice(0, 100)}.png`);
}
