import { LukhasError } from '../../errors.js';
import type { Missing } from '../../judge/index.js';
import type { PrometheusConfig } from '../source.js';
import type { PrometheusAnswers } from './answers.js';
import type { PrometheusApi } from './api.js';
import { History } from './history.js';
import type { ApiAnswer } from './parse.js';
import { longestReach } from './reader.js';

/** When looks are taken, ms since the epoch: from the first, every `stepMs`, and at some times in between. */
export interface PastSpan {
  from: number;
  /** Nothing later is read. */
  to: number;
  stepMs: number;
}

/** What was read of a Prometheus, for whoever has to judge how good it was. Deterministic: no address, no time of reading. */
export interface PastAccount {
  selectors: string[];
  expressions: string[];
  series: number;
  /** Raw samples within the range that looks can see, each once. */
  samples: number;
  /** The most frequent time between two samples of a series, seconds; null without two samples. */
  spacingSeconds: number | null;
  warnings: string[];
}

/** Prometheus refuses range queries of more points (https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries); half of them is an answer of a good size. */
const POINTS = 5500;

/**
 * Answers looks at the past as a Prometheus would have at that time: raw samples up to then, and expressions evaluated
 * then. Both are fetched in large pieces, ahead of the looks, which come in rising order.
 */
export class PrometheusPast implements PrometheusAnswers {
  /** The time of the look, ms since the epoch. */
  at: number;
  private readonly histories = new Map<string, History>();
  private readonly values = new Map<string, Values>();

  constructor(
    private readonly api: PrometheusApi,
    private readonly config: PrometheusConfig,
    private readonly span: PastSpan,
  ) {
    this.at = span.from;
  }

  /** @throws LukhasError SOURCE_REFUSED, SOURCE_UNREACHABLE, SOURCE_INVALID: it is the reading that failed, not the canary */
  async samples(selector: string, reachMs: number, signal?: AbortSignal): Promise<ApiAnswer> {
    const { api, config, span } = this;
    const known = this.histories.get(selector) ?? new History(api, selector, { ...span, reach: longestReach(config) });
    this.histories.set(selector, known);
    const failed = await known.fetchUntil(this.at, signal);
    if (failed !== null) throw readingFailed(failed);
    return { ok: true, type: 'matrix', series: known.within(this.at - reachMs, this.at), warnings: [] };
  }

  async value(expr: string, signal?: AbortSignal): Promise<ApiAnswer> {
    const known = this.values.get(expr) ?? new Values(this.api, expr, this.span);
    this.values.set(expr, known);
    const answer = await known.at(this.at, signal);
    // What Prometheus says against the expression it would have said then; that it is away now it would not.
    if (!answer.ok && answer.missing.state !== 'invalid') throw readingFailed(answer.missing);
    return answer;
  }

  account(): PastAccount {
    const histories = [...this.histories.values()];
    const spacings = new Map<number, number>();
    for (const { gaps } of histories) for (const [ms, n] of gaps) spacings.set(ms, (spacings.get(ms) ?? 0) + n);
    const [usual] = [...spacings].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
    const warnings = [...histories, ...this.values.values()].flatMap((each) => [...each.warnings]);
    return {
      selectors: [...this.histories.keys()].sort(),
      expressions: [...this.values.keys()].sort(),
      series: histories.reduce((all, { seriesSeen }) => all + seriesSeen.size, 0),
      samples: histories.reduce((all, { samples }) => all + samples, 0),
      spacingSeconds: usual === undefined ? null : usual[0] / 1000,
      warnings: [...new Set(warnings)].sort(),
    };
  }
}

/** An expression's values on the grid of looks, by range queries. */
class Values {
  readonly warnings = new Set<string>();
  private byTime = new Map<number, ApiAnswer>();
  private until: number;
  /** A range query fails whole where a single look would: from then on each look asks for itself. */
  private single: boolean;

  constructor(
    private readonly api: PrometheusApi,
    private readonly expr: string,
    private readonly span: PastSpan,
  ) {
    this.until = span.from - 1;
    this.single = !Number.isInteger(span.stepMs);
  }

  async at(at: number, signal?: AbortSignal): Promise<ApiAnswer> {
    const { from, stepMs } = this.span;
    if (!this.single && (at - from) % stepMs === 0) {
      while (at > this.until && !this.single) await this.fetchMore(signal);
      if (!this.single) return this.byTime.get(at) ?? { ok: true, type: 'vector', series: [], warnings: [] };
    }
    const answer = await this.api.queryAt(this.expr, at, signal);
    if (answer.ok) for (const text of answer.warnings) this.warnings.add(text);
    return answer.ok ? { ...answer, warnings: [] } : answer;
  }

  private async fetchMore(signal?: AbortSignal): Promise<void> {
    const { from, to, stepMs } = this.span;
    const first = from + Math.ceil((this.until + 1 - from) / stepMs) * stepMs;
    const last = Math.min(to, first + POINTS * stepMs);
    const answer = await this.api.queryRange(this.expr, first, last, stepMs, signal);
    if (!answer.ok || answer.type !== 'matrix') {
      if (!answer.ok && answer.missing.state !== 'invalid') throw readingFailed(answer.missing);
      this.single = true;
      return;
    }
    for (const text of answer.warnings) this.warnings.add(text);
    this.byTime = new Map();
    this.until = last;
    for (const { metric, values = [] } of answer.series) {
      for (const value of values) {
        const at = Math.round(value[0] * 1000);
        const here = this.byTime.get(at);
        const one = { metric, value };
        if (here?.ok && here.type === 'vector') here.series.push(one);
        else this.byTime.set(at, { ok: true, type: 'vector', series: [one], warnings: [] });
      }
    }
  }
}

function readingFailed({ state, detail }: Missing): LukhasError {
  const why = `nothing was judged, as the past could not be read from Prometheus: ${detail ?? state}`;
  if (state === 'refused')
    return new LukhasError('SOURCE_REFUSED', why, { suggestions: ['Check PROM_BEARER or PROM_USERNAME.'] });
  if (state === 'unreachable')
    return new LukhasError('SOURCE_UNREACHABLE', why, {
      suggestions: ['Check --prom-url or PROM_URL, and try again.'],
    });
  return new LukhasError('SOURCE_INVALID', why);
}
