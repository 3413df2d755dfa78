// Types of dependencies.mjs, for its tests.
export function ensureDependencies(root: string, options?: { print?: (line: string) => void }): Promise<void>;
export function areCurrent(root: string): boolean;
export function stampOf(root: string): string;
