// The three runs of the demo, and what is promised of each.
import type { DemoServer } from './server';
import type { TimelineEvent } from './timeline';

/** The body that TypeBot would post. */
export interface DemoInput {
	instanceName: string;
	number: string;
	text: string;
	transactionId: string;
}

export interface Scenario {
	title: string;
	input: DemoInput;
	prepare?(): void;
	/** Judges what the receiving ends saw, and the workflow's answer. */
	judge(events: TimelineEvent[], answer: Record<string, unknown>): { ok: boolean; text: string };
}

export function scenarios(server: DemoServer): Scenario[] {
	const run = Date.now().toString(36); // against a real server, an earlier demo's IDs may be on record elsewhere
	const delivered: DemoInput = { instanceName: server.instance, number: server.number, text: 'Your order is confirmed', transactionId: `demo-${run}-order` };
	return [
		{
			title: '1. A text that is delivered, and then its webhook',
			input: delivered,
			judge: (events, { status }) => {
				const sorted = inOrder(events);
				const text = sorted.findIndex(({ who }) => who === 'WhatsApp');
				const webhook = sorted.findIndex(({ who }) => who === 'webhook');
				const ok = status === 'completed' && text >= 0 && webhook > text && countOf(events, 'webhook') === 1;
				return { ok, text: 'The webhook was called once, after the text was there.' };
			},
		},
		{
			title: '2. A text that WhatsApp refuses: its webhook is held back',
			input: { ...delivered, number: server.refusedNumber, text: 'Your parcel is on its way', transactionId: `demo-${run}-refused` },
			prepare: () => server.refuseNext(),
			judge: (events, { status }) => ({ ok: status !== 'completed' && countOf(events, 'webhook') === 0, text: 'The webhook was not called, and the answer says why.' }),
		},
		{
			title: '3. The first one again, with the same transaction ID: nothing is sent twice',
			input: delivered,
			judge: (events, { status, replayed }) => ({ ok: status === 'completed' && replayed === true && events.length === 0, text: 'No text, no webhook call: the recorded result came back.' }),
		},
	];
}

export function inOrder(events: TimelineEvent[]): TimelineEvent[] {
	return [...events].sort((a, b) => a.at - b.at);
}

function countOf(events: TimelineEvent[], who: TimelineEvent['who']): number {
	return events.filter((event) => event.who === who).length;
}
