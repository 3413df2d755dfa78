// The order of tickets within one process, and what a sequence number has to wait for.
import type { LaneMarks, OrderKey, Priority } from './lanes';

const ranks = { high: 0, normal: 1, low: 2 } as const;

/** Below 0: `a` goes before `b`. `arrival` grows with each ticket. */
export function compare(a: { key: OrderKey; arrival: number }, b: { key: OrderKey; arrival: number }): number {
	return ranks[a.key.priority] - ranks[b.key.priority] || bySequence(a.key, b.key) || byExecution(a.key, b.key) || a.arrival - b.arrival;
}

function bySequence(a: OrderKey, b: OrderKey): number {
	if (!a.sequence || !b.sequence) return Number(!a.sequence) - Number(!b.sequence);
	return a.sequence.number - b.sequence.number;
}

/** One without an execution goes behind those that have one, or the order would depend on who is compared with whom. */
function byExecution(a: OrderKey, b: OrderKey): number {
	if (a.execution === undefined || b.execution === undefined) return Number(a.execution === undefined) - Number(b.execution === undefined);
	return a.execution - b.execution;
}

export type Turn =
	| { may: 'go'; missing?: { from: number; to: number } }
	/** A higher number has gone. */
	| { may: 'never'; gone: number }
	/** Smaller numbers are missing, and their time is not over. */
	| { may: 'wait'; missing: { from: number; to: number }; leftMs: number };

/** Whether one with this key may go as the first of its lane, `waitedMs` after its ticket was taken. */
export function turnOf({ priority, sequence, transactionId }: OrderKey, marks: LaneMarks, waitedMs: number): Turn {
	if (!sequence) return { may: 'go' };
	const { number, gapMs, again } = sequence;
	const gone = marks.sequences[priority];
	const isItsOwn = again || (transactionId !== undefined && transactionId === marks.sequenceBy?.[priority]);
	if (gone !== undefined && (number < gone || (number === gone && !isItsOwn))) return { may: 'never', gone };
	const from = (gone ?? 0) + 1;
	if (number <= from) return { may: 'go' };
	const missing = { from, to: number - 1 };
	if (waitedMs < gapMs) return { may: 'wait', missing, leftMs: gapMs - waitedMs };
	return gone === undefined ? { may: 'go' } : { may: 'go', missing }; // nobody knows where the count began
}

/** Whether a later execution of this priority has gone before. */
export function isLate({ priority, sequence, execution }: OrderKey, marks: LaneMarks): boolean {
	return !sequence && execution !== undefined && execution < (marks.executions[priority] ?? 0);
}

/** The marks after a turn of this key. */
export function advance({ priority, sequence, execution, transactionId }: OrderKey, marks: LaneMarks): LaneMarks {
	if (sequence) return withSequence(marks, priority, sequence.number, transactionId);
	if (execution === undefined) return marks;
	return { ...marks, executions: { ...marks.executions, [priority]: Math.max(execution, marks.executions[priority] ?? 0) } };
}

function withSequence(marks: LaneMarks, priority: Priority, number: number, by: string | undefined): LaneMarks {
	const before = marks.sequences[priority] ?? 0;
	if (number < before) return marks;
	const whose = (number === before ? marks.sequenceBy?.[priority] : undefined) ?? by;
	const sequenceBy: LaneMarks['sequenceBy'] = { ...marks.sequenceBy, [priority]: whose };
	if (whose === undefined) delete sequenceBy[priority];
	return { ...marks, sequences: { ...marks.sequences, [priority]: number }, sequenceBy };
}

/** A clause for the error of a ticket whose time in the queue is over. */
export function whatIsAhead(ahead: number, missing?: { from: number; to: number }): string {
	if (ahead === 0 && missing) return missing.from === missing.to ? `the message with the sequence number ${missing.from} has not come` : `the messages with the sequence numbers ${missing.from} to ${missing.to} have not come`;
	return `${ahead} earlier ${ahead === 1 ? 'message is' : 'messages are'} not finished`;
}
