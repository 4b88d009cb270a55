import { disjoint, showSelector, writeMatchers } from '../promql/index.js';
import { matches, type Sample, type Signals } from '../signals/index.js';
import { type Arm, armOf } from './arm.js';
import { errorFindings } from './errors.js';
import type { ArmFacts, Facts, Finding, Place } from './facts.js';
import type { Needs } from './needs.js';
import { areOneProcess } from './same-process.js';
import { selectorsOf } from './shared.js';
import { signalFindings } from './signal.js';
import { isSilent, unanswered } from './silence.js';
import { list } from './words.js';

/** What is measured, as far as the first look asks for it. */
export interface Measured {
  signals: Signals;
  /** Name of the preset that the signals are from; null: none. */
  preset: string | null;
}

/**
 * What a first look says of a canary that is about to start: what can never work, what is not there yet, and what was found.
 * Pure. Fatal findings come first, then warnings.
 */
export function inspect(facts: Facts, { signals, preset }: Measured, needs: Needs): Finding[] {
  const canary = armOf('canary', facts.canary, signals);
  const baseline = facts.baseline === null ? null : armOf('baseline', facts.baseline, signals);
  const found = [
    ...unnamed(signals, preset, needs),
    ...withoutBaseline(facts.baseline, needs),
    ...sameSeries(facts, signals),
    ...ofArm(canary, facts, baseline, signals, needs),
    ...(baseline === null ? [] : ofBaseline(baseline, facts, canary, signals, needs)),
  ];
  const rank = { fatal: 0, warning: 1, info: 2 };
  return found.sort((a, b) => rank[a.level] - rank[b.level]);
}

/** What the policy asks for and no signal measures. */
function unnamed(signals: Signals, preset: string | null, needs: Needs): Finding[] {
  const found: Finding[] = [];
  const fatal = (signal: string, objective: string): void => {
    const why = preset === null ? `signals names no ${signal}` : `preset ${preset} has no ${signal}`;
    const advice = `Add signals.${signal} to lukhas.yaml, or take ${objective} out of the policy.`;
    found.push({ level: 'fatal', arm: null, signal, words: `the policy asks for ${objective}, and ${why}`, advice });
  };
  for (const [name, [first]] of needs.histograms) if (!signals.histograms[name] && first) fatal(name, first.objective);
  if (signals.errors === null && needs.errors[0] !== undefined) fatal('errors', needs.errors[0]);
  if (signals.drift === null && needs.drift) fatal('drift', 'max_drift');
  for (const name of needs.scalars) {
    const words = `the policy asks for ${name}, and neither a signal nor a query gives it`;
    found.push({
      level: 'fatal',
      arm: null,
      signal: null,
      words,
      advice: `Name it in signals, or in source.queries of a Prometheus source.`,
    });
  }
  if (signals.errors === null && needs.errors.length === 0) {
    const who = preset === null ? 'signals' : `preset ${preset}`;
    const words = `${who} cannot see failures: a canary that fails every request can be promoted`;
    found.push({ level: 'warning', arm: null, signal: 'errors', words });
  }
  return found;
}

function withoutBaseline(baseline: ArmFacts | null, { baseline: { objectives, required } }: Needs): Finding[] {
  if (baseline !== null || (objectives.length === 0 && !required)) return [];
  const what = required ? 'a baseline (baseline: required)' : list(objectives);
  return [
    {
      level: 'fatal',
      arm: 'baseline',
      signal: null,
      words: `the policy asks for ${what}, and the source has no baseline`,
      advice: 'Say where the baseline is measured: --baseline-url, or arms.baseline in lukhas.yaml.',
    },
  ];
}

/** A canary that is compared with itself, or counted into its own baseline. */
function sameSeries({ canary, baseline }: Facts, signals: Signals): Finding[] {
  if (baseline === null || disjoint(canary.matchers, baseline.matchers)) return [];
  const selectors = selectorsOf(signals);
  const arms = [...canary.matchers, ...baseline.matchers];
  const matters = (sample: Sample): boolean =>
    selectors.some(({ name, matchers }) => matches({ name, matchers: [...matchers, ...arms] }, sample));
  const both = canary.places.flatMap((place) => {
    const other = baseline.places.find((one) => areOneProcess(place, one, matters));
    return other === undefined ? [] : [{ place, other }];
  });
  const [first] = both;
  if (first === undefined) return [];
  const shared = both.flatMap(({ place }) => place.samples).find(matters);
  const same = writeMatchers(canary.matchers) === writeMatchers(baseline.matchers);
  if (shared === undefined && !same) return [];
  const labels = Object.entries(shared?.labels ?? {}).map(([label, value]) => ({ label, op: '=' as const, value }));
  const which = shared === undefined ? '' : `, e.g. ${showSelector({ name: shared.name, matchers: labels })}`;
  return [
    {
      level: 'fatal',
      arm: null,
      signal: null,
      words: `canary and baseline are the same series of ${idsOf(first.place, first.other)}${which}`,
      advice: 'Give labels that tell the arms apart, or another address for the baseline.',
    },
  ];
}

/** Processes of an arm that are asked at two addresses: what they serve would count twice, and be twice the evidence. */
function twice(name: Arm['name'], { places, matchers }: ArmFacts, signals: Signals): Finding[] {
  const selectors = selectorsOf(signals);
  const matters = (sample: Sample): boolean =>
    selectors.some((one) => matches({ name: one.name, matchers: [...one.matchers, ...matchers] }, sample));
  return places.flatMap((place, i): Finding[] => {
    const same = places.slice(i + 1).find((other) => areOneProcess(place, other, matters));
    if (same === undefined) return [];
    const words = `${idsOf(place, same)}, would count twice`;
    return [{ level: 'fatal', arm: name, signal: null, words, advice: 'Name one address of each process.' }];
  });
}

function idsOf(place: Place, other: Place): string {
  return place.id === other.id ? place.id : `one process, ${place.id} and ${other.id}`;
}

/** What concerns one arm: its places, then each signal that the policy needs. */
function ofArm(arm: Arm, facts: Facts, other: Arm | null, signals: Signals, needs: Needs): Finding[] {
  const own = facts[arm.name];
  if (own === null) return [];
  const places = [...unanswered(arm.name, facts, needs), ...emptyPages(arm)];
  const isGone = isSilent(own) && arm.own.length === 0;
  if (arm.places.length === 0 || isGone || places.some(({ level }) => level === 'fatal')) return places;
  const unknown = unknownLabels(arm, own);
  if (unknown.length > 0) return [...places, ...unknown];
  const found = [
    ...twice(arm.name, own, signals),
    ...signalFindings(arm, other, signals, needs),
    ...errorFindings(arm, other, signals, needs),
  ];
  return [...places, ...found, ...(found.some(({ level }) => level === 'fatal') ? [] : traffic(arm))];
}

function emptyPages({ name, places }: Arm): Finding[] {
  return places.flatMap(({ kind, id, families }): Finding[] => {
    if (kind !== 'page' || families.length > 0) return [];
    const finding = { level: 'fatal', arm: name, signal: null, mayAppear: true } as const;
    return [
      { ...finding, words: `${id} answers without a single sample`, advice: 'Is this the address of its metrics?' },
    ];
  });
}

/** No wait helps where nothing at all has the label. */
function unknownLabels(arm: Arm, { unknownLabels: labels = [], places }: ArmFacts): Finding[] {
  return labels.map((label) => ({
    level: 'fatal',
    arm: arm.name,
    signal: null,
    words: `no series of ${places[0]?.id ?? 'the source'} has the label ${label}`,
    advice: `Name the label that tells the versions apart: arms: { ${arm.name}: { version: ${arm.name === 'canary' ? 'v2' : 'v1'} } } in lukhas.yaml.`,
    mayAppear: true,
  }));
}

function traffic({ name, traffic: counted }: Arm): Finding[] {
  const finding = { arm: name, signal: 'requests' };
  if (counted === null || counted === 0)
    return [{ ...finding, level: 'warning', words: 'no request has been counted yet' }];
  return [];
}

/** Without one the canary is still judged by its limits, unless the policy wants it: what it lacks is a warning then. */
function ofBaseline(arm: Arm, facts: Facts, canary: Arm, signals: Signals, needs: Needs): Finding[] {
  const found = ofArm(arm, facts, canary, signals, needs);
  const { objectives, required } = needs.baseline;
  if (required || objectives.length > 0 || arm.own.length === 0) return found;
  return found.map((finding) => {
    if (finding.level !== 'fatal' || finding.unanswered) return finding;
    const { mayAppear: _, ...rest } = finding;
    return { ...rest, level: 'warning' };
  });
}
