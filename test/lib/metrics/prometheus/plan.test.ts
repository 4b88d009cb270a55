import { expect } from 'chai';
import { checkUnits, quantileName } from '../../../../src/lib/metrics/prometheus/expressions.js';
import { fillPlan, planCounters } from '../../../../src/lib/metrics/prometheus/plan.js';
import { planQueries } from '../../../../src/lib/metrics/prometheus/queries.js';
import { BY_GATE, DEFAULT_SIGNALS, type SignalsConfig } from '../../../../src/lib/metrics/signals/index.js';
import type { PrometheusConfig } from '../../../../src/lib/metrics/source.js';

const NOTHING: SignalsConfig = {
  preset: null,
  requests: null,
  errors: null,
  histograms: {},
  drift: null,
  inflight: null,
};
const BY_VERSION = { canary: '{version="v2"}', baseline: '{version="v1"}' };

function config(more: Partial<PrometheusConfig>): PrometheusConfig {
  const usual = { url: 'http://p', arms: BY_GATE, signals: DEFAULT_SIGNALS, queries: {}, timeoutMs: 1000 };
  return { ...usual, staleSeconds: 60, ...more };
}

function queriesOf(more: Partial<PrometheusConfig>): string[] {
  const plan = planCounters(config(more));
  const values = (gate: string) => ({ gate, model: 'm', window: 60 });
  return planQueries([fillPlan(plan.canary, values('stage')), fillPlan(plan.baseline, values('production'))]).queries;
}

/** What is counted of the errors, as text. */
function errorsOf(expr: string) {
  const { signals } = planCounters(config({ queries: { error_rate: expr } })).canary;
  return (
    signals.errors && { requests: signals.requests?.text, errors: signals.errors.text, among: signals.errors.among }
  );
}

describe('queries of Prometheus', () => {
  it('are one for both arms and all signals that have the same labels', () => {
    expect(queriesOf({})).to.deep.equal([
      '{__name__=~"model_latency_bucket|model_latency_count|model_latency|model_requests_total|model_errors_total|' +
        'model_score_bucket|model_score_count|model_score|model_inflight_requests|up|process_start_time_seconds",' +
        'gate=~"stage|production"}',
    ]);
  });

  it('are one where errors select among the series of the requests', () => {
    const signals = {
      ...NOTHING,
      requests: 'http_total{handler="/p"}',
      errors: { count: 'http_total{handler="/p",status=~"5.."}', absent: 'no_data' as const },
    };
    expect(queriesOf({ signals, arms: BY_VERSION })).to.deep.equal([
      '{__name__="http_total",handler="/p",version=~"v2|v1"}',
    ]);
  });

  it('are one for each group of labels, and for each arm where the arms differ in more than a value', () => {
    const signals = { ...NOTHING, requests: 'a_total{x="1"} + b_total', inflight: 'busy' };
    expect(queriesOf({ signals, arms: { canary: '{pod=~"c-.*"}', baseline: '{pod!~"c-.*",pod!=""}' } })).to.deep.equal([
      '{__name__="a_total",x="1",pod=~"c-.*"}',
      '{__name__="a_total",x="1",pod!~"c-.*",pod!=""}',
      '{__name__=~"b_total|busy|up|process_start_time_seconds",pod=~"c-.*"}',
      '{__name__=~"b_total|busy|up|process_start_time_seconds",pod!~"c-.*",pod!=""}',
    ]);
  });

  it('never ask for every process where an arm has no labels', () => {
    const signals = { ...NOTHING, requests: 'a_total' };
    expect(queriesOf({ signals, arms: { canary: '{version="v2"}', baseline: '{}' } })).to.deep.equal([
      '{__name__=~"a_total|up|process_start_time_seconds",version="v2"}',
      '{__name__="a_total"}',
    ]);
  });

  it('quote names in UTF-8', () => {
    const signals = { ...NOTHING, requests: '{"http.requests", "http.route"="/p"}' };
    expect(queriesOf({ signals, arms: BY_VERSION })).to.deep.equal([
      '{__name__="http.requests","http.route"="/p",version=~"v2|v1"}',
    ]);
  });

  it('tell series of the arms apart, also where one writes what the other arm is', () => {
    const plan = planCounters(config({ signals: { ...NOTHING, requests: 'a_total', errors: null }, arms: BY_VERSION }));
    const { arms } = planQueries([fillPlan(plan.canary, VALUES), fillPlan(plan.baseline, VALUES)]);
    expect(arms.map(([one]) => one!.tells.map(({ label, value }) => `${label}=${value}`))).to.deep.equal([
      ['version=v2'],
      ['version=v1'],
    ]);
  });
});

const VALUES = { gate: 'stage', model: 'm', window: 60 };

describe('counters behind expressions', () => {
  const rate = (selector: string) => `sum(rate(${selector}[5m]))`;

  it('are those of the ratio, without the labels of the arms', () => {
    expect(errorsOf(`${rate('e_total{gate="$__gate"}')} / ${rate('r_total{gate="$__gate"}')}`)).to.deep.equal({
      requests: 'r_total{gate="$__gate"}',
      errors: 'e_total{gate="$__gate"}',
      among: false,
    });
    expect(errorsOf(`1 - ${rate('ok_total')} / ${rate('r_total')}`)).to.deep.include({ errors: 'r_total - ok_total' });
  });

  it('are none of a failure by logic, where failures select among the requests', () => {
    expect(errorsOf(`100 * ${rate('r_total{code=~"5.."}')} / ${rate('r_total')}`)).to.deep.include({ among: true });
    expect(errorsOf(`${rate('r_total{code=~"5..",a="1"}')} / ${rate('r_total{a="2"}')}`)).to.include({ among: false });
  });

  it('are none where the value is no share of requests', () => {
    expect(errorsOf(`60 * ${rate('e_total')} / ${rate('r_total')}`)).to.equal(null);
    expect(errorsOf('max(error_share)')).to.equal(null);
  });

  it('are a histogram of the name that the objective has, in milliseconds', () => {
    const quantile = (q: number, metric: string) =>
      `histogram_quantile(${q}, sum by (le) (rate(${metric}_bucket[5m])))`;
    const histograms = (queries: Record<string, string>) =>
      planCounters(config({ queries, signals: NOTHING })).canary.signals.histograms;
    expect(histograms({ ttft_p95_ms: `1000 * ${quantile(0.95, 'ttft_seconds')}` })).to.deep.equal({
      ttft: { name: 'ttft_seconds', matchers: [], unit: 's', scale: 1000 },
    });
    expect(histograms({ e2e_p50_ms: `${quantile(0.5, 'e2e_us')} / 1000` })).to.have.nested.property('e2e.scale', 0.001);
    expect(histograms({ x_p999_ms: quantile(0.999, 'x') })).to.have.property('x');
    // Another quantile than the name says is a number, and no count.
    expect(histograms({ ttft_p95_ms: quantile(0.5, 'ttft_ms') })).to.deep.equal({});
    // Counts of one must not stand for the other.
    expect(histograms({ a_p95_ms: quantile(0.95, 'x'), a_p50_ms: quantile(0.5, 'y') })).to.deep.equal({});
    expect(quantileName('throughput')).to.equal(null);
  });

  it('must be in milliseconds as far as their names tell', () => {
    const check = (factor: string, metric: string) => () =>
      checkUnits({ latency_p95_ms: `${factor} * histogram_quantile(0.95, sum by (le) (rate(${metric}_bucket[5m])))` });
    expect(check('1', 'request_duration_seconds')).to.throw(
      'PROM_Q_LAT must be in milliseconds, and the name request_duration_seconds says seconds: multiply it by 1000',
    );
    expect(check('1000', 'rtt_ms')).to.throw('says milliseconds: leave it as it is');
    for (const [factor, metric] of [
      ['1000', 'request_duration_seconds'],
      ['0.001', 'rtt_us'],
      ['1', 'latency'],
      ['1000', 'latency'],
    ] as const)
      expect(check(factor, metric)).not.to.throw();
  });
});
