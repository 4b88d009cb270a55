import { LukhasError } from '../../errors.js';
import { type Preset, recogniseUnavailable } from '../presets/index.js';
import type { Matcher } from '../promql/index.js';
import type { Unit } from '../signals/index.js';
import { type ArmsFound, armsFound } from './arms.js';
import { type Choice, carrying, chooseByNames, chooseByPreset, countedBy } from './choose.js';
import { type Facts, type SeriesFact, valuesOf } from './facts.js';
import { type Families, familiesOf } from './families.js';
import { type Measured, measure } from './measured.js';
import { fits } from './picks.js';
import {
  armsNotes,
  driftSignal,
  errorsSignal,
  inflightSignal,
  latencySignal,
  type ProposedSignal,
  requestsSignal,
  tokenTimes,
} from './signal-notes.js';
import { oneThing, severalThings } from './things.js';

export interface Proposal {
  /** The system that was recognized; its preset has the signals, but for those in `overrides`. */
  preset: {
    name: string;
    title: string;
    notes: string[];
    overrides: ('requests' | 'errors' | 'latency')[];
    missing: string[];
  } | null;
  arms: ProposedArms;
  requests: ProposedSignal;
  /** `absentZero`: another counter, which begins with the first failure. */
  errors: ProposedSignal & { absentZero: boolean };
  latency: ProposedSignal & { unit: Unit };
  /** Further histograms of times by the name that objectives use. */
  histograms: Record<string, ProposedSignal & { unit: Unit }>;
  drift: ProposedSignal & { by: string | null };
  inflight: ProposedSignal;
  measured: Measured;
  /** Systems that were recognized and cannot be judged by their own metrics, with what to do instead. */
  unavailable: string[];
  /** For names of models: what the series call the service; null: nothing. */
  service: string | null;
}

export interface ProposedArms {
  /** Null: one version alone, without a baseline, or two with a page of their own. */
  found: ArmsFound | null;
  /** Other ways to tell versions apart. */
  others: ArmsFound[];
  notes: string[];
}

export interface Wishes {
  /** Labels as somebody gave them. */
  canary?: Record<string, string>;
  baseline?: Record<string, string>;
  /** The label that tells the versions apart, as chosen among those found. */
  by?: string;
}

/** What a configuration should say of a source that was found to be so. Pure. @throws LukhasError USAGE for a wish that cannot be */
export function propose(facts: Facts, wishes: Wishes = {}): Proposal {
  const all = familiesOf(facts);
  const first = chooseByPreset(facts.series, all) ?? chooseByNames(all);
  const arms = armsOf(facts, first, wishes);
  const label = arms.found?.label ?? null;
  // What does not carry the label would have no series in either arm, and a counter of failures would be zero whatever fails.
  const families = label === null ? all : carrying(all, label);
  const choice = label === null || carries(first, label, facts.series) ? first : chooseByNames(families);
  const requests = countedBy(choice.requests, facts.series);
  const lacking = (name: string | undefined) => (label === null || name === undefined ? null : { name, label });
  const latencyLacks =
    choice.latency === null
      ? lacking(first.latency?.family.name ?? all.histograms.find(({ unit }) => unit !== '1')?.name)
      : null;
  return {
    preset: choice.preset === null ? null : presetOf(choice.preset, choice, facts.series),
    arms,
    requests: requestsSignal(
      choice,
      facts.series.filter(({ name }) => choice.requests.some((pick) => pick.name === name)),
    ),
    errors: errorsSignal(choice, choice.failed === null ? lacking(first.failed?.[0]?.name) : null),
    latency: latencySignal(choice, all.summaries, latencyLacks),
    histograms: tokenTimes(families, choice.latency?.family ?? null),
    drift: presetDrift(choice.preset, families) ?? driftSignal(families),
    inflight: presetInflight(choice.preset, facts.series) ?? inflightSignal(families.gauges),
    measured: measure({
      requests,
      failed: choice.failed === null ? null : countedBy(choice.failed, facts.series),
      latency: choice.latency?.family ?? null,
      latencyMatchers: choice.latency?.pick.matchers ?? [],
      arms: membership(facts, arms),
      seconds: facts.seconds,
    }),
    unavailable: unavailable(facts),
    service: serviceName(requests.length > 0 ? requests.filter((one) => isJudged(one, arms)) : facts.series),
  };
}

/** Whether all that counts carries a label. */
function carries({ requests, failed, latency }: Choice, label: string, series: readonly SeriesFact[]): boolean {
  const has = (name: string) => series.some((one) => one.name === name && one.labels[label] !== undefined);
  const there = (name: string) => series.some((one) => one.name === name);
  const names = [...requests, ...(failed ?? [])].map(({ name }) => name).filter(there);
  return (
    names.every(has) && (latency === null || latency.family.counts.some(({ labels }) => labels[label] !== undefined))
  );
}

function isJudged(series: SeriesFact, { found }: ProposedArms): boolean {
  return found === null || [found.canary, found.baseline].some((arm) => arm !== null && fits(series, arm));
}

function membership(facts: Facts, { found }: ProposedArms): Parameters<typeof measure>[0]['arms'] {
  const of = (matchers: readonly Matcher[], page: number) => (series: SeriesFact) =>
    series.page === page && fits(series, matchers);
  const own = facts.series.some(({ page }) => page > 0);
  const baseline = found?.baseline ? of(found.baseline, 0) : own ? of([], 1) : null;
  return { canary: of(found?.canary ?? [], 0), baseline };
}

function armsOf(facts: Facts, { requests, latency, preset }: Choice, wishes: Wishes): ProposedArms {
  if (wishes.canary !== undefined || wishes.baseline !== undefined) return wishedArms(wishes);
  const counted = countedBy(requests, facts.series);
  if (facts.series.some(({ page }) => page > 0)) {
    const notes = ['each version has its own page', ...severalThings(counted)];
    return { found: null, others: [], notes };
  }
  const counts = latency?.family.counts ?? [];
  const usual = preset?.versions.labels ?? [];
  const byRequests = armsFound(counted, counts, usual);
  const ways = byRequests.length > 0 ? byRequests : armsFound(counts, counts, usual);
  const chosen = wishes.by === undefined ? ways[0] : ways.find(({ label }) => label === wishes.by);
  if (chosen === undefined && wishes.by !== undefined)
    throw new LukhasError('USAGE', `--by ${wishes.by}: this label does not tell versions apart`, {
      suggestions: [
        ways.length === 0 ? 'No label does.' : `Labels that do: ${ways.map(({ label }) => label).join(', ')}.`,
      ],
    });
  if (chosen === undefined)
    return {
      found: null,
      others: [],
      notes: [
        ...NO_ARMS,
        ...(preset ? [preset.versions.words] : []),
        ...severalThings(counted.length > 0 ? counted : counts),
      ],
    };
  const { matchers, notes } = oneThing(counted.length > 0 ? counted : counts, chosen.canary, chosen.baseline);
  const narrow = (arm: Matcher[]) => [...matchers, ...arm];
  const found = { ...chosen, canary: narrow(chosen.canary), baseline: chosen.baseline && narrow(chosen.baseline) };
  return { found, others: ways.filter((way) => way !== chosen), notes: [...armsNotes(chosen), ...notes] };
}

const NO_ARMS = [
  'no label tells two versions apart, so the canary is judged alone, without a baseline',
  'when one does, write e.g. canary: { version: "v2" } and baseline: { version: "v1" }',
];

function wishedArms({ canary = {}, baseline }: Wishes): ProposedArms {
  const matchers = (labels: Record<string, string>): Matcher[] =>
    Object.entries(labels).map(([label, value]) => ({ label, op: '=', value }));
  const [label = 'version'] = Object.keys(canary);
  const found: ArmsFound = {
    label,
    canary: matchers(canary),
    baseline: baseline === undefined ? null : matchers(baseline),
    canaryValue: canary[label] ?? '',
    baselineValue: baseline?.[label] ?? null,
    seen: [],
    certainty: 'told',
  };
  return { found, others: [], notes: ['as given'] };
}

const HISTOGRAMS = ['latency', 'ttft', 'itl', 'drift'];

/** What has to be said beside the name of a preset: series that are not there, and paths that it does not leave out. */
function presetOf(preset: Preset, choice: Choice, series: readonly SeriesFact[]): Proposal['preset'] {
  const there = new Set(series.map(({ name }) => name.replace(/_bucket$/, '')));
  const missing = Object.entries(preset.signals).flatMap(([key, signal]) => {
    const text = HISTOGRAMS.includes(key)
      ? (signal as { histogram?: string }).histogram
      : key === 'inflight'
        ? String(signal)
        : undefined;
    const name = text?.replace(/\{.*$/s, '');
    return name === undefined || there.has(name) ? [] : [key];
  });
  const trimmed = choice.trimmed && choice.path === null ? (['errors'] as const) : [];
  const overrides =
    choice.path === null
      ? []
      : (['requests', 'errors', 'latency'] as const).filter((key) => key in preset.signals && !missing.includes(key));
  const notes = [`recognized: ${preset.title}`, preset.trap];
  if (missing.length > 0) notes.push(`not there, so left out: ${missing.join(', ')}`);
  return { name: preset.name, title: preset.title, notes, overrides: [...overrides, ...trimmed], missing };
}

/** That of the preset, where its histogram is there. */
function presetDrift(preset: Preset | null, { histograms }: Families): Proposal['drift'] | null {
  const text = (preset?.signals['drift'] as { histogram?: string } | undefined)?.histogram;
  if (text === undefined || !histograms.some(({ name }) => text === name || text.startsWith(`${name}{`))) return null;
  return { text, by: null, notes: [] };
}

/** A preset that names none has none. */
function presetInflight(preset: Preset | null, series: readonly SeriesFact[]): ProposedSignal | null {
  if (preset === null) return null;
  const text = preset.signals['inflight'];
  const name = typeof text === 'string' ? text.replace(/\{.*$/s, '') : null;
  return { text: series.some((one) => one.name === name) ? String(text) : null, notes: [] };
}

const SERVICE = ['model_name', 'model', 'service_name', 'service', 'application', 'app', 'job'];

function serviceName(series: readonly SeriesFact[]): string | null {
  for (const label of SERVICE) {
    const values = valuesOf(series, label);
    if (values.length === 1 && values[0] !== '') return values[0]!;
  }
  return null;
}

function unavailable(facts: Facts): string[] {
  const names = new Set(facts.series.map(({ name }) => name));
  return recogniseUnavailable(names).map(({ title, words }) => `${title}: ${words}`);
}
