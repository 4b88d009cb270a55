import type { Missing } from '../../judge/index.js';
import { showLabels } from '../labels.js';
import { fitAll } from '../promql/index.js';
import type { ArmSamples, Sample, Target } from '../signals/index.js';
import { countProblem, type HistogramTotals, readHistograms } from './histogram.js';
import { instanceLabels } from './instances.js';
import { type Plan, PROCESS_START } from './plan.js';

/** One counter series at this look. */
export interface Entry {
  key: string;
  sample: Sample;
  /** False: not a number to count with, or given twice. */
  good: boolean;
  /** What it counted since the last look; null: nothing can be said. */
  delta: number | null;
  /** What it rose by where that cannot be believed to be of this process and this look. */
  left: number;
}

/** What this look shows of one process: a target, or what a label of its series calls an instance. */
export interface ProcessLook {
  id: string;
  target: string;
  /** What tells it apart from others of its target; empty where nothing does. */
  instance: string;
  /** As messages call it. */
  shown: string;
  startedAt?: number;
  /** Newest timestamp of its samples; the time of the look where they have none. */
  time: number;
  timed: boolean;
  series: Map<string, Entry>;
  /** By term of the plan. */
  terms: Entry[][];
  /** By histogram of the plan: what there is, and what was read of it. */
  samples: Sample[][];
  histograms: (Map<string, HistogramTotals> | Missing)[];
  gauges: Sample[];
  /** When its series and histograms were created, by their keys in a cursor, where the source says. */
  created: Map<string, number>;
}

/** Key of a histogram among the creation times of a process. */
export function histogramKey(signal: string, key: string): string {
  return `${signal} ${key}`;
}

/** When the process behind a page began, milliseconds since the epoch, where one sample alone says so. */
export function processStart(samples: readonly Sample[]): number | undefined {
  const starts = samples.filter(({ name, value }) => name === PROCESS_START && value > 0 && value < 1e11);
  return starts.length === 1 ? Math.round(starts[0]!.value * 1000) : undefined;
}

/** Sorts the samples of all targets that answered by process. */
export function processesOf(samples: ArmSamples, plan: Plan): ProcessLook[] {
  return samples.targets.flatMap((target) => (target.state.state === 'ok' ? ofTarget(target, samples.at, plan) : []));
}

function ofTarget(target: Target, at: number, plan: Plan): ProcessLook[] {
  const found = new Map<string, ProcessLook>();
  const starts = new Map<string, number>();
  const instanceOf = instanceLabels(target.samples, plan);
  for (const sample of target.samples) {
    const uses = plan.byName.get(sample.name);
    if (sample.name === PROCESS_START) {
      if (sample.value > 0 && sample.value < 1e11) starts.set(instanceOf(sample), Math.round(sample.value * 1000));
      continue;
    }
    if (uses === undefined) continue;
    let look: ProcessLook | undefined;
    let entry: Entry | undefined;
    for (const use of uses) {
      if (!fitAll(use.matchers, sample.labels)) continue;
      look ??= processIn(found, target, instanceOf(sample), plan);
      if (use.kind === 'gauge') look.gauges.push(sample);
      else if (use.kind === 'histogram') {
        look.samples[use.index]!.push(sample);
        if (sample.created !== undefined) {
          const key = histogramKey(plan.histograms[use.index]!.signal, showLabels(sample.labels, 'le'));
          look.created.set(key, sample.created);
        }
      } else {
        entry ??= entryIn(look, sample);
        look.terms[use.index]!.push(entry);
      }
    }
    if (look !== undefined) noteTime(look, sample);
  }
  const named = [...found.keys()].filter((instance) => instance !== '');
  for (const [instance, look] of found) {
    const startedAt = starts.get(instance) ?? (named.length <= 1 ? (target.startedAt ?? onlyOf(starts)) : undefined);
    if (startedAt !== undefined) look.startedAt = startedAt;
    if (!look.timed) look.time = at;
    look.histograms = look.samples.map((all, i) => {
      const { source } = plan.histograms[i]!;
      return all.length === 0 ? new Map() : readHistograms(source.name, all, source.scale);
    });
  }
  return [...found.values()];
}

function onlyOf(starts: ReadonlyMap<string, number>): number | undefined {
  return starts.size === 1 ? [...starts.values()][0] : undefined;
}

function processIn(found: Map<string, ProcessLook>, target: Target, instance: string, plan: Plan): ProcessLook {
  const known = found.get(instance);
  if (known !== undefined) return known;
  const look: ProcessLook = {
    id: `${target.id} ${instance}`,
    target: target.id,
    instance,
    shown: target.id.includes(instance.slice(1, -1)) ? target.id : `${instance} of ${target.id}`,
    time: Number.NEGATIVE_INFINITY,
    timed: true,
    series: new Map(),
    terms: plan.terms.map(() => []),
    samples: plan.histograms.map(() => []),
    histograms: [],
    gauges: [],
    created: new Map(),
  };
  found.set(instance, look);
  return look;
}

function entryIn({ series, created }: ProcessLook, sample: Sample): Entry {
  const key = `${sample.name}${showLabels(sample.labels)}`;
  const entry = { key, sample, good: countProblem(sample.value) === null, delta: null, left: 0 };
  if (sample.created !== undefined) created.set(key, sample.created);
  const twice = series.get(key);
  if (twice === undefined) series.set(key, entry);
  else entry.good = twice.good = false;
  return entry;
}

function noteTime(look: ProcessLook, { t }: Sample): void {
  if (t === undefined) look.timed = false;
  else if (t > look.time) look.time = t;
}
