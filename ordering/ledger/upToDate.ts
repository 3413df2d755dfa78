// Bodies of transactions that an earlier version has written, in today's shape.
import type { Text } from '../../evolution/messages/message';
import type { Definition, PlannedStep, PlannedWait } from '../plan';
import type { Transaction } from '../transaction';

/** Before there were sequences: one text, one wait, one webhook, each with fields of its own. */
interface OneText extends Omit<Definition, 'plan'>, Omit<Text, 'kind'> {
	waitFor: 'accepted' | 'delay' | 'sent' | 'delivered' | 'read';
	delayMs: number;
	ackTimeoutMs: number;
	onAckTimeout: 'stop' | 'continue';
	webhook?: { url: string; method: string; body?: string; needs: 'nothing' | 'credential' | 'headers'; credential?: string };
}

type Body = Omit<Transaction, 'definition'> & { definition?: Definition | OneText; webhook?: { statusCode: number; body: unknown }; text?: string };

export function upToDate(body: unknown): Transaction {
	const { definition, webhook, text, ...transaction } = body as Body;
	const steps = webhook === undefined && text === undefined ? transaction.steps : transaction.steps.map((step) => ({
		...step,
		...(webhook !== undefined && step.type === 'webhook' ? { answer: webhook.body } : {}),
		...(text !== undefined && step.type === 'send' ? { text } : {}),
	}));
	return { ...transaction, steps, ...(definition ? { definition: 'plan' in definition ? definition : planned(definition) } : {}) };
}

function planned({ text, typingMilliseconds, quotedMessageId, linkPreview, mentionEveryone, waitFor, delayMs, ackTimeoutMs, onAckTimeout, webhook, ...rest }: OneText): Definition {
	const options = Object.entries({ typingMilliseconds, quotedMessageId, linkPreview, mentionEveryone }).filter(([, value]) => value !== undefined);
	const message: Text = { kind: 'text', text, ...Object.fromEntries(options) };
	const plan: PlannedStep[] = [{ type: 'send', message, onError: 'stop' }, ...waits(waitFor, delayMs, ackTimeoutMs, onAckTimeout)];
	if (webhook) plan.push({ type: 'webhook', ...webhook, onError: 'stop' });
	return { ...rest, plan };
}

function waits(waitFor: OneText['waitFor'], delayMs: number, timeoutMs: number, onTimeout: OneText['onAckTimeout']): PlannedWait[] {
	if (waitFor === 'accepted') return [];
	return waitFor === 'delay' ? [{ type: 'wait', until: 'delay', delayMs, onError: 'stop' }] : [{ type: 'wait', until: waitFor, timeoutMs, onTimeout, onError: 'stop' }];
}
