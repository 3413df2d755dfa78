// A binary heap whose members can leave from the middle: each holds its own place in it.

/** The smallest `key` comes first. `place` is the heap's to write; -1 is outside. */
export class Heap<Key extends string, Place extends string, Member extends Record<Key | Place, number>> {
	private readonly members: Member[] = [];

	constructor(
		private readonly key: Key,
		private readonly place: Place,
	) {}

	get first(): Member | undefined {
		return this.members[0];
	}

	/** Takes a member in, or to its new place after its key has changed. */
	put(member: Member): void {
		if (member[this.place] < 0) this.set(this.members.length, member);
		this.settle(member);
	}

	/** Does nothing where it is not in. */
	remove(member: Member): void {
		const at = member[this.place];
		if (at < 0) return;
		const last = this.members.pop() as Member;
		member[this.place] = -1 as Member[Place];
		if (last === member) return;
		this.set(at, last);
		this.settle(last);
	}

	private settle(member: Member): void {
		const { members, key } = this;
		let at: number = member[this.place];
		for (let parent = (at - 1) >> 1; at > 0 && members[parent]![key] > member[key]; parent = (at - 1) >> 1) {
			this.set(at, members[parent]!);
			at = parent;
		}
		for (let child = this.smallerChild(at); child && child[key] < member[key]; child = this.smallerChild(at)) {
			const next: number = child[this.place];
			this.set(at, child);
			at = next;
		}
		this.set(at, member);
	}

	private smallerChild(at: number): Member | undefined {
		const left = this.members[2 * at + 1];
		const right = this.members[2 * at + 2];
		return left && right && right[this.key] < left[this.key] ? right : left;
	}

	private set(at: number, member: Member): void {
		this.members[at] = member;
		member[this.place] = at as Member[Place];
	}
}
