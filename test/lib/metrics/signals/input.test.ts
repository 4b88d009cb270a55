import { expect } from 'chai';
import { LukhasError } from '../../../../src/lib/errors.js';
import { parseInput } from '../../../../src/lib/input/index.js';
import {
  armInput,
  type SignalsConfig,
  type SignalsForm,
  signalsInput,
  signalsSchema,
} from '../../../../src/lib/metrics/signals/index.js';

const PRESETS: ReadonlyMap<string, SignalsForm> = new Map([
  [
    'vllm',
    {
      requests: 'http_requests_total{handler="/v1/completions"}',
      errors: 'http_requests_total{handler="/v1/completions",status="5xx"}',
      latency: { histogram: 'vllm:e2e_request_latency_seconds' },
      ttft: { histogram: 'vllm:time_to_first_token_seconds' },
      drift: { histogram: 'vllm:request_generation_tokens' },
    },
  ],
]);

function read(given: unknown): SignalsConfig {
  return parseInput(signalsSchema(PRESETS), given, 'lukhas.yaml', 'CONFIG');
}

function problem(given: unknown): string {
  try {
    read(given);
  } catch (error) {
    expect(error).to.be.instanceOf(LukhasError);
    return (error as LukhasError).message;
  }
  return 'none';
}

describe('signals as people write them', () => {
  it('are recorded as selectors, with only what they name', () => {
    expect(
      read({
        requests: 'http_request_duration_seconds_count{handler="/predict"}',
        errors: 'http_request_duration_seconds_count{handler="/predict", status=~"5.."}',
        latency: { histogram: 'http_request_duration_seconds', unit: 's', labels: { handler: '/predict' } },
        ttft: 'vllm:time_to_first_token_seconds',
        drift: { counts: 'finished_total', by: 'reason' },
        inflight: 'model_inflight_requests',
      }),
    ).to.deep.equal({
      preset: null,
      requests: 'http_request_duration_seconds_count{handler="/predict"}',
      errors: {
        count: 'http_request_duration_seconds_count{handler="/predict",status=~"5.."}',
        absent: 'no_data',
      },
      histograms: {
        latency: { histogram: 'http_request_duration_seconds{handler="/predict"}', unit: 's' },
        ttft: { histogram: 'vllm:time_to_first_token_seconds', unit: 's' },
      },
      drift: { counts: 'finished_total', by: 'reason' },
      inflight: 'model_inflight_requests',
    });
    expect(read({ requests: 'all_total', errors: { count: 'failed_total', absent: 'zero' } })).to.deep.equal({
      preset: null,
      requests: 'all_total',
      errors: { count: 'failed_total', absent: 'zero' },
      histograms: {},
      drift: null,
      inflight: null,
    });
  });

  it('take labels beside any selector', () => {
    const config = read({
      requests: { count: 'a + b', labels: { 'http.route': '/p"' } },
      errors: { count: 'b', labels: { x: '1' }, absent: 'zero' },
      drift: { histogram: 'score', labels: { x: '1' } },
      inflight: { gauge: 'g', labels: { x: '1' } },
    });
    expect(config.requests).to.equal('a{"http.route"="/p\\""} + b{"http.route"="/p\\""}');
    expect(config.errors).to.deep.equal({ count: 'b{x="1"}', absent: 'zero' });
    expect(config.drift).to.deep.equal({ histogram: 'score{x="1"}' });
    expect(config.inflight).to.equal('g{x="1"}');
  });

  it('take units from names, and refuse those that a name contradicts', () => {
    const unit = (histogram: string, given?: string | number) =>
      read({ latency: { histogram, ...(given === undefined ? {} : { unit: given }) } }).histograms['latency']?.unit;
    expect(unit('a_seconds')).to.equal('s');
    expect(unit('a_milliseconds{x="1"}')).to.equal('ms');
    expect(unit('ray_serve_deployment_processing_latency_ms')).to.equal('ms');
    expect(unit('a_microseconds')).to.equal('us');
    expect(unit('a_duration_nanoseconds')).to.equal('ns');
    expect(unit('request_latency')).to.equal('s');
    expect(unit('request_latency', 'us')).to.equal('us');
    expect(unit('{"http.server.request.duration"}')).to.equal('s');
    expect(unit('request_size_bytes')).to.equal('1');
    expect(unit('batch', 1)).to.equal('1');
    for (const [name, given, right] of [
      ['http_server_request_duration_seconds', 'ms', 's'],
      ['istio_request_duration_milliseconds', 's', 'ms'],
      ['response_latency_ms', 's', 'ms'],
      ['request_size_bytes', 's', '1'],
      ['http_server_request_duration', 'ms', 's'],
      ['{"gen_ai.server.time_to_first_token"}', 'ms', 's'],
    ])
      expect(problem({ latency: { histogram: name, unit: given } }), name).to.match(
        new RegExp(`^lukhas.yaml: latency: .* but unit is ${given}: write unit: ${right}, or leave unit out$`),
      );
    expect(problem({ latency: 'http_server_duration' })).to.match(/add unit: ms \(or unit: s\)/);
    expect(problem({ latency: { histogram: 'x', unit: 'seconds' } })).to.match(/latency.unit: must be one of 1, s, ms/);
  });

  it('name the nearest key for one that is not known', () => {
    expect(problem({ request: 'a' })).to.equal('lukhas.yaml: request: unknown key; did you mean requests?');
    expect(problem({ error: { count: 'a' } })).to.equal('lukhas.yaml: error: unknown key; did you mean errors?');
    expect(problem({ labels: { a: 'b' } })).to.match(/^lukhas.yaml: labels: belong to one signal: requests: \{ count/);
    expect(problem({ in_flight: 'a' })).to.equal('lukhas.yaml: in_flight: unknown key; did you mean inflight?');
    expect(problem({ latencys: 'a' })).to.contain('did you mean latency?');
    expect(problem({ score: 'a' })).to.contain('did you mean drift?');
    expect(problem({ errorLabels: { a: 'b' } })).to.match(/errorLabels: unknown key; (known keys|did you mean)/);
    expect(problem({ latency: { histogram: 'a', units: 's' } })).to.contain(
      'latency.units: unknown key; did you mean unit?',
    );
    expect(problem({ errors: { count: 'a', absent: 'zeros' } })).to.contain('did you mean zero?');
  });

  it('say what is wrong with a selector', () => {
    expect(problem({ errors: 'rate(a[5m])' })).to.match(/^lukhas.yaml: errors: rate\(\.\.\.\) is a function/);
    expect(problem({ errors: 'a{code=~"(?!OK$).*"}' })).to.match(/errors: label code: look-ahead .* write !~ "OK"/);
    expect(problem({ latency: 'a_bucket' })).to.contain("give the histogram's own name, without _bucket: a");
    expect(problem({ latency: 'a{le="1"}' })).to.contain('leave the label le out');
    expect(problem({ latency: 'a + b' })).to.contain('is not a selector');
    expect(problem({ drift: { counts: 'a' } })).to.match(
      /drift: must be \{ histogram: NAME \}, or \{ counts: NAME, by: LABEL \}/,
    );
    expect(problem({ drift: {} })).to.match(/drift: must be/);
    expect(problem({ errors: 'failed_total' })).to.contain('errors: needs requests beside it');
    expect(problem({})).to.contain('names nothing to measure');
    expect(problem({ latency: null })).to.contain('names nothing to measure');
    expect(problem({ requests: 5 })).to.match(/requests: expected text/);
    expect(problem({ requests: { count: 'a', labels: { code: 500 } } })).to.match(/put it in quotes/);
  });

  it('begin with a preset, whose keys they replace or leave out', () => {
    const config = read({ preset: 'vllm', ttft: null, latency: { histogram: 'proxy_latency_ms' } });
    expect(config).to.deep.include({
      preset: 'vllm',
      requests: 'http_requests_total{handler="/v1/completions"}',
      histograms: { latency: { histogram: 'proxy_latency_ms', unit: 'ms' } },
      drift: { histogram: 'vllm:request_generation_tokens' },
    });
    expect(problem({ preset: 'vlm' })).to.equal('lukhas.yaml: preset: "vlm" is not a preset; did you mean vllm?');
    expect(problem({ preset: 'zzzzz' })).to.contain('known are vllm');
    expect(() => parseInput(signalsInput, { preset: 'vllm' }, 'x', 'CONFIG')).to.throw(/is not a preset/);
  });
});

describe('arms as people write them', () => {
  const arm = (given: unknown) => parseInput(armInput, given, 'lukhas.yaml', 'CONFIG');

  it('are labels or matchers, recorded as matchers', () => {
    expect(arm({ version: 'v2', 'k8s.pod': 'a' })).to.equal('{version="v2","k8s.pod"="a"}');
    expect(arm({})).to.equal('{}');
    expect(arm('{pod=~"canary-.*", gate!=\'x\'}')).to.equal('{pod=~"canary-.*",gate!="x"}');
    expect(arm({ path: '/predict/' })).to.equal('{path="/predict/"}');
  });

  it('say what is wrong with them', () => {
    expect(() => arm('version=v2')).to.throw(/must be labels, as in \{ version: v2 \}, or a matcher in quotes/);
    expect(() => arm('up{a="b"}')).to.throw(/names a metric: give the labels alone/);
    expect(() => arm({ version: 2 })).to.throw(/put it in quotes/);
    expect(() => arm('{a=~"(?!b)"}')).to.throw(/look-ahead/);
  });
});
