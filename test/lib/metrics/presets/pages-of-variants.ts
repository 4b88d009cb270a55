import type { Shape } from './pages.js';
import {
  counter,
  type Hist,
  histogram,
  type Labels,
  type Measures,
  metric,
  SECONDS,
  sample,
  type Version,
} from './service.js';

const MS: Measures = { bounds: [5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000], scale: 1 };

/** Both outcomes of each version: its labels and what was counted of it. */
function outcomes(versions: readonly Version[], labels: (version: Version, bad: boolean) => Labels) {
  return versions.flatMap((version) => [
    [labels(version, false), version.good] as const,
    [labels(version, true), version.bad] as const,
  ]);
}

const counts = (series: readonly (readonly [Labels, Hist])[]) =>
  series.map(([labels, { count }]) => [labels, count] as const);

function otelHttpOld(name: string): Shape {
  return {
    measures: MS,
    select: null,
    page: (versions) =>
      histogram(
        name,
        outcomes(versions, (_, bad) => ({
          http_flavor: '1.1',
          http_method: 'POST',
          http_scheme: 'http',
          http_status_code: bad ? '503' : '200',
          net_host_port: '8000',
        })),
      ),
  };
}

/** Systems whose series have other names in other releases or exporters. */
export const VARIANT_SHAPES: Readonly<Record<string, Shape>> = {
  'knative-opencensus': {
    measures: MS,
    select: (version) => ({ revision_name: `fraud-${version}` }),
    page: (versions) => {
      const series = outcomes(versions, (v, bad) => ({
        container_name: 'queue-proxy',
        response_code: bad ? '502' : '200',
        response_code_class: bad ? '5xx' : '2xx',
        revision_name: `fraud-${v.name}`,
      }));
      return [
        ...counter('revision_app_request_count', counts(series)),
        ...histogram('revision_app_request_latencies', series),
        ...counter('revision_request_count', counts(series)),
        ...histogram('revision_request_latencies', series),
      ];
    },
  },
  'mlserver-model': {
    measures: SECONDS,
    select: (version) => ({ model: 'fraud', version }),
    page: (versions) => {
      const labels = (v: Version) => ({ model: 'fraud', version: v.name });
      return [
        ...metric(
          'model_infer_request_success_total',
          'counter',
          versions.map((v) => sample('model_infer_request_success_total', labels(v), v.good.count)),
        ),
        ...metric(
          'model_infer_request_failure_total',
          'counter',
          versions.map((v) => sample('model_infer_request_failure_total', labels(v), v.bad.count)),
        ),
        ...metric(
          'model_infer_request_duration',
          'summary',
          versions.map((v) => sample('model_infer_request_duration_count', labels(v), v.all.count)),
        ),
      ];
    },
  },
  'bentoml-api-server': {
    measures: SECONDS,
    select: (version) => ({ service_version: version }),
    page: (versions) => {
      const series = outcomes(versions, (v, bad) => ({
        endpoint: '/predict',
        http_response_code: bad ? '500' : '200',
        service_name: 'fraud',
        service_version: v.name,
      }));
      return [
        ...counter('bentoml_api_server_request_total', counts(series)),
        ...histogram('bentoml_api_server_request_duration_seconds', series),
      ];
    },
  },
  'litellm-deployments': {
    measures: SECONDS,
    select: (version) => ({ model_id: `dep-${version}` }),
    page: (versions) => {
      const labels = (v: Version) => ({ api_provider: 'openai', model_id: `dep-${v.name}`, requested_model: 'chat' });
      return [
        ...counter(
          'litellm_deployment_success_responses_total',
          versions.map((v) => [labels(v), v.good.count]),
        ),
        ...counter(
          'litellm_deployment_failure_responses_total',
          versions.map((v) => [{ ...labels(v), exception_class: 'Timeout', exception_status: 'None' }, v.bad.count]),
        ),
      ];
    },
  },
  'envoy-istio': {
    measures: MS,
    select: (version) => ({ cluster_name: `outbound|80|${version}|fraud` }),
    page: (versions) => {
      const cluster = (v: Version) => ({ cluster_name: `outbound|80|${v.name}|fraud` });
      const classes = counts(
        outcomes(versions, (v, bad) => ({ response_code_class: bad ? '5xx' : '2xx', ...cluster(v) })),
      );
      const codes = counts(outcomes(versions, (v, bad) => ({ response_code: bad ? '503' : '200', ...cluster(v) })));
      return [
        ...counter('envoy_cluster_upstream_rq', [...classes, ...codes]),
        ...histogram(
          'envoy_cluster_upstream_rq_time',
          versions.map((v) => [cluster(v), v.all]),
        ),
      ];
    },
  },
  'otel-http-old': otelHttpOld('http_server_duration_milliseconds'),
  'otel-http-old-no-unit': otelHttpOld('http_server_duration'),
};
