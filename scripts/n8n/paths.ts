// Where the scripts that deal with a real n8n keep things.
import { dirname, join, resolve } from 'node:path';

/** This project's folder. */
export const projectRoot = resolve(__dirname, '../..');

/** What git ignores and any run may delete. */
export const cacheFolder = join(projectRoot, '.cache');

/** Where n8n is installed; ORDERED_N8N_CACHE puts it elsewhere, for instance to share it between clones. */
export const n8nFolder = process.env.ORDERED_N8N_CACHE ? resolve(process.env.ORDERED_N8N_CACHE) : join(cacheFolder, 'n8n');

/** n8n's command line program, which is run by the Node that runs this process. */
export const n8nProgram = join(n8nFolder, 'node_modules', 'n8n', 'bin', 'n8n');

/** The folder of the Node that runs this process, with its headers where it came from npm (see scripts/run/node24.mjs). */
export const nodeFolder = dirname(dirname(process.execPath));
