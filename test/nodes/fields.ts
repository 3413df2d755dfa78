// The fields of a panel, for tests that look at all of them.
import type { INodeProperties, INodePropertyCollection } from 'n8n-workflow';

/** The groups of fields that a fixed collection has. */
export const entriesOf = (property: INodeProperties): INodePropertyCollection[] => (property.options ?? []) as INodePropertyCollection[];

/** These fields, and those within them at whatever depth. */
export function allFields(fields: INodeProperties[]): INodeProperties[] {
	return fields.flatMap((one) => [one, ...(one.type === 'fixedCollection' ? allFields(entriesOf(one).flatMap(({ values }) => values)) : one.type === 'collection' ? allFields(one.options as INodeProperties[]) : [])]);
}
