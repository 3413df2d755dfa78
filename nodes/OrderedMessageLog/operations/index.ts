// All operations of the node, by their value in `operation`, in the order of their names.
import { compensate } from './compensate';
import { get } from './get';
import { getAll } from './getAll';
import { giveUp } from './giveUp';
import type { Operation } from './operation';
import { prune } from './prune';
import { recover } from './recover';
import { resume } from './resume';
import { timeline } from './timeline';
import { verify } from './verify';

export const operations: Record<string, Operation> = { compensate, prune, timeline, get, getAll, giveUp, recover, resume, verify };
