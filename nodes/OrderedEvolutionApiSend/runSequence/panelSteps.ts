// Steps of the panel as the engine knows them: flat, under the names that JSON steps have, and without what is empty.
import { entriesOf, isRecord } from '../common/collections';

export type Step = Record<string, unknown>;

export function stepsOfPanel(steps: unknown): unknown {
	const entries = entriesOf(steps, 'step');
	return Array.isArray(entries) ? entries.map((step) => (isRecord(step) ? stepOf(step) : step)) : entries;
}

/** What the panel has in two fields, or in a collection of its own, is one field here. */
function stepOf({ mediaFrom, mediaUrl, binaryProperty, waitUntil, more, ...rest }: Step): Step {
	return {
		...filled({ ...rest, ...lists(rest), ...(isRecord(more) ? more : {}), waitFor: waitUntil ?? rest.waitFor }),
		...(mediaFrom === 'binary' ? { binaryProperty } : filled({ media: mediaUrl })),
	};
}

function lists({ contacts, buttons, headers, sections, options }: Step): Step {
	return {
		contacts: listOf(contacts, 'contact', filled),
		buttons: listOf(buttons, 'button', filled),
		headers: listOf(headers, 'header', (header) => header),
		sections: listOf(sections, 'section', (section) => filled({ ...section, rows: listOf(section.rows, 'row', filled) })),
		options: typeof options === 'string' ? linesOf(options) : options,
	};
}

function listOf(collection: unknown, name: string, toEntry: (entry: Step) => Step): unknown {
	if (collection === undefined) return undefined;
	const entries = entriesOf(collection, name);
	return Array.isArray(entries) ? entries.map((entry) => (isRecord(entry) ? toEntry(entry) : entry)) : entries;
}

function linesOf(text: string): string[] {
	return text.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== '');
}

/** The panel has an empty text where nothing was entered, also for its notices. */
function filled(fields: Step): Step {
	return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== ''));
}
