import { looksLikeFailure } from '../counting/index.js';
import type { Sample } from '../signals/index.js';

/** Labels by which services tell how a request ended. */
const OUTCOME =
  /^(?:.*_)?(?:status|status_?code|code|outcome|result|state|class|classification|response|error_?type|reason|finished_?reason|grpc_code)$/i;
/**
 * Label values among these series that look like failures, as `status="500"`; each once.
 * @param telling labels that are known to tell failures; of others only those count whose names say so
 */
export function failuresIn(
  samples: readonly Sample[],
  telling: ReadonlySet<string>,
): { label: string; value: string; samples: Sample[] }[] {
  const found = new Map<string, { label: string; value: string; samples: Sample[] }>();
  for (const sample of samples)
    for (const [label, value] of Object.entries(sample.labels)) {
      if (!(telling.has(label) || OUTCOME.test(label)) || !looksLikeFailure(value, label)) continue;
      const key = `${label}\0${value}`;
      const known = found.get(key);
      if (known) known.samples.push(sample);
      else found.set(key, { label, value, samples: [sample] });
    }
  return [...found.values()];
}
