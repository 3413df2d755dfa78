// Reads the EvolutionAPI credential.
import type { IExecuteFunctions, ILoadOptionsFunctions } from 'n8n-workflow';
import type { ServerAccess } from '../../../ordering';

export async function readServerAccess(context: IExecuteFunctions | ILoadOptionsFunctions, itemIndex?: number): Promise<ServerAccess> {
	const credential = itemIndex === undefined ? await (context as ILoadOptionsFunctions).getCredentials<Partial<ServerAccess>>('evolutionServerApi') : await (context as IExecuteFunctions).getCredentials<Partial<ServerAccess>>('evolutionServerApi', itemIndex);
	return toServerAccess(credential);
}

export function toServerAccess({ baseUrl, apiKey, ignoreSslIssues }: Partial<ServerAccess>): ServerAccess {
	return { baseUrl: String(baseUrl ?? ''), apiKey: String(apiKey ?? ''), ignoreSslIssues: Boolean(ignoreSslIssues) };
}
