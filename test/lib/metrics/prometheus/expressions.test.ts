import { expect } from 'chai';
import { Looked } from './given.js';
import { vector } from './stub.js';

const POD = { job: 'm', instance: 'a:1', gate: 'stage' };
const rate = (selector: string): string => `sum(rate(${selector}[1m]))`;
const RATIO = `${rate('r_total{gate="$__gate",code=~"5.."}')} / ${rate('r_total{gate="$__gate"}')}`;

describe('a canary with expressions', () => {
  let given: Looked;
  beforeEach(async () => {
    given = await Looked.start();
  });
  afterEach(() => given.stop());

  /** What is measured over the second of two looks; the expressions give `value`. */
  async function measured(queries: Record<string, string>, value: string | null, scalars: string[] = []) {
    given.stub.answer = (query) => (query.startsWith('{') ? undefined : vector(...(value === null ? [] : [value])));
    const source = given.open({ queries });
    await given.look(source, 1, { scalars });
    return given.look(source, 6, { scalars });
  }

  it('that give nothing before the first failure is measured by counts: none has failed', async () => {
    given.add('r_total', { ...POD, code: '200' }, [0, 100], [5, 150]);
    const { canary, scalars } = await measured({ error_rate: RATIO }, null);
    expect(canary.errors).to.deep.equal({ state: 'ok', bad: 0, total: 50 });
    expect(scalars?.['error_rate']).to.deep.include({ state: 'absent' });
  });

  it('in percent is measured as a share', async () => {
    given.add('r_total', { ...POD, code: '200' }, [0, 100], [5, 150]);
    given.add('r_total', { ...POD, code: '500' }, [0, 0], [5, 2]);
    const { canary, scalars } = await measured({ error_rate: `100 * ${RATIO}` }, '4');
    expect(canary.errors).to.deep.equal({ state: 'ok', bad: 2, total: 52 });
    expect(scalars?.['error_rate']).to.deep.equal({ state: 'ok', value: 0.04 });
  });

  it('of what is good is measured by what is not', async () => {
    given.add('r_total', POD, [0, 100], [5, 150], [10, 150]);
    given.add('ok_total', POD, [0, 90], [5, 137], [10, 137]);
    const expr = `1 - ${rate('ok_total{gate="$__gate"}')} / ${rate('r_total{gate="$__gate"}')}`;
    const queries = { error_rate: expr };
    await measured(queries, '0.06');
    // A difference is counted a check later, as its counters may have been read one after the other.
    const { canary } = await given.look(given.last, 11);
    expect(canary.errors).to.deep.equal({ state: 'ok', bad: 3, total: 50 });
  });

  it('of a quantile is measured by counts under the name of the objective', async () => {
    for (const [le, first, second] of [
      ['0.5', 10, 18],
      ['+Inf', 10, 20],
    ] as const)
      given.add('ttft_seconds_bucket', { ...POD, le }, [0, first], [5, second]);
    const expr = (q: number) =>
      `1000 * histogram_quantile(${q}, sum by (le) (rate(ttft_seconds_bucket{gate="$__gate"}[1m])))`;
    const { canary, scalars } = await measured({ ttft_p95_ms: expr(0.95) }, '300', ['ttft_p95_ms', 'ttft_p50_ms']);
    expect(canary.histograms).to.deep.equal({ ttft: { state: 'ok', bounds: [500], counts: [8, 2] } });
    // Any quantile of what is counted: the other one needs no expression.
    expect(scalars).to.deep.equal({ ttft_p95_ms: { state: 'ok', value: 300 } });
  });
});
