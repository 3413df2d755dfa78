// Which waits can't succeed: on some channels and chats no acknowledgement ever comes.
import { EvolutionError } from '../evolution/server';
import { HttpFailure } from '../evolution/http';
import type { Run } from './steps/step';

/**
 * Why a wait for `waitFor` can't succeed, and what to choose instead; undefined where it can, or where the server does
 * not tell the channel (then the wait itself will show).
 */
export async function waitProblem({ server, send, signal, egress }: Pick<Run, 'server' | 'send' | 'signal' | 'egress'>, waitFor: string): Promise<{ why: string; remedy: string } | undefined> {
	const { recipient, chat, definition } = send;
	const channel = await server.channelOf(chat.instance, { timeoutMs: definition.requestTimeoutMs, signal, egress }).catch((error: unknown) => {
		if (signal?.aborted || error instanceof EvolutionError || error instanceof HttpFailure) return undefined;
		throw error;
	});
	const remedy = 'Set Wait For to Accepted or Delay.';
	if (channel === 'EVOLUTION') return { why: `the instance "${chat.instance}" uses EvolutionAPI's own channel, which never reports that a message was ${waitFor}`, remedy };
	if (channel === 'WHATSAPP-BAILEYS' && recipient.kind !== 'person') return { why: `WhatsApp Web never reports that a message to a ${recipient.kind} was ${waitFor}`, remedy };
	return undefined;
}
