import type { Matcher } from '../promql/index.js';
import { rateOf, type SeriesFact, valuesOf } from './facts.js';
import { fits } from './picks.js';

/**
 * Labels that name what is served, best first. Where the series of a version have several of these, they are several
 * models or services: judged together, one would hide what another does.
 */
const THINGS = [
  'model model_name destination_canonical_service destination_service_name destination_service destination_app',
  'ingress application app service service_name exported_service deployment',
]
  .join(' ')
  .split(' ');

/** Whether a label names a thing that is served, and a version only as a part of that name. */
export function namesThings(label: string): boolean {
  return /(^|_)(model|model_name|ingress|application|app|service|service_name|workload|deployment|path|cluster_name)$/i.test(
    label,
  );
}

/** `fraud-v1` and `fraud-canary` are versions of `fraud`; a version inside a path is one, too. */
function thingOf(value: string): string {
  return value
    .toLowerCase()
    .replace(/(^|[^a-z0-9])v?\d+(\.\d+)*(?![a-z0-9])/g, '$1#')
    .replace(
      /(^|[-_.:@/|])(#|canary|candidate|stable|baseline|primary|preview|next|current|prod(uction)?|stag(e|ing))$/,
      '',
    );
}

/** Values that are versions of one thing; of several things the one with most traffic. Fewer than two: there are none. */
export function versionsOfOne(label: string, series: readonly SeriesFact[], values: readonly string[]): string[] {
  const groups = [...Map.groupBy(values, thingOf).values()].filter((group) => group.length > 1);
  const traffic = (group: readonly string[]): number =>
    rateOf(series.filter(({ labels }) => group.includes(labels[label] ?? ''))) ?? 0;
  return groups.sort((a, b) => traffic(b) - traffic(a))[0] ?? [];
}

/** What both versions have to be narrowed to. */
export interface Narrowed {
  matchers: Matcher[];
  notes: string[];
}

/**
 * Where the series of either version are those of several things, the one of these with most traffic.
 * @param counted series of requests
 * @param canary, baseline what selects the versions; null: there is no baseline
 */
export function oneThing(
  counted: readonly SeriesFact[],
  canary: readonly Matcher[],
  baseline: readonly Matcher[] | null,
): Narrowed {
  const narrowed: Narrowed = { matchers: [], notes: [] };
  const versionLabels = new Set([...canary, ...(baseline ?? [])].map(({ label }) => label));
  for (const label of THINGS) {
    if (versionLabels.has(label)) continue;
    const [mine, others] = [canary, baseline ?? []].map((arm) =>
      counted.filter((one) => fits(one, [...arm, ...narrowed.matchers])),
    ) as [SeriesFact[], SeriesFact[]];
    const things = [mine, others].map((series) => valuesOf(series, label));
    const both = things.filter((values) => values.length > 0);
    const shared = both.reduce<string[]>((kept, values) => kept.filter((one) => values.includes(one)), both[0] ?? []);
    if (shared.length === 0 || both.every((values) => values.length === 1)) continue;
    const traffic = (value: string): number =>
      rateOf((mine.length > 0 ? mine : others).filter(({ labels }) => labels[label] === value)) ?? 0;
    const [value] = [...shared].sort((a, b) => traffic(b) - traffic(a));
    narrowed.matchers.push({ label, op: '=', value: value! });
    const all = [...new Set(both.flat())].sort();
    narrowed.notes.push(
      `check this: there are series of ${all.length} values of ${label} (${listed(all)}); only ${value} is judged`,
    );
  }
  return narrowed;
}

/** What to write where no label tells the versions apart, and several things are on a page. */
export function severalThings(counted: readonly SeriesFact[]): string[] {
  const label = THINGS.find((one) => valuesOf(counted, one).length > 1);
  if (label === undefined) return [];
  const values = valuesOf(counted, label);
  const arm = `{ ${label}: ${JSON.stringify(values[0])} }`;
  const baseline = counted.some(({ page }) => page > 0) ? `, baseline: ${arm}` : '';
  return [
    `check this: there are series of ${values.length} values of ${label} (${listed(values)}), and all are judged together`,
    `to judge one, write e.g. arms: { canary: ${arm}${baseline} }`,
  ];
}

const MOST = 8;

function listed(values: readonly string[]): string {
  return values.slice(0, MOST).join(', ') + (values.length > MOST ? ` and ${values.length - MOST} more` : '');
}
