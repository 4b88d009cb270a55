import type { ArmReading, Missing } from '../../judge/index.js';
import { fitAll, type Matcher, showSelector } from '../promql/index.js';
import type { Signals } from '../signals/index.js';
import { type PageFacts, whyNoHistogram } from './facts.js';
import type { FetchedPage } from './fetch.js';

/** What one signal is read from: the name that is missed first, with the matchers of the signal. */
interface Read {
  name: string;
  matchers: readonly Matcher[];
  /** Base name, if it is a histogram. */
  histogram?: string;
}

const MOST_VALUES = 8;

/**
 * The same reading, whose missing signals say what the pages themselves show of the cause: that a page is empty, has a
 * summary in the place of a histogram, other values of the arm's labels, or timestamps in another unit.
 * @param arm matchers that tell the arm's series from all others
 */
export function explained(
  reading: ArmReading,
  signals: Signals,
  pages: readonly FetchedPage[],
  arm: readonly Matcher[],
): ArmReading {
  const because = <Signal extends { state: string }>(signal: Signal, reads: readonly Read[]): Signal | Missing => {
    if (signal.state !== 'absent' && signal.state !== 'stale') return signal;
    const detail = reasonOf(signal.state, reads, pages, arm);
    return detail === null ? signal : { state: signal.state, detail };
  };
  const all = readsOf(signals);
  const { errors, latency, score, histograms, categories } = reading;
  return {
    ...reading,
    ...(errors === undefined ? {} : { errors: because(errors, all.errors) }),
    ...(latency === undefined ? {} : { latency: because(latency, all.histograms['latency'] ?? []) }),
    ...(score === undefined ? {} : { score: because(score, all.drift) }),
    ...(categories === undefined ? {} : { categories: because(categories, all.drift) }),
    ...(histograms === undefined
      ? {}
      : {
          histograms: Object.fromEntries(
            Object.entries(histograms).map(([name, signal]) => [name, because(signal, all.histograms[name] ?? [])]),
          ),
        }),
  };
}

function readsOf({ requests, errors, histograms, drift }: Signals) {
  const histogram = ({ name, matchers }: { name: string; matchers: readonly Matcher[] }): Read[] => [
    { name: `${name}_bucket`, matchers, histogram: name },
  ];
  const counters = [...(requests?.terms ?? []), ...(errors?.terms ?? [])];
  return {
    errors: counters.map(({ selector }): Read => selector),
    histograms: Object.fromEntries(Object.entries(histograms).map(([name, source]) => [name, histogram(source)])),
    drift: drift === null ? [] : drift.kind === 'histogram' ? histogram(drift.histogram) : [drift.counts],
  };
}

function reasonOf(
  state: 'absent' | 'stale',
  reads: readonly Read[],
  pages: readonly FetchedPage[],
  arm: readonly Matcher[],
): string | null {
  const answered = pages.flatMap((page) => (page.facts === null ? [] : [{ ...page, facts: page.facts }]));
  if (answered.length === 0) return null;
  if (state === 'stale') return first(reads, ({ name }) => first(answered, ({ facts }) => facts.timestamps.get(name)));
  if (answered.every(({ facts }) => facts.names.size === 0))
    return `${answered[0]!.target.id}: the page holds not one sample`;
  return first(reads, (read) => absence(read, answered, arm));
}

function absence(
  { name, matchers, histogram }: Read,
  pages: readonly (FetchedPage & { facts: PageFacts })[],
  arm: readonly Matcher[],
): string | null {
  if (histogram !== undefined && !pages.some(({ facts }) => facts.names.has(name))) {
    const why = first(pages, ({ facts }) => whyNoHistogram(facts, histogram));
    return why === null ? null : `no series ${name}: ${why}`;
  }
  const series = pages.flatMap(({ target }) => target.samples.filter((sample) => sample.name === name));
  const others = series.filter(({ labels }) => fitAll(matchers, labels));
  if (arm.length === 0 || others.length === 0 || others.some(({ labels }) => fitAll(arm, labels))) return null;
  const seen = [...new Set(arm.map(({ label }) => label))].map((label) => {
    const values = [...new Set(others.flatMap(({ labels }) => labels[label] ?? []))].sort();
    const shown = [...values.slice(0, MOST_VALUES), ...(values.length > MOST_VALUES ? ['...'] : [])];
    return `${label} seen: ${shown.length === 0 ? 'none' : shown.join(', ')}`;
  });
  return `no series ${showSelector({ name, matchers: [...matchers, ...arm] })} (${seen.join('; ')})`;
}

function first<T>(all: readonly T[], find: (one: T) => string | null | undefined): string | null {
  for (const one of all) {
    const found = find(one);
    if (found !== null && found !== undefined) return found;
  }
  return null;
}
