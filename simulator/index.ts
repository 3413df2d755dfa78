// An EvolutionAPI 2.3.6 to try against and test with, true to the captures in test/captures.

import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { notFound } from './answers';
import { Control } from './control';
import { controlRoutes } from './control-routes';
import { Events } from './events';
import { chatRoutes } from './routes/chat';
import { eventRoutes } from './routes/events';
import { instanceRoutes } from './routes/instance';
import { messageRoutes } from './routes/message';
import { RuleBook } from './rules';
import { checked, instanceSeedSchema, type InstanceSeed } from './schemas';
import { writeOutcome, type Parts } from './server';
import { State } from './state';
import { WhatsApp } from './whatsapp';

export type { Control } from './control';
export type { Rule } from './rules';
export { ControlInputError } from './schemas';
export type { AckPlan, AckStatus, Answer, Channel, InstancePatch, InstanceSeed, NumberFacts, Rows, RuleInput, SettingsPatch } from './schemas';
export type { AckEntry, DeletionEntry, Instance, LogEntry, MessageEntry, RequestEntry, Settings } from './state';
export type { MessageListener } from './whatsapp';
export { toJid } from './numbers';

export interface SimulatorOptions {
	/** Default 0: a free port. */
	port?: number;
	/** Default 127.0.0.1. */
	host?: string;
	/** The global key. Default "simulator-key". */
	apiKey?: string;
	/** Instead of `DEFAULT_INSTANCES`. */
	instances?: InstanceSeed[];
	/** False is WEBSOCKET_ENABLED=false: no live events at all. Default true. */
	websocket?: boolean;
}

export interface Simulator {
	/** The base URL, without a slash at its end. */
	url: string;
	/** The global key. */
	apiKey: string;
	control: Control;
	app: FastifyInstance;
	/** Ends it, open connections and held answers included. */
	close(): Promise<void>;
}

/** All three channels; `baileys1` is not connected, `ghost` is known but not loaded. */
export const DEFAULT_INSTANCES: InstanceSeed[] = [
	{ name: 'meta1', channel: 'WHATSAPP-BUSINESS', token: 'instance-token' },
	{ name: 'evo1', channel: 'EVOLUTION' },
	{ name: 'phone1', channel: 'WHATSAPP-BAILEYS' },
	{ name: 'baileys1', channel: 'WHATSAPP-BAILEYS', state: 'close' },
	{ name: 'ghost', channel: 'WHATSAPP-BUSINESS', loaded: false },
];

/** Starts a simulator; rejects if the port is in use (`code: 'EADDRINUSE'`). */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
	const apiKey = options.apiKey ?? 'simulator-key';
	const app = newApp();
	const state = new State(apiKey);
	for (const seed of options.instances ?? DEFAULT_INSTANCES) state.addInstance(checked(instanceSeedSchema, seed, 'instance'));
	let url = '';
	const events = new Events(state, app.server, () => url, options.websocket ?? true);
	const parts: Parts = { state, rules: new RuleBook(), events, whatsapp: new WhatsApp(state, events), held: new Set() };
	const control = new Control(parts);
	instanceRoutes(app, parts, () => url);
	messageRoutes(app, parts);
	chatRoutes(app, parts);
	eventRoutes(app, parts);
	controlRoutes(app, control);
	try {
		url = await app.listen({ port: options.port ?? 0, host: options.host ?? '127.0.0.1' });
	} catch (error) {
		await events.close();
		throw error;
	}
	return { url, apiKey, control, app, close: () => close(app, parts) };
}

async function close(app: FastifyInstance, parts: Parts): Promise<void> {
	parts.whatsapp.stop();
	const eventsClosed = parts.events.close();
	// socket.io waits for the HTTP server, which waits for its connections: held and silent ones would never end.
	app.server.close();
	app.server.closeAllConnections();
	await eventsClosed;
	await app.close();
	for (const release of parts.held) release();
}

function newApp(): FastifyInstance {
	let counter = 0;
	const app = Fastify({
		genReqId: () => `request-${++counter}`,
		forceCloseConnections: true,
		// As the captures' header `keep-alive: timeout=5` says.
		keepAliveTimeout: 5000,
		// EvolutionAPI's own limit for bodies (136 MB).
		bodyLimit: 136 * 1024 * 1024,
		routerOptions: { maxParamLength: 1000 },
	});
	app.removeAllContentTypeParsers();
	app.addContentTypeParser('*', { parseAs: 'string' }, (request, body, done) => {
		try {
			done(null, parseBody(request, body as string));
		} catch (error) {
			done(Object.assign(error as Error, { statusCode: 400 }));
		}
	});
	app.setNotFoundHandler((request, reply) => {
		reply.hijack();
		writeOutcome(notFound(`Cannot ${request.method} ${request.url}`), reply);
	});
	app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
		reply.hijack();
		const status = error.statusCode ?? 500;
		writeOutcome({ status, body: { status, error: 'Internal Server Error', response: { message: error.message } } }, reply);
	});
	return app;
}

/** Like Express: an empty body is fine, whatever the content type says. */
function parseBody(request: FastifyRequest, body: string): unknown {
	const type = request.headers['content-type'] ?? '';
	if (body === '') return undefined;
	if (type.includes('application/x-www-form-urlencoded')) return Object.fromEntries(new URLSearchParams(body));
	return type.includes('json') ? JSON.parse(body) : undefined;
}
