// Types of programs.mjs, for the tests.
export type Program = 'redis-server' | 'postgres' | 'chromium';
export const services: Program[];
export function missingPrograms(wanted: Program[], path?: string, postgresFolders?: string): Program[];
export function missingProgramsMessage(missing: Program[]): string;
export function chromiumPath(path?: string, named?: string): string | undefined;
export function ensurePrograms(wanted: Program[], print?: (line: string) => void): Program[];
export function testsWithServices(folder: string): string[];
