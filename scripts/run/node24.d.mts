// Types of node24.mjs, for its tests.
export function ensureNode24(root: string, options?: { forN8n?: boolean; own?: string; print?: (line: string) => void }): Promise<string>;
export function majorOf(version: string): number;
export function packageName(platform?: NodeJS.Platform, arch?: string): string;
export function withNode(program: string, environment?: NodeJS.ProcessEnv): NodeJS.ProcessEnv;
export function checkOwnNode(root: string, own?: string): void;
