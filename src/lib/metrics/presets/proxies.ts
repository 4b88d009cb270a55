import type { Preset } from './preset.js';

/** What stands in front of a service. */
export const PROXIES: readonly Preset[] = [
  {
    name: 'litellm',
    title: 'LiteLLM proxy',
    signals: {
      requests: 'litellm_proxy_total_requests_metric_total',
      errors: 'litellm_proxy_total_requests_metric_total{status_code=~"5..|408|429|None"}',
      latency: { histogram: 'litellm_request_total_latency_metric', unit: 's' },
      ttft: { histogram: 'litellm_llm_api_time_to_first_token_metric', unit: 's' },
    },
    versions: { labels: ['model_id'], words: 'The label model_id, which names a deployment in the configuration.' },
    failures: {
      visible: true,
      words:
        'Answers with a 5xx status, with 408 (timeout), with 429 (rate limit), or None: an exception without a status.',
    },
    trap: 'There is a series for each key, user and client address, so pages grow long and new series appear all the time. Latency is that of successful requests only. Releases before 2026 have no model_id here: use litellm-deployments, which judges failures alone.',
    detect: { all: ['litellm_proxy_total_requests_metric_total'] },
    systemVersion: 'source of LiteLLM of 2026, looked up in November 2026',
  },
  {
    name: 'litellm-deployments',
    title: 'LiteLLM proxy (by deployment)',
    variantOf: 'litellm',
    signals: {
      requests: 'litellm_deployment_success_responses_total + litellm_deployment_failure_responses_total',
      errors: {
        count: 'litellm_deployment_failure_responses_total{exception_status=~"5..|408|429|None"}',
        absent: 'zero',
      },
    },
    versions: { labels: ['model_id'], words: 'The label model_id, which names a deployment in the configuration.' },
    failures: {
      visible: true,
      words:
        'Calls of the model that failed with a 5xx status, 408, 429 or without a status (None), each attempt by itself.',
    },
    trap: 'An attempt that is repeated elsewhere counts as a failure of its deployment, although the client sees none. There is no latency by deployment.',
    detect: { all: ['litellm_deployment_success_responses_total'] },
    systemVersion: 'source of LiteLLM since September 2024, looked up in November 2026',
  },
  {
    name: 'istio',
    title: 'Istio',
    signals: {
      requests: 'istio_requests_total{reporter="destination"}',
      errors:
        'istio_requests_total{reporter="destination",response_code=~"5..|0"}' +
        ' + istio_requests_total{reporter="destination",response_code!~"5..|0",grpc_response_status=~"2|4|12|13|14|15"}',
      latency: { histogram: 'istio_request_duration_milliseconds{reporter="destination"}', unit: 'ms' },
    },
    versions: {
      labels: ['destination_version'],
      words: 'The label destination_version; add destination_workload where several have it.',
    },
    failures: {
      visible: true,
      words:
        'A 5xx status, the code 0 (a connection that broke), or a gRPC status that is the fault of the server, which comes with the code 200.',
    },
    trap: 'Both ends of a call report it, so name one reporter or requests count twice. The preset takes the destination; a pod that is down reports nothing there, only the source sees its refused connections. A client that hangs up is a code 0, too (response_flags DC).',
    detect: { all: ['istio_requests_total'] },
    systemVersion: 'source of istio/proxy (istio_stats), looked up in November 2026',
  },
  {
    name: 'nginx-ingress',
    title: 'ingress-nginx',
    signals: {
      requests: 'nginx_ingress_controller_requests',
      errors: 'nginx_ingress_controller_requests{status=~"5.."}',
      latency: { histogram: 'nginx_ingress_controller_request_duration_seconds', unit: 's' },
    },
    versions: {
      labels: ['ingress', 'canary'],
      words:
        'The label canary: the name of the canary backend, or the empty value for the stable one. Name the ingress too.',
    },
    failures: { visible: true, words: 'A 5xx status; with --report-status-classes the class 5xx.' },
    trap: 'The stable version is canary="": leaving canary out counts both versions. Prometheus often keeps the labels namespace and service of the application as exported_namespace and exported_service.',
    detect: { all: ['nginx_ingress_controller_requests'] },
    systemVersion: 'published source, looked up in November 2026',
  },
  {
    name: 'linkerd',
    title: 'Linkerd',
    signals: {
      requests: `response_total{${served()}}`,
      errors: `response_total{${served()},classification="failure"}`,
      latency: { histogram: `response_latency_ms{${served()}}`, unit: 'ms' },
    },
    versions: {
      labels: ['deployment', 'pod'],
      words:
        'A page for each proxy (port 4191). The labels deployment and pod are added by the scrape configuration of linkerd-viz.',
    },
    failures: {
      visible: true,
      words: 'What the proxy classifies as a failure: a 5xx status, or a gRPC status that is one.',
    },
    trap: 'The same proxy counts what it serves and what it calls, so name one direction; the preset takes inbound. Scrapes of the proxy itself (port 4191) and probes are inbound, too; the preset leaves them out.',
    detect: { all: ['response_total', 'response_latency_ms'] },
    systemVersion: 'source of linkerd2-proxy, looked up in November 2026',
  },
  {
    name: 'envoy',
    title: 'Envoy',
    signals: {
      requests: 'envoy_cluster_upstream_rq_xx',
      errors: 'envoy_cluster_upstream_rq_xx{envoy_response_code_class="5"}',
      latency: { histogram: 'envoy_cluster_upstream_rq_time', unit: 'ms' },
      inflight: 'envoy_cluster_upstream_rq_active',
    },
    versions: { labels: ['envoy_cluster_name'], words: 'The label envoy_cluster_name: a cluster for each version.' },
    failures: { visible: true, words: 'Answers of the class 5.' },
    trap: 'The class is the digit alone (5, not 5xx), and latency is in milliseconds, although the name does not say so.',
    detect: { all: ['envoy_cluster_upstream_rq_xx'] },
    systemVersion: 'documentation of Envoy, looked up in November 2026',
  },
  {
    name: 'envoy-istio',
    title: 'Envoy with the tags of Istio',
    variantOf: 'envoy',
    signals: {
      requests: 'envoy_cluster_upstream_rq{response_code_class!=""}',
      errors: 'envoy_cluster_upstream_rq{response_code_class="5xx"}',
      latency: { histogram: 'envoy_cluster_upstream_rq_time', unit: 'ms' },
      inflight: 'envoy_cluster_upstream_rq_active',
    },
    versions: {
      labels: ['cluster_name'],
      words: 'The label cluster_name, as outbound|8080|v2|fraud.ml.svc.cluster.local: a subset for each version.',
    },
    failures: { visible: true, words: 'Answers of the class 5xx.' },
    trap: 'Each request is counted by its class and by its code in series of one name: select one of them. A sidecar shows clusters of services only if proxyStatsMatcher includes them.',
    detect: { all: ['envoy_cluster_upstream_rq', 'envoy_cluster_upstream_rq_time'] },
    systemVersion: 'bootstrap of Istio (stats_tags), looked up in November 2026',
  },
];

/** What a Linkerd proxy serves for its pod: not its own admin port, not probes. */
function served(): string {
  return 'direction="inbound",target_addr!~".*:4191",route_name!="probe"';
}
