import { Canaries, recordedCanary } from '../canary/index.js';
import { systemClock } from '../clock.js';
import { LukhasError } from '../errors.js';
import { objectiveLine, odds, why } from '../explain/index.js';
import type { Verdict } from '../judge/index.js';
import { openLedger } from '../ledger/sqlite/index.js';
import { type CanaryReplay, checkPath, type Outcome, type ReplayResult, replay, type Side } from '../replay/index.js';

/** One canary, and what would have been different. */
export interface WhatIfRequest {
  /** Its id, or a unique beginning of it. */
  canaryId: string;
  /** A whole policy as it is written; null: the canary's own. */
  policy: Readonly<Record<string, unknown>> | null;
  /** Keys of the policy that are changed, as `targets.max_error_rate` or in groups; null takes one out. */
  set: Readonly<Record<string, unknown>>;
  /** A key that is also tried with each of these values. */
  sweep: { key: string; values: readonly number[] } | null;
}

/** What the other policy would have decided. */
export interface WhatIf {
  canaryId: string;
  modelId: string;
  fromGate: string;
  toGate: string;
  /** Keys in which the two policies differ. */
  changes: ReplayResult['policyDiff'];
  was: WhatIfSide;
  wouldBe: WhatIfSide;
  /** Whether the decision would have been another; null: the records cannot tell. */
  flips: boolean | null;
  /** The first check at which the two differ; null: they never do. */
  divergence: { check: number; afterSeconds: number; was: WhatIfMoment; wouldBe: WhatIfMoment } | null;
  difference: CanaryReplay['difference'];
  sweep: WhatIfSweep | null;
  observations: CanaryReplay['observations'];
}

export interface WhatIfSide {
  /** `insufficient`: the records cannot tell, and `lacking` says why. */
  outcome: Outcome;
  lacking: string | null;
  /** When it is decided: the check, and seconds of the window until then. */
  check: number | null;
  afterSeconds: number | null;
  certainty: Verdict['certainty'] | null;
  why: string | null;
  /** A person's decision that overrode it; of what was only. */
  byHand: string | null;
}

interface WhatIfMoment {
  decision: Verdict['decision'];
  evidence: string;
  objectives: string[];
}

interface WhatIfSweep {
  key: string;
  values: { value: number; outcome: Outcome; flips: boolean }[];
  /** Exact values between which the outcome changes. */
  flipPoints: { below: number; above: number; from: Outcome; to: Outcome }[];
}

const ARGUMENTS = { set: 'set', sweep: 'sweep' };
/** Targets that every tool names without their group. */
const TARGETS: readonly string[] = ['latency_p95_ms', 'max_error_rate', 'max_drift'];

/**
 * Judges a recorded canary again under another policy, as `lukhas replay` does. Its own entries and observations are checked; the rest
 * of the log is not.
 * @param path the database
 * @throws LukhasError NOT_FOUND, AMBIGUOUS_ID, USAGE (it has not started), POLICY, VERIFICATION, LEDGER_*
 */
export async function whatIf(path: string, { canaryId, policy, set, sweep }: WhatIfRequest): Promise<WhatIf> {
  const settings = settingsOf(set);
  const axes = sweep === null ? [] : [{ path: keyOf(sweep.key), values: rising(sweep.values) }];
  for (const key of [...settings, ...axes]) checkPath(key.path, 'arguments');
  const ledger = await openLedger(path, { readOnly: true });
  try {
    const id = await new Canaries(ledger, systemClock()).resolve(canaryId);
    await ledger.intactEvents(id);
    const recording = await recordedCanary(ledger, id, await ledger.size());
    if (recording === null) throw new LukhasError('USAGE', `Canary ${id} has not started: there is nothing to replay.`);
    const given = policy === null ? null : { written: policy, where: 'policy' };
    // One thread: the others of this machine are not ours to take.
    const limits = { called: ARGUMENTS, threads: 0, keepSeries: false };
    const asked = { from: null, to: null, modelId: null, policyName: 'changed', log: null };
    const { result } = await replay([recording], { ...asked, ...limits, given, settings, axes });
    return told(result);
  } finally {
    await ledger.close();
  }
}

function told({ canaries, policyDiff, sweep }: ReplayResult): WhatIf {
  const [canary] = canaries;
  if (canary === undefined) throw new Error('a replay of one canary has none');
  const { canaryId, modelId, fromGate, toGate, original, counterfactual, flips, divergence, difference } = canary;
  return {
    canaryId,
    modelId,
    fromGate,
    toGate,
    changes: policyDiff,
    was: sideOf(original),
    wouldBe: sideOf(counterfactual),
    flips,
    divergence: divergence && {
      check: divergence.tick,
      afterSeconds: (divergence.at - canary.startedAt) / 1000,
      was: momentOf(divergence.original),
      wouldBe: momentOf(divergence.counterfactual),
    },
    difference,
    sweep: sweep && sweepOf(sweep, original.outcome),
    observations: canary.observations,
  };
}

function sideOf({ outcome, lacking, verdict, overridden }: Side): WhatIfSide {
  const decided = lacking === null ? verdict : null;
  return {
    outcome,
    lacking,
    check: decided?.tick ?? null,
    afterSeconds: decided?.elapsedSeconds ?? null,
    certainty: decided?.certainty ?? null,
    why: decided && why(decided),
    byHand: overridden,
  };
}

function momentOf({ decision, evidence, objectives }: Verdict): WhatIfMoment {
  return { decision, evidence: odds(evidence.logE), objectives: objectives.map(objectiveLine) };
}

function sweepOf({ axes, cells, flipPoints }: NonNullable<ReplayResult['sweep']>, was: Outcome): WhatIfSweep {
  return {
    key: axes[0]?.path ?? '',
    values: cells.map(({ values, outcomes }) => {
      const outcome = (Object.keys(outcomes) as Outcome[]).find((one) => outcomes[one] > 0) ?? 'insufficient';
      const known = outcome !== 'insufficient' && was !== 'insufficient';
      return { value: values[0] ?? 0, outcome, flips: known && outcome !== was };
    }),
    flipPoints: flipPoints.map(({ below, above, from, to }) => ({ below, above, from, to })),
  };
}

/** Groups are merged into the policy key by key: to set one target is not to drop the others. */
function settingsOf(set: WhatIfRequest['set'], within = ''): { path: string; value: unknown }[] {
  return Object.entries(set).flatMap(([key, value]) => {
    const path = within === '' ? keyOf(key) : `${within}.${key}`;
    const isGroup = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isGroup ? settingsOf(value as Record<string, unknown>, path) : [{ path, value }];
  });
}

function keyOf(key: string): string {
  return TARGETS.includes(key) ? `targets.${key}` : key;
}

function rising(values: readonly number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}
