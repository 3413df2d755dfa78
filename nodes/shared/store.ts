// Reads the credential of the shared store, which a node may have or not.
import type { IExecuteFunctions } from 'n8n-workflow';
import type { StoreAccess } from '../../ordering';

/** Undefined where the node has none: then all is kept within this n8n process. */
export async function readStore(context: IExecuteFunctions, itemIndex: number): Promise<StoreAccess | undefined> {
	if (!context.getNode().credentials?.orderedStoreApi) return undefined;
	return toStoreAccess(await context.getCredentials<Partial<StoreAccess>>('orderedStoreApi', itemIndex));
}

/** A credential holds what somebody typed, or what an expression made of it. */
export function toStoreAccess({ postgresUrl, redisUrl, namePrefix, ignoreSslIssues }: Partial<StoreAccess>): StoreAccess {
	return { postgresUrl: String(postgresUrl ?? ''), redisUrl: String(redisUrl ?? ''), namePrefix: String(namePrefix ?? ''), ignoreSslIssues: Boolean(ignoreSslIssues) };
}
