/**
 * What is measured: the `MetricSource` port and its adapters. Missing data is a state of an observation, never a number.
 */
export { openNdjson } from './ndjson.js';
export { observationJsonSchema, parseObservation } from './observation-schema.js';
export { openSource } from './open.js';
export { reachable } from './reachable.js';
export {
  DEFAULT_METRICS,
  type MetricSource,
  PROMETHEUS_DEFAULTS,
  PROMETHEUS_URL,
  type PrometheusAuth,
  type PrometheusConfig,
  type Reading,
  type ReadRequest,
  SCRAPE_URL,
  type ScrapeConfig,
  SOURCE_TIMEOUT_MS,
  type SourceDescriptor,
} from './source.js';
