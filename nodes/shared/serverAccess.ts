// Reads the EvolutionAPI credential.
import type { IExecuteFunctions, ILoadOptionsFunctions } from 'n8n-workflow';
import type { ServerAccess } from '../../ordering';

export async function readServerAccess(context: IExecuteFunctions | ILoadOptionsFunctions, itemIndex?: number): Promise<ServerAccess> {
	return toServerAccess(await context.getCredentials<Partial<ServerAccess>>('evolutionServerApi', itemIndex));
}

/** A credential holds what somebody typed, or what an expression made of it. */
export function toServerAccess({ baseUrl, apiKey, ignoreSslIssues }: Partial<ServerAccess>): ServerAccess {
	return { baseUrl: String(baseUrl ?? ''), apiKey: String(apiKey ?? ''), ignoreSslIssues: Boolean(ignoreSslIssues) };
}
