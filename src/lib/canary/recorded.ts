import type { Policy, Verdict } from '../judge/index.js';
import type { Ledger } from '../ledger/index.js';
import { isPruningOf } from '../ledger/index.js';
import { type Canary, foldCanary } from '../readings/index.js';

/** Canaries that began within a time; times are ms since the epoch. */
export interface StartedFilter {
  /** First, inclusive. */
  from: number | null;
  /** Last, exclusive. */
  to: number | null;
  modelId: string | null;
}

/** What the log alone says, up to an entry: listings are derived from it and not asked. */
export interface StartedCanaries {
  /** Ids in order of their start. */
  ids: string[];
  /** Every model that any canary of the log was for. */
  models: string[];
}

/** @param size entries of the log that count */
export async function startedCanaries(ledger: Ledger, size: number, filter: StartedFilter): Promise<StartedCanaries> {
  const requests = await ledger.events({ kinds: ['canary.requested'], to: size });
  const models = new Map(
    requests.flatMap((e) => (e.kind === 'canary.requested' ? [[e.subject, e.data.modelId]] : [])) as [string, string][],
  );
  const starts = await ledger.events({ kinds: ['canary.started'], to: size });
  const ids = starts
    .flatMap((e) => (e.kind === 'canary.started' ? [{ id: e.subject, startedAt: e.data.startedAt }] : []))
    .filter(({ startedAt }) => startedAt >= (filter.from ?? startedAt) && (filter.to === null || startedAt < filter.to))
    .filter(({ id }) => filter.modelId === null || models.get(id) === filter.modelId)
    .sort((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1))
    .map(({ id }) => id);
  return { ids, models: [...new Set(models.values())].sort() };
}

/** A canary's records as plain data. */
export interface RecordedCanary {
  canaryId: string;
  modelId: string;
  fromGate: string;
  toGate: string;
  startedAt: number;
  own: Policy;
  decided: { verdict: Verdict; count: number; digest: string } | null;
  /** Why there is no verdict, in words. */
  undecided: string | null;
  /** A human decision that overrode or ended it, in words. */
  overridden: string | null;
  /** The entry which says that just the observations of the verdict were deleted by retention; left out: none does. */
  pruned?: { seq: number; ts: string };
  lines(): AsyncIterable<string>;
}

/**
 * Reads a canary's records from the first `size` entries of the log.
 * @returns null when it has not been started by then: there is nothing to replay
 */
export async function recordedCanary(ledger: Ledger, id: string, size: number): Promise<RecordedCanary | null> {
  const canary = foldCanary(await ledger.events({ subject: id, to: size }));
  if (canary === null || canary.startedAt === null) return null;
  const { modelId, fromGate, toGate, startedAt, policy: own, verdict, observations } = canary;
  // As of now, whatever part of the log is replayed: what is gone is gone.
  const prunings = observations === null ? [] : await ledger.events({ subject: id, kinds: ['canary.pruned'] });
  const pruned = prunings.find((event) => observations !== null && isPruningOf(event, observations));
  return {
    canaryId: id,
    modelId,
    fromGate,
    toGate,
    startedAt,
    own,
    decided: verdict && observations ? { verdict, count: observations.count, digest: observations.digest } : null,
    undecided: verdict ? null : undecided(canary),
    overridden: byHand(canary),
    ...(pruned === undefined ? {} : { pruned: { seq: pruned.seq, ts: pruned.ts } }),
    lines: () => ledger.observationLines(id),
  };
}

function byHand({ state, ended, consent: { breakGlass } }: Canary): string | null {
  if (breakGlass) return `promoted by break-glass by ${breakGlass.by.who}: ${breakGlass.reason}`;
  // An override that people have not approved has changed nothing.
  if (ended === null || state === 'BLOCKED') return null;
  return `${state === 'ABORTED' ? 'aborted' : 'promoted'} by ${ended.by.who}: ${ended.reason}`;
}

function undecided({ state, failure }: Canary): string {
  if (state === 'ABORTED') return 'it was aborted before it was decided';
  if (state === 'FAILED') return `it failed before it was decided: ${failure?.message ?? ''}`;
  return 'it is not decided yet';
}
