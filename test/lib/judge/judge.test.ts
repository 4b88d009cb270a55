import { expect } from 'chai';
import { rule } from '../../../src/lib/judge/judge.js';
import { begin, observe } from '../../../src/lib/judge/judgement.js';
import type { Observation } from '../../../src/lib/judge/observation.js';
import type { Policy } from '../../../src/lib/judge/policy.js';
import { judge } from '../../../src/lib/judge/report.js';
import type {
  DriftReport,
  ObjectiveReport,
  RateReport,
  ReadingReport,
  Verdict,
} from '../../../src/lib/judge/verdict.js';
import { errors, histogram, type Look, look, looks, missing, policy, START, scalar, without } from './looks.js';

const of = (p: Policy, observations: Iterable<Observation>, now?: number): Verdict =>
  judge(p, START, observations, now);
const short = ({ decision, certainty, reason, decidedBy }: Verdict) =>
  `${decision} ${certainty} ${reason} ${decidedBy}`;
const objective = (v: Verdict, name: string): ObjectiveReport => {
  const found = v.objectives.find((o) => o.name === name);
  if (!found) expect.fail(`no objective ${name}`);
  return found;
};
const rate = (v: Verdict, name: string) => objective(v, name) as RateReport;

const healthy = (): Look => ({ canary: errors(1, 500) });
const onErrors = policy({ targets: { max_error_rate: 0.02 } });

describe('judge', () => {
  describe('rolls back', () => {
    it('on bad errors, at the first look that proves it', () => {
      const v = of(
        onErrors,
        looks(12, () => ({ canary: errors(80, 500) })),
      );
      expect(short(v)).to.equal('rollback certified evidence_against error_rate');
      expect(v).to.include({ tick: 1, elapsedSeconds: 5, savedSeconds: 55 });
      expect(v.evidence.logE).to.be.greaterThan(v.evidence.logThreshold);
      expect(rate(v, 'error_rate')).to.deep.include({ bad: 80, total: 500, rate: 0.16, hasData: true, missing: null });
      expect(rate(v, 'error_rate').bounds?.lower).to.be.greaterThan(0.02);
    });

    it('on a regression that begins late, and says when it began', () => {
      const v = of(
        onErrors,
        looks(12, (tick) => ({ canary: errors(tick < 9 ? 1 : 60, 500) })),
      );
      expect(short(v)).to.equal('rollback certified evidence_against error_rate');
      expect(v.tick).to.equal(9);
      expect(rate(v, 'error_rate').onset).to.deep.equal({ tick: 9, at: START + 45_000, bad: 60, total: 500 });
    });

    it('though another objective has no data', () => {
      const p = policy({ targets: { max_error_rate: 0.02, latency_p95_ms: 200 } });
      const v = of(
        p,
        looks(12, () => ({ canary: { ...errors(80, 500), latency: missing('absent') } })),
      );
      expect(short(v)).to.equal('rollback certified evidence_against error_rate');
    });

    it('not on a few unlucky requests', () => {
      const v = of(
        onErrors,
        looks(2, () => ({ canary: errors(2, 20) })),
      );
      expect(short(v)).to.equal('continue undecided watching null');
    });

    it('less readily when requests share their fate', () => {
      const bursts = looks(2, () => ({ canary: errors(20, 500) }));
      expect(of(policy({ targets: { max_error_rate: 0.01 } }), bursts).decision).to.equal('rollback');
      const batches = policy({ targets: { max_error_rate: 0.01 }, designEffect: { batchSize: 20 } });
      expect(of(batches, bursts).decision).to.equal('continue');
    });
  });

  describe('promotes', () => {
    it('at the end of the window, and not before, when every objective is certified', () => {
      const all = looks(12, healthy);
      for (let n = 1; n < all.length; n++) expect(of(onErrors, all.slice(0, n)).decision).to.equal('continue');
      const v = of(onErrors, all);
      expect(short(v)).to.equal('promote certified certified_at_end null');
      expect(v).to.include({ tick: 12, elapsedSeconds: 60, savedSeconds: 0, coverage: 1 });
      expect(v.ticks).to.deep.equal({ looked: 12, withData: 12, planned: 12, gaps: 0, resets: 0 });
      expect(rate(v, 'error_rate').promote).to.include({ method: 'clopper-pearson', certified: true });
    });

    it('looks no further than the observation that decided', () => {
      const all = looks(20, (tick) => (tick <= 12 ? healthy() : { canary: errors(500, 500) }));
      expect(of(onErrors, all)).to.deep.equal(of(onErrors, all.slice(0, 13)));
    });

    it('early when asked to, as soon as the evidence certifies', () => {
      const p = policy({ targets: { max_error_rate: 0.02 }, promote: 'early' });
      const v = of(p, looks(12, healthy));
      expect(short(v)).to.equal('promote certified certified_early null');
      expect(v.tick).to.be.lessThan(6);
      expect(rate(v, 'error_rate').promote.method).to.equal('e-process');
    });

    it('early only on what covers the time since the start', () => {
      const p = policy({ targets: { max_error_rate: 0.02 }, promote: 'early' });
      const late = looks(5, (tick) => ({ canary: tick < 5 ? without('unreachable') : errors(2, 5000) }));
      const v = of(p, late);
      expect(rate(v, 'error_rate').promote.certified).to.equal(true);
      expect(v.coverage).to.equal(0.2);
      expect(short(v)).to.equal('continue undecided watching null');
    });

    it('early not while the newest look lacks a signal, nor on readings', () => {
      const both = { targets: { max_error_rate: 0.02, latency_p95_ms: 100 }, promote: 'early' };
      const fast = histogram([100], [5000, 0]);
      const blind = looks(2, (tick) => ({
        canary: { ...errors(2, 5000), latency: tick === 1 ? fast : missing('unreachable') },
      }));
      expect(of(policy(both), blind.slice(0, 2)).reason).to.equal('certified_early');
      expect(of(policy({ ...both, minCoverage: 0 }), blind).tick).to.equal(1);
      const swapped = looks(2, (tick) => ({
        canary: { ...errors(2, 5000), latency: tick === 2 ? fast : missing('unreachable') },
      }));
      const first = swapped.slice(0, 2);
      expect(of(policy({ ...both, minCoverage: 0 }), first).decision).to.equal('continue');
      const custom = policy({ targets: { max_error_rate: 0.02 }, promote: 'early', objectives: ['ttft < 800'] });
      const read = looks(11, () => ({ canary: errors(2, 5000), scalars: { ttft: scalar(100) } }));
      expect(of(custom, read).decision).to.equal('continue');
    });
  });

  describe('never promotes', () => {
    it('without requests', () => {
      const v = of(
        onErrors,
        looks(12, () => ({ canary: errors(0, 0) })),
      );
      expect(short(v)).to.equal('block undecided inconclusive error_rate');
    });

    it('when one of several objectives never had data', () => {
      const p = policy({ targets: { max_error_rate: 0.02, latency_p95_ms: 200 }, noDataSeconds: 30 });
      const v = of(
        p,
        looks(12, () => ({ canary: { ...errors(1, 500), latency: missing('absent') } })),
      );
      expect(short(v)).to.equal('block undecided no_data null');
      expect(v.noData).to.deep.include({ total: false, states: { latency_p95_ms: 'absent' } });
      expect(objective(v, 'latency_p95_ms')).to.include({ hasData: false, missing: 'absent' });
    });

    it('with a stale tail', () => {
      const p = policy({ targets: { max_error_rate: 0.02 }, minCoverage: 0, noDataSeconds: 20 });
      const v = of(
        p,
        looks(12, (tick) => (tick <= 8 ? healthy() : { canary: without('stale') })),
      );
      expect(short(v)).to.equal('block undecided no_data null');
      expect(v.noData).to.deep.include({ since: START + 40_000, seconds: 20 });
    });

    it('a canary that has fallen silent at the last look: it waits, then promotes or blocks', () => {
      const p = policy({ targets: { max_error_rate: 0.02, max_unavailable: 0.2 }, noDataSeconds: 20 });
      const crashed = (back: number) => (tick: number) =>
        tick < 12 || tick >= back ? healthy() : { canary: without('unreachable') };
      expect(of(p, looks(12, crashed(99))).decision).to.equal('continue');
      expect(short(of(p, looks(20, crashed(99))))).to.equal('block undecided source_unreachable null');
      const returned = of(p, looks(20, crashed(14)));
      expect(short(returned)).to.equal('promote certified certified_at_end null');
      expect(returned.tick).to.equal(14);
      const input = [...looks(12, crashed(99)), look(13, 60, 60, { canary: without('ended') })];
      expect(short(of(p, input))).to.equal('block undecided source_unreachable null');
    });

    it('when requests stopped long before the end, or counters are reset again and again', () => {
      const idle = of(
        onErrors,
        looks(12, (tick) => ({ canary: errors(0, tick <= 4 ? 1000 : 0) })),
      );
      expect(short(idle)).to.equal('block undecided coverage null');
      const flapping = of(
        onErrors,
        looks(12, (tick) => ({ canary: { ...errors(0, 5000), resets: tick % 3 === 0 ? 1 : 0 } })),
      );
      expect(short(flapping)).to.equal('block undecided unstable_counters null');
      const once = of(
        onErrors,
        looks(12, (tick) => ({ canary: { ...errors(0, 5000), resets: tick === 5 ? 4 : 0 } })),
      );
      expect(once.decision).to.equal('promote');
    });

    it('by good minutes before an incident that was held, nor with bounds that leave out what was measured', () => {
      for (const more of [{ promote: 'early' }, { onInconclusive: 'extend' }]) {
        const both = looks(24, (tick) => {
          const bad = tick <= 5 ? 50 : 0;
          return { canary: errors(bad, 500), baseline: errors(bad, 500) };
        });
        const v = of(policy({ targets: { max_error_rate: 0.02 }, windowSeconds: 120, ...more }), both);
        const { rate: measured, bounds } = rate(v, 'error_rate');
        expect(bounds!.lower).to.be.at.most(measured!);
        expect(bounds!.upper).to.be.at.least(measured!);
        if (v.decision === 'promote') expect(measured).to.be.at.most(0.02);
      }
    });

    it('without the baseline that the policy requires, seen for a part of the window only', () => {
      const p = policy({ targets: { max_error_rate: 0.02 }, baseline: 'required' });
      const partly = looks(12, (tick) => ({
        canary: errors(0, 500),
        ...(tick < 3 ? { baseline: errors(0, 500) } : {}),
      }));
      expect(short(of(p, partly))).to.equal('block undecided no_baseline null');
    });

    it('with readings of less than minCoverage of the window', () => {
      // The counters start anew after the outage: what they counted meanwhile is lost.
      const gap = (tick: number): Look =>
        tick < 3 || tick > 6 ? healthy() : { canary: without(tick === 6 ? 'first' : 'unreachable') };
      const v = of(onErrors, looks(12, gap));
      expect(short(v)).to.equal('block undecided coverage null');
      expect(v.coverage).to.be.closeTo(40 / 60, 1e-9);
      expect(v.ticks).to.include({ looked: 12, withData: 8 });
      const lenient = policy({ targets: { max_error_rate: 0.02, max_unavailable: 1 }, minCoverage: 0.6 });
      expect(of(lenient, looks(12, gap)).decision).to.equal('promote');
    });

    it('without a baseline where one is required', () => {
      const p = policy({ targets: { max_error_rate: 0.02 }, baseline: 'required' });
      expect(short(of(p, looks(12, healthy)))).to.equal('block undecided no_baseline null');
      const compared = looks(12, () => ({ canary: errors(1, 500), baseline: errors(1, 500) }));
      expect(of(p, compared).decision).to.equal('promote');
    });

    it('on too few requests, and says how many are missing', () => {
      const v = of(
        onErrors,
        looks(12, () => ({ canary: errors(0, 10) })),
      );
      expect(short(v)).to.equal('block undecided inconclusive error_rate');
      const { needed } = rate(v, 'error_rate');
      expect(needed?.requests).to.be.within(50, 400);
      expect(needed?.seconds).to.equal(needed!.requests / 2);
    });
  });

  describe('of an incident that hits both arms', () => {
    const p = policy({ targets: { max_error_rate: 0.02 } });
    const incident = (): Look => ({ canary: errors(40, 500), baseline: errors(400, 5000) });

    it('holds, and blocks at the end', () => {
      const all = looks(12, incident);
      const held = of(p, all.slice(0, 5));
      expect(short(held)).to.equal('continue undecided not_attributable error_rate');
      expect(rate(held, 'error_rate')).to.include({ attributable: 'no' });
      expect(rate(held, 'error_rate').rollback.against).to.equal(true);
      expect(short(of(p, all))).to.equal('block undecided not_attributable null');
    });

    it('rolls back when the canary is worse than the baseline', () => {
      const worse = looks(12, () => ({ canary: errors(120, 500), baseline: errors(400, 5000) }));
      const v = of(p, worse);
      expect(short(v)).to.equal('rollback certified evidence_against error_rate');
      expect(rate(v, 'error_rate')).to.include({ attributable: 'yes' });
      expect(rate(v, 'error_rate').baseline?.ratio).to.equal(3);
    });

    it('does not look at the baseline when told not to', () => {
      const v = of(policy({ targets: { max_error_rate: 0.02 }, baseline: 'none' }), looks(12, incident));
      expect(short(v)).to.equal('rollback certified evidence_against error_rate');
      expect(rate(v, 'error_rate')).to.deep.include({ attributable: 'unknown', baseline: null });
    });
  });

  describe('undecided at the end of the window', () => {
    const extend = policy({ targets: { max_error_rate: 0.02 }, onInconclusive: 'extend', maxWindowSeconds: 120 });

    it('goes on to maxWindowSeconds, and blocks there', () => {
      const all = looks(24, () => ({ canary: errors(1, 50) }));
      expect(of(extend, all.slice(0, 13)).decision).to.equal('continue');
      expect(of(extend, all.slice(0, 24)).decision).to.equal('continue');
      const v = of(extend, all);
      expect(short(v)).to.equal('block undecided inconclusive error_rate');
      expect(v).to.include({ elapsedSeconds: 120, savedSeconds: 0 });
    });

    it('promotes in the extension once certified, by evidence that holds at every look', () => {
      const v = of(
        extend,
        looks(24, () => ({ canary: errors(0, 25) })),
      );
      expect(short(v)).to.equal('promote certified certified_at_end null');
      expect(v.tick).to.be.within(12, 23);
      expect(rate(v, 'error_rate').promote.method).to.equal('e-process');
    });

    it('promotes uncertified when asked to, but only where every estimate meets its target', () => {
      const p = policy({ targets: { max_error_rate: 0.02 }, onInconclusive: 'promote' });
      const few = looks(12, (tick) => ({ canary: errors(tick % 6 === 0 ? 1 : 0, 10) }));
      expect(short(of(p, few))).to.equal('promote uncertified met_without_certificate null');
      const missed = looks(12, (tick) => ({ canary: errors(tick % 4 === 0 ? 1 : 0, 10) }));
      expect(short(of(p, missed))).to.equal('block undecided inconclusive error_rate');
      expect(
        of(
          p,
          looks(12, () => ({ canary: errors(0, 0) })),
        ).decision,
      ).to.equal('block');
      const blind = looks(12, (tick) => (tick < 9 ? { canary: errors(0, 10) } : { canary: without('unreachable') }));
      expect(of(p, blind).decision).to.equal('continue');
    });

    it('does not promote while the evidence speaks against the canary, whatever the estimate', () => {
      const p = policy({ targets: { max_error_rate: 0.02 }, onInconclusive: 'promote' });
      // Fine over the whole window, and clearly getting worse at its end.
      const worsening = looks(12, (tick) => ({ canary: errors(tick < 12 ? 0 : 5, 40) }));
      const v = of(p, worsening);
      expect(v.evidence.logE).to.be.within(0, v.evidence.logThreshold);
      expect(rate(v, 'error_rate').rate).to.be.lessThan(0.02);
      expect(v.decision).to.equal('block');
    });
  });

  describe('readings without counts', () => {
    const p = policy({ objectives: ['ttft_p95_ms < 800'] });
    const reads = (values: (number | null)[]) =>
      looks(values.length, (tick) => {
        const value = values[tick - 1];
        return { scalars: { ttft_p95_ms: value === null ? missing('absent') : scalar(value!) } };
      });
    const good = Array.from({ length: 12 }, () => 300);
    const read = (v: Verdict) => objective(v, 'ttft_p95_ms') as ReadingReport;

    it('promote when all of the window pass, without a promised error', () => {
      const v = of(p, reads(good));
      expect(short(v)).to.equal('promote uncertified met_without_certificate null');
      expect(read(v)).to.include({ readings: 12, missed: 0, failing: 0, met: true, last: 300 });
    });

    it('roll back after so many consecutive failures, and on no fewer', () => {
      const two = reads([300, 900, 900, 300, 900, 900, 300, 300, 300, 300, 300, 300]);
      expect(of(policy({ objectives: ['ttft_p95_ms < 800'], maxFailures: 1 }), two).decision).to.equal('promote');
      const v = of(p, reads([300, 900, 900, 800]));
      expect(short(v)).to.equal('rollback uncertified failing_readings ttft_p95_ms');
      expect(read(v)).to.include({ failing: 3, consecutiveFailing: 3, limit: 3, against: true });
      expect(of(policy({ objectives: ['ttft_p95_ms < 800'], maxConsecutiveFailures: 1 }), reads([900])).tick).to.equal(
        1,
      );
    });

    it('do not promote when one is missing that may not be, was never taken, or the newest fails', () => {
      const all = policy({ objectives: ['ttft_p95_ms < 800'], maxMissing: 0 });
      expect(of(all, reads(good.with(4, null as never))).decision).to.equal('block');
      const skipped = reads(good).filter(({ tick }) => tick !== 6);
      const v = of(all, skipped);
      expect(short(v)).to.equal('block undecided inconclusive ttft_p95_ms');
      expect(read(v)).to.include({ missed: 1, met: false });
      expect(v.ticks.gaps).to.equal(1);
      expect(of(p, reads(good.with(11, 900))).decision).to.equal('block');
    });

    it('are compared as the objective says', () => {
      const at = (rule: string, value: number) =>
        of(
          policy({ objectives: [rule], maxConsecutiveFailures: 1 }),
          looks(1, () => ({ scalars: { q: scalar(value) } })),
        );
      expect(['q < 1', 'q <= 1', 'q > 1', 'q >= 1'].map((r) => at(r, 1).decision)).to.deep.equal([
        'rollback',
        'continue',
        'rollback',
        'continue',
      ]);
    });

    it('stand in for counts under the same name, and only while there are no counts', () => {
      const targets = { latency_p95_ms: 200, max_error_rate: 0.02, max_drift: 0.2 };
      const stand = policy({ targets });
      const scalars = { latency_p95_ms: scalar(150), error_rate: scalar(0.01), drift: scalar(0.1) };
      const uncounted = (values: Look['scalars']) =>
        looks(12, () => ({ canary: without('absent'), scalars: values! })).map((o) =>
          o.tick === 0 ? { ...o, canary: without('absent') } : o,
        );
      const alone = of(stand, uncounted(scalars));
      expect(short(alone)).to.equal('promote uncertified met_without_certificate null');
      expect(alone.objectives.map((o) => `${o.type} ${o.name}`)).to.deep.equal([
        'reading latency_p95_ms',
        'reading error_rate',
        'reading drift',
      ]);
      const slow = { ...scalars, latency_p95_ms: scalar(201) };
      expect(short(of(stand, uncounted(slow)))).to.equal('rollback uncertified failing_readings latency_p95_ms');
      const counted = of(
        onErrors,
        looks(12, () => ({ canary: errors(1, 500), scalars: { error_rate: scalar(0.5) } })),
      );
      expect(short(counted)).to.equal('promote certified certified_at_end null');
    });

    it('named like members that every object has are missing all the same', () => {
      for (const name of ['constructor', '__proto__', 'toString']) {
        const v = of(
          policy({ objectives: [`${name} < 1`], windowSeconds: 20 }),
          looks(4, () => ({ scalars: {} })),
        );
        expect(v.decision).to.equal('block');
        expect((v.objectives[0] as ReadingReport).missing).to.equal(`absent: no reading named ${name}`);
      }
    });
  });

  describe('drift', () => {
    const p = policy({ targets: { max_drift: 0.15 } });
    const bounds = [0.25, 0.5, 0.75];
    const scores = (canary: number[], baseline: number[]): Look => ({
      canary: { score: histogram(bounds, canary) },
      baseline: { score: histogram(bounds, baseline) },
    });
    const drift = (v: Verdict) => objective(v, 'drift') as DriftReport;

    it('rolls back on a shifted distribution', () => {
      const v = of(
        p,
        looks(12, () => scores([20, 80, 200, 700], [250, 250, 250, 250])),
      );
      expect(short(v)).to.equal('rollback certified evidence_against drift');
      expect(v.tick).to.be.lessThan(12);
      expect(drift(v).value).to.be.greaterThan(0.15);
      expect(drift(v).rollback.against).to.equal(true);
    });

    it('promotes on one that agrees with the baseline', () => {
      const v = of(
        p,
        looks(12, (tick) => scores([250 + (tick % 3), 250, 249, 250], [250, 251, 250, 250])),
      );
      expect(short(v)).to.equal('promote certified certified_at_end null');
      expect(drift(v).promote).to.include({ method: 'normal', certified: true });
      expect(drift(v).promote.upper).to.be.lessThan(0.15);
    });

    it('is not hidden by good scores before it', () => {
      const late = looks(24, (tick) =>
        tick <= 17 ? scores([25, 25, 25, 25], [25, 25, 25, 25]) : scores([0, 0, 0, 100], [25, 25, 25, 25]),
      );
      const v = of(policy({ targets: { max_drift: 0.5 }, windowSeconds: 120 }), late);
      expect(short(v)).to.equal('rollback certified evidence_against drift');
      // Over the whole window the scores would still have met the target.
      expect(drift(v).value).to.be.lessThan(0.5);
    });

    it('does not take the noise of few scores for drift, nor for its absence', () => {
      const v = of(
        p,
        looks(12, (tick) => scores([tick % 2, 0, 0, 1], [0, 1, tick % 3, 0])),
      );
      expect(v.decision).to.equal('block');
      expect(drift(v).rollback.against).to.equal(false);
    });

    it('has no data without a baseline, and when buckets change', () => {
      const alone = of(
        p,
        looks(12, () => ({ canary: { score: histogram(bounds, [250, 250, 250, 250]) } })),
      );
      expect(drift(alone)).to.include({ hasData: false, missing: 'absent: baseline has no score histogram' });
      expect(alone.decision).to.equal('block');
      const changed = looks(12, (tick) => {
        const mine = tick < 6 ? bounds : [0.2, 0.4, 0.6];
        const counts = [250, 250, 250, 250];
        return { canary: { score: histogram(mine, counts) }, baseline: { score: histogram(mine, counts) } };
      });
      const v = of(p, changed);
      expect(v.decision).to.equal('continue');
      expect(drift(v).missing).to.match(/^invalid: score buckets changed/);
    });
  });

  describe('latency', () => {
    const p = policy({ targets: { latency_p95_ms: 150 } });
    const served = (counts: number[]): Look => ({ canary: { latency: histogram([100, 200], counts) } });
    const latency = (v: Verdict) => rate(v, 'latency_p95_ms');

    it('between two bucket bounds is neither surely slow nor surely fast', () => {
      const v = of(
        p,
        looks(12, () => served([300, 200, 0])),
      );
      expect(short(v)).to.equal('block undecided inconclusive latency_p95_ms');
      expect(latency(v).bad).to.equal(0);
      expect(latency(v).latency).to.include({ surelyAbove: 200, possiblyAbove: 100, exact: false });
      expect(latency(v).promote.upper).to.be.greaterThan(0.3);
    });

    it('above the next bound is slow', () => {
      const v = of(
        p,
        looks(12, () => served([300, 100, 100])),
      );
      expect(short(v)).to.equal('rollback certified evidence_against latency_p95_ms');
      expect(latency(v).bad).to.equal(100);
    });

    it('below the bound under the limit is fast', () => {
      const v = of(
        p,
        looks(12, () => served([495, 5, 0])),
      );
      expect(short(v)).to.equal('promote certified certified_at_end null');
      expect(latency(v).latency).to.deep.include({ quantile: 0.95, hung: 0, bucket: { lower: 0, upper: 100 } });
    });

    it('is exact where the limit is a bound', () => {
      const v = of(
        policy({ targets: { latency_p95_ms: 200 } }),
        looks(12, () => served([300, 195, 5])),
      );
      expect(v.decision).to.equal('promote');
      expect(latency(v).latency).to.include({ surelyAbove: 200, possiblyAbove: 200, exact: true });
    });

    it('of the median and of the slowest hundredth is judged by their own shares', () => {
      const targets = { latency_p50_ms: 100, latency_p99_ms: 200 };
      const v = of(
        policy({ targets }),
        looks(12, () => served([400, 99, 1])),
      );
      expect(v.objectives.map((o) => [o.name, (o as RateReport).p0])).to.deep.equal([
        ['latency_p50_ms', 0.5],
        ['latency_p99_ms', 0.01],
      ]);
      expect(v.decision).to.equal('promote');
    });

    it('of requests that hang counts before any histogram has them', () => {
      const hanging = looks(12, (tick) => {
        const served = tick === 1 ? [50, 0, 0] : [0, 0, 0];
        return { canary: { latency: histogram([100, 200], served), inflight: 40 } };
      });
      const v = of(p, hanging);
      expect(short(v)).to.equal('rollback certified evidence_against latency_p95_ms');
      expect(v.tick).to.equal(2);
      expect(latency(v)).to.include({ bad: 40, total: 90 });
      expect(latency(v).latency?.hung).to.equal(40);
    });

    it('of requests that hung and then completed is counted once', () => {
      const released = looks(3, (tick) => ({
        canary: { latency: histogram([100, 200], tick === 3 ? [0, 0, 2] : [1000, 0, 0]), inflight: tick === 3 ? 0 : 2 },
      }));
      const stuck = looks(2, (tick) => ({
        canary: { latency: histogram([100, 200], tick === 1 ? [1000, 0, 0] : [0, 0, 0]), inflight: 2 },
      }));
      const after = [...stuck, look(3, 15, 10, { canary: { latency: histogram([100, 200], [0, 0, 2]), inflight: 0 } })];
      expect(latency(of(p, stuck))).to.include({ bad: 2, total: 1002 });
      expect(latency(of(p, after))).to.include({ bad: 2, total: 1002 });
      expect(latency(of(p, released))).to.include({ bad: 2, total: 2002 });
    });

    it('of a busy service with requests in flight is not called hanging', () => {
      const busy = looks(12, () => ({ canary: { latency: histogram([100, 200], [490, 10, 0]), inflight: 30 } }));
      const v = of(p, busy);
      expect(v.decision).to.equal('promote');
      expect(latency(v).latency?.hung).to.equal(0);
    });
  });

  describe('without data', () => {
    const p = policy({ windowSeconds: 300, targets: { max_error_rate: 0.02 }, noDataSeconds: 30 });
    const silent = (state: Parameters<typeof without>[0]) => looks(60, () => ({ canary: without(state) }));

    it('blocks after noDataSeconds', () => {
      const all = silent('absent');
      expect(of(p, all.slice(0, 6)).decision).to.equal('continue');
      const v = of(p, all);
      expect(short(v)).to.equal('block undecided no_data null');
      expect(v).to.include({ tick: 6, elapsedSeconds: 30, savedSeconds: 270 });
      expect(v.noData).to.deep.equal({ since: START, seconds: 30, total: true, states: { error_rate: 'absent' } });
    });

    it('says whether the source was unreachable, refused us, or gave nothing', () => {
      expect(of(p, silent('unreachable')).reason).to.equal('source_unreachable');
      expect(of(p, silent('refused')).reason).to.equal('source_unreachable');
      for (const state of ['absent', 'stale', 'invalid', 'unchanged'] as const)
        expect(of(p, silent(state)).reason, state).to.equal('no_data');
    });

    it('blocks at once when no source is configured at all', () => {
      const v = of(p, [look(0, 0, 0, { canary: without('no_source') })]);
      expect(short(v)).to.equal('block undecided no_source null');
    });

    it('goes on protecting by what it has when a single objective has no source', () => {
      const mixed = policy({ targets: { max_error_rate: 0.02 }, objectives: ['ttft < 800'] });
      const scalars = { ttft: missing('no_source') };
      const bad = looks(12, (tick) => ({ canary: errors(tick < 6 ? 1 : 80, 500), scalars }));
      expect(short(of(mixed, bad))).to.equal('rollback certified evidence_against error_rate');
      const good = looks(12, () => ({ canary: errors(1, 500), scalars }));
      expect(short(of(mixed, good))).to.equal('block undecided no_source null');
    });

    it('counts from the last data, and starts anew when data is back', () => {
      const gap = (tick: number): Look => (tick === 4 ? healthy() : { canary: without('unreachable') });
      const v = of(p, looks(60, gap));
      expect(short(v)).to.equal('block undecided source_unreachable null');
      expect(v.elapsedSeconds).to.equal(50);
    });

    it('holds to the end of the window, or rolls back, when the policy says so', () => {
      const targets = { max_error_rate: 0.02, max_unavailable: 1 };
      const hold = policy({ targets, noDataSeconds: 30, onNoData: 'hold' });
      const v = of(hold, silent('absent'));
      expect(short(v)).to.equal('block undecided no_data null');
      expect(v.elapsedSeconds).to.equal(60);
      const back = (tick: number): Look => (tick < 9 ? { canary: without('unreachable') } : healthy());
      // The counters went on counting: the first look after the outage covers all of it.
      const all = looks(12, back).map((o) => (o.tick === 9 ? { ...o, from: START } : o));
      expect(of(hold, all).decision).to.equal('promote');
      const rollback = policy({ targets: { max_error_rate: 0.02 }, noDataSeconds: 30, onNoData: 'rollback' });
      expect(short(of(rollback, silent('unreachable')))).to.equal('rollback uncertified source_unreachable null');
    });
  });

  describe('of an input that ends', () => {
    const end = (tick: number, seconds: number): Observation =>
      look(tick, seconds, seconds, { canary: without('ended') });

    it('decides then: promotes when it covered the window', () => {
      const all = [...looks(12, healthy).slice(0, 12), look(12, 59, 55, healthy()), end(13, 59)];
      expect(short(of(onErrors, all))).to.equal('promote certified certified_at_end null');
    });

    it('blocks when it ended well before the window', () => {
      const v = of(onErrors, [...looks(6, healthy), end(7, 30)]);
      expect(short(v)).to.equal('block undecided coverage null');
      expect(v.coverage).to.equal(0.5);
    });

    it('does not extend: nothing more will come', () => {
      const p = policy({ targets: { max_error_rate: 0.02 }, onInconclusive: 'extend' });
      const all = [...looks(11, () => ({ canary: errors(0, 5) })), end(12, 55)];
      expect(short(of(p, all))).to.equal('block undecided inconclusive error_rate');
    });

    it('does not count the end itself as a missing reading', () => {
      const p = policy({ objectives: ['q < 1'] });
      const all = [...looks(11, () => ({ scalars: { q: scalar(0) } })), end(12, 55)];
      const v = of(p, all);
      expect(v.objectives[0]).to.include({ missed: 0, met: true, missing: 'ended' });
      expect(short(v)).to.equal('promote uncertified met_without_certificate null');
    });

    it('blocks when it held nothing', () => {
      expect(short(of(onErrors, [end(1, 0)]))).to.equal('block undecided no_data null');
    });
  });

  describe('against the baseline', () => {
    const p = policy({ targets: { max_error_rate: 0.2 }, relative: { max_error_ratio: 1.5 } });

    it('rolls back a canary much worse than it, though the target is met', () => {
      const v = of(
        p,
        looks(12, () => ({ canary: errors(60, 1000), baseline: errors(10, 1000) })),
      );
      expect(short(v)).to.equal('rollback certified evidence_against error_ratio');
      expect(rate(v, 'error_ratio').baseline?.ratio).to.equal(6);
    });

    it('promotes one that is as good', () => {
      const v = of(
        p,
        looks(12, () => ({ canary: errors(50, 2000), baseline: errors(50, 2000) })),
      );
      expect(short(v)).to.equal('promote certified certified_at_end null');
    });

    it('blocks when the baseline is not there', () => {
      const v = of(
        p,
        looks(12, () => ({ canary: errors(50, 2000) })),
      );
      expect(short(v)).to.equal('block undecided no_data null');
      expect(rate(v, 'error_ratio').missing).to.equal('absent: no baseline to compare with');
    });

    it('compares slow requests by the same limit', () => {
      const slow = policy({ targets: { latency_p95_ms: 200 }, relative: { max_slow_ratio: 2 } });
      const arm = (n: number) => ({ latency: histogram([200], [1000 - n, n]) });
      const v = of(
        slow,
        looks(12, () => ({ canary: arm(40), baseline: arm(4) })),
      );
      expect(short(v)).to.equal('rollback certified evidence_against slow_ratio');
    });
  });

  describe('as a fold', () => {
    it('rules at every look as if it had begun with it', () => {
      const all = looks(12, (tick) => ({ canary: errors(tick < 8 ? 4 : 40, 500), baseline: errors(3, 500) }));
      const j = begin(onErrors, START);
      for (const [i, observation] of all.entries()) {
        observe(j, observation);
        const { decision, reason } = of(onErrors, all.slice(0, i + 1));
        expect(rule(j, observation.t)).to.deep.include({ decision, reason });
        if (decision !== 'continue') break;
      }
    });

    it('counts looks that nobody took, and resets in both arms', () => {
      const all = looks(12, () => ({
        canary: { ...errors(1, 500), resets: 1 },
        baseline: { ...errors(1, 500), resets: 2 },
      }));
      const v = of(
        onErrors,
        all.filter(({ tick }) => tick % 4 !== 2),
      );
      expect(v.ticks).to.include({ looked: 9, gaps: 3, resets: 27 });
    });

    it('says how it stands before the first look', () => {
      expect(short(of(onErrors, []))).to.equal('continue undecided watching null');
      expect(short(of(onErrors, [], START + 90_000))).to.equal('block undecided no_data null');
    });
  });
});
