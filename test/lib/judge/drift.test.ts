import { expect } from 'chai';
import fc from 'fast-check';
import { asymptoticRadius, driftLogE, psi, psiValue, rho2 } from '../../../src/lib/judge/drift.js';
import { expectClose, golden, uniform } from './golden.js';

interface DriftCase {
  canary: number[];
  baseline: number[];
  'psi_eps0.5': number;
  psi_corrected: number;
  psi_var_canary: number;
  psi_var_baseline: number;
  psi_se: number;
}
interface RadiusCase {
  t: number;
  sd: number;
  alpha: number;
  t_opt: number;
  rho2: number;
  radius_two_sided: number;
  radius_one_sided: number;
}

describe('drift', () => {
  golden<DriftCase[]>('drift').forEach((c, i) => {
    it(`PSI agrees with 50-digit values, case ${i + 1}`, () => {
      const estimate = psi(c.canary, c.baseline);
      expectClose(estimate?.raw, c['psi_eps0.5']);
      expectClose(estimate?.value, c.psi_corrected);
      expectClose(estimate?.varCanary, c.psi_var_canary);
      expectClose(estimate?.varBaseline, c.psi_var_baseline);
      expectClose(estimate?.se, c.psi_se);
    });
  });

  it('is the same to the bit where its value alone is asked for, empty bins left out', () => {
    const bins = fc.array(fc.tuple(fc.nat(1000), fc.nat(1000)), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(bins, (all) => {
        const [canary, baseline] = [all.map(([c]) => c), all.map(([, b]) => b)];
        const hit = all.filter(([c, b]) => c + b > 0);
        const whole = psi(
          hit.map(([c]) => c),
          hit.map(([, b]) => b),
        );
        fc.pre(whole !== null);
        const sum = (counts: number[]) => counts.reduce((total, n) => total + n, 0);
        expect(psiValue(canary, baseline, hit.length, sum(canary), sum(baseline))).to.equal(whole?.value);
      }),
    );
  });

  golden<RadiusCase[]>('asymp_cs').forEach((c, i) => {
    it(`the radius agrees with 50-digit values, case ${i + 1}`, () => {
      expectClose(rho2(c.alpha, c.t_opt), c.rho2);
      expectClose(asymptoticRadius(c.t, c.sd, c.alpha, c.t_opt, false), c.radius_two_sided);
      expectClose(asymptoticRadius(c.t, c.sd, c.alpha, c.t_opt, true), c.radius_one_sided);
    });
  });

  it('has no estimate without counts in both arms, and refuses different bins', () => {
    expect(psi([0, 0], [5, 5])).to.equal(null);
    expect(psi([5, 5], [0, 0])).to.equal(null);
    expect(psi([5], [5])).to.equal(null);
    expect(() => psi([1, 2], [1, 2, 3])).to.throw(RangeError, '2 bins against 3');
  });

  it('the corrected PSI is about 0 on average without drift, the raw one is not', () => {
    const random = uniform(3);
    const draw = (n: number) => {
      const counts = new Array<number>(10).fill(0);
      for (let i = 0; i < n; i++) counts[Math.floor(random() * 10)]! += 1;
      return counts;
    };
    let [raw, value] = [0, 0];
    for (let run = 0; run < 300; run++) {
      const estimate = psi(draw(200), draw(400));
      raw += (estimate?.raw ?? Number.NaN) / 300;
      value += (estimate?.value ?? Number.NaN) / 300;
    }
    expect(raw).to.be.above(0.06);
    expect(Math.abs(value)).to.be.below(0.006);
  });

  it('the evidence reaches 1/alpha exactly where the confidence sequence excludes the boundary', () => {
    const positive = (min: number, max: number) => fc.double({ min, max, noNaN: true });
    fc.assert(
      fc.property(
        positive(1, 1e7),
        positive(1e-4, 100),
        positive(1e-4, 0.5),
        positive(1, 1e6),
        positive(-1, 1),
        positive(-10, 10).filter((offset) => Math.abs(offset) > 1e-9),
        (t, sd, alpha, tOpt, boundary, offset) => {
          const radius = asymptoticRadius(t, sd, alpha, tOpt, true);
          const estimate = boundary + radius * (1 + offset);
          fc.pre(Math.abs(estimate - radius - boundary) > 1e-7 * (1 + radius));
          const reached = driftLogE(t, sd, estimate, boundary, rho2(alpha, tOpt)) >= -Math.log(alpha);
          expect(reached).to.equal(estimate - radius >= boundary);
        },
      ),
    );
  });

  it('the evidence is none at or below the boundary and without data, and finite far above it', () => {
    expect(driftLogE(100, 1, 0.1, 0.1, 0.1)).to.equal(-Infinity);
    expect(driftLogE(100, 1, 0.05, 0.1, 0.1)).to.equal(-Infinity);
    expect(driftLogE(0, 1, 0.5, 0.1, 0.1)).to.equal(-Infinity);
    expect(driftLogE(100, 0, 0.5, 0.1, 0.1)).to.equal(-Infinity);
    expect(asymptoticRadius(0, 1, 0.01, 60, true)).to.equal(Infinity);
    expect(driftLogE(1e6, 1e-3, 5, 0.1, 0.1))
      .to.be.above(1e6)
      .and.to.satisfy(Number.isFinite);
  });
});
