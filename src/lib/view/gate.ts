import { entryMeans } from '../explain/index.js';
import type { GateEntry } from '../readings/index.js';

export type { GateEntry };

/** One change of a gate's holder, as it is shown. */
export interface GateChangeView {
  seq: number;
  /** Ms since the epoch. */
  at: number;
  modelId: string;
  previous: string | null;
  /** The canary that proved it; null: none. */
  canaryId: string | null;
  /** How the model came to hold it, in words. */
  means: string;
  /** Null: lukhas, on what a canary proved. */
  by: string | null;
}

/** One gate as it is shown: who holds it, and everything that happened to it, newest first. */
export interface GateView {
  gate: string;
  /** Null: no model has held it. */
  holder: GateChangeView | null;
  changes: GateChangeView[];
}

export function gateView(gate: string, entries: readonly GateEntry[]): GateView {
  const changes = entries.map((entry) => {
    const { seq, ts, modelId, previous, canaryId, by, promotion } = entry;
    return {
      seq,
      at: Date.parse(ts),
      modelId,
      previous,
      canaryId: canaryId ?? promotion?.canaryId ?? null,
      means: entryMeans(entry),
      by: by.how === 'lukhas' ? null : by.who,
    };
  });
  changes.sort((a, b) => b.seq - a.seq);
  return { gate, holder: changes[0] ?? null, changes };
}
