import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Observation, Policy } from '../../../src/lib/judge/index.js';
import { judge } from '../../../src/lib/judge/report.js';
import type { Verdict } from '../../../src/lib/judge/verdict.js';
import { openPrometheus } from '../../../src/lib/metrics/prometheus/prometheus.js';
import { openScrape } from '../../../src/lib/metrics/scrape.js';
import { signalsInput } from '../../../src/lib/metrics/signals/index.js';
import type { MetricSource } from '../../../src/lib/metrics/source.js';
import { type StubPrometheus, type StubSeries, stubPrometheus } from './prometheus/stub.js';

/** How a service answers who reads its metrics. `foreign`: a page of other series. */
export type Answer = 'page' | 'refuse' | 'hang' | 'empty' | 'foreign' | '503';

/** A canary whose baseline serves on, by the second after the start. */
export interface Silent {
  answers?: (second: number) => Answer;
  /** How the baseline does; it serves unless it is said. */
  baseline?: (second: number) => Answer;
  /** When its process began at the latest, seconds; long ago unless it is said. */
  startedAt?: (second: number) => number;
  /** Whether the page says when its process began. */
  namesStart?: boolean;
  /** Requests in all that the process that began at `since` has served by then; 100 a second unless it is said. */
  served?: (second: number, since: number) => number;
}

const T = 1_790_000_000;
const LONG_AGO = -500;
const AFTER = 150;

/** Seconds between two scrapes of the Prometheus, and by how much they are late. */
export type Way = 'scrape' | { prometheus: number; late?: number };

/** The verdict over the service by a clock of its own, as its driver would come to it. */
export async function verdictOn(service: Silent, way: Way, policy: Policy): Promise<Verdict> {
  const world = await World.start(service, policy);
  const source = world.source(way);
  try {
    if (way !== 'scrape') world.fill(way.prometheus, way.late ?? 0);
    const observations: Observation[] = [];
    let cursor: unknown = null;
    for (let second = 0; second <= policy.windowSeconds + AFTER; second += policy.intervalSeconds) {
      world.second = second;
      world.stub.now = T + second;
      const request = { modelId: 'm', canaryGate: 'a', baselineGate: 'b', windowSeconds: policy.windowSeconds };
      const reading = await source.read({
        ...request,
        scalars: [],
        at: (T + second) * 1000,
        cursor,
        withBaseline: policy.baseline !== 'none',
      });
      cursor = reading.cursor ?? cursor;
      observations.push({ ...reading.observation, tick: observations.length });
      const soFar = judge(policy, T * 1000, observations);
      if (soFar.decision !== 'continue') return soFar;
    }
    return judge(policy, T * 1000, observations);
  } finally {
    await source.close();
    await world.stop();
  }
}

type Shown = [name: string, labels: Record<string, string>, value: number];
type Arm = 'canary' | 'baseline';

class World {
  second = 0;
  private constructor(
    readonly stub: StubPrometheus,
    private readonly server: Server,
    private readonly service: Silent,
    private readonly policy: Policy,
  ) {}

  static async start(service: Silent, policy: Policy): Promise<World> {
    const server = createServer((request, response) => {
      const arm = request.url === '/canary' ? 'canary' : 'baseline';
      const how = world.answer(arm, world.second);
      if (how === 'refuse') request.socket.destroy();
      if (how === 'refuse' || how === 'hang') return;
      const lines = how === 'empty' ? [] : world.shown(arm, how, world.second).map(written);
      response
        .writeHead(how === '503' ? 503 : 200, { 'content-type': 'text/plain; version=0.0.4' })
        .end(lines.join(''));
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const world = new World(await stubPrometheus(), server, service, policy);
    return world;
  }

  private answer(arm: Arm, second: number): Answer {
    const { answers = () => 'page', baseline = () => 'page' } = this.service;
    return arm === 'canary' ? answers(second) : baseline(second);
  }

  private shown(arm: Arm, how: Answer, second: number): Shown[] {
    if (how === 'foreign') return [['other_total', {}, second + 1000]];
    const { startedAt = () => LONG_AGO, namesStart = true, served = (at, since) => 100 * (at - since) } = this.service;
    const since = arm === 'canary' ? startedAt(second) : LONG_AGO;
    const requests = Math.floor(arm === 'canary' ? served(second, since) : 100 * (second - since));
    const start: Shown[] = namesStart ? [['process_start_time_seconds', {}, T + since]] : [];
    return [['requests_total', {}, requests], ['failed_total', {}, 0], ...start];
  }

  /** What a Prometheus has that scrapes every so many seconds. */
  fill(every: number, late: number): void {
    const series = new Map<string, StubSeries>();
    const add = (name: string, labels: Record<string, string>, second: number, value: number): void => {
      const metric = { __name__: name, ...labels };
      const key = JSON.stringify(metric);
      const known: StubSeries = series.get(key) ?? { metric, values: [] };
      series.set(key, known);
      known.values.push([T + second, String(value)]);
    };
    for (const arm of ['canary', 'baseline'] as const) {
      for (let second = late - 90; second <= this.policy.windowSeconds + AFTER; second += every) {
        const target = { job: 'm', instance: `${arm}:1`, arm };
        const how = this.answer(arm, second);
        const isUp = how === 'page' || how === 'empty' || how === 'foreign';
        add('up', target, second, isUp ? 1 : 0);
        if (!isUp || how === 'empty') continue;
        for (const [name, labels, value] of this.shown(arm, how, second))
          add(name, { ...target, ...labels }, second, value);
      }
    }
    this.stub.series = [...series.values()];
  }

  source(way: Way): MetricSource {
    const now = (): number => (T + this.second) * 1000;
    const signals = signalsInput.parse({ requests: 'requests_total', errors: 'failed_total' });
    if (way !== 'scrape') {
      const arms = { canary: '{arm="canary"}', baseline: '{arm="baseline"}' };
      const config = { signals, timeoutMs: 4000, url: this.stub.url, arms, queries: {}, staleSeconds: 90 };
      return openPrometheus(config, {}, { now, shareMs: 0 });
    }
    const base = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    const arms = { canary: '{}', baseline: '{}' };
    const urls = { canaryUrls: [`${base}/canary`], baselineUrls: [`${base}/baseline`] };
    return openScrape({ signals, timeoutMs: this.timeoutMs, ...urls, arms }, {}, now);
  }

  /** Short only where somebody is waited for in vain. */
  private get timeoutMs(): number {
    const { answers } = this.service;
    for (let second = 0; answers !== undefined && second < this.policy.windowSeconds; second++)
      if (answers(second) === 'hang') return 1000;
    return 4000;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await this.stub.close();
  }
}

function written([name, labels, value]: Shown): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}=${JSON.stringify(text)}`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`;
}
