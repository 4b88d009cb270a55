import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { parseInput } from '../../../src/lib/input/index.js';
import type { CountSignal } from '../../../src/lib/judge/observation.js';
import { openSource } from '../../../src/lib/metrics/open.js';
import { ALL_SERIES, type SignalsConfig, signalsInput } from '../../../src/lib/metrics/signals/index.js';
import { Looked } from './prometheus/given.js';

/** One series: name, labels, total. */
type Exposed = [name: string, labels: Record<string, string>, total: number];
/** What a service that shows failures in this way exposes after so many good and bad requests. */
type Service = (good: number, bad: number) => Exposed[];

/** By the first column of the table in docs/metrics.md. A series of failures exists from the first failure. */
const SERVICES: Readonly<Record<string, Service>> = {
  'a counter of their own': (good, bad) => [
    ['requests_total', {}, good + bad],
    ['failed_total', {}, bad],
  ],
  'a label of the requests': (good, bad) => [
    ['requests_total', { status: '200' }, good],
    ...(bad === 0 ? [] : [['requests_total', { status: '500' }, bad] satisfies Exposed]),
  ],
  'a label that only failures have': (good, bad) => [
    ['requests_total', {}, good],
    ...(bad === 0 ? [] : [['requests_total', { error_type: 'timeout' }, bad] satisfies Exposed]),
  ],
  'a counter of successes': (good, bad) => [
    ['requests_total', {}, good + bad],
    ['good_total', {}, good],
  ],
  'a counter of successes and one of failures': (good, bad) => [
    ['ok_total', {}, good],
    ...(bad === 0 ? [] : [['failed_total', {}, bad] satisfies Exposed]),
  ],
};

/** Requests of each look, and what has to be counted of them. */
interface State {
  good: number;
  bad: number;
  /** Up to this look nothing has failed. */
  failsAfter?: number;
  down?: true;
}
const STATES: Readonly<Record<string, State>> = {
  healthy: { good: 495, bad: 5 },
  'without a failure yet': { good: 500, bad: 0 },
  'failing 8%': { good: 460, bad: 40 },
  'failing for the first time': { good: 460, bad: 40, failsAfter: 1 },
  dead: { good: 0, bad: 0 },
  down: { good: 500, bad: 0, down: true },
};

const LOOKS = 4;
const STEP = 10;
const ROW = /^\| (an? [^|]+?) \| (`.*`) \|$/gm;

/** Rows of the table: what shows failures, and the signals as they are written there. */
function recipes(): [string, SignalsConfig][] {
  return [...readFileSync('docs/metrics.md', 'utf8').matchAll(ROW)].map(([, what, written]) => {
    const named = [...written!.matchAll(/`(requests|errors): ([^`]+)`/g)].map(([, key, text]) => [key, text]);
    const form = { requests: 'requests_total', ...Object.fromEntries(named) };
    return [what!, parseInput(signalsInput, form, 'docs/metrics.md', 'CONFIG')];
  });
}

describe('the recipes of docs/metrics.md', () => {
  let server: Server;
  let page: () => string | null;
  let given: Looked;
  beforeEach(async () => {
    given = await Looked.start();
    server = createServer((_, response) => {
      const text = page();
      if (text === null) response.destroy();
      else response.end(text);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    await given.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('are all tried', () => {
    expect(recipes().map(([what]) => what)).to.deep.equal(Object.keys(SERVICES));
  });

  // Some failed before, unless nothing has failed yet.
  const exposed = (service: Service, { good, bad, failsAfter }: State, look: number): Exposed[] => {
    const failed = failsAfter === undefined ? (bad === 0 ? 0 : 7 + bad * look) : bad * Math.max(0, look - failsAfter);
    return service(1000 + good * look, failed);
  };

  async function scraped(signals: SignalsConfig, service: Service, state: State) {
    let [look, time] = [0, 1_700_000_000_000];
    page = () => {
      if (state.down && look > 1) return null;
      const lines = exposed(service, state, look).map(([name, labels, total]) => {
        const inner = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
        return `${name}{${inner.join(',')}} ${total}\n`;
      });
      return lines.join('');
    };
    const { port } = server.address() as AddressInfo;
    const urls = { canaryUrls: [`http://127.0.0.1:${port}/metrics`], baselineUrls: null };
    const source = await openSource(
      { kind: 'scrape', ...urls, arms: ALL_SERIES, signals, timeoutMs: 1000 },
      {},
      () => time,
    );
    const found: CountSignal[] = [];
    let cursor: unknown = null;
    for (; look < LOOKS; look++) {
      time += STEP * 1000;
      const request = { modelId: 'm', canaryGate: 'a', baselineGate: 'b', windowSeconds: 60, at: time };
      const reading = await source.read({ ...request, cursor, scalars: [], withBaseline: false });
      cursor = JSON.parse(JSON.stringify(reading.cursor));
      found.push(reading.observation.canary.errors!);
    }
    await source.close();
    return found;
  }

  async function queried(signals: SignalsConfig, service: Service, state: State) {
    const source = given.open({ signals });
    const pod = { job: 'm', instance: 'a:1', version: 'v2' };
    const found: CountSignal[] = [];
    for (let look = 0; look < LOOKS; look++) {
      const at = look * STEP;
      const isDown = state.down && look > 1;
      given.add('up', pod, [at, isDown ? 0 : 1]);
      if (!isDown)
        for (const [name, labels, total] of exposed(service, state, look))
          given.add(name, { ...pod, ...labels }, [at, total]);
      found.push((await given.look(source, at + 1)).canary.errors!);
    }
    return found;
  }

  for (const [what, signals] of recipes())
    for (const [state, expected] of Object.entries(STATES))
      for (const [adapter, look] of [
        ['scraping', scraped],
        ['Prometheus', queried],
      ] as const)
        it(`${what}: ${state}, through ${adapter}`, async () => {
          const [first, ...later] = await look(signals, SERVICES[what]!, expected);
          expect(first).to.deep.equal({ state: 'first' });
          const last = later.at(-1)!;
          if (expected.down) expect(last.state).to.be.oneOf(['unreachable', 'stale', 'unchanged']);
          else expect(last).to.deep.equal({ state: 'ok', bad: expected.bad, total: expected.good + expected.bad });
        });
});
