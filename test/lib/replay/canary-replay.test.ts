import { expect } from 'chai';
import fc from 'fast-check';
import type { Observation } from '../../../src/lib/judge/observation.js';
import type { Policy } from '../../../src/lib/judge/policy.js';
import { judge } from '../../../src/lib/judge/report.js';
import { canonicalJson } from '../../../src/lib/ledger/tree/canonical.js';
import { replayCanary } from '../../../src/lib/replay/canary-replay.js';
import { counterfactualPolicy } from '../../../src/lib/replay/change-policy.js';
import { outcomeUnder } from '../../../src/lib/replay/outcome-under.js';
import type { Outcome } from '../../../src/lib/replay/result.js';
import { cases } from '../../cases.js';
import { observations as anyObservations, policies } from '../judge/arbitrary.js';
import { errors, histogram, looks, policy, START, scalar } from '../judge/looks.js';
import { refusal } from '../refusal.js';
import { linesOf, recorded } from './recordings.js';

const LIMIT = { targets: { max_error_rate: 0.02 } };
const own = policy(LIMIT);
const healthy = looks(12, () => ({ canary: errors(1, 500) }));
/** 4% from the start: rolled back at 2%, kept at 5%. */
const poor = looks(12, () => ({ canary: errors(20, 500) }));

/** As `--set` changes it. */
const changed = (path: string, value: unknown) => counterfactualPolicy(null, own, [{ path, value }]);

describe('a replay of one canary', () => {
  it('gives the recorded verdict under its own policy, whatever it was and whatever was observed', async () => {
    const ends = new Set<Outcome>();
    await fc.assert(
      fc.asyncProperty(policies, anyObservations, async (p, observations) => {
        const recording = recorded(p, observations);
        const { original, counterfactual, divergence, flips, difference } = await replayCanary(recording, p);
        const lived = judge(p, START, observations);
        const seen = counterfactual.verdict;
        expect(divergence).to.equal(null);
        if (lived.decision === 'continue') {
          expect([original.outcome, counterfactual.outcome, flips]).to.deep.equal([
            'insufficient',
            'insufficient',
            null,
          ]);
          return;
        }
        expect(canonicalJson(seen)).to.equal(canonicalJson(recording.decided?.verdict));
        expect(counterfactual.outcome).to.equal(lived.decision);
        expect(flips).to.equal(false);
        expect(difference?.seconds).to.equal(0);
        ends.add(counterfactual.outcome);
      }),
      { numRuns: cases(300, 100) },
    );
    expect([...ends].sort()).to.deep.equal(['block', 'promote', 'rollback']);
  });

  it('judges under another policy as that policy would have been judged live, or says that it cannot know', async () => {
    let known = 0;
    await fc.assert(
      fc.asyncProperty(policies, policies, anyObservations, async (p, q, observations) => {
        const recording = recorded(p, observations);
        const other: Policy = { ...q, intervalSeconds: p.intervalSeconds };
        const { counterfactual, divergence } = await replayCanary(recording, q);
        const kept: Observation[] = [];
        for await (const line of recording.lines()) kept.push(JSON.parse(line));
        expect(counterfactual.outcome).to.equal(outcomeUnder(q, recording, kept));
        if (counterfactual.outcome === 'insufficient') {
          expect(counterfactual.lacking).to.be.a('string');
          return;
        }
        known++;
        expect(counterfactual.verdict).to.deep.equal(judge(other, START, kept));
        // The first to decide is where they part.
        const first = Math.min(recording.decided?.verdict.tick ?? Infinity, counterfactual.verdict?.tick ?? Infinity);
        if (divergence) expect(divergence.tick).to.equal(first);
      }),
      { numRuns: cases(300, 100) },
    );
    expect(known).to.be.greaterThan(cases(50, 15));
  });

  it('judges both as each alone would be, though what they judge alike is computed once', async () => {
    let parted = 0;
    await fc.assert(
      fc.asyncProperty(policies, fc.constantFrom(0.0001, 0.5), anyObservations, async (any, rate, observations) => {
        const p: Policy = { ...any, targets: { ...any.targets, max_error_rate: 0.05 } };
        const q: Policy = { ...p, targets: { ...p.targets, max_error_rate: rate } };
        const lines = observations.map((observation) => JSON.stringify(observation));
        // As they are read back: without -0.
        const kept = lines.map((line) => JSON.parse(line) as Observation);
        const open = { decided: null, undecided: null, lines: () => linesOf(lines) };
        const { original, counterfactual, divergence } = await replayCanary(recorded(p, observations, open), q);
        expect(original.verdict).to.deep.equal(kept.length === 0 ? null : judge(p, START, kept));
        if (counterfactual.verdict !== null) expect(counterfactual.verdict).to.deep.equal(judge(q, START, kept));
        if (divergence) parted++;
      }),
      // About 1 in 20 parts: none of these would in three million runs of the test.
      { numRuns: 300 },
    );
    expect(parted).to.be.greaterThan(0);
  });

  it('tells where they part with the numbers there, and what a stricter policy would have spared', async () => {
    const lenient = policy({ targets: { max_error_rate: 0.1 } });
    const strict = policy(LIMIT);
    const replayed = await replayCanary(recorded(lenient, poor), strict);
    const { original, counterfactual, divergence, difference } = replayed;
    expect([original.outcome, counterfactual.outcome, replayed.flips]).to.deep.equal(['promote', 'rollback', true]);
    const tick = counterfactual.verdict?.tick as number;
    expect(tick).to.be.lessThan(12);
    expect(divergence?.tick).to.equal(tick);
    expect(divergence?.original.decision).to.equal('continue');
    expect(divergence?.counterfactual).to.deep.equal(counterfactual.verdict);
    expect(divergence?.original.objectives[0]).to.include({ bad: 20 * tick, total: 500 * tick });
    const looksBetween = 12 - tick;
    expect(difference).to.deep.equal({
      seconds: -5 * looksBetween,
      requests: 500 * looksBetween,
      badRequests: 20 * looksBetween,
    });
  });

  it('does not count requests where readings are missing in between', async () => {
    const lenient = policy({ targets: { max_error_rate: 0.1 }, minCoverage: 0.5 });
    const holed = looks(12, (tick) => (tick === 9 ? {} : { canary: errors(20, 500) }));
    const late = holed.map((o) => (o.tick === 10 ? { ...o, from: o.t - 5000 } : o));
    const { difference } = await replayCanary(recorded(lenient, late), policy(LIMIT));
    expect(difference).to.include({ requests: null, badRequests: null });
    expect(difference?.seconds).to.be.lessThan(0);
    // A reading that covers the hole makes up for it.
    const caught = holed.map((o) => (o.tick === 10 ? { ...o, from: o.t - 10_000 } : o));
    expect((await replayCanary(recorded(lenient, caught), policy(LIMIT))).difference?.requests).to.be.greaterThan(0);
  });

  it('counts requests by latencies where errors are not measured, and then no failed ones', async () => {
    const slow = looks(12, () => ({ canary: { latency: histogram([100, 200], [400, 60, 40]) } }));
    const lenient = policy({ targets: { latency_p50_ms: 200 } });
    const strict = policy({ targets: { latency_p95_ms: 100 } });
    const { flips, difference } = await replayCanary(recorded(lenient, slow), strict);
    expect(flips).to.equal(true);
    expect((difference?.requests as number) % 500).to.equal(0);
    expect(difference?.badRequests).to.equal(null);
  });

  it('does not know how a longer window would have ended', async () => {
    const { counterfactual, flips, difference } = await replayCanary(
      recorded(own, healthy),
      changed('windowSeconds', 90),
    );
    expect(counterfactual.outcome).to.equal('insufficient');
    expect(counterfactual.lacking).to.match(/window ends 90 s after the start, but the records end after 60 s/);
    expect([flips, difference]).to.deep.equal([null, null]);
  });

  it('does not know what a policy with an extension would have seen in it', async () => {
    const thin = looks(12, () => ({ canary: errors(0, 5) }));
    const { original, counterfactual } = await replayCanary(recorded(own, thin), changed('onInconclusive', 'extend'));
    expect(original.outcome).to.equal('block');
    expect(counterfactual.lacking).to.match(/window ends 180 s/);
  });

  it('does not know what a laxer policy would have made of a canary that was rolled back', async () => {
    const replayed = await replayCanary(recorded(own, poor), changed('targets.max_error_rate', 0.1));
    expect(replayed.counterfactual.lacking).to.match(/when it was rolled back/);
    expect(replayed.divergence?.original.decision).to.equal('rollback');
    expect(replayed.divergence?.counterfactual.decision).to.equal('continue');
  });

  for (const [input, lacking] of [
    [{ targets: { max_error_rate: 0.02, max_drift: 0.15 } }, /targets\.max_drift needs scores/],
    [{ targets: { latency_p95_ms: 250 } }, /targets\.latency_p95_ms needs latencies/],
    [{ ...LIMIT, relative: { max_error_ratio: 2 } }, /relative\.max_error_ratio needs a baseline/],
    [{ ...LIMIT, baseline: 'required' }, /baseline needs a baseline/],
    [{ ...LIMIT, objectives: ['ttft < 800'] }, /objectives needs readings named ttft/],
  ] as const) {
    it(`does not make up what was never recorded: ${JSON.stringify(input)}`, async () => {
      const bare = healthy.map(({ baseline: _, ...o }) => ({ ...o, canary: { errors: o.canary.errors! } }));
      const { counterfactual, divergence } = await replayCanary(recorded(own, bare), policy(input));
      expect(counterfactual.outcome).to.equal('insufficient');
      expect(counterfactual.lacking).to.match(lacking);
      expect(counterfactual.lacking).to.match(/never recorded/);
      expect([counterfactual.verdict, divergence]).to.deep.equal([null, null]);
    });
  }

  it('takes a reading of the same meaning for counts', async () => {
    const readings = looks(12, () => ({ canary: errors(1, 500), scalars: { latency_p95_ms: scalar(120) } })).map(
      (o) => ({
        ...o,
        canary: { errors: o.canary.errors! },
      }),
    );
    const { counterfactual } = await replayCanary(
      recorded(own, readings),
      policy({ targets: { latency_p95_ms: 250 } }),
    );
    expect(counterfactual.verdict).to.include({ decision: 'promote', certainty: 'uncertified' });
  });

  it('judges a signal that was asked for and not there as it would have been judged', async () => {
    const absent = looks(12, () => ({ canary: { ...errors(1, 500), score: { state: 'absent' } }, baseline: {} }));
    const { counterfactual } = await replayCanary(
      recorded(own, absent),
      policy({ targets: { max_error_rate: 0.02, max_drift: 0.1 } }),
    );
    expect(counterfactual.outcome).to.equal('block');
  });

  it('replays the looks that were recorded, whatever the other policy looks at', async () => {
    const often = policy({ ...LIMIT, intervalSeconds: 1, objectives: ['ttft < 800'] });
    const readings = looks(12, () => ({ canary: errors(1, 500), scalars: { ttft: scalar(300) } }));
    const { counterfactual } = await replayCanary(recorded(own, readings), often);
    expect(counterfactual.outcome).to.equal('promote');
    expect(counterfactual.verdict?.ticks.gaps).to.equal(0);
    expect(counterfactual.policy.intervalSeconds).to.equal(5);
  });

  it('knows the verdict of a canary whose observations are pruned, and nothing more', async () => {
    const entry = { seq: 7, ts: '2026-11-30T03:00:00.000Z' };
    const pruned = recorded(own, healthy, { lines: () => linesOf([]), pruned: entry });
    const { original, counterfactual, flips, observations } = await replayCanary(pruned, own);
    expect([original.outcome, counterfactual.outcome, flips]).to.deep.equal(['promote', 'insufficient', null]);
    expect(counterfactual.lacking).to.match(/13 observations were pruned on 2026-11-30 by retention \(entry 7\)/);
    expect(observations).to.include({ count: 0, verified: false });
    const gone = recorded(own, healthy, { lines: () => linesOf([]) });
    expect((await refusal(replayCanary(gone, own))).code).to.equal('VERIFICATION');
  });

  it('refuses observations other than those that were judged', async () => {
    const recording = recorded(own, healthy);
    const lines: string[] = [];
    for await (const line of recording.lines()) lines.push(line);
    const better = lines.map((line) => line.replace('"bad":1', '"bad":0'));
    for (const other of [better, lines.slice(1), lines.slice(0, -1)]) {
      const error = await refusal(replayCanary({ ...recording, lines: () => linesOf(other) }, own));
      expect([error.code, error.exit]).to.deep.equal(['VERIFICATION', 7]);
    }
    // What came after the verdict is not covered by it, and not judged.
    const more = [...lines, canonicalJson({ ...(healthy[12] as Observation), tick: 13 })];
    const { observations } = await replayCanary({ ...recording, lines: () => linesOf(more) }, own);
    expect(observations).to.deep.equal({ count: 13, digest: recording.decided?.digest, verified: true });
  });

  it('refuses a verdict that its observations do not give', async () => {
    const recording = recorded(own, poor);
    const decided = recording.decided as NonNullable<typeof recording.decided>;
    const forged = { ...decided, verdict: { ...decided.verdict, decision: 'promote' as const } };
    const error = await refusal(replayCanary({ ...recording, decided: forged }, own));
    expect(error.code).to.equal('VERIFICATION');
    expect(error.message).to.match(/c-1: .*promote.* is not what its observations give/);
  });

  it('keeps what a person decided apart from what the judge said', async () => {
    const thin = looks(12, () => ({ canary: errors(0, 5) }));
    const recording = recorded(own, thin, { overridden: 'promoted by ana: seen in the lab' });
    const { original, counterfactual } = await replayCanary(recording, own);
    expect(original).to.include({ outcome: 'block', overridden: 'promoted by ana: seen in the lab' });
    expect(counterfactual.overridden).to.equal(null);
  });

  it('says when an aborted canary would have been decided', async () => {
    const aborted = recorded(
      own,
      looks(6, () => ({ canary: errors(14, 500) })),
      {
        undecided: 'it was aborted before it was decided',
        overridden: 'aborted by ana: enough',
      },
    );
    const { original, counterfactual, flips } = await replayCanary(aborted, changed('targets.max_error_rate', 0.005));
    expect(original).to.include({ outcome: 'insufficient', lacking: 'it was aborted before it was decided' });
    expect(original.verdict?.decision).to.equal('continue');
    expect([counterfactual.outcome, flips]).to.deep.equal(['rollback', null]);
  });
});
