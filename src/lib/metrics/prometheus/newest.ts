import type { Labels } from '../labels.js';
import type { ApiSeries, RawSample } from './parse.js';
import { ownLabels } from './places.js';

/** A series as it was met before: the text that names it in an answer, up to its first sample, and what that says. */
export interface KnownSeries {
  text: string;
  metric: ApiSeries['metric'];
  own: Labels;
}

export interface Newest {
  series: ApiSeries[];
  /** In the order of the answer. */
  known: KnownSeries[];
  /** The answer as it is without its series. */
  rest: string;
}

const BEGIN = /^\{"status":"success",(?:"isPartial":false,)?"data":\{"resultType":"matrix","result":\[/;
const METRIC = '{"metric":';
const VALUES = ',"values":[[';
/** All samples of a series, after the brackets that open them. */
const SAMPLES = /[1-9]\d*(?:\.\d+)?,"[-+.\dEINaefn]*"(?:\],\[[1-9]\d*(?:\.\d+)?,"[-+.\dEINaefn]*")*\]\]\}/y;
const CLOSE = ']]}'.length;
const BETWEEN = '],['.length;
const [COMMA, OPEN, END, NAN] = [',', '[', ']', 'N'].map((char) => char.charCodeAt(0));

/**
 * Reads of each series in an answer to a range selector what is newer than a time, and the two samples before:
 * most of an answer is samples that the last look has read already, and objects made of them cost more than everything
 * else that is done with it. All of the text is looked at; what is not written exactly as Prometheus and VictoriaMetrics
 * write it is left to JSON.parse.
 * @param known of the last answer to the same selector: series that come in the same place need not be read again
 * @param since milliseconds since the epoch
 * @param isWhole whether all samples of a series are wanted, by its labels
 * @returns null for an answer of any other form
 */
export function readNewest(
  text: string,
  known: readonly KnownSeries[],
  since: number,
  isWhole: (metric: ApiSeries['metric']) => boolean,
): Newest | null {
  const begin = BEGIN.exec(text)?.[0].length;
  if (begin === undefined) return null;
  const found: Newest = { series: [], known: [], rest: '' };
  let at = begin;
  while (text.charCodeAt(at) !== END) {
    if (at > begin && text.charCodeAt(at++) !== COMMA) return null;
    const before = known[found.known.length];
    const one = before !== undefined && text.startsWith(before.text, at) ? before : seriesAt(text, at);
    if (one === null) return null;
    at += one.text.length;
    SAMPLES.lastIndex = at;
    if (!SAMPLES.test(text)) return null;
    const end = SAMPLES.lastIndex;
    const from = isWhole(one.metric) ? Number.NEGATIVE_INFINITY : since;
    const { metric, own } = one;
    found.series.push({ metric, own, values: samplesWithin(text, at, end - CLOSE, from) });
    found.known.push(one);
    at = end;
  }
  found.rest = text.slice(0, begin) + text.slice(at);
  return found;
}

function seriesAt(text: string, at: number): KnownSeries | null {
  if (!text.startsWith(METRIC, at)) return null;
  const end = text.indexOf(VALUES, at);
  if (end < 0) return null;
  const metric = labelsIn(text.slice(at + METRIC.length, end));
  // A copy: a slice would keep the whole answer.
  return (
    metric && { text: Buffer.from(text.slice(at, end + VALUES.length)).toString(), metric, own: ownLabels(metric) }
  );
}

function labelsIn(json: string): ApiSeries['metric'] | null {
  let labels: unknown;
  try {
    labels = JSON.parse(json);
  } catch {
    return null; // the caller has the whole answer parsed, which tells what is wrong with it
  }
  if (typeof labels !== 'object' || labels === null) return null;
  const metric = labels as ApiSeries['metric'];
  for (const name in metric) if (typeof metric[name] !== 'string') return null;
  return metric;
}

/**
 * @param begin and `end`, of samples as SAMPLES takes them, without the brackets around them
 * @returns oldest first
 */
function samplesWithin(text: string, begin: number, end: number, since: number): RawSample[] {
  const samples: RawSample[] = [];
  let passed = 0;
  let at = end;
  for (;;) {
    const quote = text.lastIndexOf('"', at - 2);
    // A series that has ended within the range and goes on: it takes all samples to tell which ones are numbers.
    if (since !== Number.NEGATIVE_INFINITY && text.charCodeAt(quote + 1) === NAN)
      return samplesWithin(text, begin, end, Number.NEGATIVE_INFINITY);
    let first = quote - 1;
    while (first > begin && text.charCodeAt(first - 1) !== OPEN) first--;
    const time = Number(text.slice(first, quote - 1));
    samples.push([time, text.slice(quote + 1, at - 1)]);
    if (Math.round(time * 1000) <= since) passed += 1;
    if (first === begin || passed > 1) return samples.reverse();
    at = first - BETWEEN;
  }
}
