// A real ledger whose saves a test can stop at: for cancelling, or dying, at an exact boundary.
import type { Ledger } from '../../ordering/ledger/ledger';
import type { Transaction } from '../../ordering/transaction';

/** `save` and `saveIntent` are counted together, in the order of the calls. */
export interface SaveHooks {
	/** Called before the `count`-th save (from 1), with what is about to be recorded. */
	before?(count: number, transaction: Transaction): void | Promise<void>;
	/** Called when it is durable. */
	after?(count: number, transaction: Transaction): void | Promise<void>;
}

/** Everything else goes to `ledger` as it is. */
export function hookedLedger(ledger: Ledger, hooks: SaveHooks): Ledger {
	let saves = 0;
	return new Proxy(ledger, {
		get(target, name) {
			if (name === 'save' || name === 'saveIntent') {
				return async (transaction: Transaction) => {
					const count = ++saves;
					await hooks.before?.(count, transaction);
					await target[name](transaction);
					await hooks.after?.(count, transaction);
				};
			}
			const value: unknown = Reflect.get(target, name, target);
			return typeof value === 'function' ? value.bind(target) : value;
		},
	});
}
