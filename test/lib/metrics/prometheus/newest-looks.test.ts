import { expect } from 'chai';
import fc from 'fast-check';
import type { PrometheusAnswers } from '../../../../src/lib/metrics/prometheus/answers.js';
import { PrometheusReader } from '../../../../src/lib/metrics/prometheus/reader.js';
import { SeriesKnown, SharedAnswer } from '../../../../src/lib/metrics/prometheus/shared-answer.js';
import { cases } from '../../../cases.js';
import { xorshift } from '../../../xorshift.js';
import { BY_VERSION, NOTHING, T } from './given.js';
import { type StubSeries, selected, success } from './stub.js';

const ENDPOINT = new URL('http://prometheus/api/v1/query');
const CONFIG = {
  url: ENDPOINT.origin,
  arms: BY_VERSION,
  signals: {
    ...NOTHING,
    requests: 'r_total',
    errors: { count: 'r_total{code="500"}', absent: 'zero' as const },
    histograms: { latency: { histogram: 'took_seconds', unit: 's' as const } },
    inflight: 'busy',
  },
  queries: {},
  timeoutMs: 1000,
  staleSeconds: 60,
};
const END = 300;
const LATE = '10.0.0.3:80';

interface Service {
  seed: number;
  /** Seconds from one scrape to the next, and shares of scrapes that fail and at which a process restarts or moves. */
  every: 3 | 5 | 15;
  fails: number;
  restarts: number;
  moves: number;
  /** What tells of processes: `up`, with the labels of the arm or without, and when they began. */
  up: 'none' | 'version' | 'plain';
  starts: boolean;
  /** VictoriaMetrics writes where a series ended. */
  markers: boolean;
  /** When another process of the canary begins, whose samples may reach Prometheus late; seconds. */
  joins: number;
  lag: 0 | 20;
  looks: number[];
}

const service: fc.Arbitrary<Service> = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 31 - 2 }),
  every: fc.constantFrom(3, 5, 15),
  fails: fc.constantFrom(0, 0.1, 0.4),
  restarts: fc.constantFrom(0, 0.05, 0.2),
  moves: fc.constantFrom(0, 0.05, 0.2),
  up: fc.constantFrom('none', 'version', 'plain'),
  starts: fc.boolean(),
  markers: fc.boolean(),
  joins: fc.integer({ min: 0, max: 60 }),
  lag: fc.constantFrom(0, 20),
  looks: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 3, maxLength: 12 }),
});

/** All that a Prometheus would hold of two arms with three places, some of which both have. */
function scraped({ seed, every, fails, restarts, moves, up, starts, markers, joins }: Service): StubSeries[] {
  const random = xorshift(seed);
  for (let i = 0; i < 10; i++) random();
  const store = new Map<string, StubSeries>();
  const put = (t: number, metric: Record<string, string>, value: string): void => {
    const key = JSON.stringify(metric);
    const series = store.get(key) ?? { metric, values: [] };
    store.set(key, series);
    series.values.push([T + t + 0.1, value]);
  };
  for (const version of ['v1', 'v2']) {
    for (let slot = 0; slot < 2; slot++) {
      const isLate = version === 'v2' && slot === 1;
      let [process, began, total] = [isLate ? 3 : slot, -5000, Math.floor(random() * 1000)];
      let shown: Record<string, string>[] = [];
      for (let t = isLate ? joins : slot - 60; t <= END; t += every) {
        const place = { job: 'models', instance: `10.0.0.${process}:80` };
        const id = up === 'version' ? { ...place, version } : place;
        const failed = random() < fails;
        if (up !== 'none') put(t, { __name__: 'up', ...id, slot: String(slot) }, failed ? '0' : '1');
        const gone = failed || random() < moves;
        if (gone && markers) for (const metric of shown) put(t, metric, 'NaN');
        shown = [];
        if (gone && !failed) process = Math.floor(random() * 4);
        if (gone) continue;
        if (random() < restarts) [began, total] = [t, 0];
        total += Math.floor(random() * 40);
        const show = (metric: Record<string, string>, value: number): void => {
          const own = { ...metric, ...place, version };
          shown.push(own);
          put(t, own, String(value));
        };
        show({ __name__: 'r_total', code: '200' }, total - Math.floor(total / 10));
        if (total > 30) show({ __name__: 'r_total', code: '500' }, Math.floor(total / 10));
        show({ __name__: 'took_seconds_bucket', le: '0.1' }, Math.floor(total / 2));
        show({ __name__: 'took_seconds_bucket', le: '+Inf' }, total);
        show({ __name__: 'busy' }, Math.floor(random() * 5));
        if (starts) put(t, { __name__: 'process_start_time_seconds', ...id, slot: String(slot) }, String(T + began));
      }
    }
  }
  // Two processes may have had one place in turn.
  for (const { values } of store.values()) values.sort(([a], [b]) => a - b);
  return [...store.values()];
}

class Looks {
  private at = 0;
  private cursor: unknown = null;
  private readonly reader: PrometheusReader;
  /** How many answers were asked for in part. */
  parts = 0;

  constructor(
    private readonly store: readonly StubSeries[],
    private readonly lag: number,
    newest: boolean,
  ) {
    const known = new SeriesKnown();
    const api: PrometheusAnswers = {
      samples: async (selector, reach, _, since) => {
        const found = selected(this.store, `${selector}[${reach / 1000}s]`, T + this.at)!;
        const body = JSON.stringify(
          success(
            'matrix',
            found.flatMap((one) => this.arrived(one)),
          ).body,
        );
        const text = { ok: true, status: 200, contentType: 'application/json', body, date: null } as const;
        const shared = new SharedAnswer(text, ENDPOINT, known);
        if (!newest || since === undefined) return shared.whole();
        this.parts += 1;
        return shared.since(selector, since);
      },
      value: async () => ({ ok: true, type: 'vector', series: [], warnings: [] }),
    };
    this.reader = new PrometheusReader(CONFIG, api, () => 1000 * (T + this.at));
  }

  private arrived({ metric, values }: StubSeries): StubSeries[] {
    const lag = metric['instance'] === LATE ? this.lag : 0;
    const here = values.filter(([t]) => t <= T + this.at - lag);
    return here.length === 0 ? [] : [{ metric, values: here }];
  }

  async look(second: number) {
    this.at = second;
    const gates = { canaryGate: 'stage', baselineGate: 'production', withBaseline: true, windowSeconds: 60 };
    const request = { modelId: 'm', ...gates, at: 1000 * (T + second), cursor: this.cursor, scalars: [] };
    const reading = await this.reader.read(request);
    this.cursor = JSON.parse(JSON.stringify(reading.cursor));
    return JSON.parse(JSON.stringify(reading)) as unknown;
  }
}

describe('looks that read the newest samples', () => {
  it('tell the same as looks that read all', async () => {
    let parts = 0;
    const property = fc.asyncProperty(service, async (given) => {
      const store = scraped(given);
      const [some, all] = [new Looks(store, given.lag, true), new Looks(store, given.lag, false)];
      let at = 0;
      for (const pause of given.looks) {
        at += pause;
        if (at > END) break;
        expect(await some.look(at), `look at ${at} s`).to.deep.equal(await all.look(at));
      }
      parts += some.parts;
    });
    await fc.assert(property, { numRuns: cases(2000) });
    expect(parts).to.be.greaterThan(cases(2000));
  }).timeout(600_000);
});
