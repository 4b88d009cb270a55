import { setMaxListeners } from 'node:events';
import { expect } from 'chai';
import { PrometheusApi } from '../../../../src/lib/metrics/prometheus/api.js';
import type { ApiAnswer } from '../../../../src/lib/metrics/prometheus/parse.js';
import { type StubPrometheus, stubPrometheus, success, vector } from './stub.js';

const MANY = Array.from({ length: 40 }, (_, i) => `vector(${i})`);

describe('many queries of one Prometheus', () => {
  let stub: StubPrometheus;
  let api: PrometheusApi;

  function open(timeoutMs: number): PrometheusApi {
    const endpoint = new URL(`${stub.url}/api/v1/query`);
    return new PrometheusApi({ endpoint, credentials: { headers: {} }, timeoutMs, shareMs: 20, random: () => 0.5 });
  }

  beforeEach(async () => {
    stub = await stubPrometheus();
  });

  afterEach(async () => {
    api.close();
    await stub.close();
  });

  it('are asked a few at a time, and each has its own answer', async () => {
    stub.answer = (query) => ({ ...vector(/\d+/.exec(query)?.[0] ?? ''), delay: 5 });
    api = open(1500);
    const answers = await Promise.all(MANY.map((query) => api.query(query)));
    expect(answers.map(only)).to.deep.equal(MANY.map((_, i) => String(i)));
    expect(stub.load.most).to.be.at.most(16);
    expect(stub.load.connections).to.be.at.most(16);
  });

  it('are all told after one timeout that the server hangs', async () => {
    stub.answer = () => ({ ...success('vector', []), delay: 600_000 });
    api = open(300);
    // A timeout for each in turn, 16 at a time, would take longer than a test may.
    const answers = await Promise.all(Array.from({ length: 4000 }, (_, i) => api.query(`vector(${i})`)));
    for (const answer of answers) {
      expect(answer).to.have.nested.property('missing.state', 'unreachable');
      expect(answer)
        .to.have.nested.property('missing.detail')
        .that.matches(/no complete answer within 0\.\d{1,3} s$/);
    }
  });

  it('have time while others are answered, however long the queue', async () => {
    // Three rounds take longer than one query may.
    stub.answer = () => ({ ...vector('1'), delay: 500 });
    api = open(1200);
    const answers = await Promise.all(MANY.map((query) => api.query(query)));
    expect(answers.map(only)).to.deep.equal(MANY.map(() => '1'));
  });

  it('go on when some of them are given up', async () => {
    stub.answer = () => ({ ...vector('1'), delay: 20 });
    api = open(1500);
    const giveUp = new AbortController();
    setMaxListeners(0, giveUp.signal);
    const given = MANY.map((query) => api.query(query, giveUp.signal).catch((error: unknown) => error));
    const kept = api.query('vector(7000)');
    giveUp.abort(new Error('enough'));
    for (const error of await Promise.all(given)) expect(error).to.have.property('message', 'enough');
    expect(only(await kept)).to.equal('1');
  });
});

function only(answer: ApiAnswer): string | undefined {
  return answer.ok && 'series' in answer ? answer.series[0]?.value?.[1] : undefined;
}
