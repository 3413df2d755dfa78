// Types of lock.mjs, for the TypeScript scripts that use it.
export function withLock<T>(file: string, work: () => Promise<T> | T, options?: { print?: (line: string) => void; pollMs?: number }): Promise<T>;
export function holderOf(file: string): number | undefined;
export function isAlive(pid: number): boolean;
