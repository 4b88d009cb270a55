import { clip } from '../../input/index.js';
import { fitAll, type Matcher, type Selector, showSelector } from '../promql/index.js';
import type { Sample } from '../signals/index.js';
import { isAlikeName, isAlikeValue, isOfRuntime } from './alike.js';
import type { Arm } from './arm.js';
import type { Family } from './facts.js';
import { list, numbers } from './words.js';

export type Kind = 'counter' | 'histogram' | 'gauge';

/** Why a signal has no series. */
export interface Absence {
  /** `never`: no series that comes later changes it; `unlikely`: only if a series comes that is not there now; `later`: it is expected to. */
  chance: 'never' | 'unlikely' | 'later';
  words: string;
  advice?: string;
}

/**
 * Why there is no series of the arm that a selector names: what is nearest to it among what is there. Null: there are such series.
 * @param selector of a histogram by its base name
 * @param rare whether its series begin with an event that may never come, as the first failure
 * @param other the other arm, whose values of a label explain themselves
 * @param parts names that are added to it: none of them can be meant in its place
 */
export function absence(
  arm: Arm,
  selector: Selector,
  kind: Kind,
  rare: boolean,
  other: Arm | null,
  parts: readonly string[] = [],
): Absence | null {
  const named = arm.samples.filter(({ name }) => isOf(name, selector.name, kind));
  if (named.length === 0) return noSuchName(arm, selector, kind, rare, parts);
  const selected = named.filter(({ labels }) => fitAll(selector.matchers, labels));
  const shown = shownSelector(selector, kind);
  if (selected.length === 0) return noSuchLabel(`no series ${shown}`, selector.matchers, named, null);
  if (selected.some(({ labels }) => fitAll(arm.matchers, labels))) return null;
  const whole = shownSelector({ name: selector.name, matchers: [...selector.matchers, ...arm.matchers] }, kind);
  // Where the arm has other series, its labels are right.
  const others = rare || arm.own.length > 0 ? null : (other?.matchers ?? []);
  return noSuchLabel(`no series ${whole}`, arm.matchers, selected, others);
}

/** Whether a sample belongs to a metric of that name. */
export function isOf(sample: string, name: string, kind: Kind): boolean {
  if (kind !== 'histogram') return sample === name;
  return sample === `${name}_bucket`;
}

/** Series of the arm that a selector names; of a histogram by its base name. */
export function ownSeries(arm: Arm, selector: Selector, kind: Kind): Arm['own'] {
  return arm.own.filter(({ name, labels }) => isOf(name, selector.name, kind) && fitAll(selector.matchers, labels));
}

function shownSelector(selector: Selector, kind: Kind): string {
  const name = kind === 'histogram' ? `${selector.name}_bucket` : selector.name;
  return showSelector({ ...selector, name });
}

function noSuchName(arm: Arm, selector: Selector, kind: Kind, rare: boolean, parts: readonly string[]): Absence {
  const shown = shownSelector(selector, kind);
  const none = `no series ${shown}`;
  const family = arm.families.find(({ name }) => name === selector.name);
  const wrong = family === undefined ? null : wrongType(family, kind);
  const has = arm.places[0]?.kind === 'prometheus' ? 'Prometheus has' : 'the page has';
  if (wrong !== null) return { chance: 'never', words: `${none}: ${has} ${selector.name} as ${wrong}` };
  if (family !== undefined && family.series === 0)
    return { chance: 'later', words: `${none} yet: it is declared, and appears with its first use` };
  if (arm.families.every(({ series }) => series === 0)) return { chance: 'later', words: `${none} yet` };
  const alike = arm.families.filter(({ name }) => isAlikeName(selector.name, name));
  const near = alike.filter((found) => wrongType(found, kind) === null);
  if (near.length > 0)
    return { chance: 'unlikely', words: `${none}; did you mean ${list(near.map(({ name }) => name))}?` };
  const others = candidates(arm.families, kind).filter(({ name }) => !parts.includes(name));
  // What a service counts it shows from the start; its histograms come with the first request.
  if (others.length === 0)
    return { chance: 'later', words: kind === 'histogram' ? `${none}: ${has} no histogram` : `${none} yet` };
  const words = `${none}; ${has} ${kind}s ${list(others.map(({ name }) => name))}`;
  // Where requests are counted under other names, the name that was given is not the service's.
  return { chance: !rare && others.some(({ total }) => total > 0) ? 'unlikely' : 'later', words };
}

/** In words, what stands where another kind of metric is needed; null: it is of the right kind, or may be. */
function wrongType({ name, type }: Family, kind: Kind): string | null {
  if (type === 'unknown') return kind === 'histogram' ? 'a plain number; a histogram is needed' : null;
  if (type === kind) return null;
  if (kind === 'gauge') return type === 'counter' ? null : `a ${type}; a gauge is needed`;
  const hint =
    type === 'summary' && kind === 'histogram' ? 'a summary; a histogram is needed' : `a ${type}; a ${kind} is needed`;
  if (kind === 'counter' && (type === 'histogram' || type === 'summary')) return `${hint} (${name}_count is one)`;
  return hint;
}

const MOST = 8;

/** What else could be meant, the likeliest first. */
function candidates(families: readonly Family[], kind: Kind): Family[] {
  const found = new Map<string, Family>();
  for (const family of families) {
    if (isOfRuntime(family.name) || family.series === 0) continue;
    const fits = family.type === kind || (kind === 'counter' && family.type === 'histogram');
    const name = kind === 'counter' && family.type === 'histogram' ? `${family.name}_count` : family.name;
    if (fits && !found.has(name)) found.set(name, { ...family, name });
  }
  const score = ({ name, total }: Family): number =>
    (total > 0 ? 2 : 0) + (/request|latency|duration|rpc|infer|predict/.test(name) ? 1 : 0);
  return [...found.values()].sort((a, b) => score(b) - score(a)).slice(0, MOST);
}

/**
 * Series have the name, but not the labels.
 * @param others what explains values of the label that are not wanted; null: they need no explanation
 */
function noSuchLabel(
  none: string,
  matchers: readonly Matcher[],
  there: readonly Sample[],
  others: readonly Matcher[] | null,
): Absence {
  const failing = matchers.filter((matcher) => !there.some(({ labels }) => fitAll([matcher], labels)));
  // Each is satisfied by some series, but no series satisfies all.
  if (failing.length === 0) return { chance: 'later', words: `${none} yet` };
  const told = failing.map((matcher) => seen(matcher.label, there));
  const words = `${none} (${told.map(({ words }) => words).join('; ')})`;
  const unknown = failing.find(({ label }) => there.every(({ labels }) => labels[label] === undefined));
  if (unknown !== undefined && unknown.value !== '') {
    const labels = [...new Set(there.flatMap((sample) => Object.keys(sample.labels)))].filter((name) => name !== 'le');
    const have = labels.length === 0 ? 'its series have no labels' : `its series have the labels ${list(labels)}`;
    return { chance: 'unlikely', words: `${none}: ${have}, not ${unknown.label}` };
  }
  for (const [i, matcher] of failing.entries()) {
    const values = told[i]!.values;
    const near = matcher.op === '=' ? values.filter((value) => isAlikeValue(matcher.value, value)) : [];
    if (near.length > 0)
      return {
        chance: 'unlikely',
        words,
        advice: `Did you mean ${matcher.label}=${list(near.map((v) => JSON.stringify(v)))}?`,
      };
    if (others === null) continue;
    // Values that neither arm names are those of somebody else, or what was meant.
    const same = others.filter(({ label }) => label === matcher.label);
    const unexplained = values.filter((value) => same.length === 0 || !fitAll(same, { [matcher.label]: value }));
    if (unexplained.length > 0) return { chance: 'unlikely', words };
  }
  return { chance: 'later', words };
}

/** Values that series have for a label, as in `status seen: 200, 503`. */
export function seen(label: string, series: readonly Sample[]): { words: string; values: string[] } {
  const values = [...new Set(series.flatMap(({ labels }) => labels[label] ?? []))].sort();
  const shown = values.slice(0, MOST).map((value) => clip(value, 60));
  const more = values.length > MOST ? [`and ${numbers(values.length - MOST)} more`] : [];
  return { values, words: `${label} seen: ${values.length === 0 ? 'none' : [...shown, ...more].join(', ')}` };
}
