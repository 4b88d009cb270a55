import { expect } from 'chai';
import { DEFAULT_SIGNALS } from '../../../../src/lib/metrics/index.js';
import { type ReadBy, sharedSeries } from '../../../../src/lib/metrics/inspect/index.js';

describe('two canaries that read', () => {
  const scrape = (arm: string, url = 'http://a/metrics', requests = 'model_requests_total'): ReadBy => ({
    source: {
      kind: 'scrape',
      canaryUrls: [url],
      arms: { canary: arm, baseline: '{}' },
      signals: { ...DEFAULT_SIGNALS, requests, errors: null, histograms: {}, drift: null },
    },
    modelId: 'm',
    gate: 'stage',
  });
  const prometheus = (modelId: string, gate: string, arm: string, queries = {}): ReadBy => ({
    source: {
      kind: 'prometheus',
      url: 'http://p:9090/',
      arms: { canary: arm, baseline: arm },
      signals: DEFAULT_SIGNALS,
      queries,
    },
    modelId,
    gate,
  });

  it('the same page and labels share their series', () => {
    expect(sharedSeries(scrape('{}'), scrape('{}'))).to.equal('model_requests_total of http://a/metrics');
    expect(sharedSeries(scrape('{}'), scrape('{}', 'http://b/metrics'))).to.equal(null);
    const local = scrape('{}', 'http://localhost:8080/metrics');
    expect(sharedSeries(local, scrape('{}', 'http://127.0.0.1:8080/metrics'))).to.contain('localhost:8080');
  });

  it('the same page by another address share their series', () => {
    const page = scrape('{}', 'http://127.0.0.1:8080/metrics');
    for (const url of [
      'http://[::1]:8080/metrics/',
      'http://[::ffff:127.0.0.1]:8080/metrics',
      'http://LOCALHOST:8080//metrics#a',
      'http://127.1:8080/%6Detrics',
      'dns+http://localhost.:8080/metrics',
    ])
      expect(sharedSeries(page, scrape('{}', url)), url).to.contain('model_requests_total');
    for (const url of ['http://127.0.0.1:8081/metrics', 'http://127.0.0.1:8080/metrics?a=1', 'http://127.0.0.1:8080/b'])
      expect(sharedSeries(page, scrape('{}', url)), url).to.equal(null);
  });

  it('some of the same values of their labels share those', () => {
    const both = (a: string, b: string) => [sharedSeries(scrape(a), scrape(b)), sharedSeries(scrape(b), scrape(a))];
    for (const [a, b] of [
      ['{version=~"v2|v3"}', '{version=~"v3|v4"}'],
      ['{version="v2"}', '{version=~"v2|v3",region=~"eu|us"}'],
      ['{version=~"v[2-9]",region="eu"}', '{region=~"eu|us",version="v2"}'],
    ] as const)
      expect(both(a, b), `${a} ${b}`).not.to.include(null);
    for (const [a, b] of [
      ['{version=~"v2|v3"}', '{version=~"v4|v5"}'],
      ['{version=~"v2|v3",region="eu"}', '{version=~"v3|v4",region="us"}'],
      // Which versions serve which team is not known.
      ['{version=~"v2|v3"}', '{team="a"}'],
      ['{job=~"a|b",version="v2"}', '{job=~"a|c",team="a"}'],
    ] as const)
      expect(both(a, b), `${a} ${b}`).to.deep.equal([null, null]);
  });

  it('a part of what the other reads share it', () => {
    expect(sharedSeries(scrape('{}'), scrape('{version="v2"}'))).to.equal('model_requests_total of http://a/metrics');
    expect(sharedSeries(scrape('{pod=~"a-.*"}'), scrape('{pod="a-1"}'))).to.contain('model_requests_total');
    expect(sharedSeries(scrape('{version="v3"}'), scrape('{version="v2"}'))).to.equal(null);
  });

  it('selectors of other series, or of which nothing can be proved, share none', () => {
    const of = (handler: string) => scrape('{}', 'http://a/metrics', `http_requests_total{handler="${handler}"}`);
    expect(sharedSeries(of('/a'), of('/b'))).to.equal(null);
    expect(sharedSeries(of('/a'), of('/a'))).to.contain('/a');
    expect(sharedSeries(scrape('{pod=~"a.*"}'), scrape('{pod=~".*b"}'))).to.equal(null);
  });

  it('by placeholders differ where these do', () => {
    const gate = '{gate="$__gate"}';
    expect(sharedSeries(prometheus('m1', 'stage', gate), prometheus('m2', 'stage', gate))).to.contain('gate="stage"');
    expect(sharedSeries(prometheus('m1', 'stage', gate), prometheus('m2', 'test', gate))).to.equal(null);
    const model = '{model="$__model"}';
    expect(sharedSeries(prometheus('m1', 'stage', model), prometheus('m2', 'stage', model))).to.equal(null);
    const query = { p: 'avg(x{gate="$__gate"})' };
    expect(sharedSeries(prometheus('m1', 'stage', model, query), prometheus('m2', 'stage', model, query))).to.contain(
      'avg(x',
    );
  });

  it('no series share none', () => {
    const none: ReadBy = { source: { kind: 'none' }, modelId: 'm', gate: 'stage' };
    expect(sharedSeries(none, none)).to.equal(null);
  });
});
