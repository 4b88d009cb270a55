import { LukhasError } from '../errors.js';
import type { Ledger } from '../ledger/ledger.js';
import { type Canary, foldCanary } from './state.js';

/** @throws LukhasError NOT_FOUND */
export async function loadCanary(ledger: Ledger, id: string): Promise<Canary> {
  const canary = foldCanary(await ledger.events({ subject: id }));
  if (canary) return canary;
  throw new LukhasError('NOT_FOUND', `No canary ${id} in this log.`, {
    suggestions: ['List them: lukhas canary list', 'Is it in another database? Pass --db or set LUKHAS_MCP_DB.'],
  });
}
