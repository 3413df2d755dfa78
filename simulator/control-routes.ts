// The control over HTTP: the same as in-process, as JSON under /simulator, without a key.

import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Control } from './control';
import { ControlInputError, type AckStatus, type InstancePatch, type InstanceSeed, type NumberFacts, type Rows, type RuleInput, type SettingsPatch } from './schemas';

type Action = (request: FastifyRequest) => unknown;

export function controlRoutes(app: FastifyInstance, control: Control): void {
	const on = (method: string, url: string, action: Action) => app.route({
		method,
		url: `/simulator${url}`,
		handler: async (request, reply) => {
			try {
				return await reply.send(action(request) ?? { ok: true });
			} catch (error) {
				if (!(error instanceof ControlInputError)) throw error;
				return reply.code(400).send({ error: error.message });
			}
		},
	});
	const found = (done: boolean, what: string) => {
		if (!done) throw new ControlInputError(`There is no such ${what}`);
	};

	on('GET', '/log', () => control.log());
	on('DELETE', '/log', () => control.clearLog());
	on('GET', '/messages', () => control.messages());
	on('GET', '/acks', () => control.acks());
	on('POST', '/acks', ({ body }) => {
		const { messageId, status } = (body ?? {}) as { messageId: string; status: AckStatus };
		control.acknowledge(messageId, status);
	});
	on('GET', '/live', () => control.live());
	on('POST', '/live/drop', ({ body }) => control.dropLive((body ?? {}) as { forgetNamespaces?: boolean }));
	on('POST', '/live/events', ({ body }) => {
		const { instance, event, payload } = (body ?? {}) as { instance: string; event: string; payload: unknown };
		control.emitLive(instance, event, payload);
	});
	on('GET', '/requests', () => control.requests());
	on('GET', '/counts', () => control.counts());
	on('GET', '/status-peaks', () => control.statusPeaks());

	on('GET', '/rules', () => control.rules());
	on('POST', '/rules', ({ body }) => control.addRule(body as RuleInput));
	on('DELETE', '/rules', () => control.clearRules());
	on('DELETE', '/rules/:id', ({ params }) => found(control.removeRule((params as { id: string }).id), 'rule'));
	on('POST', '/release', () => ({ released: control.release() }));
	on('GET', '/held', () => ({ held: control.held() }));

	on('GET', '/instances', () => control.instances());
	on('POST', '/instances', ({ body }) => control.addInstance(body as InstanceSeed));
	on('PATCH', '/instances/:name', ({ params, body }) => control.setInstance((params as { name: string }).name, body as InstancePatch));
	on('DELETE', '/instances/:name', ({ params }) => found(control.removeInstance((params as { name: string }).name), 'instance'));
	on('PUT', '/numbers/:number', ({ params, body }) => control.setNumber((params as { number: string }).number, body as NumberFacts));

	on('GET', '/settings', () => control.settings());
	on('PATCH', '/settings', ({ body }) => control.settings(body as SettingsPatch));
	on('POST', '/rows', ({ body }) => control.addRows(body as Rows));
}
