import { z } from 'zod';
import { LukhasError } from '../errors.js';
import { parseUrl } from '../input/index.js';
import type { ArmReading, Missing, Observation } from '../judge/index.js';
import { type ArmCursor, armCursorSchema, armReading, seriesNames } from './counters.js';
import { parseExposition } from './exposition.js';
import { getText, shownUrl, type TextAnswer } from './http.js';
import { labelMatcher, type Series } from './labels.js';
import {
  type MetricNames,
  type MetricSource,
  type Reading,
  type ReadRequest,
  SCRAPE_URL,
  type ScrapeConfig,
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

/**
 * Reads the services themselves, through the metrics they expose; needs no Prometheus. Each URL must always reach the
 * same process: behind a load balancer, one look and the next would be of different counters.
 * @param now milliseconds since the epoch
 */
export function openScrape(config: ScrapeConfig, now: () => number = Date.now): MetricSource {
  return {
    descriptor: { kind: 'scrape', ...config },
    pace: 'clock',
    check: () => check(config),
    read: (request) => look(config, request, now),
    close: async () => undefined,
  };
}

/** Asks each page once: one that is only down is let pass. */
async function check(config: ScrapeConfig): Promise<void> {
  checkConfig(config);
  const urls = new Set([config.canaryUrl, config.baselineUrl ?? config.canaryUrl]);
  const pages = await Promise.all([...urls].map((url) => fetchPage(url, config, undefined)));
  for (const page of pages) if (!page.ok) refusePage(page.missing);
}

function refusePage({ state, detail = state }: Missing): void {
  if (state === 'refused') {
    throw new LukhasError('SOURCE_REFUSED', `${detail}: it wants credentials, and scraping sends none`, {
      suggestions: ['Let its metrics be read without, or read them through Prometheus (--prom-url).'],
    });
  }
  if (state !== 'invalid') return;
  throw new LukhasError('SOURCE_INVALID', detail, {
    suggestions: [
      'Give the address of a metrics page in the text format of Prometheus, as in http://127.0.0.1:8080/metrics.',
    ],
  });
}

function checkConfig(config: ScrapeConfig): void {
  parseUrl(config.canaryUrl, 'canary URL', 'CONFIG', SCRAPE_URL);
  if (config.baselineUrl !== null) parseUrl(config.baselineUrl, 'baseline URL', 'CONFIG', SCRAPE_URL);
  const { requestLabels, errorLabels } = config.metrics;
  for (const labels of [requestLabels, errorLabels]) labelMatcher(labels);
  const sameLabels = JSON.stringify(config.canaryLabels) === JSON.stringify(config.baselineLabels);
  if (config.baselineUrl === config.canaryUrl && sameLabels) {
    throw new LukhasError('CONFIG', `canary and baseline are the same series of ${shownUrl(config.canaryUrl)}`, {
      suggestions: ['give labels that tell the arms apart, or another URL for the baseline'],
    });
  }
}

async function look(config: ScrapeConfig, request: ReadRequest, now: () => number): Promise<Reading> {
  const previous = readCursor(request.cursor);
  const t = now();
  const baselineUrl = request.withBaseline ? config.baselineUrl : null;
  const urls = new Set([config.canaryUrl, ...(baselineUrl === null ? [] : [baselineUrl])]);
  const pages = new Map<string, Page>();
  await Promise.all(
    [...urls].map(async (url) => {
      pages.set(url, await fetchPage(url, config, request.signal));
    }),
  );
  const lookAt = (arm: ArmName, url: string, labels: Record<string, string>) =>
    armLook(arm, pages.get(url)!, labels, previous?.[arm] ?? null, config.metrics, t);
  const canary = lookAt('canary', config.canaryUrl, config.canaryLabels);
  const baseline = baselineUrl === null ? null : lookAt('baseline', baselineUrl, config.baselineLabels);
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

async function fetchPage(url: string, config: ScrapeConfig, signal: AbortSignal | undefined): Promise<Page> {
  const answer = await getText(url, {
    headers: { accept: ACCEPT },
    timeoutMs: config.timeoutMs,
    ...(signal === undefined ? {} : { signal }),
  });
  if (!answer.ok) return { ok: false, missing: { state: answer.state, detail: answer.detail } };
  return readPage(url, answer, config.metrics);
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
  labels: Record<string, string>,
  previous: ArmCursor | null,
  metrics: MetricNames,
  t: number,
): ArmLook {
  if (!page.ok) return { reading: allMissing(page.missing, metrics), cursor: previous, notes: [] };
  const wanted = Object.entries(labels);
  const series = page.series.filter((sample) => wanted.every(([name, value]) => (sample.labels[name] ?? '') === value));
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
