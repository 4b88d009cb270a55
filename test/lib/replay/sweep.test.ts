import { expect } from 'chai';
import fc from 'fast-check';
import { LukhasError } from '../../../src/lib/errors.js';
import type { Observation } from '../../../src/lib/judge/observation.js';
import { counterfactualPolicy } from '../../../src/lib/replay/change-policy.js';
import { outcomeUnder } from '../../../src/lib/replay/outcome-under.js';
import type { Recording } from '../../../src/lib/replay/recording.js';
import { replay } from '../../../src/lib/replay/replay.js';
import type { Sweep } from '../../../src/lib/replay/result.js';
import { type Replayed, sweep } from '../../../src/lib/replay/sweep.js';
import { parseAxis } from '../../../src/lib/replay/sweep-axes.js';
import { threadsFor } from '../../../src/lib/replay/sweep-pool.js';
import { errors, looks, policy } from '../judge/looks.js';
import { recorded, request } from './recordings.js';

/** So many errors in 500 requests at each of twelve looks, recorded to the end of a lenient window. */
function canary(bad: number, canaryId = `c-${bad}`): Recording {
  const lenient = policy({ targets: { max_error_rate: 0.5 } });
  return recorded(
    lenient,
    looks(12, () => ({ canary: errors(bad, 500) })),
    { canaryId },
  );
}

async function sweptBy(recordings: readonly Recording[], ...axes: string[]): Promise<Sweep> {
  const { result } = await replay(recordings, request({ axes: axes.map(parseAxis) }));
  return result.sweep as Sweep;
}

async function observationsOf(recording: Recording): Promise<Observation[]> {
  const observations: Observation[] = [];
  for await (const line of recording.lines()) observations.push(JSON.parse(line));
  return observations;
}

const asReplayed = (recording: Recording): Replayed => ({ recording, outcome: 'promote', count: 13 });

describe('a sweep', () => {
  it('reads ranges with both ends, and lists', () => {
    expect(parseAxis('targets.max_error_rate=0.01:0.05:0.005')).to.deep.equal({
      path: 'targets.max_error_rate',
      values: [0.01, 0.015, 0.02, 0.025, 0.03, 0.035, 0.04, 0.045, 0.05],
    });
    expect(parseAxis('targets.latency_p95_ms=300,200,250,200').values).to.deep.equal([200, 250, 300]);
    expect(parseAxis('windowSeconds=60:100:30').values).to.deep.equal([60, 90]);
    expect(parseAxis('windowSeconds=60:60:1').values).to.deep.equal([60]);
  });

  for (const text of [
    'a',
    'a=',
    'a=1,x',
    'a=1:2',
    'a=1:2:3:4',
    'a=2:1:1',
    'a=1:2:0',
    'a=1:2:1e-9',
    'intervalSeconds=1,2',
  ]) {
    it(`refuses ${text}`, () => {
      expect(() => parseAxis(text)).to.throw(LukhasError, /--sweep/);
    });
  }

  it('gives every combination, the last axis fastest, with what each canary would have come to', async () => {
    const recordings = [canary(2), canary(12), canary(60)];
    const { axes, cells, flipPoints } = await sweptBy(
      recordings,
      'targets.max_error_rate=0.01:0.2:0.095',
      'alpha.rollback=0.01,0.1',
    );
    expect(axes.map(({ path }) => path)).to.deep.equal(['targets.max_error_rate', 'alpha.rollback']);
    expect(cells.map(({ values }) => values)).to.deep.equal([
      [0.01, 0.01],
      [0.01, 0.1],
      [0.105, 0.01],
      [0.105, 0.1],
      [0.2, 0.01],
      [0.2, 0.1],
    ]);
    expect(flipPoints).to.deep.equal([]);
    for (const { values, outcomes, flips } of cells) {
      const expected = { promote: 0, rollback: 0, block: 0, insufficient: 0 };
      for (const recording of recordings) {
        const settings = axes.map(({ path }, i) => ({ path, value: values[i] }));
        const p = counterfactualPolicy(null, recording.own, settings);
        expected[outcomeUnder(p, recording, await observationsOf(recording))]++;
      }
      expect(outcomes).to.deep.equal(expected);
      // All of them were promoted.
      expect(flips).to.equal(expected.rollback + expected.block);
    }
    expect(cells[0]?.flips).to.equal(2);
    expect(cells[5]?.flips).to.equal(0);
  });

  it('finds the exact values at which one verdict changes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 3, max: 60 }), async (bad) => {
        const recording = canary(bad);
        const { flipPoints } = await sweptBy([recording], 'targets.max_error_rate=0.001,0.4');
        const seen = await observationsOf(recording);
        const outcomeAt = (value: number) =>
          outcomeUnder(
            counterfactualPolicy(null, recording.own, [{ path: 'targets.max_error_rate', value }]),
            recording,
            seen,
          );
        expect(flipPoints.length).to.be.greaterThan(0);
        for (const { below, above, from, to } of flipPoints) {
          expect([outcomeAt(below), outcomeAt(above)]).to.deep.equal([from, to]);
          // Nothing of 12 digits lies between.
          const half = Number(((below + above) / 2).toPrecision(12));
          expect([below, above]).to.include(half);
        }
        // From one end to the other without a break.
        expect(flipPoints[0]?.from).to.equal('rollback');
        expect(flipPoints.at(-1)?.to).to.equal('promote');
        for (const [i, { from }] of flipPoints.entries()) if (i > 0) expect(from).to.equal(flipPoints[i - 1]?.to);
      }),
      { numRuns: 15 },
    );
  });

  it('finds the whole number for a key that takes only those', async () => {
    const own = policy({ objectives: ['ttft < 800'], maxConsecutiveFailures: 20, maxFailures: 1 });
    const failing = looks(12, (tick) => ({
      canary: {},
      scalars: { ttft: { state: 'ok', value: tick > 2 && tick < 10 ? 900 : 100 } },
    }));
    const { flipPoints } = await sweptBy([recorded(own, failing)], 'maxConsecutiveFailures=1,20');
    expect(flipPoints).to.deep.equal([
      { path: 'maxConsecutiveFailures', below: 7, above: 8, from: 'rollback', to: 'promote' },
    ]);
  });

  it('comes to the same in threads as without them', async () => {
    const canaries = Array.from({ length: 40 }, (_, i) => asReplayed(canary(i * 2)));
    const asked = { axes: [parseAxis('targets.max_error_rate=0.01:0.2:0.01')], given: null, settings: [] };
    const inline = await sweep(canaries, { ...asked, threads: 0 });
    const threaded = await sweep(canaries, { ...asked, threads: 2 });
    expect(threaded).to.deep.equal(inline);
    // One canary under so many policies that they are shared out.
    const fine = { ...asked, axes: [parseAxis('targets.max_error_rate=0.00001:0.04:0.00001')] };
    expect(await sweep(canaries.slice(30, 31), { ...fine, threads: 2 })).to.deep.equal(
      await sweep(canaries.slice(30, 31), { ...fine, threads: 0 }),
    );
    expect(inline.cells.reduce((sum, { outcomes }) => sum + outcomes.rollback, 0)).to.be.greaterThan(100);
  });

  it('tells of a thread that cannot judge instead of waiting for it', async () => {
    const broken = {
      ...canary(1),
      lines: async function* () {
        yield 'not JSON';
      },
    };
    const asked = { axes: [parseAxis('targets.max_error_rate=0.1,0.2')], given: null, settings: [], threads: 1 };
    const error = await sweep([asReplayed(broken)], asked).then(
      () => null,
      (e: Error) => e,
    );
    expect(error?.message).to.match(/JSON/);
  });

  it('starts threads only for work that is worth them', () => {
    expect(threadsFor(1000)).to.equal(0);
    expect(threadsFor(1e9)).to.not.equal(1);
    expect(threadsFor(1e9)).to.be.at.most(8);
  });

  it('refuses values that make no policy, and more than it could show', async () => {
    const refusal = (...axes: string[]) =>
      sweptBy([canary(1)], ...axes).then(
        () => 'none',
        (e: Error) => e.message,
      );
    expect(await refusal('targets.max_eror_rate=0.1,0.2')).to.match(/--sweep: targets\.max_eror_rate.*did you mean/);
    expect(await refusal('targets.max_error_rate=0.1,2')).to.match(/between 0 and 1/);
    expect(await refusal('alpha.rollback=0.01,0.02', 'alpha.rollback=0.01')).to.match(/given twice/);
    expect(await refusal('alpha.rollback=0.001:0.4:0.001', 'alpha.promote=0.001:0.4:0.001')).to.match(/too many/);
  });
});
