/**
 * What is measured: the `MetricSource` port and its adapters. Missing data is a state of an observation, never a number.
 */

export { FORMER_KEYS, rewritten, unknownMetrics } from './former.js';
export { openNdjson } from './ndjson.js';
export { observationJsonSchema, parseObservation } from './observation-schema.js';
export { currentForm, openSource } from './open.js';
export { signalsWithPresets } from './presets/index.js';
export { writeMatchers } from './promql/index.js';
export { reachable } from './reachable.js';
export {
  ALL_SERIES,
  type ArmsConfig,
  armInput,
  BY_GATE,
  DEFAULT_SIGNALS,
  equal,
  type SignalsConfig,
} from './signals/index.js';
export {
  type MetricSource,
  PROMETHEUS_DEFAULTS,
  PROMETHEUS_URL,
  type PrometheusConfig,
  pageUrl,
  type Reading,
  type ReadRequest,
  SCRAPE_URL,
  type ScrapeConfig,
  SOURCE_TIMEOUT_MS,
  type SourceAuth,
  type SourceDescriptor,
} from './source.js';
