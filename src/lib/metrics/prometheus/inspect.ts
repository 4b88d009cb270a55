import { shownUrl } from '../http.js';
import type { ArmFacts, Facts, Family } from '../inspect/index.js';
import { familiesOf, selectorsOf } from '../inspect/index.js';
import { fitAll, type Matcher, writeMatchers, writeSelector } from '../promql/index.js';
import type { Sample, Signals } from '../signals/index.js';
import type { PrometheusApi } from './api.js';
import type { ApiSeries } from './parse.js';
import { placeKey } from './places.js';
import { UP } from './plan.js';

/** What a first look asks a Prometheus for, placeholders filled in. */
export interface LookedFor {
  url: string;
  /** How far back a series counts as being there, ms. */
  reachMs: number;
  signals: Signals;
  canary: readonly Matcher[];
  /** null: none is wanted. */
  baseline: readonly Matcher[] | null;
}

/**
 * What a Prometheus holds of each arm at this moment: the series of the signals; and where an arm lacks some, what others there are
 * of their names, and which metrics the arm has. A question that is not answered leaves the place without facts, never throws.
 */
export async function inspectPrometheus(api: Api, asked: LookedFor): Promise<Facts> {
  const [canary, baseline] = await Promise.all([
    ofArm(api, asked, asked.canary),
    asked.baseline === null ? null : ofArm(api, asked, asked.baseline),
  ]);
  return { canary, baseline };
}

type Api = Pick<PrometheusApi, 'query' | 'samples'>;

const NOTHING_DECLARED = new Map();

async function ofArm(api: Api, { url, signals, reachMs }: LookedFor, matchers: readonly Matcher[]): Promise<ArmFacts> {
  const id = shownUrl(url);
  const names = namesOf(signals);
  // As a look reads them.
  const [own, scraped] = await Promise.all([
    api.samples(writeSelector(names, matchers), reachMs),
    scrapedOf(api, matchers),
  ]);
  if (!own.ok) return { matchers, places: [{ id, kind: 'prometheus', state: own.missing, families: [], samples: [] }] };
  const samples = samplesOf(own);
  const there = new Set(samples.map(({ name }) => name));
  const missing = selectorsOf(signals).filter(
    (selector) => !samples.some(({ name, labels }) => name === selector.name && fitAll(selector.matchers, labels)),
  );
  const known = scraped === null ? {} : { scraped };
  if (missing.length === 0)
    return { ...placed(id, matchers, familiesOf(samples, NOTHING_DECLARED), samples), ...known };
  const labels = [...new Set([...matchers, ...missing.flatMap((one) => one.matchers)].map(({ label }) => label))];
  const absent = [...new Set(missing.map(({ name }) => name))];
  const [others, examples, families, unknownLabels] = await Promise.all([
    series(api, `count by (${['__name__', ...labels].join(', ')}) (${writeSelector(absent, [])})`),
    series(api, `topk(${EXAMPLES}, ${writeSelector(absent, [])})`),
    familiesOfArm(api, matchers, there.size > 0),
    unknown(api, matchers, there.size > 0),
  ]);
  // Those of the arm are among the samples already: twice, they would be counted twice.
  const elsewhere = [...others, ...examples].filter(({ labels: theirs }) => !fitAll(matchers, theirs));
  return {
    ...placed(id, matchers, families, [...samples, ...elsewhere]),
    ...known,
    ...(unknownLabels.length === 0 ? {} : { unknownLabels }),
  };
}

/** How many series are asked for to see which labels they have. */
const EXAMPLES = 3;

function placed(id: string, matchers: readonly Matcher[], families: Family[], samples: Sample[]): ArmFacts {
  return { matchers, places: [{ id, kind: 'prometheus', state: { state: 'ok' }, families, samples }] };
}

/** What `up` says of the arm's targets; null where it has none by these labels, as with labels of the service's own. */
async function scrapedOf(api: Api, matchers: readonly Matcher[]): Promise<NonNullable<ArmFacts['scraped']> | null> {
  const found = await series(api, writeSelector([UP], matchers));
  const [first] = found;
  if (first === undefined) return null;
  if (found.some(({ value }) => value !== 0)) return { state: 'up' };
  const { instance = '', job = '' } = first.labels;
  const more = found.length > 1 ? ` and ${found.length - 1} more` : '';
  return { state: 'down', words: `Prometheus cannot scrape ${placeKey(job, instance)}${more} (up is 0)` };
}

/** Names of all samples that the signals need, with the counts of histograms, which tell how much was served. */
function namesOf(signals: Signals): string[] {
  const counted = selectorsOf(signals).map(({ name }) => name);
  const counts = counted.filter((name) => name.endsWith('_bucket')).map((name) => name.replace(/_bucket$/, '_count'));
  return [...new Set([...counted, ...counts])];
}

/** Metrics of the arm; where it has none at all, histograms and counters of whomever, as a hint. */
async function familiesOfArm(api: Api, matchers: readonly Matcher[], isThere: boolean): Promise<Family[]> {
  const all = (ends: string) => writeMatchers([{ label: '__name__', op: '=~', value: ends }, ...matchers]);
  const [names, totals] = await Promise.all([
    series(api, `count by (__name__) (${all('.+')})`),
    series(api, `sum by (__name__) (${all('.+_(total|count)')})`),
  ]);
  if (names.length > 0 || isThere) {
    const total = new Map(totals.map(({ name, value }) => [name, value]));
    return familiesOf(
      names.map(({ name, labels }) => ({ name, labels, value: total.get(name) ?? 0 })),
      NOTHING_DECLARED,
    );
  }
  const hint = await series(api, 'count by (__name__) ({__name__=~".+_(bucket|total)"})');
  return familiesOf(
    hint.map(({ name, labels }) => ({ name, labels, value: 0 })),
    NOTHING_DECLARED,
  );
}

/** Labels of the arm that no series of this Prometheus has. */
async function unknown(api: Api, matchers: readonly Matcher[], isThere: boolean): Promise<string[]> {
  if (isThere) return [];
  const wanted = matchers.filter((matcher) => !fitAll([matcher], {}));
  const found = await Promise.all(
    wanted.map(async ({ label }) => {
      const answer = await api.query(`count(${writeMatchers([{ label, op: '!=', value: '' }])})`);
      return answer.ok && answer.type === 'vector' && answer.series.length === 0 ? [label] : [];
    }),
  );
  return found.flat();
}

/** Empty where there is no answer: such questions only help to explain. */
async function series(api: Api, expr: string): Promise<Sample[]> {
  const answer = await api.query(expr);
  return answer.ok ? samplesOf(answer) : [];
}

function samplesOf(answer: { type: string; series?: ApiSeries[] }): Sample[] {
  return (answer.series ?? []).flatMap(({ metric, value, values }) => {
    const { __name__: name = '', ...labels } = metric;
    const newest = value ?? values?.at(-1);
    return newest === undefined ? [] : [{ name, labels, value: Number(newest[1]) }];
  });
}
