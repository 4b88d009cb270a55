import type { Preset } from './preset.js';

/** Instrumentation of one's own services. */
export const SERVICES: readonly Preset[] = [
  otelHttp('otel-http', 'http_server_request_duration_seconds'),
  { ...otelHttp('otel-http-no-unit', 'http_server_request_duration'), variantOf: 'otel-http' },
  otelHttpOld('otel-http-old', 'http_server_duration_milliseconds'),
  otelHttpOld('otel-http-old-no-unit', 'http_server_duration'),
  otelGenAi('otel-genai', 'gen_ai_client_operation_duration_seconds'),
  { ...otelGenAi('otel-genai-no-unit', 'gen_ai_client_operation_duration'), variantOf: 'otel-genai' },
  {
    name: 'spring',
    title: 'Spring Boot (Micrometer)',
    signals: {
      requests: 'http_server_requests_seconds_count{uri!~"/actuator.*"}',
      errors: 'http_server_requests_seconds_count{uri!~"/actuator.*",outcome="SERVER_ERROR"}',
      latency: { histogram: 'http_server_requests_seconds{uri!~"/actuator.*"}', unit: 's' },
    },
    versions: {
      labels: ['pod', 'instance'],
      words: 'Each version has a page of its own, at /actuator/prometheus. In Prometheus, select by pod or instance.',
    },
    failures: { visible: true, words: 'The outcome SERVER_ERROR: a 5xx status.' },
    trap: 'There are no buckets unless management.metrics.distribution.percentiles-histogram.http.server.requests is true; without them only failures can be judged.',
    detect: { all: ['http_server_requests_seconds'] },
    systemVersion: 'documentation and questions about Spring Boot 2.7 to 3.5 (Micrometer), looked up in November 2026',
  },
  {
    name: 'fastapi',
    title: 'FastAPI (prometheus-fastapi-instrumentator)',
    signals: {
      requests: `http_requests_total{${ownHandlers()}}`,
      errors: `http_requests_total{${ownHandlers()},status=~"5.."}`,
      latency: { histogram: `http_request_duration_seconds{${ownHandlers()}}`, unit: 's' },
    },
    versions: {
      labels: ['pod', 'instance'],
      words: 'Each version has a page of its own. In Prometheus, select by pod or instance.',
    },
    failures: { visible: true, words: 'A 5xx status, counted as the class 5xx.' },
    trap: 'The latency histogram by handler has three bounds (100 ms, 500 ms, 1 s); choose a limit that is one of them. The fine one (http_request_duration_highr_seconds) has no handler, so health checks are in it. A handler such as /predict/ is a path, not a pattern.',
    detect: { all: ['http_requests_total', 'http_request_duration_highr_seconds'] },
    systemVersion: 'published source, looked up in November 2026',
  },
  {
    name: 'express',
    title: 'prom-client (Express and other Node.js services)',
    signals: {
      requests: 'http_request_duration_seconds_count',
      errors:
        'http_request_duration_seconds_count{status_code=~"5.."}' +
        ' + http_request_duration_seconds_count{status_code="",status=~"5.."}' +
        ' + http_request_duration_seconds_count{status_code="",status="",code=~"5.."}',
      latency: { histogram: 'http_request_duration_seconds', unit: 's' },
    },
    versions: {
      labels: ['version'],
      words: 'A page for each version, or a label such as version that you add yourself.',
    },
    failures: { visible: true, words: 'A 5xx status in the label status_code, status or code, whichever is there.' },
    trap: 'With the cluster module one page sums all workers: when a worker ends, the sum falls, which is not a restart of the service. A histogram without any label of the status cannot show failures.',
    detect: {
      all: ['http_request_duration_seconds'],
      any: ['nodejs_version_info', 'nodejs_eventloop_lag_seconds', 'nodejs_heap_size_total_bytes'],
    },
    systemVersion: 'prom-client 15, November 2026',
  },
];

function otelHttp(name: string, histogram: string): Preset {
  return {
    name,
    title: 'OpenTelemetry HTTP server',
    signals: {
      requests: `${histogram}_count`,
      errors: `${histogram}_count{http_response_status_code=~"5.."} + ${histogram}_count{http_response_status_code="",error_type!=""}`,
      latency: { histogram, unit: 's' },
    },
    versions: {
      labels: ['service_version', 'instance'],
      words:
        'A page for each version. The version is in target_info, so in Prometheus select by a label that the collector or the scrape adds.',
    },
    failures: { visible: true, words: 'A 5xx status, or an error_type where no status was sent.' },
    trap: 'The name depends on the exporter: some append _seconds (otel-http), some do not (otel-http-no-unit). Health checks are counted unless http_route leaves them out.',
    detect: { all: [histogram] },
    systemVersion: 'stable HTTP semantic conventions, looked up in November 2026',
  };
}

/** Names before the conventions were stable: still what many instrumentations write unless they are told otherwise. */
function otelHttpOld(name: string, histogram: string): Preset {
  return {
    ...otelHttp(name, histogram),
    signals: {
      requests: `${histogram}_count`,
      errors: `${histogram}_count{http_status_code=~"5.."}`,
      latency: { histogram, unit: 'ms' },
    },
    failures: { visible: true, words: 'A 5xx status in http_status_code.' },
    trap: 'A request that ended without a status is not a failure here. Setting OTEL_SEMCONV_STABILITY_OPT_IN=http makes the instrumentation write the stable names (otel-http).',
    systemVersion: 'HTTP semantic conventions before 1.23, looked up in November 2026',
    variantOf: 'otel-http',
  };
}

function otelGenAi(name: string, histogram: string): Preset {
  return {
    name,
    title: 'OpenTelemetry generative AI client',
    signals: {
      requests: `${histogram}_count`,
      errors: `${histogram}_count{error_type!=""}`,
      latency: { histogram, unit: 's' },
      drift: { histogram: 'gen_ai_client_token_usage{gen_ai_token_type="output"}' },
    },
    versions: {
      labels: ['gen_ai_request_model', 'gen_ai_response_model'],
      words:
        'The label gen_ai_request_model, or a page for each version. gen_ai_response_model may be missing where no answer came.',
    },
    failures: { visible: true, words: 'The label error_type, which only failed operations have.' },
    trap: 'A success is a series without the label error_type. Selecting by gen_ai_response_model hides failures that never had an answer. Some exporters append _seconds to the name (otel-genai), some do not (otel-genai-no-unit).',
    detect: { all: [histogram] },
    systemVersion: 'generative AI semantic conventions (in development), looked up in November 2026',
  };
}

/** All handlers but probes, the metrics page, documentation, and requests that no route takes (`none`). */
function ownHandlers(): string {
  return 'handler!~"none|/(health|healthz|healthcheck|live|livez|liveness|ready|readyz|readiness|ping|metrics|docs|openapi.json)/?"';
}
