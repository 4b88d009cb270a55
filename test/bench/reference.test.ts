import { expect } from 'chai';
import { betaBinomialConfidenceSequence, betaBinomialLogE } from '../../bench/reference/beta-binomial.js';
import { dirichletMultinomialLogE } from '../../bench/reference/dirichlet-multinomial.js';
import { jensenShannon, kolmogorovSmirnov, psiUnsmoothed } from '../../bench/reference/distribution-distance.js';
import {
  type Alternative,
  hodgesLehmann,
  kayentaClassify,
  kayentaZ,
  mannWhitneyExactP,
  mannWhitneyP,
  rankSum,
} from '../../bench/reference/mann-whitney.js';
import { truncatedBetaLogE } from '../../bench/reference/truncated-beta.js';
import { logE } from '../../src/lib/judge/rate-evidence.js';
import { expectClose, golden } from '../lib/judge/golden.js';

interface TruncatedBetaCase {
  k: number;
  n: number;
  p0: number;
  a: number;
  b: number;
  dir: 1 | -1;
  logE: number;
}
interface BetaBinomialCase {
  k: number;
  n: number;
  alpha: number;
  a: number;
  b: number;
  'logE_at_0.02': number;
  lower: number;
  upper: number;
}
interface DirichletCase {
  counts: number[];
  theta0: number[];
  concentration: number[];
  logE: number;
}
interface DistanceCase {
  canary: number[];
  baseline: number[];
  psi_raw: number;
  jsd_nats: number;
  jsd_bits: number;
  js_distance_base2: number;
  ks: number;
}
interface MannWhitneyCase {
  x: number[];
  y: number[];
  U: number;
  hodges_lehmann_median_of_differences: number;
  kayenta_z_at_0: number;
  'kayenta_z_at_0.25absHL': number;
  [p: `p_${string}`]: number;
}

describe('reference statistics', () => {
  for (const c of golden<TruncatedBetaCase[]>('truncated_beta'))
    it(`truncated beta: ${c.k} of ${c.n} against ${c.p0}`, () => {
      expectClose(truncatedBetaLogE(c.k, c.n, c.p0, c.a, c.b, c.dir), c.logE);
    });

  it('truncated beta: the one-sided beta-binomial mixture of the confseq package', () => {
    // beta_binomial_log_mixture(s = 10, v = 100, v_opt = 100, g = 0.2, h = 0.8, alpha_opt = 0.05): the sum of 625
    // centred outcomes, 135 of them bad, with the prior's size tuned to v_opt at 2 * alpha_opt.
    const logs = -2 * Math.log(2 * 0.05);
    const size = 100 / (logs + Math.log1p(logs)) - 0.2 * 0.8;
    const [crosscheck] = golden<{ published: number; ours: number }[]>('confseq_crosscheck');
    const value = truncatedBetaLogE(135, 625, 0.2, size / 0.8, size / 0.2, 1);
    expectClose(value, crosscheck!.ours);
    expect(value).to.be.closeTo(crosscheck!.published, 5e-9);
  });

  it('truncated beta: speaks as the judge does, give or take the price of its prior', () => {
    for (const [k, n] of [
      [40, 500],
      [13_000, 600_000],
    ] as const) {
      expect(logE(1, k, n, 0.02)).to.be.closeTo(truncatedBetaLogE(k, n, 0.02, 0.5, 24.5, 1), 1.5);
      expect(logE(-1, k, n, 0.03)).to.be.closeTo(truncatedBetaLogE(k, n, 0.03, 0.5, 24.5, -1), 5);
    }
  });

  for (const c of golden<BetaBinomialCase[]>('beta_binomial_cs'))
    it(`beta-binomial confidence sequence: ${c.k} of ${c.n}`, () => {
      expectClose(betaBinomialLogE(c.k, c.n, 0.02, c.a, c.b), c['logE_at_0.02']);
      const { lower, upper } = betaBinomialConfidenceSequence(c.k, c.n, c.alpha, c.a, c.b);
      expectClose(lower, c.lower);
      expectClose(upper, c.upper);
    });

  for (const c of golden<DirichletCase[]>('dirichlet_multinomial'))
    it(`Dirichlet-multinomial: ${c.counts.join(' ')}`, () => {
      expectClose(dirichletMultinomialLogE(c.counts, c.theta0, c.concentration), c.logE);
    });

  golden<DistanceCase[]>('drift').forEach((c, i) => {
    it(`distances of distributions, case ${i + 1}`, () => {
      expectClose(psiUnsmoothed(c.canary, c.baseline), c.psi_raw);
      const nats = jensenShannon(c.canary, c.baseline);
      expectClose(nats, c.jsd_nats);
      expectClose(nats / Math.LN2, c.jsd_bits);
      expectClose(Math.sqrt(nats / Math.LN2), c.js_distance_base2);
      expectClose(kolmogorovSmirnov(c.canary, c.baseline), c.ks);
    });
  });

  golden<MannWhitneyCase[]>('mann_whitney').forEach((c, i) => {
    it(`Mann-Whitney as scipy and Kayenta compute it, case ${i + 1}`, () => {
      expectClose(rankSum(c.x, c.y).u, c.U);
      for (const alternative of ['two-sided', 'greater', 'less'] as Alternative[]) {
        expectClose(mannWhitneyP(c.x, c.y, alternative, true), c[`p_asymptotic_${alternative}_cc`]!);
        expectClose(mannWhitneyP(c.x, c.y, alternative, false), c[`p_asymptotic_${alternative}_nocc`]!);
        const exact = c[`p_exact_${alternative}`];
        if (exact !== undefined) expectClose(mannWhitneyExactP(c.x, c.y, alternative), exact);
      }
      const shift = hodgesLehmann(c.x, c.y);
      expectClose(shift, c.hodges_lehmann_median_of_differences);
      expectClose(kayentaZ(c.x, c.y, 0), c.kayenta_z_at_0);
      expectClose(kayentaZ(c.x, c.y, 0.25 * Math.abs(shift)), c['kayenta_z_at_0.25absHL']);
    });
  });

  it('Kayenta classifies by the shift, and passes what it cannot tell apart', () => {
    const control = [1, 2, 3, 4, 5, 6, 7, 8].map((v) => v / 10);
    const moved = (by: number) => control.map((v) => v + by);
    expect(kayentaClassify(moved(5), control)).to.equal('High');
    expect(kayentaClassify(moved(-5), control)).to.equal('Low');
    expect(kayentaClassify(moved(0.01), control)).to.equal('Pass');
    expect(kayentaClassify([1, 1], [1, 1])).to.equal('Pass');
    expect(kayentaClassify([], control)).to.equal('Nodata');
  });
});
