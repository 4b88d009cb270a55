import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AdvanceContext, advance } from '../../../src/lib/canary/advance.js';
import { Canaries } from '../../../src/lib/canary/canaries.js';
import { LukhasError } from '../../../src/lib/errors.js';
import type { HooksConfig } from '../../../src/lib/gates/hook.js';
import { setGate } from '../../../src/lib/gates/registry.js';
import type { CountSignal } from '../../../src/lib/judge/observation.js';
import { openNone } from '../../../src/lib/metrics/none.js';
import { DEFAULT_SIGNALS } from '../../../src/lib/metrics/signals/index.js';
import type { MetricSource, SourceDescriptor } from '../../../src/lib/metrics/source.js';
import {
  ACTOR,
  BAD,
  drive,
  driver,
  errors,
  FakeClock,
  type Found,
  HEALTHY,
  NO_HOOKS,
  type Place,
  place,
  SILENT,
  scripted,
} from '../canary/harness.js';
import { policy } from '../judge/looks.js';

const ERRORS = { name: 'slo', targets: { max_error_rate: 0.02 }, noDataSeconds: 20 };

const SCRAPED: SourceDescriptor = {
  kind: 'scrape',
  canaryUrls: ['http://127.0.0.1:9101/metrics'],
  baselineUrls: ['http://127.0.0.1:9102/metrics'],
  arms: { canary: '{version="v2"}', baseline: '{}' },
  signals: DEFAULT_SIGNALS,
  timeoutMs: 4000,
};

/** One canary from its request to its end, driven by the real state machine at times of a fake clock. */
export class Story {
  readonly clock = new FakeClock();
  readonly canaries: Canaries;
  id = '';
  private drivers = 0;

  private constructor(
    readonly at: Place,
    private readonly receiver: Receiver,
  ) {
    this.canaries = new Canaries(at.ledger, this.clock);
  }

  static async begin(): Promise<Story> {
    return new Story(await place(), await Receiver.listen());
  }

  async end(): Promise<void> {
    await this.receiver.close();
    await this.at.close();
  }

  async request(asked: Record<string, unknown>, changes: { dryRun?: boolean; source?: SourceDescriptor } = {}) {
    const canary = await this.canaries.start({
      modelId: 'fraud-v2',
      fromGate: 'stage',
      toGate: 'production',
      policy: policy(asked),
      source: SCRAPED,
      dryRun: false,
      by: ACTOR,
      ...changes,
    });
    this.id = canary.id;
  }

  /** Another process each time. */
  driver(source: MetricSource, hooks: HooksConfig = NO_HOOKS): AdvanceContext & { clock: FakeClock } {
    const holder = `here:1:${++this.drivers}`;
    return { ...driver({ ledger: this.at.ledger, clock: this.clock, source, hooks, holder }), clock: this.clock };
  }

  /** To its end, or up to `looks` wake-ups. */
  async watch(script: (look: number) => Found, hooks?: HooksConfig, looks = Number.POSITIVE_INFINITY): Promise<void> {
    const context = this.driver(scripted(this.clock, script), hooks);
    const enough = new Error('enough');
    let seen = 0;
    await drive(context, this.id, () => {
      if (++seen >= looks) throw enough;
    }).catch(async (error: unknown) => {
      if (error !== enough) throw error;
      await this.at.ledger.releaseLease(this.id, context.holder);
    });
  }

  async holds(modelId: string, canaryId: string | null = null): Promise<void> {
    const ts = new Date(this.clock.time).toISOString();
    await setGate(this.at.ledger, { gate: 'production', modelId, canaryId, by: { who: 'olu', how: 'os-user' }, ts });
  }

  /** A promote hook that the receiver answers in this way. */
  hook(...answers: Answer[]): HooksConfig {
    return { promote: [this.receiver.hook('shift-traffic', answers)], rollback: [] };
  }

  rollbackHook(...answers: Answer[]): HooksConfig {
    return { promote: [], rollback: [this.receiver.hook('shift-traffic', answers)] };
  }
}

type Answer = { status: number; body: string } | ((respond: () => void) => void);

/** Receives webhooks on loopback; an answer that is a function decides itself when, and whether, to respond. */
class Receiver {
  private readonly answers: Answer[] = [];
  private constructor(private readonly server: Server) {}

  static async listen(): Promise<Receiver> {
    const server = createServer();
    const receiver = new Receiver(server);
    server.on('request', (request, response) => {
      request.resume();
      const answer = receiver.answers.shift() ?? { status: 200, body: 'done' };
      const respond = (): void => {
        response.end();
      };
      if (typeof answer === 'function') answer(respond);
      else response.writeHead(answer.status, { connection: 'close' }).end(answer.body);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return receiver;
  }

  hook(name: string, answers: Answer[]) {
    this.answers.push(...answers);
    const { port } = this.server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/`;
    return { name, webhook: { url, secretEnv: null, timeoutSeconds: 10, retries: 0 } };
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

const OK: Answer = { status: 200, body: 'traffic shifted' };
const REFUSED: Answer = { status: 403, body: 'not during the freeze' };

const both = (bad: number, baselineBad: number, total = 500): Found => ({
  canary: { errors: { state: 'ok', bad, total } },
  baseline: { errors: { state: 'ok', bad: baselineBad, total: total * 4 } },
});

const state = (s: 'absent' | 'stale'): Found => ({
  canary: { errors: { state: s, detail: 'model_requests_total' } as CountSignal },
});

const latency = (counts: number[]): Found => ({
  canary: {
    errors: { state: 'ok', bad: 1, total: 500 },
    latency: { state: 'ok', bounds: [100, 200, 400], counts },
  },
  baseline: {
    errors: { state: 'ok', bad: 5, total: 2000 },
    latency: { state: 'ok', bounds: [100, 200, 400], counts: [1700, 250, 40, 10] },
  },
});

const reading = (value: number): Found => ({
  canary: {},
  scalars: { ttft_p95_ms: { state: 'ok', value } },
});

/** What can become of a canary, by the name of its golden text. */
export const STORIES: Record<string, (s: Story) => Promise<void>> = {
  async promoted(s) {
    await s.holds('fraud-v1');
    s.clock.time += 3_600_000;
    await s.request(ERRORS);
    await s.watch(() => both(2, 10), s.hook(OK));
    s.clock.time += 90_000_000;
    await s.holds('fraud-v3');
  },
  async 'promoted-early'(s) {
    await s.request({ ...ERRORS, promote: 'early' });
    await s.watch(() => HEALTHY);
  },
  async 'promoted-uncertified'(s) {
    await s.request({ ...ERRORS, onInconclusive: 'promote' });
    await s.watch((look) => errors(look % 9 === 0 ? 1 : 0, 8));
  },
  async 'promoted-already-there'(s) {
    await s.holds('fraud-v2');
    await s.request(ERRORS);
    await s.watch(() => HEALTHY);
  },
  async 'rolled-back'(s) {
    await s.request({ ...ERRORS, targets: { max_error_rate: 0.02, latency_p95_ms: 250 } });
    await s.watch((look) => (look < 4 ? latency([400, 90, 8, 2]) : latency([250, 100, 100, 50])), s.rollbackHook(OK));
  },
  async 'rolled-back-readings'(s) {
    await s.request({ objectives: ['ttft_p95_ms < 800'] });
    await s.watch((look) => reading(look < 3 ? 420 : 950));
  },
  async 'uncertified-readings'(s) {
    await s.request({ objectives: ['ttft_p95_ms < 800'], maxConsecutiveFailures: 3 });
    await s.watch((look) => reading(look === 5 ? 812.5 : 420));
  },
  async 'blocked-inconclusive'(s) {
    await s.request(ERRORS);
    await s.watch(() => errors(0, 6));
  },
  async 'blocked-no-data'(s) {
    await s.request(ERRORS);
    await s.watch((look) => (look < 5 ? HEALTHY : state('absent')));
  },
  async 'blocked-unreachable'(s) {
    await s.request(ERRORS);
    await s.watch(() => SILENT);
  },
  async 'blocked-no-source'(s) {
    await s.request(ERRORS, { source: { kind: 'none' } });
    await drive(s.driver(openNone()), s.id);
  },
  async 'blocked-coverage'(s) {
    await s.request({ ...ERRORS, noDataSeconds: 40, minCoverage: 0.9 });
    await s.watch((look) => (look > 4 && look < 9 ? state('stale') : HEALTHY));
  },
  async 'blocked-no-baseline'(s) {
    await s.request({ ...ERRORS, baseline: 'required' });
    await s.watch(() => HEALTHY);
  },
  async 'held-by-baseline-incident'(s) {
    await s.request(ERRORS);
    await s.watch((look) => (look < 4 ? both(2, 8) : both(60, 240)));
  },
  async 'fallback-and-back'(s) {
    const targets = { ...ERRORS.targets, max_unavailable: 0.3 };
    await s.request({ ...ERRORS, targets, noDataSeconds: 10, onNoData: 'hold', minCoverage: 0.5 });
    await s.watch((look) =>
      look > 3 && look < 7 ? SILENT : { ...HEALTHY, canary: { ...HEALTHY.canary, resets: look === 7 ? 1 : 0 } },
    );
  },
  async extended(s) {
    await s.request({ ...ERRORS, onInconclusive: 'extend', maxWindowSeconds: 120 });
    await s.watch((look) => errors(0, look < 13 ? 10 : 400));
  },
  async aborted(s) {
    await s.request(ERRORS);
    await s.watch(() => HEALTHY, NO_HOOKS, 5);
    await s.canaries.abort(s.id, { who: 'olu', how: 'api-key' }, 'the wrong build');
  },
  async 'abort-refused'(s) {
    await s.request(ERRORS);
    const hooks = s.hook((respond) => {
      const refused = s.canaries.abort(s.id, ACTOR, 'too late').catch((error: unknown) => {
        if (!(error instanceof LukhasError) || error.code !== 'ILLEGAL_TRANSITION') throw error;
        respond();
      });
      void refused;
    });
    await s.watch(() => HEALTHY, hooks);
  },
  async 'source-refused'(s) {
    await s.request(ERRORS);
    const check = () => Promise.reject(new LukhasError('SOURCE_REFUSED', 'http://127.0.0.1:9101/metrics answers 401.'));
    await drive(s.driver(scripted(s.clock, () => HEALTHY, { check })), s.id);
  },
  async 'override-of-blocked'(s) {
    await s.request(ERRORS);
    await s.watch(() => errors(0, 6));
    s.clock.time += 600_000;
    await s.canaries.override(s.id, { who: 'olu', how: 'os-user' }, 'checked by hand with the fraud team');
    await s.watch(() => HEALTHY, s.hook(OK));
  },
  async 'hook-failure-and-retry'(s) {
    await s.request(ERRORS);
    const hooks = s.hook(REFUSED, OK);
    await s.watch(() => HEALTHY, hooks);
    s.clock.time += 300_000;
    await s.canaries.retry(s.id, ACTOR);
    await s.watch(() => HEALTHY, hooks);
  },
  async 'hook-failure'(s) {
    await s.request(ERRORS);
    await s.watch(() => HEALTHY, s.hook(REFUSED));
  },
  async 'crash-and-continuation'(s) {
    await s.request(ERRORS);
    const stop = new AbortController();
    const hooks = s.hook(() => stop.abort(new Error('killed')), OK);
    const first = {
      ...s.driver(
        scripted(s.clock, () => HEALTHY),
        hooks,
      ),
      signal: stop.signal,
    };
    await drive(first, s.id).catch((error: unknown) => {
      if (error !== stop.signal.reason) throw error;
    });
    await s.at.ledger.releaseLease(s.id, first.holder);
    s.clock.time += 30_000;
    await s.watch(() => HEALTHY, hooks);
  },
  async 'decided-not-acted'(s) {
    await s.request(ERRORS);
    const context = s.driver(scripted(s.clock, () => BAD));
    while (!(await s.at.ledger.events({ subject: s.id, kinds: ['canary.decided'] })).length)
      s.clock.time = Math.max(s.clock.time, (await advance(context, s.id)) ?? 0);
  },
  async 'dry-run'(s) {
    await s.request(ERRORS, { dryRun: true });
    await s.watch(() => BAD, s.rollbackHook(OK));
  },
  async running(s) {
    await s.request(ERRORS);
    await s.watch(() => both(3, 9, 100), NO_HOOKS, 6);
  },
  async pending(s) {
    await s.request(ERRORS);
  },
};
