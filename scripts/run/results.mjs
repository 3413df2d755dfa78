// Counts of what passed and failed, kept in .cache/results for .ci/run to add up.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A suite's counts from the file that `jest --json` wrote; a jest that wrote none, or failed otherwise, is one failure. */
export function countJest(file, code) {
	let report;
	try {
		report = JSON.parse(readFileSync(file, 'utf8'));
	} catch {
		return { passed: 0, failed: 1, skipped: 0 };
	}
	// A file that could not be loaded counts no test, and missed coverage none that failed.
	const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
	return { passed: report.numPassedTests, failed: code === 0 ? failed : Math.max(failed, 1), skipped: report.numPendingTests + report.numTodoTests };
}

/** A suite's counts as it wrote them itself; one that wrote none, or failed otherwise, is one failure. */
export function countOwn(file, code) {
	try {
		const { passed, failed, skipped } = JSON.parse(readFileSync(file, 'utf8'));
		return { passed, failed: code === 0 ? failed : Math.max(failed, 1), skipped };
	} catch {
		return { passed: 0, failed: 1, skipped: 0 };
	}
}

/** The counts of a step that only has an exit code. */
export function countCheck(code) {
	return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

/** The sum of counts. */
export function add(counts) {
	const sum = (key) => counts.reduce((total, count) => total + count[key], 0);
	return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
}

/** Writes a suite's counts. */
export function writeResult(folder, suite, counts) {
	mkdirSync(folder, { recursive: true });
	writeFileSync(fileOf(folder, suite), `${JSON.stringify(counts)}\n`);
}

/** Forgets a suite's earlier counts, so that a run which dies early leaves none. */
export function clearResult(folder, suite) {
	rmSync(fileOf(folder, suite), { force: true });
}

/** A suite's counts, or undefined if it left none. */
export function readResult(folder, suite) {
	const file = fileOf(folder, suite);
	return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

/** The counts of all suites in a folder. */
export function readResults(folder) {
	try {
		const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
		return files.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
	} catch (error) {
		if (error.code === 'ENOENT') return [];
		throw error;
	}
}

/** The line that .ci/run ends with. */
export function totalLine({ passed, failed, skipped }) {
	return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

function fileOf(folder, suite) {
	return join(folder, `${suite.replaceAll(':', '-')}.json`);
}
