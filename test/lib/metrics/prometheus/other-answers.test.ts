import { expect } from 'chai';
import { Looked, NOTHING } from './given.js';
import { success } from './stub.js';

const SIGNALS = {
  ...NOTHING,
  requests: 'requests_total',
  errors: { count: 'failed_total', absent: 'no_data' as const },
};
const METRIC = { __name__: 'requests_total', version: 'v2' };

describe('what answers in the place of Prometheus', () => {
  let looked: Looked;
  beforeEach(async () => {
    looked = await Looked.start();
  });
  afterEach(() => looked.stop());

  async function errorsOf(result: unknown) {
    looked.stub.answer = () => success('matrix', result);
    return (await looked.look(looked.open({ signals: SIGNALS }), 10)).canary.errors;
  }

  for (const [what, result] of Object.entries({
    'no list': { a: 1 },
    'a list of nothing': [null],
    'series without labels': [{ values: [[1, '2']] }],
    'labels that are no text': [{ metric: { ...METRIC, version: { a: 1 } }, values: [[1, '2']] }],
    'values that are no list': [{ metric: METRIC, values: 'many' }],
    'a sample in the middle that is none': [{ metric: METRIC, values: [[1, '2'], null, [3, '4']] }],
    'a value that is no text': [{ metric: METRIC, values: [[1, 2]] }],
    'a native histogram that is none': [{ metric: METRIC, histograms: [[1, null]] }],
    'buckets that are none': [{ metric: METRIC, histograms: [[1, { count: '1', sum: '1', buckets: [null] }]] }],
    'buckets that are no list': [{ metric: METRIC, histograms: [[1, { count: '1', sum: '1', buckets: {} }]] }],
  }))
    it(`is no reading: ${what}`, async () => {
      const errors = await errorsOf(result);
      expect(errors).to.include({ state: 'invalid' });
      expect(errors).to.have.property('detail').that.includes('does not answer as Prometheus does');
    });

  it('is told to give less where it gives too much', async () => {
    looked.stub.answer = () => ({ body: { status: 'success', data: 'x'.repeat(17 * 1024 * 1024) } });
    const source = looked.open({ signals: SIGNALS, timeoutMs: 60_000 });
    const { errors } = (await looked.look(source, 10)).canary;
    expect(errors)
      .to.have.property('detail')
      .that.includes('larger than 16 MiB: select fewer series, by labels of arms');
  });
});
