import { openPrometheus } from '../../../../src/lib/metrics/prometheus/prometheus.js';
import type { SignalsConfig } from '../../../../src/lib/metrics/signals/index.js';
import type { MetricSource, PrometheusConfig, Reading, ReadRequest } from '../../../../src/lib/metrics/source.js';
import { type StubPrometheus, type StubSeries, stubPrometheus } from './stub.js';

/** Seconds since the epoch at which tests begin. */
export const T = 1_790_000_000;

export const NOTHING: SignalsConfig = {
  preset: null,
  requests: null,
  errors: null,
  histograms: {},
  drift: null,
  inflight: null,
};
export const BY_VERSION = { canary: '{version="v2"}', baseline: '{version="v1"}' };

/** A canary that is looked at through a Prometheus whose samples the test gives. Times are seconds after T. */
export class Looked {
  private readonly sources: MetricSource[] = [];
  private now = T;
  private cursor: unknown = null;

  private constructor(readonly stub: StubPrometheus) {}

  static async start(): Promise<Looked> {
    return new Looked(await stubPrometheus());
  }

  open(config: Partial<PrometheusConfig>): MetricSource {
    const usual = { url: this.stub.url, arms: BY_VERSION, signals: NOTHING, queries: {}, timeoutMs: 1000 };
    const options = { now: () => this.now * 1000, random: () => 0, shareMs: 0 };
    const source = openPrometheus({ ...usual, staleSeconds: 60, ...config }, {}, options);
    this.sources.push(source);
    this.cursor = null;
    return source;
  }

  /** The source opened last. */
  get last(): MetricSource {
    return this.sources.at(-1)!;
  }

  /** Adds samples: `[second, value]`. */
  add(name: string, labels: Record<string, string>, ...samples: [second: number, value: number | string][]): void {
    const metric = { __name__: name, ...labels };
    const same = this.stub.series.find((series) => JSON.stringify(series.metric) === JSON.stringify(metric));
    const series: StubSeries = same ?? { metric, values: [] };
    if (!same) this.stub.series.push(series);
    series.values.push(...samples.map(([second, value]): [number, string] => [T + second, String(value)]));
  }

  /** Changes what is stored of the last look. */
  change(change: (cursor: unknown) => unknown): void {
    this.cursor = change(this.cursor);
  }

  async look(source: MetricSource, second: number, more: Partial<ReadRequest> = {}): Promise<Reading['observation']> {
    this.now = T + second;
    this.stub.now = T + second;
    const request = { modelId: 'm', canaryGate: 'stage', baselineGate: 'production', windowSeconds: 60 };
    const asked = { ...request, at: this.now * 1000, cursor: this.cursor, scalars: [], withBaseline: false, ...more };
    const { observation, cursor } = await source.read(asked);
    if (cursor !== null) this.cursor = JSON.parse(JSON.stringify(cursor));
    return observation;
  }

  async stop(): Promise<void> {
    for (const source of this.sources) await source.close();
    await this.stub.close();
  }
}
