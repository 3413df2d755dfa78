// All operations of the node, by their value in `operation`.
import { giveUp } from './giveUp';
import type { Operation } from './operation';
import { recover } from './recover';
import { resume } from './resume';

export const operations: Record<string, Operation> = { giveUp, recover, resume };
