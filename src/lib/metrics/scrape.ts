import { z } from 'zod';
import { LukhasError } from '../errors.js';
import { parseUrl } from '../input/index.js';
import type { ArmReading, Missing, Observation } from '../judge/index.js';
import {
  type ArmCursor,
  armCursorSchema,
  countArm,
  PROCESS_START,
  processStart,
  seriesNames,
  storedCounters,
} from './counting/index.js';
import { httpCredentials } from './credentials.js';
import type { Facts } from './inspect/index.js';
import { explained, type FetchedPage, gaugeNotes, Pages } from './pages/index.js';
import { fitAll, type Matcher } from './promql/index.js';
import {
  fillMatchers,
  fillSignals,
  parseArms,
  parseSignals,
  refuseSameSeries,
  refuseTwice,
  type Signals,
  type Target,
} from './signals/index.js';
import {
  type InspectRequest,
  type MetricSource,
  pageUrl,
  type Reading,
  type ReadRequest,
  SCRAPE_URL,
  type ScrapeConfig,
  type SourceAuth,
} from './source.js';

const STALE_MS = 60_000;

const cursorSchema = z.object({ canary: armCursorSchema, baseline: armCursorSchema });
type Cursor = z.infer<typeof cursorSchema> | null;

type ArmName = 'canary' | 'baseline';
interface ArmLook {
  reading: ArmReading;
  cursor: ArmCursor;
  notes: string[];
}

/** Series that one arm's look counts. */
interface Filled {
  matchers: Matcher[];
  signals: Signals;
}

/** Gates and models whose filled signals are kept. */
const KEPT_FILLED = 64;

/** What looks need, made of the configuration once. */
interface Reader {
  config: ScrapeConfig;
  signals: Signals;
  arms: Record<ArmName, Matcher[]>;
  /** What was filled in for a gate and a model: plans and regular expressions are made of it once. */
  filled: Map<string, Filled>;
  pages: Pages;
  /** The same pages, read for other names. */
  pagesOf: (wanted: readonly string[]) => Pages;
  sendsCredentials: boolean;
  now: () => number;
}

/**
 * Reads the services themselves, through the metrics they expose; needs no Prometheus. Each address must always reach the
 * same process: one look and the next of a load balancer are of different counters. `dns+http://name:port/path` is each
 * address of a name.
 * @param now milliseconds since the epoch
 * @throws LukhasError CONFIG, PROMQL for signals, arms and credentials that cannot work
 */
export function openScrape(config: ScrapeConfig, auth: SourceAuth = {}, now: () => number = Date.now): MetricSource {
  const signals = parseSignals(config.signals);
  const credentials = httpCredentials(auth);
  const pagesOf = (wanted: readonly string[]) => new Pages({ wanted, timeoutMs: config.timeoutMs, credentials });
  const reader: Reader = {
    config,
    signals,
    arms: parseArms(config.arms),
    filled: new Map(),
    pages: pagesOf(seriesNames(signals)),
    pagesOf,
    sendsCredentials: 'authorization' in credentials.headers,
    now,
  };
  return {
    descriptor: { kind: 'scrape', ...config },
    pace: 'clock',
    check: () => check(reader),
    inspect: (request) => inspectScrape(reader, request),
    read: (request) => look(reader, request),
    close: async () => undefined,
  };
}

/** Asks each page once: one that is only down is let pass. */
async function check({ config, pages, sendsCredentials }: Reader): Promise<void> {
  checkConfig(config);
  const fetched = await pages.fetch([...config.canaryUrls, ...(config.baselineUrls ?? [])]);
  for (const { target } of [...fetched.values()].flat()) refusePage(target.state, sendsCredentials);
}

/** Asks each page once, as `check` does, and says what is on it. */
async function inspectScrape(reader: Reader, request: InspectRequest): Promise<Facts> {
  const { config, arms, sendsCredentials } = reader;
  checkConfig(config);
  const { inspectPages } = await import('./inspect/index.js');
  const { modelId: model, windowSeconds: window, signals } = request;
  const baselineUrls = request.withBaseline ? config.baselineUrls : null;
  const facts = await inspectPages(
    (wanted) => reader.pagesOf(wanted).fetch([...config.canaryUrls, ...(baselineUrls ?? [])]),
    {
      canaryUrls: config.canaryUrls,
      baselineUrls,
      signals,
      canary: fillMatchers(arms.canary, { gate: request.canaryGate, model, window }),
      baseline: fillMatchers(arms.baseline, { gate: request.baselineGate, model, window }),
    },
  );
  const places = [...facts.canary.places, ...(facts.baseline?.places ?? [])];
  for (const { state } of places) refusePage(state, sendsCredentials);
  return facts;
}

function checkConfig(config: ScrapeConfig): void {
  checkUrls('canary URL', config.canaryUrls);
  checkUrls('baseline URL', config.baselineUrls ?? []);
  refuseTwice('canary URLs', config.canaryUrls);
  refuseTwice('baseline URLs', config.baselineUrls ?? []);
  // Gates always differ; which they are is known when a canary starts.
  refuseSameSeries(config, {
    canary: { gate: 'canary gate', model: 'model', window: 60 },
    baseline: { gate: 'baseline gate', model: 'model', window: 60 },
  });
}

/** Throws for what only the user can change; a page that is down may come up later. */
function refusePage(page: Target['state'], sent: boolean): void {
  if (page.state === 'ok') return;
  const { state, detail = state } = page;
  if (state === 'refused') {
    const why = sent ? 'it does not accept the credentials' : 'it wants credentials';
    throw new LukhasError('SOURCE_REFUSED', `${detail}: ${why}`, {
      suggestions: sent
        ? ['Check the environment variables that bearerEnv, basic or headersEnv of the source name.']
        : [
            'Name the environment variables that hold them, in lukhas.yaml under source: bearerEnv: METRICS_TOKEN, or basic: { usernameEnv: METRICS_USER, passwordEnv: METRICS_PASSWORD }, or headersEnv: { X-Api-Key: METRICS_KEY }, or cert: { certFile: client.pem, keyFile: client.key }.',
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
  const { config, pages } = reader;
  const { cursor: previous, lost } = storedCounters<NonNullable<Cursor>>(cursorSchema, request.cursor);
  const t = reader.now();
  const baselineUrls = request.withBaseline ? config.baselineUrls : null;
  const fetched = await pages.fetch([...config.canaryUrls, ...(baselineUrls ?? [])], request.signal);
  const lookAt = (arm: ArmName, urls: readonly string[], gate: string) => {
    const found = urls.flatMap((url) => fetched.get(url)!);
    return armLook(arm, found, previous?.[arm] ?? null, t, filledFor(reader, arm, gate, request));
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
  const notes = [...(lost === null ? [] : [lost]), ...canary.notes, ...(baseline?.notes ?? [])];
  const spans = baseline === null ? null : spanNote(canary, baseline, previous);
  if (spans !== null) notes.push(spans);
  if (notes.length > 0) observation.notes = notes;
  return { observation, cursor: { canary: canary.cursor, baseline: baseline?.cursor ?? previous?.baseline ?? null } };
}

function filledFor({ arms, signals, filled }: Reader, arm: ArmName, gate: string, request: ReadRequest): Filled {
  const { modelId: model, windowSeconds: window } = request;
  const key = JSON.stringify([arm, gate, model, window]);
  const known = filled.get(key);
  if (known) return known;
  const values = { gate, model, window };
  const made = { matchers: fillMatchers(arms[arm], values), signals: fillSignals(signals, values) };
  if (filled.size >= KEPT_FILLED) filled.clear();
  filled.set(key, made);
  return made;
}

/** One arm: those series of its pages that its labels tell from others. */
function armLook(
  arm: ArmName,
  pages: readonly FetchedPage[],
  previous: ArmCursor | null,
  at: number,
  { matchers, signals }: Filled,
): ArmLook {
  const targets = pages.map(({ target }) => ofArm(target, matchers));
  const samples = { at, targets, staleBefore: at - STALE_MS };
  const { reading, cursor, notes } = countArm(samples, previous, signals);
  const all = [...pageNotes(pages, signals), ...notes, ...skewNotes(targets, at)];
  return {
    reading: explained(reading, signals, pages, matchers),
    cursor,
    notes: [...new Set(all)].map((note) => `${arm}: ${note}`),
  };
}

/** The start of a process is that of the arm's own, where a page has several; a page of one process says it without labels. */
function ofArm({ id, state, samples }: Target, matchers: readonly Matcher[]): Target {
  const own = samples.filter(({ labels }) => fitAll(matchers, labels));
  const all = samples.filter(({ name }) => name === PROCESS_START);
  if (all.length === 1 && !own.includes(all[0]!)) own.push(all[0]!);
  const startedAt = processStart(own);
  return { id, state, samples: own, ...(startedAt === undefined ? {} : { startedAt }) };
}

function pageNotes(pages: readonly FetchedPage[], { requests, errors, histograms, drift }: Signals): string[] {
  const terms = [...(requests?.terms ?? []), ...(errors?.terms ?? [])].map(({ selector }) => selector.name);
  const counters = drift?.kind === 'categories' ? [...terms, drift.counts.name] : terms;
  const sources = [...Object.values(histograms), ...(drift?.kind === 'histogram' ? [drift.histogram] : [])];
  const names = sources.map(({ name }) => name);
  return pages.flatMap(({ facts }) => (facts === null ? [] : gaugeNotes(facts, [...new Set(counters)], names)));
}

function skewNotes(targets: readonly Target[], at: number): string[] {
  let ahead = 0;
  for (const { samples } of targets) for (const { t = at } of samples) ahead = Math.max(ahead, t - at);
  return ahead > STALE_MS ? [`clock skew: timestamps are ${Math.round(ahead / 1000)} s ahead of this clock`] : [];
}

function noScalars(names: readonly string[]): Record<string, Missing> {
  const missing: Missing = { state: 'no_source', detail: 'scraping gives no scalars: they need a Prometheus query' };
  return Object.fromEntries(names.map((name) => [name, missing]));
}

/** After an outage of one arm, its counts cover another span than the other arm's. */
function spanNote(canary: ArmLook, baseline: ArmLook, previous: Cursor): string | null {
  if (!previous?.canary || !previous.baseline) return null;
  const ofCanary = canary.cursor.at - previous.canary.at;
  const ofBaseline = baseline.cursor.at - previous.baseline.at;
  if (ofCanary === 0 || ofBaseline === 0 || Math.abs(ofCanary - ofBaseline) < 1000) return null;
  const [first, second] = [ofCanary, ofBaseline].map((span) => Math.round(span / 1000));
  return `canary counts cover ${first} s, baseline counts ${second} s`;
}
