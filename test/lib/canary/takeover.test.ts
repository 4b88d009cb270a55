import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { type AdvanceContext, advance } from '../../../src/lib/canary/advance.js';
import { Canaries } from '../../../src/lib/canary/canaries.js';
import { Runner } from '../../../src/lib/canary/runner.js';
import { systemClock } from '../../../src/lib/clock.js';
import { LukhasError } from '../../../src/lib/errors.js';
import type { HookConfig, HooksConfig } from '../../../src/lib/gates/hook.js';
import { gateHistory, holderOf } from '../../../src/lib/gates/registry.js';
import type { EventKind } from '../../../src/lib/ledger/events.js';
import { LogFollower } from '../../../src/lib/ledger/follower.js';
import { newHolder } from '../../../src/lib/ledger/holder.js';
import type { Ledger, Unit } from '../../../src/lib/ledger/ledger.js';
import type { MetricSource } from '../../../src/lib/metrics/source.js';
import type { Canary } from '../../../src/lib/readings/canary.js';
import { until } from '../../until.js';
import { policy } from '../judge/looks.js';
import { deadHolder, strangeHolder } from '../ledger/holders.js';
import {
  ACTOR,
  BAD,
  drive,
  driver,
  FakeClock,
  HEALTHY,
  NO_HOOKS,
  type Place,
  place,
  SILENT,
  START,
  scripted,
  start,
} from './harness.js';

const P = policy({ targets: { max_error_rate: 0.02 }, windowSeconds: 30, noDataSeconds: 15 });
const LONG = policy({ targets: { max_error_rate: 0.02 }, windowSeconds: 600, noDataSeconds: 300 });
const healthy = () => HEALTHY;

describe('drivers of a canary', () => {
  let here: Place;
  let clock: FakeClock;
  beforeEach(async () => {
    here = await place();
    clock = new FakeClock();
  });
  afterEach(() => here.close());

  const context = (ledger: Ledger, source: MetricSource, more: { hooks?: HooksConfig; holder?: string } = {}) => ({
    ...driver({ ledger, clock, source, ...more }),
    clock,
  });
  const kinds = async (id: string): Promise<EventKind[]> =>
    (await here.ledger.events({ subject: id })).map(({ kind }) => kind);
  const ticks = async (id: string) => (await here.ledger.observations(id)).map(({ tick }) => tick);
  const upTo = (n: number) => Array.from({ length: n + 1 }, (_, i) => i);
  const refusal = async (attempt: Promise<unknown>): Promise<string> => {
    try {
      await attempt;
    } catch (error) {
      if (error instanceof LukhasError) return error.code;
      throw error;
    }
    return 'accepted';
  };

  describe('racing for the same canary', () => {
    it('record no tick twice and decide once', async () => {
      const { id } = await start(here.ledger, clock, {
        policy: policy({ targets: { max_error_rate: 0.02 }, windowSeconds: 1.5, intervalSeconds: 0.1 }),
      });
      const real = systemClock();
      const shared = { ...real, now: () => real.now() };
      const runners = await Promise.all(
        Array.from({ length: 3 }, async () => {
          const ledger = await here.another();
          const source = scripted(shared, healthy);
          const follower = new LogFollower(ledger, shared);
          const openSource = async () => source;
          return new Runner({ ledger, follower, clock: shared, hooks: NO_HOOKS, env: {}, openSource });
        }),
      );
      await Promise.all(runners.map((runner) => runner.drive([id])));
      const recorded = await ticks(id);
      expect(recorded).to.deep.equal(upTo(recorded.length - 1));
      expect(recorded.length).to.be.at.least(10);
      expect((await kinds(id)).filter((kind) => kind === 'canary.decided')).to.have.length(1);
      expect(await gateHistory(here.ledger, 'production')).to.have.length(1);
      expect((await new Canaries(here.ledger, clock).get(id)).state).to.equal('PROMOTED');
      expect(await here.ledger.lease(id)).to.equal(null);
      for (const runner of runners) await runner.close();
    });

    it('without heed to leases still record no tick twice', async () => {
      const { id } = await start(here.ledger, clock, { policy: P });
      const other = await here.another();
      const source = scripted(clock, healthy);
      // The same holder in both: the lease keeps neither out.
      const both = [context(here.ledger, source), context(other, source)];
      for (let i = 0; i < 60; i++) {
        const next = await Promise.all(both.map((c) => advance(c, id)));
        clock.time = Math.max(
          clock.time,
          Math.min(...next.map((n) => n ?? Number.POSITIVE_INFINITY), clock.time + 5000),
        );
      }
      expect(await ticks(id)).to.deep.equal(upTo(6));
      expect((await kinds(id)).filter((kind) => kind === 'canary.decided')).to.have.length(1);
    });

    it('wait for a living holder, and go on as soon as it gives the lease back', async () => {
      const { id } = await start(here.ledger, clock, { policy: P });
      const source = scripted(clock, healthy);
      const first = context(here.ledger, source, { holder: newHolder() });
      const second = context(await here.another(), source, { holder: newHolder() });
      await advance(first, id);
      const again = await advance(second, id);
      expect(again).to.be.within(clock.time + 1, clock.time + 5000);
      expect(second.sessions.size).to.equal(0);
      expect(await ticks(id)).to.deep.equal([0]);
      await here.ledger.releaseLease(id, first.holder);
      await advance(second, id);
      expect((await here.ledger.lease(id))?.holder).to.equal(second.holder);
    });

    it('take a lease over that has lapsed; the old holder notices and records nothing', async () => {
      const { id } = await start(here.ledger, clock, { policy: P });
      const source = scripted(clock, healthy);
      const first = context(here.ledger, source, { holder: 'elsewhere:1:first' });
      const second = context(await here.another(), source, { holder: 'elsewhere:1:second' });
      await advance(first, id);
      clock.time += 5000;
      expect(await advance(second, id)).to.be.greaterThan(clock.time);
      expect(await ticks(id)).to.deep.equal([0]);
      clock.time += 60_000;
      await advance(second, id);
      expect(await ticks(id)).to.deep.equal([0, 1]);
      // The first believes for a while that it still holds it.
      first.leases.set(id, clock.time + 60_000);
      clock.time += 5000;
      await advance(first, id);
      expect(await ticks(id)).to.deep.equal([0, 1]);
      expect(first.sessions.size).to.equal(0);
    });

    for (const seconds of [600, -600])
      it(`leave a canary to its driver when the wall clock is set by ${seconds} s`, async () => {
        const { id } = await start(here.ledger, clock, { policy: P });
        const source = scripted(clock, healthy);
        const first = context(here.ledger, source, { holder: 'elsewhere:1:first' });
        await advance(first, id);
        clock.time += 5000;
        await advance(first, id);
        // Its own time goes on as before; a process that begins now reads the new one.
        const stepped = new FakeClock(clock.time);
        stepped.step(seconds * 1000);
        const second = { ...context(await here.another(), source, { holder: 'elsewhere:1:second' }), clock: stepped };
        expect(await advance(second, id)).to.be.greaterThan(stepped.time);
        expect((await here.ledger.lease(id))?.holder).to.equal(first.holder);
        expect(await ticks(id)).to.deep.equal([0, 1]);
        stepped.time += 60_000;
        await advance(second, id);
        expect((await here.ledger.lease(id))?.holder).to.equal(second.holder);
      });

    it('whose lease was taken and given back meanwhile read the log again before they go on', async () => {
      const { id } = await start(here.ledger, clock, { policy: LONG });
      const source = scripted(clock, healthy);
      const first = context(here.ledger, source, { holder: 'elsewhere:1:first' });
      await advance(first, id);
      clock.time += 60_000;
      const second = context(await here.another(), source, { holder: 'elsewhere:1:second' });
      await advance(second, id);
      await here.ledger.releaseLease(id, second.holder);
      const known = first.sessions.get(id);
      await advance(first, id);
      expect(first.sessions.get(id)).to.not.equal(known);
      expect((await here.ledger.lease(id))?.holder).to.equal(first.holder);
      expect(await ticks(id)).to.deep.equal([0, 1]);
    });

    it('take the lease of a dead process at once', async () => {
      const { id } = await start(here.ledger, clock, { policy: P });
      await here.ledger.acquireLease(id, deadHolder(), clock.time, 3_600_000);
      const mine = context(here.ledger, scripted(clock, healthy));
      await advance(mine, id);
      expect(await ticks(id)).to.deep.equal([0]);
      expect((await here.ledger.lease(id))?.holder).to.equal(mine.holder);
    });

    for (const [whose, holder] of [
      ['a process of another container or machine', strangeHolder],
      ['whom an older version wrote down', () => `${hostname()}:${spawnSync('/bin/true').pid}:0123abcd`],
    ] as const)
      it(`wait for the lease of ${whose} to lapse, whether it lives or not`, async () => {
        const { id } = await start(here.ledger, clock, { policy: P });
        await here.ledger.acquireLease(id, holder(), clock.time, 60_000);
        const mine = context(here.ledger, scripted(clock, healthy));
        const lapses = clock.time + 60_000;
        while (clock.time < lapses) {
          expect(await ticks(id)).to.deep.equal([]);
          clock.time = (await advance(mine, id)) as number;
        }
        expect(clock.time).to.equal(lapses);
        await advance(mine, id);
        expect(await ticks(id)).to.deep.equal([0]);
      });
  });

  describe('going on after another', () => {
    it('come to the same verdict as one that was never interrupted', async () => {
      const source = scripted(clock, (look) => (look < 4 ? HEALTHY : BAD));
      const one = await start(here.ledger, clock, { policy: P });
      const whole = await drive(context(here.ledger, source), one.id);
      clock.time = START;
      const two = await start(here.ledger, clock, { policy: P });
      let last: Canary | null = null;
      for (let i = 0; last === null; i++) {
        // A new process for every single step.
        const next = await advance(context(here.ledger, source), two.id);
        if (next === null) last = await new Canaries(here.ledger, clock).get(two.id);
        else clock.time = Math.max(clock.time, next);
        expect(i).to.be.lessThan(50);
      }
      expect(whole.state).to.equal('ROLLED_BACK');
      expect(last.verdict).to.deep.equal(whole.verdict);
      expect(last.observations).to.deep.equal(whole.observations);
    });

    it('look at what was missed in one look, long after the window has ended', async () => {
      const { id } = await start(here.ledger, clock, { policy: P });
      const source = scripted(clock, (look) =>
        look < 3 ? HEALTHY : { canary: { errors: { state: 'ok', bad: 9, total: 9000 } } },
      );
      const first = context(here.ledger, source);
      for (let i = 0; i < 3; i++) clock.time = (await advance(first, id)) as number;
      clock.time += 600_000;
      const canary = await drive(context(here.ledger, source), id);
      expect(canary.state).to.equal('PROMOTED');
      expect(await ticks(id)).to.deep.equal([0, 1, 2, 3]);
      expect(canary.verdict?.ticks.gaps).to.be.greaterThan(100);
    });

    it('tell of a verdict at once, and wait for no further look', async () => {
      for (const [dryRun, look] of [
        [true, healthy],
        [false, () => SILENT],
      ] as const) {
        const { id } = await start(here.ledger, clock, { policy: P, dryRun });
        const canary = await drive(context(here.ledger, scripted(clock, look)), id);
        expect(clock.time - Date.parse(canary.decidedAt!)).to.equal(0);
      }
    });
  });

  describe('whose clock is set back', () => {
    it('go on looking, once an interval, and record no time twice over', async () => {
      const source = scripted(clock, healthy);
      const { id } = await start(here.ledger, clock, { policy: P });
      const same = context(here.ledger, source);
      const steps = async (c: AdvanceContext, n: number) => {
        for (let i = 0; i < n; i++) clock.time = Math.max(clock.time, (await advance(c, id)) as number);
      };
      await steps(same, 2);
      const before = clock.time;
      clock.time -= 3_600_000;
      await steps(same, 3);
      expect(clock.time - (before - 3_600_000)).to.be.within(5000, 20_000);
      const all = await here.ledger.observations(id);
      expect(all.map(({ tick }) => tick)).to.deep.equal(upTo(all.length - 1));
      expect(all.length).to.be.within(4, 6);
      for (const [i, { t, from }] of all.entries()) {
        expect(from).to.be.at.most(t);
        if (i > 0) expect(t).to.be.at.least(all[i - 1]!.t);
      }
      expect(all.at(-1)?.notes?.join()).to.match(/the clock is \d+\.\d s behind the previous check$/);
    });

    it('take a first look at once after a restart, and no burst of them', async () => {
      const source = scripted(clock, healthy);
      const { id } = await start(here.ledger, clock, { policy: P });
      clock.time = (await advance(context(here.ledger, source), id)) as number;
      clock.time -= 3_600_000;
      const restarted = context(here.ledger, source);
      const due = (await advance(restarted, id)) as number;
      expect(await ticks(id)).to.deep.equal([0, 1]);
      expect(due - clock.time).to.be.within(1, 5000);
      await advance(restarted, id);
      expect(await ticks(id)).to.deep.equal([0, 1]);
    });
  });

  describe('meeting a decision by hand', () => {
    it('stop when it is aborted over another connection', async () => {
      const { id } = await start(here.ledger, clock, { policy: P });
      const mine = context(here.ledger, scripted(clock, healthy));
      await advance(mine, id);
      const other = new Canaries(await here.another(), clock);
      await other.abort(id, ACTOR, ' enough ');
      clock.time += 5000;
      const canary = await drive(mine, id);
      expect(canary).to.deep.include({ state: 'ABORTED', ended: { by: ACTOR, reason: 'enough' }, verdict: null });
      expect(await ticks(id)).to.deep.equal([0]);
      expect(await here.ledger.lease(id)).to.equal(null);
      expect(await refusal(other.abort(id, ACTOR, 'again'))).to.equal('ILLEGAL_TRANSITION');
    });

    it('abort between a reading and its record, so that no later tick is written', async () => {
      const { id } = await start(here.ledger, clock, { policy: P });
      const other = new Canaries(await here.another(), clock);
      const source = scripted(clock, healthy);
      const aborting: MetricSource = {
        ...source,
        read: async (request) => {
          const reading = await source.read(request);
          if (request.cursor !== null) await other.abort(id, ACTOR, 'enough');
          return reading;
        },
      };
      const canary = await drive(context(here.ledger, aborting), id);
      expect(canary.state).to.equal('ABORTED');
      expect(await ticks(id)).to.deep.equal([0]);
    });

    it('promote a BLOCKED canary, and only such a one', async () => {
      const canaries = new Canaries(here.ledger, clock);
      const { id } = await start(here.ledger, clock, { policy: P });
      expect(await refusal(canaries.override(id, ACTOR, 'now'))).to.equal('ILLEGAL_TRANSITION');
      const silent = context(
        here.ledger,
        scripted(clock, () => SILENT),
      );
      expect((await drive(silent, id)).state).to.equal('BLOCKED');
      expect(await refusal(canaries.override(id, ACTOR, '  '))).to.equal('USAGE');
      expect((await canaries.override(id, ACTOR, 'known')).action).to.include({ kind: 'promote', state: 'pending' });
      const canary = await drive(silent, id);
      expect(canary).to.deep.include({ state: 'PROMOTED', ended: { by: ACTOR, reason: 'known' } });
      expect(canary.verdict?.decision).to.equal('block');
      const [change] = await gateHistory(here.ledger, 'production');
      expect(change).to.deep.include({ modelId: 'fraud-v2', canaryId: id, by: ACTOR });
      expect(await refusal(canaries.override(id, ACTOR, 'again'))).to.equal('ILLEGAL_TRANSITION');
      const bad = await start(here.ledger, clock, { policy: P });
      await drive(
        context(
          here.ledger,
          scripted(clock, () => BAD),
        ),
        bad.id,
      );
      expect(await refusal(canaries.override(bad.id, ACTOR, 'please'))).to.equal('ILLEGAL_TRANSITION');
      expect(await refusal(canaries.retry(bad.id, ACTOR))).to.equal('ILLEGAL_TRANSITION');
    });
  });

  describe('with hooks', () => {
    const calls = async () =>
      (await readFile(join(dirname(here.path), 'calls'), 'utf8').catch(() => '')).split('\n').filter(Boolean);
    /** Notes what it is told, then does `code`. */
    const noting = (code = ''): HookConfig => {
      const note = `const e = process.env;
        const line = [e.LUKHAS_ACTION, e.LUKHAS_IDEMPOTENCY_KEY, e.LUKHAS_ATTEMPT, e.LUKHAS_DECIDED_AT].join(' ');
        require('fs').appendFileSync(process.argv[1], line + '\\n');`;
      const command: [string, ...string[]] = [process.execPath, '-e', note + code, join(dirname(here.path), 'calls')];
      return { name: 'deploy', exec: { command, timeoutSeconds: 10, env: {} } };
    };
    const both = (hook: HookConfig): HooksConfig => ({ promote: [hook], rollback: [hook] });

    it('fail, are retried when asked, and are done then', async () => {
      const canaries = new Canaries(here.ledger, clock);
      const { id } = await start(here.ledger, clock, { policy: P });
      const failingOnce = both(
        noting(`if (e.LUKHAS_ATTEMPT === '1') { console.error('no such cluster'); process.exit(3); }`),
      );
      const c = context(here.ledger, scripted(clock, healthy), { hooks: failingOnce });
      const failed = await drive(c, id);
      expect(failed).to.deep.include({ state: 'PROMOTED' });
      expect(failed.action).to.include({ kind: 'promote', state: 'failed', failed: 'deploy' });
      expect(failed.action.detail).to.match(/3.*no such cluster/);
      expect((await canaries.get(id)).action).to.deep.equal(failed.action);
      expect(await holderOf(here.ledger, 'production')).to.equal(null);
      // Nothing more is done of itself.
      expect(await advance(c, id)).to.equal(null);
      expect(await calls()).to.have.length(1);

      expect((await canaries.retry(id, ACTOR)).action).to.include({ state: 'pending', detail: null });
      clock.time += 60_000;
      const done = await drive(c, id);
      expect(done.action).to.include({ kind: 'promote', state: 'done', failed: null, detail: null });
      expect(await holderOf(here.ledger, 'production')).to.equal('fraud-v2');
      const at = failed.decidedAt;
      expect(await calls()).to.deep.equal([`promote ${id} 1 ${at}`, `promote ${id} 2 ${at}`]);
      expect(await refusal(canaries.retry(id, ACTOR))).to.equal('ILLEGAL_TRANSITION');
    });

    it('are called on a rollback, which leaves the gate as it is', async () => {
      const { id } = await start(here.ledger, clock, { policy: P });
      const canary = await drive(
        context(
          here.ledger,
          scripted(clock, () => BAD),
          { hooks: both(noting()) },
        ),
        id,
      );
      expect(canary).to.include({ state: 'ROLLED_BACK' });
      expect(canary.action).to.include({ kind: 'rollback', state: 'done' });
      expect(await calls()).to.deep.equal([`rollback ${id} 1 ${canary.decidedAt}`]);
      expect(await gateHistory(here.ledger, 'production')).to.have.length(0);
    });

    for (const lost of ['hook.finished', 'canary.acted', 'gate.changed'] as const)
      it(`are called again with the same key, or not at all, after a crash before ${lost}`, async () => {
        const { id } = await start(here.ledger, clock, { policy: P });
        const source = scripted(clock, healthy);
        const crash = new Error('killed');
        const dying: Ledger = Object.create(here.ledger, {
          commit: {
            value: (unit: Unit) =>
              unit.events?.some(({ kind }) => kind === lost) ? Promise.reject(crash) : here.ledger.commit(unit),
          },
        });
        // The ledger keeps its private state in itself: what is not replaced must be called on it.
        for (const name of [
          'events',
          'provenEvents',
          'intactEvents',
          'leasedSubjects',
          'summaries',
          'openSubjects',
          'cursor',
          'observationLines',
          'acquireLease',
          'renewLease',
          'releaseLease',
          'lease',
          'leaseAt',
        ] as const)
          Object.defineProperty(dying, name, { value: here.ledger[name].bind(here.ledger) });
        const hooks = both(noting());
        const error = await drive(context(dying, source, { hooks }), id).catch((e: unknown) => e);
        expect(error).to.equal(crash);
        expect(await calls()).to.have.length(1);
        clock.time += 5000;
        const canary = await drive(context(here.ledger, source, { hooks }), id);
        expect(canary.action).to.include({ kind: 'promote', state: 'done' });
        const at = canary.decidedAt;
        const again = lost === 'hook.finished' ? [`promote ${id} 2 ${at}`] : [];
        expect(await calls()).to.deep.equal([`promote ${id} 1 ${at}`, ...again]);
        expect(await gateHistory(here.ledger, 'production')).to.have.length(1);
        expect((await kinds(id)).filter((kind) => kind === 'canary.acted')).to.have.length(1);
      });

    it('are called by one of two drivers that find the same decision', async () => {
      const { id } = await start(here.ledger, clock, { policy: P });
      const source = scripted(clock, healthy);
      const hooks = both(noting('setTimeout(() => {}, 200)'));
      const holder = () => ({ hooks, holder: newHolder() });
      const first = context(here.ledger, source, holder());
      for (let next = 0; ; clock.time = Math.max(clock.time, next)) {
        next = (await advance(first, id)) as number;
        if ((await new Canaries(here.ledger, clock).get(id)).state === 'PROMOTED') break;
      }
      const second = context(await here.another(), source, holder());
      const acting = advance(first, id);
      expect(await advance(second, id)).to.be.greaterThan(clock.time);
      expect(await acting).to.equal(null);
      expect(await advance(second, id)).to.equal(null);
      expect(await calls()).to.have.length(1);
    });

    it('are not called in a dry run, which changes no gate', async () => {
      const looks = [healthy, () => BAD];
      for (const look of looks) {
        const { id } = await start(here.ledger, clock, { policy: P, dryRun: true });
        const canary = await drive(context(here.ledger, scripted(clock, look), { hooks: both(noting()) }), id);
        expect(canary.action.state).to.equal('none');
        expect(['PROMOTED', 'ROLLED_BACK']).to.include(canary.state);
        expect(await kinds(id)).to.not.include('canary.acted');
      }
      expect(await calls()).to.deep.equal([]);
      expect(await gateHistory(here.ledger, 'production')).to.deep.equal([]);
    });
  });

  describe('in trouble', () => {
    it('end a canary whose source can never work as FAILED, and say why', async () => {
      const refusing = { check: () => Promise.reject(new LukhasError('SOURCE_REFUSED', 'the source refused us: 401')) };
      const { id } = await start(here.ledger, clock, { policy: P });
      const canary = await drive(context(here.ledger, scripted(clock, healthy, refusing)), id);
      expect(canary).to.deep.include({
        state: 'FAILED',
        failure: { code: 'SOURCE_REFUSED', message: 'the source refused us: 401' },
      });
      expect(await kinds(id)).to.deep.equal(['canary.requested', 'canary.failed']);
    });

    it('lose no line of an input when the database was busy', async () => {
      const lines = [HEALTHY, HEALTHY, BAD, HEALTHY];
      let given = 0;
      const input: MetricSource = {
        ...scripted(clock, healthy),
        pace: 'input',
        // As a stream: what was given once is not given again.
        read: async () => {
          const tick = given++;
          const found = lines[tick];
          const t = START + tick * 5000;
          if (found) return { observation: { v: 1, tick, t, from: t - 5000, ...found }, cursor: { line: tick } };
          const over = { errors: { state: 'ended' as const } };
          return { observation: { v: 1, tick, t: t - 5000, from: t - 5000, canary: over }, cursor: null, ended: true };
        },
      };
      let commits = 0;
      const flaky: Ledger = Object.create(here.ledger, {
        commit: {
          value: (unit: Unit) =>
            unit.observations && commits++ % 2 === 0
              ? Promise.reject(new LukhasError('LEDGER_BUSY', 'the ledger is locked by another process'))
              : here.ledger.commit(unit),
        },
      });
      for (const name of [
        'events',
        'provenEvents',
        'intactEvents',
        'leasedSubjects',
        'summaries',
        'openSubjects',
        'cursor',
        'observationLines',
        'acquireLease',
        'renewLease',
        'releaseLease',
        'lease',
        'leaseAt',
      ] as const)
        Object.defineProperty(flaky, name, { value: here.ledger[name].bind(here.ledger) });
      const { id } = await start(here.ledger, clock, { policy: P });
      const told: string[] = [];
      const runner = new Runner({
        ledger: flaky,
        follower: new LogFollower(flaky, clock),
        clock,
        hooks: NO_HOOKS,
        env: {},
        openSource: async () => input,
        onError: (_, error) => told.push(error.code),
      });
      await runner.drive([id]);
      expect(await ticks(id)).to.deep.equal([0, 1, 2]);
      expect((await new Canaries(here.ledger, clock).get(id)).state).to.equal('ROLLED_BACK');
      expect(told).to.deep.equal(['LEDGER_BUSY', 'LEDGER_BUSY', 'LEDGER_BUSY']);
    });

    it('are stopped by a signal at once; the canary is left for the next, its lease given back', async () => {
      const { id } = await start(here.ledger, clock, { policy: P });
      const stop = new AbortController();
      const real = systemClock();
      const runner = new Runner({
        ledger: here.ledger,
        follower: new LogFollower(here.ledger, real),
        clock: real,
        hooks: NO_HOOKS,
        env: {},
        openSource: async () => scripted(real, healthy),
        onTick: () => stop.abort(),
      });
      await runner.drive([id], stop.signal);
      await runner.close();
      expect((await new Canaries(here.ledger, clock).get(id)).state).to.equal('RUNNING');
      expect(await here.ledger.lease(id)).to.equal(null);
    });

    it('watch every open canary of the log, those that come later too', async () => {
      const real = systemClock();
      const stop = new AbortController();
      const source = scripted(real, healthy);
      const short = policy({ targets: { max_error_rate: 0.02 }, windowSeconds: 1, intervalSeconds: 0.2 });
      const mine = await here.another();
      const runner = new Runner({
        ledger: mine,
        follower: new LogFollower(mine, real),
        clock: real,
        hooks: NO_HOOKS,
        env: {},
        openSource: async () => source,
      });
      const first = await start(here.ledger, real, { policy: short });
      const watching = runner.driveAll(stop.signal);
      const second = await start(here.ledger, real, { policy: short });
      const canaries = new Canaries(here.ledger, real);
      await until(async () => (await canaries.list({ open: true })).length === 0, 100);
      stop.abort();
      await watching;
      await runner.close();
      for (const { id } of [first, second]) expect((await canaries.get(id)).state).to.equal('PROMOTED');
    });
  });
});
