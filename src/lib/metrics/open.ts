import type { MetricSource, SourceAuth, SourceDescriptor } from './source.js';

/**
 * Opens the adapter that a descriptor names, also one that was recorded before there were signals. Each is loaded only
 * when it is used.
 * @param auth credentials of this kind of source
 * @param now milliseconds since the epoch, from the clock that says when a look is due
 */
export async function openSource(
  recorded: SourceDescriptor,
  auth: SourceAuth,
  now: () => number = Date.now,
): Promise<MetricSource> {
  const descriptor = await currentForm(recorded);
  switch (descriptor.kind) {
    case 'none':
      return (await import('./none.js')).openNone();
    case 'scrape':
      return (await import('./scrape.js')).openScrape(descriptor, auth, now);
    case 'prometheus':
      return (await import('./prometheus/prometheus.js')).openPrometheus(descriptor, auth, { now });
    case 'ndjson':
      return (await import('./ndjson.js')).openNdjson(descriptor);
  }
}

/** A descriptor as it is written today, also of a source that was recorded before there were signals. */
export async function currentForm(recorded: SourceDescriptor): Promise<SourceDescriptor> {
  // Loaded for those alone: most are as they are written today.
  return isFormer(recorded) ? (await import('./former.js')).upgraded(recorded) : recorded;
}

function isFormer(recorded: SourceDescriptor): boolean {
  return (recorded.kind === 'scrape' || recorded.kind === 'prometheus') && recorded.signals === undefined;
}
