import { nextDue } from '../canary/index.js';
import { type Clock, timestamp } from '../clock.js';
import { LukhasError } from '../errors.js';
import type { ArmReading, Missing, Observation, Policy } from '../judge/index.js';
import { canonicalJson } from '../ledger/tree/index.js';
import type { PrometheusConfig, ReadRequest, SourceAuth } from '../metrics/index.js';
import type { PastAccount, PastSource } from '../metrics/prometheus/index.js';
import type { PastRead, Recording } from '../replay/index.js';
import {
  combinations,
  counterfactualPolicy,
  latestEnd,
  type Replay,
  type ReplayRequest,
  replay,
  settingsAt,
} from '../replay/index.js';

/** A canary that never was: what to read, and from when to when. Times are ms since the epoch. */
export interface PastSelection {
  config: PrometheusConfig;
  auth: SourceAuth;
  modelId: string;
  fromGate: string;
  toGate: string;
  from: number;
  /** Null: as long as the policies look. */
  to: number | null;
  /** The policy to compare with; null: only the other one is judged. */
  own: Policy | null;
}

type Asked = Omit<ReplayRequest, 'log' | 'from' | 'to' | 'modelId'>;

const NEVER_WATCHED = 'no canary ran then';

/**
 * Judges a time that lukhas never watched, as one canary that began at `from`: takes the looks that a canary would have
 * taken then, by the same rules, on what Prometheus still holds.
 * @throws LukhasError USAGE, CONFIG, POLICY, PROMQL, SOURCE_*
 */
export async function replayPrometheus(selection: PastSelection, clock: Clock, asked: Asked): Promise<Replay> {
  const { config, auth, modelId, fromGate, toGate, from, own } = selection;
  const policies = policiesOf(selection, asked);
  const [policy] = policies;
  const to = endOf(selection, policies, clock.now());
  const { openPrometheusPast } = await import('../metrics/prometheus/prometheus.js');
  const source = openPrometheusPast(config, auth, { from, to, stepMs: policy.intervalSeconds * 1000 });
  try {
    await source.check();
    const looks = await takeLooks(source, selection, policies, to);
    const absent = dropUnrecorded(looks);
    const lines = looks.map((observation) => canonicalJson(observation, 'observation'));
    const recording: Recording = {
      canaryId: 'never-watched',
      modelId,
      fromGate,
      toGate,
      startedAt: from,
      own,
      decided: null,
      undecided: own === null ? NEVER_WATCHED : null,
      overridden: null,
      askedByOwn: false,
      async *lines() {
        yield* lines;
      },
    };
    const read = accountOf(source.account(), looks.length, policy, absent);
    return await replay([recording], { ...asked, from, to: selection.to, modelId, log: null, read });
  } finally {
    await source.close();
  }
}

/** All whose looks matter: the first one's interval is that of the looks. */
function policiesOf({ own }: PastSelection, { given, settings, axes }: Asked): [Policy, ...Policy[]] {
  const other = counterfactualPolicy(given, own, settings);
  const windows = axes.some(({ path }) => path === 'windowSeconds' || path === 'maxWindowSeconds');
  const swept = windows
    ? combinations(axes).map((values) =>
        counterfactualPolicy(given, own, [...settings, ...settingsAt(axes, values)], '--sweep'),
      )
    : [];
  return own === null ? [other, ...swept] : [own, other, ...swept];
}

function endOf({ from, to }: PastSelection, policies: readonly Policy[], now: number): number {
  for (const [flag, at] of [
    ['--from', from],
    ['--to', to],
  ] as const)
    if (at !== null && at > now) throw new LukhasError('USAGE', `${flag} ${timestamp(at)}: must not be in the future.`);
  const needed = policies.reduce((latest, policy) => Math.max(latest, latestEnd(policy, from)), from);
  return Math.min(needed, to ?? needed, now);
}

/** Looks where a canary that began at `from` would have looked, to the end. */
async function takeLooks(
  source: PastSource,
  { modelId, fromGate, toGate, from }: PastSelection,
  policies: readonly [Policy, ...Policy[]],
  to: number,
): Promise<Observation[]> {
  const [{ windowSeconds }] = policies;
  const request: Omit<ReadRequest, 'at' | 'cursor'> = {
    modelId,
    canaryGate: fromGate,
    baselineGate: toGate,
    windowSeconds,
    scalars: [...new Set(policies.flatMap(({ objectives }) => objectives.map(({ name }) => name)))],
    withBaseline: policies.some(({ baseline }) => baseline !== 'none'),
  };
  const looks: Observation[] = [];
  let cursor: unknown = null;
  for (let at = from; at <= to; at = Math.min(...policies.map((policy) => nextDue(policy, from, at)))) {
    const reading = await source.read({ ...request, at, cursor });
    looks.push({ ...reading.observation, tick: looks.length });
    cursor = reading.cursor ?? cursor;
  }
  return looks;
}

/**
 * Takes out what Prometheus holds nothing of in the whole range (changes the looks): it may never have been measured, or
 * be gone since. That is no silence of a canary, which a policy would judge, but material that is missing.
 * @returns what was taken out, in words
 */
function dropUnrecorded(looks: readonly Observation[]): string[] {
  const absent: string[] = [];
  for (const arm of ['canary', 'baseline'] as const) {
    for (const signal of ['errors', 'latency', 'score', 'categories'] as const) {
      const all = looks.flatMap((look) => look[arm]?.[signal] ?? []);
      const why = neverThere(all);
      if (why === null) continue;
      absent.push(`${arm}: ${signal} ${why}`);
      for (const look of looks) drop(look[arm], signal);
    }
    for (const name of new Set(looks.flatMap((look) => Object.keys(look[arm]?.histograms ?? {})))) {
      const why = neverThere(looks.flatMap((look) => look[arm]?.histograms?.[name] ?? []));
      if (why === null) continue;
      absent.push(`${arm}: ${name} ${why}`);
      for (const look of looks) if (look[arm]?.histograms) delete look[arm].histograms[name];
    }
  }
  for (const look of looks) if (look.baseline && isEmpty(look.baseline)) delete look.baseline;
  const names = new Set(looks.flatMap(({ scalars = {} }) => Object.keys(scalars)));
  for (const name of [...names].sort()) {
    const why = neverThere(looks.flatMap(({ scalars }) => scalars?.[name] ?? []));
    if (why === null) continue;
    absent.push(`reading ${name} ${why}`);
    for (const { scalars } of looks) if (scalars) delete scalars[name];
  }
  return absent;
}

function drop(arm: ArmReading | undefined, signal: 'errors' | 'latency' | 'score' | 'categories'): void {
  if (arm) delete arm[signal];
}

/** Where it runs is no measurement. */
function isEmpty({ targets: _, histograms = {}, ...signals }: ArmReading): boolean {
  return Object.keys(signals).length === 0 && Object.keys(histograms).length === 0;
}

function neverThere(signals: readonly ({ state: 'ok' } | Missing)[]): string | null {
  const [first] = signals;
  const gone = (signal: { state: string }) => ['absent', 'stale', 'no_source'].includes(signal.state);
  if (first === undefined || first.state === 'ok' || !signals.every(gone)) return null;
  return `not in this range: ${first.state}${first.detail === undefined ? '' : `, ${first.detail}`}`;
}

function accountOf(account: PastAccount, looks: number, { intervalSeconds }: Policy, absent: string[]): PastRead {
  const { spacingSeconds, warnings, ...read } = account;
  const sparse = spacingSeconds !== null && spacingSeconds > intervalSeconds;
  return {
    source: 'prometheus',
    looks,
    intervalSeconds,
    spacingSeconds,
    ...read,
    notes: [
      ...absent,
      ...(sparse
        ? [
            `samples are ${spacingSeconds} s apart, checks ${intervalSeconds} s: a check between two samples finds nothing newer`,
          ]
        : []),
      ...warnings.map((text) => `Prometheus warns: ${text}`),
    ],
  };
}
