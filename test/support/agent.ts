// An AI agent's part in a test: nodes as its tools, as n8n 2.41 makes them, and an agent that does as it is told.
import { NodeConnectionTypes, type IExecuteFunctions, type INodeExecutionData, type INodeType } from 'n8n-workflow';

export interface Tool {
	name: string;
	description: string;
	schema: { shape: Record<string, { description?: string }> };
	invoke(args: object): Promise<string>;
}

/** What n8n's convertNodeToAiTool does with a node that has `usableAsTool`. */
export function asTool(node: INodeType): INodeType {
	if (node.description.usableAsTool !== true) throw new Error(`${node.description.name} is not usable as a tool.`);
	node.description = { ...node.description, name: `${node.description.name}Tool`, inputs: [], outputs: [NodeConnectionTypes.AiTool], usableAsTool: undefined };
	return node;
}

/** An agent that does this with its tools; each of the answers becomes an item `{answer}`. */
export function agentThat(act: (tools: Tool[]) => Promise<string[]>): INodeType {
	return {
		description: { displayName: 'Agent', name: 'agent', group: ['transform'], version: [1, 3], description: '', defaults: { name: 'Agent' }, inputs: ['main', { type: NodeConnectionTypes.AiTool, displayName: 'Tool' }], outputs: ['main'], properties: [] },
		async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
			const tools = (await this.getInputConnectionData(NodeConnectionTypes.AiTool, 0)) as Tool[];
			return [(await act(tools)).map((answer) => ({ json: { answer } }))];
		},
	};
}
