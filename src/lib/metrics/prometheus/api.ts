import { Agent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Missing } from '../../judge/index.js';
import type { HttpCredentials } from '../credentials.js';
import { getText, shownUrl, type TextAnswer } from '../http.js';

interface ApiOptions {
  endpoint: URL;
  credentials: HttpCredentials;
  /** For one query with its retries, beyond what it waits for others that are answered. */
  timeoutMs: number;
  /** How long an answer serves further readers of the same query, milliseconds. */
  shareMs: number;
  /** Uniform in [0, 1); spreads the retries. */
  random: () => number;
}

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
  value?: RawSample;
  values?: RawSample[];
  /** Of native histograms, instead of `values`. */
  histograms?: [number, RawHistogram][];
}

/** `date`: what time it was at Prometheus, milliseconds since the epoch. */
export type ApiAnswer =
  | { ok: true; type: 'vector' | 'matrix'; series: ApiSeries[]; warnings: string[]; date?: number }
  | { ok: true; type: 'scalar' | 'string'; sample: RawSample; warnings: string[]; date?: number }
  /** `refusal`: what Prometheus says is wrong with the query itself. */
  | { ok: false; missing: Missing; refusal?: string };

interface Shared {
  answer: Promise<ApiAnswer>;
  stop: AbortController;
  readers: number;
  /** Monotonic milliseconds; null while in flight. */
  doneAt: number | null;
}

const SOCKETS = 16;
const RETRIES = 2;
const RETRY_MS = 150;
const MAX_MESSAGE = 300;
const NEVER = new AbortController().signal;

/**
 * Instant queries (https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries). They are evaluated at
 * the server's own time, so a clock that is off here reads the newest data all the same. Readers of the same query at
 * about the same time share one request and its parsed answer.
 */
export class PrometheusApi {
  private readonly shared = new Map<string, Shared>();
  private readonly agent: Agent;
  private sweep: NodeJS.Timeout | null = null;
  private busy = 0;
  /** When the server last answered, monotonic milliseconds. */
  private answeredAt = 0;
  private readonly queue: (() => void)[] = [];

  constructor(private readonly options: ApiOptions) {
    const { endpoint, credentials } = options;
    const { headers: _, ...tls } = credentials;
    const keep = { keepAlive: true, maxSockets: SOCKETS, maxFreeSockets: SOCKETS };
    this.agent = endpoint.protocol === 'https:' ? new TlsAgent({ ...keep, ...tls }) : new Agent(keep);
  }

  /** Rejects only with the reason of `signal`, and when closed meanwhile. */
  async query(expr: string, signal?: AbortSignal): Promise<ApiAnswer> {
    signal?.throwIfAborted();
    this.dropOld();
    const entry = this.shared.get(expr) ?? this.start(expr);
    entry.readers += 1;
    try {
      return await (signal ? untilAborted(entry.answer, signal) : entry.answer);
    } finally {
      entry.readers -= 1;
      if (entry.readers === 0 && entry.doneAt === null) this.stop(expr, entry);
    }
  }

  /** Raw samples of the last `reachMs` of what a selector names. */
  samples(selector: string, reachMs: number, signal?: AbortSignal): Promise<ApiAnswer> {
    return this.query(`${selector}[${reachMs / 1000}s]`, signal);
  }

  value(expr: string, signal?: AbortSignal): Promise<ApiAnswer> {
    return this.query(expr, signal);
  }

  /** An instant query of a time that has passed. @param at ms since the epoch */
  queryAt(expr: string, at: number, signal?: AbortSignal): Promise<ApiAnswer> {
    return this.ask(`?query=${encodeURIComponent(expr)}&time=${inSeconds(at)}`, signal ?? NEVER);
  }

  /**
   * A range query (https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries): at each step what an
   * instant query of that time gives. @param from and `to`, ms since the epoch; `stepMs` at most 11,000 times between them
   */
  queryRange(expr: string, from: number, to: number, stepMs: number, signal?: AbortSignal): Promise<ApiAnswer> {
    const steps = `start=${inSeconds(from)}&end=${inSeconds(to)}&step=${inSeconds(stepMs)}`;
    return this.ask(`_range?query=${encodeURIComponent(expr)}&${steps}`, signal ?? NEVER);
  }

  close(): void {
    if (this.sweep) clearTimeout(this.sweep);
    for (const [expr, entry] of this.shared) this.stop(expr, entry);
    this.agent.destroy();
  }

  private start(expr: string): Shared {
    const stop = new AbortController();
    const entry: Shared = {
      answer: this.ask(`?query=${encodeURIComponent(expr)}`, stop.signal),
      stop,
      readers: 0,
      doneAt: null,
    };
    const done = (): void => {
      entry.doneAt = performance.now();
      this.sweepLater();
    };
    void entry.answer.then(done, done);
    this.shared.set(expr, entry);
    return entry;
  }

  private stop(expr: string, entry: Shared): void {
    entry.stop.abort(new Error('the query of Prometheus was given up'));
    if (this.shared.get(expr) === entry) this.shared.delete(expr);
  }

  /** Parsed answers are large: the last ones before a pause must not wait for the next query. */
  private sweepLater(): void {
    if (this.sweep !== null || ![...this.shared.values()].some(({ doneAt }) => doneAt !== null)) return;
    this.sweep = setTimeout(() => {
      this.sweep = null;
      this.dropOld();
      this.sweepLater();
    }, this.options.shareMs).unref();
  }

  private dropOld(): void {
    const before = performance.now() - this.options.shareMs;
    for (const [expr, { doneAt }] of this.shared) if (doneAt !== null && doneAt <= before) this.shared.delete(expr);
  }

  /** @param rest of the address of instant queries: parameters, or the other kind of query with its own */
  private async ask(rest: string, signal: AbortSignal): Promise<ApiAnswer> {
    const url = `${this.options.endpoint.href}${rest}`;
    const began = performance.now();
    // Waiting behind others that are being answered is no fault of the server.
    const deadline = (): number => Math.max(began, this.answeredAt) + this.options.timeoutMs;
    for (let attempt = 0; ; attempt++) {
      const answer = await this.inTurn(() => this.get(url, deadline() - performance.now(), signal));
      if (answer.ok) this.answeredAt = performance.now();
      if (answer.ok || !answer.retryable || attempt === RETRIES) return readAnswer(answer, this.options.endpoint);
      const pause = RETRY_MS * 2 ** attempt * (0.5 + this.options.random());
      if (performance.now() + pause >= deadline()) return readAnswer(answer, this.options.endpoint);
      await sleep(pause, undefined, { signal });
    }
  }

  /**
   * Requests begin as connections come free, first come, first served. Time in the queue counts towards the deadline
   * when nothing is answered: a server that hangs is told of after one timeout, however many ask.
   */
  private async inTurn<T>(request: () => Promise<T>): Promise<T> {
    if (this.busy === SOCKETS) await new Promise<void>((resolve) => this.queue.push(resolve));
    else this.busy += 1;
    try {
      return await request();
    } finally {
      const next = this.queue.shift();
      if (next) next();
      else this.busy -= 1;
    }
  }

  private async get(url: string, timeoutMs: number, signal: AbortSignal): Promise<TextAnswer> {
    const { headers, ...tls } = this.options.credentials;
    if (timeoutMs <= 0) {
      const detail = `${shownUrl(url)}: no complete answer within ${this.options.timeoutMs / 1000} s`;
      return { ok: false, state: 'unreachable', detail, retryable: true };
    }
    // Answers are small and many: unpacking them would cost more than their transport.
    const all = { accept: 'application/json', 'accept-encoding': 'identity', ...headers };
    // In whole milliseconds: the failure says how long it waited.
    const wholeMs = Math.ceil(timeoutMs);
    return getText(url, {
      headers: all,
      timeoutMs: wholeMs,
      signal,
      agent: this.agent,
      tooLarge: 'select fewer series, by labels of arms and signals',
      ...tls,
    });
  }
}

function inSeconds(ms: number): string {
  return String(ms / 1000);
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function readAnswer(answer: TextAnswer, endpoint: URL): ApiAnswer {
  const where = shownUrl(endpoint.href);
  const body = parseObject(answer.body);
  if (!answer.ok) return failed(answer, body);
  if (body?.['status'] !== 'success') return notPrometheus(where, answer.contentType);
  const data = body['data'] as { resultType?: unknown; result?: unknown } | undefined;
  const result = data?.result;
  const warnings = Array.isArray(body['warnings']) ? body['warnings'].map((text) => shorten(String(text))) : [];
  const date = answer.date === null ? {} : { date: answer.date };
  switch (data?.resultType) {
    case 'vector':
    case 'matrix':
      if (!Array.isArray(result) || !result.every(isSeries)) return notPrometheus(where, answer.contentType);
      return { ok: true, type: data.resultType, series: result, warnings, ...date };
    case 'scalar':
    case 'string':
      if (!isSample(result)) return notPrometheus(where, answer.contentType);
      return { ok: true, type: data.resultType, sample: result, warnings, ...date };
    default:
      return notPrometheus(where, answer.contentType);
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

function notPrometheus(where: string, contentType: string): ApiAnswer {
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
