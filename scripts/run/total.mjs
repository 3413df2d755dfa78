// Prints the sum of all suites as the last line of .ci/run: node total.mjs FOLDER SUITE=EXITCODE …
import { add, readResult, readResults, totalLine } from './results.mjs';

const [folder, ...suites] = process.argv.slice(2);
const total = add([...readResults(folder), ...suites.map(unaccounted)]);
const nothingRan = total.passed + total.failed === 0;
console.log(totalLine(total));
process.exitCode = total.failed > 0 || nothingRan ? 1 : 0;

/** A suite that failed without saying how (it died, or ran out of time) is one failure more; so is one that said nothing. */
function unaccounted(suite) {
	const [name, code] = suite.split('=');
	const counts = readResult(folder, name);
	const isMissing = counts === undefined || (code !== '0' && counts.failed === 0);
	return { passed: 0, failed: isMissing ? 1 : 0, skipped: 0 };
}
