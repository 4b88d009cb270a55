import { expect } from 'chai';
import { kindOf, withoutNative } from '../../../../src/lib/metrics/prometheus/native.js';
import { Looked, NOTHING } from './given.js';
import { success } from './stub.js';

const HISTOGRAM = { ...NOTHING, histograms: { latency: { histogram: 'lat', unit: 's' as const } } };
const POD = { job: 'm', instance: 'a:1', version: 'v2' };

describe('series that are not there', () => {
  let given: Looked;
  beforeEach(async () => {
    given = await Looked.start();
  });
  afterEach(() => given.stop());

  it('are named with the values that their labels do have, asked for once a minute', async () => {
    const source = given.open({ signals: HISTOGRAM, arms: { canary: '{version="V2"}', baseline: '{}' } });
    const asked: string[] = [];
    given.stub.answer = (query) => {
      if (!query.startsWith('count by')) return undefined;
      asked.push(query);
      return success('vector', [
        { metric: { version: 'v2' }, value: [1, '1'] },
        { metric: {}, value: [1, '1'] },
      ]);
    };
    for (const second of [1, 6, 11]) {
      expect((await given.look(source, second)).canary.latency).to.deep.equal({
        state: 'absent',
        detail: 'no series lat_bucket{version="V2"} (version seen: v2)',
      });
    }
    expect(asked).to.deep.equal(['count by (version) ({__name__="lat_bucket"})']);
  });

  it('are named with the values of those labels alone that are wrong', async () => {
    const signals = {
      ...NOTHING,
      histograms: { latency: { histogram: 'lat{route!~"/healthz"}', unit: 's' as const } },
    };
    const source = given.open({ signals, arms: { canary: '{version="v4"}', baseline: '{}' } });
    given.stub.answer = (query) =>
      query.startsWith('count by')
        ? success('vector', [
            { metric: { route: '/predict', version: 'v1' }, value: [1, '1'] },
            { metric: { route: '/healthz', version: 'v2' }, value: [1, '1'] },
          ])
        : undefined;
    expect((await given.look(source, 1)).canary.latency).to.deep.equal({
      state: 'absent',
      detail: 'no series lat_bucket{route!~"/healthz",version="v4"} (version seen: v1, v2)',
    });
  });

  it('are named alone where Prometheus has nothing of that name, or says nothing', async () => {
    const source = given.open({ signals: HISTOGRAM });
    expect((await given.look(source, 1)).canary.latency).to.deep.equal({
      state: 'absent',
      detail: 'no series lat_bucket{version="v2"}',
    });
  });

  it('are a summary', async () => {
    const source = given.open({ signals: HISTOGRAM });
    given.add('lat', { ...POD, quantile: '0.95' }, [0, 0.2]);
    given.add('lat_count', POD, [0, 10]);
    expect((await given.look(source, 1)).canary.latency).to.deep.equal({
      state: 'absent',
      detail: 'lat is a summary: its quantiles cannot be counted; a histogram is needed',
    });
  });
});

describe('native histograms', () => {
  const native = (t: number, ...buckets: [number, string, string, string][]): [number, object] => {
    const count = buckets.reduce((all, [, , , n]) => all + Number(n), 0);
    return [t, { count: String(count), sum: '1', buckets }];
  };
  /** Of schema 0: each bucket reaches to twice the bound before. */
  const FIRST = native(1, [3, '-0.001', '0.001', '1'], [0, '0.125', '0.25', '10']);
  const SECOND = native(2, [3, '-0.001', '0.001', '1'], [0, '0.125', '0.25', '14'], [0, '1', '2', '3']);
  const series = (...histograms: [number, object][]) =>
    [{ metric: { __name__: 'lat', ...POD }, histograms }] as unknown as Parameters<typeof withoutNative>[0];

  it('are read as classic ones on bounds that stay', () => {
    const classic = withoutNative(series(FIRST, SECOND));
    const bucket = (le: string) => classic.find(({ metric }) => metric['le'] === le)?.values?.map(([, value]) => value);
    expect(bucket('0.125')).to.deep.equal(['1', '1']);
    expect(bucket('0.25')).to.deep.equal(['11', '15']);
    expect(bucket('1')).to.deep.equal(['11', '15']);
    expect(bucket('2')).to.deep.equal(['11', '18']);
    expect(bucket('+Inf')).to.deep.equal(['11', '18']);
    expect(new Set(classic.map(({ metric }) => metric['__name__']))).to.deep.equal(
      new Set(['lat_bucket', 'lat_count']),
    );
    // What has come in between must not move the bounds.
    const before = withoutNative(series(FIRST)).map(({ metric }) => metric['le']);
    expect(classic.map(({ metric }) => metric['le'])).to.deep.equal(before);
  });

  it('are read at the coarser bounds once they were made coarser', () => {
    const fine = native(1, [0, '0.5', '0.7071067811865475', '1']);
    const both = withoutNative(series(fine, FIRST));
    expect(both.some(({ metric }) => metric['le'] === '0.707106781187')).to.equal(false);
  });

  it('are named where their bounds follow no schema', () => {
    const custom = series(native(1, [0, '0.1', '0.25', '3']));
    expect(withoutNative(custom)).to.deep.equal([]);
    expect(kindOf('lat', custom)).to.equal(
      'lat is a native histogram with custom bounds, which cannot be read: let Prometheus store classic buckets of it',
    );
  });
});
