// The built package draws timelines as PNG where nothing but n8n-workflow is installed beside it; each test in a Node of its own.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { decoded } from '../support/png';

const root = join(__dirname, '../..');
let folder: string;

beforeEach(() => {
	folder = realpathSync(mkdtempSync(join(tmpdir(), 'ordered-picture-')));
	cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
	mkdirSync(join(folder, 'node_modules'));
	symlinkSync(join(root, 'node_modules', 'n8n-workflow'), join(folder, 'node_modules', 'n8n-workflow'), 'junction');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Given {
	binary: Record<string, { data: string; name: string; type: string }>;
	hints: Array<{ message: string; type: string; location: string }>;
	/** Whether what pictures need was read when there was none yet, and at the end. */
	read: { before: boolean; after: boolean };
}

/** Runs Ordered Message Log as n8n does, on an empty record. */
async function drawInBareNode(): Promise<Given> {
	const script = `
		const hints = [], read = [];
		for (const fs of [require('fs'), require('fs/promises')]) for (const name of ['readFile', 'readFileSync']) if (fs[name]) { const real = fs[name]; fs[name] = (...given) => (read.push(String(given[0])), real(...given)); }
		const { OrderedMessageLog } = require(process.env.PACKAGE + '/dist/nodes/OrderedMessageLog/OrderedMessageLog.node.js');
		const parameters = { operation: 'timeline', timelineOf: 'chat', instanceName: 'meta1', number: '5511988887777' };
		const context = {
			getExecutionCancelSignal: () => undefined, continueOnFail: () => false, getInputData: () => [{ json: {} }], getTimezone: () => 'UTC',
			getNodeParameter: (name, i, fallback) => parameters[name] ?? fallback, getCredentials: async () => ({ baseUrl: 'http://127.0.0.1:9', apiKey: 'k' }),
			getNode: () => ({ id: 'n', name: 'Log', type: 't' }), getInstanceId: () => 'i', getWorkflow: () => ({ id: 'w' }), getExecutionId: () => '1', getMode: () => 'manual',
			addExecutionHints: (...more) => hints.push(...more),
			helpers: { prepareBinaryData: async (data, name, type) => ({ data: data.toString('base64'), name, type }) },
		};
		const forPictures = () => read.some((file) => /wasm|ttf/.test(file));
		const node = new OrderedMessageLog();
		const before = forPictures();
		node.execute.call(context).then(([[{ binary }]]) => { process.stdout.write(JSON.stringify({ binary, hints, read: { before, after: forPictures() } }), () => process.exit(0)); }, (error) => { console.error(error); process.exit(1); });`;
	const { stdout } = await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', '-e', script], { cwd: folder, env: { PATH: process.env.PATH, PACKAGE: folder, N8N_USER_FOLDER: join(folder, 'user') }, timeout: 30_000, maxBuffer: 10_000_000 });
	return JSON.parse(stdout) as Given;
}

test('it draws with its own files, and reads them only then', async () => {
	const { binary, hints, read } = await drawInBareNode();
	expect(Object.entries(binary).map(([key, { name, type }]) => [key, name, type])).toEqual([['picture', 'timeline.png', 'image/png'], ['timeline', 'timeline.svg', 'image/svg+xml'], ['page', 'timeline.html', 'text/html']]);
	const { width, rgba } = decoded(Buffer.from(binary.picture?.data ?? '', 'base64'));
	expect(width).toBe(1520);
	expect(rgba.some((byte) => byte < 100)).toBe(true);
	expect(hints).toEqual([]);
	expect(read).toEqual({ before: false, after: true });
});

test.each(['index_bg.wasm', 'DejaVuSansMono.ttf', 'png.worker.mjs'])('where %s is missing, the other files are there all the same, and a hint says what to do', async (name) => {
	rmSync(join(folder, 'dist/ordering/timeline', name));
	const { binary, hints } = await drawInBareNode();
	expect(Object.keys(binary)).toEqual(['timeline', 'page']);
	expect(hints).toEqual([{ message: expect.stringMatching(/^The timeline can't be drawn as PNG: .*\. The files timeline\.svg and timeline\.html show the same\./) as string, type: 'warning', location: 'outputPane' }]);
});
