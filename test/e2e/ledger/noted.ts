import type { EventDraft } from '../../../src/lib/ledger/events.js';

/** An entry of now that is about no canary. */
export function noted(message: string): EventDraft {
  const data = { by: { who: 'ana', how: 'os-user' }, from: null, to: null, reason: 'error', message } as const;
  return { kind: 'evidence.failed', subject: 'evidence', ts: new Date().toISOString(), data };
}
