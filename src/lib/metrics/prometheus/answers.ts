import type { LabelsSeen } from './labels-seen.js';
import type { ApiAnswer } from './parse.js';

/** Who answers a reader: a Prometheus as it is now, or what it holds of a time that has passed. */
export interface PrometheusAnswers {
  /**
   * Raw samples of the last `reachMs` of all series that a selector names.
   * @param since ms since the epoch: samples before the last two up to then may be left out, except of `up` and of when
   * processes began. The answer then has `whole`.
   */
  samples(selector: string, reachMs: number, signal?: AbortSignal, since?: number): Promise<ApiAnswer>;
  /** What an expression gives. */
  value(expr: string, signal?: AbortSignal): Promise<ApiAnswer>;
  /** Left out: what labels there are does not matter. */
  labelsSeen?: LabelsSeen;
}
