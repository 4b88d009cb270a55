import { timestamp } from '../clock.js';
import type { Observation } from '../judge/index.js';
import { JUDGE_VERSION } from '../judge/index.js';
import { canonicalJson } from '../ledger/tree/index.js';
import { replayCanary } from './canary-replay.js';
import { counterfactualPolicy, policyDiff, type Setting, type WrittenPolicy } from './change-policy.js';
import { atRecordedLooks } from './outcome-under.js';
import { countOutcomes } from './outcomes.js';
import type { Recording } from './recording.js';
import { DetailSeries } from './report/index.js';
import type { CanaryReplay, CanarySeries, ReplayResult } from './result.js';
import { type Replayed, sweep } from './sweep.js';
import type { Axis } from './sweep-axes.js';

export interface ReplayRequest {
  /** What was asked for, as the result shows it; ms since the epoch. */
  from: number | null;
  to: number | null;
  modelId: string | null;
  policyName: string;
  /** The policy to replay under; null: each canary's own, with the settings. */
  given: WrittenPolicy | null;
  settings: readonly Setting[];
  axes: readonly Axis[];
  /** Keep the observations of canaries that a report shows in detail, for its charts. */
  keepSeries: boolean;
  log: ReplayResult['log'];
  /** What was read of a source for a time that was never watched. */
  read?: ReplayResult['read'];
  /** What settings and axes are called where they were given, for messages; by default the flags. */
  called?: { set: string; sweep: string };
  /** Threads of a sweep; by default as many as the work is worth. */
  threads?: number;
}

export interface Replay {
  result: ReplayResult;
  /** Of those canaries that a report shows in detail, in the order of the result; empty unless asked for. */
  series: CanarySeries[];
}

const FLAGS = { set: '--set', sweep: '--sweep' };

/**
 * Judges recorded canaries under another policy. Pure but for the reading of the records; the same records and request
 * give the same result.
 * @throws LukhasError POLICY, USAGE, VERIFICATION
 */
export async function replay(recordings: readonly Recording[], request: ReplayRequest): Promise<Replay> {
  const { given, settings, axes, threads, called = FLAGS } = request;
  // An invalid policy is an error even without any canary.
  if (given !== null) counterfactualPolicy(given, null, settings, called.set);
  const canaries: CanaryReplay[] = [];
  const detail = new DetailSeries();
  const replayed: Replayed[] = [];
  const diffs = new Map<string, ReplayResult['policyDiff'][number]>();
  for (const recording of recordings) {
    const { own } = recording;
    const policy = counterfactualPolicy(given, own, settings, called.set);
    const observations: Observation[] = [];
    const canary = await replayCanary(recording, policy, request.keepSeries ? (o) => observations.push(o) : undefined);
    canaries.push(canary);
    if (request.keepSeries) detail.add(canary, observations);
    replayed.push({ recording, outcome: canary.original.outcome, count: canary.observations.count });
    const different = own === null ? [] : policyDiff(own, atRecordedLooks(policy, own));
    for (const diff of different) diffs.set(canonicalJson(diff), diff);
  }
  const { from, to, modelId, policyName, log } = request;
  const result: ReplayResult = {
    judge: JUDGE_VERSION,
    from: from === null ? null : timestamp(from),
    to: to === null ? null : timestamp(to),
    modelId,
    policyName,
    policyDiff: [...diffs.values()].sort(byPath),
    log,
    read: request.read ?? null,
    canaries,
    totals: {
      original: countOutcomes(canaries.map((c) => c.original.outcome)),
      counterfactual: countOutcomes(canaries.map((c) => c.counterfactual.outcome)),
      flips: canaries.filter((c) => c.flips === true).length,
      insufficient: canaries.filter((c) => c.flips === null).length,
    },
    sweep:
      axes.length === 0
        ? null
        : await sweep(replayed, {
            axes,
            given,
            settings,
            called: called.sweep,
            ...(threads === undefined ? {} : { threads }),
          }),
  };
  return { result, series: detail.series };
}

function byPath(a: { path: string }, b: { path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}
