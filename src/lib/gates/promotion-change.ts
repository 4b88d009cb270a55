import type { Ledger, SubjectSummary } from '../ledger/index.js';
import { listGates } from './registry.js';

/** The promotion that made a change of a gate by which the model entered it; null when it was not one. */
export async function promotionOfChange(
  ledger: Ledger,
  { modelId, gate, seq }: { modelId: string; gate: string; seq: number },
): Promise<{ id: string; canaryId: string | null } | null> {
  const requests = await ledger.events({ kinds: ['promotion.requested'], modelId, to: seq });
  for (const { kind, subject, data } of requests.reverse()) {
    if (kind !== 'promotion.requested' || data.gate !== gate) continue;
    // One that was killed before its end has none yet.
    const [end] = await ledger.events({ subject, kinds: ['promotion.finished'], limit: 1 });
    if (end === undefined || seq < end.seq) return { id: subject, canaryId: data.canaryId };
  }
  return null;
}

/**
 * Changes of gates, each with the promotion that made it (null: none did), and with the canary on whose evidence that stood
 * as its canary.
 */
export function withPromotions<C extends { modelId: string; gate: string; seq: number; canaryId: string | null }>(
  ledger: Ledger,
  changes: readonly C[],
): Promise<(C & { promotionId: string | null })[]> {
  return Promise.all(
    changes.map(async (change) => {
      const made = change.canaryId === null ? await promotionOfChange(ledger, change) : null;
      return { ...change, canaryId: change.canaryId ?? made?.canaryId ?? null, promotionId: made?.id ?? null };
    }),
  );
}

/** Every gate with its holder, by name, and what made it so; from the entries of the gates themselves. */
export async function gatesWithPromotions(ledger: Ledger) {
  return withPromotions(ledger, await listGates(ledger));
}

/** What listings have as decided for a gate, or asked for, and not carried out yet. For telling only: it decides nothing. */
export async function underWay(ledger: Ledger, gate: string): Promise<SubjectSummary[]> {
  const [canaries, promotions] = await Promise.all([
    ledger.summaries({ type: 'canary', open: true, states: ['PROMOTED', 'ROLLED_BACK'] }),
    ledger.summaries({ type: 'promotion', open: true }),
  ]);
  return [
    ...canaries.filter(({ data }) => data['toGate'] === gate),
    ...promotions.filter(({ data }) => data['gate'] === gate),
  ];
}
