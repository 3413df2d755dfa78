// stub
import type { ChatRequest } from '../log/request';
export interface Verification { verdict: string }
export async function verifyOrder(_m: object, _r: ChatRequest): Promise<Verification> { return { verdict: '' }; }
