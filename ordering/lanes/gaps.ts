// The least times between what belongs together, within one process: each takes the next free time.

/** So many are kept at least before those are looked for whose time is over. */
const fewest = 1000;

export class Gaps {
	/** When the last one of each key goes, in ms of `performance.now()`, and its gap. */
	private readonly last = new Map<string, { at: number; gapMs: number }>();
	private sweepAt = fewest;

	/** In how many ms the next one of `key` may go: at least `gapMs` after the one before. */
	next(key: string, gapMs: number): number {
		const now = performance.now();
		const before = this.last.get(key);
		const at = before ? Math.max(now, before.at + gapMs) : now;
		this.last.set(key, { at, gapMs });
		if (this.last.size >= this.sweepAt) this.sweep(now);
		return at - now;
	}

	private sweep(now: number): void {
		for (const [key, { at, gapMs }] of this.last) if (at + gapMs < now) this.last.delete(key);
		this.sweepAt = Math.max(fewest, 2 * this.last.size);
	}
}
