import type { ArmReading, Missing } from '../../judge/index.js';
import { fits, type Selector, showSelector } from '../promql/index.js';
import type { HistogramSource, Signals } from '../signals/index.js';
import type { LabelsSeen } from './labels-seen.js';
import { kindOf } from './native.js';
import type { ApiSeries } from './parse.js';

/** Where the series of an absent signal may be looked for. */
interface Looked {
  selectors: readonly Selector[];
  histogram?: HistogramSource;
}

const MOST_SEEN = 8;

/**
 * Says of each signal whose series are absent what there is in their place: something under a histogram's name that is no
 * classic histogram, or the values that the labels do have, as one may be misspelt.
 * @param series of the arm, of all names
 */
export async function explainAbsent(
  reading: ArmReading,
  signals: Signals,
  series: readonly ApiSeries[],
  seen: LabelsSeen | undefined,
): Promise<ArmReading> {
  const explain = async <Signal extends { state: string }>(signal: Signal, looked: Looked): Promise<Signal> => {
    const missing = signal as Signal & Missing;
    if (missing.state !== 'absent' || missing.detail === undefined) return signal;
    const kind = looked.histogram === undefined ? null : kindOf(looked.histogram.name, series);
    const [first] = looked.selectors;
    // Where there is not one process, the counting knows of no series either.
    const said = series.length === 0 && first !== undefined ? `no series ${showSelector(first)}` : missing.detail;
    const detail = kind ?? (await withLabels(said, looked.selectors, seen));
    return { ...signal, detail };
  };
  const explained: ArmReading = { ...reading };
  if (reading.errors) explained.errors = await explain(reading.errors, counters(signals));
  if (reading.latency) explained.latency = await explain(reading.latency, buckets(signals.histograms['latency']));
  const { drift } = signals;
  if (reading.score && drift?.kind === 'histogram')
    explained.score = await explain(reading.score, buckets(drift.histogram));
  if (reading.categories && drift?.kind === 'categories')
    explained.categories = await explain(reading.categories, { selectors: [drift.counts] });
  if (reading.histograms) {
    const all = Object.entries(reading.histograms).map(
      async ([name, one]) => [name, await explain(one, buckets(signals.histograms[name]))] as const,
    );
    explained.histograms = Object.fromEntries(await Promise.all(all));
  }
  return explained;
}

function counters({ requests, errors }: Signals): Looked {
  return { selectors: [...(requests?.terms ?? []), ...(errors?.terms ?? [])].map(({ selector }) => selector) };
}

function buckets(histogram: HistogramSource | undefined): Looked {
  if (histogram === undefined) return { selectors: [] };
  const { name, matchers } = histogram;
  return { selectors: [{ name: `${name}_bucket`, matchers: [...matchers] }], histogram };
}

async function withLabels(
  detail: string,
  selectors: readonly Selector[],
  seen: LabelsSeen | undefined,
): Promise<string> {
  if (seen === undefined || detail.includes(' seen: ')) return detail;
  const selector = selectors.find((one) => detail.startsWith(`no series ${showSelector(one)}`));
  if (selector === undefined || selector.matchers.length === 0) return detail;
  const labels = [...new Set(selector.matchers.map(({ label }) => label))];
  const found = await seen(selector.name, labels);
  if (found === null) return detail;
  // Values that fit explain nothing, as long as there are others.
  const strange = [...found].filter(([label, values]) =>
    selector.matchers.some((matcher) => matcher.label === label && !values.some((value) => fits(matcher, value))),
  );
  const shown = (strange.length === 0 ? [...found] : strange).map(([label, values]) => {
    const most = [...values.slice(0, MOST_SEEN), ...(values.length > MOST_SEEN ? ['...'] : [])];
    return `${label} seen: ${most.length === 0 ? 'none' : most.join(', ')}`;
  });
  return `${detail} (${shown.join('; ')})`;
}
