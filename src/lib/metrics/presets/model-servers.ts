import type { Preset } from './preset.js';

/** Servers of models in general. */
export const MODEL_SERVERS: readonly Preset[] = [
  {
    name: 'triton',
    title: 'NVIDIA Triton',
    signals: {
      requests: 'nv_inference_request_success + nv_inference_request_failure{reason!="CANCELED"}',
      errors: { count: 'nv_inference_request_failure{reason!="CANCELED"}', absent: 'zero' },
      latency: { histogram: 'nv_inference_first_response_histogram_ms', unit: 'ms' },
      inflight: 'nv_inference_pending_request_count',
    },
    versions: { labels: ['version'], words: 'The label version; add model where the server has several models.' },
    failures: {
      visible: true,
      words:
        'Failed inferences, without those that the client canceled. Errors of the HTTP front end may not count, nor those that a Python model returns as its response (seen with 24.08).',
    },
    trap: 'The latency histogram exists only with --metrics-config histogram_latencies=true, and only for decoupled models; its bounds (100, 500, 2000, 5000 ms) are coarse. For other models leave it out (latency: null) and measure latency at a proxy.',
    detect: { all: ['nv_inference_request_success'] },
    systemVersion:
      'excerpts of published source, looked up in November 2026; failures have the label reason since mid-2024',
  },
  {
    name: 'knative',
    title: 'Knative Serving (queue-proxy)',
    signals: {
      requests: 'kn_serving_invocation_duration_seconds_count',
      errors: 'kn_serving_invocation_duration_seconds_count{http_response_status_code=~"5.."}',
      latency: { histogram: 'kn_serving_invocation_duration_seconds', unit: 's' },
      inflight: 'kn_serving_queue_depth',
    },
    versions: {
      labels: ['pod', 'service'],
      words:
        'One page for each revision. The revision is in target_info only, so in Prometheus select by pod or by the labels that the scrape adds.',
    },
    failures: { visible: true, words: 'Answers with a 5xx status.' },
    trap: 'Request metrics are off until request-metrics-protocol is set to prometheus (port 9091). A revision that scales to zero takes its counters along.',
    detect: { all: ['kn_serving_invocation_duration_seconds'] },
    systemVersion:
      'excerpts of the source of Knative Serving (OpenTelemetry names; those of OpenCensus whole), looked up in November 2026',
  },
  {
    name: 'knative-opencensus',
    title: 'Knative Serving (queue-proxy)',
    variantOf: 'knative',
    signals: {
      requests: 'revision_request_count',
      errors: 'revision_request_count{response_code_class="5xx"}',
      latency: { histogram: 'revision_request_latencies', unit: 'ms' },
      inflight: 'revision_queue_depth',
    },
    versions: {
      labels: ['revision_name', 'pod_name'],
      words: 'The label revision_name, or one page for each revision.',
    },
    failures: { visible: true, words: 'Answers with a 5xx status.' },
    trap: 'Latency is in milliseconds, although the name does not say so. A revision that scales to zero takes its counters along.',
    detect: { all: ['revision_request_count', 'revision_request_latencies'] },
    systemVersion: 'source of Knative Serving 1.17 (OpenCensus names), looked up in November 2026',
  },
  {
    name: 'kserve',
    title: 'KServe model server (Python)',
    signals: {
      requests: 'request_predict_seconds_count',
      latency: { histogram: 'request_predict_seconds', unit: 's' },
    },
    versions: {
      labels: ['pod', 'instance'],
      words: 'Each version has a page of its own; both share model_name. In Prometheus, select by pod or instance.',
    },
    failures: {
      visible: false,
      words:
        'A failed request is counted like any other. Take errors from the mesh in front (istio), or from Knative (knative) in serverless mode.',
    },
    trap: 'Only latency can be judged: max_error_rate needs another source. KServe in serverless mode has the metrics of Knative as well: use the preset knative there.',
    detect: { all: ['request_predict_seconds'] },
    systemVersion: 'published source, looked up in November 2026',
  },
  {
    name: 'seldon',
    title: 'Seldon Core 2',
    signals: {
      requests: 'seldon_model_infer_total',
      errors:
        'seldon_model_infer_total{code=~"5..|Unknown|Internal|Unavailable|DeadlineExceeded|ResourceExhausted|Aborted|DataLoss|Unimplemented"}',
    },
    versions: { labels: ['model'], words: 'The label model: a version is a model of another name.' },
    failures: {
      visible: true,
      words: 'Answers with a 5xx status, or with a gRPC code that is the fault of the server.',
    },
    trap: 'The latency histogram has no label model, so on a shared server it cannot tell versions apart and is left out. Where each version has a server of its own, add latency: { histogram: seldon_model_infer_api_seconds } and select by server.',
    detect: { all: ['seldon_model_infer_total'] },
    systemVersion: 'excerpts of the source of Seldon Core 2, looked up in November 2026',
  },
  {
    name: 'mlserver',
    title: 'MLServer (REST)',
    signals: {
      requests: 'rest_server_requests_total{path=~".*/(infer|generate|infer_stream|generate_stream)"}',
      errors: 'rest_server_requests_total{path=~".*/(infer|generate|infer_stream|generate_stream)",status_code=~"5.."}',
      latency: {
        histogram: 'rest_server_request_duration_seconds{path=~".*/(infer|generate|infer_stream|generate_stream)"}',
        unit: 's',
      },
    },
    versions: {
      labels: ['pod', 'instance', 'path'],
      words:
        'A page for each version. Where path is what was requested (/v2/models/fraud/versions/v2/infer) and not its route (/v2/models/{model_name}/infer), path tells versions apart.',
    },
    failures: { visible: true, words: 'Answers of the REST server with a 5xx status. gRPC is counted elsewhere.' },
    trap: 'The series by model and version (model_infer_request_duration) are a summary without quantiles, so latency comes from the REST server. MLServer 1.7 writes the route of a request, so that all models and versions of one server share a series: give each version a server of its own, or use mlserver-model, which judges failures alone.',
    detect: { all: ['rest_server_requests_total'], any: ['rest_server_request_duration_seconds'] },
    systemVersion:
      'source of MLServer; the names of counters and labels from excerpts of starlette_exporter, looked up in November 2026',
  },
  {
    name: 'mlserver-model',
    title: 'MLServer (by model)',
    variantOf: 'mlserver',
    signals: {
      requests: 'model_infer_request_success_total + model_infer_request_failure_total',
      errors: { count: 'model_infer_request_failure_total', absent: 'zero' },
    },
    versions: { labels: ['version'], words: 'The labels model and version; version is None for a model without one.' },
    failures: { visible: true, words: 'Inferences that raised an exception, over REST and gRPC.' },
    trap: 'Latency by model is a summary without quantiles and cannot be judged.',
    detect: { all: ['model_infer_request_success_total', 'model_infer_request_failure_total'] },
    systemVersion: 'source of MLServer 1.7, looked up in November 2026',
  },
  bentoml('bentoml', 'bentoml_service', 'excerpts of the source of BentoML, looked up in November 2026'),
  {
    ...bentoml(
      'bentoml-api-server',
      'bentoml_api_server',
      'BentoML 1.0 and 1.1 (services with runners), documentation looked up in November 2026',
    ),
    variantOf: 'bentoml',
  },
  {
    name: 'ray-serve',
    title: 'Ray Serve',
    signals: {
      requests: 'ray_serve_deployment_request_counter_total + ray_serve_deployment_error_counter_total',
      errors: { count: 'ray_serve_deployment_error_counter_total', absent: 'zero' },
      latency: { histogram: 'ray_serve_deployment_processing_latency_ms', unit: 'ms' },
    },
    versions: {
      labels: ['application', 'deployment'],
      words: 'The label application; name the deployment too where an application has several.',
    },
    failures: {
      visible: true,
      words: 'Exceptions in a deployment. Their counter appears with the first error; until then it counts as zero.',
    },
    trap: 'The request counter leaves failed requests out, so the total is requests + errors. A request that passes several deployments is counted in each: name one.',
    detect: { all: ['ray_serve_deployment_request_counter_total'] },
    systemVersion:
      'excerpts of published source, looked up in November 2026; before Ray 2.10 these counters are gauges without _total, which cannot be judged',
  },
  {
    name: 'tf-serving',
    title: 'TensorFlow Serving',
    signals: {
      requests: ':tensorflow:serving:request_count',
      errors: ':tensorflow:serving:request_count{status!="OK"}',
      latency: { histogram: ':tensorflow:serving:request_latency', unit: 'us' },
    },
    versions: {
      labels: ['pod', 'instance'],
      words: 'Each version has a page of its own, at /monitoring/prometheus/metrics; no series has a version.',
    },
    failures: { visible: true, words: 'Every status but OK, so requests that are wrong in themselves count too.' },
    trap: 'Latency is in microseconds, although the name does not say so.',
    detect: { all: [':tensorflow:serving:request_count'] },
    systemVersion: 'published source, looked up in November 2026',
  },
];

function bentoml(name: string, prefix: string, systemVersion: string): Preset {
  return {
    name,
    title: 'BentoML',
    signals: {
      requests: `${prefix}_request_total{${ownEndpoints()}}`,
      errors: `${prefix}_request_total{${ownEndpoints()},http_response_code=~"5.."}`,
      latency: { histogram: `${prefix}_request_duration_seconds{${ownEndpoints()}}`, unit: 's' },
      inflight: `${prefix}_request_in_progress{${ownEndpoints()}}`,
    },
    versions: { labels: ['service_version'], words: 'The label service_version, or a page for each version.' },
    failures: { visible: true, words: 'Answers with a 5xx status.' },
    trap: 'Health checks, documentation and static files are counted in the same series; the preset leaves the usual paths out. Name your endpoint in arms as well if there are others.',
    detect: { all: [`${prefix}_request_total`] },
    systemVersion,
  };
}

/** All paths but those of BentoML itself: probes, documentation, static files. */
function ownEndpoints(): string {
  return 'endpoint!~"/|/(healthz|livez|readyz|metrics|docs[.]json|schema[.]json|static_content/.*)"';
}
