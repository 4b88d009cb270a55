import { expect } from 'chai';
import { rewritten, upgraded } from '../../../src/lib/metrics/former.js';
import { openSource } from '../../../src/lib/metrics/open.js';
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

  it('can be opened', async () => {
    const source = await openSource(SCRAPE, {});
    expect(source.descriptor).to.deep.include({ canaryUrls: ['http://a/metrics'] });
    await source.close();
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
});
