// Installs the real n8n that `npm run test:n8n` and `npm run n8n` use, if it isn't there; jest would hide the progress.
import { ensureN8n } from './n8n/install';

ensureN8n().catch((error: unknown) => {
	console.error(error instanceof Error ? error.message : error);
	process.exitCode = 1;
});
