import { Agent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpCredentials } from '../credentials.js';
import { getText, shownUrl, type TextAnswer } from '../http.js';
import { type ApiAnswer, readAnswer } from './parse.js';
import { SeriesKnown, SharedAnswer } from './shared-answer.js';

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

interface Shared {
  answer: Promise<SharedAnswer>;
  stop: AbortController;
  readers: number;
  /** Monotonic milliseconds; null while in flight. */
  doneAt: number | null;
}

const SOCKETS = 16;
const RETRIES = 2;
const RETRY_MS = 150;
const NEVER = new AbortController().signal;

/**
 * Instant queries (https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries). They are evaluated at
 * the server's own time, so a clock that is off here reads the newest data all the same. Readers of the same query at
 * about the same time share one request and its parsed answer.
 */
export class PrometheusApi {
  private readonly shared = new Map<string, Shared>();
  private readonly known = new SeriesKnown();
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
    return (await this.answerTo(expr, signal)).whole();
  }

  /** Raw samples of the last `reachMs` of what a selector names. @param since as `PrometheusAnswers.samples` */
  async samples(selector: string, reachMs: number, signal?: AbortSignal, since?: number): Promise<ApiAnswer> {
    const answer = await this.answerTo(`${selector}[${reachMs / 1000}s]`, signal);
    return since === undefined ? answer.whole() : answer.since(selector, since);
  }

  private async answerTo(expr: string, signal?: AbortSignal): Promise<SharedAnswer> {
    signal?.throwIfAborted();
    const known = this.shared.get(expr);
    const entry = known === undefined || this.isOld(known) ? this.start(expr) : known;
    entry.readers += 1;
    try {
      return await (signal ? untilAborted(entry.answer, signal) : entry.answer);
    } finally {
      entry.readers -= 1;
      if (entry.readers === 0 && entry.doneAt === null) this.stop(expr, entry);
    }
  }

  value(expr: string, signal?: AbortSignal): Promise<ApiAnswer> {
    return this.query(expr, signal);
  }

  /** An instant query of a time that has passed. @param at ms since the epoch */
  async queryAt(expr: string, at: number, signal?: AbortSignal): Promise<ApiAnswer> {
    return this.read(`?query=${encodeURIComponent(expr)}&time=${inSeconds(at)}`, signal ?? NEVER);
  }

  /**
   * A range query (https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries): at each step what an
   * instant query of that time gives. @param from and `to`, ms since the epoch; `stepMs` at most 11,000 times between them
   */
  queryRange(expr: string, from: number, to: number, stepMs: number, signal?: AbortSignal): Promise<ApiAnswer> {
    const steps = `start=${inSeconds(from)}&end=${inSeconds(to)}&step=${inSeconds(stepMs)}`;
    return this.read(`_range?query=${encodeURIComponent(expr)}&${steps}`, signal ?? NEVER);
  }

  private async read(rest: string, signal: AbortSignal): Promise<ApiAnswer> {
    return readAnswer(await this.ask(rest, signal), this.options.endpoint);
  }

  close(): void {
    if (this.sweep) clearTimeout(this.sweep);
    for (const [expr, entry] of this.shared) this.stop(expr, entry);
    this.agent.destroy();
  }

  private start(expr: string): Shared {
    const stop = new AbortController();
    const entry: Shared = {
      answer: this.ask(`?query=${encodeURIComponent(expr)}`, stop.signal).then(
        (answer) => new SharedAnswer(answer, this.options.endpoint, this.known),
      ),
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
    for (const [expr, entry] of this.shared) if (this.isOld(entry)) this.shared.delete(expr);
  }

  private isOld({ doneAt }: Shared): boolean {
    return doneAt !== null && doneAt <= performance.now() - this.options.shareMs;
  }

  /** @param rest of the address of instant queries: parameters, or the other kind of query with its own */
  private async ask(rest: string, signal: AbortSignal): Promise<TextAnswer> {
    const url = `${this.options.endpoint.href}${rest}`;
    const began = performance.now();
    // Waiting behind others that are being answered is no fault of the server.
    const deadline = (): number => Math.max(began, this.answeredAt) + this.options.timeoutMs;
    for (let attempt = 0; ; attempt++) {
      const answer = await this.inTurn(() => this.get(url, deadline() - performance.now(), signal));
      if (answer.ok) this.answeredAt = performance.now();
      if (answer.ok || !answer.retryable || attempt === RETRIES) return answer;
      const pause = RETRY_MS * 2 ** attempt * (0.5 + this.options.random());
      if (performance.now() + pause >= deadline()) return answer;
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
