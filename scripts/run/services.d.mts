// Types of services.mjs, for its tests.
export type Service = 'redis-server' | 'postgres';
export function missingServices(path?: string, postgresFolders?: string): Service[];
export function missingServicesMessage(missing: Service[]): string;
export function ensureServices(print?: (line: string) => void): Service[];
export function testsWithServices(folder: string): string[];
