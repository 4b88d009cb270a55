import { PROCESS_START } from '../counting/index.js';
import { fitAll, type Matcher } from '../promql/index.js';
import type { Signals, Target } from '../signals/index.js';
import type { ArmFacts, Facts, Place } from './facts.js';
import { type Declared, familiesOf } from './families.js';
import { selectorsOf } from './shared.js';

/** A page that was asked for. */
export interface FetchedPage {
  target: Target;
  /** What it says besides its samples; null where it was not read. */
  facts: {
    /** By name of a metric, as declared. */
    types: ReadonlyMap<string, string>;
    units: ReadonlyMap<string, string>;
    help: ReadonlyMap<string, string>;
    /** Of all its samples. */
    names: ReadonlySet<string>;
  } | null;
}

/** What a first look reads pages for, placeholders filled in. */
export interface PagesLookedFor {
  canaryUrls: readonly string[];
  /** null: none, or none is wanted. */
  baselineUrls: readonly string[] | null;
  signals: Signals;
  canary: readonly Matcher[];
  baseline: readonly Matcher[];
}

/** Reads pages, by URL, for samples of these names. */
export type FetchPages = (wanted: readonly string[]) => Promise<ReadonlyMap<string, readonly FetchedPage[]>>;

/** Names of all samples that a first look needs: those that are counted, and the counts of histograms, which tell how much was served. */
export function namesLookedFor(signals: Signals): string[] {
  const names = selectorsOf(signals).map(({ name }) => name);
  return [...new Set([...names, ...names.map((name) => name.replace(/_bucket$/, '_count')), PROCESS_START])];
}

/** What the pages of each arm show. They are read once more, for everything on them, where a signal is missing. */
export async function inspectPages(fetch: FetchPages, asked: PagesLookedFor): Promise<Facts> {
  const found = await fetch(namesLookedFor(asked.signals));
  const facts = factsOf(found, asked);
  if (isWhole(facts, asked.signals)) return facts;
  const names = [...found.values()].flat().flatMap((page) => [...(page.facts?.names ?? [])]);
  return names.length === 0 ? facts : factsOf(await fetch([...new Set(names)]), asked);
}

function factsOf(pages: ReadonlyMap<string, readonly FetchedPage[]>, asked: PagesLookedFor): Facts {
  const arm = (urls: readonly string[], matchers: readonly Matcher[]): ArmFacts => ({
    matchers,
    places: urls.flatMap((url) => pages.get(url) ?? []).map(placeOf),
  });
  const { baselineUrls } = asked;
  return {
    canary: arm(asked.canaryUrls, asked.canary),
    baseline: baselineUrls === null ? null : arm(baselineUrls, asked.baseline),
  };
}

function placeOf({ target, facts }: FetchedPage): Place {
  const { id, state, samples, startedAt } = target;
  const families = facts === null ? [] : familiesOf(samples, declaredBy(facts));
  return { id, kind: 'page', state, samples, families, ...(startedAt === undefined ? {} : { startedAt }) };
}

function declaredBy({ types, units, help }: NonNullable<FetchedPage['facts']>): Declared {
  const declared = new Map<string, { type?: string; unit?: string; help?: string }>();
  for (const [name, type] of types) declared.set(name, { type });
  for (const [name, unit] of units) declared.set(name, { ...declared.get(name), unit });
  for (const [name, words] of help) declared.set(name, { ...declared.get(name), help: words });
  return declared;
}

/** Whether each arm that answers has a series of each signal. */
function isWhole({ canary, baseline }: Facts, signals: Signals): boolean {
  return [canary, ...(baseline === null ? [] : [baseline])].every(({ matchers, places }) => {
    const samples = places.flatMap((place) => place.samples).filter(({ labels }) => fitAll(matchers, labels));
    const answers = places.some(({ state }) => state.state === 'ok');
    const has = ({ name, matchers: own }: ReturnType<typeof selectorsOf>[number]): boolean =>
      samples.some((sample) => sample.name === name && fitAll(own, sample.labels));
    return !answers || selectorsOf(signals).every(has);
  });
}
