// The rules that make the simulator misbehave: the first that matches a request serves it.

import { toJid } from './numbers';
import type { RuleInput } from './schemas';

export interface Rule extends RuleInput {
	id: string;
	/** How many requests matched so far, the skipped ones included. */
	matched: number;
	/** How many requests it served. */
	served: number;
}

/** What a rule can look at in a request. */
export interface RuleSubject {
	route: string;
	instance: string | undefined;
	number: string | undefined;
	text: string | undefined;
	messageId: string | undefined;
}

export class RuleBook {
	private rules: Rule[] = [];
	private counter = 0;

	add(input: RuleInput): Rule {
		const rule = { ...input, id: `rule-${++this.counter}`, matched: 0, served: 0 };
		this.rules.push(rule);
		return rule;
	}

	all(): Rule[] {
		return this.rules.map((rule) => ({ ...rule }));
	}

	remove(id: string): boolean {
		const before = this.rules.length;
		this.rules = this.rules.filter((rule) => rule.id !== id);
		return this.rules.length < before;
	}

	clear(): void {
		this.rules = [];
	}

	/** The rule that serves this request, counted as used; undefined if all goes well. */
	take(subject: RuleSubject): Rule | undefined {
		for (const rule of this.rules) {
			if (rule.times !== undefined && rule.served >= rule.times) continue;
			if (!matches(rule, subject)) continue;
			rule.matched += 1;
			if (rule.matched <= (rule.skip ?? 0)) continue;
			rule.served += 1;
			return rule;
		}
		return undefined;
	}
}

function matches(rule: Rule, subject: RuleSubject): boolean {
	return (
		same(rule.route, subject.route) &&
		same(rule.instance, subject.instance) &&
		same(rule.messageId, subject.messageId) &&
		same(rule.textEquals, subject.text) &&
		(rule.text === undefined || (subject.text ?? '').includes(rule.text)) &&
		(rule.number === undefined || (subject.number !== undefined && toJid(rule.number) === toJid(subject.number)))
	);
}

function same(wanted: string | undefined, got: string | undefined): boolean {
	return wanted === undefined || wanted === got;
}
