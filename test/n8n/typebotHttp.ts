// TypeBot's HTTP request block as TypeBot 3.18 runs it: fills in the variables, calls, maps the answer, and branches.
interface Block {
	id: string;
	type: string;
	options?: Record<string, unknown>;
	items?: Array<{ id: string; outgoingEdgeId?: string; content: { comparisons: Array<{ variableId: string; comparisonOperator: string; value: string }> } }>;
	outgoingEdgeId?: string;
	content?: { richText: Array<{ children: Array<{ text: string }> }> };
}

/** What is used of an export. */
export interface TypebotExport {
	version: string;
	events: Array<{ id: string; type: string; outgoingEdgeId?: string }>;
	groups: Array<{ id: string; title: string; blocks: Block[] }>;
	edges: Array<{ id: string; from: { blockId?: string; itemId?: string; eventId?: string }; to: { groupId: string } }>;
	variables: Array<{ id: string; name: string }>;
}

/** What its HTTP request block has. */
export interface HttpOptions {
	isCustomBody: boolean;
	isExecutedOnClient: boolean;
	timeout: number;
	webhook: { method: string; url: string; headers: Array<{ key: string; value: string }>; body: string };
	responseVariableMapping: Array<{ variableId: string; bodyPath: string }>;
}

export function httpOptions({ groups }: TypebotExport): HttpOptions {
	const block = groups.flatMap(({ blocks }) => blocks).find(({ type }) => type === 'Webhook');
	if (!block?.options) throw new Error('The export has no HTTP request block.');
	return block.options as unknown as HttpOptions;
}

/** Runs from the HTTP request block to the group that its condition leads to, and gives that group's title. */
export async function runHttpBlock(typebot: TypebotExport, variables: Record<string, string>, url: string): Promise<{ variables: Record<string, unknown>; group: string }> {
	const { webhook, responseVariableMapping } = httpOptions(typebot);
	// inside a JSON body, a value is escaped as the content of a JSON string; a variable that is not set is empty
	const body = webhook.body.replace(/\{\{(\w+)\}\}/g, (_, name: string) => JSON.stringify(variables[name] ?? '').slice(1, -1));
	const answer = await fetch(url, { method: webhook.method, headers: { 'content-type': 'application/json', ...Object.fromEntries(webhook.headers.map(({ key, value }) => [key, value])) }, body: JSON.stringify(JSON.parse(body)) });
	const response = { statusCode: answer.status, data: (await answer.json()) as unknown };
	const names = new Map(typebot.variables.map(({ id, name }) => [id, name]));
	const mapped: Record<string, unknown> = { ...variables };
	for (const { variableId, bodyPath } of responseVariableMapping) mapped[names.get(variableId) ?? ''] = bodyPath.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], response);
	const condition = typebot.groups.flatMap(({ blocks }) => blocks).find(({ type }) => type === 'Condition');
	const met = condition?.items?.find(({ content }) => content.comparisons.every(({ variableId, value }) => String(mapped[names.get(variableId) ?? '']) === value));
	const edge = typebot.edges.find(({ id }) => id === (met ?? condition)?.outgoingEdgeId);
	const group = typebot.groups.find(({ id }) => id === edge?.to.groupId);
	if (!group) throw new Error('The condition leads nowhere.');
	return { variables: mapped, group: group.title };
}
