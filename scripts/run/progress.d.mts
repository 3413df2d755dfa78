// Types of progress.mjs, for the TypeScript scripts that use it.
export interface ProgressOptions {
	/** Time between two lines, in milliseconds; 5000. */
	everyMs?: number;
	/** A few words on how far it is, such as a size. */
	measure?: () => Promise<string>;
	print?: (line: string) => void;
}
export interface CommandOptions extends ProgressOptions {
	cwd?: string;
	env?: NodeJS.ProcessEnv;
	/** Where the command's output goes. */
	logFile?: string;
}
export function withProgress<T>(label: string, work: () => Promise<T>, options?: ProgressOptions): Promise<T>;
export function runWithProgress(label: string, command: string, args: string[], options?: CommandOptions): Promise<void>;
export function npmWithProgress(label: string, args: string[], options?: CommandOptions): Promise<void>;
export function npmCommand(environment?: NodeJS.ProcessEnv): { command: string; leading: string[] };
export function explain(error: unknown): string;
