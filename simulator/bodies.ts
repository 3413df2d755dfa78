// EvolutionAPI's checks of a message's body: its JSON schemas, and what its controllers refuse themselves.

import { isBase64, isUrl, type Kind } from './content';

type Body = Record<string, unknown>;

/** One check of a schema, by path (`contact[].fullName`: of each); a path ends where a value is missing. */
type Check = [path: string, ...rules: Rule[]];
type Rule = (value: unknown) => string | undefined;

const isA = (type: string): Rule => (value) => (typeof value === type ? undefined : `is not of a type(s) ${type}`);
const text = isA('string');
const list: Rule = (value) => (Array.isArray(value) ? undefined : 'is not of a type(s) array');
const oneOf = (...values: string[]): Rule => (value) => (values.includes(String(value)) ? undefined : `is not one of enum values: ${values.join(',')}`);
const least = (length: number): Rule => (value) => ((value as { length: number }).length >= length ? undefined : `does not meet minimum length of ${length}`);
const most = (length: number): Rule => (value) => ((value as { length: number }).length <= length ? undefined : `does not meet maximum length of ${length}`);
const unique: Rule = (value) => (new Set((value as unknown[]).map((item) => JSON.stringify(item))).size === (value as unknown[]).length ? undefined : 'contains duplicate item');
const from0to10: Rule = (value) => {
	if (!Number.isInteger(value)) return 'is not of a type(s) integer';
	if (Number(value) < 0) return 'must be greater than or equal to 0';
	return Number(value) > 10 ? 'must be less than or equal to 10' : undefined;
};
/** Has these properties; the text is the schema library's. */
const needs = (...names: string[]): Rule => (value) => {
	const name = names.find((one) => (value as Body)?.[one] === undefined);
	return name && `requires property "${name}"`;
};

const SCHEMAS: Record<Kind, { required: string[]; checks?: Check[] }> = {
	sendText: { required: ['number', 'text'], checks: [['text', text]] },
	sendMedia: { required: ['number', 'mediatype'], checks: [['mediatype', text, oneOf('image', 'document', 'video', 'audio')], ['media', text], ['fileName', text], ['caption', text]] },
	sendWhatsAppAudio: { required: ['number'], checks: [['audio', text]] },
	sendSticker: { required: ['number'], checks: [['sticker', text]] },
	sendLocation: { required: ['number', 'latitude', 'longitude', 'name', 'address'], checks: [['latitude', isA('number')], ['longitude', isA('number')], ['name', text], ['address', text]] },
	sendContact: { required: ['number', 'contact'], checks: [['contact', list, least(1), unique], ['contact[]', needs('fullName', 'phoneNumber')], ['contact[].phoneNumber', text, least(10)]] },
	sendReaction: { required: ['key', 'reaction'], checks: [['key', needs('id', 'remoteJid', 'fromMe')], ['reaction', text]] },
	sendPoll: { required: ['number', 'name', 'selectableCount', 'values'], checks: [['name', text], ['selectableCount', from0to10], ['values', list, least(2), most(10), unique], ['values[]', text]] },
	sendList: {
		required: ['number', 'title', 'footerText', 'buttonText', 'sections'],
		checks: [['sections', list, least(1), unique], ['sections[]', needs('title', 'rows')], ['sections[].rows', list, least(1), unique], ['sections[].rows[]', needs('title', 'rowId')]],
	},
	sendButtons: { required: ['number'], checks: [['buttons', list], ['buttons[]', needs('type')], ['buttons[].type', oneOf('reply', 'copy', 'url', 'call', 'pix')]] },
	sendTemplate: { required: ['name', 'language'], checks: [['name', text], ['language', text], ['components', list]] },
};

/** What the schema of this kind finds wrong, in its words. */
export function schemaProblems(kind: Kind, body: Body): string[] {
	const { required, checks = [] } = SCHEMAS[kind];
	const problems = required.filter((name) => body[name] === undefined).map((name) => `instance requires property "${name}"`);
	if (body.number !== undefined && typeof body.number !== 'string') problems.push('Invalid format');
	if (body.delay !== undefined && !Number.isInteger(body.delay)) problems.push('Enter a value in milliseconds');
	for (const [path, ...rules] of checks) problems.push(...problemsAt(body, '', path.split('.'), rules));
	return problems;
}

function problemsAt(value: unknown, place: string, [step, ...further]: string[], rules: Rule[]): string[] {
	if (value === undefined) return [];
	if (step === undefined) {
		const problem = rules.map((rule) => rule(value)).find((found) => found !== undefined);
		return problem === undefined ? [] : [`${place} ${problem}`];
	}
	const name = step.replace('[]', '');
	const inner = (value as Body | null)?.[name];
	const at = place ? `${place}.${name}` : name;
	if (!step.endsWith('[]')) return problemsAt(inner, at, further, rules);
	return Array.isArray(inner) ? inner.flatMap((item, index) => problemsAt(item, `${at}[${index}]`, further, rules)) : [];
}

/** What the controllers refuse, before they look for the instance. */
export function controllerProblem(kind: Kind, body: Body): string | undefined {
	const isFile = (value: unknown) => isUrl(value) || isBase64(value);
	if (kind === 'sendMedia' && isBase64(body.media) && !body.fileName && body.mediatype === 'document') return 'For base64 the file name must be informed.';
	if (kind === 'sendMedia' && !isFile(body.media)) return 'Owned media must be a url or base64';
	if (kind === 'sendSticker' && !isFile(body.sticker)) return 'Owned media must be a url or base64';
	if (kind === 'sendWhatsAppAudio' && !isFile(body.audio)) return 'Owned media must be a url, base64, or valid file with buffer';
	if (kind === 'sendReaction' && !/[^()\w\sà-ú"-+]+/.test(String(body.reaction))) return '"reaction" must be an emoji';
	return undefined;
}
