// n8n's own guard against requests to private addresses, where this n8n has one (2.41 has).
import type { EgressFilter } from '../../ordering';

/** The requests of this package do not go through n8n's helpers, so they have to ask this filter themselves. */
export function egressFilter(helpers: object): EgressFilter | undefined {
	const filter = (helpers as { getSecureEgressFilter?: () => EgressFilter }).getSecureEgressFilter;
	return filter?.call(helpers);
}
