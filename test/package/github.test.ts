// The forms for issues, as far as their lines tell without a YAML library: what GitHub's schema for forms demands.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(__dirname, '../../.github/ISSUE_TEMPLATE');
const read = (file: string) => readFileSync(join(folder, file), 'utf8');

interface Field {
	type: string;
	lines: string[];
}

/** The fields of a form, each with its lines. */
function fieldsOf(form: string): Field[] {
	const [, body = ''] = form.split(/^body:\n/m);
	return body.split(/^ {2}- (?=type: )/m).slice(1).map((field) => ({ type: /^type: (\w+)$/m.exec(field)?.[1] ?? '', lines: field.split('\n') }));
}

function valueOf(lines: string[], key: string): string | undefined {
	return lines.map((line) => new RegExp(`^\\s+${key}: (.+)$`).exec(line)?.[1]).find((value) => value !== undefined);
}

/** What is wrong with a form; nothing where GitHub takes it. */
function problemsOf(form: string): string[] {
	const fields = fieldsOf(form);
	const ids = fields.map(({ lines }) => valueOf(lines, 'id')).filter((id) => id !== undefined);
	return [
		...['name', 'description'].filter((key) => !new RegExp(`^${key}: \\S`, 'm').test(form)).map((key) => `no ${key}`),
		...(fields.some(({ type }) => type !== 'markdown') ? [] : ['no field']),
		...ids.filter((id, i) => ids.indexOf(id) !== i).map((id) => `two fields with the ID ${id}`),
		...form.split('\n').filter((line) => /\t/.test(line)).map((line) => `a tab: ${line}`),
		...fields.flatMap(({ type, lines }) => {
			const name = valueOf(lines, 'id') ?? type;
			if (!['markdown', 'input', 'textarea', 'dropdown', 'checkboxes'].includes(type)) return [`${name} is a ${type}`];
			const needed = type === 'markdown' ? ['value'] : ['id', 'label'];
			const options = lines.filter((line) => /^ {8}- \S/.test(line));
			return [
				...needed.filter((key) => valueOf(lines, key) === undefined).map((key) => `${name} has no ${key}`),
				...(type === 'dropdown' && new Set(options).size < Math.max(2, options.length) ? [`${name} has too few options, or one twice`] : []),
			];
		}),
	];
}

test.each(['bug_report.yml', 'feature_request.yml'])('%s is a form as GitHub takes it', (file) => {
	expect(problemsOf(read(file))).toEqual([]);
});

test('a form that GitHub would not take is told', () => {
	const form = read('bug_report.yml');
	expect(problemsOf(form.replace('name: Something', 'nme: Something'))).toEqual(['no name']);
	expect(problemsOf(form.replace('id: steps', 'id: what'))).toEqual(['two fields with the ID what']);
	expect(problemsOf(form.replace('type: dropdown', 'type: select'))).toEqual(['mode is a select']);
	expect(problemsOf(form.replace("      label: The error's code\n", ''))).toEqual(['code has no label']);
	expect(problemsOf(form.replace(/ {8}- .*\n/g, ''))).toEqual(['mode has too few options, or one twice', 'channel has too few options, or one twice']);
});

test('the form for bugs asks for what is needed to find one, and warns of keys and numbers', () => {
	const form = read('bug_report.yml');
	expect(fieldsOf(form).map(({ lines }) => valueOf(lines, 'id')).filter(Boolean)).toEqual(['what', 'steps', 'code', 'sent', 'output', 'package', 'n8n', 'mode', 'evolution', 'channel']);
	expect(form).toMatch(/Do not paste API keys/);
	expect(form).toMatch(/Mask phone numbers/);
});
