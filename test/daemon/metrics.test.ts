import { expect } from 'chai';
import { type HttpServer, startHttpServer } from '../../src/daemon/http/server.js';
import { DaemonMetrics } from '../../src/daemon/metrics.js';
import type { App } from '../../src/lib/app/app.js';
import type { Tick } from '../../src/lib/canary/advance.js';
import { Approvals } from '../../src/lib/canary/approvals.js';
import { Canaries } from '../../src/lib/canary/canaries.js';
import { timestamp } from '../../src/lib/clock.js';
import { LukhasError } from '../../src/lib/errors.js';
import type { Observation } from '../../src/lib/judge/observation.js';
import type { StoredEvent } from '../../src/lib/ledger/events.js';
import {
  drive,
  driver,
  FakeClock,
  type Place,
  place,
  SILENT,
  START,
  scripted,
  start as startCanary,
} from '../lib/canary/harness.js';
import { policy } from '../lib/judge/looks.js';

const INTERVAL_S = 10;

describe('the metrics of the daemon', () => {
  let here: Place;
  let clock: FakeClock;
  let metrics: DaemonMetrics;
  let server: HttpServer;
  let sse = { clients: 0, opened: 0, sent: 0, dropped: 0 };
  let behindSince: number | null = null;

  beforeEach(async () => {
    here = await place();
    clock = new FakeClock();
    sse = { clients: 0, opened: 0, sent: 0, dropped: 0 };
    behindSince = null;
    const { ledger } = here;
    const app = {
      clock,
      ledger,
      canaries: new Canaries(ledger, clock),
      config: { dbPath: here.path } as App['config'],
    };
    metrics = new DaemonMetrics({
      app,
      version: '1',
      routes: [],
      sse: () => sse,
      witnessBehindSince: () => behindSince,
    });
    server = await startHttpServer({ routes: [metrics.route], host: '127.0.0.1', port: 0, onError: () => undefined });
  });
  afterEach(async () => {
    await server.close(0);
    await here.close();
  });

  const read = async (name: string) => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    const line = text.split('\n').find((each) => each.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.split(' ').at(-1));
  };

  function tick(seconds: number, changes: { state?: string; kind?: string; signal?: object } = {}): Tick {
    const { state = 'RUNNING', kind = 'scrape', signal = { state: 'ok', bad: 0, total: 9 } } = changes;
    const t = START + seconds * 1000;
    const observation = { v: 1, tick: 1, t, from: t, canary: { errors: signal } } as Observation;
    const canary = {
      id: 'c-1',
      state,
      startedAt: START,
      source: { kind },
      policy: policy({ targets: { max_error_rate: 0.02 }, intervalSeconds: INTERVAL_S, windowSeconds: 300 }),
    };
    return { session: { canary }, observation, events: [] } as unknown as Tick;
  }

  it('count promotions by break-glass that nobody has reviewed, those from before the start too', async () => {
    const { ledger } = here;
    const approvals = new Approvals(ledger, clock);
    const forced = async () => {
      const asked = policy({ targets: { max_error_rate: 0.02 }, approvals: { required: 1 } });
      const { id } = await startCanary(ledger, clock, { policy: asked });
      await drive({ ...driver({ ledger, clock, source: scripted(clock, () => SILENT) }), clock }, id);
      await approvals.breakGlass(id, { who: 'ana', how: 'os-user' }, 'v1 refuses every payment');
      return id;
    };
    const told = async (from: number) => {
      const items = (await ledger.feed({ seq: from, row: 0 }, 1000)).filter((item) => item.type === 'event');
      metrics.take(items);
      return read('lukhas_breakglass_unreviewed');
    };
    const first = await forced();
    await metrics.begin();
    expect(await read('lukhas_breakglass_unreviewed')).to.equal(1);
    const size = await ledger.size();
    await forced();
    expect(await told(size)).to.equal(2);
    const before = await ledger.size();
    await approvals.review(first, { who: 'bo', how: 'os-user' }, 'it was needed');
    expect(await told(before)).to.equal(1);
  });

  it('count a look as late when it comes half an interval after it was due', async () => {
    for (const at of [0, 10, 24.9, 30]) metrics.onTick(tick(at));
    expect(await read('lukhas_ticks_late_total')).to.equal(0);
    metrics.onTick(tick(45.1));
    expect(await read('lukhas_ticks_late_total')).to.equal(1);
    // One that begins anew has no look before it; an input sets its own pace.
    metrics.onTick(tick(50, { state: 'PROMOTED' }));
    metrics.onTick(tick(290));
    metrics.onTick(tick(420, { kind: 'ndjson' }));
    expect(await read('lukhas_ticks_late_total')).to.equal(1);
  });

  it('count looks that the source failed by how, and not those in which it had nothing to say', async () => {
    for (const state of ['unreachable', 'unreachable', 'refused', 'invalid', 'absent', 'first', 'unchanged'])
      metrics.onTick(tick(0, { signal: { state } }));
    expect(await read('lukhas_source_errors_total{state="unreachable"}')).to.equal(2);
    expect(await read('lukhas_source_errors_total{state="refused"}')).to.equal(1);
    expect(await read('lukhas_source_errors_total{state="invalid"}')).to.equal(1);
  });

  it('count results of hooks from the log, whoever called them', async () => {
    const finished = (action: string, ok: boolean) => {
      const event = { kind: 'hook.finished', subject: 'c-1', ts: timestamp(START), seq: 1, v: 1, data: { action, ok } };
      metrics.take([{ type: 'event', event: event as unknown as StoredEvent, position: { seq: 1, row: 1 } }]);
    };
    finished('promote', true);
    finished('promote', true);
    finished('rollback', false);
    expect(await read('lukhas_hook_results_total{action="promote",result="ok"}')).to.equal(2);
    expect(await read('lukhas_hook_results_total{action="rollback",result="failed"}')).to.equal(1);
    expect(await read('lukhas_hook_results_total{action="rollback",result="ok"}')).to.equal(0);
  });

  it('show what others count, and only let it grow', async () => {
    sse = { clients: 7, opened: 9, sent: 1_000, dropped: 2 };
    expect(await read('lukhas_sse_clients')).to.equal(7);
    expect(await read('lukhas_sse_events_sent_total')).to.equal(1_000);
    sse = { clients: 5, opened: 9, sent: 1_010, dropped: 2 };
    expect(await read('lukhas_sse_clients')).to.equal(5);
    expect(await read('lukhas_sse_events_sent_total')).to.equal(1_010);
    expect(await read('lukhas_sse_clients_dropped_total')).to.equal(2);
    expect(await read('lukhas_sse_clients_opened_total')).to.equal(9);
  });

  it('say how long a witness has been behind', async () => {
    expect(await read('lukhas_witness_behind_seconds')).to.equal(0);
    behindSince = clock.now();
    clock.time += 7_200_000;
    expect(await read('lukhas_witness_behind_seconds')).to.equal(7_200);
  });

  it('count what was not as recorded apart from other errors', async () => {
    metrics.onError(new LukhasError('LEDGER_UNAVAILABLE', 'the disk is full'));
    metrics.onError(new LukhasError('LEDGER_CORRUPT', 'entry 7 is not as it was recorded'));
    metrics.onError(new LukhasError('VERIFICATION', 'entries are missing'));
    metrics.onError(new TypeError('a bug'));
    expect(await read('lukhas_errors_total')).to.equal(4);
    expect(await read('lukhas_verification_failures_total')).to.equal(2);
    metrics.onVerificationFailed();
    expect(await read('lukhas_verification_failures_total')).to.equal(3);
  });

  it('count exports that failed from the log, whoever asked for them, and those that it could not record', async () => {
    const by = { who: 'ana', how: 'os-user' } as const;
    const data = { by, from: null, to: null, reason: 'error', message: 'the disk is full' } as const;
    const event = { kind: 'evidence.failed', subject: 'evidence', ts: timestamp(START), seq: 1, v: 1, data };
    metrics.take([{ type: 'event', event: event as unknown as StoredEvent, position: { seq: 1, row: 1 } }]);
    expect(await read('lukhas_export_failures_total')).to.equal(1);
    metrics.onUnrecordedExport();
    expect(await read('lukhas_export_failures_total')).to.equal(2);
  });

  it('count canaries that were decided for want of metrics', async () => {
    const decided = (reason: string) => {
      const event = { kind: 'canary.decided', subject: 'c-1', ts: timestamp(START), seq: 1, v: 1 };
      const data = { verdict: { reason } };
      metrics.take([
        { type: 'event', event: { ...event, data } as unknown as StoredEvent, position: { seq: 1, row: 1 } },
      ]);
    };
    for (const reason of ['no_data', 'source_unreachable', 'inconclusive', 'certified_at_end']) decided(reason);
    expect(await read('lukhas_no_data_verdicts_total')).to.equal(2);
  });

  it('show the space on the disk of the database', async () => {
    const [free, size] = [await read('lukhas_disk_free_bytes'), await read('lukhas_disk_size_bytes')];
    expect(free).to.be.greaterThan(0);
    expect(size).to.be.at.least(free!);
  });

  for (const beforeStart of [false, true])
    it(`tell how long a canary is past its window, started ${beforeStart ? 'before' : 'after'} the daemon`, async () => {
      const { ledger } = here;
      const window = { windowSeconds: 60, maxWindowSeconds: 120, onInconclusive: 'extend', warmupSeconds: 10 } as const;
      const { id } = await startCanary(ledger, clock, {
        policy: policy({ targets: { max_error_rate: 0.02 }, ...window }),
      });
      const ts = timestamp(clock.now());
      const summaries = [
        { subject: id, type: 'canary', state: 'RUNNING', modelId: 'm', open: true, data: {} },
      ] as const;
      await ledger.commit({
        events: [{ kind: 'canary.started', subject: id, ts, data: { startedAt: START } }],
        summaries,
      });
      let seen = beforeStart ? await ledger.size() : 0;
      const follow = async () => {
        metrics.take((await ledger.feed({ seq: seen, row: 0 }, 1000)).filter((item) => item.type === 'event'));
        seen = await ledger.size();
      };
      await (beforeStart ? metrics.begin() : follow());
      const overdue = async (seconds: number) => {
        clock.time = START + seconds * 1000;
        return read('lukhas_canary_overdue_seconds');
      };
      expect(await overdue(70)).to.equal(0);
      expect(await overdue(100)).to.equal(30);
      const extended = { tick: 7, windowEndsAt: START + 130_000, reason: 'undecided at the end of the window' };
      await ledger.commit({ events: [{ kind: 'canary.extended', subject: id, ts, data: extended }], summaries });
      await follow();
      expect(await overdue(100)).to.equal(0);
      expect(await overdue(1030)).to.equal(900);
      const aborted = { by: { who: 'ana', how: 'os-user' }, reason: 'enough' } as const;
      await ledger.commit({ events: [{ kind: 'canary.aborted', subject: id, ts, data: aborted }], summaries });
      await follow();
      expect(await overdue(1030)).to.equal(0);
    });

  it('tell the age of the oldest canary that runs, and the longest time without readings', async () => {
    expect(await read('lukhas_canary_oldest_running_seconds')).to.equal(0);
    const { ledger } = here;
    const canaries = new Canaries(ledger, clock);
    const by = { who: 'ana', how: 'os-user' } as const;
    const wanted = policy({ targets: { max_error_rate: 0.02 } });
    const { id } = await canaries.start({
      modelId: 'fraud-v2',
      fromGate: 'stage',
      toGate: 'production',
      policy: wanted,
      source: { kind: 'none' },
      dryRun: false,
      by,
    });
    const ts = timestamp(clock.now());
    await ledger.commit({
      events: [
        { kind: 'canary.started', subject: id, ts, data: { startedAt: START } },
        { kind: 'fallback.engaged', subject: id, ts, data: { tick: 0, since: START, total: true, states: {} } },
      ],
      summaries: [{ subject: id, type: 'canary', state: 'RUNNING', modelId: 'fraud-v2', open: true, data: {} }],
    });
    await metrics.begin();
    clock.time += 90_000;
    expect(await read('lukhas_canary_oldest_running_seconds')).to.equal(90);
    expect(await read('lukhas_fallback_longest_seconds')).to.equal(90);
    expect(await read('lukhas_fallback_engaged_seconds_total')).to.equal(90);
    expect(await read('lukhas_canaries{state="RUNNING"}')).to.equal(1);
  });

  it('do not become more by paths and methods that somebody invents', async () => {
    for (let n = 0; n < 50; n++) metrics.onAnswered({ route: null, method: `X${n}`, status: 404 });
    expect(await read('lukhas_http_requests_total{route="none",method="other",status="404"}')).to.equal(50);
  });
});
