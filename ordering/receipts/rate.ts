// How many requests may start: so many a second, with a small reserve for those that come together.

/** Times in ms, of any clock that only goes forward. */
export class Rate {
	private left: number;
	private countedAt = 0;

	constructor(
		private readonly perSecond: number,
		private readonly reserve: number,
	) {
		this.left = reserve;
	}

	/** When the next may start. */
	freeAt(now: number): number {
		this.count(now);
		return this.left >= 1 ? now : now + Math.ceil(((1 - this.left) * 1000) / this.perSecond);
	}

	/** One starts, whether or not it may: the next ones make up for it. */
	take(now: number): void {
		this.count(now);
		this.left -= 1;
	}

	private count(now: number): void {
		this.left = Math.min(this.reserve, this.left + ((now - this.countedAt) * this.perSecond) / 1000);
		this.countedAt = now;
	}
}
