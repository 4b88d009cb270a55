import type { Ledger } from '../ledger/index.js';
import type { SourceDescriptor } from '../metrics/index.js';
import { currentForm } from '../metrics/index.js';
import { sharedSeries } from '../metrics/inspect/index.js';
import { type Canary, ENDED_KINDS, isTerminal } from '../readings/index.js';
import { loadCanary } from './load.js';

/** What of a canary says which series it reads. */
export interface Reads {
  modelId: string;
  fromGate: string;
  source: SourceDescriptor;
}

/** An open canary that reads the same series as another. */
export interface Sharer {
  canary: Canary;
  /** One of the series and its place, for a person. */
  series: string;
}

/** Undecided canaries whose evidence is the same requests: what they measure is not theirs alone. */
export async function sharersOf(ledger: Ledger, wanted: Reads): Promise<Sharer[]> {
  const found: Sharer[] = [];
  for (const id of await ledger.openSubjects('canary', ENDED_KINDS)) {
    const canary = await loadCanary(ledger, id);
    if (isTerminal(canary.state)) continue;
    const source = await currentForm(canary.source as unknown as SourceDescriptor);
    const series = sharedSeries(readBy(wanted), readBy({ ...canary, source }));
    if (series !== null) found.push({ canary, series });
  }
  return found;
}

function readBy({ modelId, fromGate, source }: Reads) {
  return { source, modelId, gate: fromGate };
}
