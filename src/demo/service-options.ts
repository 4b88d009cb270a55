import { z } from 'zod';

/**
 * What goes wrong in a service, `faultAfterSeconds` after its first request. `latency`: 40% of feature lookups take
 * 300-600 ms longer. `errors`: 8% of requests fail. `drift`: account ages arrive in hours. `crash`: the process ends.
 */
export const FAULTS = ['none', 'latency', 'errors', 'drift', 'crash'] as const;
export type Fault = (typeof FAULTS)[number];

/** The service's only argument, as JSON. */
export const serviceOptionsSchema = z.strictObject({
  release: z.enum(['baseline', 'canary']),
  /** Values of the metrics' labels. */
  gate: z.string().min(1),
  model: z.string().min(1),
  /** Seed of lookup times and faults. */
  seed: z.int(),
  fault: z.enum(FAULTS),
  faultAfterSeconds: z.number().min(0),
});

export type ServiceOptions = z.infer<typeof serviceOptionsSchema>;

/** The one line that the service prints on stdout when it is ready for requests. */
export const readyLineSchema = z.object({ port: z.int().min(1).max(65_535) });
