// A real n8n with the packed package, killed in the middle of a webhook: the template of recovery finishes what it left.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Execution } from '../../scripts/n8n/rest';
import { startN8n } from '../../scripts/n8n/server';
import { usePlace } from './place';

const place = usePlace();

/** The template as it is imported, but every two seconds. */
async function importRecovery(): Promise<string> {
	const often = { rule: { interval: [{ field: 'seconds', secondsInterval: 2 }] } };
	const { id } = await place.importTemplate('recover-unfinished.json', {}, (template) => ({
		...template,
		nodes: template.nodes.map((node) => (node.type === 'n8n-nodes-base.scheduleTrigger' ? { ...node, parameters: often } : node)),
	}));
	return id;
}

/** The first execution in which this node ran. */
async function executionWith(workflowId: string, node: string): Promise<Execution> {
	for (let tries = 0; tries < 60; tries++) {
		for (const { id } of await place.editor.rest.executions(workflowId)) {
			const execution = await place.editor.rest.executionEnded(id);
			if (node in execution.data.resultData.runData) return execution;
		}
		await sleep(500);
	}
	throw new Error(`No execution has run "${node}".`);
}

test('what a killed n8n left is finished after its start, once, and one that needs its caller is told', async () => {
	const recovery = await importRecovery();
	await executionWith(recovery, 'Recover unfinished');
	place.receiver.behave('hold', { times: 2 });
	const plain = await place.publishSend({ options: { transactionId: 'plain' } });
	const needy = await place.publishSend({ options: { transactionId: 'needy' }, webhookHeaders: { header: [{ name: 'X-Source', value: 'n8n' }] } });
	const lost = [plain, needy].map(({ path }) => place.editor.rest.callWebhook(path, { text: 'Hello' }).catch((error: Error) => error.message));
	await place.receiver.waitForCalls(2, 20_000);
	await place.editor.server.kill();
	await Promise.all(lost);
	place.receiver.release();
	const { port } = new URL(place.editor.server.url);
	place.editor.server = await startN8n({ userFolder: place.userFolder, port: Number(port) });
	await place.editor.rest.logIn();
	const { data } = await executionWith(recovery, 'Recover unfinished');
	expect(data.resultData.error).toBeUndefined();
	const itemOf = async (node: string) => (await executionWith(recovery, node)).data.resultData.runData[node]?.[0]?.data?.main?.[0]?.[0]?.json;
	expect(await itemOf('Done')).toMatchObject({ action: 'finished', transactionId: 'plain', status: 'completed' });
	expect(await itemOf('Tell somebody (put your node here)')).toMatchObject({ action: 'needsCaller', transactionId: 'needy', error: { sent: 'yes' } });
	expect(place.simulator.control.messages()).toHaveLength(2);
	expect(place.receiver.calls).toHaveLength(3);
}, 300_000);
