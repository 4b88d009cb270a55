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

/** The metrics page of a system, made for these tests after what its makers expose. */
export interface Shape {
  measures: Measures;
  /** What selects a version on the page that all share; null: each version has a page of its own. */
  select: ((version: string) => Labels) | null;
  page: (versions: readonly Version[]) => string[];
  /** Latency is observed of good requests only. */
  goodOnly?: true;
  /** Usual latency of this kind of service, ms. Default 60. */
  medianMs?: number;
}

const MODELS: Measures = { bounds: [0.1, 0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 20, 40, 60], scale: 1e-3 };
const own = null;

/** Something that is on the page too and must not be counted: probes, other directions, other deployments. */
const noise = (versions: readonly Version[]): number => 40 + 3 * versions.reduce((sum, { all }) => sum + all.count, 0);
function quick(versions: readonly Version[], { bounds }: Measures): Hist {
  const hist = new Hist(bounds);
  hist.counts[0] = noise(versions);
  return hist;
}

/** Latency by what became of the request, as systems do that have one series for each status. */
const byStatus = (name: string, versions: readonly Version[], labels: (version: Version, bad: boolean) => Labels) =>
  histogram(
    name,
    versions.flatMap((version) => [
      [labels(version, false), version.good] as const,
      [labels(version, true), version.bad] as const,
    ]),
  );
const countsByStatus = (
  name: string,
  versions: readonly Version[],
  labels: (version: Version, bad: boolean) => Labels,
) =>
  counter(
    name,
    versions.flatMap((version) => [
      [labels(version, false), version.good.count] as const,
      [labels(version, true), version.bad.count] as const,
    ]),
  );

const geometric = (first: number, ratio: number, count: number) =>
  Array.from({ length: count }, (_, i) => first * ratio ** i);

export const SHAPES: Readonly<Record<string, Shape>> = {
  vllm: {
    measures: MODELS,
    medianMs: 600,
    goodOnly: true,
    select: own,
    page: (all) => {
      const labels = { engine: '0', model_name: 'acme/chat' };
      const v = all[0]!;
      return [
        ...gauge('vllm:num_requests_running', labels, 3),
        ...metric('vllm:request_success_total', 'counter', [
          sample('vllm:request_success_total', { ...labels, finished_reason: 'stop' }, v.good.count),
          sample('vllm:request_success_total', { ...labels, finished_reason: 'abort' }, 0),
        ]),
        ...histogram('vllm:e2e_request_latency_seconds', [[labels, v.good]]),
        ...histogram('vllm:time_to_first_token_seconds', [[labels, v.good]]),
        ...histogram('vllm:inter_token_latency_seconds', [[labels, v.good]]),
        ...histogram('vllm:request_generation_tokens', [[labels, v.tokens]]),
        ...counter('http_requests_total', [
          [{ handler: '/v1/chat/completions', method: 'POST', status: '2xx' }, v.good.count],
          [{ handler: '/v1/chat/completions', method: 'POST', status: '5xx' }, v.bad.count],
          [{ handler: '/v1/models', method: 'GET', status: '2xx' }, noise(all)],
          [{ handler: '/tokenize', method: 'POST', status: '2xx' }, noise(all)],
        ]),
        ...histogram('http_request_duration_highr_seconds', [[{}, quick(all, MODELS)]]),
      ];
    },
  },
  sglang: {
    measures: MODELS,
    medianMs: 600,
    goodOnly: true,
    select: own,
    page: ([v]) => {
      const labels = { model_name: 'acme/chat', engine_type: 'unified', tp_rank: '0', pp_rank: '0' };
      return [
        ...gauge('sglang:num_running_reqs', labels, 2),
        ...counter('sglang:num_requests_total', [[labels, v!.good.count]]),
        ...counter('sglang:num_aborted_requests_total', [[labels, v!.bad.count]]),
        ...histogram('sglang:e2e_request_latency_seconds', [[labels, v!.good]]),
        ...histogram('sglang:time_to_first_token_seconds', [[labels, v!.good]]),
        ...histogram('sglang:inter_token_latency_seconds', [[labels, v!.good]]),
        ...histogram('sglang:generation_tokens_histogram', [[labels, v!.tokens]]),
      ];
    },
  },
  tgi: {
    measures: { bounds: geometric(0.00015, 1.5, 35), scale: 1e-3 },
    medianMs: 400,
    goodOnly: true,
    select: own,
    page: ([v]) => [
      ...counter('tgi_request_count', [[{}, v!.all.count]]),
      ...counter('tgi_request_success', [[{}, v!.good.count]]),
      ...counter('tgi_request_failure', [
        [{ err: 'overloaded' }, v!.bad.count],
        [{ err: 'validation' }, v!.good.count],
      ]),
      ...histogram('tgi_request_duration', [[{}, v!.good]]),
      ...histogram('tgi_request_generated_tokens', [[{}, v!.tokens]]),
      ...gauge('tgi_queue_size', {}, 0),
    ],
  },
  nim: {
    measures: MODELS,
    medianMs: 600,
    goodOnly: true,
    select: own,
    page: ([v]) => {
      const labels = { model_name: 'acme/chat' };
      return [
        ...gauge('num_requests_running', labels, 1),
        ...counter('request_success_total', [[labels, v!.good.count]]),
        ...metric('request_failure_total', 'counter', [sample('request_failure_total', labels, v!.bad.count)]),
        ...histogram('e2e_request_latency_seconds', [[labels, v!.good]]),
        ...histogram('time_to_first_token_seconds', [[labels, v!.good]]),
        ...histogram('time_per_output_token_seconds', [[labels, v!.good]]),
        ...histogram('request_generation_tokens', [[labels, v!.tokens]]),
      ];
    },
  },
  triton: {
    measures: { bounds: [100, 500, 2000, 5000], scale: 1 },
    medianMs: 150,
    goodOnly: true,
    select: (version) => ({ model: 'fraud', version: version.slice(1) }),
    page: (versions) => {
      const labels = (v: Version) => ({ model: 'fraud', version: v.name.slice(1) });
      const failures = versions.flatMap((v) =>
        ['REJECTED', 'CANCELED', 'BACKEND', 'OTHER'].map((reason) => {
          const count = { BACKEND: v.bad.count, CANCELED: v.good.count }[reason] ?? 0;
          return sample('nv_inference_request_failure', { ...labels(v), reason }, count);
        }),
      );
      return [
        ...counter(
          'nv_inference_request_success',
          versions.map((v) => [labels(v), v.good.count]),
        ),
        ...metric('nv_inference_request_failure', 'counter', failures),
        ...metric(
          'nv_inference_pending_request_count',
          'gauge',
          versions.map((v) => sample('nv_inference_pending_request_count', labels(v), 2)),
        ),
        ...histogram(
          'nv_inference_first_response_histogram_ms',
          versions.map((v) => [labels(v), v.good]),
        ),
      ];
    },
  },
  knative: {
    measures: SECONDS,
    select: own,
    page: (versions) => [
      ...byStatus('kn_serving_invocation_duration_seconds', versions, (_, bad) => ({
        http_response_status_code: bad ? '502' : '200',
        otel_scope_name: 'queue',
        otel_scope_version: '',
      })),
      ...gauge('kn_serving_queue_depth', { otel_scope_name: 'queue' }, 1),
      ...gauge('target_info', { kn_revision_name: 'fraud-00002', service_name: 'queue-proxy' }, 1),
    ],
  },
  kserve: {
    measures: SECONDS,
    select: own,
    page: ([v]) => histogram('request_predict_seconds', [[{ model_name: 'fraud' }, v!.all]]),
  },
  seldon: {
    measures: SECONDS,
    select: (version) => ({ model: `fraud_${version}` }),
    page: (versions) => [
      ...countsByStatus('seldon_model_infer_total', versions, (v, bad) => ({
        code: bad ? 'Internal' : '200',
        method_type: 'rest',
        model: `fraud_${v.name}`,
        model_internal: `fraud_${v.name}_1`,
        server: 'mlserver',
      })),
      ...histogram(
        'seldon_model_infer_api_seconds',
        versions.map((v, i) => [{ code: '200', method: 'rest', server: 'mlserver', server_replica: String(i) }, v.all]),
      ),
    ],
  },
  mlserver: {
    measures: SECONDS,
    select: (version) => ({ path: `/v2/models/fraud/versions/${version}/infer` }),
    page: (versions) => {
      const labels = (v: Version, bad: boolean) => ({
        app_name: 'mlserver',
        method: 'POST',
        path: `/v2/models/fraud/versions/${v.name}/infer`,
        status_code: bad ? '500' : '200',
      });
      return [
        ...countsByStatus('rest_server_requests_total', versions, labels),
        ...byStatus('rest_server_request_duration_seconds', versions, labels),
        ...metric(
          'model_infer_request_duration',
          'summary',
          versions.map((v) =>
            sample('model_infer_request_duration_count', { model: 'fraud', version: v.name }, v.all.count),
          ),
        ),
      ];
    },
  },
  bentoml: {
    measures: SECONDS,
    select: (version) => ({ service_version: version }),
    page: (versions) => {
      const labels = (v: Version, bad: boolean, endpoint = '/predict') => ({
        endpoint,
        http_response_code: bad ? '500' : '200',
        service_name: 'Fraud',
        service_version: v.name,
      });
      const probes = versions.map((v) => [labels(v, false, '/healthz'), quick(versions, SECONDS)] as const);
      return [
        ...countsByStatus('bentoml_service_request_total', versions, labels),
        ...probes.map(([probe, { count }]) => sample('bentoml_service_request_total', probe, count)),
        ...byStatus('bentoml_service_request_duration_seconds', versions, labels),
        ...histogram('bentoml_service_request_duration_seconds', probes).slice(1),
      ];
    },
  },
  'ray-serve': {
    measures: { bounds: [1, 2, 5, 10, 20, 50, 100, 200, 300, 400, 500, 1000, 2000, 5000], scale: 1 },
    select: (version) => ({ application: `fraud-${version}`, deployment: 'Model' }),
    page: (versions) => {
      const labels = (v: Version) => ({ application: `fraud-${v.name}`, deployment: 'Model', route: '/predict' });
      return [
        ...counter(
          'ray_serve_deployment_request_counter_total',
          versions.map((v) => [labels(v), v.good.count]),
        ),
        ...counter(
          'ray_serve_deployment_error_counter_total',
          versions.map((v) => [labels(v), v.bad.count]),
        ),
        ...histogram(
          'ray_serve_deployment_processing_latency_ms',
          versions.map((v) => [labels(v), v.all]),
        ),
      ];
    },
  },
  'tf-serving': {
    measures: { bounds: geometric(10, 1.8, 33), scale: 1e3 },
    goodOnly: true,
    select: own,
    page: (versions) => [
      ...countsByStatus(':tensorflow:serving:request_count', versions, (_, bad) => ({
        model_name: 'fraud',
        status: bad ? 'INTERNAL' : 'OK',
      })),
      ...histogram(
        ':tensorflow:serving:request_latency',
        versions.map((v) => [{ model_name: 'fraud', API: 'Predict', entrypoint: 'REST' }, v.good]),
      ),
    ],
  },
};
