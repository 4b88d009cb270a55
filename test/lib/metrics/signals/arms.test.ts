import { expect } from 'chai';
import { LukhasError } from '../../../../src/lib/errors.js';
import { ALL_SERIES, BY_GATE, refuseSameSeries } from '../../../../src/lib/metrics/signals/index.js';

const values = {
  canary: { gate: 'stage', model: 'm', window: 60 },
  baseline: { gate: 'production', model: 'm', window: 60 },
};
const ONE = ['http://a/metrics'];
const TWO = ['http://b/metrics'];

describe('canary and baseline', () => {
  it('may be pages of their own, or labels that tell them apart', () => {
    const lets = (canary: string, baseline: string, canaryUrls = ONE, baselineUrls: string[] | null = ONE) =>
      refuseSameSeries({ arms: { canary, baseline }, canaryUrls, baselineUrls }, values);
    refuseSameSeries({ arms: ALL_SERIES, canaryUrls: ONE, baselineUrls: TWO }, values);
    refuseSameSeries({ arms: ALL_SERIES, canaryUrls: ONE, baselineUrls: null }, values);
    refuseSameSeries({ arms: BY_GATE, canaryUrls: ONE, baselineUrls: ONE }, values);
    lets('{version="v2"}', '{version="v1"}');
    lets('{pod=~"canary-.*"}', '{pod=~"stable-.*"}');
    lets('{gate=~"$__gate"}', '{gate=~"$__gate"}');
  });

  it('are refused where the canary could be counted into its baseline', () => {
    for (const [canary, baseline] of [
      ['{}', '{}'],
      ['{version="v2"}', '{}'],
      ['{version="v2"}', '{version="v2"}'],
      ['{version="v2"}', '{pod="x"}'],
      ['{pod=~"canary.*"}', '{pod=~"can.*"}'],
      ['{gate=~"$__gate"}', '{gate=~".*"}'],
      ['{model="$__model"}', '{model="$__model"}'],
    ])
      expect(
        () =>
          refuseSameSeries(
            { arms: { canary: canary!, baseline: baseline! }, canaryUrls: [...TWO, ...ONE], baselineUrls: ONE },
            values,
          ),
        `${canary} ${baseline}`,
      )
        .to.throw(LukhasError, /^arms: canary and baseline can be the same series/)
        .with.property('code', 'CONFIG');
  });

  it('are refused where one page has two names', () => {
    const refused = (canary: string, baseline: string): boolean => {
      try {
        refuseSameSeries({ arms: ALL_SERIES, canaryUrls: [canary], baselineUrls: [baseline] }, values);
        return false;
      } catch (error) {
        return error instanceof LukhasError && error.code === 'CONFIG';
      }
    };
    for (const other of [
      'http://127.0.0.1:80/metrics',
      'http://[::1]/metrics',
      'http://LOCALHOST./metrics/',
      'dns+http://localhost/metrics',
    ])
      expect(refused('http://localhost/metrics', other), other).to.equal(true);
    for (const other of [
      'http://127.0.0.2/metrics',
      'http://localhost:81/metrics',
      'http://localhost/v1',
      'http://localhost/metrics?v=1',
    ])
      expect(refused('http://localhost/metrics', other), other).to.equal(false);
  });
});
