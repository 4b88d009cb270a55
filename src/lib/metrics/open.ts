import type { MetricSource, PrometheusAuth, SourceDescriptor } from './source.js';

/** Opens the adapter that a descriptor names. Each is loaded only when it is used. */
export async function openSource(descriptor: SourceDescriptor, auth: PrometheusAuth): Promise<MetricSource> {
  switch (descriptor.kind) {
    case 'none':
      return (await import('./none.js')).openNone();
    case 'scrape':
      return (await import('./scrape.js')).openScrape(descriptor);
    case 'prometheus':
      return (await import('./prometheus.js')).openPrometheus(descriptor, auth);
    case 'ndjson':
      return (await import('./ndjson.js')).openNdjson(descriptor);
  }
}
