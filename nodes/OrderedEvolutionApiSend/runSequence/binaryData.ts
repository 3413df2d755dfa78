// Puts n8n's binary data into steps: `binaryProperty` becomes `media`, with name and type where the step has none.
import type { IBinaryData, IExecuteFunctions } from 'n8n-workflow';
import { InvalidInputError } from '../../../ordering';
import { isRecord } from '../common/collections';
import type { Step } from './panelSteps';
import { mediaKinds } from './steps/kinds';

const MB = 1024 * 1024;

/** As base64, more would not fit into the largest request that EvolutionAPI reads. All steps together: see toOrderedSequence. */
const maxBytes = 100 * MB;

/** The name of binary data, or what an expression such as `{{ $binary.photo }}` gives in its place. */
type Property = string | IBinaryData;

/** Kinds that tell name and type of their file. */
const namedKinds = ['document', 'image', 'video'];

/**
 * Only kinds that carry a file are changed; a `binaryProperty` in another is left for the check to tell of. Throws
 * `InvalidInputError`, which names step and field.
 */
export async function withBinaryData(this: IExecuteFunctions, i: number, steps: unknown[]): Promise<unknown[]> {
	const loaded: unknown[] = [];
	let bytes = 0;
	// one after the other, so that what is too much is refused before more of it is loaded
	for (const [index, step] of steps.entries()) {
		const file = takesFile(step) ? await load.call(this, i, step, index + 1, maxBytes - bytes) : undefined;
		bytes += file?.bytes ?? 0;
		loaded.push(file?.step ?? step);
	}
	return loaded;
}

function takesFile(step: unknown): step is Step {
	return isRecord(step) && 'binaryProperty' in step && mediaKinds.includes(String(step.type));
}

async function load(this: IExecuteFunctions, i: number, { binaryProperty, ...step }: Step, number: number, most: number): Promise<{ step: Step; bytes: number }> {
	const refuse = (problem: string) => new InvalidInputError('binaryProperty', `Step ${number} (${String(step.type)}), Binary Property`, problem);
	if (step.media !== undefined) throw refuse('is given together with media: leave one of the two out');
	const property = typeof binaryProperty === 'string' ? binaryProperty.trim() : binaryProperty;
	if (property === undefined || property === null || property === '') throw refuse('is empty: enter the name of the field with the file, such as data');
	const file = find.call(this, i, property as Property);
	if (!file) throw refuse(notFound(property as Property, Object.keys(this.getInputData()[i]?.binary ?? {})));
	const content = await contentOf.call(this, i, property as Property, file, most, refuse);
	if (content.length === 0) throw refuse('the file is empty');
	const named = namedKinds.includes(String(step.type)) ? { ...(file.fileName ? { fileName: file.fileName } : {}), ...(file.mimeType ? { mimetype: file.mimeType } : {}) } : {};
	return { step: { ...named, ...step, media: content.toString('base64') }, bytes: content.length };
}

/** n8n tells by an error, in its own words, that there is none. */
function find(this: IExecuteFunctions, i: number, property: Property): IBinaryData | undefined {
	try {
		return this.helpers.assertBinaryData(i, property);
	} catch {
		return undefined;
	}
}

async function contentOf(this: IExecuteFunctions, i: number, property: Property, file: IBinaryData, most: number, refuse: (problem: string) => InvalidInputError): Promise<Buffer> {
	const bytes = await read(() => sizeOf.call(this, file), refuse);
	if (bytes > maxBytes) throw refuse(`the file has ${Math.ceil(bytes / MB)} MB, more than the ${maxBytes / MB} MB that EvolutionAPI takes in one request: put it on a web server, and use its URL`);
	if (bytes > most) throw refuse(`with this file, the steps bring more than ${maxBytes / MB} MB together: put files on a web server, and use their URLs`);
	return await read(() => this.helpers.getBinaryDataBuffer(i, property), refuse);
}

/** A file that n8n has stored may be gone, such as by its own clearing up. */
async function read<T>(from: () => Promise<T>, refuse: (problem: string) => InvalidInputError): Promise<T> {
	try {
		return await from();
	} catch (error) {
		throw refuse(`n8n can't read the file: ${(error as Error).message}`);
	}
}

/** In bytes, without loading the file. Stored files tell it; those in the item are base64. */
async function sizeOf(this: IExecuteFunctions, { bytes, id, data }: IBinaryData): Promise<number> {
	if (bytes !== undefined) return bytes;
	return id ? (await this.helpers.getBinaryMetadata(id)).fileSize : Math.floor((data.length * 3) / 4);
}

function notFound(property: Property, present: string[]): string {
	const name = typeof property === 'string' ? `"${property}"` : 'of that name';
	if (present.length === 0) return `the input item has no binary data ${name}, and none at all: the node before has to give the file`;
	return `the input item has no binary data ${name}, but ${present.map((one) => `"${one}"`).join(', ')}`;
}
