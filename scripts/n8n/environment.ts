// The environment an n8n server of ours runs in: on loopback, quiet, and with no calls to n8n's own servers.
import { delimiter, dirname } from 'node:path';

/** What a server of ours is told. */
export interface EnvironmentOptions {
	/** n8n keeps its database, its key and its community nodes in `.n8n` below this folder. */
	userFolder: string;
	port: number;
	/** Each n8n process needs one of its own, for its task runners. */
	brokerPort: number;
	/** More variables, or other values; they win. */
	env?: Record<string, string>;
}

/** What would make a server differ from the one that was asked for: a shell's n8n settings, and what jest and npm set. */
const NOT_INHERITED = /^(N8N_|DB_|EXECUTIONS_|QUEUE_|CREDENTIALS_|WEBHOOK_URL$|NODES_|GENERIC_TIMEZONE$|OFFLOAD_|JEST_|NODE_ENV$|NODE_OPTIONS$|npm_)/;

/** Builds that environment from this process' own. */
export function buildEnvironment({ userFolder, port, brokerPort, env = {} }: EnvironmentOptions, inherited: NodeJS.ProcessEnv = process.env): Record<string, string> {
	const kept = Object.entries(inherited).filter((entry): entry is [string, string] => entry[1] !== undefined && !NOT_INHERITED.test(entry[0]));
	return {
		...Object.fromEntries(kept),
		PATH: `${dirname(process.execPath)}${delimiter}${inherited.PATH ?? ''}`,
		NODE_ENV: 'production',
		N8N_USER_FOLDER: userFolder,
		N8N_PORT: String(port),
		N8N_LISTEN_ADDRESS: '127.0.0.1',
		N8N_RUNNERS_BROKER_PORT: String(brokerPort),
		N8N_SECURE_COOKIE: 'false',
		N8N_ENFORCE_SETTINGS_FILE_PERMISSIONS: 'true',
		N8N_GRACEFUL_SHUTDOWN_TIMEOUT: '5',
		DB_TYPE: 'sqlite',
		EXECUTIONS_DATA_SAVE_ON_SUCCESS: 'all',
		N8N_DIAGNOSTICS_ENABLED: 'false',
		N8N_VERSION_NOTIFICATIONS_ENABLED: 'false',
		N8N_TEMPLATES_ENABLED: 'false',
		N8N_PERSONALIZATION_ENABLED: 'false',
		N8N_HIRING_BANNER_ENABLED: 'false',
		N8N_DYNAMIC_BANNERS_ENABLED: 'false',
		// Else the editor asks n8n's servers for the nodes they have checked.
		N8N_VERIFIED_PACKAGES_ENABLED: 'false',
		N8N_DISABLED_MODULES: 'mcp-registry,instance-ai,chat-hub,insights',
		...env,
	};
}
