// Whether a changelog has the form of Keep a Changelog 1.1.0 (https://keepachangelog.com/en/1.1.0/) and tells of a version.
import { compareVersions, isSemver } from './semver';

const KINDS = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'];

interface Section {
	/** As it stands behind `## `. */
	heading: string;
	/** Undefined where the heading is none of a version. */
	version?: string;
	date?: string;
	lines: string[];
}

/** What is wrong with the changelog's form; nothing where all is well. */
export function formProblems(text: string): string[] {
	const problems: string[] = [];
	if (!text.startsWith('# Changelog\n')) problems.push('its first line has to be "# Changelog"');
	const sections = sectionsOf(text);
	if (sections[0]?.heading !== '[Unreleased]') problems.push('its first section has to be "## [Unreleased]", with nothing behind it: what comes next is written there, and it may be empty');
	for (const section of sections.slice(sections[0]?.heading === '[Unreleased]' ? 1 : 0)) problems.push(...headingProblems(section), ...linkProblems(section, text), ...(section.lines.some(isEntry) ? [] : [`"## ${section.heading}" tells of no change`]));
	for (const section of sections) problems.push(...kindProblems(section));
	return [...problems, ...orderProblems(sections)].map((problem) => `CHANGELOG.md: ${problem}.`);
}

/** What keeps this version from being released; nothing where the changelog tells of it. */
export function versionProblems(text: string, version: string): string[] {
	const dated = sectionsOf(text).some((section) => section.version === version && section.date !== undefined);
	if (dated) return [];
	return [`CHANGELOG.md has no section "## [${version}] - YYYY-MM-DD": write it below "## [Unreleased]", with the day of the release and with what has changed for users, and "[${version}]: ADDRESS" at the end; or correct the version in package.json.`];
}

/** Whether something stands under Unreleased. */
export function hasUnreleased(text: string): boolean {
	return sectionsOf(text).some(({ heading, lines }) => heading === '[Unreleased]' && lines.some(isEntry));
}

function sectionsOf(text: string): Section[] {
	const [, ...parts] = text.split(/^## /m);
	return parts.map((part) => {
		const [heading = '', ...lines] = part.split('\n');
		const [, version, date] = /^\[([^\]]+)\] - (\d{4}-\d{2}-\d{2})(?: \[YANKED\])?$/.exec(heading) ?? [];
		return { heading, version, date, lines };
	});
}

function headingProblems({ heading, version, date }: Section): string[] {
	if (version === undefined || date === undefined) return [`"## ${heading}" has to be "## [VERSION] - YYYY-MM-DD"`];
	if (!isSemver(version)) return [`"## ${heading}": ${version} is no semantic version such as 1.2.3`];
	return isDate(date) ? [] : [`"## ${heading}": there is no such day`];
}

function linkProblems({ version }: Section, text: string): string[] {
	if (version === undefined) return [];
	const has = text.split('\n').some((line) => line.startsWith(`[${version}]: http`));
	return has ? [] : [`it has no line "[${version}]: ADDRESS", so the version's heading leads nowhere`];
}

function kindProblems({ heading, lines }: Section): string[] {
	const kinds = lines.filter((line) => line.startsWith('### ')).map((line) => line.slice(4));
	const unknown = kinds.filter((kind) => !KINDS.includes(kind)).map((kind) => `"### ${kind}" under "## ${heading}" has to be one of ${KINDS.join(', ')}`);
	const repeated = kinds.filter((kind, i) => kinds.indexOf(kind) !== i).map((kind) => `"## ${heading}" has "### ${kind}" twice`);
	const firstKind = lines.findIndex((line) => line.startsWith('### '));
	const homeless = lines.slice(0, firstKind === -1 ? undefined : firstKind).some(isEntry) ? [`an entry of "## ${heading}" stands under none of ${KINDS.join(', ')}`] : [];
	return [...unknown, ...repeated, ...homeless];
}

function orderProblems(sections: Section[]): string[] {
	const versions = sections.filter((section): section is Section & { version: string; date: string } => section.version !== undefined && isSemver(section.version));
	return versions.slice(1).flatMap((section, i) => {
		const before = versions[i] as (typeof versions)[number];
		if (compareVersions(before.version, section.version) <= 0) return [`${section.version} may not stand below ${before.version}: the newest comes first, and each version once`];
		return before.date < section.date ? [`${before.version} of ${before.date} is older than ${section.version} of ${section.date}`] : [];
	});
}

function isEntry(line: string): boolean {
	return /^[-*] \S/.test(line);
}

function isDate(date: string): boolean {
	const time = Date.parse(`${date}T00:00:00Z`);
	return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date);
}
