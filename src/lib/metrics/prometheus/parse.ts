import type { Missing } from '../../judge/index.js';
import { shownUrl, type TextAnswer } from '../http.js';
import type { Labels } from '../labels.js';

/** A sample as the API writes it: seconds since the epoch, and the number as text. */
export type RawSample = [number, string];

/** Which bounds belong to it (0: the upper one), both bounds, and how many observations it holds. */
export type NativeBucket = [rule: number, lower: string, upper: string, count: string];

/** A native histogram (https://prometheus.io/docs/prometheus/latest/querying/api/#native-histograms): populated buckets only. */
export interface RawHistogram {
  count: string;
  sum: string;
  buckets?: NativeBucket[];
}

export interface ApiSeries {
  metric: Record<string, string>;
  /** Its labels without those of its place, where they are made already. */
  own?: Labels;
  value?: RawSample;
  values?: RawSample[];
  /** Of native histograms, instead of `values`. */
  histograms?: [number, RawHistogram][];
}

/** Reads an answer again, with all samples, of which there are but the newest. */
type Whole = () => ApiAnswer;

/** `date`: what time it was at Prometheus, milliseconds since the epoch. */
export type ApiAnswer =
  | { ok: true; type: 'vector' | 'matrix'; series: ApiSeries[]; warnings: string[]; date?: number; whole?: Whole }
  | { ok: true; type: 'scalar' | 'string'; sample: RawSample; warnings: string[]; date?: number }
  /** `refusal`: what Prometheus says is wrong with the query itself. */
  | { ok: false; missing: Missing; refusal?: string };

const MAX_MESSAGE = 300;

/** What an answer of the query API says. @param endpoint that was asked, named in what is wrong with it */
export function readAnswer(answer: TextAnswer, endpoint: URL): ApiAnswer {
  const body = parseObject(answer.body);
  if (!answer.ok) return failed(answer, body);
  if (body?.['status'] !== 'success') return notPrometheus(endpoint, answer.contentType);
  const data = body['data'] as { resultType?: unknown; result?: unknown } | undefined;
  const result = data?.result;
  const warnings = Array.isArray(body['warnings']) ? body['warnings'].map((text) => shorten(String(text))) : [];
  const date = answer.date === null ? {} : { date: answer.date };
  switch (data?.resultType) {
    case 'vector':
    case 'matrix':
      if (!Array.isArray(result) || !result.every(isSeries)) return notPrometheus(endpoint, answer.contentType);
      return { ok: true, type: data.resultType, series: result, warnings, ...date };
    case 'scalar':
    case 'string':
      if (!isSample(result)) return notPrometheus(endpoint, answer.contentType);
      return { ok: true, type: data.resultType, sample: result, warnings, ...date };
    default:
      return notPrometheus(endpoint, answer.contentType);
  }
}

function failed(answer: Extract<TextAnswer, { ok: false }>, body: Record<string, unknown> | null): ApiAnswer {
  const said = body?.['status'] === 'error' && typeof body['error'] === 'string' ? shorten(body['error']) : null;
  const detail = said === null ? answer.detail : `${answer.detail}: ${said}`;
  // What may pass by itself (429, 408) is no fault of the query.
  const missing: Missing = { state: answer.retryable ? 'unreachable' : answer.state, detail };
  const refused = said !== null && body?.['errorType'] === 'bad_data';
  return refused ? { ok: false, missing, refusal: said } : { ok: false, missing };
}

function notPrometheus(endpoint: URL, contentType: string): ApiAnswer {
  const where = shownUrl(endpoint.href);
  const what = contentType === '' ? 'no content type' : contentType;
  return { ok: false, missing: { state: 'invalid', detail: `${where} does not answer as Prometheus does (${what})` } };
}

function parseObject(text: string | undefined): Record<string, unknown> | null {
  if (text === undefined || !text.startsWith('{')) return null;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return null; // the caller reports what is no JSON as not Prometheus
  }
}

function isSample(value: unknown): value is RawSample {
  return Array.isArray(value) && typeof value[0] === 'number' && typeof value[1] === 'string';
}

/** Whatever answers may be no Prometheus: what it says is looked at whole before anything is read from it. */
function isSeries(value: unknown): value is ApiSeries {
  const { metric, value: one, values, histograms } = (value ?? {}) as Partial<ApiSeries>;
  if (typeof metric !== 'object' || metric === null) return false;
  for (const label in metric) if (typeof metric[label] !== 'string') return false;
  if (histograms !== undefined) return Array.isArray(histograms) && histograms.every(isHistogram);
  if (values === undefined) return one === undefined || isSample(one);
  return Array.isArray(values) && values.length > 0 && values.every(isSample);
}

function isHistogram(value: unknown): boolean {
  if (!Array.isArray(value) || typeof value[0] !== 'number') return false;
  const { count, buckets = [] } = (value[1] ?? {}) as Partial<RawHistogram>;
  return typeof count === 'string' && Array.isArray(buckets) && buckets.every((bucket) => Array.isArray(bucket));
}

const shorten = (text: string): string => (text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE)}...` : text);
