// What an operation is, and the options that two of them have.
import type { IExecuteFunctions, INodeExecutionData, INodeProperties, INodePropertyOptions } from 'n8n-workflow';

export interface Operation {
	/** Its entry in the list of operations. */
	option: INodePropertyOptions;
	/** Its own part of the panel. */
	fields: INodeProperties[];
	/** Works on all items, and gives those of both outputs: "Joined" and "Held Back". */
	execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]>;
}

export const oneTurnAtATimeOption: INodeProperties = {
	displayName: 'One Turn at a Time',
	name: 'oneTurnAtATime',
	type: 'boolean',
	default: true,
	description: 'Whether messages that come while an earlier item of the chat is being answered wait until its turn has ended. Off: two answers to one chat may be under way at the same time.',
};

export const turnTimeoutOption: INodeProperties = {
	displayName: 'Turn Timeout (Seconds)',
	name: 'turnTimeoutSeconds',
	type: 'number',
	typeOptions: { minValue: 1, maxValue: 3600 },
	default: 60,
	description: 'After this a turn ends by itself, where End a Turn has not ended it before. Make it longer than your slowest answer.',
};
