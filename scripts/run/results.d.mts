// Types of results.mjs, for its tests.
export interface Counts {
	passed: number;
	failed: number;
	skipped: number;
}
export function countJest(file: string, code: number): Counts;
export function countOwn(file: string, code: number): Counts;
export function countCheck(code: number): Counts;
export function add(counts: Counts[]): Counts;
export function writeResult(folder: string, suite: string, counts: Counts): void;
export function clearResult(folder: string, suite: string): void;
export function readResults(folder: string): Counts[];
export function totalLine(counts: Counts): string;
