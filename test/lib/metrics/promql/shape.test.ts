import { expect } from 'chai';
import { promqlShape } from '../../../../src/lib/metrics/promql/shape.js';

const BUCKET = 'model_latency_bucket{gate="$__gate"}';
const QUANTILE = { kind: 'quantile', q: 0.95, bucketSelector: BUCKET, factor: 1000 };
const BAD = 'model_errors_total{gate="$__gate"}';
const ALL = 'model_requests_total{gate="$__gate"}';
const GOOD = 'model_good_total{gate="$__gate"}';
const plus = (selector: string) => ({ sign: 1, selector });
const minus = (selector: string) => ({ sign: -1, selector });
const RATIO = { kind: 'ratio', numerator: [plus(BAD)], denominator: [plus(ALL)], factor: 1 };
const FAILED = { ...RATIO, numerator: [plus(ALL), minus(GOOD)] };

describe('promqlShape', () => {
  it('recognises the demo expressions', () => {
    expect(promqlShape(`histogram_quantile(0.95, sum(rate(${BUCKET}[$__window])) by (le)) * 1000`)).to.deep.equal(
      QUANTILE,
    );
    expect(promqlShape(`sum(rate(${BAD}[$__window])) / clamp_min(sum(rate(${ALL}[$__window])),1)`)).to.deep.equal(
      RATIO,
    );
  });

  it('recognises quantiles however they are written', () => {
    for (const expr of [
      `1000 * histogram_quantile(0.95, sum by (le) (rate(${BUCKET}[5m])))`,
      `(histogram_quantile(.95, (sum(increase(${BUCKET}[$__window])) BY (le)))) * 1e3`,
      `10 * (histogram_quantile(0.95, SUM by (le)(rate(${BUCKET}[1m]))) * 100) # ms`,
    ])
      expect(promqlShape(expr), expr).to.deep.equal(QUANTILE);
    const bare = promqlShape('histogram_quantile(0.5, sum by (le) (rate({__name__="x_bucket"}[5m]))) / 1000');
    expect(bare).to.deep.equal({ kind: 'quantile', q: 0.5, bucketSelector: '{__name__="x_bucket"}', factor: 0.001 });
  });

  it('recognises ratios however they are written', () => {
    for (const expr of [
      `sum(rate(${BAD}[5m])) / sum(rate(${ALL}[5m]))`,
      `(sum(rate(${BAD}[5m])) or vector(0)) / (sum(rate(${ALL}[5m])))`,
      `clamp_max(sum(increase(${BAD}[5m])), 1e9) / clamp_min((sum(increase(${ALL}[5m]))), 0.01)`,
      `sum(rate(${BAD}[5m])) * 100 / sum(rate(${ALL}[5m])) / 100`,
      `sum(rate(${BAD}[5m])) / (100 * sum(rate(${ALL}[5m]))) * 100`,
      `sum(irate(${BAD}[5m])) / sum(irate(${ALL}[5m]))`,
    ])
      expect(promqlShape(expr), expr).to.deep.equal(RATIO);
    expect(promqlShape(`100 * sum(rate(${BAD}[5m])) / sum(rate(${ALL}[5m]))`)).to.deep.equal({ ...RATIO, factor: 100 });
  });

  it('recognises failures as what is not good', () => {
    for (const expr of [
      `1 - sum(rate(${GOOD}[5m])) / sum(rate(${ALL}[5m]))`,
      `(1 - (sum(rate(${GOOD}[5m])) / sum(rate(${ALL}[5m]))))`,
      `(sum(rate(${ALL}[5m])) - sum(rate(${GOOD}[5m]))) / sum(rate(${ALL}[5m]))`,
      `clamp_min(sum(increase(${ALL}[5m])) - sum(increase(${GOOD}[5m])), 0) / sum(increase(${ALL}[5m]))`,
    ])
      expect(promqlShape(expr), expr).to.deep.equal(FAILED);
    for (const expr of [
      `100 * (1 - sum(rate(${GOOD}[5m])) / sum(rate(${ALL}[5m])))`,
      `100 - 100 * sum(rate(${GOOD}[5m])) / sum(rate(${ALL}[5m]))`,
      `100 - sum(rate(${GOOD}[5m])) * 100 / sum(rate(${ALL}[5m]))`,
    ])
      expect(promqlShape(expr), expr).to.deep.equal({ ...FAILED, factor: 100 });
  });

  it('recognises sums of counters', () => {
    const both = `sum(rate(${GOOD}[5m])) + sum(rate(${BAD}[5m]))`;
    const sum = { ...RATIO, denominator: [plus(GOOD), plus(BAD)] };
    expect(promqlShape(`sum(rate(${BAD}[5m])) / (${both})`)).to.deep.equal(sum);
    expect(promqlShape(`(sum(rate(${BAD}[5m])) or vector(0)) / (${both})`)).to.deep.equal(sum);
    expect(promqlShape(`sum(rate(${BAD}[5m])) / (${both} - sum(rate(skipped_total[5m])))`)).to.deep.equal({
      ...RATIO,
      denominator: [plus(GOOD), plus(BAD), minus('skipped_total')],
    });
    // The same by the rules of precedence: 1 - (a / b), (a - b / c) is something else.
    expect(promqlShape(`sum(rate(${ALL}[5m])) - sum(rate(${GOOD}[5m])) / sum(rate(${ALL}[5m]))`)).to.equal(null);
  });

  it('leaves alone what means something else', () => {
    for (const expr of [
      'sum(',
      'up',
      '0.5',
      `histogram_quantile(0.95, rate(${BUCKET}[5m]))`,
      `histogram_quantile(0.95, sum(rate(${BUCKET}[5m])) by (le, gate))`,
      `histogram_quantile(0.95, sum(rate(${BUCKET}[5m])) without (le))`,
      `histogram_quantile(0.95, avg(rate(${BUCKET}[5m])) by (le))`,
      `histogram_quantile(0.95, sum(rate(${BUCKET}[5m] offset 1h)) by (le))`,
      `histogram_quantile(0.95, sum(rate(${BUCKET}[5m:1m])) by (le))`,
      'histogram_quantile(0.95, sum(rate(native[5m])) by (le))',
      'histogram_quantile(0.95, sum(rate({__name__=~".*_bucket"}[5m])) by (le))',
      `-1 * histogram_quantile(0.95, sum(rate(${BUCKET}[5m])) by (le))`,
      `histogram_quantile(0.95, sum(rate(${BUCKET}[5m])) by (le)) + 1`,
      `2 - sum(rate(${GOOD}[5m])) / sum(rate(${ALL}[5m]))`,
      `1 - 100 * sum(rate(${GOOD}[5m])) / sum(rate(${ALL}[5m]))`,
      `1 - sum(rate(${GOOD}[5m])) / clamp_min(sum(rate(${ALL}[5m])), 1)`,
      `1 - (sum(rate(${GOOD}[5m])) or vector(0)) / sum(rate(${ALL}[5m]))`,
      `sum(rate(${GOOD}[5m])) / sum(rate(${ALL}[5m])) - 1`,
      `(sum(rate(${ALL}[5m])) - (sum(rate(${GOOD}[5m])) or vector(0))) / sum(rate(${ALL}[5m]))`,
      `(sum(rate(${ALL}[5m])) - sum(rate(${GOOD}[1m]))) / sum(rate(${ALL}[5m]))`,
      `(sum(rate(${ALL}[5m])) - 2 * sum(rate(${GOOD}[5m]))) / sum(rate(${ALL}[5m]))`,
      `(sum(rate(${ALL}[5m])) - on() sum(rate(${GOOD}[5m]))) / sum(rate(${ALL}[5m]))`,
      `sum(rate(${ALL}[5m]) - rate(${GOOD}[5m])) / sum(rate(${ALL}[5m]))`,
      `sum(irate(${BAD}[5m])) / sum(rate(${ALL}[5m]))`,
      `sum(rate(${BAD}[5m])) / sum(increase(${ALL}[5m]))`,
      `sum(rate(${BAD}[5m])) / sum(rate(${ALL}[1m]))`,
      `sum by (pod) (rate(${BAD}[5m])) / sum by (pod) (rate(${ALL}[5m]))`,
      `sum(rate(${BAD}[5m])) / on() sum(rate(${ALL}[5m]))`,
      `sum(rate(${BAD}[5m])) / (sum(rate(${ALL}[5m])) or vector(1))`,
      `rate(${BAD}[5m]) / rate(${ALL}[5m])`,
      `sum(rate(${BAD}[5m])) / 0 / sum(rate(${ALL}[5m]))`,
    ])
      expect(promqlShape(expr), expr).to.equal(null);
  });
});
