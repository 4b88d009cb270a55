import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { Observation } from '../../../src/lib/judge/index.js';
import { judge } from '../../../src/lib/judge/report.js';
import { openPrometheus } from '../../../src/lib/metrics/prometheus/prometheus.js';
import { openScrape } from '../../../src/lib/metrics/scrape.js';
import { signalsInput } from '../../../src/lib/metrics/signals/index.js';
import type { MetricSource } from '../../../src/lib/metrics/source.js';
import { policy } from '../judge/looks.js';
import { type StubPrometheus, type StubSeries, stubPrometheus } from './prometheus/stub.js';

type Labels = Record<string, string>;
/** Name, labels and value of one series. */
type Shown = [name: string, labels: Labels, value: number];

/** A way to say which requests failed, and what a service shows that is measured so. */
interface Recipe {
  signals: Parameters<typeof signalsInput.parse>[0];
  shows: (ok: number, failed: number) => Shown[];
}

/** As docs/metrics.md has them: a recipe that is new there is asked for here. */
const RECIPES: Record<string, Recipe> = {
  'a counter of their own': {
    signals: { requests: 'requests_total', errors: 'failed_total' },
    shows: (ok, failed) => [
      ['requests_total', {}, ok + failed],
      ['failed_total', {}, failed],
    ],
  },
  'a counter of their own that appears with the first failure': {
    signals: { requests: 'requests_total', errors: { count: 'failed_total', absent: 'zero' } },
    shows: (ok, failed) => [['requests_total', {}, ok + failed], ...some('failed_total', {}, failed)],
  },
  'a label of the requests': {
    signals: { requests: 'requests_total', errors: 'requests_total{status=~"5.."}' },
    shows: (ok, failed) => [
      ['requests_total', { status: '200' }, ok],
      ...some('requests_total', { status: '503' }, failed),
    ],
  },
  'a label that only failures have': {
    signals: { requests: 'requests_total', errors: 'requests_total{error_type!=""}' },
    shows: (ok, failed) => [['requests_total', {}, ok], ...some('requests_total', { error_type: 'timeout' }, failed)],
  },
  'a counter of successes': {
    signals: { requests: 'requests_total', errors: 'requests_total - good_total' },
    shows: (ok, failed) => [
      ['requests_total', {}, ok + failed],
      ['good_total', {}, ok],
    ],
  },
  'a counter of successes and one of failures': {
    signals: { requests: 'ok_total + failed_total', errors: 'failed_total' },
    shows: (ok, failed) => [
      ['ok_total', {}, ok],
      ['failed_total', {}, failed],
    ],
  },
};

function some(name: string, labels: Labels, value: number): Shown[] {
  return value > 0 ? [[name, labels, value]] : [];
}

const T = 1_790_000_000;
const POLICY = policy({ windowSeconds: 60, intervalSeconds: 5, noDataSeconds: 20, targets: { max_error_rate: 0.02 } });
const REQUESTS_PER_SECOND = 100;

/** How the canary fares: share of failures, and how it answers who reads its page. */
const FATES = {
  healthy: { failing: 0.005, answers: 'page', decision: 'promote' },
  'without a failure yet': { failing: 0, answers: 'page', decision: 'promote' },
  'failing 8%': { failing: 0.08, answers: 'page', decision: 'rollback' },
  dead: { failing: 0, answers: 'nothing', decision: 'no promotion' },
  down: { failing: 0, answers: '503', decision: 'no promotion' },
} as const;
type Fate = (typeof FATES)[keyof typeof FATES];

/** A canary and its baseline, read at any second, by page or through Prometheus. It fares well for the first seconds. */
class World {
  second = 0;
  private constructor(
    readonly stub: StubPrometheus,
    private readonly server: Server,
    private readonly recipe: Recipe,
    private readonly fate: Fate,
  ) {}

  static async start(recipe: Recipe, fate: Fate): Promise<World> {
    const server = createServer((request, response) => {
      const arm = request.url === '/canary' ? 'canary' : 'baseline';
      const how = arm === 'canary' && world.isStruck(world.second) ? fate.answers : 'page';
      if (how === 'nothing') {
        request.socket.destroy();
        return;
      }
      const lines = world.shown(arm, world.second).map(([name, labels, value]) => {
        const pairs = Object.entries(labels).map(([label, text]) => `${label}=${JSON.stringify(text)}`);
        return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`;
      });
      response
        .writeHead(how === 'page' ? 200 : 503, { 'content-type': 'text/plain; version=0.0.4' })
        .end(lines.join(''));
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const world = new World(await stubPrometheus(), server, recipe, fate);
    return world;
  }

  /** Ten seconds after the start it is as its fate is, if that is not to answer. */
  private isStruck(second: number): boolean {
    return this.fate.answers !== 'page' && second >= 10;
  }

  private shown(arm: string, second: number): Shown[] {
    const served = (second + 200) * REQUESTS_PER_SECOND;
    const failed = arm === 'canary' ? Math.round(Math.max(0, second) * REQUESTS_PER_SECOND * this.fate.failing) : 0;
    return [...this.recipe.shows(served - failed, failed), ['process_start_time_seconds', {}, T - 500]];
  }

  /** What a Prometheus has that scrapes once a second. */
  fill(until: number): void {
    const series = new Map<string, StubSeries>();
    const add = (name: string, labels: Labels, second: number, value: number): void => {
      const metric = { __name__: name, ...labels };
      const key = JSON.stringify(metric);
      const known: StubSeries = series.get(key) ?? { metric, values: [] };
      series.set(key, known);
      known.values.push([T + second, String(value)]);
    };
    for (const arm of ['canary', 'baseline']) {
      for (let second = -60; second <= until; second++) {
        const target = { job: 'm', instance: `${arm}:1`, arm };
        const isDown = arm === 'canary' && this.isStruck(second);
        add('up', target, second, isDown ? 0 : 1);
        if (isDown) continue;
        for (const [name, labels, value] of this.shown(arm, second)) add(name, { ...target, ...labels }, second, value);
      }
    }
    this.stub.series = [...series.values()];
  }

  source(way: string): MetricSource {
    const now = (): number => (T + this.second) * 1000;
    const signals = signalsInput.parse(this.recipe.signals);
    const usual = { signals, timeoutMs: 2000 };
    if (way === 'prometheus') {
      const arms = { canary: '{arm="canary"}', baseline: '{arm="baseline"}' };
      const config = { ...usual, url: this.stub.url, arms, queries: {}, staleSeconds: 90 };
      return openPrometheus(config, {}, { now, shareMs: 0 });
    }
    const base = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    const arms = { canary: '{}', baseline: '{}' };
    return openScrape({ ...usual, canaryUrls: [`${base}/canary`], baselineUrls: [`${base}/baseline`], arms }, {}, now);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await this.stub.close();
  }
}

async function verdictOf(recipe: Recipe, fate: Fate, way: string) {
  const world = await World.start(recipe, fate);
  const source = world.source(way);
  try {
    world.fill(70);
    const observations: Observation[] = [];
    let cursor: unknown = null;
    for (let second = 0; second <= 60; second += 5) {
      world.second = second;
      world.stub.now = T + second;
      const request = { modelId: 'm', canaryGate: 'a', baselineGate: 'b', windowSeconds: 60, scalars: [] };
      const reading = await source.read({ ...request, at: (T + second) * 1000, cursor, withBaseline: true });
      cursor = reading.cursor ?? cursor;
      observations.push({ ...reading.observation, tick: observations.length });
    }
    return judge(POLICY, T * 1000, observations);
  } finally {
    await source.close();
    await world.stop();
  }
}

describe('every recipe for failures', () => {
  it('is one of docs/metrics.md', () => {
    const page = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');
    const [, table = ''] = page.split('| failures are shown by | write |');
    const rows = [...table.split('\n\n')[0]!.matchAll(/^\| ([^|]+) \| `/gm)].map(([, name]) => name!);
    expect(rows.length).to.be.above(3);
    expect(Object.keys(RECIPES)).to.include.members(rows);
  });

  for (const [name, recipe] of Object.entries(RECIPES)) {
    for (const way of ['scrape', 'prometheus']) {
      for (const [fate, given] of Object.entries(FATES)) {
        it(`${name}, by ${way}: ${fate}`, async () => {
          const verdict = await verdictOf(recipe, given, way);
          const shown = JSON.stringify({ ...verdict, evidence: null, objectives: null });
          if (given.decision === 'no promotion') expect(verdict.decision, shown).not.to.equal('promote');
          else expect(verdict, shown).to.include({ decision: given.decision, certainty: 'certified' });
        });
      }
    }
  }
});
