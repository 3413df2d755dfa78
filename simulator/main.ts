// The simulator on the command line: `npm run simulator -- --port 8080`.

import { parseArgs } from 'node:util';
import { startSimulator, type Simulator } from './index';

const HELP = `Usage: npm run simulator -- [--port 8080] [--host 127.0.0.1] [--key simulator-key]
An EvolutionAPI 2.3.6 to try against. The port may also stand in PORT.`;

async function main(): Promise<void> {
	const { values } = parseArgs({
		options: { port: { type: 'string' }, host: { type: 'string' }, key: { type: 'string' }, help: { type: 'boolean' } },
	});
	if (values.help) return console.log(HELP);
	const port = portNumber(values.port ?? process.env.PORT ?? '8080');
	const simulator = await startSimulator({ port, host: values.host, apiKey: values.key });
	console.log(welcome(simulator));
	const stop = () => void simulator.close().then(() => process.exit(0));
	process.once('SIGINT', stop);
	process.once('SIGTERM', stop);
}

function portNumber(text: string): number {
	const port = Number(text);
	if (Number.isInteger(port) && port >= 0 && port <= 65535) return port;
	throw new Error(`The port must be a whole number from 0 to 65535, got "${text}".`);
}

function welcome({ url, apiKey, control }: Simulator): string {
	const instances = control.instances().map(({ name, channel, state, loaded, token }) =>
		`  ${name.padEnd(10)} ${channel.padEnd(18)} ${loaded ? state : 'not loaded'}  (token ${token})`);
	return `EvolutionAPI simulator
  address    ${url}
  key        ${apiKey}
Instances
${instances.join('\n')}
What reached WhatsApp
  curl ${url}/simulator/messages
Make it misbehave (all of it: simulator/README.md)
  Meta refuses the next send, with status 201:
    curl ${url}/simulator/rules -H 'content-type: application/json' -d '{"route":"sendText","times":1,"answer":{"kind":"metaRefusal","code":131056}}'
  The next message goes out, and the connection is reset instead of an answer:
    curl ${url}/simulator/rules -H 'content-type: application/json' -d '{"route":"sendText","times":1,"sent":true,"answer":{"kind":"reset"}}'
Ctrl-C ends it.`;
}

main().catch((error: NodeJS.ErrnoException & { port?: number }) => {
	const busy = error.code === 'EADDRINUSE';
	const hint = `Port ${error.port} is in use. Give another one: npm run simulator -- --port ${(error.port ?? 0) + 1}`;
	console.error(busy ? hint : error.message);
	process.exitCode = 1;
});
