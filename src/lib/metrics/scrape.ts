import { z } from 'zod';
import { LukhasError } from '../errors.js';
import { parseUrl } from '../input/index.js';
import type { ArmReading, Missing, Observation } from '../judge/index.js';
import { type ArmCursor, armCursorSchema, armReading, type MetricNames, namesOf, seriesNames } from './counters.js';
import { type HttpCredentials, httpCredentials } from './credentials.js';
import { parseExposition } from './exposition.js';
import { getText, shownUrl, type TextAnswer } from './http.js';
import type { Series } from './labels.js';
import { fitAll, type Matcher } from './promql/index.js';
import { fillMatchers, parseArms, parseSignals, refuseSameSeries } from './signals/index.js';
import {
  type MetricSource,
  pageUrl,
  type Reading,
  type ReadRequest,
  SCRAPE_URL,
  type ScrapeConfig,
  type SourceAuth,
} from './source.js';

/** Text first: it names the series as a person sees them, while OpenMetrics may append `_total`. */
const ACCEPT = 'text/plain;version=0.0.4;q=1,application/openmetrics-text;version=1.0.0;q=0.7,*/*;q=0.1';
const STALE_MS = 60_000;

const cursorSchema = z.object({ canary: armCursorSchema.nullable(), baseline: armCursorSchema.nullable() }).nullable();
type Cursor = z.infer<typeof cursorSchema>;

type ArmName = 'canary' | 'baseline';
interface ArmLook {
  reading: ArmReading;
  cursor: ArmCursor | null;
  notes: string[];
}
type Page = { ok: true; series: Series[]; notes: string[] } | { ok: false; missing: Missing };

/** What a look needs, made of the configuration once. */
interface Reader {
  config: ScrapeConfig;
  names: MetricNames;
  matchers: Record<ArmName, Matcher[]>;
  credentials: HttpCredentials;
  now: () => number;
}

/**
 * Reads the services themselves, through the metrics they expose; needs no Prometheus. Each URL must always reach the
 * same process: behind a load balancer, one look and the next would be of different counters.
 * @param now milliseconds since the epoch
 * @throws LukhasError CONFIG, PROMQL for signals, arms and credentials that cannot work
 */
export function openScrape(config: ScrapeConfig, auth: SourceAuth = {}, now: () => number = Date.now): MetricSource {
  const reader: Reader = {
    config,
    names: namesOf(parseSignals(config.signals)),
    matchers: parseArms(config.arms),
    credentials: httpCredentials(auth),
    now,
  };
  return {
    descriptor: { kind: 'scrape', ...config },
    pace: 'clock',
    check: () => check(reader),
    read: (request) => look(reader, request),
    close: async () => undefined,
  };
}

/** Asks each page once: one that is only down is let pass. */
async function check(reader: Reader): Promise<void> {
  const { config } = reader;
  checkUrls('canary URL', config.canaryUrls);
  checkUrls('baseline URL', config.baselineUrls ?? []);
  // Gates always differ; which they are is known when a canary starts.
  refuseSameSeries(config, {
    canary: { gate: 'canary gate', model: 'model', window: 60 },
    baseline: { gate: 'baseline gate', model: 'model', window: 60 },
  });
  const urls = new Set([...config.canaryUrls, ...(config.baselineUrls ?? [])]);
  const pages = await Promise.all([...urls].map((url) => fetchPage(url, reader, undefined)));
  for (const page of pages) if (!page.ok) refusePage(page.missing, 'authorization' in reader.credentials.headers);
}

function refusePage({ state, detail = state }: Missing, sent: boolean): void {
  if (state === 'refused') {
    const why = sent ? 'it does not accept the credentials' : 'it wants credentials';
    throw new LukhasError('SOURCE_REFUSED', `${detail}: ${why}`, {
      suggestions: sent
        ? ['Check the environment variables that bearerEnv, basic or headersEnv of the source name.']
        : [
            'Name the environment variables that hold them, in lukhas.yaml under source: bearerEnv: METRICS_TOKEN, or basic: { usernameEnv: METRICS_USER, passwordEnv: METRICS_PASSWORD }, or headersEnv: { X-Api-Key: METRICS_KEY }.',
          ],
    });
  }
  if (state !== 'invalid') return;
  throw new LukhasError('SOURCE_INVALID', detail, {
    suggestions: [
      'Give the address of a metrics page in the text format of Prometheus, as in http://127.0.0.1:8080/metrics.',
    ],
  });
}

function checkUrls(where: string, urls: readonly string[]): void {
  for (const url of urls) parseUrl(pageUrl(url), where, 'CONFIG', SCRAPE_URL);
}

async function look(reader: Reader, request: ReadRequest): Promise<Reading> {
  const { config } = reader;
  const previous = readCursor(request.cursor);
  const t = reader.now();
  const baselineUrls = request.withBaseline ? config.baselineUrls : null;
  const urls = new Set([...config.canaryUrls, ...(baselineUrls ?? [])]);
  const pages = new Map<string, Page>();
  await Promise.all(
    [...urls].map(async (url) => {
      pages.set(url, await fetchPage(url, reader, request.signal));
    }),
  );
  const lookAt = (arm: ArmName, of: readonly string[], gate: string) => {
    const values = { gate, model: request.modelId, window: request.windowSeconds };
    const matchers = fillMatchers(reader.matchers[arm], values);
    const page = joined(of.map((url) => [url, pages.get(url)!] as const));
    return armLook(arm, page, matchers, previous?.[arm] ?? null, reader.names, t);
  };
  const canary = lookAt('canary', config.canaryUrls, request.canaryGate);
  const baseline = baselineUrls === null ? null : lookAt('baseline', baselineUrls, request.baselineGate);
  const observation: Omit<Observation, 'tick'> = {
    v: 1,
    t,
    from: previous?.canary?.at ?? t,
    canary: canary.reading,
  };
  if (baseline !== null) observation.baseline = baseline.reading;
  if (request.scalars.length > 0) observation.scalars = noScalars(request.scalars);
  const notes = [...canary.notes, ...(baseline?.notes ?? [])];
  const spans = baseline === null ? null : spanNote(canary, baseline, previous);
  if (spans !== null) notes.push(spans);
  if (notes.length > 0) observation.notes = notes;
  return { observation, cursor: { canary: canary.cursor, baseline: baseline?.cursor ?? previous?.baseline ?? null } };
}

/** Pages of one arm as one; the same series on two of them stay two. */
function joined(pages: readonly (readonly [string, Page])[]): Page {
  const [first, ...more] = pages;
  if (more.length === 0) return first![1];
  const down = pages.find(([, page]) => !page.ok)?.[1];
  if (down !== undefined) return down;
  const series = pages.flatMap(([url, page]) =>
    page.ok ? page.series.map((one) => ({ ...one, labels: { ...one.labels, __page: url } })) : [],
  );
  return { ok: true, series, notes: pages.flatMap(([, page]) => (page.ok ? page.notes : [])) };
}

async function fetchPage(
  url: string,
  { config, credentials, names }: Reader,
  signal: AbortSignal | undefined,
): Promise<Page> {
  const answer = await getText(pageUrl(url), {
    ...credentials,
    headers: { accept: ACCEPT, ...credentials.headers },
    timeoutMs: config.timeoutMs,
    ...(signal === undefined ? {} : { signal }),
  });
  if (!answer.ok) return { ok: false, missing: { state: answer.state, detail: answer.detail } };
  return readPage(url, answer, names);
}

function readPage(url: string, answer: Extract<TextAnswer, { ok: true }>, metrics: MetricNames): Page {
  const names = new Set(seriesNames(metrics));
  const openMetrics = /^application\/openmetrics-text\b/i.test(answer.contentType);
  try {
    const series = parseExposition(answer.body, { openMetrics, wanted: (name) => names.has(name) });
    return { ok: true, series, notes: gaugeNotes(answer.body, metrics) };
  } catch (error) {
    if (!(error instanceof LukhasError) || error.code !== 'SOURCE_INVALID') throw error;
    if (/^text\/html\b/i.test(answer.contentType)) {
      return {
        ok: false,
        missing: { state: 'invalid', detail: `${shownUrl(url)} answers with HTML, not with metrics` },
      };
    }
    if (isJson(answer.body)) {
      return { ok: false, missing: { state: 'invalid', detail: `${shownUrl(url)}: this is JSON, not a metrics page` } };
    }
    return { ok: false, missing: { state: 'invalid', detail: `${shownUrl(url)}, ${error.message}` } };
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // the only failure: not JSON
  }
}

/** A gauge goes up and down: each fall is read as a restart, so its differences count nothing. */
function gaugeNotes(page: string, { requests, errors, latency, score }: MetricNames): string[] {
  const gauges = new Set([...page.matchAll(/^# TYPE (\S+) gauge\s*$/gm)].map(([, name]) => name));
  const counters = [...new Set([requests, errors])];
  const histograms = [latency, ...(score === null ? [] : [score])].flatMap((name) => [name, `${name}_bucket`]);
  const note = (kind: string) => (name: string) => `${name} is declared a gauge, read as a ${kind}`;
  const declared = (name: string) => gauges.has(name);
  return [...counters.filter(declared).map(note('counter')), ...histograms.filter(declared).map(note('histogram'))];
}

function armLook(
  arm: ArmName,
  page: Page,
  matchers: readonly Matcher[],
  previous: ArmCursor | null,
  metrics: MetricNames,
  t: number,
): ArmLook {
  if (!page.ok) return { reading: allMissing(page.missing, metrics), cursor: previous, notes: [] };
  const series = page.series.filter((sample) => fitAll(matchers, sample.labels));
  const looked = armReading({ series, at: t, staleBefore: t - STALE_MS }, previous, metrics);
  const { reading, cursor } = looked;
  const notes = [...page.notes, ...looked.notes];
  const ahead = series.reduce((most, sample) => Math.max(most, (sample.t ?? t) - t), 0);
  if (ahead > STALE_MS) notes.push(`clock skew: timestamps are ${Math.round(ahead / 1000)} s ahead of this clock`);
  return { reading, cursor, notes: notes.map((note) => `${arm}: ${note}`) };
}

function allMissing(missing: Missing, { score }: MetricNames): ArmReading {
  return { errors: missing, latency: missing, ...(score === null ? {} : { score: missing }) };
}

function noScalars(names: readonly string[]): Record<string, Missing> {
  const missing: Missing = { state: 'no_source', detail: 'scraping gives no scalars: they need a Prometheus query' };
  return Object.fromEntries(names.map((name) => [name, missing]));
}

/** After an outage of one arm, its counts cover another span than the other arm's. */
function spanNote(canary: ArmLook, baseline: ArmLook, previous: Cursor): string | null {
  if (!canary.cursor || !baseline.cursor || !previous?.canary || !previous.baseline) return null;
  const ofCanary = canary.cursor.at - previous.canary.at;
  const ofBaseline = baseline.cursor.at - previous.baseline.at;
  if (ofCanary === 0 || ofBaseline === 0 || Math.abs(ofCanary - ofBaseline) < 1000) return null;
  const [first, second] = [ofCanary, ofBaseline].map((span) => Math.round(span / 1000));
  return `canary counts cover ${first} s, baseline counts ${second} s`;
}

function readCursor(stored: unknown): Cursor {
  const cursor = cursorSchema.safeParse(stored ?? null);
  if (cursor.success) return cursor.data;
  throw new LukhasError('LEDGER_CORRUPT', 'the stored counters of the last check cannot be read', {
    cause: cursor.error,
  });
}
