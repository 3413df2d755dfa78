// All operations of the node, by their value in `operation`.
import { endTurn } from './endTurn';
import { join } from './join';
import type { Operation } from './operation';
import { takeOver } from './takeOver';

export const operations: Record<string, Operation> = { endTurn, join, takeOver };
