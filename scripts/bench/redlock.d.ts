// redlock's own declarations are not reachable through its package's exports; what the benchmark uses of it.
declare module 'redlock' {
	import type { Redis } from 'ioredis';
	export default class Redlock {
		constructor(clients: Redis[]);
		acquire(resources: string[], durationMs: number): Promise<{ release(): Promise<unknown> }>;
	}
}
