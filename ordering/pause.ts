// Waits that a signal can end. Thousands wait at once, so they share one timer, and none holds a closure of its own.
import { Heap } from './receipts/heap';

/** Longer ones fire at once in Node. */
const longestTimerMs = 2 ** 31 - 1;

/** One pause; it listens to the signal itself. */
class Pause {
	place = -1;

	constructor(
		/** Whole ms of `performance.now()`: they need no memory of their own. */
		readonly endsAt: number,
		private readonly resolve: (value: undefined) => void,
		private readonly signal?: AbortSignal,
	) {
		signal?.addEventListener('abort', this, { once: true });
	}

	handleEvent(): void {
		pauses.remove(this);
		if (!pauses.first) disarm();
		this.end();
	}

	end(): void {
		this.signal?.removeEventListener('abort', this);
		this.resolve(undefined);
	}
}

const pauses = new Heap<'endsAt', 'place', Pause>('endsAt', 'place');
let timer: NodeJS.Timeout | undefined;
let timerAt = Infinity;

/** Resolves after `ms`, or early, without an error, when the signal fires: look at the signal afterwards. */
export function pause(ms: number, signal?: AbortSignal): Promise<undefined> {
	if (signal?.aborted) return Promise.resolve(undefined);
	return new Promise((resolve) => {
		pauses.put(new Pause(Math.ceil(performance.now() + ms), resolve, signal));
		arm();
	});
}

/** The timer may fire too early, never too late. */
function arm(): void {
	const at = pauses.first?.endsAt ?? Infinity;
	if (timerAt <= at) return;
	disarm();
	timerAt = at;
	timer = setTimeout(endDue, Math.min(Math.max(0, at - performance.now()), longestTimerMs));
}

function disarm(): void {
	clearTimeout(timer);
	timerAt = Infinity;
}

function endDue(): void {
	timerAt = Infinity;
	for (let first = pauses.first; first && first.endsAt <= performance.now(); first = pauses.first) {
		pauses.remove(first);
		first.end();
	}
	if (pauses.first) arm();
}
