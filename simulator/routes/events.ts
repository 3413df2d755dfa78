// EvolutionAPI's settings of webhook and live events, per instance.

import type { FastifyInstance } from 'fastify';
import { badRequest, notLoaded, schemaError, type Outcome } from '../answers';
import { effectiveInstance, guard, isRecord, route, type Call, type Parts } from '../server';
import { newRowId } from '../state';

/** The events this simulator emits; a real server knows more. */
const ALL_EVENTS = ['SEND_MESSAGE', 'MESSAGES_UPDATE', 'MESSAGES_DELETE'];

export function eventRoutes(app: FastifyInstance, parts: Parts): void {
	route(app, parts, 'POST', '/webhook/set/:instanceName', setWebhook);
	route(app, parts, 'GET', '/webhook/find/:instanceName', (call) => find(call, 'webhook'));
	route(app, parts, 'POST', '/websocket/set/:instanceName', setWebsocket);
	route(app, parts, 'GET', '/websocket/find/:instanceName', (call) => find(call, 'websocket'));
}

/** One webhook an instance: setting it overwrites the user's own. */
function setWebhook(call: Call): Outcome {
	guard(call);
	const wanted = call.body.webhook;
	if (!isRecord(wanted)) return schemaError(['instance requires property "webhook"']);
	if (typeof wanted.url !== 'string' || !URL.canParse(wanted.url)) return badRequest('Invalid "url" property');
	const instance = effectiveInstance(call);
	if (!instance) return notLoaded('instanceId');
	instance.webhook = {
		id: instance.webhook?.id ?? newRowId(),
		url: wanted.url,
		headers: isRecord(wanted.headers) ? (wanted.headers as Record<string, string>) : null,
		enabled: wanted.enabled === true,
		events: eventsOf(wanted),
		webhookByEvents: wanted.byEvents === true,
		webhookBase64: wanted.base64 === true,
		...times(instance.webhook?.createdAt),
		instanceId: instance.id,
	};
	return { status: 201, body: instance.webhook };
}

function setWebsocket(call: Call): Outcome {
	guard(call);
	const wanted = call.body.websocket;
	if (!isRecord(wanted)) return schemaError(['instance requires property "websocket"']);
	const instance = effectiveInstance(call);
	if (!instance) return notLoaded('instanceId');
	// With WEBSOCKET_ENABLED=false nothing is set and nothing is answered.
	if (!call.events.websocket) return { status: 201, body: undefined };
	instance.websocket = {
		id: instance.websocket?.id ?? newRowId(),
		enabled: wanted.enabled === true,
		events: eventsOf(wanted),
		...times(instance.websocket?.createdAt),
		instanceId: instance.id,
	};
	return { status: 201, body: instance.websocket };
}

function find(call: Call, what: 'webhook' | 'websocket'): Outcome {
	guard(call);
	if (what === 'websocket' && !call.events.websocket) return { status: 200, body: undefined };
	return { status: 200, body: effectiveInstance(call)?.[what] ?? null };
}

/** An enabled entry without events gets all of them. */
function eventsOf(wanted: Record<string, unknown>): string[] {
	if (wanted.enabled !== true) return [];
	const events = Array.isArray(wanted.events) ? wanted.events.map(String) : [];
	return events.length > 0 ? events : ALL_EVENTS;
}

function times(createdAt?: string): { createdAt: string; updatedAt: string } {
	const now = new Date().toISOString();
	return { createdAt: createdAt ?? now, updatedAt: now };
}
