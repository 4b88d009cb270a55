import { expect } from 'chai';
import { LukhasError } from '../../../../src/lib/errors.js';
import {
  DEFAULT_SIGNALS,
  fillSignals,
  matches,
  parseSignals,
  type SignalsConfig,
  signalWarnings,
} from '../../../../src/lib/metrics/signals/index.js';

const NOTHING: SignalsConfig = {
  preset: null,
  requests: null,
  errors: null,
  histograms: {},
  drift: null,
  inflight: null,
};

function errors(requests: string | null, count: string) {
  return parseSignals({ ...NOTHING, requests, errors: { count, absent: 'no_data' } });
}

describe('parseSignals', () => {
  it('takes the usual names apart', () => {
    const signals = parseSignals(DEFAULT_SIGNALS);
    expect(signals.requests?.terms).to.deep.equal([
      { sign: 1, selector: { name: 'model_requests_total', matchers: [] } },
    ]);
    expect(signals.errors).to.include({ absent: 'no_data', among: false });
    expect(signals.histograms).to.deep.equal({
      latency: { name: 'model_latency', matchers: [], unit: 's', scale: 1000 },
    });
    expect(signals.drift).to.deep.equal({
      kind: 'histogram',
      histogram: { name: 'model_score', matchers: [], unit: '1', scale: 1 },
    });
  });

  it('names the signal that is wrong', () => {
    expect(() => errors('a', 'rate(b[1m])'))
      .to.throw(LukhasError, /^signals\.errors: rate\(\.\.\.\) is a function/)
      .with.property('code', 'PROMQL');
  });

  it('knows errors that can only be among the requests', () => {
    const among = (requests: string | null, count: string) => errors(requests, count).errors?.among;
    expect(among('t', 't{status=~"5.."}')).to.equal(true);
    expect(among('t{h="/p"}', 't{status=~"5..",h="/p"}')).to.equal(true);
    expect(among('t{h=~"/p.*"}', 't{status=~"5..",h="/p"}')).to.equal(true);
    expect(among('t{status!~"4.."}', 't{status=~"5.."}')).to.equal(true);
    expect(among('ok + failed', 'failed')).to.equal(true);
    expect(among('t', 't - t{status="200"}')).to.equal(true);
    expect(among('t - t{h="/health"}', 't{h="/p",status=~"5.."}')).to.equal(true);
    // Other handlers' failures, another counter, and what was taken off the requests.
    expect(among('t{h="/p"}', 't{status=~"5.."}')).to.equal(false);
    expect(among('t', 'failed')).to.equal(false);
    expect(among('t', 't - good')).to.equal(false);
    expect(among('t - t{h="/health"}', 't{status=~"5.."}')).to.equal(false);
    expect(among(null, 't')).to.equal(false);
  });

  it('warns of errors beyond the requests, and of series counted twice', () => {
    expect(signalWarnings(errors('t{h="/p"}', 't{status=~"5.."}'))).to.deep.equal([
      'signals.errors: t{status=~"5.."} also counts failures of requests that signals.requests leaves out; write t{status=~"5..",h="/p"}',
    ]);
    expect(signalWarnings(errors('t + t{status="500"}', 't{status="500"}'))).to.deep.equal([
      'signals.requests: t and t{status="500"} hold the same series, which are counted twice',
    ]);
    expect(signalWarnings(errors('ok + failed', 'failed'))).to.deep.equal([]);
    expect(signalWarnings(errors('t', 't - good'))).to.deep.equal([]);
    expect(signalWarnings(parseSignals(DEFAULT_SIGNALS))).to.deep.equal([]);
  });
});

describe('matches and fillSignals', () => {
  it('selects samples by name and labels', () => {
    const { requests, errors: failed } = errors('t{h="/predict/"}', 't{h="/predict/",error_type!=""}');
    const selects = (labels: Record<string, string>, name = 't') => [
      matches(requests!.terms[0]!.selector, { name, labels }),
      matches(failed!.terms[0]!.selector, { name, labels }),
    ];
    expect(selects({ h: '/predict/' })).to.deep.equal([true, false]);
    expect(selects({ h: '/predict/', error_type: 'timeout' })).to.deep.equal([true, true]);
    expect(selects({ h: 'predict', error_type: 'timeout' })).to.deep.equal([false, false]);
    expect(selects({ h: '/predict/' }, 't_other')).to.deep.equal([false, false]);
  });

  it('puts names into selectors, harmless in regular expressions', () => {
    const signals = parseSignals({
      ...NOTHING,
      requests: 't{model="$__model"}',
      histograms: { latency: { histogram: 'l{pod=~"$__model-.*"}', unit: 'ms' } },
      drift: { counts: 'd{gate="$__gate"}', by: 'reason' },
      inflight: 'i{model="$__model"}',
    });
    const filled = fillSignals(signals, { gate: 'stage', model: 'a.b', window: 60 });
    expect(filled.requests?.terms[0]?.selector.matchers[0]?.value).to.equal('a.b');
    expect(filled.histograms['latency']).to.deep.include({
      unit: 'ms',
      scale: 1,
      matchers: [{ label: 'pod', op: '=~', value: 'a\\.b-.*' }],
    });
    expect(filled.drift).to.deep.equal({
      kind: 'categories',
      by: 'reason',
      counts: { name: 'd', matchers: [{ label: 'gate', op: '=', value: 'stage' }] },
    });
    expect(filled.inflight?.matchers[0]?.value).to.equal('a.b');
    expect(filled.errors).to.equal(null);
  });
});
