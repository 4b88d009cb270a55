import { expect } from 'chai';
import { nextSteps, why } from '../../../src/lib/explain/index.js';
import type { ArmReading } from '../../../src/lib/judge/observation.js';
import { judge } from '../../../src/lib/judge/report.js';
import type { Verdict } from '../../../src/lib/judge/verdict.js';
import { errors, histogram, type Look, looks, missing, policy, START } from './looks.js';

const ERRORS = { windowSeconds: 600, intervalSeconds: 5, targets: { max_error_rate: 0.02 } };
const DOWN: ArmReading = { errors: { state: 'unreachable', detail: 'connection refused (ECONNREFUSED)' } };
const short = ({ decision, certainty, reason }: Verdict) => `${decision} ${certainty} ${reason}`;
const GOOD: Look = { canary: errors(0, 50), baseline: errors(0, 450) };
/** 120 checks of 5 s, each good unless `of` says otherwise. */
const of = (found: (tick: number) => Look | null, more: object = {}, count = 120): Verdict =>
  judge(
    policy({ ...ERRORS, ...more }),
    START,
    looks(count, (tick) => found(tick) ?? GOOD),
  );

describe('a canary that does not answer', () => {
  const alone = { canary: DOWN, baseline: errors(0, 450) };
  const both = { canary: DOWN, baseline: DOWN };

  it('is rolled back, uncertified, once it is silent for longer than the whole window bears', () => {
    const v = of((tick) => (tick > 40 ? alone : null));
    expect(short(v)).to.equal('rollback uncertified unavailable');
    // 5% of 120 checks is 6.
    expect(v).to.include({ tick: 47, decidedBy: 'availability' });
    expect(why(v)).to.equal(
      'the canary did not answer 7 of 47 checks (14.9%, limit 5%) while the baseline did: unreachable: connection refused (ECONNREFUSED)',
    );
    expect(nextSteps(v)[0]).to.match(/^Find out why the canary stopped answering/);
  });

  it('is rolled back when it is silent again and again', () => {
    const v = of((tick) => (tick % 10 === 0 && tick < 120 ? alone : null));
    expect(short(v)).to.equal('rollback uncertified unavailable');
    expect(v.silence?.availability).to.include({ down: 7, exceeded: true });
  });

  it('is promoted when only a few checks went unanswered, and says which', () => {
    const v = of((tick) => (tick === 30 || tick === 31 ? alone : null));
    expect(short(v)).to.equal('promote certified certified_at_end');
    expect(v.silence?.spans).to.deep.equal([
      {
        arm: 'canary',
        kind: 'unanswered',
        from: START + 145_000,
        to: START + 155_000,
        checks: 2,
        why: 'unreachable: connection refused (ECONNREFUSED)',
      },
    ]);
  });

  it('bears one unanswered check in a window of few', () => {
    const few = { windowSeconds: 40 };
    expect(of((tick) => (tick === 3 ? alone : { ...GOOD, canary: errors(0, 500) }), few, 8).decision).to.equal(
      'promote',
    );
    const twice = of((tick) => (tick === 3 || tick === 5 ? alone : { ...GOOD, canary: errors(0, 500) }), few, 8);
    expect(twice.reason).to.be.oneOf(['unavailable', 'coverage']);
  });

  it('is not blamed while the baseline does not answer either', () => {
    const v = of((tick) => (tick > 40 && tick <= 52 ? both : null));
    expect(short(v)).to.equal('promote certified certified_at_end');
    expect(v.silence?.availability).to.include({ down: 0, expected: 108 });
    expect(v.silence?.spans.map(({ arm }) => arm)).to.deep.equal(['baseline', 'canary']);
  });

  it('is not promoted without a baseline either, nor rolled back for it', () => {
    const silent = (tick: number): Look => ({ canary: tick > 40 && tick <= 55 ? DOWN : errors(0, 50) });
    expect(short(of(silent))).to.equal('block undecided unavailable');
  });

  describe('from the start', () => {
    const never = (found: (tick: number) => Look | null, more: object = {}, count = 120): Verdict =>
      judge(
        policy({ ...ERRORS, ...more }),
        START,
        looks(count, (tick) => found(tick) ?? alone).map((o) => (o.tick === 0 ? { ...o, canary: DOWN } : o)),
      );

    it('is rolled back, uncertified, after noDataSeconds, and says that it never answered', () => {
      const v = never(() => null);
      expect(short(v)).to.equal('rollback uncertified unavailable');
      expect(v.elapsedSeconds).to.equal(90);
      expect(why(v)).to.equal(
        'the canary never answered: 19 of 19 checks, while the baseline did: unreachable: connection refused (ECONNREFUSED)',
      );
      expect(nextSteps(v)[0]).to.match(/^Find out why the canary does not answer .* its address or labels are right/);
    });

    it('is rolled back at the end of a window shorter than that', () => {
      const v = never(() => null, { windowSeconds: 40 }, 8);
      expect([short(v), v.elapsedSeconds]).to.deep.equal(['rollback uncertified unavailable', 40]);
    });

    it('is rolled back when none of its series are there', () => {
      const v = never(() => ({ ...alone, canary: { errors: missing('absent') } }));
      expect(short(v)).to.equal('rollback uncertified unavailable');
    });

    it('may take its time to begin, which does not count against it', () => {
      const v = never((tick) => (tick > 16 ? GOOD : null));
      expect(short(v)).to.equal('promote certified certified_at_end');
      expect(v.silence?.availability).to.include({ down: 0, expected: 104 });
    });

    it('is rolled back although the baseline missed a check', () => {
      expect(short(never((tick) => (tick === 9 ? both : null)))).to.equal('rollback uncertified unavailable');
    });

    it('is blocked where the baseline does not answer either, or there is none', () => {
      expect(short(never(() => both))).to.equal('block undecided source_unreachable');
      expect(short(never((tick) => (tick > 4 ? both : null)))).to.equal('block undecided source_unreachable');
      expect(short(never(() => ({ canary: DOWN })))).to.equal('block undecided source_unreachable');
    });

    it('is blocked where somebody refuses to tell, which is no silence', () => {
      const refused = { canary: { errors: missing('refused') }, baseline: errors(0, 450) };
      expect(short(never((tick) => (tick > 3 ? refused : null)))).to.equal('block undecided source_unreachable');
    });

    it('is blocked where its page answers without its series: nothing may have been asked of it', () => {
      const canary = { errors: missing('absent'), targets: { expected: 1, up: 1 } };
      expect(short(never(() => ({ ...alone, canary })))).to.equal('block undecided no_data');
    });

    it('is blocked where the policy says so, or does not limit silence', () => {
      expect(short(never(() => null, { onNeverAnswered: 'block' }))).to.equal('block undecided source_unreachable');
      const free = { targets: { max_error_rate: 0.02, max_unavailable: 1 } };
      expect(short(never(() => null, free))).to.equal('block undecided source_unreachable');
      expect(short(never(() => null, { reportOnly: ['max_unavailable'] }))).to.equal(
        'block undecided source_unreachable',
      );
    });

    it('is not rolled back where a reading shows that it is there', () => {
      const scalars = { error_rate: { state: 'ok' as const, value: 0.001 } };
      const v = never(() => ({ ...alone, canary: { errors: missing('absent') }, scalars }));
      expect(v.decision).to.equal('promote');
    });

    it('is judged as it was in policies that were recorded before', () => {
      const { onNeverAnswered: _, ...before } = policy(ERRORS);
      const all = looks(120, () => alone).map((o) => (o.tick === 0 ? { ...o, canary: DOWN } : o));
      const v = judge(before, START, all);
      expect([short(v), v.judge]).to.deep.equal(['block undecided source_unreachable', 2]);
    });
  });

  describe('to one scrape of many checks', () => {
    // A scrape a minute, a check each five seconds.
    const scraped = (lost: (scrape: number) => boolean) => (tick: number) => {
      const [scrape, isNew] = [Math.floor(tick / 12), tick % 12 === 0];
      const targets = lost(scrape)
        ? { expected: 1, up: 0, ...(isNew ? {} : { unchanged: true as const }) }
        : { expected: 1, up: 1 };
      const counts = isNew && !lost(scrape) ? errors(0, 600) : { errors: missing('unchanged') };
      const canary = { ...(lost(scrape) ? DOWN : counts), targets };
      return { canary, baseline: { ...counts, targets: { expected: 1, up: 1 } } };
    };
    const slow = { noDataSeconds: 200 };

    it('is not rolled back: one alone is chance', () => {
      expect(
        short(
          of(
            scraped((scrape) => scrape === 4),
            slow,
            132,
          ),
        ),
      ).to.equal('promote certified certified_at_end');
    });

    it('is rolled back once it misses the next one too', () => {
      const v = of(
        scraped((scrape) => scrape >= 4),
        slow,
        132,
      );
      expect([short(v), v.elapsedSeconds]).to.deep.equal(['rollback uncertified unavailable', 300]);
    });

    it('is rolled back, not blocked, where its data end sooner than it is known to be down', () => {
      const v = of(
        scraped((scrape) => scrape >= 4),
        { noDataSeconds: 90 },
        132,
      );
      expect(short(v)).to.equal('rollback uncertified unavailable');
    });
  });

  describe('just before the end', () => {
    it('is not promoted on what was read before it fell silent', () => {
      const dying = { canary: { ...errors(0, 20), targets: { expected: 1, up: 0 } }, baseline: errors(0, 450) };
      const v = of((tick) => (tick === 120 ? dying : tick > 120 ? alone : null), {}, 140);
      expect([short(v), v.tick]).to.deep.equal(['rollback uncertified unavailable', 126]);
    });

    it('is promoted when it answers again', () => {
      const dying = { canary: { ...errors(0, 20), targets: { expected: 1, up: 0 } }, baseline: errors(0, 450) };
      const v = of((tick) => (tick === 120 ? dying : null), {}, 140);
      expect([short(v), v.tick]).to.deep.equal(['promote certified certified_at_end', 121]);
    });

    it('is not promoted between two samples of its source: the next one shows the end', () => {
      const between = { canary: { errors: missing('unchanged') }, baseline: { errors: missing('unchanged') } };
      const healthy = of((tick) => (tick % 3 === 1 ? GOOD : between), {}, 140);
      expect([short(healthy), healthy.tick]).to.deep.equal(['promote certified certified_at_end', 121]);
      const dead = of((tick) => (tick > 120 ? alone : tick % 3 === 1 ? GOOD : between), {}, 140);
      expect(short(dead)).to.equal('rollback uncertified unavailable');
    });
  });

  it('is rolled back after noDataSeconds in a long window', () => {
    const long = { windowSeconds: 36_000, noDataSeconds: 60 };
    const v = of((tick) => (tick > 20 ? { ...alone, canary: { errors: missing('absent') } } : null), long, 60);
    expect(short(v)).to.equal('rollback uncertified unavailable');
    expect(v.elapsedSeconds).to.equal(160);
  });

  it('is weighed by places where a source knows them', () => {
    const places = (up: number): ArmReading => ({ ...errors(0, 50), targets: { expected: 4, up } });
    const one = of((tick) => ({ ...GOOD, canary: places(tick > 100 ? 3 : 4) }));
    expect(short(one)).to.equal('promote certified certified_at_end');
    expect(one.silence?.availability).to.include({ expected: 480, down: 20 });
    const more = of((tick) => ({ ...GOOD, canary: places(tick > 60 ? 3 : 4) }));
    expect(short(more)).to.equal('rollback uncertified unavailable');
    expect(why(more)).to.include('1 of 4 places did not answer');
  });

  it('has no limit where the policy says so, and none where it was recorded without one', () => {
    const often = (tick: number) => (tick % 10 < 2 && tick < 110 && tick > 2 ? alone : null);
    expect(of(often, { minCoverage: 0.5 }).reason).to.equal('unavailable');
    const free = { minCoverage: 0.5, targets: { max_error_rate: 0.02, max_unavailable: 1 } };
    expect(of(often, free).decision).to.equal('promote');
    expect(of(often, { minCoverage: 0.5, reportOnly: ['max_unavailable'] }).decision).to.equal('promote');
  });
});

describe('a canary that restarts', () => {
  it('is not promoted when its counters began anew 18 times, with a silent check before each', () => {
    const crashing = looks(360, (tick): Look => {
      if (tick % 20 === 19) return { canary: DOWN, baseline: errors(0, 450) };
      return tick % 20 === 0 ? { ...GOOD, canary: { ...errors(0, 50), resets: 1 } } : GOOD;
    }).map((o) => (o.tick % 20 === 0 && o.tick > 0 ? { ...o, from: o.from - 5000 } : o));
    const v = judge(policy({ ...ERRORS, windowSeconds: 1800 }), START, crashing);
    expect(short(v)).to.equal('block undecided restarts');
    expect(why(v)).to.equal(
      "the canary's counters were reset at 18 checks (limit 2), as after a restart; the baseline's were not",
    );
    expect(nextSteps(v)[0]).to.match(/^Find out why the canary restarts/);
  });

  const restarting =
    (every: number, more: Look = {}) =>
    (tick: number) =>
      tick % every === 0 ? { ...GOOD, canary: { ...errors(0, 50), restarts: 1, resets: 5 }, ...more } : null;

  it('in a clear crash loop is rolled back, unless its baseline restarts as well', () => {
    const v = of(restarting(10));
    expect(short(v)).to.equal('rollback uncertified restarts');
    expect(why(v)).to.equal("the canary's processes restarted 6 times (limit 2); the baseline did not restart");
    const incident = of(restarting(10, { baseline: { ...errors(0, 450), restarts: 1 } }));
    expect(short(incident)).to.equal('block undecided restarts');
  });

  it('may be promoted with as many as the policy bears', () => {
    expect(of(restarting(50)).decision).to.equal('promote');
    expect(of(restarting(50), { maxRestarts: 1 }).reason).to.equal('restarts');
    expect(of(restarting(50), { maxRestarts: 0 }).reason).to.equal('restarts');
  });

  it('is not one whose counters only fall, as those of a cluster of workers do', () => {
    const v = of((tick) =>
      tick % 15 === 5 ? { ...GOOD, canary: { ...errors(0, 50), resets: 1, restarts: 0 } } : null,
    );
    expect(v.decision).to.equal('promote');
    expect(v.silence?.restarts).to.include({ canary: 0, from: 'processes' });
  });

  it('in a rolling deploy restarts once in each place', () => {
    const rolling = (restarts: number) => (tick: number) => {
      const canary = { ...errors(0, 50), targets: { expected: 6, up: 6 } };
      return tick === 20 ? { ...GOOD, canary: { ...canary, restarts } } : { ...GOOD, canary };
    };
    expect(of(rolling(6)).decision).to.equal('promote');
    expect(of(rolling(8)).reason).to.equal('restarts');
  });
});

describe('requests that stop before the end', () => {
  const until = (last: number, requests: number, more: object = {}) =>
    of(
      (tick) => ({ canary: errors(0, tick <= last ? requests : 0), baseline: errors(0, 900) }),
      { windowSeconds: 3600, intervalSeconds: 10, ...more },
      360,
    );

  it('block a canary of which nothing was asked in the last 11 of 60 minutes, and say so', () => {
    const all = looks(360, (tick) => ({ canary: errors(0, tick <= 294 ? 100 : 0), baseline: errors(0, 900) }), 10);
    const v = judge(policy({ ...ERRORS, windowSeconds: 3600, intervalSeconds: 10 }), START, all);
    expect(short(v)).to.equal('block undecided coverage');
    expect(why(v)).to.match(/^no requests in the last 11 min of 60 min, in which about 6,600 would have come/);
    expect(nextSteps(v)[0]).to.match(/^Find out why no requests reach the canary any more/);
  });

  it('are no surprise where there are few', () => {
    const rare = looks(360, (tick) => ({ canary: errors(0, tick % 45 === 10 ? 1 : 0) }), 10);
    const v = judge(
      policy({ windowSeconds: 3600, intervalSeconds: 10, minCoverage: 0.5, targets: { latency_p50_ms: 100 } }),
      START,
      rare.map((o) => {
        const [one] = o.canary.errors?.state === 'ok' ? [o.canary.errors.total] : [0];
        return o.tick === 0 ? o : { ...o, canary: { latency: histogram([100], [one, 0]) } };
      }),
    );
    expect(v.silence?.idle).to.equal(null);
    expect(v.reason).not.to.equal('coverage');
  });

  it('are none where they pause like that all the time', () => {
    const bursts = looks(360, (tick) => ({ canary: errors(0, tick % 60 < 15 ? 100 : 0) }), 10);
    const v = judge(policy({ ...ERRORS, windowSeconds: 3590, intervalSeconds: 10 }), START, bursts);
    expect(short(v)).to.equal('promote certified certified_at_end');
  });

  it('block however long the pauses before, once they make up a quarter of the window', () => {
    expect(short(of(() => null, {}, 120))).to.equal('promote certified certified_at_end');
    const paused = of((tick) => ({ canary: errors(0, (tick > 20 && tick < 60) || tick > 88 ? 0 : 50) }), {
      minCoverage: 0.5,
    });
    expect(short(paused)).to.equal('block undecided coverage');
  });

  it('block an early promotion too', () => {
    expect(until(4, 5, { promote: 'early', minCoverage: 0 }).decision).not.to.equal('promote');
  });
});

describe('a latency limit above every bucket', () => {
  const above = (count: number): Look => ({
    canary: { latency: histogram([1000, 2500, 5000, 7500, 10_000], [0, 0, 0, 0, 100 - count, count]) },
  });
  const limit = { windowSeconds: 600, intervalSeconds: 10, targets: { latency_p95_ms: 15_000 } };

  it('is told at the first look that shows that it can be neither met nor missed', () => {
    const v = judge(
      policy(limit),
      START,
      looks(60, () => above(100), 10),
    );
    expect([short(v), v.tick]).to.deep.equal(['block undecided no_bucket', 1]);
    expect(why(v)).to.equal(
      'latency_p95_ms: no bucket ends at or above the limit 15000 ms (the highest ends at 10000 ms), so slow requests cannot be counted',
    );
    expect(nextSteps(v)).to.deep.equal([
      'Add a bucket at 15000 ms to the histogram, or set latency_p95_ms to 10000 or less.',
    ]);
  });

  it('is met all the same where hardly any request is above the highest', () => {
    const v = judge(
      policy(limit),
      START,
      looks(60, () => above(0), 10),
    );
    expect(short(v)).to.equal('promote certified certified_at_end');
  });
});
