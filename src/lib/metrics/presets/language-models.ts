import type { Preset } from './preset.js';

/** Servers of language models. */
export const LANGUAGE_MODELS: readonly Preset[] = [
  {
    name: 'vllm',
    title: 'vLLM',
    signals: {
      requests: 'http_requests_total{handler=~"/v1/.*",method!="GET"}',
      errors: 'http_requests_total{handler=~"/v1/.*",method!="GET",status=~"5.."}',
      latency: { histogram: 'vllm:e2e_request_latency_seconds', unit: 's' },
      ttft: { histogram: 'vllm:time_to_first_token_seconds', unit: 's' },
      itl: { histogram: 'vllm:inter_token_latency_seconds', unit: 's' },
      drift: { histogram: 'vllm:request_generation_tokens' },
      inflight: 'vllm:num_requests_running',
    },
    versions: {
      labels: ['pod', 'instance'],
      words: 'Each version has a page of its own. Both share model_name, so in Prometheus select by pod or instance.',
    },
    failures: { visible: true, words: 'Answers with a 5xx status, counted by the HTTP server in front of the engine.' },
    trap: 'vllm:request_success_total{finished_reason="abort"} never moves, whatever fails: failures must come from http_requests_total. A stream that breaks after its first token still counts as a success.',
    detect: { all: ['vllm:e2e_request_latency_seconds'] },
    systemVersion:
      'vLLM 0.25 (V1 engine), looked up in November 2026; in older releases itl is vllm:time_per_output_token_seconds',
  },
  {
    name: 'sglang',
    title: 'SGLang',
    signals: {
      requests: 'sglang:num_requests_total + sglang:num_aborted_requests_total',
      errors: { count: 'sglang:num_aborted_requests_total', absent: 'zero' },
      latency: { histogram: 'sglang:e2e_request_latency_seconds', unit: 's' },
      ttft: { histogram: 'sglang:time_to_first_token_seconds', unit: 's' },
      itl: { histogram: 'sglang:inter_token_latency_seconds', unit: 's' },
      drift: { histogram: 'sglang:generation_tokens_histogram' },
      inflight: 'sglang:num_running_reqs',
    },
    versions: {
      labels: ['pod', 'instance'],
      words: 'Each version has a page of its own. In Prometheus, select by pod or instance.',
    },
    failures: {
      visible: true,
      words: 'Aborted requests. Their counter appears with the first one; until then it counts as zero.',
    },
    trap: 'sglang:num_requests_total counts finished requests only, so a rate over it alone is wrong when requests abort. Clients that hang up are aborts too. The token histogram, and so drift, needs --collect-tokens-histogram.',
    detect: { all: ['sglang:e2e_request_latency_seconds'] },
    systemVersion:
      'excerpts of published source, looked up in November 2026; needs --enable-metrics. In versions of 2024, itl is sglang:time_per_output_token_seconds',
  },
  {
    name: 'tgi',
    title: 'Text Generation Inference',
    signals: {
      requests: 'tgi_request_count',
      errors: { count: 'tgi_request_failure{err!="validation"}', absent: 'zero' },
      latency: { histogram: 'tgi_request_duration', unit: 's' },
      drift: { histogram: 'tgi_request_generated_tokens' },
      inflight: 'tgi_queue_size',
    },
    versions: {
      labels: ['pod', 'instance'],
      words: 'Each version has a page of its own; no series has a version. In Prometheus, select by pod or instance.',
    },
    failures: {
      visible: true,
      words:
        'Failed requests, without those that the server refused as invalid. Their counter appears with the first failure; until then it counts as zero.',
    },
    trap: 'Latency is that of successful requests only: a version that fails fast looks fast. Durations are seconds, although the name does not say so.',
    detect: { all: ['tgi_request_count'], any: ['tgi_request_duration', 'tgi_queue_size'] },
    systemVersion: 'published source, looked up in November 2026',
  },
  {
    name: 'nim',
    title: 'NVIDIA NIM for LLMs',
    signals: {
      requests: 'request_success_total + request_failure_total',
      errors: { count: 'request_failure_total', absent: 'zero' },
      latency: { histogram: 'e2e_request_latency_seconds', unit: 's' },
      ttft: { histogram: 'time_to_first_token_seconds', unit: 's' },
      itl: { histogram: 'time_per_output_token_seconds', unit: 's' },
      drift: { histogram: 'request_generation_tokens' },
      inflight: 'num_requests_running',
    },
    versions: {
      labels: ['pod', 'instance'],
      words: 'Each version has a page of its own, at /v1/metrics. In Prometheus, select by pod or instance.',
    },
    failures: {
      visible: true,
      words: 'request_failure_total; where it appears with the first failure, it counts as zero until then.',
    },
    trap: 'request_success_total leaves failed requests out, so the total is success + failure. A page whose names begin with vllm: is for the preset vllm.',
    detect: { all: ['e2e_request_latency_seconds', 'request_success_total'] },
    systemVersion: 'NIM for LLMs 1.x, documentation looked up in November 2026',
  },
];
