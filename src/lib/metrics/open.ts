import type { MetricSource, PrometheusAuth, SourceDescriptor } from './source.js';

/**
 * Opens the adapter that a descriptor names. Each is loaded only when it is used.
 * @param now milliseconds since the epoch, from the clock that says when a look is due
 */
export async function openSource(
  descriptor: SourceDescriptor,
  auth: PrometheusAuth,
  now: () => number = Date.now,
): Promise<MetricSource> {
  switch (descriptor.kind) {
    case 'none':
      return (await import('./none.js')).openNone();
    case 'scrape':
      return (await import('./scrape.js')).openScrape(descriptor, now);
    case 'prometheus':
      return (await import('./prometheus/prometheus.js')).openPrometheus(descriptor, auth, { now });
    case 'ndjson':
      return (await import('./ndjson.js')).openNdjson(descriptor);
  }
}
