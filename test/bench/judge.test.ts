import { expect } from 'chai';
import { poisson, uniform } from '../../bench/canaries/random.js';
import { SCENARIOS, type Scenario, type Trial, trials } from '../../bench/canaries/scenarios.js';
import { drawTraffic, shareBad, type Traffic } from '../../bench/canaries/traffic.js';
import { simulate } from '../../bench/judge.js';
import { argo } from '../../bench/peers/argo.js';
import { flagger } from '../../bench/peers/flagger.js';
import { kayenta } from '../../bench/peers/kayenta.js';
import { lukhas } from '../../bench/peers/lukhas.js';

/** Traffic of 168 s with the given bad and all requests each second. */
function traffic(each: (second: number) => [bad: number, total: number]): Traffic {
  const seconds = Array.from({ length: 168 }, (_, s) => each(s));
  const running = (values: number[]) => {
    let sum = 0;
    return Float64Array.from([0, ...values.map((value) => (sum += value))]);
  };
  return { bad: running(seconds.map(([bad]) => bad)), total: running(seconds.map(([, total]) => total)) };
}

function trial(canary: Traffic): Trial {
  return { signal: 'errors', canary, baseline: { atTarget: noisy(0.02), atHalf: noisy(0.01) } };
}

function noisy(rate: number): Traffic {
  return drawTraffic({ rps: 100, rate: () => rate, batch: 1 }, 168, uniform(5));
}

/** Bad in exactly these spans of seconds, and not at all otherwise. */
function badIn(...spans: [from: number, to: number][]): Traffic {
  return traffic((s) => [spans.some(([from, to]) => s >= from && s < to) ? 10 : 0, 100]);
}

describe('benchmark of the judge: simulated traffic', () => {
  for (const mean of [0.2, 3, 80, 5000])
    it(`draws Poisson counts of mean ${mean} with the right probabilities`, () => {
      const draws = 40_000;
      const random = uniform(11, mean * 10);
      const seen = new Map<number, number>();
      for (let i = 0; i < draws; i++) {
        const k = poisson(mean)(random);
        seen.set(k, (seen.get(k) ?? 0) + 1);
      }
      // Chi-square over ten bins of neighbouring counts; 27.9 is exceeded once in a thousand seeds at 9 degrees.
      const bins = Array.from({ length: 10 }, () => ({ expected: 0, observed: 0 }));
      let [log, below] = [-mean, 0];
      for (let k = 0; k < mean + 20 * Math.sqrt(mean) + 20; k++) {
        if (k > 0) log += Math.log(mean / k);
        const bin = bins[Math.min(9, Math.floor(below * 10))]!;
        bin.expected += draws * Math.exp(log);
        bin.observed += seen.get(k) ?? 0;
        below += Math.exp(log);
      }
      const used = bins.filter(({ expected }) => expected > 5);
      expect(used.reduce((sum, { observed }) => sum + observed, 0)).to.be.at.least(draws - 20);
      expect(used.reduce((sum, { expected, observed }) => sum + (observed - expected) ** 2 / expected, 0)).to.be.below(
        27.9,
      );
    });

  it('repeats itself with the same seeds, and only then', () => {
    const first = (seed: number) => trials(SCENARIOS[1]!, seed, 3).next().value as Trial;
    expect(first(1)).to.deep.equal(first(1));
    expect(first(1)).to.not.deep.equal(first(2));
  });

  it('turns bad when the scenario says so, and shares fates within a batch', () => {
    const rate = (s: number) => (s < 60 ? 0 : 0.5);
    const drawn = drawTraffic({ rps: 100, rate, batch: 10 }, 120, uniform(2));
    expect(shareBad(drawn, 0, 60)).to.equal(0);
    expect(shareBad(drawn, 60, 120)).to.be.closeTo(0.5, 0.1);
    for (let s = 0; s <= 120; s++) expect([drawn.bad[s]! % 10, drawn.total[s]! % 10]).to.deep.equal([0, 0]);
  });
});

describe('benchmark of the judge: the peers by their rules', () => {
  const decided = (contender: { judge(trial: Trial): object }, canary: Traffic) => contender.judge(trial(canary));

  it('Argo ends with the first failed measurement beyond the limit', () => {
    expect(decided(argo('argo', 5, 0), badIn([20, 25]))).to.deep.equal({ decision: 'rolled back', seconds: 25 });
    expect(decided(argo('argo', 5, 1), badIn([20, 25]))).to.deep.equal({ decision: 'promoted', seconds: 120 });
    expect(decided(argo('argo', 5, 1), badIn([20, 25], [80, 85]))).to.deep.equal({
      decision: 'rolled back',
      seconds: 85,
    });
  });

  it('Argo: a reading at the limit passes, and so does one without requests', () => {
    const atLimit = traffic((s) => (s < 60 ? [2, 100] : [0, 0]));
    expect(decided(argo('argo', 5, 0), atLimit)).to.deep.equal({ decision: 'promoted', seconds: 120 });
  });

  it('Argo: a range of a minute remembers what is over', () => {
    expect(decided(argo('argo', 60, 3), badIn([0, 15]))).to.deep.equal({ decision: 'rolled back', seconds: 20 });
  });

  it('Flagger walks through the window when every check passes, and a failed check costs it a tick', () => {
    expect(decided(flagger(), badIn())).to.deep.equal({ decision: 'promoted', seconds: 120 });
    expect(decided(flagger(), badIn([0, 48]))).to.deep.equal({ decision: 'promoted', seconds: 168 });
  });

  it('Flagger rolls back a tick after the fifth failed check, however far apart they are', () => {
    expect(decided(flagger(), badIn([0, 168]))).to.deep.equal({ decision: 'rolled back', seconds: 72 });
    const apart = badIn([0, 12], [24, 36], [48, 60], [72, 84], [96, 108]);
    expect(decided(flagger(), apart)).to.deep.equal({ decision: 'rolled back', seconds: 120 });
  });

  it('Flagger counts a reading without values as a failed check', () => {
    expect(
      decided(
        flagger(),
        traffic(() => [0, 0]),
      ),
    ).to.deep.equal({ decision: 'rolled back', seconds: 72 });
  });

  it('Kayenta compares with the baseline it is given, at the end, and passes what was bad half of the time', () => {
    const judges = [kayenta('1x', 'atTarget', ''), kayenta('0.5x', 'atHalf', '')] as const;
    const constant = (rate: number) => drawTraffic({ rps: 100, rate: () => rate, batch: 1 }, 168, uniform(9));
    expect(judges.map((judge) => decided(judge, constant(0.08)))).to.deep.equal([
      { decision: 'rolled back', seconds: 120 },
      { decision: 'rolled back', seconds: 120 },
    ]);
    expect(judges.map((judge) => decided(judge, constant(0.02)))).to.deep.equal([
      { decision: 'promoted', seconds: 120 },
      { decision: 'rolled back', seconds: 120 },
    ]);
    const late = drawTraffic({ rps: 100, rate: (s) => (s < 60 ? 0.005 : 0.08), batch: 1 }, 168, uniform(9));
    expect(decided(judges[0], late)).to.deep.equal({ decision: 'promoted', seconds: 120 });
  });
});

describe('benchmark of the judge: comparison', () => {
  const fourfold: Scenario = { name: 'x', signal: 'errors', rps: 100, factor: () => 4, batch: 1, badFrom: 0 };
  const ours = lukhas('ours', {}, '');

  it('rolls back what is clearly bad at the first tick, certifies what is clearly good, blocks what it cannot tell', () => {
    const judged = (bad: number, total: number) => ours.judge(trial(traffic(() => [bad, total])));
    expect(judged(8, 100)).to.deep.equal({ decision: 'rolled back', seconds: 5 });
    expect(judged(0, 100)).to.deep.equal({ decision: 'promoted', seconds: 120 });
    expect(judged(0, 1)).to.deep.equal({ decision: 'undecided', seconds: 120 });
  });

  it('judges slow requests by the latency objective', () => {
    const slow = { ...trial(traffic(() => [20, 100])), signal: 'latency' as const };
    expect(ours.judge(slow)).to.deep.equal({ decision: 'rolled back', seconds: 5 });
    const fast = { ...trial(traffic(() => [3, 100])), signal: 'latency' as const };
    expect(ours.judge(fast)).to.deep.equal({ decision: 'promoted', seconds: 120 });
  });

  it('counts every canary once, and wrong verdicts by when the canary is bad', () => {
    const tally = simulate(fourfold, [ours, argo('argo', 5, 0)], 20, [4]).get('ours')!;
    expect(tally.promoted + tally.rolledBack + tally.undecided).to.equal(20);
    expect(tally.seconds).to.have.length(20);
    expect(tally.wrong).to.deep.equal({ rollbacks: 0, promotions: 0 });
    const healthy = simulate({ ...fourfold, badFrom: Number.POSITIVE_INFINITY }, [ours], 20, [4]).get('ours')!;
    expect(healthy.wrong).to.deep.equal({ rollbacks: tally.rolledBack, promotions: 0 });
    const passing = simulate({ ...fourfold, factor: () => 0.1 }, [argo('argo', 5, 5)], 5, [4]).get('argo')!;
    expect(passing.wrong).to.deep.equal({ rollbacks: 0, promotions: 5 });
  });
});
