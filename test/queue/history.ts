// Judges what a run left behind: texts at WhatsApp, webhook calls, and what n8n answered to each caller.

/** What n8n's webhook was called for: text `number` of a chat. Its text is `<chat>-<number>`, such as `c17-4`. */
export interface Trigger {
	chat: string;
	number: number;
	/** The status of n8n's answer; 0 where the connection was lost. */
	httpStatus: number;
	/** What the node gave for it; undefined where its execution was lost, or did not come that far. */
	output?: Output;
}

/** The part of a transaction's result that counts here. */
export interface Output {
	status: string;
	late?: boolean;
	/** Of the failure. */
	code?: string;
	/** What the failure says on the message: `no`, `yes` or `unknown`. */
	sent?: string;
	/** When the ticket for the chat was taken, in ms since 1970; tells who came within the settling time of whom. */
	takenAt?: number;
}

/** A text that reached WhatsApp. Its text ends in the execution's ID: `c17-4@231`. */
export interface SeenMessage {
	text: string;
	at: number;
}

/** A webhook call that reached its receiver, at the path `/c17-4`. */
export interface SeenCall {
	path: string;
	webhookId: string;
	at: number;
}

export interface History {
	/** What the texts of a chat have to follow: the caller's sequence numbers, or n8n's execution IDs. */
	order: 'sequence' | 'execution';
	/** With `execution`: those that come within this time of each other have to be in order. */
	settleMs?: number;
	triggers: Trigger[];
	/** In the order of their arrival. */
	messages: SeenMessage[];
	/** In the order of their arrival. */
	calls: SeenCall[];
}

/** Each list but `counts` holds one sentence a violation, and should be empty. */
export interface Findings {
	/** A text behind a later one of its chat. */
	inversions: string[];
	/** A text that reached WhatsApp more than once. */
	duplicates: string[];
	/** A webhook whose calls came under more than one `webhook-id`. */
	otherIds: string[];
	/** A webhook that was called before its text, or without it. */
	earlyWebhooks: string[];
	/** A text that came although its caller was told that nothing was sent. */
	slippedIn: string[];
	/** A transaction that is called complete, and of which the text or the webhook is missing. */
	notDone: string[];
	/** Something at one of the receiving ends that nobody asked for. */
	unknown: string[];
	counts: Counts;
}

export interface Counts {
	triggers: number;
	messages: number;
	webhookCalls: number;
	/** Calls of a webhook beyond its first. */
	webhooksRepeated: number;
	/** How many outputs had each status, with the code of the failure where there is one: `completed`, `failed: queueTimeout`. */
	outputs: Record<string, number>;
	late: number;
	/** Triggers of which n8n gave no output, by the status of its answer. */
	lost: Record<string, number>;
}

interface Sent {
	name: string;
	chat: string;
	/** What has to grow within a chat. */
	rank: number;
	output?: Output;
}

/** Compares what was seen with what was asked for. */
export function judge(history: History): Findings {
	const triggers = new Map(history.triggers.map((trigger) => [nameOf(trigger), trigger]));
	const firstSeen = new Map<string, SeenMessage>();
	const findings: Findings = { inversions: [], duplicates: [], otherIds: [], earlyWebhooks: [], slippedIn: [], notDone: [], unknown: [], counts: countsOf(history) };
	for (const message of history.messages) {
		const name = withoutExecution(message.text);
		if (!triggers.has(name)) findings.unknown.push(`text ${message.text}`);
		const earlier = firstSeen.get(name);
		if (earlier) findings.duplicates.push(`${earlier.text} came again as ${message.text}`);
		else firstSeen.set(name, message);
	}
	findings.inversions = [...byChat(history, triggers, firstSeen).values()].flatMap((sent) => inversionsIn(sent, history));
	judgeWebhooks(history, triggers, firstSeen, findings);
	for (const [name, { output }] of triggers) {
		if (output?.sent === 'no' && firstSeen.has(name)) findings.slippedIn.push(`${name} came, though it ended as ${output.code ?? output.status} with nothing sent`);
		if (output?.status !== 'completed') continue;
		if (!firstSeen.has(name)) findings.notDone.push(`${name} is called complete, and its text never came`);
		if (!history.calls.some(({ path }) => path === `/${name}`)) findings.notDone.push(`${name} is called complete, and its webhook was never called`);
	}
	return findings;
}

/** All violations, each with its kind. */
export function violations(findings: Findings): string[] {
	return Object.entries(findings).flatMap(([kind, found]) => (Array.isArray(found) ? found.map((sentence) => `${kind}: ${sentence}`) : []));
}

function byChat({ order }: History, triggers: Map<string, Trigger>, firstSeen: Map<string, SeenMessage>): Map<string, Sent[]> {
	const chats = new Map<string, Sent[]>();
	for (const [name, { text }] of firstSeen) {
		const trigger = triggers.get(name);
		if (!trigger) continue;
		const rank = order === 'sequence' ? trigger.number : Number(text.split('@')[1]);
		const sent = { name, chat: trigger.chat, rank, output: trigger.output };
		chats.set(trigger.chat, [...(chats.get(trigger.chat) ?? []), sent]);
	}
	return chats;
}

/** One sentence for each text that is behind a later one of its chat without being excused. */
function inversionsIn(sent: Sent[], { order, settleMs = 0 }: History): string[] {
	return sent.flatMap((one, index) => {
		const overtakenBy = sent.slice(0, index).filter(({ rank }) => rank > one.rank);
		const [wrong] = order === 'sequence' ? overtakenBy : overtakenBy.filter((other) => !isExcused(one, other, settleMs));
		return wrong ? [`${one.name} (${one.rank}) came after ${wrong.name} (${wrong.rank})`] : [];
	});
}

/** Without sequence numbers, one that came later than the settling time may be behind, and has to say so. */
function isExcused({ output: late }: Sent, { output: earlier }: Sent, settleMs: number): boolean {
	if (!late?.late) return false;
	if (late.takenAt === undefined || earlier?.takenAt === undefined) return true;
	return late.takenAt - earlier.takenAt >= settleMs;
}

function judgeWebhooks({ calls }: History, triggers: Map<string, Trigger>, firstSeen: Map<string, SeenMessage>, findings: Findings): void {
	const ids = new Map<string, Set<string>>();
	for (const { path, webhookId, at } of calls) {
		const name = path.slice(1);
		if (!triggers.has(name)) findings.unknown.push(`webhook ${path}`);
		const message = firstSeen.get(name);
		if (!message) findings.earlyWebhooks.push(`the webhook of ${name} was called, and its text never came`);
		else if (at < message.at) findings.earlyWebhooks.push(`the webhook of ${name} was called ${Math.round(message.at - at)} ms before its text`);
		ids.set(name, (ids.get(name) ?? new Set()).add(webhookId));
	}
	for (const [name, { size }] of ids) if (size > 1) findings.otherIds.push(`the webhook of ${name} was called under ${size} IDs`);
}

function countsOf({ triggers, messages, calls }: History): Counts {
	const outputs = triggers.flatMap(({ output }) => (output ? [output] : []));
	return {
		triggers: triggers.length,
		messages: messages.length,
		webhookCalls: calls.length,
		webhooksRepeated: calls.length - new Set(calls.map(({ path }) => path)).size,
		outputs: tally(outputs.map(({ status, code }) => (code ? `${status}: ${code}` : status))),
		late: outputs.filter(({ late }) => late).length,
		lost: tally(triggers.filter(({ output }) => !output).map(({ httpStatus }) => String(httpStatus))),
	};
}

function tally(names: string[]): Record<string, number> {
	const counts: Record<string, number> = {};
	for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
	return counts;
}

/** `c17-4`: the text without the execution, and the webhook's path without its slash. */
export function nameOf({ chat, number }: { chat: string; number: number }): string {
	return `${chat}-${number}`;
}

function withoutExecution(text: string): string {
	return text.split('@')[0] ?? text;
}
