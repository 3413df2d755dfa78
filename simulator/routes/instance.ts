// EvolutionAPI's root, credentials check and instance list.

import type { FastifyInstance } from 'fastify';
import { notFound, unauthorized, type Outcome } from '../answers';
import { senderOf } from '../events';
import { effectiveInstance, guard, route, type Call, type Parts } from '../server';
import type { Instance, State } from '../state';

export function instanceRoutes(app: FastifyInstance, parts: Parts, serverUrl: () => string): void {
	route(app, parts, 'GET', '/', () => root(serverUrl()));
	route(app, parts, 'POST', '/verify-creds', verifyCreds);
	route(app, parts, 'GET', '/instance/fetchInstances', fetchInstances);
	route(app, parts, 'GET', '/instance/connectionState/:instanceName', connectionState);
}

function root(url: string): Outcome {
	return {
		status: 200,
		body: {
			status: 200,
			message: 'Welcome to the Evolution API, it is working!',
			version: '2.3.6',
			clientName: 'evolution',
			manager: `${url}/manager`,
			documentation: 'https://doc.evolution-api.com',
			whatsappWebVersion: '2.3000.1027934701',
		},
	};
}

/** For the global key only; an instance's token is refused. */
function verifyCreds({ key, state }: Call): Outcome {
	return key === state.apiKey ? { status: 200, body: { status: 200, message: 'Credentials are valid' } } : unauthorized();
}

/** The global key sees every instance, tokens included (trap 12); a token sees its own. */
function fetchInstances({ key, query, state }: Call): Outcome {
	const all = [...state.instances.values()];
	const visible = key === state.apiKey ? all : all.filter(({ token }) => token === key);
	if (!key || (key !== state.apiKey && visible.length === 0)) return unauthorized();
	const named = query.instanceName ? visible.filter(({ name }) => name === query.instanceName) : visible;
	if (query.instanceName && named.length === 0) return notFound(`Instance "${query.instanceName}" not found`);
	return { status: 200, body: named.map((instance) => describe(instance, state)) };
}

/** Has no `state` while an instance is not loaded; Cloud and EVOLUTION always say `open` (trap 11). */
function connectionState(call: Call): Outcome {
	guard(call);
	const instance = effectiveInstance(call);
	const instanceName = call.query.instanceName ?? call.entry.instance;
	const state = instance?.channel === 'WHATSAPP-BAILEYS' ? instance.state : 'open';
	return { status: 200, body: { instance: { instanceName, ...(instance && { state }) } } };
}

function describe(instance: Instance, state: State): Record<string, unknown> {
	const cloud = instance.channel === 'WHATSAPP-BUSINESS';
	const baileys = instance.channel === 'WHATSAPP-BAILEYS';
	const times = { createdAt: instance.createdAt, updatedAt: instance.createdAt };
	return {
		id: instance.id,
		name: instance.name,
		connectionStatus: baileys ? instance.state : 'open',
		ownerJid: (baileys && senderOf(instance)) || null,
		profileName: null,
		profilePicUrl: null,
		integration: instance.channel,
		number: cloud ? '109999' : null,
		businessId: cloud ? '209999' : null,
		token: instance.token,
		clientName: 'evolution',
		disconnectionReasonCode: null,
		disconnectionObject: null,
		disconnectionAt: null,
		...times,
		Chatwoot: null,
		Proxy: null,
		Rabbitmq: null,
		Nats: null,
		Sqs: null,
		Websocket: instance.websocket,
		Setting: {
			id: instance.settingId,
			rejectCall: false,
			msgCall: '',
			groupsIgnore: false,
			alwaysOnline: false,
			readMessages: false,
			readStatus: false,
			syncFullHistory: false,
			wavoipToken: '',
			...times,
			instanceId: instance.id,
		},
		_count: { Message: state.messages.filter((row) => row.instanceId === instance.id).length, Contact: 0, Chat: 0 },
	};
}
