import type { Ledger } from '../ledger/ledger.js';
import { type Named, notInLog } from '../ledger/resolve.js';
import { type Canary, foldCanary } from './state.js';

/** Canaries, as `resolveId` looks for them. */
export const CANARY: Named = { type: 'canary', one: 'canary', many: 'canaries', list: 'lukhas canary list' };

/** @throws LukhasError NOT_FOUND */
export async function loadCanary(ledger: Ledger, id: string): Promise<Canary> {
  const canary = foldCanary(await ledger.events({ subject: id }));
  if (canary) return canary;
  throw notInLog(id, CANARY);
}
