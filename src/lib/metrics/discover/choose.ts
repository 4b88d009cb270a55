import { LukhasError } from '../../errors.js';
import { type Preset, recognise } from '../presets/index.js';
import { fitAll, type Matcher, readSelector, readSum } from '../promql/index.js';
import type { Unit } from '../signals/index.js';
import type { SeriesFact } from './facts.js';
import { type FailureLabel, failureLabels } from './failures.js';
import type { Families, HistogramFamily } from './families.js';
import { fits, type Pick } from './picks.js';
import { latencies, pathMatcher, requestsFound } from './requests.js';

/** What is counted, whoever chose it: names and labels, or a preset. */
export interface Choice {
  preset: Preset | null;
  /** Added up; none: nothing counts requests. */
  requests: Pick[];
  /** Added up; null: failures are not told. */
  failed: Pick[] | null;
  failedBy: FailureLabel | null;
  /** Failures are another counter than requests, which may appear with the first one. */
  absentZero: boolean;
  latency: { pick: Pick; unit: Unit; family: HistogramFamily } | null;
  /** Parts of the preset's failures are left out: they select by labels that this service does not have. */
  trimmed: boolean;
  /** Health checks that are left out; null: none were seen. */
  path: Matcher | null;
  otherRequests: string[];
  otherLatencies: string[];
}

/** By names and labels. */
export function chooseByNames(families: Families): Choice {
  const [latency = null, ...others] = latencies(families);
  const found = requestsFound(families, latency);
  const path = found?.path ?? null;
  const failures = found?.failures ?? null;
  const pick = (name: string, ...matchers: (Matcher | null)[]): Pick => ({
    name,
    matchers: matchers.filter((one) => one !== null),
  });
  const latencyPath = latency === null ? null : pathMatcher(latency.counts);
  return {
    preset: null,
    requests: (found?.requests ?? []).map(({ name }) => pick(name, path)),
    failed:
      failures === null
        ? null
        : failures.by === 'counter'
          ? [pick(failures.counter.name, failures.path)]
          : [pick(found!.requests[0]!.name, path, failures.found.matcher)],
    failedBy: failures?.by === 'label' ? failures.found : null,
    absentZero: failures?.by === 'counter',
    trimmed: false,
    latency: latency === null ? null : { pick: pick(latency.name, latencyPath), unit: latency.unit, family: latency },
    path,
    otherRequests: found?.others ?? [],
    otherLatencies: others.map(({ name }) => name),
  };
}

/** The best preset whose series are there, as far as they are; null: none. */
export function chooseByPreset(series: readonly SeriesFact[], families: Families): Choice | null {
  const names = new Set(series.map(({ name }) => name));
  for (const preset of recognise(names)) {
    const choice = fromPreset(preset, series, families);
    if (choice !== null) return choice;
  }
  return null;
}

function fromPreset(preset: Preset, series: readonly SeriesFact[], families: Families): Choice | null {
  const { signals } = preset;
  const requests = picks(signals['requests']);
  const own = requests.flatMap((pick) => series.filter(({ name }) => name === pick.name));
  if (own.length === 0) return null;
  const all = signals['errors'] === undefined ? null : picks(signals['errors']);
  // A preset for many services may not fit this one: labels by which it tells failures have to be there.
  const labels = all?.flatMap(({ matchers }) => matchers.map(({ label }) => label)) ?? [];
  const needed = all?.flatMap(({ matchers }) => matchers.filter((one) => !canBeEmpty(one))) ?? [];
  const carried = new Set(own.flatMap((one) => Object.keys(one.labels)));
  const among = all?.every(({ name }) => requests.some((pick) => pick.name === name)) ?? false;
  if (among && needed.length > 0 && !labels.some((label) => carried.has(label)) && !ofFailuresOnly(labels)) return null;
  const fitting =
    all?.filter(({ matchers }) => matchers.every((one) => carried.has(one.label) || canBeEmpty(one))) ?? [];
  const trimmed = among && fitting.length > 0 && fitting.length < all!.length && !ofFailuresOnly(labels);
  const failed = trimmed ? fitting : all;
  const path = requests.some(({ matchers }) => matchers.length > 0) ? null : pathMatcher(own);
  const narrowed = (all: Pick[]) => all.map((pick) => withPath(pick, path, series));
  const latency = latencyOf(signals['latency'], families);
  const [byLabel] = failureLabels(own);
  return {
    preset,
    requests: narrowed(requests),
    failed: failed === null ? null : narrowed(failed),
    failedBy: among && byLabel !== undefined && labels.includes(byLabel.label) ? byLabel : null,
    trimmed,
    absentZero: (signals['errors'] as { absent?: string } | undefined)?.absent === 'zero',
    latency: latency === null ? null : { ...latency, pick: withPath(latency.pick, path, latency.family.counts, true) },
    path,
    otherRequests: [],
    otherLatencies: [],
  };
}

/** Whether a series without the label fits. */
function canBeEmpty(matcher: Matcher): boolean {
  return fitAll([matcher], {});
}

/** `error_type`: there once something failed. */
function ofFailuresOnly(labels: readonly string[]): boolean {
  return labels.some((label) => /error|exception/i.test(label));
}

function withPath(pick: Pick, path: Matcher | null, series: readonly SeriesFact[], all = false): Pick {
  const mine = all ? series : series.filter(({ name }) => name === pick.name);
  if (path === null || !mine.some(({ labels }) => labels[path.label] !== undefined)) return pick;
  return { name: pick.name, matchers: [...pick.matchers, path] };
}

/** The selectors of a counter in a preset. */
export function picks(signal: unknown): Pick[] {
  const text = typeof signal === 'string' ? signal : String((signal as { count?: unknown })?.count ?? '');
  const read = readSum(text);
  if (!read.ok) throw new LukhasError('CONFIG', `preset: ${text}: ${read.problem}`);
  return read.value.map(({ selector }) => selector);
}

function latencyOf(signal: unknown, families: Families): { pick: Pick; unit: Unit; family: HistogramFamily } | null {
  if (signal === undefined || signal === null) return null;
  const { histogram, unit } = signal as { histogram: string; unit: Unit };
  const read = readSelector(histogram);
  const family = read.ok ? families.histograms.find(({ name }) => name === read.value.name) : undefined;
  if (!read.ok || family === undefined) return null;
  return { pick: read.value, unit, family: { ...family, unit } };
}

/** Series that a sum of selectors counts. */
export function countedBy(all: readonly Pick[], series: readonly SeriesFact[]): SeriesFact[] {
  return all.flatMap(({ name, matchers }) => series.filter((one) => one.name === name && fits(one, matchers)));
}

/** The metrics that carry a label, or may do without it: only of these can two versions be told apart by it. */
export function carrying(families: Families, label: string): Families {
  const has = (series: readonly SeriesFact[]) => series.some(({ labels }) => labels[label] !== undefined);
  return {
    histograms: families.histograms.filter(({ counts }) => has(counts)),
    counters: families.counters.filter(({ series }) => has(series)),
    gauges: families.gauges.filter(({ series }) => has(series)),
    summaries: families.summaries,
  };
}
