// Prints one run of the demo as a timeline that a person can read.
import { inOrder, type DemoInput } from './scenarios';

/** Something that a receiving end saw. */
export interface TimelineEvent {
	/** Ms since 1970. */
	at: number;
	who: 'WhatsApp' | 'webhook';
	what: string;
}

export function printTimeline(title: string, startedAt: number, input: DemoInput, events: TimelineEvent[], answer: { statusCode: number; body: Record<string, unknown> }): void {
	const line = (at: number, who: string, what: string) => console.log(`   ${`+${Math.max(0, Math.round(at - startedAt))} ms`.padStart(10)}  ${who.padEnd(9)} ${what}`);
	console.log(`\n${title}`);
	line(startedAt, 'caller', `asks for "${input.text}" to ${input.number} (${input.transactionId})`);
	for (const { at, who, what } of inOrder(events)) line(at, who, what);
	line(Date.now(), 'caller', `gets ${answer.statusCode}: ${summary(answer.body)}`);
}

function summary({ status, replayed, message }: Record<string, unknown>): string {
	return `${String(status)}${replayed ? ', replayed' : ''}${message ? `. ${String(message)}` : ''}`;
}
