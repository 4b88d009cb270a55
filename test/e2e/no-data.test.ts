import { expect } from 'chai';
import type { Verdict } from '../../src/lib/judge/verdict.js';
import {
  type Reply,
  type StubPrometheus,
  type StubSeries,
  stubPrometheus,
  vector,
} from '../lib/metrics/prometheus/stub.js';
import { canaryId, expectNoInsides, firstLine, type Run, Workspace } from './lukhas.js';
import { type Counters, counting, exposition, type Page, serve } from './metrics-page.js';
import { observations } from './observations.js';

const POLICY = `
windowSeconds: 6
intervalSeconds: 1
noDataSeconds: 2
targets: { latency_p95_ms: 250, max_error_rate: 0.02 }
`;
const START = ['canary', 'start', '--model', 'm2', '--from', 'stage', '--to', 'production', '--policy', 'policy.yaml'];
const PER_SECOND = 400;
/** Enough for the preflight check and a few checks of a page. */
const ANSWERS = 5;
/** The same of a Prometheus: it is asked what it has of both versions, and twice whether it is one. */
const QUERIES = 10;

/** A canary that is running, and what its measurements come from. */
interface Started {
  workspace: Workspace;
  finished: Promise<Run>;
}

interface Expected {
  code: number;
  reason: string;
  /** What stands on stdout after `why`. */
  why: RegExp;
  /** What the log says of the missing signals. */
  state: RegExp;
}

describe('a canary without measurements is never promoted', () => {
  const cleanups: (() => Promise<void>)[] = [];
  const pages: Page[] = [];

  after(async () => {
    await Promise.all(cleanups.splice(0).map((cleanup) => cleanup()));
  });

  function start(args: readonly string[], input?: string): Started {
    const workspace = new Workspace();
    cleanups.push(() => workspace.remove());
    workspace.file('policy.yaml', POLICY);
    const finished = workspace.run([...START, ...args], input === undefined ? {} : { input });
    return { workspace, finished };
  }

  async function page(answer: Page['answer']): Promise<Page> {
    const opened = await serve(answer);
    pages.push(opened);
    cleanups.push(() => opened.close());
    return opened;
  }

  async function prometheus(): Promise<StubPrometheus> {
    const stub = await stubPrometheus();
    stub.answer = access;
    cleanups.push(() => stub.close());
    return stub;
  }

  async function blocked({ workspace, finished }: Started, expected: Expected): Promise<Run> {
    const run = await finished;
    expect(run.code, run.stdout + run.stderr).to.equal(expected.code);
    expectNoInsides(run);
    const [outcome = '', cause = ''] = run.stdout.split('\n');
    expect(outcome).to.match(/^BLOCKED {2}m2 {2}stage → production {2,}after /);
    expect(cause.trim()).to.match(expected.why);
    expect(run.stdout).to.match(/^ {2}next: [A-Z]/m);
    const id = canaryId(run);
    const [status, gates, verified] = await Promise.all([
      workspace.json(['canary', 'status', id]),
      workspace.json(['gate', 'list']),
      workspace.run(['verify']),
    ]);
    expect(status).to.include({ status: 'BLOCKED', exit: expected.code });
    expect((status['verdict'] as Verdict).reason).to.equal(expected.reason);
    expect(gates).to.deep.equal({ gates: [] });
    expect(verified.code, verified.stdout).to.equal(0);
    const events = await workspace.events(id);
    expect(events.map((event) => event.kind)).to.deep.equal([
      'canary.requested',
      'canary.started',
      'fallback.engaged',
      'canary.decided',
    ]);
    const engaged = events.find((event) => event.kind === 'fallback.engaged');
    expect(Object.values(engaged!.data.states).join('; ')).to.match(expected.state);
    return run;
  }

  describe('read from the service', () => {
    const cases: Record<string, { open: () => Promise<Started>; expected: Expected }> = {
      'that was never up': {
        open: async () => {
          const gone = await page(() => undefined);
          await gone.close();
          return start(['--canary-url', gone.url, '--allow-missing']);
        },
        expected: {
          code: 6,
          reason: 'source_unreachable',
          why: /^the metrics source was unreachable for 2\S* s \(.*connection refused/,
          state: /^unreachable: .*connection refused/,
        },
      },
      'that goes away': {
        open: async () => {
          const service = await page(counting(PER_SECOND));
          const started = start(['--canary-url', service.url]);
          void closeAfterLooks(service, ANSWERS);
          return started;
        },
        expected: {
          code: 6,
          reason: 'source_unreachable',
          why: /^the metrics source was unreachable for [23]\S* s \(.*connection refused/,
          state: /^unreachable: /,
        },
      },
      'that wants a password half-way': {
        open: async () => {
          const counted = counting(PER_SECOND);
          let seen = 0;
          const service = await page((request, response) => {
            seen += 1;
            if (seen > ANSWERS) response.writeHead(401).end();
            else counted(request, response);
          });
          return start(['--canary-url', service.url]);
        },
        expected: {
          code: 6,
          reason: 'source_unreachable',
          why: /answered 401/,
          state: /^refused: .*answered 401/,
        },
      },
      'that has no such series': {
        open: async () => start(['--canary-url', (await page(text(() => 'up 1\n'))).url]),
        expected: {
          code: 4,
          reason: 'no_data',
          why: /^no metrics for 2\S* s \(.*absent: no series model_/,
          state: /absent: no series model_requests_total/,
        },
      },
      'whose counters are NaN': {
        open: async () => {
          const counters = (c: Counters) => exposition(c).replaceAll(/(_total|"}|_count) \d+/g, '$1 NaN');
          return start(['--canary-url', (await page(counting(PER_SECOND, 0, counters))).url]);
        },
        expected: {
          code: 4,
          reason: 'no_data',
          why: /^no metrics for 2\S* s \(.*invalid: model_\w+\S* is NaN/,
          state: /invalid: model_\w+\S* is NaN/,
        },
      },
      'whose samples are ten minutes old': {
        open: async () => {
          const old = (c: Counters) => exposition(c, Date.now() - 600_000);
          return start(['--canary-url', (await page(counting(PER_SECOND, 0, old))).url]);
        },
        expected: {
          code: 4,
          reason: 'no_data',
          why: /^no metrics for 2\S* s \(.*stale: newest sample of model_\w+ is 60\d s old/,
          state: /stale: newest sample/,
        },
      },
    };
    const started = new Map<string, Started>();

    before(async () => {
      for (const [name, { open }] of Object.entries(cases)) started.set(name, await open());
    });
    for (const [name, { expected }] of Object.entries(cases))
      it(`${name}: ${expected.code}`, async () => {
        await blocked(started.get(name)!, expected);
      });
  });

  describe('read through Prometheus', () => {
    const cases: Record<string, { open: () => Promise<Started>; expected: Expected }> = {
      'that was never up': {
        open: async () => {
          const stub = await stubPrometheus();
          await stub.close();
          return start(['--prom-url', stub.url, '--allow-missing']);
        },
        expected: {
          code: 6,
          reason: 'source_unreachable',
          why: /^the metrics source was unreachable .*connection refused/,
          state: /^unreachable: .*connection refused/,
        },
      },
      'that goes away': {
        open: async () => {
          const stub = await prometheus();
          count(stub);
          closeAfterQueries(stub);
          return start(['--prom-url', stub.url]);
        },
        expected: {
          code: 6,
          reason: 'source_unreachable',
          why: /^the metrics source was unreachable /,
          state: /^unreachable: /,
        },
      },
      'that refuses us half-way': {
        open: async () => {
          const stub = await prometheus();
          const counted = count(stub);
          stub.answer = (query, nth) => (nth > QUERIES ? { status: 401, body: 'no' } : counted(query));
          return start(['--prom-url', stub.url]);
        },
        expected: { code: 6, reason: 'source_unreachable', why: /answered 401/, state: /^refused: .*answered 401/ },
      },
      'that has no such series': {
        open: async () => start(['--prom-url', (await prometheus()).url]),
        expected: {
          code: 4,
          reason: 'no_data',
          why: /^no metrics for 2\S* s \(.*absent: no series .*gate="stage"/,
          state: /absent: no series model_requests_total/,
        },
      },
      'whose samples are NaN': {
        open: async () => {
          const stub = await prometheus();
          count(stub, { value: () => 'NaN' });
          return start(['--prom-url', stub.url]);
        },
        expected: { code: 4, reason: 'no_data', why: /^no metrics for .*NaN/, state: /invalid: .*NaN/ },
      },
      'whose samples are ten minutes old': {
        open: async () => {
          const stub = await prometheus();
          count(stub, { behindSeconds: 600 });
          return start(['--prom-url', stub.url]);
        },
        expected: {
          code: 4,
          reason: 'no_data',
          why: /^no metrics for .*stale: newest sample of .* is 60\d s old/,
          state: /stale: newest sample/,
        },
      },
    };
    const started = new Map<string, Started>();

    before(async () => {
      for (const [name, { open }] of Object.entries(cases)) started.set(name, await open());
    });
    for (const [name, { expected }] of Object.entries(cases))
      it(`${name}: ${expected.code}`, async () => {
        await blocked(started.get(name)!, expected);
      });

    it('that refuses us from the start: 6, and nothing is started', async () => {
      const stub = await prometheus();
      stub.answer = () => ({ status: 401, body: 'no' });
      const { workspace, finished } = start(['--prom-url', stub.url]);
      const run = await finished;
      expect(run.code).to.equal(6);
      expect(firstLine(run)).to.match(/^lukhas: .*401/);
      expect(run.stderr).to.contain('PROM_BEARER');
      expect(run.stdout).to.equal('');
      expect(await workspace.events()).to.deep.equal([]);
    });
  });

  it('from a source that was never up: 6, and nothing is started', async () => {
    for (const flag of ['--canary-url', '--prom-url']) {
      const { workspace, finished } = start([flag, 'http://127.0.0.1:1/']);
      const run = await finished;
      expect(run.code).to.equal(6);
      expect(firstLine(run)).to.match(/^lukhas: nothing answers: .*connection refused/);
      expect(run.stderr).to.contain('--allow-missing');
      expectNoInsides(run);
      expect(await workspace.events()).to.deep.equal([]);
    }
  });

  it('no source at all: 4 at once, and what to do', async () => {
    const started = start([]);
    const run = await blocked(started, {
      code: 4,
      reason: 'no_source',
      why: /^no metrics source is configured$/,
      state: /^no_source/,
    });
    const { verdict } = await started.workspace.json(['canary', 'status', canaryId(run)]);
    expect((verdict as Verdict).elapsedSeconds).to.equal(0);
    expect(run.stdout).to.match(/next: .*PROM_URL.*--canary-url URL.*--input FILE/);
  });

  it('observations that end before there is any: 4', async () => {
    await blocked(start(['--source', 'ndjson', '--input', '-'], observations(0)), {
      code: 4,
      reason: 'no_data',
      why: /^the input ended before its first measurement$/,
      state: /^ended/,
    });
  });

  it('observations that end early: 4', async () => {
    const { workspace, finished } = start(['--source', 'ndjson', '--input', '-'], observations(3));
    const run = await finished;
    expect(run.code, run.stdout + run.stderr).to.equal(4);
    expect(run.stdout).to.match(/^ {2}the input ended after 3 s: readings cover only 50% of the window$/m);
    expect(run.stdout).to.match(/^ {2}next: .*whole window/m);
    const status = await workspace.json(['canary', 'status', canaryId(run)]);
    expect(status).to.include({ status: 'BLOCKED', exit: 4 });
    expect(await workspace.json(['gate', 'list'])).to.deep.equal({ gates: [] });
  });

  it('but a service that restarts in between is', async () => {
    let asked = 0;
    let restarted = Number.POSITIVE_INFINITY;
    const restarting = (c: Counters) => {
      const now = Date.now();
      // By then, there have been the preflight check and three more.
      asked += 1;
      if (asked === 4) restarted = now;
      // It has served for long: a young one is soon where it was before, like two processes that answer in turn.
      if (now < restarted) return exposition({ ...c, requests: c.requests + 100_000 });
      return exposition({ requests: Math.floor(((now - restarted) / 1000) * PER_SECOND), errors: 0 });
    };
    const service = await page(counting(PER_SECOND, 0, restarting));
    // Long enough that a check which a slow machine misses leaves enough of the window covered.
    const { workspace, finished } = start(['--canary-url', service.url, '--window', '15s']);
    const run = await finished;
    expect(run.code, run.stdout + run.stderr).to.equal(0);
    const status = await workspace.json(['canary', 'status', canaryId(run)]);
    expect(status['status']).to.equal('PROMOTED');
    expect((status['verdict'] as Verdict).ticks.resets).to.be.at.least(1);
    const { gates } = await workspace.json(['gate', 'list']);
    expect(gates).to.have.length(1);
    expect((gates as object[])[0]).to.include({ gate: 'production', modelId: 'm2' });
  });
});

function text(body: () => string): Page['answer'] {
  return (_, response) => {
    response.setHeader('content-type', 'text/plain').end(body());
  };
}

/** Answers so many looks, then refuses connections. */
function closeAfterLooks(service: Page, looks: number): Promise<void> {
  const { answer } = service;
  let seen = 0;
  return new Promise((resolve) => {
    service.answer = (request, response) => {
      seen += 1;
      if (seen >= looks) response.once('finish', () => void service.close().then(resolve));
      answer(request, response);
    };
  });
}

/** The same for Prometheus. */
function closeAfterQueries(stub: StubPrometheus): void {
  const { answer } = stub;
  stub.answer = (query, nth) => {
    if (nth > QUERIES) setImmediate(() => void stub.close());
    return answer(query, nth);
  };
}

/** The question that tells whether it is a Prometheus at all. */
function access(query: string): Reply | undefined {
  return query === 'vector(1)' ? vector('1') : undefined;
}

/** Has the stub hold growing counters of both gates, with a sample a second. */
function count(
  stub: StubPrometheus,
  { value = String, behindSeconds = 0 }: { value?: (n: number) => string; behindSeconds?: number } = {},
): (query: string) => Reply | undefined {
  const began = Math.floor(Date.now() / 1000);
  const answer = (query: string): Reply | undefined => {
    const now = Math.floor(Date.now() / 1000);
    const seconds = Array.from({ length: now - began + 30 }, (_, i) => began - 29 + i);
    const counter = (name: string, gate: string, rate: number, labels = {}): StubSeries => ({
      metric: { __name__: name, gate, ...labels },
      values: seconds.map((s) => [s - behindSeconds, value((s - began + 100) * rate)]),
    });
    stub.series = ['stage', 'production'].flatMap((gate) => [
      counter('model_requests_total', gate, PER_SECOND),
      counter('model_errors_total', gate, 0),
      ...['0.05', '0.25', '1', '+Inf'].map((le) => counter('model_latency_bucket', gate, PER_SECOND, { le })),
      counter('model_latency_count', gate, PER_SECOND),
    ]);
    return access(query);
  };
  stub.answer = answer;
  return answer;
}
