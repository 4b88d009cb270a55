import type { Shape } from './pages.js';
import {
  counter,
  gauge,
  Hist,
  histogram,
  type Labels,
  type Measures,
  metric,
  SECONDS,
  sample,
  type Version,
} from './service.js';

const MS: Measures = { bounds: [0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000], scale: 1 };

/** Both outcomes of each version: its labels and what was counted of it. */
function outcomes(versions: readonly Version[], labels: (version: Version, bad: boolean) => Labels) {
  return versions.flatMap((version) => [
    [labels(version, false), version.good] as const,
    [labels(version, true), version.bad] as const,
  ]);
}
const counts = (series: readonly (readonly [Labels, Hist])[]) =>
  series.map(([labels, { count }]) => [labels, count] as const);

/** Three times as many requests that must not be counted. */
function others(versions: readonly Version[], { bounds }: Measures): Hist {
  const hist = new Hist(bounds);
  hist.counts[0] = 40 + 3 * versions.reduce((sum, { all }) => sum + all.count, 0);
  return hist;
}

/** A few requests of long ago. */
function once({ bounds }: Measures): Hist {
  const hist = new Hist(bounds);
  hist.counts[0] = 5;
  return hist;
}

const own = null;
function otelHttp(name: string): Shape {
  return {
    measures: SECONDS,
    select: own,
    page: (versions) => [
      ...gauge('target_info', { service_name: 'fraud' }, 1),
      ...histogram(
        name,
        outcomes(versions, (_, bad) => ({
          http_request_method: 'POST',
          http_route: '/predict',
          ...(bad ? { http_response_status_code: '500', error_type: '500' } : { http_response_status_code: '200' }),
        })),
      ),
    ],
  };
}
function otelGenAi(name: string): Shape {
  return {
    measures: SECONDS,
    select: own,
    page: (versions) => [
      ...histogram(
        name,
        outcomes(versions, (v, bad) => ({
          gen_ai_operation_name: 'chat',
          gen_ai_request_model: 'm',
          ...(bad ? { error_type: 'timeout' } : { gen_ai_response_model: `m-${v.name}` }),
        })),
      ),
      ...histogram(
        'gen_ai_client_token_usage',
        versions.flatMap((v) => [
          [{ gen_ai_token_type: 'output' }, v.tokens] as const,
          [{ gen_ai_token_type: 'input' }, others(versions, v.tokens as unknown as Measures)] as const,
        ]),
      ),
    ],
  };
}

/** Proxies, and services with their own instrumentation. */
export const MORE_SHAPES: Readonly<Record<string, Shape>> = {
  litellm: {
    measures: { bounds: [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60], scale: 1e-3 },
    medianMs: 600,
    goodOnly: true,
    select: (version) => ({ model_id: `dep-${version}` }),
    page: (versions) => {
      const who = (v: Version) => ({
        api_key_alias: 'k1',
        hashed_api_key: 'h1',
        model_id: `dep-${v.name}`,
        requested_model: 'chat',
      });
      return [
        ...counter(
          'litellm_proxy_total_requests_metric_total',
          counts(
            outcomes(versions, (v, bad) => ({
              ...who(v),
              route: '/chat/completions',
              status_code: bad ? 'None' : '200',
            })),
          ),
        ),
        ...histogram(
          'litellm_request_total_latency_metric',
          versions.map((v) => [who(v), v.good]),
        ),
        ...histogram(
          'litellm_llm_api_time_to_first_token_metric',
          versions.map((v) => [who(v), v.good]),
        ),
      ];
    },
  },
  istio: {
    measures: MS,
    select: (version) => ({ destination_version: version }),
    page: (versions) => {
      const labels = (v: Version, bad: boolean, reporter = 'destination') => ({
        reporter,
        destination_workload: 'fraud',
        destination_version: v.name,
        request_protocol: 'http',
        response_code: bad ? '0' : '200',
        grpc_response_status: '',
      });
      const series = [
        ...outcomes(versions, labels),
        ...versions.map((v) => [labels(v, false, 'source'), others(versions, MS)] as const),
      ];
      return [
        ...counter('istio_requests_total', counts(series)),
        ...histogram('istio_request_duration_milliseconds', series),
      ];
    },
  },
  'nginx-ingress': {
    measures: SECONDS,
    select: (version) => ({ ingress: 'fraud', canary: version === 'v2' ? 'ml-fraud-80' : '' }),
    page: (versions) => {
      const labels = (v: Version, bad: boolean, ingress = 'fraud') => ({
        canary: v.name === 'v2' ? 'ml-fraud-80' : '',
        ingress,
        method: 'POST',
        namespace: 'ml',
        status: bad ? '502' : '200',
      });
      const series = [
        ...outcomes(versions, labels),
        ...versions.map((v) => [labels(v, false, 'other'), others(versions, SECONDS)] as const),
      ];
      return [
        ...counter('nginx_ingress_controller_requests', counts(series)),
        ...histogram('nginx_ingress_controller_request_duration_seconds', series),
      ];
    },
  },
  linkerd: {
    measures: MS,
    select: (version) => ({ deployment: `fraud-${version}` }),
    page: (versions) => {
      const labels = (v: Version, bad: boolean, direction = 'inbound', target_addr = '10.0.0.7:8080') => ({
        direction,
        target_addr,
        deployment: `fraud-${v.name}`,
        classification: bad ? 'failure' : 'success',
        status_code: bad ? '500' : '200',
      });
      const series = [
        ...outcomes(versions, labels),
        ...versions.map((v) => [labels(v, false, 'outbound'), others(versions, MS)] as const),
        // Scrapes of the proxy's own page.
        ...versions.map((v) => [labels(v, false, 'inbound', '0.0.0.0:4191'), others(versions, MS)] as const),
      ];
      return [...counter('response_total', counts(series)), ...histogram('response_latency_ms', series)];
    },
  },
  envoy: {
    measures: MS,
    select: (version) => ({ envoy_cluster_name: `fraud_${version}` }),
    page: (versions) => {
      const cluster = (v: Version) => ({ envoy_cluster_name: `fraud_${v.name}` });
      return [
        ...counter(
          'envoy_cluster_upstream_rq_xx',
          counts(outcomes(versions, (v, bad) => ({ envoy_response_code_class: bad ? '5' : '2', ...cluster(v) }))),
        ),
        ...histogram(
          'envoy_cluster_upstream_rq_time',
          versions.map((v) => [cluster(v), v.all]),
        ),
        ...metric(
          'envoy_cluster_upstream_rq_active',
          'gauge',
          versions.map((v) => sample('envoy_cluster_upstream_rq_active', cluster(v), 1)),
        ),
      ];
    },
  },
  'otel-http': otelHttp('http_server_request_duration_seconds'),
  'otel-http-no-unit': otelHttp('http_server_request_duration'),
  'otel-genai': otelGenAi('gen_ai_client_operation_duration_seconds'),
  'otel-genai-no-unit': otelGenAi('gen_ai_client_operation_duration'),
  spring: {
    measures: SECONDS,
    select: own,
    page: (versions) =>
      histogram('http_server_requests_seconds', [
        ...outcomes(versions, (_, bad) => ({
          uri: '/predict',
          method: 'POST',
          status: bad ? '500' : '200',
          outcome: bad ? 'SERVER_ERROR' : 'SUCCESS',
          error: bad ? 'IllegalStateException' : 'none',
        })),
        [{ uri: '/predict', method: 'POST', status: '400', outcome: 'CLIENT_ERROR', error: 'none' }, once(SECONDS)],
        [
          { uri: '/actuator/health', method: 'GET', status: '200', outcome: 'SUCCESS', error: 'none' },
          others(versions, SECONDS),
        ],
      ]),
  },
  fastapi: {
    measures: { bounds: [0.1, 0.5, 1], scale: 1e-3 },
    select: own,
    page: (versions) => {
      const [v] = versions;
      return [
        ...counter('http_requests_total', [
          [{ handler: '/health', method: 'GET', status: '2xx' }, others(versions, SECONDS).count],
          [{ handler: '/predict/', method: 'POST', status: '2xx' }, v!.good.count],
          [{ handler: '/predict/', method: 'POST', status: '5xx' }, v!.bad.count],
        ]),
        ...histogram('http_request_duration_highr_seconds', [[{}, others(versions, SECONDS)]]),
        ...histogram('http_request_duration_seconds', [
          [{ handler: '/predict/', method: 'POST' }, v!.all],
          [{ handler: '/health', method: 'GET' }, others(versions, { bounds: [0.1, 0.5, 1], scale: 1 })],
        ]),
      ];
    },
  },
  express: {
    measures: SECONDS,
    select: own,
    page: (versions) => [
      ...gauge('nodejs_version_info', { version: 'v24.0.0' }, 1),
      ...histogram(
        'http_request_duration_seconds',
        outcomes(versions, (_, bad) => ({ method: 'POST', route: '/predict', status_code: bad ? '503' : '200' })),
      ),
    ],
  },
};
