// Prints the sum of all suites as the last line of .ci/run: node total.mjs FOLDER SUITE=EXITCODE …
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { add, countCheck, readResults, totalLine } from './results.mjs';

const [folder, ...suites] = process.argv.slice(2);
const total = add([...readResults(folder), ...suites.map(unaccounted)]);
const nothingRan = total.passed + total.failed === 0;
console.log(totalLine(total));
process.exitCode = total.failed > 0 || nothingRan ? 1 : 0;

/** A suite that failed without saying how (it died, or ran out of time) is one failure more. */
function unaccounted(suite) {
	const [name, code] = suite.split('=');
	const wroteCounts = existsSync(join(folder, `${name.replaceAll(':', '-')}.json`));
	return wroteCounts ? { passed: 0, failed: 0, skipped: 0 } : countCheck(Number(code) || 1);
}
