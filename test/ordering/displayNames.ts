type Named = { name: string; displayName?: string; type?: string; options?: unknown[] };

/** What the panel calls each field, by the field's name; the fields within collections, too. A notice is no field. */
export function displayNames(properties: unknown[]): Map<string, string> {
	const names = new Map<string, string>();
	for (const property of properties as Named[]) {
		if (property.type === 'notice') continue;
		if (property.displayName) names.set(property.name, property.displayName);
		if (property.type === 'collection') for (const [name, shown] of displayNames(property.options ?? [])) names.set(name, shown);
	}
	return names;
}
