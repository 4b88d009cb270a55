import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { rewritten, upgraded } from '../../../src/lib/metrics/former.js';
import { openSource } from '../../../src/lib/metrics/open.js';
import { fitAll, parseSelector } from '../../../src/lib/metrics/promql/index.js';
import { DEFAULT_SIGNALS } from '../../../src/lib/metrics/signals/index.js';
import type { SourceDescriptor } from '../../../src/lib/metrics/source.js';

const recorded = (source: Record<string, unknown>) => source as unknown as SourceDescriptor;

/** As canaries recorded it before there were signals. */
const SCRAPE = recorded({
  kind: 'scrape',
  canaryUrl: 'http://a/metrics',
  baselineUrl: 'http://a/metrics',
  canaryLabels: { version: 'v2', path: '/predict/' },
  baselineLabels: { version: 'v1' },
  metrics: {
    latency: 'rt',
    latencyUnit: 'ms',
    requests: 'all_total',
    requestLabels: { path: 'predict' },
    errors: 'all_total',
    errorLabels: { code: '/5../' },
    errorsAbsent: 'zero',
    score: null,
    inflight: null,
  },
  timeoutMs: 4000,
});

describe('sources recorded before there were signals', () => {
  it('are put into the form of today', () => {
    expect(upgraded(SCRAPE)).to.deep.equal({
      kind: 'scrape',
      canaryUrls: ['http://a/metrics'],
      baselineUrls: ['http://a/metrics'],
      // What was a regular expression in selectors was a value in labels of an arm.
      arms: { canary: '{version="v2",path="/predict/"}', baseline: '{version="v1"}' },
      signals: {
        preset: null,
        requests: 'all_total{path="predict"}',
        errors: { count: 'all_total{code=~"5.."}', absent: 'zero' },
        histograms: { latency: { histogram: 'rt', unit: 'ms' } },
        drift: null,
        inflight: null,
      },
      timeoutMs: 4000,
    });
    expect(
      upgraded(
        recorded({
          kind: 'prometheus',
          url: 'http://p',
          labels: { gate: '$__gate', job: '/a|b/' },
          metrics: {
            latency: 'model_latency',
            latencyUnit: 's',
            requests: 'model_requests_total',
            requestLabels: {},
            errors: 'model_errors_total',
            errorLabels: {},
            score: 'model_score',
            inflight: 'model_inflight_requests',
          },
          queries: { ttft: 'x' },
          timeoutMs: 4000,
          staleSeconds: 90,
        }),
      ),
    ).to.deep.equal({
      kind: 'prometheus',
      url: 'http://p',
      arms: { canary: '{gate="$__gate",job=~"a|b"}', baseline: '{gate="$__gate",job=~"a|b"}' },
      signals: DEFAULT_SIGNALS,
      queries: { ttft: 'x' },
      timeoutMs: 4000,
      staleSeconds: 90,
    });
  });

  for (const [pattern, written] of Object.entries({
    '(?!OK$).*': '!="OK"',
    '(?!OK$).+': '!~"OK|"',
    '^(?!OK$).*$': '!="OK"',
    '(?!2).*': '!~"2.*"',
    '(?!200$|OK).*': '!~"200|OK.*"',
    '(?!a\\.b$).*': '!~"a\\\\.b"',
  })) {
    it(`select all but some values without look-ahead: ${pattern}`, () => {
      const { signals } = rewritten({ kind: 'scrape', metrics: { errorLabels: { code: `/${pattern}/` } } });
      const { errors } = signals as { errors: string };
      expect(errors).to.equal(`model_errors_total{code${written}}`);
      const { matchers } = parseSelector(errors)!;
      const former = new RegExp(`^(?:${pattern})$`, 's');
      for (const code of ['', 'OK', 'OKAY', '200', '2', '500', 'a.b', 'axb'])
        expect(fitAll(matchers, { code }), code).to.equal(former.test(code));
    });
  }

  it('can be opened', async () => {
    const source = await openSource(SCRAPE, {});
    expect(source.descriptor).to.deep.include({ canaryUrls: ['http://a/metrics'] });
    await source.close();
  });

  it('begin to count anew where they were stopped, as their counters were kept otherwise', async () => {
    const server = createServer((_, response) => response.end('model_requests_total 9\nmodel_errors_total 1\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const canaryUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
    const source = await openSource(recorded({ kind: 'scrape', canaryUrl, baselineUrl: null, timeoutMs: 1000 }), {});
    const arm = {
      at: 1,
      requests: { '{}': 5 },
      errors: { '{}': 0 },
      latency: {},
      score: {},
      carry: { bad: 0, total: 0 },
      since: { errors: 1, latency: null, score: null },
      newest: {},
    };
    const gates = { modelId: 'm', canaryGate: 'stage', baselineGate: 'production', windowSeconds: 60 };
    const read = (cursor: unknown) =>
      source.read({ ...gates, at: Date.now(), cursor, scalars: [], withBaseline: false });
    try {
      const { observation, cursor } = await read({ canary: arm, baseline: null });
      expect(observation.canary.errors).to.deep.equal({ state: 'first' });
      const next = await read(cursor);
      expect(next.observation.canary.errors).to.deep.equal({ state: 'ok', bad: 0, total: 0 });
    } finally {
      await source.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('are written anew with all that they said', () => {
    expect(
      rewritten({
        kind: 'prometheus',
        url: 'http://p',
        bearerEnv: 'TOKEN',
        labels: { job: '/a|b/' },
        metrics: { errors: 'failed_total', errorLabels: { 'a.b': 'c' }, errorsAbsent: 'zero', inflight: null },
      }),
    ).to.deep.equal({
      source: { kind: 'prometheus', url: 'http://p', bearerEnv: 'TOKEN' },
      arms: { canary: '{job=~"a|b"}', baseline: '{job=~"a|b"}' },
      signals: {
        requests: 'model_requests_total',
        errors: { count: 'failed_total{"a.b"="c"}', absent: 'zero' },
        latency: { histogram: 'model_latency', unit: 's' },
        drift: { histogram: 'model_score' },
      },
    });
    expect(rewritten({ kind: 'scrape', metrics: 'nonsense' })).to.have.nested.property(
      'signals.requests',
      'model_requests_total',
    );
  });

  it('are written anew with failures among the requests, where both are of one metric', () => {
    const metrics = { requests: 'r_total', requestLabels: { path: 'predict' }, errors: 'r_total' };
    const written = (errorLabels: Record<string, string>, errors = 'r_total') =>
      rewritten({ kind: 'scrape', metrics: { ...metrics, errors, errorLabels } })['signals'];
    expect(written({ code: '/5../' })).to.include({ errors: 'r_total{path="predict",code=~"5.."}' });
    expect(written({ code: '/5../', path: '/p.*/' })).to.include({ errors: 'r_total{path=~"p.*",code=~"5.."}' });
    expect(written({ code: '/5../' }, 'e_total')).to.include({ errors: 'e_total{code=~"5.."}' });
  });
});
