// What was saved with a released version keeps working: its workflows, its parameters, its ledger.
import { join } from 'node:path';
import type { WorkflowFile } from '../../scripts/engine/workflow';
import { type Descriptions, missingIn, presentDescriptions } from './descriptions';
import { useLedger } from './ledger';
import { closeEngine, type Done, readStored, run, storedVersions, storedWorkflows, withPlace, withUserFolder } from './world';

const versions = storedVersions();
const workflows = versions.flatMap((version) => storedWorkflows(version).map((name) => [version, name] as const));

test('the first version is stored', () => {
	expect(versions).toContain('0.1.0');
});

test.each(workflows)('%s: the workflow "%s" does what it did', async (version, name) => {
	const [workflow, then] = [readStored<WorkflowFile>(version, `workflows/${name}.json`), readStored<Done>(version, `workflows/${name}.done.json`)];
	const now = await withUserFolder(undefined, () => withPlace((place) => run(place, workflow)));
	expect(now).toMatchObject(then);
	expect(Object.keys(now.nodes)).toEqual(Object.keys(then.nodes));
	expect(now.error).toBe(then.error);
});

test.each(versions)('%s: its ledger is read, what had ended is replayed, and what had stopped goes on', async (version) => {
	const [workflow, reading, then] = [readStored<WorkflowFile>(version, 'ledger.json'), readStored<WorkflowFile>(version, 'ledger-read.json'), readStored<{ again: Done; read: Done }>(version, 'ledger.done.json')];
	const now = await useLedger(join(__dirname, version, 'ledger.sqlite'), workflow, reading);
	expect(now).toMatchObject(then);
	// not a text is sent again, and only the webhooks are called that had failed
	expect(now.again.requests).toEqual([]);
	expect(now.again.webhooks).toMatchObject([{ path: '/stopped' }, { path: '/stopped-step' }]);
	expect(now.again.nodes.Text?.[0]).toMatchObject([{ json: { status: 'completed', replayed: true } }, { json: { status: 'completed' } }, { json: { status: 'failed', replayed: true } }]);
});

test.each(versions)('%s: every parameter is there, with its type, option values and default', (version) => {
	expect(missingIn(presentDescriptions(), readStored<Descriptions>(version, 'parameters.json'))).toEqual([]);
});

test('a change that saved workflows would feel is told, with what to do; an addition is none', () => {
	const waitFor = { type: 'options', default: 'accepted', values: ['accepted', 'read'] };
	const of = (parameters: Descriptions['credentials'], more = {}): Descriptions => ({ nodes: { 'send 1': { outputs: 2, usableAsTool: true, credentials: ['server'], parameters: parameters.send ?? {}, ...more } }, credentials: { server: { '*: url': [{ type: 'string', default: '' }] } } });
	const stored = of({ send: { 'text: waitFor': [waitFor] } });
	const told = (present: Descriptions) => missingIn(present, stored);
	expect(told(of({ send: {} }))).toEqual([expect.stringMatching(/^send 1 has no parameter "text: waitFor" any more\..* needs a new node version/)]);
	expect(told(of({ send: { 'text: waitFor': [{ ...waitFor, default: 'read' }] } }))).toEqual([expect.stringMatching(/^send 1: "text: waitFor" was .*"accepted".* needs a new node version/)]);
	expect(told(of({ send: { 'text: waitFor': [{ ...waitFor, values: ['accepted'] }] } }))).toHaveLength(1);
	expect(told(of({ send: { 'text: waitFor': [{ ...waitFor, type: 'string' }] } }))).toHaveLength(1);
	expect(told(of({ send: { 'text: waitFor': [{ ...waitFor, several: true }] } }))).toHaveLength(1);
	expect(told(of({ send: { 'text: waitFor': [waitFor] } }, { outputs: 1, usableAsTool: false, credentials: [] }))).toHaveLength(3);
	expect(told({ nodes: {}, credentials: {} })).toEqual([expect.stringMatching(/^send 1 is gone\./), expect.stringMatching(/^The credential server is gone\./)]);
	const added = of({ send: { 'text: waitFor': [{ ...waitFor, values: ['accepted', 'played', 'read'] }], 'text: quiet': [{ type: 'boolean', default: false }] } }, { outputs: 3, credentials: ['server', 'store'] });
	expect(told(added)).toEqual([]);
	expect(told(of({ send: { '*: waitFor': [waitFor] } }))).toEqual([]);
});

afterAll(closeEngine);
